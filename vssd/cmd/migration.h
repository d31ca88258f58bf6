/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands and the feature of live migration, which the controller that manages it has. */
#ifndef VSSD_CMD_MIGRATION_H
#define VSSD_CMD_MIGRATION_H

#include "spec/nvme_feature.h"
#include "spec/nvme_id.h"
#include "vssd/cmd/request.h"

uint16_t vssd_data_queue_command(struct vssd_request *request);
uint16_t vssd_track_send(struct vssd_request *request);
uint16_t vssd_migration_send(struct vssd_request *request);
uint16_t vssd_migration_receive(struct vssd_request *request);

/* Feature 21h. */
uint16_t vssd_data_queue_set(struct vssd_request *request);
uint16_t vssd_data_queue_get(struct vssd_request *request, enum nvme_feature_select select);

/* Fill in CNS 20h, and the fields of Identify Controller. */
void vssd_migration_formats(uint8_t *data);
void vssd_migration_identify(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id);

#endif
