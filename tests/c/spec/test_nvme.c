/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: tests/c/spec/nvme_ours.c tests/c/spec/nvme_theirs.c */
#include "tests/c/spec/check.h"

TEST(our_layouts_and_numbers_are_those_of_libnvme)
{
	check_equal(spec_nvme_ours(), spec_nvme_theirs(), 500);
}

TEST(no_field_of_our_structures_is_left_out)
{
	check_whole(spec_nvme_ours());
}
