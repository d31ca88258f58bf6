/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Preloaded into nvme-cli: its MCTP socket becomes a connection to the control socket of a virtual SSD, which
 * NVME_MCTP_SOCKET names. MCTP's kernel interface keeps the message type in the address, and not in the data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#define AF_MCTP_HERE 45
#define MESSAGE_TYPE 0x84

static int the_fd = -1;

int socket(int domain, int type, int protocol)
{
	int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (domain != AF_MCTP_HERE)
		return real(domain, type, protocol);
	strncpy(address.sun_path, getenv("NVME_MCTP_SOCKET"), sizeof(address.sun_path) - 1);
	the_fd = real(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return connect(the_fd, (struct sockaddr *)&address, sizeof(address)) ? -1 : the_fd;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int) =
		(ssize_t(*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg");
	unsigned char type = MESSAGE_TYPE;
	struct iovec parts[8] = {{&type, 1}};
	struct msghdr whole = {.msg_iov = parts, .msg_iovlen = message->msg_iovlen + 1};
	ssize_t sent;

	if (fd != the_fd || message->msg_iovlen > 7)
		return real(fd, message, flags);
	memcpy(&parts[1], message->msg_iov, message->msg_iovlen * sizeof(parts[0]));
	sent = real(fd, &whole, 0);
	return sent > 0 ? sent - 1 : sent;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t (*real)(int, struct msghdr *, int) =
		(ssize_t(*)(int, struct msghdr *, int))dlsym(RTLD_NEXT, "recvmsg");
	unsigned char type = 0;
	struct iovec parts[8] = {{&type, 1}};
	struct msghdr whole = {.msg_iov = parts, .msg_iovlen = message->msg_iovlen + 1};
	unsigned char *family = message->msg_name;
	ssize_t got;

	if (fd != the_fd || message->msg_iovlen > 7)
		return real(fd, message, flags);
	memcpy(&parts[1], message->msg_iov, message->msg_iovlen * sizeof(parts[0]));
	got = real(fd, &whole, 0);
	/* struct sockaddr_mctp: the family, a network, an endpoint, the type at byte 9. */
	if (family && message->msg_namelen >= 10) {
		family[0] = AF_MCTP_HERE;
		family[9] = type;
	}
	return got > 0 ? got - 1 : got;
}
