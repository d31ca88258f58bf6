/* SPDX-License-Identifier: BSD-3-Clause */
/* VERSION: the first message, in which both sides say what they can do. */
#ifndef VSSD_SERVER_VERSION_H
#define VSSD_SERVER_VERSION_H

#include <stddef.h>
#include <stdint.h>

#define VSSD_VERSION_REPLY_MAX 128u

/* What a client said that it can take. */
struct vssd_capabilities {
	uint32_t max_fds;  /* descriptors a message */
	uint32_t max_data; /* bytes of data a message */
};

/*
 * Judge the request (at least a struct vfu_version), fill *capabilities (the protocol's defaults where the client
 * said nothing) and the reply: its length in bytes, or -EINVAL: the client is too new, or sent no JSON object behind
 * the numbers. The reply is never longer than the request, as QEMU's client wants it.
 */
int vssd_version_negotiate(const uint8_t *request, size_t length, struct vssd_capabilities *capabilities,
			   uint8_t reply[static VSSD_VERSION_REPLY_MAX]);

#endif
