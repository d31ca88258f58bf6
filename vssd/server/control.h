/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket's requests (vssd/control_protocol.h), executed between the drive's commands. */
#ifndef VSSD_SERVER_CONTROL_H
#define VSSD_SERVER_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/server/session.h"

/* How many may be connected at once; one more replaces the oldest. */
#define VSSD_CONTROL_PEERS 8u

struct vssd_control {
	struct vssd_session *session;       /* not owned */
	const struct vssd_options *options; /* not owned */
	int peers[VSSD_CONTROL_PEERS];      /* the oldest first */
	unsigned num_peers;
	bool quit; /* somebody asked for the end */
};

void vssd_control_init(struct vssd_control *control, struct vssd_session *session,
		       const struct vssd_options *options);
void vssd_control_deinit(struct vssd_control *control);

/* Take a connected socket over. */
void vssd_control_accept(struct vssd_control *control, int fd);

/* Execute one request of a peer, whose socket is readable. */
void vssd_control_serve(struct vssd_control *control, int fd);

#endif
