/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vfio-user connection, the client's end: one request at a time and its reply, all waits bounded. Threads may share
 * it. What arrives is checked before anything is done with it. Internal to core/pci.
 *
 * After a failure that leaves the stream in an unknown state (a broken message, half an answer, end of file) the
 * channel is broken: every later call fails at once. Without any answer it is silent: every later call fails soon
 * until the answer comes, which is dropped. A process that was stopped and goes on is as usable as before.
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

#define PYN_VFU_ANSWER_MS 2000u /* a device that does not answer for so long is silent */
#define PYN_VFU_WAKE_MS 200     /* for which each call waits for a silent device */
#define PYN_VFU_PATH 108        /* of sun_path */

struct pyn_vfu_channel {
	int fd;
	pid_t owner;          /* the process that opened it: a forked one would take the replies away from it */
	pthread_mutex_t lock; /* from a request to its reply: a doorbell by message may come beside a register */
	_Atomic(bool) broken;
	bool silent; /* the answer to the request before next_id is still to come */
	uint16_t next_id;
	uint32_t max_data;       /* bytes of data in one region access, as the device says */
	uint8_t *payload;        /* VFU_MAX_MESSAGE bytes: of the message received last */
	char path[PYN_VFU_PATH]; /* of the socket, for errors */
};

struct pyn_vfu_call {
	uint16_t command;
	struct iovec request[2]; /* the payload, in up to two pieces */
	int fd;                  /* sent along; -1: none */
	unsigned answer_ms;      /* 0: PYN_VFU_ANSWER_MS */
	void *reply;             /* where the reply's payload is copied, reply_max bytes */
	size_t reply_min;        /* a shorter or longer payload is a broken message */
	size_t reply_max;
	size_t reply_length;  /* out */
	int fds[VFU_MAX_FDS]; /* out: descriptors that came along, the caller's to close; all else is closed here */
	unsigned num_fds;     /* out */
	unsigned want_fds;    /* how many the caller takes at most */
};

/* Take over a connected socket. On failure fd is closed. Errors: PYN_ERROR_MEMORY. */
int pyn_vfu_channel_init(struct pyn_vfu_channel *channel, int fd, const char *path, struct pyn_error *err);
void pyn_vfu_channel_deinit(struct pyn_vfu_channel *channel);

/*
 * Send a request and wait for its reply. DMA_READ and DMA_WRITE that the device asks meanwhile are answered from the
 * environment's DMA memory, everything else that it asks is refused.
 * Errors: PYN_ERROR_STATE in a process that did not open the channel; PYN_ERROR_UNSUPPORTED with the device's errno,
 * where it refused; PYN_ERROR_GONE where the channel broke:
 * ETIMEDOUT no answer, ECONNRESET it closed the connection, EPROTO the answer was not one to this request.
 */
int pyn_vfu_call(struct pyn_vfu_channel *channel, struct pyn_vfu_call *call, struct pyn_error *err);

/* Whether the connection stands, also where the device is silent; asks only the kernel. */
bool pyn_vfu_channel_alive(const struct pyn_vfu_channel *channel);

/* The name of a message, "REGION_READ"; "?" where there is none. */
const char *pyn_vfu_command_name(uint16_t command);

#endif
