/* SPDX-License-Identifier: BSD-3-Clause */
/* Log pages of OCP's Datacenter NVMe SSD specification, which the option --ocp gives to the drive. */
#ifndef VSSD_CMD_LOG_OCP_H
#define VSSD_CMD_LOG_OCP_H

#include <stdint.h>

#include "spec/nvme_id.h"
#include "spec/nvme_ocp.h"

struct vssd_ctrl;

#define VSSD_OCP_UUID_INDEX 1u /* of OCP's UUID in the UUID list */

/* Bytes of log pages C6h and C9h, at most. */
#define VSSD_OCP_HARDWARE_SIZE 576u
#define VSSD_OCP_STRINGS_SIZE 1024u

/* Fill in a structure of zeros. */
void vssd_ocp_smart(struct vssd_ctrl *ctrl, struct nvme_ocp_smart_log *log);
void vssd_ocp_error_recovery(struct nvme_ocp_error_recovery_log *log);
void vssd_ocp_firmware_history(const struct vssd_ctrl *ctrl, struct nvme_ocp_firmware_history_log *log);
void vssd_ocp_capabilities(const struct vssd_ctrl *ctrl, struct nvme_ocp_capabilities_log *log);
void vssd_ocp_unsupported(struct nvme_ocp_unsupported_log *log);
void vssd_ocp_tcg(struct nvme_ocp_tcg_log *log);
void vssd_ocp_hardware(const struct vssd_ctrl *ctrl, uint8_t page[VSSD_OCP_HARDWARE_SIZE]);
void vssd_ocp_telemetry_strings(uint8_t page[VSSD_OCP_STRINGS_SIZE]);
void vssd_ocp_uuid_list(struct nvme_uuid_list *list);

#endif
