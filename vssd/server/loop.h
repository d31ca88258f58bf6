/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop, the only thread of the virtual SSD. Doorbells in shared memory cannot wake it up, so it polls while
 * there is work, and checks its sockets in between. The longer it has been idle, the longer it naps, and it sleeps
 * while no client is connected.
 */
#ifndef VSSD_SERVER_LOOP_H
#define VSSD_SERVER_LOOP_H

#include "vssd/server/port.h"

struct vssd_loop {
	struct vssd_ports *ports;
	int signal_fd; /* readable once a signal asks the process to end */
	int owner_fd;  /* the read end of a pipe; end when the owner closes the other end; or -1 */
};

/* Serve until a signal, the end of the owner, or a request to quit. */
void vssd_loop_run(struct vssd_loop *loop);

#endif
