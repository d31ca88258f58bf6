/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one thread of the virtual SSD. Doorbells in shared memory give no notice, so it polls while there is work,
 * looks at its sockets in between, naps when there was none for a while, and sleeps while no client is connected.
 */
#ifndef VSSD_SERVER_LOOP_H
#define VSSD_SERVER_LOOP_H

#include "vssd/server/control.h"
#include "vssd/server/folder.h"
#include "vssd/server/session.h"

struct vssd_loop {
	struct vssd_session *session;
	struct vssd_control *control;
	struct vssd_folder *folder;
	int signal_fd; /* readable when the process shall end */
	int owner_fd;  /* the read end of a pipe whose closing means the same, or -1 */
};

/* Serve until a signal, the owner's end, or a request to quit. */
void vssd_loop_run(struct vssd_loop *loop);

#endif
