/* SPDX-License-Identifier: BSD-3-Clause */
/* The data of the last commands: which are kept, how much of them, and for how long. */
/* sources: core/data/kept.c core/util/*.c */
#include <string.h>

#include "core/data/kept.h"
#include "tests/c/test.h"

static struct pyn_error err;

TEST(the_last_ones_are_kept_up_to_their_size)
{
	struct pyn_kept *kept = pyn_kept_create(4, 3, &err);
	char into[8] = "-------";

	CHECK_EQ(pyn_kept_size(kept), 4);
	CHECK_EQ(pyn_kept_get(kept, 0, into, sizeof(into)), 0);
	for (uint64_t number = 10; number <= 13; number++) {
		char data[] = {'a', 'b', 'c', 'd', 'e', (char)number};

		data[0] = (char)number;
		pyn_kept_put(kept, number, data, number == 12 ? 2 : 6);
	}
	CHECK_EQ(pyn_kept_get(kept, 10, into, sizeof(into)), 0);
	CHECK_EQ(pyn_kept_get(kept, 12, into, sizeof(into)), 2);
	CHECK_EQ(memcmp(into, "\14b-----", 7), 0);
	CHECK_EQ(pyn_kept_get(kept, 13, into, sizeof(into)), 4);
	CHECK_EQ(memcmp(into, "\15bcd---", 7), 0);
	CHECK_EQ(pyn_kept_get(kept, 11, into, 1), 4);
	CHECK_EQ(memcmp(into, "\13bcd---", 7), 0);
	CHECK_EQ(pyn_kept_get(kept, 14, into, sizeof(into)), 0);
	pyn_kept_free(kept);
	pyn_kept_free(NULL);
}

TEST(too_much_memory_is_an_error)
{
	CHECK(pyn_kept_create(UINT32_MAX, UINT32_MAX, &err) == NULL);
	CHECK_EQ(err.kind, PYN_ERROR_MEMORY);
	CHECK(strstr(err.text, "4294967295 bytes") != NULL);
}
