/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A drive's address is a folder. It holds the sockets `cntrl` (vfio-user) and `control` (vssd/control_protocol.h),
 * and the file `lock`, which the process that serves the folder keeps locked and writes its PID into.
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
 * Create the folder if it does not exist (but not its parents), lock it and listen. Replace sockets that no process
 * serves any more. -EBUSY: another process serves the folder; -EEXIST: a file that is no socket has a socket's name;
 * -ENAMETOOLONG: the path is too long; others: the errno of a system call.
 */
int vssd_folder_open(struct vssd_folder *folder, const char *path, struct pyn_error *err);

/* Stop listening and remove the files; the folder stays, for the next drive. */
void vssd_folder_close(struct vssd_folder *folder);

/* The same; also remove the folder if vssd_folder_open() created it and it is empty. */
void vssd_folder_remove(struct vssd_folder *folder);

#endif
