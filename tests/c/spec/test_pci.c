/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: tests/c/spec/pci_ours.c tests/c/spec/pci_theirs.c */
#include "tests/c/spec/check.h"

TEST(our_offsets_and_bits_are_those_of_the_kernel)
{
	check_equal(spec_pci_ours(), spec_pci_theirs(), 75);
}
