/* SPDX-License-Identifier: BSD-3-Clause */
/* What an engine answers that lacks something, and that no entry of any table is missing. */
/* sources: core/env/*.c core/pci/*.c core/nvme/*.c core/engine/*.c core/util/*.c spec/*.c */
/* dpdk */
#include <errno.h>

#include "core/engine/engine.h"
#include "tests/c/test.h"

static struct pyn_error err;

static void withheld(int rc, enum pyn_capability capability)
{
	CHECK_EQ(rc, -ENOTSUP);
	CHECK_EQ(err.kind, PYN_ERROR_WITHHELD);
	CHECK_EQ(err.capability, capability);
	CHECK_HAS(err.text, "set PYNVME_ENGINE=own");
	CHECK_HAS(err.text, pyn_capability_title(capability));
	err = (struct pyn_error){0};
}

TEST(no_engine_of_this_build_has_an_empty_entry)
{
	struct pyn_engine small = pyn_engine_own;

	for (unsigned i = 0; pyn_engine_at(i); i++)
		CHECK_EQ(pyn_engine_hole(pyn_engine_at(i)), NULL);
	small.pci = &pyn_engine_no_pci;
	small.interrupts = &pyn_engine_no_interrupts;
	small.cmb = &pyn_engine_no_cmb;
	small.rings = &pyn_engine_no_rings;
	CHECK_EQ(pyn_engine_hole(&small), NULL);
}

/* Empty each entry in turn of a copy of a table, which the engine has. */
static void empty_each(const struct pyn_engine *engine, void *table, size_t size, const char *name)
{
	for (size_t at = 0; at < size; at += sizeof(void *)) {
		void **entry = (void **)((char *)table + at), *kept = *entry;

		*entry = NULL;
		if (!CHECK(pyn_engine_hole(engine)) || !CHECK_STR(pyn_engine_hole(engine), name))
			printf("    %s, byte %zu\n", name, at);
		*entry = kept;
		CHECK_EQ(pyn_engine_hole(engine), NULL);
	}
}

TEST(an_empty_entry_of_any_table_is_found)
{
	struct pyn_engine engine = pyn_engine_own;
	struct pyn_engine_about about = *engine.about;
	struct pyn_engine_pci pci = *engine.pci;
	struct pyn_engine_interrupts interrupts = *engine.interrupts;
	struct pyn_engine_cmb cmb = *engine.cmb;
	struct pyn_engine_rings rings = *engine.rings;

	engine.about = &about;
	engine.pci = &pci;
	engine.interrupts = &interrupts;
	engine.cmb = &cmb;
	engine.rings = &rings;
	empty_each(&engine, &engine, offsetof(struct pyn_engine, largest_transfer), "engine");
	empty_each(&engine, &engine.attach, sizeof(engine) - offsetof(struct pyn_engine, attach), "engine");
	empty_each(&engine, &about, offsetof(struct pyn_engine_about, withheld), "about");
	empty_each(&engine, &pci, sizeof(pci), "pci");
	empty_each(&engine, &interrupts, sizeof(interrupts), "interrupts");
	empty_each(&engine, &cmb, sizeof(cmb), "cmb");
	empty_each(&engine, &rings, sizeof(rings), "rings");
}

TEST(what_is_not_offered_is_refused_with_words_for_the_user)
{
	uint32_t word = 0;
	struct pyn_cmb_info info;
	struct pyn_window *window;

	withheld(pyn_engine_no_pci.config_read(NULL, 0, &word, 4, &err), PYN_CAN_CONFIG_SPACE);
	withheld(pyn_engine_no_pci.config_write(NULL, 0, &word, 4, &err), PYN_CAN_CONFIG_SPACE);
	withheld(pyn_engine_no_pci.reset(NULL, PYN_RESET_FUNCTION, &err), PYN_CAN_FUNCTION_RESET);
	withheld(pyn_engine_no_pci.reset(NULL, PYN_RESET_HOT, &err), PYN_CAN_HOT_RESET);
	withheld(pyn_engine_no_pci.release(NULL, &err), PYN_CAN_SLOT_POWER);
	withheld(pyn_engine_no_pci.reattach(NULL, &err), PYN_CAN_SLOT_POWER);
	withheld(pyn_engine_no_interrupts.set(NULL, 0, -1, &err), PYN_CAN_INTERRUPTS);
	withheld(pyn_engine_no_interrupts.mask(NULL, 0, true, &err), PYN_CAN_INTERRUPTS);
	withheld(pyn_engine_no_rings.choose_page(NULL, 4096, &err), PYN_CAN_MEMORY_PAGES);
	withheld(pyn_engine_no_cmb.info(NULL, &info, &err), PYN_CAN_CMB);
	withheld(pyn_engine_no_cmb.window(NULL, &window, &err), PYN_CAN_CMB);
	withheld(pyn_engine_no_rings.shadow(NULL, NULL, &err), PYN_CAN_SHADOW_DOORBELLS);
}

