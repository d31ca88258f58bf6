/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int pyn_error(struct pyn_error *err, enum pyn_error_kind kind, int number, const char *format, ...)
{
	if (err) {
		/* err->text may be among the arguments: "queue 3: %s". */
		char text[sizeof(err->text)];
		va_list args;

		va_start(args, format);
		vsnprintf(text, sizeof(text), format, args);
		va_end(args);
		err->kind = kind;
		err->number = number;
		err->capability = 0;
		memcpy(err->text, text, sizeof(text));
	}
	return number > 0 ? -number : -EIO;
}
