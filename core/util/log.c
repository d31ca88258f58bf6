/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

static _Atomic(pyn_log_sink) the_sink;

void pyn_log_set_sink(pyn_log_sink sink)
{
	atomic_store(&the_sink, sink);
}

void pyn_log(enum pyn_log_level level, const char *format, ...)
{
	pyn_log_sink sink = atomic_load(&the_sink);
	int saved = errno;
	char text[512];
	va_list args;

	if (!sink)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sink(level, text);
	errno = saved;
}
