/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of a command in flight: pages of its own, PRPs and lists, and which pages it may write. */
#ifndef TESTS_C_FUZZ_PRP_H
#define TESTS_C_FUZZ_PRP_H

#include "tests/c/fuzz/host.h"

/* Allocate pages for slot->length bytes, fill them if the command sends data, and let its PRPs describe them. If no
 * pages are left, the PRPs are invalid. */
void fuzz_prp_attach(struct fuzz_host *host, struct fuzz_slot *slot, const struct fuzz_command *command);

/* A command may be changed to a shorter transfer. It must not use its own list as a page of data then: the drive
 * would store the list, and return it to where another command expects a list, which would then name pages of a
 * third. */
void fuzz_prp_hide_list(struct fuzz_host *host, struct fuzz_slot *slot);

/* Name the pages to which the controller may write by its current PRPs. */
void fuzz_prp_name(struct fuzz_host *host, struct fuzz_slot *slot);

/* Free its pages. */
void fuzz_prp_release(struct fuzz_host *host, struct fuzz_slot *slot);

/* Copy the data of a command that has pages of its own. */
void fuzz_prp_read(struct fuzz_host *host, const struct fuzz_slot *slot, uint8_t *data);

/* Check that nothing has changed in its own pages except for data that it may write. */
bool fuzz_prp_is_fenced(struct fuzz_host *host, const struct fuzz_slot *slot);

#endif
