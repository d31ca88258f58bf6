/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host memory that the client mapped without a file. The device reads and writes it by messages to the client
 * (DMA_READ, DMA_WRITE), and waits up to VSSD_REMOTE_TIMEOUT_MS for each reply. If the client does not answer, its
 * connection is broken.
 */
#ifndef VSSD_SERVER_REMOTE_H
#define VSSD_SERVER_REMOTE_H

#include <stddef.h>
#include <stdint.h>

#include "vssd/server/connection.h"

#define VSSD_REMOTE_TIMEOUT_MS 2000u

/* How many commands of the client can arrive while the device waits for a reply. It handles them afterwards, in
 * order.
 */
#define VSSD_REMOTE_QUEUE 16u

struct vssd_remote {
	struct vssd_connection *connection; /* not owned */
	uint32_t max_data;                  /* the client's limit, bytes a message */
	uint16_t last_id;
	struct vssd_message queue[VSSD_REMOTE_QUEUE];
	unsigned queued;
};

void vssd_remote_init(struct vssd_remote *remote, struct vssd_connection *connection);
void vssd_remote_clear(struct vssd_remote *remote);

/* Pass the first queued command, and its ownership, to the caller. False: there is none. */
bool vssd_remote_take(struct vssd_remote *remote, struct vssd_message *message);

/* Read or write host memory. 0, or -EFAULT: the client refused, or its connection is broken. */
int vssd_remote_read(struct vssd_remote *remote, uint64_t iova, void *data, size_t length);
int vssd_remote_write(struct vssd_remote *remote, uint64_t iova, const void *data, size_t length);

#endif
