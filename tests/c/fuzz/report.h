/* SPDX-License-Identifier: BSD-3-Clause */
/* How a part of the fuzzer says that the drive did something wrong. */
#ifndef TESTS_C_FUZZ_REPORT_H
#define TESTS_C_FUZZ_REPORT_H

#include <stdbool.h>

/* Something was reported; the run ends at its next step. */
extern bool fuzz_failed;

/* Print what is wrong, in a sentence without its full stop. Only the first few are printed. */
void fuzz_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
