/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replaces core/util/clock.c in the fuzzer, so that a run does not depend on the speed of the machine. A time that
 * the controller waits for is either over at its next poll, or lasts until a reset.
 */
#ifndef TESTS_C_FUZZ_CLOCK_H
#define TESTS_C_FUZZ_CLOCK_H

#include <stdbool.h>

/* Let times that are computed from now on never end. */
extern bool fuzz_time_stands;

#endif
