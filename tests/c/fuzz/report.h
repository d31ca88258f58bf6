/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports that the drive did something wrong. */
#ifndef TESTS_C_FUZZ_REPORT_H
#define TESTS_C_FUZZ_REPORT_H

#include <stdbool.h>

/* Whether something was reported. The run then ends at its next step. */
extern bool fuzz_failed;

/* Print what is wrong, a sentence without a full stop. Prints only the first few. */
void fuzz_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
