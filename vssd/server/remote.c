/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/server/remote.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"

void vssd_remote_init(struct vssd_remote *remote, struct vssd_connection *connection)
{
	memset(remote, 0, sizeof(*remote));
	remote->connection = connection;
	remote->max_data = VFU_MAX_DATA;
}

void vssd_remote_clear(struct vssd_remote *remote)
{
	for (unsigned i = 0; i < remote->queued; i++)
		vssd_message_release(&remote->queue[i]);
	vssd_remote_init(remote, remote->connection);
}

bool vssd_remote_take(struct vssd_remote *remote, struct vssd_message *message)
{
	if (remote->queued == 0)
		return false;
	*message = remote->queue[0];
	remote->queued--;
	memmove(&remote->queue[0], &remote->queue[1], remote->queued * sizeof(remote->queue[0]));
	return true;
}

static bool is_reply(const struct vssd_message *message)
{
	return (message->header.flags & VFU_FLAGS_TYPE) == VFU_FLAGS_REPLY;
}

static bool is_reply_to(const struct vssd_message *message, uint16_t id, uint16_t command)
{
	return is_reply(message) && message->header.id == id && message->header.command == command;
}

/* Queue a command for later, and drop any other message. False: the queue is full, since the client sends without
 * waiting for replies. */
static bool put_aside(struct vssd_remote *remote, struct vssd_message *message)
{
	if (is_reply(message)) {
		vssd_message_release(message);
		return true;
	}
	if (remote->queued == VSSD_REMOTE_QUEUE)
		return false;
	remote->queue[remote->queued++] = *message;
	return true;
}

/* Wait for the reply to a command. The caller releases *reply. */
static int wait_for_reply(struct vssd_remote *remote, uint16_t command, uint64_t deadline, struct vssd_message *reply)
{
	struct vssd_connection *connection = remote->connection;

	for (;;) {
		bool refused;

		switch (vssd_connection_receive(connection, reply, &refused)) {
		case VSSD_RECEIVE_MESSAGE:
			if (is_reply_to(reply, remote->last_id, command))
				return 0;
			if (put_aside(remote, reply))
				break;
			vssd_message_release(reply);
			connection->broken = true;
			return -EFAULT;
		case VSSD_RECEIVE_NOTHING:
			if (vssd_connection_wait(connection, POLLIN, deadline))
				break;
			connection->broken = true;
			return -EFAULT;
		case VSSD_RECEIVE_BROKEN:
			if (refused)
				vssd_message_release(reply);
			return -EFAULT;
		}
	}
}

/* Send a command and wait for its reply, both within one deadline. */
static int exchange(struct vssd_remote *remote, uint16_t command, const void *payload, size_t length,
		    struct vssd_message *reply)
{
	struct vssd_connection *connection = remote->connection;
	uint64_t deadline = pyn_monotonic_ns() + VSSD_REMOTE_TIMEOUT_MS * UINT64_C(1000000);
	struct vfu_header header = {.id = ++remote->last_id, .command = command, .flags = VFU_FLAGS_COMMAND};

	/* An earlier reply to the client may still wait for the socket: send it first. */
	for (bool sent = false; !sent || connection->outgoing;) {
		if (vssd_connection_flush(connection) && !sent) {
			vssd_connection_send(connection, header, payload, length, -1);
			sent = true;
		}
		if (connection->broken)
			return -EFAULT;
		if (connection->outgoing && !vssd_connection_wait(connection, POLLOUT, deadline)) {
			connection->broken = true;
			return -EFAULT;
		}
	}
	return wait_for_reply(remote, command, deadline, reply);
}

/* The reply must repeat the request and contain the data. */
static bool read_reply_is_valid(const struct vssd_message *reply, const struct vfu_dma_access *access)
{
	return !(reply->header.flags & VFU_FLAGS_ERROR) && reply->length == sizeof(*access) + access->count &&
	       memcmp(reply->payload, access, sizeof(*access)) == 0;
}

/* Older QEMUs answer with the header alone. */
static bool write_reply_is_valid(const struct vssd_message *reply, const struct vfu_dma_access *access)
{
	if (reply->header.flags & VFU_FLAGS_ERROR)
		return false;
	return reply->length == 0 ||
	       (reply->length == sizeof(*access) && memcmp(reply->payload, access, sizeof(*access)) == 0);
}

static int read_piece(struct vssd_remote *remote, const struct vfu_dma_access *access, uint8_t *data)
{
	struct vssd_message reply;
	bool valid;
	int err = exchange(remote, VFU_DMA_READ, access, sizeof(*access), &reply);

	if (err)
		return err;
	valid = read_reply_is_valid(&reply, access);
	if (valid)
		memcpy(data, reply.payload + sizeof(*access), access->count);
	vssd_message_release(&reply);
	return valid ? 0 : -EFAULT;
}

static int write_piece(struct vssd_remote *remote, const struct vfu_dma_access *access, const uint8_t *data)
{
	uint8_t *payload = malloc(sizeof(*access) + access->count);
	struct vssd_message reply;
	bool valid;
	int err;

	if (!payload)
		return -EFAULT;
	memcpy(payload, access, sizeof(*access));
	memcpy(payload + sizeof(*access), data, access->count);
	err = exchange(remote, VFU_DMA_WRITE, payload, sizeof(*access) + access->count, &reply);
	free(payload);
	if (err)
		return err;
	valid = write_reply_is_valid(&reply, access);
	vssd_message_release(&reply);
	return valid ? 0 : -EFAULT;
}

int vssd_remote_read(struct vssd_remote *remote, uint64_t iova, void *data, size_t length)
{
	for (size_t done = 0; done < length;) {
		size_t piece = length - done < remote->max_data ? length - done : remote->max_data;
		struct vfu_dma_access access = {.address = iova + done, .count = piece};

		if (remote->connection->broken || read_piece(remote, &access, (uint8_t *)data + done) != 0)
			return -EFAULT;
		done += piece;
	}
	return 0;
}

int vssd_remote_write(struct vssd_remote *remote, uint64_t iova, const void *data, size_t length)
{
	for (size_t done = 0; done < length;) {
		size_t piece = length - done < remote->max_data ? length - done : remote->max_data;
		struct vfu_dma_access access = {.address = iova + done, .count = piece};

		if (remote->connection->broken || write_piece(remote, &access, (const uint8_t *)data + done) != 0)
			return -EFAULT;
		done += piece;
	}
	return 0;
}
