/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NVMe-MI: opcodes, statuses and data structures.
 * NVM Express Management Interface Specification 2.0, sections 4, 5 and 7.
 * Layout only, no behaviour. Host and virtual SSD both include it.
 * Generated from spec/mi.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_MI_H
#define SPEC_NVME_MI_H

#include <stddef.h>
#include <stdint.h>

/* opcodes of the Management Interface Command Set. Section 5. */
enum nvme_mi_opcode {
	NVME_MI_READ_DATA_STRUCTURE = 0x00,
	NVME_MI_SUBSYSTEM_HEALTH_STATUS_POLL = 0x01,
	NVME_MI_CONTROLLER_HEALTH_STATUS_POLL = 0x02,
	NVME_MI_CONFIGURATION_SET = 0x03,
	NVME_MI_CONFIGURATION_GET = 0x04,
	NVME_MI_VPD_READ = 0x05,
	NVME_MI_VPD_WRITE = 0x06,
	NVME_MI_RESET = 0x07,
	NVME_MI_SES_RECEIVE = 0x08,
	NVME_MI_SES_SEND = 0x09,
	NVME_MI_ENDPOINT_BUFFER_READ = 0x0a,
	NVME_MI_ENDPOINT_BUFFER_WRITE = 0x0b,
	NVME_MI_SHUTDOWN = 0x0c,
};

/* NMIMT of a message. Section 3.1. */
enum nvme_mi_message_type {
	NVME_MI_TYPE_PRIMITIVE = 0x00, /* control primitive */
	NVME_MI_TYPE_COMMAND = 0x01, /* command of the interface */
	NVME_MI_TYPE_ADMIN = 0x02, /* admin command */
	NVME_MI_TYPE_PCIE = 0x04, /* PCIe command */
};

/* control primitives. Section 4.2.1. */
enum nvme_mi_primitive {
	NVME_MI_PRIMITIVE_PAUSE = 0x00,
	NVME_MI_PRIMITIVE_RESUME = 0x01,
	NVME_MI_PRIMITIVE_ABORT = 0x02,
	NVME_MI_PRIMITIVE_GET_STATE = 0x03,
	NVME_MI_PRIMITIVE_REPLAY = 0x04,
};

/* opcodes of the PCIe Command Set. Section 7. */
enum nvme_mi_pcie_opcode {
	NVME_MI_PCIE_CONFIG_READ = 0x00,
	NVME_MI_PCIE_CONFIG_WRITE = 0x01,
	NVME_MI_PCIE_MEMORY_READ = 0x02,
	NVME_MI_PCIE_MEMORY_WRITE = 0x03,
	NVME_MI_PCIE_IO_READ = 0x04,
	NVME_MI_PCIE_IO_WRITE = 0x05,
};

/* identifiers of Configuration Get and Set. Section 5.1. */
enum nvme_mi_configuration {
	NVME_MI_CONFIG_SMBUS_FREQUENCY = 0x01,
	NVME_MI_CONFIG_HEALTH_STATUS_CHANGE = 0x02,
	NVME_MI_CONFIG_TRANSMISSION_UNIT = 0x03,
};

/* DTYP of Read NVMe-MI Data Structure. Section 5.7. */
enum nvme_mi_data_type {
	NVME_MI_DATA_SUBSYSTEM = 0x00,
	NVME_MI_DATA_PORT = 0x01,
	NVME_MI_DATA_CONTROLLER_LIST = 0x02,
	NVME_MI_DATA_CONTROLLER = 0x03,
	NVME_MI_DATA_OPTIONAL_COMMANDS = 0x04,
	NVME_MI_DATA_ENDPOINT_COMMANDS = 0x05,
};

/* status of a response. Section 4.1.2. */
enum nvme_mi_status {
	NVME_MI_STATUS_SUCCESS = 0x00,
	NVME_MI_STATUS_MORE_PROCESSING_REQUIRED = 0x01,
	NVME_MI_STATUS_INTERNAL_ERROR = 0x02,
	NVME_MI_STATUS_INVALID_OPCODE = 0x03,
	NVME_MI_STATUS_INVALID_PARAMETER = 0x04,
	NVME_MI_STATUS_INVALID_COMMAND_SIZE = 0x05,
	NVME_MI_STATUS_INVALID_INPUT_SIZE = 0x06,
	NVME_MI_STATUS_ACCESS_DENIED = 0x07,
	NVME_MI_STATUS_VPD_UPDATES_EXCEEDED = 0x20,
	NVME_MI_STATUS_PCIE_INACCESSIBLE = 0x21,
	NVME_MI_STATUS_SANITIZED_DATA = 0x22,
	NVME_MI_STATUS_ENCLOSURE_SERVICES_FAILURE = 0x23,
	NVME_MI_STATUS_ENCLOSURE_TRANSFER_FAILURE = 0x24,
	NVME_MI_STATUS_ENCLOSURE_FAILURE = 0x25,
	NVME_MI_STATUS_ENCLOSURE_REFUSED = 0x26,
	NVME_MI_STATUS_ENCLOSURE_UNSUPPORTED = 0x27,
	NVME_MI_STATUS_ENCLOSURE_UNAVAILABLE = 0x28,
	NVME_MI_STATUS_ENCLOSURE_DEGRADED = 0x29,
	NVME_MI_STATUS_SANITIZE_IN_PROGRESS = 0x2a,
};

