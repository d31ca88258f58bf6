/* SPDX-License-Identifier: BSD-3-Clause */
#include "spec/vfio_user.h"

#define PICK(ours, theirs) ours
#define COLLECT spec_vfio_ours
#define LIST "tests/c/spec/vfio_list.h"
#include "tests/c/spec/collect.h"
