/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client end of a vfio-user connection. It sends one request at a time and waits for its reply; all waits are
 * bounded. Threads may share it. It checks each message before using it. Internal to core/pci.
 *
 * After a failure that leaves the stream in an unknown state (a broken message, half an answer, end of file) the
 * channel is broken, and every later call fails at once. If no answer comes at all, the channel is silent: every
 * later call fails soon, until the answer comes and is dropped. So a server that was stopped and continues can be
 * used again.
 */
#ifndef PYN_PCI_VFIO_USER_CHANNEL_H
#define PYN_PCI_VFIO_USER_CHANNEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "core/util/error.h"
#include "spec/vfio_user.h"

#define PYN_VFU_ANSWER_MS 2000u /* after this time without an answer a device is silent */
#define PYN_VFU_WAKE_MS 200     /* each call waits this long for a silent device */
#define PYN_VFU_BUSY_MS 10000u  /* a device whose process gets no CPU has so much more time */
#define PYN_VFU_PATH 108        /* size of sun_path */

struct pyn_vfu_channel {
	int fd;
	pid_t owner;          /* the process that opened it; a forked one would steal its replies */
	pid_t peer;           /* the process of the device; 0: unknown */
	pthread_mutex_t lock; /* held from a request to its reply; several threads may call */
	_Atomic(bool) broken;
	bool silent; /* the answer to the request before next_id has not come yet */
	uint16_t next_id;
	uint32_t max_data;       /* bytes of data in one region access, as the device says */
	uint8_t *payload;        /* VFU_MAX_MESSAGE bytes, of the last message received */
	char path[PYN_VFU_PATH]; /* of the socket, for errors */
};

struct pyn_vfu_call {
	uint16_t command;
	struct iovec request[2]; /* the payload, in up to two pieces */
	int fd;                  /* sent with the request; -1: none */
	unsigned answer_ms;      /* 0: PYN_VFU_ANSWER_MS */
	void *reply;             /* where the reply's payload is copied, reply_max bytes */
	size_t reply_min;        /* a shorter or longer payload is a broken message */
	size_t reply_max;
	size_t reply_length;  /* out */
	int fds[VFU_MAX_FDS]; /* out: descriptors of the reply, which the caller closes; others are closed here */
	unsigned num_fds;     /* out */
	unsigned want_fds;    /* the most that the caller accepts */
};

/* Take over a connected socket. On failure fd is closed. Errors: PYN_ERROR_MEMORY. */
int pyn_vfu_channel_init(struct pyn_vfu_channel *channel, int fd, const char *path, struct pyn_error *err);
void pyn_vfu_channel_deinit(struct pyn_vfu_channel *channel);

/*
 * Send a request and wait for its reply. Meanwhile answers DMA_READ and DMA_WRITE requests of the device from the
 * environment's DMA memory, and refuses all its other requests.
 * Errors: PYN_ERROR_STATE in a process that did not open the channel; PYN_ERROR_UNSUPPORTED with the device's errno,
 * if it refused; PYN_ERROR_GONE with ETIMEDOUT (no answer), ECONNRESET (the device closed the connection), or EPROTO
 * (not an answer to this request).
 */
int pyn_vfu_call(struct pyn_vfu_channel *channel, struct pyn_vfu_call *call, struct pyn_error *err);

/* Whether the connection is up, even if the device is silent. Asks only the kernel. */
bool pyn_vfu_channel_alive(const struct pyn_vfu_channel *channel);

/* Whether the device has closed the connection, or its process has ended. */
bool pyn_vfu_channel_closed(const struct pyn_vfu_channel *channel);

/* The name of a message, such as "REGION_READ"; "?" if it has none. */
const char *pyn_vfu_command_name(uint16_t command);

#endif