/* NVM Subsystem Information, DTYP 00h. Section 5.7.1. */
struct nvme_mi_subsystem {
	uint8_t nump; /* ports, 0's based */
	uint8_t mjr; /* major version of the Management Interface */
	uint8_t mnr; /* minor version of the Management Interface */
	uint8_t rsvd3[29];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_mi_subsystem) == 32, "NVM subsystem information");

/* Port Information of a PCIe port, DTYP 01h. Section 5.7.2. */
struct nvme_mi_port {
	uint8_t prttyp; /* port type: 0 inactive, 1 PCIe, 2 SMBus */
	uint8_t rsvd1;
	uint16_t mmctptus; /* MCTP transmission unit at most, bytes */
	uint32_t meb; /* management endpoint buffer, bytes */
	uint8_t mps; /* PCIe: maximum payload, 128 << n bytes */
	uint8_t slsv; /* PCIe: supported link speeds, one a bit */
	uint8_t cls; /* PCIe: current link speed */
	uint8_t mlw; /* PCIe: maximum link width */
	uint8_t nlw; /* PCIe: negotiated link width */
	uint8_t pn; /* PCIe: port number */
	uint8_t rsvd14[18];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_mi_port) == 32, "port information");

/* Controller Information, DTYP 03h. Section 5.7.4. */
struct nvme_mi_controller {
	uint8_t portid; /* port */
	uint8_t rsvd1[4];
	uint8_t prii; /* PCIe routing ID, bits 0 PCIERIV */
	uint16_t pri; /* PCIe routing ID, bits 2:0 PCIFN, 7:3 PCIDN, 15:8 PCIBN */
	uint16_t vid; /* PCI Vendor ID */
	uint16_t did; /* PCI Device ID */
	uint16_t ssvid; /* PCI Subsystem Vendor ID */
	uint16_t ssid; /* PCI Subsystem Device ID */
	uint8_t rsvd16[16];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_mi_controller) == 32, "controller information");

/* an entry of the Optionally Supported Command List. Section 5.7.5. */
struct nvme_mi_command {
	uint8_t cmdt; /* command type, bits 6:3 NMIMT */
	uint8_t opc; /* opcode */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_mi_command) == 2, "optionally supported command");

/* Optionally Supported Command List, DTYP 04h. Section 5.7.5. */
struct nvme_mi_command_list {
	uint16_t numcmd; /* commands */
	struct nvme_mi_command commands[]; /* commands */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_mi_command_list) == 2, "optionally supported command list");

/* NVM Subsystem Health, response of NVM Subsystem Health Status Poll. Section 5.6. */
struct nvme_mi_subsystem_health {
	uint8_t nss; /* status, bits 2 P1LA, 3 P0LA, 4 RNR, 5 DF, 6 SFM */
	uint8_t sw; /* SMART warnings, inverted: 0 is a warning */
	uint8_t ctemp; /* composite temperature, signed; 80h: not reported, degrees Celsius */
	uint8_t pdlu; /* life that is used, percent */
	/*
	 * composite controller status: events in any controller, bits 0 RDY, 1 CFS, 3:2 SHST, 4 NSSRO, 5 CECO, 6 NAC,
	 * 7 FA, 8 CSTS, 9 CTEMP, 10 PDLU, 11 SPARE, 12 CCWARN
	 */
	uint16_t ccs;
	uint8_t rsvd6[2];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_mi_subsystem_health) == 8, "subsystem health");

/* Controller Health, an entry of the response of Controller Health Status Poll. Section 5.3. */
struct nvme_mi_controller_health {
	uint16_t ctlid; /* controller */
	uint16_t csts; /* status, bits 0 RDY, 1 CFS, 3:2 SHST, 4 NSSRO, 5 CECO, 6 NAC, 7 FA */
	uint16_t ctemp; /* composite temperature, Kelvin */
	uint8_t pdlu; /* life that is used, percent */
	uint8_t spare; /* available spare, percent */
	uint8_t cwarn; /* critical warnings, bits 0 ST, 1 TAUT, 2 RD, 3 RO, 4 VMBF, 5 PMRE */
	uint8_t rsvd9[7];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_mi_controller_health) == 16, "controller health");

#endif
