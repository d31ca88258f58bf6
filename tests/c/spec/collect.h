/* SPDX-License-Identifier: BSD-3-Clause */
/* clang-format off */
/*
 * Turns the list LIST into the function COLLECT(), see compare.h. What a list consists of:
 *
 *     STRUCT(ours, theirs)      a structure begins, and is as large as theirs
 *     LIKE(ours, theirs)        a structure begins, of which theirs is another form: fields only
 *       FIELD(ours, theirs)     is where theirs is, and as large
 *       OFFSET(ours, theirs)    is where theirs is
 *       RESERVED(ours)          has no counterpart in some releases of their headers, which call it reserved
 *       TAIL(ours, theirs)      is an array without a size where theirs is
 *       RESERVED_TAIL(ours)     is an array without a size that has no counterpart
 *       SAME(name)              FIELD(name, name)
 *     END                       nothing of our structure is left
 *     CONSTANT(ours, theirs)    two expressions have the same value
 *     BITS(ours, theirs)        ours_SHIFT and ours_WIDTH are theirs_SHIFT and theirs_MASK
 *     ALIKE(name)               CONSTANT(name, name)
 */
/* clang-format on */
#include "tests/c/spec/compare.h"

#define STRUCT(ours, theirs)                                                                                         \
	{                                                                                                            \
		typedef struct PICK(ours, theirs) structure;                                                         \
		const char *tag = PICK(#ours, #theirs);                                                              \
		add((struct spec_item){SPEC_STRUCT, tag, "(size)", sizeof(structure), sizeof(structure)});
#define LIKE(ours, theirs)                                                                                           \
	{                                                                                                            \
		typedef struct PICK(ours, theirs) structure;                                                         \
		const char *tag = PICK(#ours, #theirs);                                                              \
		add((struct spec_item){SPEC_STRUCT, tag, "(size)", 0, sizeof(structure)});
#define MEMBER(kind, field, text)                                                                                    \
	add((struct spec_item){kind, tag, text, offsetof(structure, field), sizeof(((structure *)NULL)->field)});
#define FIELD(ours, theirs) MEMBER(SPEC_FIELD, PICK(ours, theirs), PICK(#ours, #theirs))
#define OFFSET(ours, theirs) MEMBER(SPEC_OFFSET, PICK(ours, theirs), PICK(#ours, #theirs))
#define RESERVED(name)                                                                                               \
	PICK(MEMBER(SPEC_RESERVED, name, #name), add((struct spec_item){SPEC_RESERVED, tag, "", 0, 0});)
#define RESERVED_TAIL(name) add((struct spec_item){SPEC_RESERVED, tag, #name, PICK(offsetof(structure, name), 0), 0});
#define SAME(name) MEMBER(SPEC_FIELD, name, #name)
#define TAIL(ours, theirs)                                                                                           \
	add((struct spec_item){SPEC_OFFSET, tag, PICK(#ours, #theirs), offsetof(structure, PICK(ours, theirs)), 0});
#define END }

#define NUMBER(value, text) add((struct spec_item){SPEC_CONSTANT, NULL, text, (uint64_t)(value), 0});
#define CONSTANT(ours, theirs) NUMBER(PICK(ours, theirs), PICK(#ours, #theirs))
#define ALIKE(name) NUMBER(name, #name)
#define BITS(ours, theirs)                                                                                           \
	NUMBER(PICK(ours##_SHIFT, theirs##_SHIFT), PICK(#ours, #theirs) "_SHIFT")                                    \
	NUMBER(PICK((UINT64_C(1) << ours##_WIDTH) - 1, theirs##_MASK), PICK(#ours, #theirs) " (mask)")

static struct spec_item the_items[4000];
static size_t the_count;

static void add(struct spec_item item)
{
	if (the_count < sizeof(the_items) / sizeof(the_items[0]))
		the_items[the_count] = item;
	the_count++;
}

struct spec_list COLLECT(void) {
	the_count = 0;
#include LIST
	return (struct spec_list){the_items, the_count};
}
