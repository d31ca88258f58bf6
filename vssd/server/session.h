/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device and the one client that it has at most. All that belongs to the client (connection, mapped memory,
 * eventfds) goes with it; the device stays as it is and takes the next one.
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

/* The file that clients map: as much of BAR 0 as has to be there for the doorbells to be at their own offset. */
struct vssd_doorbells {
	int fd;
	void *mapping;
};

struct vssd_session {
	struct vssd_bus bus;
	struct vssd_subsystem *subsystem;
	struct vssd_ctrl *ctrl;
	struct vssd_doorbells doorbells;
	bool powered;

	struct vssd_connection connection;
	bool negotiated; /* VERSION is done */
	struct vssd_capabilities capabilities;
	struct vssd_memory memory;
	struct vssd_remote remote;
	struct vssd_interrupts interrupts;
};

/* Build the device of these options. The session must not move: the controller keeps the address of its bus. */
int vssd_session_init(struct vssd_session *session, const struct vssd_options *options, struct pyn_error *err);
void vssd_session_deinit(struct vssd_session *session);

/* A client has connected; its socket fd is taken over. Only while none is. */
void vssd_session_accept(struct vssd_session *session, int fd);

static inline bool vssd_session_has_client(const struct vssd_session *session)
{
	return session->connection.fd >= 0;
}

/* Handle the client's messages, a bounded number of them, and let the client go if it is gone or broken.
 * True: something was done. */
bool vssd_session_serve(struct vssd_session *session);

/* Whether there is something to serve that the socket would not tell. */
bool vssd_session_has_backlog(const struct vssd_session *session);

/* The power switch. */
void vssd_session_power(struct vssd_session *session, bool on);

#endif
