/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "vssd/server/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/util/clock.h"

#define HEADER_SIZE sizeof(struct vfu_header)

static void message_init(struct vssd_message *message)
{
	memset(message, 0, sizeof(*message));
}

void vssd_message_release(struct vssd_message *message)
{
	for (unsigned i = 0; i < message->num_fds; i++)
		if (message->fds[i] >= 0)
			close(message->fds[i]);
	free(message->payload);
	message_init(message);
}

void vssd_connection_open(struct vssd_connection *connection, int fd)
{
	memset(connection, 0, sizeof(*connection));
	connection->fd = fd;
	connection->outgoing_fd = -1;
}

void vssd_connection_close(struct vssd_connection *connection)
{
	if (connection->fd >= 0)
		close(connection->fd);
	vssd_message_release(&connection->incoming);
	free(connection->outgoing);
	vssd_connection_open(connection, -1);
}

static bool header_is_valid(const struct vfu_header *header)
{
	return header->size >= HEADER_SIZE && header->size <= VFU_MAX_MESSAGE;
}

/* Keep the descriptors that came with a part of the header. False: there are too many. */
static bool take_descriptors(struct vssd_message *message, struct msghdr *received)
{
	bool fits = !(received->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(received); c; c = CMSG_NXTHDR(received, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (message->num_fds < VFU_MAX_FDS) {
				message->fds[message->num_fds++] = fd;
			} else {
				close(fd);
				fits = false;
			}
		}
	}
	return fits;
}

/* Read up to size bytes. Returns their number; 0: none have arrived. The end of the connection breaks it. */
static size_t read_some(struct vssd_connection *connection, void *to, size_t size, bool with_descriptors)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(VFU_MAX_FDS * sizeof(int))];
	} control;
	struct iovec part = {to, size};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t count;

	/* Without a control buffer the kernel closes the descriptors it receives. */
	if (with_descriptors) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
	}
	do
		count = recvmsg(connection->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (count < 0 && errno == EINTR);

	if (count < 0 && errno == EAGAIN)
		return 0;
	if (count <= 0 || (with_descriptors && !take_descriptors(&connection->incoming, &header)))
		connection->broken = true;
	return count > 0 ? (size_t)count : 0;
}

/* Allocate the payload once the header is complete. */
static bool begin_payload(struct vssd_connection *connection)
{
	struct vssd_message *message = &connection->incoming;

	message->length = message->header.size - HEADER_SIZE;
	if (message->length == 0)
		return true;
	message->payload = malloc(message->length);
	return message->payload != NULL;
}

enum vssd_receive vssd_connection_receive(struct vssd_connection *connection, struct vssd_message *message,
					  bool *refused)
{
	struct vssd_message *incoming = &connection->incoming;

	*refused = false;
	while (connection->received < HEADER_SIZE) {
		size_t count = read_some(connection, (uint8_t *)&incoming->header + connection->received,
					 HEADER_SIZE - connection->received, true);

		connection->received += count;
		if (connection->broken)
			return VSSD_RECEIVE_BROKEN;
		if (count == 0)
			return VSSD_RECEIVE_NOTHING;
		if (connection->received < HEADER_SIZE)
			continue;
		if (!header_is_valid(&incoming->header) || !begin_payload(connection)) {
			connection->broken = true;
			*refused = true;
			*message = *incoming;
			message_init(incoming);
			return VSSD_RECEIVE_BROKEN;
		}
	}
	while (connection->received < incoming->header.size) {
		size_t done = connection->received - HEADER_SIZE;
		size_t count = read_some(connection, incoming->payload + done, incoming->length - done, false);

		connection->received += count;
		if (connection->broken)
			return VSSD_RECEIVE_BROKEN;
		if (count == 0)
			return VSSD_RECEIVE_NOTHING;
	}
	*message = *incoming;
	message_init(incoming);
	connection->received = 0;
	return VSSD_RECEIVE_MESSAGE;
}

/* Call sendmsg once. Returns the number of bytes that the socket accepted. */
static size_t send_some(struct vssd_connection *connection, struct iovec *parts, size_t count, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
	ssize_t sent;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	do
		sent = sendmsg(connection->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);

	if (sent < 0 && errno != EAGAIN)
		connection->broken = true;
	return sent > 0 ? (size_t)sent : 0;
}

/* Keep what is left of a message after its first sent bytes. */
static void keep(struct vssd_connection *connection, const struct vfu_header *header, const void *payload,
		 size_t length, size_t sent, int fd)
{
	connection->outgoing_size = HEADER_SIZE + length;
	connection->outgoing_sent = sent;
	connection->outgoing_fd = sent == 0 ? fd : -1;
	connection->outgoing = malloc(connection->outgoing_size);
	if (!connection->outgoing) {
		connection->broken = true;
		return;
	}
	memcpy(connection->outgoing, header, HEADER_SIZE);
	if (length > 0)
		memcpy(connection->outgoing + HEADER_SIZE, payload, length);
}

void vssd_connection_send(struct vssd_connection *connection, struct vfu_header header, const void *payload,
			  size_t length, int fd)
{
	struct iovec parts[] = {{&header, HEADER_SIZE}, {(void *)payload, length}};
	size_t sent;

	header.size = (uint32_t)(HEADER_SIZE + length);
	sent = send_some(connection, parts, length > 0 ? 2 : 1, fd);
	if (!connection->broken && sent < header.size)
		keep(connection, &header, payload, length, sent, fd);
}

bool vssd_connection_flush(struct vssd_connection *connection)
{
	while (connection->outgoing && !connection->broken) {
		struct iovec rest = {connection->outgoing + connection->outgoing_sent,
				     connection->outgoing_size - connection->outgoing_sent};
		size_t sent = send_some(connection, &rest, 1, connection->outgoing_fd);

		if (sent == 0)
			return false;
		connection->outgoing_fd = -1;
		connection->outgoing_sent += sent;
		if (connection->outgoing_sent == connection->outgoing_size) {
			free(connection->outgoing);
			connection->outgoing = NULL;
		}
	}
	return !connection->outgoing;
}

bool vssd_connection_wait(const struct vssd_connection *connection, short events, uint64_t deadline_ns)
{
	struct pollfd wanted = {.fd = connection->fd, .events = events};

	for (;;) {
		uint64_t now = pyn_monotonic_ns();
		struct timespec left;
		int ready;

		if (now >= deadline_ns)
			return false;
		left.tv_sec = (time_t)((deadline_ns - now) / 1000000000u);
		left.tv_nsec = (long)((deadline_ns - now) % 1000000000u);
		ready = ppoll(&wanted, 1, &left, NULL);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
	}
}
