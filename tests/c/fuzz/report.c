/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/c/fuzz/report.h"

#include <stdarg.h>
#include <stdio.h>

#define SHOWN 10u

bool fuzz_failed;

void fuzz_fail(const char *format, ...)
{
	static unsigned reports;
	va_list arguments;

	fuzz_failed = true;
	if (++reports > SHOWN)
		return;
	printf("    ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}
