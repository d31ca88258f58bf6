/* SPDX-License-Identifier: BSD-3-Clause */
#include <nvme/types.h>
#include <nvme/ioctl.h>
#include <nvme/mi.h>

#define PICK(ours, theirs) theirs
#define COLLECT spec_nvme_theirs
#define LIST "tests/c/spec/nvme_list.h"
#include "tests/c/spec/collect.h"
