/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transport: vfio-user messages on a stream socket. No function blocks unless its comment says so. A connection
 * holds at most one incoming and one outgoing message, so a peer cannot make it grow.
 */
#ifndef VSSD_SERVER_CONNECTION_H
#define VSSD_SERVER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/vfio_user.h"

/* A received message, which owns its payload and descriptors until vssd_message_release(). A handler that keeps a
 * descriptor sets it to -1 here. */
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
	bool broken; /* the peer broke the protocol or disconnected: close once no work is left for it */

	struct vssd_message incoming;
	size_t received; /* bytes of incoming, header included */

	uint8_t *outgoing; /* what the socket has not accepted yet; NULL: nothing */
	size_t outgoing_size, outgoing_sent;
	int outgoing_fd; /* sent with the first byte, or -1; not owned */
};

/* Take ownership of the connected socket fd. */
void vssd_connection_open(struct vssd_connection *connection, int fd);
void vssd_connection_close(struct vssd_connection *connection);

enum vssd_receive {
	VSSD_RECEIVE_NOTHING, /* no complete message has arrived yet */
	VSSD_RECEIVE_MESSAGE, /* the caller owns *message */
	VSSD_RECEIVE_BROKEN,  /* the connection is broken or closed */
};

/*
 * Read the next message as far as it has arrived, but never a byte beyond it, because descriptors belong to a
 * message. An invalid size or more than VFU_MAX_FDS descriptors break the connection. *refused is then true if the
 * header is valid, so that the caller can answer it; *message holds only the header.
 */
enum vssd_receive vssd_connection_receive(struct vssd_connection *connection, struct vssd_message *message,
					  bool *refused);

/* Send a header, whose size this fills in, with a payload and fd (-1: none) as one message. Keep what the socket does
 * not accept for vssd_connection_flush(). A failure breaks the connection. */
void vssd_connection_send(struct vssd_connection *connection, struct vfu_header header, const void *payload,
			  size_t length, int fd);

/* Send what was kept. True: nothing is left, and the next message can be sent. */
bool vssd_connection_flush(struct vssd_connection *connection);

/* Block until events (POLLIN, POLLOUT), or until deadline_ns of CLOCK_MONOTONIC, which returns false. */
bool vssd_connection_wait(const struct vssd_connection *connection, short events, uint64_t deadline_ns);

#endif
