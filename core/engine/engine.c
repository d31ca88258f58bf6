/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE PYN_ENGINE_VARIABLE

#ifdef PYN_WITH_SPDK
#define HAS "`own`, which is the default, and `spdk`"
/* Weak, since C tests link this file without spdk/. */
extern const struct pyn_engine pyn_engine_spdk __attribute__((weak));

static const struct pyn_engine *engine_spdk(void)
{
	return &pyn_engine_spdk;
}
#else
#define HAS "only `own`, which is the default"

static const struct pyn_engine *engine_spdk(void)
{
	return NULL;
}
#endif

const struct pyn_engine *pyn_engine_select(struct pyn_error *err)
{
	const char *name = getenv(VARIABLE);

	if (!name || !*name || strcmp(name, pyn_engine_own.name) == 0)
		return &pyn_engine_own;
	if (strcmp(name, "spdk") == 0 && engine_spdk())
		return engine_spdk();
	if (strcmp(name, "spdk") == 0)
		pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
			  "this build has no SPDK (" VARIABLE "=spdk): unset " VARIABLE
			  " to use pynvme's own engine, which "
			  "does everything; spdk/README.md says how to build with SPDK");
	else
		pyn_error(err, PYN_ERROR_UNSUPPORTED, EINVAL,
			  "there is no engine %.40s (" VARIABLE "): this build has " HAS, name);
	return NULL;
}
