/* SPDX-License-Identifier: BSD-3-Clause */
/* What an engine answers that lacks something, and that no entry of any table is missing. */
/* sources: core/env/*.c core/pci/*.c core/nvme/*.c core/engine/*.c core/util/*.c spec/*.c */
/* dpdk */
#include <errno.h>

#include "core/engine/engine.h"
#include "tests/c/test.h"

static struct pyn_error err;

/* Every entry of a table is a pointer. */
static bool is_full(const void *table, size_t size)
{
	void *const *entries = table;

	for (size_t i = 0; i < size / sizeof(*entries); i++)
		if (!entries[i])
			return false;
	return true;
}

static void refused(int rc)
{
	CHECK_EQ(rc, -ENOTSUP);
	CHECK_EQ(err.kind, PYN_ERROR_UNSUPPORTED);
	CHECK_HAS(err.text, "unset PYNVME_ENGINE");
	err = (struct pyn_error){0};
}

TEST(no_entry_of_a_table_is_null)
{
	const struct pyn_engine *own = &pyn_engine_own;

	CHECK(is_full(own->pci, sizeof(*own->pci)) && is_full(own->interrupts, sizeof(*own->interrupts)));
	CHECK(is_full(own->cmb, sizeof(*own->cmb)) && is_full(own->rings, sizeof(*own->rings)));
	CHECK(is_full(&pyn_engine_no_pci, sizeof(pyn_engine_no_pci)));
	CHECK(is_full(&pyn_engine_no_interrupts, sizeof(pyn_engine_no_interrupts)));
	CHECK(is_full(&pyn_engine_no_cmb, sizeof(pyn_engine_no_cmb)));
	CHECK(is_full(&pyn_engine_no_rings, sizeof(pyn_engine_no_rings)));
	/* The name and the tables, then the largest transfer, then the functions. */
	CHECK(is_full(own, offsetof(struct pyn_engine, largest_transfer)));
	CHECK(is_full(&own->attach, sizeof(*own) - offsetof(struct pyn_engine, attach)));
}

TEST(what_is_not_offered_is_refused_with_words_for_the_user)
{
	uint32_t word = 0;
	struct pyn_cmb_info info;
	struct pyn_window *window;

	refused(pyn_engine_no_pci.config_read(NULL, 0, &word, 4, &err));
	refused(pyn_engine_no_pci.config_write(NULL, 0, &word, 4, &err));
	refused(pyn_engine_no_pci.reset(NULL, PYN_RESET_FUNCTION, &err));
	refused(pyn_engine_no_pci.release(NULL, &err));
	refused(pyn_engine_no_pci.reattach(NULL, &err));
	refused(pyn_engine_no_interrupts.set(NULL, 0, -1, &err));
	refused(pyn_engine_no_interrupts.mask(NULL, 0, true, &err));
	refused(pyn_engine_no_cmb.info(NULL, &info, &err));
	refused(pyn_engine_no_cmb.window(NULL, &window, &err));
}

TEST(what_needs_no_answer_does_nothing)
{
	struct pyn_data_template data = {.memory = &err};

	CHECK_EQ(pyn_engine_no_pci.wake(NULL, &err), 0);
	CHECK_EQ(pyn_engine_no_interrupts.info(NULL).vectors, 0);
	CHECK(!pyn_engine_no_interrupts.enabled(NULL));
	pyn_engine_no_interrupts.rearm(NULL);
	CHECK_EQ(pyn_engine_no_cmb.address(NULL, &err).value, 0);
	CHECK_EQ(pyn_engine_no_rings.of(NULL), NULL);
	CHECK_EQ(pyn_engine_no_rings.list_bytes(1 << 20), 0);
	pyn_engine_no_rings.prepare(NULL, &data, 4096);
	pyn_engine_no_rings.describe(NULL, &data, 512);
	CHECK_EQ(data.length, 512);
	CHECK_EQ(data.pointer[0], 0);
	CHECK_EQ(data.memory, &err);
}
