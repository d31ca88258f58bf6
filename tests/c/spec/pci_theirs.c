/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/pci_regs.h>

#define PICK(ours, theirs) theirs
#define COLLECT spec_pci_theirs
#define LIST "tests/c/spec/pci_list.h"
#include "tests/c/spec/collect.h"
