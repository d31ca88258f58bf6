/* SPDX-License-Identifier: BSD-3-Clause */
/* The checks of all lists, see compare.h. */
#ifndef TESTS_C_SPEC_CHECK_H
#define TESTS_C_SPEC_CHECK_H

#include "tests/c/spec/compare.h"
#include "tests/c/test.h"

static inline void check_item(const struct spec_item *ours, const struct spec_item *theirs)
{
	bool equal = CHECK_EQ(ours->kind, theirs->kind);

	if (ours->kind == SPEC_RESERVED)
		return;
	equal = CHECK_EQ(ours->value, theirs->value) && equal;

	if (ours->kind == SPEC_FIELD)
		equal = CHECK_EQ(ours->size, theirs->size) && equal;
	if (!equal)
		printf("    ^ ours: %s %s, theirs: %s %s\n", ours->structure ? ours->structure : "constant",
		       ours->name, theirs->structure ? theirs->structure : "", theirs->name);
}

/* Check that every field and number equals that of the other side. */
static inline void check_equal(struct spec_list ours, struct spec_list theirs, size_t at_least)
{
	CHECK_EQ(ours.count, theirs.count);
	CHECK(ours.count >= at_least);
	for (size_t i = 0; i < ours.count && i < theirs.count; i++)
		check_item(&ours.items[i], &theirs.items[i]);
}

/* Check that the listed fields cover each of our structures without a gap: a new field of spec/ that is not in the
 * list leaves one. */
static inline void check_whole(struct spec_list ours)
{
	uint64_t size = 0, covered = 0;
	const char *structure = NULL;

	for (size_t i = 0; i < ours.count; i++) {
		const struct spec_item *item = &ours.items[i];

		if (item->kind == SPEC_FIELD || item->kind == SPEC_OFFSET || item->kind == SPEC_RESERVED) {
			if (!CHECK_EQ(item->value, covered))
				printf("    ^ before %s.%s\n", item->structure, item->name);
			covered = item->value + item->size;
			continue;
		}
		if (structure && !CHECK_EQ(covered, size))
			printf("    ^ at the end of %s\n", structure);
		structure = item->kind == SPEC_STRUCT ? item->structure : NULL;
		size = item->size;
		covered = 0;
	}
	if (structure)
		CHECK_EQ(covered, size);
}

#endif
