/* SPDX-License-Identifier: BSD-3-Clause */
/* What the drive reports of endurance groups and NVM sets: Identify, log pages 09h, 0Fh, 10h and 11h, and features.
 */
#ifndef VSSD_CMD_CAPACITY_H
#define VSSD_CMD_CAPACITY_H

#include "vssd/cmd/feature.h"
#include "vssd/cmd/request.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"

/* Most bytes of log page 11h. */
#define VSSD_CAPACITY_CONFIGURATIONS_SIZE                                                                            \
	(sizeof(struct nvme_capacity_configurations_log) +                                                           \
	 VSSD_CONFIGURATIONS *                                                                                       \
		 (sizeof(struct nvme_capacity_configuration) +                                                       \
		  VSSD_MAX_GROUPS * (sizeof(struct nvme_group_configuration) + 2) + VSSD_MAX_SETS * 2))

#define VSSD_MEDIA_UNITS 16u /* of a drive with Capacity Management */

/* The fields of Identify Controller about the division of the capacity. */
void vssd_capacity_identify(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id);

/* Identify, CNS 04h and 19h: the sets and groups from that of the command on. */
uint16_t vssd_identify_sets(struct vssd_request *request, uint8_t *data);
uint16_t vssd_identify_groups(struct vssd_request *request, uint8_t *data);

/* Log page 09h of the endurance group in LSI. Returns a status. */
uint16_t vssd_group_log(struct vssd_request *request, struct nvme_endurance_group_log *log);

/* Log page 16h of the endurance group in LSI, of a drive with rotational media. Returns a status. */
uint16_t vssd_rotational_log(struct vssd_request *request, struct nvme_rotational_media_log *log);

/* Log page 0Fh, 10h and 11h. */
void vssd_group_events_log(const struct vssd_ctrl *ctrl, struct nvme_endurance_group_events_log *log);
void vssd_media_units_log(const struct vssd_ctrl *ctrl, struct nvme_media_unit_status_log *log);
void vssd_configurations_log(const struct vssd_ctrl *ctrl, uint8_t *page);

#endif
