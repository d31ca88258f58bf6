/* SPDX-License-Identifier: BSD-3-Clause */
/* VERSION, the first message, negotiates the version of the protocol and the capabilities. */
#ifndef VSSD_SERVER_VERSION_H
#define VSSD_SERVER_VERSION_H

#include <stddef.h>
#include <stdint.h>

#define VSSD_VERSION_REPLY_MAX 128u

/* The limits of a client. */
struct vssd_capabilities {
	uint32_t max_fds;  /* descriptors a message */
	uint32_t max_data; /* bytes of data a message */
};

/*
 * Check the request (at least a struct vfu_version), and fill in *capabilities, with the protocol's defaults for what
 * the client left out, and the reply. Returns the length of the reply in bytes, or -EINVAL: the client is too new, or
 * sent no JSON object after the numbers. The reply is never longer than the request, because QEMU's client requires
 * it.
 */
int vssd_version_negotiate(const uint8_t *request, size_t length, struct vssd_capabilities *capabilities,
			   uint8_t reply[static VSSD_VERSION_REPLY_MAX]);

#endif
