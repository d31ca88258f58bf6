/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: tests/c/spec/vfio_ours.c tests/c/spec/vfio_theirs.c */
#include "tests/c/spec/check.h"

TEST(our_messages_are_the_structures_of_the_kernel)
{
	check_equal(spec_vfio_ours(), spec_vfio_theirs(), 60);
}

TEST(no_field_of_our_messages_is_left_out)
{
	check_whole(spec_vfio_ours());
}
