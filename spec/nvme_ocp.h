/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Features of OCP's Datacenter NVMe SSD specification.
 * Layout only, no behaviour.
 * Generated from spec/ocp.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_OCP_H
#define SPEC_NVME_OCP_H

#include <stdint.h>

/* features of OCP. */
enum nvme_ocp_fid {
	NVME_OCP_FEAT_ERROR_INJECTION = 0xc0, /* Error Injection */
	NVME_OCP_FEAT_CLEAR_FIRMWARE_HISTORY = 0xc1, /* Clear Firmware Update History */
	NVME_OCP_FEAT_READ_ONLY_WRITE_THROUGH = 0xc2, /* EOL/PLP Failure Mode */
	NVME_OCP_FEAT_CLEAR_PCIE_ERRORS = 0xc3, /* Clear PCIe Correctable Error Counters */
	NVME_OCP_FEAT_IEEE1667 = 0xc4, /* Enable IEEE1667 Silo */
	NVME_OCP_FEAT_LATENCY_MONITOR = 0xc5, /* Latency Monitor */
	NVME_OCP_FEAT_PLP_HEALTH_CHECK = 0xc6, /* PLP Health Check Interval */
	NVME_OCP_FEAT_POWER_STATE = 0xc7, /* DSSD Power State */
	NVME_OCP_FEAT_TELEMETRY_PROFILE = 0xc8, /* Telemetry Profile */
	NVME_OCP_FEAT_ASYNC_EVENT = 0xc9, /* DSSD Asynchronous Event Configuration */
	NVME_OCP_FEAT_IDLE_WAKE_UP = 0xca, /* Idle Wake Up Time Configuration */
};

/* errors that feature C0h injects. */
enum nvme_ocp_error {
	NVME_OCP_ERROR_CONTROLLER_HANG = 1,
	NVME_OCP_ERROR_NAND_HANG = 2,
	NVME_OCP_ERROR_PLP_DEFECT = 3,
	NVME_OCP_ERROR_FIRMWARE_ERROR = 4,
	NVME_OCP_ERROR_DRAM_CRITICAL = 5,
	NVME_OCP_ERROR_DRAM_NON_CRITICAL = 6,
	NVME_OCP_ERROR_NAND_CORRUPTION = 7,
	NVME_OCP_ERROR_SRAM_CORRUPTION = 8,
	NVME_OCP_ERROR_HARDWARE_MALFUNCTION = 9,
	NVME_OCP_ERROR_NO_SPARES = 10,
	NVME_OCP_ERROR_INCOMPLETE_SHUTDOWN = 11,
	NVME_OCP_ERROR_METADATA_CORRUPTION = 12,
	NVME_OCP_ERROR_CRITICAL_GARBAGE_COLLECTION = 13,
	NVME_OCP_ERROR_LATENCY_SPIKE = 14,
	NVME_OCP_ERROR_IO_FAILURE = 15,
	NVME_OCP_ERROR_IO_TIMEOUT = 16,
	NVME_OCP_ERROR_ADMIN_FAILURE = 17,
	NVME_OCP_ERROR_ADMIN_TIMEOUT = 18,
	NVME_OCP_ERROR_THROTTLING_ON = 19,
	NVME_OCP_ERROR_THROTTLING_OFF = 20,
	NVME_OCP_ERROR_CRITICAL_TEMPERATURE = 21,
	NVME_OCP_ERROR_DIE_OFFLINE = 22,
};

/* an entry of OCP feature C0h, Error Injection; up to 127 of them. */
struct nvme_ocp_error_injection {
	uint8_t flags; /* flags */
	uint8_t rsvd1;
	uint16_t type; /* error, enum nvme_ocp_error */
	uint16_t nrtdp; /* reads until a device panic */
	uint8_t rsvd6[26];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ocp_error_injection) == 32, "OCP FID C0h");

/* flags of an entry of feature C0h. */
#define NVME_OCP_INJECTION_ENABLE 0x1u /* enabled */
#define NVME_OCP_INJECTION_SINGLE 0x2u /* once */

#endif
