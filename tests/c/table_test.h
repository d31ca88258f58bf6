/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of one table, with writes to it and reads of it. Define LBA, bytes, and NLBA before. */
#ifndef PYN_TESTS_C_TABLE_TEST_H
#define PYN_TESTS_C_TABLE_TEST_H

#include <string.h>

#include "tests/c/tables.h"

static struct pyn_verify *the_table;
static enum form the_form;
static struct pyn_error err;
static struct pyn_verify_counts the_counts;
static struct pyn_mismatch the_mismatch;
static uint8_t the_data[128 * LBA];

static void begin_test(enum form form)
{
	pyn_token_start(&err);
	the_form = form;
	the_table = new_table(7, NLBA, LBA, form);
	the_counts = (struct pyn_verify_counts){0};
	memset(the_data, 0x5a, sizeof(the_data));
}

static void end_test(void)
{
	pyn_verify_put(the_table);
	the_table = NULL;
}

/* A test with an empty table of NLBA LBAs, of each form. */
#define TABLE_TEST(name)                                                                                             \
	static void name##_body(void);                                                                               \
	TEST(name)                                                                                                   \
	{                                                                                                            \
		for (enum form form = 0; form < FORMS; form++) {                                                     \
			begin_test(form);                                                                            \
			name##_body();                                                                               \
			end_test();                                                                                  \
		}                                                                                                    \
	}                                                                                                            \
	static void name##_body(void)

/* Stamp the_data and begin to write it. */
static inline uint64_t begin_write(uint64_t slba, uint32_t nlb)
{
	uint64_t token = pyn_token_take(nlb);

	pyn_verify_stamp(the_table, the_data, slba, nlb, token);
	pyn_verify_write_begin(the_table, slba, nlb, the_data, true, token);
	return token;
}

static inline void write_lbas(uint64_t slba, uint32_t nlb)
{
	begin_write(slba, nlb);
	pyn_verify_write_end(the_table, slba, nlb, PYN_WRITE_DONE);
}

/* Judge the_data as a read of these LBAs. Returns the class of the first mismatch; -1: nothing was judged. */
static inline int judge(uint64_t slba, uint32_t nlb)
{
	uint64_t cells[128];

	the_counts = (struct pyn_verify_counts){0};
	pyn_verify_read_begin(the_table, slba, nlb, cells);
	bool right = pyn_verify_read_end(the_table, slba, nlb, the_data, cells, &the_counts, &the_mismatch);

	CHECK_EQ(right, the_mismatch.count == 0);
	CHECK_EQ(the_counts.checked + the_counts.unverified, nlb);
	if (the_counts.checked == 0)
		return -1;
	return right ? PYN_MISMATCH_NONE : (int)the_mismatch.kind;
}

#endif
