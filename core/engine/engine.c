/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE "PYNVME_ENGINE"

const struct pyn_engine *pyn_engine_select(struct pyn_error *err)
{
	const char *name = getenv(VARIABLE);

	if (!name || !*name || strcmp(name, pyn_engine_own.name) == 0)
		return &pyn_engine_own;
	if (strcmp(name, "spdk") == 0)
		pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
			  "this build has no SPDK (" VARIABLE "=spdk): unset " VARIABLE
			  " to use pynvme's own engine, which "
			  "does everything; spdk/README.md describes the planned SPDK engine");
	else
		pyn_error(err, PYN_ERROR_UNSUPPORTED, EINVAL,
			  "there is no engine %.40s (" VARIABLE "): this build has only `own`, which is the default",
			  name);
	return NULL;
}
