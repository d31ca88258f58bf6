/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket: execute requests (vssd/control_protocol.h) between the drive's commands. */
#ifndef VSSD_SERVER_CONTROL_H
#define VSSD_SERVER_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/server/session.h"

/* How many peers can be connected at once; another one replaces the oldest. */
#define VSSD_CONTROL_PEERS 8u

struct vssd_control {
	struct vssd_session *session;       /* not owned */
	const struct vssd_options *options; /* not owned */
	int peers[VSSD_CONTROL_PEERS];      /* the oldest first */
	unsigned num_peers;
	bool quit; /* a peer sent a request to quit */
};

void vssd_control_init(struct vssd_control *control, struct vssd_session *session,
		       const struct vssd_options *options);
void vssd_control_deinit(struct vssd_control *control);

/* Take ownership of a connected socket. */
void vssd_control_accept(struct vssd_control *control, int fd);

/* Execute one request of a peer, whose socket is readable. */
void vssd_control_serve(struct vssd_control *control, int fd);

#endif
