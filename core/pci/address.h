/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses that a user may name a device by. */
#ifndef PYN_PCI_ADDRESS_H
#define PYN_PCI_ADDRESS_H

#include "core/util/error.h"

enum pyn_address_kind {
	PYN_ADDRESS_FUNCTION, /* a PCI function of this machine */
	PYN_ADDRESS_SOCKET,   /* a vfio-user socket, or a directory that holds one */
};

#define PYN_ADDRESS_TEXT 256

struct pyn_address {
	enum pyn_address_kind kind;
	char text[PYN_ADDRESS_TEXT]; /* "0000:01:00.0" with its domain, in lower case; or the path as it came */
};

/*
 * Understand text, without looking whether such a device exists.
 * Errors: PYN_ERROR_ENUMERATE: an NVMe/TCP address (no engine for it), or nothing that is known; the text says which.
 */
int pyn_address_parse(const char *text, struct pyn_address *address, struct pyn_error *err);

#endif
