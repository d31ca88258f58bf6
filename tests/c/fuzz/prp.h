/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of a command in flight: pages of its own, PRPs and lists, and which pages it may write. */
#ifndef TESTS_C_FUZZ_PRP_H
#define TESTS_C_FUZZ_PRP_H

#include "tests/c/fuzz/host.h"

/* Take pages for slot->length bytes, fill them where the command sends data, and let its PRPs describe them. Where no
 * pages are left the PRPs are wrong. */
void fuzz_prp_attach(struct fuzz_host *host, struct fuzz_slot *slot, const struct fuzz_command *command);

/* A command that may be shorter than it was made must not take its own list for a page of data: it would be stored,
 * read back to where another command looks for a list, and lead that one to pages of a third. */
void fuzz_prp_hide_list(struct fuzz_host *host, struct fuzz_slot *slot);

/* Name the pages to which its PRPs, as they are now, let the controller write. */
void fuzz_prp_name(struct fuzz_host *host, struct fuzz_slot *slot);

/* Give everything back. */
void fuzz_prp_release(struct fuzz_host *host, struct fuzz_slot *slot);

/* Copy the data of a command that has pages of its own. */
void fuzz_prp_read(struct fuzz_host *host, const struct fuzz_slot *slot, uint8_t *data);

/* Of its own pages nothing has changed but data that it may write. */
bool fuzz_prp_is_fenced(struct fuzz_host *host, const struct fuzz_slot *slot);

#endif
