/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "core/pci/vfio_user_connect.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/clock.h"

#define SOCKET_NAME "cntrl"
#define MAJOR 0u
#define MINOR 1u
#define CAPABILITIES "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576}}"
#define SHOWN "%.120s"     /* as much of a path as leaves room for the rest of the error */
#define VERSION_REPLY 4096 /* bytes */
#define RETRY_NS 10000000  /* while the server's queue of connections is full */

uint64_t pyn_vfu_json_number(const char *json, size_t length, const char *key, uint64_t fallback)
{
	const char *end = json + length, *at;
	uint64_t number = 0;
	char quoted[64];
	int digits = 0;

	snprintf(quoted, sizeof(quoted), "\"%s\"", key);
	at = memmem(json, length, quoted, strlen(quoted));
	if (!at)
		return fallback;
	at += strlen(quoted);
	while (at < end && isspace((unsigned char)*at))
		at++;
	if (at == end || *at++ != ':')
		return fallback;
	while (at < end && isspace((unsigned char)*at))
		at++;
	for (; at < end && isdigit((unsigned char)*at) && digits < 18; at++, digits++)
		number = number * 10 + (uint64_t)(*at - '0');
	return digits ? number : fallback;
}

static const char *file_kind(mode_t mode)
{
	if (S_ISREG(mode))
		return "a regular file";
	if (S_ISBLK(mode) || S_ISCHR(mode))
		return "a device file of the kernel";
	return S_ISFIFO(mode) ? "a pipe" : "no socket";
}

static int no_such(const char *path, int number, struct pyn_error *err)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
		return pyn_error(err, PYN_ERROR_ENUMERATE, number,
				 "there is no socket at " SHOWN ": `python -m pynvme vssd` starts a virtual SSD",
				 path);
	case EACCES:
	case EPERM:
		return pyn_error(err, PYN_ERROR_ENUMERATE, number, "user %u has no permission for " SHOWN, geteuid(),
				 path);
	default:
		return pyn_error(err, PYN_ERROR_ENUMERATE, number, SHOWN " cannot be opened: %s", path,
				 strerror(number));
	}
}

int pyn_vfu_find_socket(const char *path, char *socket_path, struct pyn_error *err)
{
	struct stat status;
	const char *name = "";
	int length;

	if (stat(path, &status))
		return no_such(path, errno, err);
	if (S_ISDIR(status.st_mode))
		name = path[strlen(path) - 1] == '/' ? SOCKET_NAME : "/" SOCKET_NAME;
	length = snprintf(socket_path, PYN_VFU_PATH, "%s%s", path, name);
	if (length >= PYN_VFU_PATH)
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENAMETOOLONG,
				 "the path of the socket has %d characters, and a socket's may have %d: %.100s…",
				 length, PYN_VFU_PATH - 1, path);
	if (*name && stat(socket_path, &status)) {
		if (errno != ENOENT)
			return no_such(socket_path, errno, err);
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENOENT,
				 "the directory " SHOWN " holds no socket `" SOCKET_NAME
				 "`: no vfio-user device is there",
				 path);
	}
	if (!S_ISSOCK(status.st_mode))
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENOTSOCK, "%s is %s, not the socket of a vfio-user device",
				 socket_path, file_kind(status.st_mode));
	return 0;
}

static int connect_failed(const char *path, int number, struct pyn_error *err)
{
	switch (number) {
	case ECONNREFUSED:
		return pyn_error(err, PYN_ERROR_ENUMERATE, number,
				 "nobody listens at %s: the program that made this socket has ended", path);
	case EAGAIN:
		return pyn_error(err, PYN_ERROR_ENUMERATE, EBUSY,
				 "the device at %s takes no connection now: other clients have it, or wait for it",
				 path);
	case EPROTOTYPE:
		return pyn_error(err, PYN_ERROR_ENUMERATE, number,
				 "%s is a socket of another type, not one of a vfio-user device", path);
	default:
		return no_such(path, number, err);
	}
}

