/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Preloaded into nvme-cli: its commands go to a socket, and so to a virtual SSD, instead of the kernel.
 *
 * nvme-cli speaks to a kernel's device file by ioctl(). This one sends each command to the Unix socket that
 * NVME_IOCTL_SOCKET names: 0 (admin) or 1 (I/O) in 32 bits, a struct nvme_passthru_cmd, and the data of commands that
 * send some. The answer is the status (SCT << 8 | SC, 32 bits), dword 0 of the completion, and the data of commands
 * that fetch some. tests/vssd/nvme_cli.py is the other end.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/ioctl.h>
#include <linux/nvme_ioctl.h>

#define OPCODE_SENDS 1
#define OPCODE_FETCHES 2

int ioctl(int device, unsigned long request, ...);

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (!path || strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int put(int fd, const void *data, size_t size)
{
	for (ssize_t done; size; data = (const char *)data + done, size -= (size_t)done)
		if ((done = send(fd, data, size, MSG_NOSIGNAL)) <= 0)
			return -1;
	return 0;
}

static int get(int fd, void *data, size_t size)
{
	for (ssize_t done; size; data = (char *)data + done, size -= (size_t)done)
		if ((done = recv(fd, data, size, 0)) <= 0)
			return -1;
	return 0;
}

static int exchange(int fd, uint32_t io, struct nvme_passthru_cmd *cmd)
{
	void *data = (void *)(uintptr_t)cmd->addr;
	size_t sends = cmd->opcode & OPCODE_SENDS ? cmd->data_len : 0;
	size_t fetches = cmd->opcode & OPCODE_FETCHES ? cmd->data_len : 0;
	uint32_t answer[2];

	if (put(fd, &io, sizeof(io)) || put(fd, cmd, sizeof(*cmd)) || put(fd, data, sends))
		return -1;
	if (get(fd, answer, sizeof(answer)) || get(fd, data, fetches))
		return -1;
	cmd->result = answer[1];
	return (int)answer[0];
}

int ioctl(int device, unsigned long request, ...)
{
	struct nvme_passthru_cmd *cmd;
	va_list args;
	int fd, status;

	va_start(args, request);
	cmd = va_arg(args, struct nvme_passthru_cmd *);
	va_end(args);
	(void)device;
	if (request == (unsigned long)NVME_IOCTL_ID)
		return 1;
	if (request == (unsigned long)NVME_IOCTL_RESCAN)
		return 0;
	if (request != NVME_IOCTL_ADMIN_CMD && request != NVME_IOCTL_IO_CMD) {
		errno = ENOTTY;
		return -1;
	}
	fd = connect_to(getenv("NVME_IOCTL_SOCKET"));
	status = fd < 0 ? -1 : exchange(fd, request == NVME_IOCTL_IO_CMD, cmd);
	if (fd >= 0)
		close(fd);
	if (status < 0)
		errno = ENXIO;
	return status;
}
