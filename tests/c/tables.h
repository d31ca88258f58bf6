/* SPDX-License-Identifier: BSD-3-Clause */
/* The forms that a table of verification takes, for tests that must hold in all of them. */
#ifndef PYN_TESTS_C_TABLES_H
#define PYN_TESTS_C_TABLES_H

#include "core/verify/verify_cells.h"
#include "tests/c/test.h"

enum form {
	NODES, /* of a large namespace, as it starts */
	FLAT,  /* of a small one */
	MOVED, /* of a large one, all of which was written once, so that its cells have moved; then forgotten */
	FORMS,
};

static inline void move_all(struct pyn_verify *table)
{
	pyn_verify_change_begin(table, 0, table->nlba, PYN_CELL_ZEROES);
	pyn_verify_write_end(table, 0, table->nlba, PYN_WRITE_DURABLE);
	pyn_verify_forget(table, 0, table->nlba);
	for (uint64_t lba = 0; lba < table->nlba; lba++)
		CHECK(pyn_dense_has(&table->dense, lba >> PYN_BLOCK_SHIFT));
}

static inline struct pyn_verify *new_table(uint32_t nsid, uint64_t nlba, uint32_t lba_size, enum form form)
{
	struct pyn_error err;
	struct pyn_verify *table = pyn_verify_create_as(nsid, nlba, lba_size, form == FLAT, &err);

	if (CHECK(table) && form == MOVED)
		move_all(table);
	return table;
}

#endif
