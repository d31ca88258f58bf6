/* SPDX-License-Identifier: BSD-3-Clause */
/* What Identify says of a Key Value namespace. Its commands are in the table vssd_kv_commands. */
#ifndef VSSD_CMD_KEY_VALUE_H
#define VSSD_CMD_KEY_VALUE_H

#include "spec/nvme_id.h"
#include "vssd/ctrl/controller.h"

/* Fill in the sizes and formats of a structure of zeros. */
void vssd_kv_identify(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, struct nvme_id_ns_kv *id);

#endif
