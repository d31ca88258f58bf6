/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host memory that came without a file: read and written by messages to the client (DMA_READ, DMA_WRITE), each of
 * which waits for its reply. The client has VSSD_REMOTE_TIMEOUT_MS for each; one that does not answer is broken.
 */
#ifndef VSSD_SERVER_REMOTE_H
#define VSSD_SERVER_REMOTE_H

#include <stddef.h>
#include <stdint.h>

#include "vssd/server/connection.h"

#define VSSD_REMOTE_TIMEOUT_MS 2000u

/* Commands of the client that arrived while a reply was waited for; they are handled afterwards, in their order. */
#define VSSD_REMOTE_QUEUE 16u

struct vssd_remote {
	struct vssd_connection *connection; /* not owned */
	uint32_t max_data;                  /* bytes a message, as the client said */
	uint16_t last_id;
	struct vssd_message queue[VSSD_REMOTE_QUEUE];
	unsigned queued;
};

void vssd_remote_init(struct vssd_remote *remote, struct vssd_connection *connection);
void vssd_remote_clear(struct vssd_remote *remote);

/* The first queued command becomes the caller's. False: there is none. */
bool vssd_remote_take(struct vssd_remote *remote, struct vssd_message *message);

/* 0, or -EFAULT: the client refused, or is broken. */
int vssd_remote_read(struct vssd_remote *remote, uint64_t iova, void *data, size_t length);
int vssd_remote_write(struct vssd_remote *remote, uint64_t iova, const void *data, size_t length);

#endif
