/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A drive's address: a folder that holds the sockets `cntrl` (vfio-user) and `control` (vssd/control_protocol.h), and
 * `lock`, which one process holds as long as it serves the folder, and which names that process.
 */
#ifndef VSSD_SERVER_FOLDER_H
#define VSSD_SERVER_FOLDER_H

#include <stdbool.h>

#include "core/util/error.h"

struct vssd_folder {
	const char *path; /* not owned */
	bool created;     /* the folder did not exist before */
	int lock_fd;
	int client_fd;  /* listens at `cntrl` */
	int control_fd; /* listens at `control` */
};

/*
 * Create the folder where there is none (not its parents), lock it and listen. Sockets that nobody serves any more
 * are replaced. -EBUSY: another process serves it; -EEXIST: something else bears a socket's name; -ENAMETOOLONG;
 * others as the system calls fail.
 */
int vssd_folder_open(struct vssd_folder *folder, const char *path, struct pyn_error *err);

/* Stop listening and remove the files; the folder stays, for the next drive. */
void vssd_folder_close(struct vssd_folder *folder);

/* The same, and remove the folder if vssd_folder_open() made it and it holds nothing else. */
void vssd_folder_remove(struct vssd_folder *folder);

#endif