static const char *version(void)
{
	return "1";
}

TEST(what_an_engine_withholds_follows_from_its_tables_and_from_what_it_says)
{
	static const struct pyn_engine_about about = {
		.version = version,
		.dpdk = version,
		.withheld = {[PYN_CAN_CIDS] = PYN_WITHHELD("it chooses them"),
			     [PYN_CAN_REMOVAL] = {.vfio_user = "nothing tells it"},
			     [PYN_CAN_HOT_RESET] = PYN_WITHHELD("it is small")},
	};
	struct pyn_engine small = pyn_engine_own;

	small.about = &about;
	CHECK_EQ(pyn_engine_withheld(&small, PYN_CAN_CONFIG_SPACE, PYN_ADDRESS_FUNCTION), NULL);
	small.pci = &pyn_engine_no_pci;
	small.interrupts = &pyn_engine_no_interrupts;
	small.cmb = &pyn_engine_no_cmb;
	CHECK_STR(pyn_engine_withheld(&small, PYN_CAN_CIDS, PYN_ADDRESS_FUNCTION), "it chooses them");
	CHECK_EQ(pyn_engine_withheld(&small, PYN_CAN_REMOVAL, PYN_ADDRESS_FUNCTION), NULL);
	CHECK_STR(pyn_engine_withheld(&small, PYN_CAN_REMOVAL, PYN_ADDRESS_SOCKET), "nothing tells it");
	CHECK_STR(pyn_engine_withheld(&small, PYN_CAN_HOT_RESET, PYN_ADDRESS_SOCKET), "it is small");
	CHECK_HAS(pyn_engine_withheld(&small, PYN_CAN_SLOT_POWER, PYN_ADDRESS_FUNCTION), "PCI function");
	CHECK_HAS(pyn_engine_withheld(&small, PYN_CAN_INTERRUPTS, PYN_ADDRESS_SOCKET), "polls");
	CHECK(pyn_engine_withheld(&small, PYN_CAN_CMB, PYN_ADDRESS_SOCKET));
	CHECK_EQ(pyn_engine_withheld(&small, PYN_CAN_BRING_UP, PYN_ADDRESS_SOCKET), NULL);
}

TEST(each_capability_has_a_name_and_a_title_and_its_error_fits)
{
	for (unsigned i = 0; i < PYN_CAPABILITIES; i++) {
		if (!CHECK(pyn_capability_name(i) && pyn_capability_title(i)))
			continue;
		for (unsigned j = 0; j < i; j++)
			CHECK(strcmp(pyn_capability_name(i), pyn_capability_name(j)));
		withheld(pyn_engine_withholds((enum pyn_capability)i, &err), (enum pyn_capability)i);
	}
	CHECK_EQ(pyn_capability_name(PYN_CAPABILITIES), NULL);
	CHECK_EQ(pyn_capability_title(PYN_CAPABILITIES), NULL);
}

/* The text has room for 232 characters, and says at its end what to do. */
TEST(the_reasons_of_every_engine_of_this_build_fit_into_an_error)
{
	for (unsigned i = 0; pyn_engine_at(i); i++) {
		pyn_engine_use(pyn_engine_at(i));
		for (unsigned j = 0; j < PYN_CAPABILITIES; j++) {
			pyn_engine_withholds((enum pyn_capability)j, &err);
			CHECK_HAS(err.text, "which has");
			CHECK_HAS(err.text, pyn_engine_name(pyn_engine_at(i)));
		}
	}
	err = (struct pyn_error){0};
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
	CHECK_EQ(pyn_engine_no_rings.page(NULL), 4096);
	CHECK_EQ(pyn_engine_no_rings.list_bytes(NULL, 1 << 20), 0);
	pyn_engine_no_rings.prepare(NULL, &data, 4096);
	pyn_engine_no_rings.describe(NULL, &data, 512);
	CHECK_EQ(data.length, 512);
	CHECK_EQ(data.pointer[0], 0);
	CHECK_EQ(data.memory, &err);
}
