/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses that a user may name a device by. A text is parsed once, where it comes in; everything below is given
 * the result. */
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
	/* Of a function "0000:01:00.0", with its domain and in lower case; of a private virtual SSD ""; else the
	 * text. */
	char text[PYN_ADDRESS_TEXT];
};

/* Understand text, without looking whether such a device exists. Errors: PYN_ERROR_ENUMERATE, it is of no kind, is
 * too long, or is a function that cannot exist; *err says what addresses look like. */
int pyn_address_parse(const char *text, struct pyn_address *address, struct pyn_error *err);

/* The error of an engine that reaches no device of this kind. */
int pyn_address_refuse(const struct pyn_address *address, struct pyn_error *err);

#endif
