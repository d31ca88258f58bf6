/* SPDX-License-Identifier: BSD-3-Clause */
/* The ports of a drive, one for each of its controllers: a folder with its sockets, the client and the control
 * socket.
 */
#ifndef VSSD_SERVER_PORT_H
#define VSSD_SERVER_PORT_H

#include <limits.h>
#include <stdbool.h>

#include "vssd/server/control.h"
#include "vssd/server/folder.h"
#include "vssd/server/session.h"

struct vssd_port {
	char path[PATH_MAX];
	struct vssd_folder folder;
	struct vssd_session session;
	struct vssd_control control;
};

struct vssd_ports {
	struct vssd_subsystem *subsystem;
	struct vssd_port *ports;
	unsigned count;
};

/* Create the drive and its controllers. The first one has the folder itself, that of number K its subfolder K. 0, or
 * -errno. The drive keeps the address of the options. */
int vssd_ports_open(struct vssd_ports *ports, const struct vssd_options *options, const char *folder,
		    struct pyn_error *err);

/* Destroy them. remove: also remove the folders that were created. */
void vssd_ports_close(struct vssd_ports *ports, bool remove);

#endif