static int connect_socket(const char *path, int *fd, struct pyn_error *err)
{
	uint64_t deadline = pyn_monotonic_ns() + PYN_VFU_ANSWER_MS * UINT64_C(1000000);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int socket_fd PYN_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (socket_fd < 0)
		return pyn_error(err, PYN_ERROR_SYSTEM, errno, "no socket: %s", strerror(errno));
	memcpy(address.sun_path, path, strlen(path) + 1);
	while (connect(socket_fd, (struct sockaddr *)&address, sizeof(address))) {
		struct timespec pause = {.tv_nsec = RETRY_NS};

		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || pyn_monotonic_ns() >= deadline)
			return connect_failed(path, errno, err);
		nanosleep(&pause, NULL);
	}
	*fd = PYN_TAKE_FD(socket_fd);
	return 0;
}

/* Explain a failed VERSION by what is probably at the other end. */
static int version_failed(const struct pyn_vfu_channel *channel, const struct pyn_error *cause, struct pyn_error *err)
{
	switch (cause->number) {
	case ECONNRESET:
		return pyn_error(err, PYN_ERROR_ENUMERATE, EBUSY,
				 "the device at %s closed the connection at once: another client has it",
				 channel->path);
	case ETIMEDOUT:
		return pyn_error(
			err, PYN_ERROR_ENUMERATE, ETIMEDOUT,
			"%s accepts connections but did not answer within %u ms: another client has it, or it is "
			"no vfio-user device",
			channel->path, PYN_VFU_ANSWER_MS);
	case EPROTO:
		return pyn_error(err, PYN_ERROR_ENUMERATE, EPROTO, "what answers at %s does not speak vfio-user",
				 channel->path);
	default:
		return pyn_error(err, PYN_ERROR_ENUMERATE, cause->number, "%s", cause->text);
	}
}

static int exchange_version(struct pyn_vfu_channel *channel, struct pyn_error *err)
{
	struct vfu_version version = {.major = MAJOR, .minor = MINOR};
	char reply[VERSION_REPLY];
	struct pyn_vfu_call call = {
		.command = VFU_VERSION,
		.request = {{.iov_base = &version, .iov_len = sizeof(version)},
			    {.iov_base = (char *)CAPABILITIES, .iov_len = sizeof(CAPABILITIES)}},
		.fd = -1,
		.reply = reply,
		.reply_min = sizeof(version),
		.reply_max = sizeof(reply),
	};
	const char *json = reply + sizeof(version);
	struct pyn_error cause;
	uint64_t data, fds;

	if (pyn_vfu_call(channel, &call, &cause))
		return version_failed(channel, &cause, err);
	memcpy(&version, reply, sizeof(version));
	if (version.major != MAJOR || version.minor > MINOR)
		return pyn_error(err, PYN_ERROR_ENUMERATE, EPROTO,
				 "the device at %s speaks version %u.%u of vfio-user, this build %u.%u",
				 channel->path, version.major, version.minor, MAJOR, MINOR);
	data = pyn_vfu_json_number(json, call.reply_length - sizeof(version), "max_data_xfer_size", VFU_MAX_DATA);
	fds = pyn_vfu_json_number(json, call.reply_length - sizeof(version), "max_msg_fds", 1);
	if (data < sizeof(uint64_t) || !fds)
		return pyn_error(
			err, PYN_ERROR_ENUMERATE, EPROTO,
			"the device at %s takes %llu bytes and %llu descriptors a message: too few to be driven",
			channel->path, (unsigned long long)data, (unsigned long long)fds);
	channel->max_data = data < VFU_MAX_DATA ? (uint32_t)data : VFU_MAX_DATA;
	return 0;
}

int pyn_vfu_connect(const char *path, struct pyn_vfu_channel *channel, struct pyn_error *err)
{
	char socket_path[PYN_VFU_PATH];
	int fd = -1, rc;

	rc = pyn_vfu_find_socket(path, socket_path, err);
	if (!rc)
		rc = connect_socket(socket_path, &fd, err);
	if (!rc)
		rc = pyn_vfu_channel_init(channel, fd, socket_path, err);
	if (rc)
		return rc;
	rc = exchange_version(channel, err);
	if (rc)
		pyn_vfu_channel_deinit(channel);
	return rc;
}
