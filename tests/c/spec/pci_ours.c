/* SPDX-License-Identifier: BSD-3-Clause */
#include "spec/pci.h"

#define PICK(ours, theirs) ours
#define COLLECT spec_pci_ours
#define LIST "tests/c/spec/pci_list.h"
#include "tests/c/spec/collect.h"
