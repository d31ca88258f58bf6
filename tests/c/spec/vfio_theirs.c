/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/vfio.h>

#define PICK(ours, theirs) theirs
#define COLLECT spec_vfio_theirs
#define LIST "tests/c/spec/vfio_list.h"
#include "tests/c/spec/collect.h"
