/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device and its client, one at most. When the client disconnects, the session releases its connection, mapped
 * memory and eventfds; the device keeps its state and serves the next client.
 */
#ifndef VSSD_SERVER_SESSION_H
#define VSSD_SERVER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "vssd/bus/bus.h"
#include "vssd/ctrl/ctrl.h"
#include "vssd/options.h"
#include "vssd/server/connection.h"
#include "vssd/server/interrupts.h"
#include "vssd/server/memory.h"
#include "vssd/server/remote.h"
#include "vssd/server/version.h"

/* The file that clients map. It covers BAR 0 up to the end of the doorbells, so that these are at their offset. */
struct vssd_doorbells {
	int fd;
	void *mapping;
	size_t size; /* of the file, bytes */
};

struct vssd_session {
	struct vssd_bus bus;
	struct vssd_subsystem *subsystem; /* not owned */
	struct vssd_ctrl *ctrl;
	struct vssd_doorbells doorbells;

	struct vssd_connection connection;
	bool negotiated; /* VERSION is done */
	struct vssd_capabilities capabilities;
	struct vssd_memory memory;
	struct vssd_remote remote;
	struct vssd_interrupts interrupts;
};

/* Create a controller of the subsystem. The session must not move: the controller keeps the address of its bus. */
int vssd_session_init(struct vssd_session *session, struct vssd_subsystem *subsystem, struct pyn_error *err);
void vssd_session_deinit(struct vssd_session *session);

/* Take ownership of the socket of a client that has connected. Call only while there is no client. */
void vssd_session_accept(struct vssd_session *session, int fd);

static inline bool vssd_session_has_client(const struct vssd_session *session)
{
	return session->connection.fd >= 0;
}

/* Handle a bounded number of the client's messages, and drop the client if its connection is broken. True: something
 * was done. */
bool vssd_session_serve(struct vssd_session *session);

/* Whether there is work that polling the socket would not show. */
bool vssd_session_has_backlog(const struct vssd_session *session);

#endif
