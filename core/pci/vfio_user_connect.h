/* SPDX-License-Identifier: BSD-3-Clause */
/* Connects to a vfio-user server and negotiates the protocol version. Internal to core/pci. */
#ifndef PYN_PCI_VFIO_USER_CONNECT_H
#define PYN_PCI_VFIO_USER_CONNECT_H

#include "core/pci/vfio_user_channel.h"

/*
 * Connect to the socket at path, or to `cntrl` in the directory at path, and exchange VERSION.
 * Errors: PYN_ERROR_MEMORY; PYN_ERROR_ENUMERATE, whose text says which: nothing there, not a socket, no permission,
 * no server listens, another client is connected, not vfio-user, another version.
 */
int pyn_vfu_connect(const char *path, struct pyn_vfu_channel *channel, struct pyn_error *err);

/* Find the socket at path, or `cntrl` in the directory at path; socket_path has PYN_VFU_PATH bytes. Errors:
 * PYN_ERROR_ENUMERATE, as above. */
int pyn_vfu_find_socket(const char *path, char *socket_path, struct pyn_error *err);

/* The whole number that follows "key": in length bytes of JSON, or fallback if there is none. The bytes may be
 * anything. */
uint64_t pyn_vfu_json_number(const char *json, size_t length, const char *key, uint64_t fallback);

#endif
