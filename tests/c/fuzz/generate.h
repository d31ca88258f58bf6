/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes random commands, most of them with valid fields. */
#ifndef TESTS_C_FUZZ_GENERATE_H
#define TESTS_C_FUZZ_GENERATE_H

#include "tests/c/fuzz/host.h"

void fuzz_generate_admin(struct fuzz_host *host, struct fuzz_command *command);
void fuzz_generate_io(struct fuzz_host *host, struct fuzz_command *command);

#endif
