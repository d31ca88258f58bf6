/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/server/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "vssd/subsystem/subsystem.h"

static int open_folder(struct vssd_port *port, const char *folder, unsigned number, struct pyn_error *err)
{
	int length = number == 1 ? snprintf(port->path, sizeof(port->path), "%s", folder)
				 : snprintf(port->path, sizeof(port->path), "%s/%u", folder, number);

	if (length < 0 || (size_t)length >= sizeof(port->path))
		return pyn_error(err, PYN_ERROR_ARGUMENT, ENAMETOOLONG, "the folder's path is too long");
	return vssd_folder_open(&port->folder, port->path, err);
}

/* Close the first ports, the last one first, since the folder of the first one contains the others. */
static void close_folders(struct vssd_ports *ports, unsigned count, bool remove)
{
	while (count-- > 0) {
		if (remove)
			vssd_folder_remove(&ports->ports[count].folder);
		else
			vssd_folder_close(&ports->ports[count].folder);
	}
	free(ports->ports);
}

static int open_folders(struct vssd_ports *ports, const char *folder, struct pyn_error *err)
{
	for (unsigned i = 0; i < ports->count; i++) {
		int result = open_folder(&ports->ports[i], folder, i + 1, err);

		if (result) {
			close_folders(ports, i, true);
			return result;
		}
	}
	return 0;
}

static void close_sessions(struct vssd_ports *ports, unsigned count)
{
	while (count-- > 0) {
		vssd_control_deinit(&ports->ports[count].control);
		vssd_session_deinit(&ports->ports[count].session);
	}
	vssd_subsystem_destroy(ports->subsystem);
}

static int open_sessions(struct vssd_ports *ports, const struct vssd_options *options, struct pyn_error *err)
{
	int result = vssd_subsystem_create(options, &ports->subsystem, err);

	if (result)
		return result;
	for (unsigned i = 0; i < ports->count; i++) {
		struct vssd_port *port = &ports->ports[i];

		result = vssd_session_init(&port->session, ports->subsystem, err);
		if (result) {
			close_sessions(ports, i);
			return result;
		}
		vssd_control_init(&port->control, &port->session, options);
	}
	return 0;
}

int vssd_ports_open(struct vssd_ports *ports, const struct vssd_options *options, const char *folder,
		    struct pyn_error *err)
{
	int result;

	ports->count = vssd_virtual_ctrls(options);
	ports->ports = calloc(ports->count, sizeof(*ports->ports));
	if (!ports->ports)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the controllers");
	result = open_folders(ports, folder, err);
	if (result)
		return result;
	result = open_sessions(ports, options, err);
	if (result)
		close_folders(ports, ports->count, true);
	return result;
}

void vssd_ports_close(struct vssd_ports *ports, bool remove)
{
	close_sessions(ports, ports->count);
	close_folders(ports, ports->count, remove);
}
