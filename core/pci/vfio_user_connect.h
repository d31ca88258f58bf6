/* SPDX-License-Identifier: BSD-3-Clause */
/* From a path to a connection on which both sides agree about the protocol. Internal to core/pci. */
#ifndef PYN_PCI_VFIO_USER_CONNECT_H
#define PYN_PCI_VFIO_USER_CONNECT_H

#include "core/pci/vfio_user_channel.h"

/*
 * Connect to the socket at path, or to `cntrl` in the directory at path, and exchange VERSION.
 * Errors: PYN_ERROR_ENUMERATE, the text says which of: nothing there, not a socket, no permission, nobody listens,
 * another client has it, not vfio-user, another version; PYN_ERROR_MEMORY.
 */
int pyn_vfu_connect(const char *path, struct pyn_vfu_channel *channel, struct pyn_error *err);

/* The whole number that follows "key": in length bytes of JSON, which may be anything; fallback: there is none. */
uint64_t pyn_vfu_json_number(const char *json, size_t length, const char *key, uint64_t fallback);

#endif
