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

const struct pyn_engine *pyn_engine_select(struct pyn_error *err)
{
	const char *name = getenv(VARIABLE);
	const struct pyn_engine *engine = find(name);

	if (engine) {
		pyn_engine_use(engine);
		return engine;
	}
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
