/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fuzzer's own core/util/clock.c. With the real one a run would depend on how fast the machine is; with this one
 * the controller is told that a time to wait for is over at its next poll, or never ends before a reset.
 */
#ifndef TESTS_C_FUZZ_CLOCK_H
#define TESTS_C_FUZZ_CLOCK_H

#include <stdbool.h>

/* Times that are computed from now on never end. */
extern bool fuzz_time_stands;

#endif
