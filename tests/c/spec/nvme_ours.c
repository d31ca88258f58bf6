/* SPDX-License-Identifier: BSD-3-Clause */
#include "spec/nvme_cmd.h"
#include "spec/nvme_data.h"
#include "spec/nvme_fdp.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"
#include "spec/nvme_mi.h"
#include "spec/nvme_regs.h"

#define PICK(ours, theirs) ours
#define COLLECT spec_nvme_ours
#define LIST "tests/c/spec/nvme_list.h"
#include "tests/c/spec/collect.h"
