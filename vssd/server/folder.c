/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "vssd/server/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/util/cleanup.h"

#define CLIENT_SOCKET "cntrl"
#define CONTROL_SOCKET "control"
#define LOCK "lock"

/* A client can wait here until the end of the previous one is noticed. */
#define BACKLOG 16

/* Build the address of a file in the folder. -ENAMETOOLONG: it does not fit. */
static int path_of(const struct vssd_folder *folder, const char *name, struct sockaddr_un *address)
{
	int length;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	length = snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s", folder->path, name);
	return length >= 0 && (size_t)length < sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

/* Check that the longest path fits; then the others do as well. */
static int check_length(const struct vssd_folder *folder, struct pyn_error *err)
{
	struct sockaddr_un address;

	if (path_of(folder, CONTROL_SOCKET, &address) == 0)
		return 0;
	return pyn_error(err, PYN_ERROR_ARGUMENT, ENAMETOOLONG,
			 "the folder's path has %zu characters, but with \"/" CONTROL_SOCKET
			 "\" it must stay below %zu: choose a shorter one",
			 strlen(folder->path), sizeof(address.sun_path));
}

static int make_folder(struct vssd_folder *folder, struct pyn_error *err)
{
	struct stat found;

	folder->created = mkdir(folder->path, 0700) == 0;
	if (folder->created)
		return 0;
	if (errno != EEXIST)
		return pyn_error(err, PYN_ERROR_SYSTEM, errno, "cannot make the folder %s: %s", folder->path,
				 strerror(errno));
	if (stat(folder->path, &found) == 0 && S_ISDIR(found.st_mode))
		return 0;
	return pyn_error(err, PYN_ERROR_ARGUMENT, ENOTDIR, "%s exists and is not a folder", folder->path);
}

/* Whether fd is still the file at this path: a process that ends removes its lock file while it holds the lock. */
static bool is_still_at(int fd, const char *path)
{
	struct stat held, found;

	return fstat(fd, &held) == 0 && stat(path, &found) == 0 && held.st_dev == found.st_dev &&
	       held.st_ino == found.st_ino;
}

/* Read the PID that the owner of the lock wrote into it; empty if it has not done so yet. */
static void read_owner(int fd, char text[static 32])
{
	char number[16] = "";

	text[0] = '\0';
	if (pread(fd, number, sizeof(number) - 1, 0) > 0 && atoi(number) > 0)
		snprintf(text, 32, " (process %d)", atoi(number));
}

static int take_lock(struct vssd_folder *folder, struct pyn_error *err)
{
	struct sockaddr_un address;

	path_of(folder, LOCK, &address);
	for (;;) {
		int fd PYN_CLOSE = open(address.sun_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return pyn_error(err, PYN_ERROR_SYSTEM, errno, "cannot open %s: %s", address.sun_path,
					 strerror(errno));
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			char owner[32];

			read_owner(fd, owner);
			return pyn_error(err, PYN_ERROR_ENUMERATE, EBUSY,
					 "another virtual SSD%s serves %s already: choose another folder or end it",
					 owner, folder->path);
		}
		if (is_still_at(fd, address.sun_path)) {
			if (ftruncate(fd, 0) == 0)
				dprintf(fd, "%d\n", getpid());
			folder->lock_fd = PYN_TAKE_FD(fd);
			return 0;
		}
	}
}

/* Remove a socket that a process left behind. Fail for any other file, and for a socket that a process serves. */
static int remove_stale(const struct sockaddr_un *address, int type, struct pyn_error *err)
{
	int probe PYN_CLOSE = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat found;

	if (lstat(address->sun_path, &found) != 0)
		return 0;
	if (!S_ISSOCK(found.st_mode))
		return pyn_error(err, PYN_ERROR_ARGUMENT, EEXIST, "%s exists and is not a socket: it is left alone",
				 address->sun_path);
	/* Only ECONNREFUSED proves that no process serves the socket. */
	if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno != ECONNREFUSED)
		return pyn_error(err, PYN_ERROR_ENUMERATE, EBUSY, "another program serves %s", address->sun_path);
	unlink(address->sun_path);
	return 0;
}

static int listen_at(const struct vssd_folder *folder, const char *name, int type, int *listening,
		     struct pyn_error *err)
{
	int fd PYN_CLOSE = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	int result;

	path_of(folder, name, &address);
	result = remove_stale(&address, type, err);
	if (result)
		return result;
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, BACKLOG) != 0)
		return pyn_error(err, PYN_ERROR_SYSTEM, errno, "cannot listen at %s: %s", address.sun_path,
				 strerror(errno));
	*listening = PYN_TAKE_FD(fd);
	return 0;
}

int vssd_folder_open(struct vssd_folder *folder, const char *path, struct pyn_error *err)
{
	int result;

	*folder = (struct vssd_folder){.path = path, .lock_fd = -1, .client_fd = -1, .control_fd = -1};
	result = check_length(folder, err);
	if (!result)
		result = make_folder(folder, err);
	if (!result)
		result = take_lock(folder, err);
	if (!result)
		result = listen_at(folder, CONTROL_SOCKET, SOCK_SEQPACKET, &folder->control_fd, err);
	if (!result)
		result = listen_at(folder, CLIENT_SOCKET, SOCK_STREAM, &folder->client_fd, err);
	if (result)
		vssd_folder_remove(folder);
	return result;
}

static void remove_name(const struct vssd_folder *folder, const char *name)
{
	struct sockaddr_un address;

	if (path_of(folder, name, &address) == 0)
		unlink(address.sun_path);
}

static void stop_listening(const struct vssd_folder *folder, int *fd, const char *name)
{
	if (*fd < 0)
		return;
	remove_name(folder, name);
	close(*fd);
	*fd = -1;
}

void vssd_folder_close(struct vssd_folder *folder)
{
	stop_listening(folder, &folder->client_fd, CLIENT_SOCKET);
	stop_listening(folder, &folder->control_fd, CONTROL_SOCKET);
	stop_listening(folder, &folder->lock_fd, LOCK);
}

void vssd_folder_remove(struct vssd_folder *folder)
{
	vssd_folder_close(folder);
	if (folder->created)
		rmdir(folder->path);
}
