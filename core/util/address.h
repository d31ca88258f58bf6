/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses by which a user names a device. The text is parsed once, where it comes in; the layers below get the
 * parsed address. */
#ifndef PYN_UTIL_ADDRESS_H
#define PYN_UTIL_ADDRESS_H

#include "core/util/error.h"

enum pyn_address_kind {
	PYN_ADDRESS_FUNCTION, /* a PCI function of this machine: 01:00.0 */
	PYN_ADDRESS_SOCKET,   /* a vfio-user socket, or a directory that holds one: anything else with a '/' */
	PYN_ADDRESS_TCP,      /* an NVMe/TCP target: tcp://host:port, host:port, or an IP address */
	PYN_ADDRESS_PRIVATE,  /* a virtual SSD that Python starts for this process: vssd, vssd:option=value,… */
};

#define PYN_ADDRESS_TEXT 256

struct pyn_address {
	enum pyn_address_kind kind;
	/* A function as "0000:01:00.0", with its domain and in lower case; "" for a private virtual SSD; otherwise
	 * the user's text. */
	char text[PYN_ADDRESS_TEXT];
};

/* Parse text into *address. Does not check that such a device exists. Errors: PYN_ERROR_ENUMERATE, if the text is
 * none of the kinds above, is too long, or names a function that cannot exist; *err says what addresses look like. */
int pyn_address_parse(const char *text, struct pyn_address *address, struct pyn_error *err);

/* Fill *err for an engine that cannot open a device of this kind, and return -ENOTSUP. */
int pyn_address_refuse(const struct pyn_address *address, struct pyn_error *err);

#endif
