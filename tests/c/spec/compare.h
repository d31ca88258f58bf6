/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compares the layouts and numbers in spec/ with the headers of other projects. Our driver and our virtual SSD share
 * spec/, so tests of the two together would not notice a field in the wrong place.
 *
 * Both sides have structures of the same names, so they do not fit into one file. A list (*_list.h) pairs our names
 * with theirs, and is compiled twice, in *_ours.c and *_theirs.c: each defines PICK(ours, theirs), includes its
 * headers and spec_collect.h, which turns the list into an array. The test compares the two.
 */
#ifndef TESTS_C_SPEC_COMPARE_H
#define TESTS_C_SPEC_COMPARE_H

#include <stddef.h>
#include <stdint.h>

enum spec_kind { SPEC_STRUCT, SPEC_FIELD, SPEC_OFFSET, SPEC_RESERVED, SPEC_CONSTANT };

struct spec_item {
	enum spec_kind kind;
	const char *structure; /* of a field; NULL: a constant */
	const char *name;
	uint64_t value; /* offset of a field, size of a structure, or the constant */
	uint64_t size;  /* of a field */
};

struct spec_list {
	const struct spec_item *items;
	size_t count;
};

/* One of each for every list, with static items. */
struct spec_list spec_nvme_ours(void), spec_nvme_theirs(void);
struct spec_list spec_pci_ours(void), spec_pci_theirs(void);
struct spec_list spec_vfio_ours(void), spec_vfio_theirs(void);

#endif
