/* SPDX-License-Identifier: BSD-3-Clause */
/* What each command of the client does, and its reply. */
#ifndef VSSD_SERVER_DISPATCH_H
#define VSSD_SERVER_DISPATCH_H

#include "vssd/server/session.h"

/* The largest payload of a reply: all of the largest region, behind the fields that repeat the request. */
#define VSSD_REPLY_MAX (sizeof(struct vfu_region_access) + VSSD_BAR0_SIZE)

struct vssd_reply {
	size_t length; /* of the payload */
	int fd;        /* goes along, or -1; not owned */
	uint8_t payload[VSSD_REPLY_MAX];
};

/* Execute the message, reply where a reply is wanted, release the message. */
void vssd_dispatch(struct vssd_session *session, struct vssd_message *message);

/* Reply with an errno (positive), where a reply is wanted, and release the message. */
void vssd_dispatch_refuse(struct vssd_session *session, struct vssd_message *message, int error);

#endif
