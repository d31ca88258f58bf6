/* SPDX-License-Identifier: BSD-3-Clause */
/* Execute the vfio-user commands of the client, and reply. */
#ifndef VSSD_SERVER_DISPATCH_H
#define VSSD_SERVER_DISPATCH_H

#include "vssd/server/regions.h"
#include "vssd/server/session.h"

/* The largest payload of a reply: the fields of the request, and all bytes of one access. */
#define VSSD_REPLY_MAX (sizeof(struct vfu_region_access) + VSSD_ACCESS_MAX)

struct vssd_reply {
	size_t length; /* of the payload */
	int fd;        /* sent with the reply, or -1; not owned */
	uint8_t payload[VSSD_REPLY_MAX];
};

/* Execute the message, reply if the client wants a reply, and release the message. */
void vssd_dispatch(struct vssd_session *session, struct vssd_message *message);

/* Reply with a positive errno if the client wants a reply, and release the message. */
void vssd_dispatch_refuse(struct vssd_session *session, struct vssd_message *message, int error);

#endif
