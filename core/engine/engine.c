/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE PYN_ENGINE_VARIABLE

#ifdef PYN_WITH_SPDK
/* Weak, since C tests link this file without spdk/. */
extern const struct pyn_engine pyn_engine_spdk __attribute__((weak));
#endif

/* The first one is the default. */
static const struct pyn_engine *const the_engines[] = {
	&pyn_engine_own,
#ifdef PYN_WITH_SPDK
	&pyn_engine_spdk,
#endif
};

const struct pyn_engine *pyn_engine_at(unsigned index)
{
	return index < sizeof(the_engines) / sizeof(the_engines[0]) ? the_engines[index] : NULL;
}

static const struct pyn_engine *find(const char *name)
{
	const struct pyn_engine *engine = pyn_engine_at(0);

	for (unsigned i = 1; engine && name && *name && strcmp(name, engine->name) != 0; i++)
		engine = pyn_engine_at(i);
	return engine;
}

/* ---- tables ---- */

#define IS_POINTERS(table) (sizeof(table) % sizeof(void (*)(void)) == 0)
_Static_assert(IS_POINTERS(struct pyn_engine_pci) && IS_POINTERS(struct pyn_engine_interrupts) &&
		       IS_POINTERS(struct pyn_engine_cmb) && IS_POINTERS(struct pyn_engine_rings),
	       "a table consists of pointers");

static bool is_whole(const void *table, size_t size)
{
	void *const *entries = table;

	for (size_t i = 0; table && i < size / sizeof(*entries); i++)
		if (!entries[i])
			return false;
	return table;
}

const char *pyn_engine_hole(const struct pyn_engine *engine)
{
	const size_t functions = offsetof(struct pyn_engine, attach);

	/* The name and the tables, then the largest transfer, then the functions. */
	if (!is_whole(engine, offsetof(struct pyn_engine, largest_transfer)) ||
	    !is_whole((const char *)engine + functions, sizeof(*engine) - functions))
		return "engine";
	if (!is_whole(engine->about, offsetof(struct pyn_engine_about, withheld)))
		return "about";
	if (!is_whole(engine->pci, sizeof(*engine->pci)))
		return "pci";
	if (!is_whole(engine->interrupts, sizeof(*engine->interrupts)))
		return "interrupts";
	if (!is_whole(engine->cmb, sizeof(*engine->cmb)))
		return "cmb";
	return is_whole(engine->rings, sizeof(*engine->rings)) ? NULL : "rings";
}

/* ---- selection ---- */

static const struct pyn_engine *checked(const struct pyn_engine *engine, struct pyn_error *err)
{
	const char *hole = pyn_engine_hole(engine);

	if (!hole) {
		pyn_engine_use(engine);
		return engine;
	}
	pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOSYS,
		  "the engine %.40s of this build is not complete: its table %s has an empty entry; please report it",
		  engine->name ? engine->name : "without a name", hole);
	return NULL;
}

const struct pyn_engine *pyn_engine_select(struct pyn_error *err)
{
	const char *name = getenv(VARIABLE);
	const struct pyn_engine *engine = find(name);

	if (engine)
		return checked(engine, err);
	if (strcmp(name, "spdk") == 0)
		pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
			  "this build has no SPDK (" VARIABLE "=spdk): unset " VARIABLE
			  " to use pynvme's own engine, which does everything; docs/engines.md says how to build "
			  "with it");
	else
		pyn_error(err, PYN_ERROR_UNSUPPORTED, EINVAL,
			  "there is no engine %.40s (" VARIABLE
			  "): nvme.engines() lists those of this build; unset " VARIABLE " to use pynvme's own",
			  name);
	return NULL;
}
