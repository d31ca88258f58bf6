/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transport: vfio-user messages on a stream socket. Nothing here blocks, unless it says so, and nothing grows
 * with what the peer does: one incoming message and one outgoing one are held at most.
 */
#ifndef VSSD_SERVER_CONNECTION_H
#define VSSD_SERVER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/vfio_user.h"

/* A message that was received, its payload and descriptors included: release it. A handler that keeps a descriptor
 * sets it to -1 here. */
struct vssd_message {
	struct vfu_header header;
	uint8_t *payload; /* length bytes; NULL where length is 0 */
	size_t length;
	int fds[VFU_MAX_FDS];
	unsigned num_fds;
};

void vssd_message_release(struct vssd_message *message);

struct vssd_connection {
	int fd;      /* -1: not connected */
	bool broken; /* the peer broke the protocol, or went: to be closed as soon as nobody works for it */

	struct vssd_message incoming;
	size_t received; /* bytes of incoming, header included */

	uint8_t *outgoing; /* what the socket did not take yet; NULL: nothing */
	size_t outgoing_size, outgoing_sent;
	int outgoing_fd; /* to be sent with the first byte, or -1; not owned */
};

/* Take the connected socket fd over. */
void vssd_connection_open(struct vssd_connection *connection, int fd);
void vssd_connection_close(struct vssd_connection *connection);

enum vssd_receive {
	VSSD_RECEIVE_NOTHING, /* no whole message is there yet */
	VSSD_RECEIVE_MESSAGE, /* *message is the caller's */
	VSSD_RECEIVE_BROKEN,  /* the connection is broken or at its end */
};

/*
 * Read what is there of the next message, never a byte beyond it (descriptors belong to a message). A size that no
 * message has, or more than VFU_MAX_FDS descriptors, break the connection: *refused then tells whether the header is
 * valid and may be answered, *message holding it alone.
 */
enum vssd_receive vssd_connection_receive(struct vssd_connection *connection, struct vssd_message *message,
					  bool *refused);

/* Send a header, whose size is filled in, and a payload, with fd (-1: none) in one piece. What the socket does not
 * take is kept and sent by vssd_connection_flush. A failure breaks the connection. */
void vssd_connection_send(struct vssd_connection *connection, struct vfu_header header, const void *payload,
			  size_t length, int fd);

/* Send what was kept. True: nothing is left, so that the next message may be sent. */
bool vssd_connection_flush(struct vssd_connection *connection);

/* Block until events (POLLIN, POLLOUT) or until deadline_ns of CLOCK_MONOTONIC: false where that is reached. */
bool vssd_connection_wait(const struct vssd_connection *connection, short events, uint64_t deadline_ns);

#endif
