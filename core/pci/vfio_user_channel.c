/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "core/pci/vfio_user_channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/env/env.h"
#include "core/util/clock.h"
#include "core/util/log.h"
#include "core/util/process.h"

#define STEP_NS UINT64_C(1000000000) /* how long a busy device is observed */

/* A received message; its payload is in the channel's buffer. */
struct incoming {
	struct vfu_header header;
	bool begun;    /* its first bytes have arrived */
	size_t length; /* of the payload */
	int fds[VFU_MAX_FDS];
	unsigned num_fds;
};

static const char *const command_names[] = {
	[VFU_VERSION] = "VERSION",
	[VFU_DMA_MAP] = "DMA_MAP",
	[VFU_DMA_UNMAP] = "DMA_UNMAP",
	[VFU_DEVICE_GET_INFO] = "DEVICE_GET_INFO",
	[VFU_DEVICE_GET_REGION_INFO] = "DEVICE_GET_REGION_INFO",
	[VFU_DEVICE_GET_IRQ_INFO] = "DEVICE_GET_IRQ_INFO",
	[VFU_DEVICE_SET_IRQS] = "DEVICE_SET_IRQS",
	[VFU_REGION_READ] = "REGION_READ",
	[VFU_REGION_WRITE] = "REGION_WRITE",
	[VFU_DMA_READ] = "DMA_READ",
	[VFU_DMA_WRITE] = "DMA_WRITE",
	[VFU_DEVICE_RESET] = "DEVICE_RESET",
};

const char *pyn_vfu_command_name(uint16_t command)
{
	const char *name = command < sizeof(command_names) / sizeof(command_names[0]) ? command_names[command] : NULL;

	return name ? name : "?";
}

int pyn_vfu_channel_init(struct pyn_vfu_channel *channel, int fd, const char *path, struct pyn_error *err)
{
	struct ucred device = {.pid = 0};
	socklen_t size = sizeof(device);

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &device, &size);
	*channel =
		(struct pyn_vfu_channel){.fd = fd, .owner = getpid(), .peer = device.pid, .max_data = VFU_MAX_DATA};
	snprintf(channel->path, sizeof(channel->path), "%s", path);
	pthread_mutex_init(&channel->lock, NULL);
	channel->payload = malloc(VFU_MAX_MESSAGE);
	if (channel->payload)
		return 0;
	close(fd);
	channel->fd = -1;
	return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a connection to %s", path);
}

void pyn_vfu_channel_deinit(struct pyn_vfu_channel *channel)
{
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
	channel->broken = true;
	pthread_mutex_destroy(&channel->lock);
	free(channel->payload);
	channel->payload = NULL;
}

bool pyn_vfu_channel_closed(const struct pyn_vfu_channel *channel)
{
	struct pollfd look = {.fd = channel->fd, .events = POLLRDHUP};

	return poll(&look, 1, 0) > 0 && look.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL);
}

bool pyn_vfu_channel_alive(const struct pyn_vfu_channel *channel)
{
	return !channel->broken && !pyn_vfu_channel_closed(channel);
}

static int does_not_answer(const struct pyn_vfu_channel *channel, uint16_t command, struct pyn_error *err)
{
	return pyn_error(err, PYN_ERROR_GONE, ETIMEDOUT, "the device at %s does not answer (asked for %s)",
			 channel->path, pyn_vfu_command_name(command));
}

/* Mark the channel broken and report it; number is the errno. */
static int broken(struct pyn_vfu_channel *channel, uint16_t command, int number, struct pyn_error *err)
{
	const char *name = pyn_vfu_command_name(command);

	channel->broken = true;
	switch (number) {
	case ETIMEDOUT:
		return does_not_answer(channel, command, err);
	case EPIPE:
	case ECONNRESET:
		return pyn_error(err, PYN_ERROR_GONE, ECONNRESET,
				 "the device at %s closed the connection (asked for %s)", channel->path, name);
	case EPROTO:
		return pyn_error(err, PYN_ERROR_GONE, number, "the device at %s gave no proper answer to %s",
				 channel->path, name);
	default:
		return pyn_error(err, PYN_ERROR_GONE, number, "the connection to %s failed (asked for %s): %s",
				 channel->path, name, strerror(number));
	}
}

static int wait_for(int fd, short events, uint64_t deadline)
{
	for (;;) {
		struct pollfd look = {.fd = fd, .events = events};
		uint64_t now = pyn_monotonic_ns();
		int rc;

		if (now >= deadline)
			return -ETIMEDOUT;
		rc = poll(&look, 1, (int)((deadline - now + 999999) / 1000000));
		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return -errno;
	}
}

/* Remove the bytes that have been sent from the pieces. */
static void pieces_advance(struct msghdr *message, size_t sent)
{
	while (message->msg_iovlen && sent >= message->msg_iov->iov_len) {
		sent -= message->msg_iov->iov_len;
		message->msg_iov++;
		message->msg_iovlen--;
	}
	if (message->msg_iovlen) {
		message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + sent;
		message->msg_iov->iov_len -= sent;
	}
}

static int send_all(int fd, struct msghdr *message, uint64_t deadline)
{
	while (message->msg_iovlen) {
		ssize_t sent = sendmsg(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent >= 0) {
			pieces_advance(message, (size_t)sent);
			/* The descriptor goes with the first byte, and only once. */
			message->msg_control = NULL;
			message->msg_controllen = 0;
		} else if (errno == EAGAIN) {
			int rc = wait_for(fd, POLLOUT, deadline);

			if (rc)
				return rc;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * VFU_MAX_FDS)];
};

static int send_message(struct pyn_vfu_channel *channel, struct vfu_header *header, const struct iovec *pieces,
			unsigned count, int fd, uint64_t deadline)
{
	struct iovec all[3] = {{.iov_base = header, .iov_len = sizeof(*header)}};
	struct msghdr message = {.msg_iov = all, .msg_iovlen = 1};
	union control control = {0};
	size_t size = sizeof(*header);

	for (unsigned i = 0; i < count; i++) {
		if (!pieces[i].iov_len)
			continue;
		all[message.msg_iovlen++] = pieces[i];
		size += pieces[i].iov_len;
	}
	header->size = (uint32_t)size;
	if (fd >= 0) {
		struct cmsghdr *item;

		message.msg_control = control.space;
		message.msg_controllen = CMSG_SPACE(sizeof(fd));
		item = CMSG_FIRSTHDR(&message);
		item->cmsg_level = SOL_SOCKET;
		item->cmsg_type = SCM_RIGHTS;
		item->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(item), &fd, sizeof(fd));
	}
	return send_all(channel->fd, &message, deadline);
}

static void close_all(int *fds, unsigned *count)
{
	while (*count)
		close(fds[--*count]);
}

static void keep_fds(struct incoming *in, struct msghdr *message)
{
	for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item; item = CMSG_NXTHDR(message, item)) {
		size_t count;

		if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
			continue;
		count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(item) + i * sizeof(int), sizeof(fd));
			if (in->num_fds < VFU_MAX_FDS)
				in->fds[in->num_fds++] = fd;
			else
				close(fd);
		}
	}
}

/* Receive exactly length bytes, never more: descriptors belong to the message whose bytes they come with. */
static int receive_all(int fd, void *data, size_t length, struct incoming *in, uint64_t deadline)
{
	size_t done = 0;

	while (done < length) {
		struct iovec piece = {.iov_base = (char *)data + done, .iov_len = length - done};
		union control control;
		struct msghdr message = {.msg_iov = &piece,
					 .msg_iovlen = 1,
					 .msg_control = control.space,
					 .msg_controllen = sizeof(control.space)};
		ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (got > 0) {
			keep_fds(in, &message);
			if (message.msg_flags & MSG_CTRUNC)
				return -EPROTO;
			done += (size_t)got;
			in->begun = true;
		} else if (got == 0) {
			return -ECONNRESET;
		} else if (errno == EAGAIN) {
			int rc = wait_for(fd, POLLIN, deadline);

			if (rc)
				return rc;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static bool header_is_possible(const struct vfu_header *header)
{
	uint32_t type = header->flags & VFU_FLAGS_TYPE;

	return header->size >= sizeof(*header) && header->size <= VFU_MAX_MESSAGE &&
	       (type == VFU_FLAGS_COMMAND || type == VFU_FLAGS_REPLY);
}

static int receive_message(struct pyn_vfu_channel *channel, struct incoming *in, uint64_t deadline)
{
	int rc;

	in->num_fds = 0;
	in->length = 0;
	in->begun = false;
	rc = receive_all(channel->fd, &in->header, sizeof(in->header), in, deadline);
	if (!rc && !header_is_possible(&in->header))
		rc = -EPROTO;
	if (!rc) {
		in->length = in->header.size - sizeof(in->header);
		rc = receive_all(channel->fd, channel->payload, in->length, in, deadline);
	}
	if (rc)
		close_all(in->fds, &in->num_fds);
	return rc;
}

/* The count bytes of DMA memory at iova; NULL: outside of what is mapped for the device. */
static void *dma_memory(struct pyn_iova iova, uint64_t count)
{
	const struct pyn_dma_region *regions;
	size_t num = pyn_dma_regions(&regions);

	for (size_t i = 0; i < num; i++) {
		uint64_t at = iova.value - pyn_dma_iova(regions[i].address).value;

		if (at < regions[i].length && count <= regions[i].length - at)
			return (char *)regions[i].address + at;
	}
	return NULL;
}

static bool is_dma_access(const struct incoming *in, const struct vfu_dma_access *access)
{
	uint64_t data = in->header.command == VFU_DMA_WRITE ? access->count : 0;

	return in->length == sizeof(*access) + data && access->count <= VFU_MAX_DATA &&
	       dma_memory((struct pyn_iova){access->address}, access->count);
}

/* Answer a request of the device. Returns 0 or -errno of the connection. */
static int serve(struct pyn_vfu_channel *channel, const struct incoming *in, uint64_t deadline)
{
	struct vfu_header header = {.id = in->header.id, .command = in->header.command, .flags = VFU_FLAGS_REPLY};
	struct vfu_dma_access access = {0};
	struct iovec answer[2] = {{0}};

	if (in->length >= sizeof(access))
		memcpy(&access, channel->payload, sizeof(access));
	if (in->header.command != VFU_DMA_READ && in->header.command != VFU_DMA_WRITE) {
		header.flags |= VFU_FLAGS_ERROR;
		header.error = ENOTSUP;
	} else if (in->length < sizeof(access) || !is_dma_access(in, &access)) {
		header.flags |= VFU_FLAGS_ERROR;
		header.error = EFAULT;
	} else {
		void *memory = dma_memory((struct pyn_iova){access.address}, access.count);

		answer[0] = (struct iovec){.iov_base = &access, .iov_len = sizeof(access)};
		if (in->header.command == VFU_DMA_WRITE)
			memcpy(memory, channel->payload + sizeof(access), access.count);
		else
			answer[1] = (struct iovec){.iov_base = memory, .iov_len = access.count};
	}
	if (header.flags & VFU_FLAGS_ERROR)
		pyn_log(PYN_LOG_DEBUG, "%s asked for %s (%u), address %#llx, %llu bytes: refused", channel->path,
			pyn_vfu_command_name(in->header.command), in->header.command,
			(unsigned long long)access.address, (unsigned long long)access.count);
	if (in->header.flags & VFU_FLAGS_NO_REPLY)
		return 0;
	return send_message(channel, &header, answer, 2, -1, deadline);
}

/* Receive the next reply. Answers requests of the device that come before it. */
static int receive_reply(struct pyn_vfu_channel *channel, struct incoming *in, uint64_t deadline)
{
	for (;;) {
		int rc = receive_message(channel, in, deadline);

		if (rc)
			return rc;
		if ((in->header.flags & VFU_FLAGS_TYPE) == VFU_FLAGS_REPLY)
			return 0;
		close_all(in->fds, &in->num_fds);
		rc = serve(channel, in, deadline);
		if (rc)
			return rc;
		/* Check the time here: a device that sends requests without end never leaves the socket empty. */
		if (pyn_monotonic_ns() >= deadline)
			return -ETIMEDOUT;
	}
}

static bool reply_fits(const struct incoming *in, const struct vfu_header *request, const struct pyn_vfu_call *call)
{
	if (in->header.id != request->id || in->header.command != request->command)
		return false;
	return (in->header.flags & VFU_FLAGS_ERROR) ||
	       (in->length >= call->reply_min && in->length <= call->reply_max);
}

static int refused(const struct pyn_vfu_channel *channel, const struct incoming *in, struct pyn_error *err)
{
	/* An error reply with errno 0, or with one that strerror does not know, is still a refusal. */
	int number = in->header.error > 0 && in->header.error < 4096 ? (int)in->header.error : EINVAL;

	return pyn_error(err, PYN_ERROR_UNSUPPORTED, number, "the device at %s refused %s: %s", channel->path,
			 pyn_vfu_command_name(in->header.command), strerror(number));
}

/* Give the descriptors and the payload to the caller. */
static void hand_over(const struct pyn_vfu_channel *channel, struct incoming *in, struct pyn_vfu_call *call)
{
	while (in->num_fds > call->want_fds)
		close(in->fds[--in->num_fds]);
	memcpy(call->fds, in->fds, in->num_fds * sizeof(in->fds[0]));
	call->num_fds = in->num_fds;
	call->reply_length = in->length;
	if (in->length)
		memcpy(call->reply, channel->payload, in->length);
}

static int still_silent(const struct pyn_vfu_channel *channel, uint16_t command, struct pyn_error *err)
{
	return pyn_error(
		err, PYN_ERROR_GONE, ETIMEDOUT,
		"the device at %s still does not answer (asked for %s): is its process stopped? It can be used "
		"again as soon as it goes on",
		channel->path, pyn_vfu_command_name(command));
}

/* Drop the late answer of a silent device. Waits a short time, which a process that continues needs to answer. */
static int end_silence(struct pyn_vfu_channel *channel, uint16_t command, struct pyn_error *err)
{
	uint64_t deadline = pyn_monotonic_ns() + PYN_VFU_ANSWER_MS * UINT64_C(1000000);
	struct pollfd look = {.fd = channel->fd, .events = POLLIN};
	struct incoming in;
	int rc;

	if (poll(&look, 1, PYN_VFU_WAKE_MS) <= 0)
		return still_silent(channel, command, err);
	rc = receive_reply(channel, &in, deadline);
	if (rc == -ETIMEDOUT && !in.begun)
		return still_silent(channel, command, err);
	if (rc)
		return broken(channel, command, -rc, err);
	close_all(in.fds, &in.num_fds);
	if (in.header.id != (uint16_t)(channel->next_id - 1))
		return broken(channel, command, EPROTO, err);
	channel->silent = false;
	return 0;
}

/*
 * Wait on after a time-out for a device that is ready to run and gets no CPU, as on an overloaded machine. A device
 * that sleeps, is stopped, or uses a CPU without an answer stays silent.
 */
static int receive_late_reply(struct pyn_vfu_channel *channel, struct incoming *in)
{
	uint64_t end = pyn_monotonic_ns() + PYN_VFU_BUSY_MS * UINT64_C(1000000);
	uint64_t ran, before = 0;
	int rc = -ETIMEDOUT;

	while (rc == -ETIMEDOUT && !in->begun && pyn_monotonic_ns() < end) {
		bool busy =
			channel->peer > 0 && channel->peer != getpid() && pyn_process_is_busy(channel->peer, &ran);

		rc = receive_reply(channel, in, pyn_monotonic_ns() + (busy ? STEP_NS : 0));
		if (!busy || (before && ran - before > STEP_NS / 2))
			break;
		before = ran;
	}
	return rc;
}

static int call_locked(struct pyn_vfu_channel *channel, struct pyn_vfu_call *call, struct pyn_error *err)
{
	unsigned answer_ms = call->answer_ms ? call->answer_ms : PYN_VFU_ANSWER_MS;
	uint64_t deadline = pyn_monotonic_ns() + (uint64_t)answer_ms * 1000000u;
	struct vfu_header header = {.command = call->command, .flags = VFU_FLAGS_COMMAND};
	struct incoming in = {.begun = true};
	int rc;

	if (channel->broken)
		return pyn_error(err, PYN_ERROR_GONE, ENODEV, "the device at %s is gone", channel->path);
	rc = channel->silent ? end_silence(channel, call->command, err) : 0;
	if (rc)
		return rc;
	header.id = channel->next_id++;
	rc = send_message(channel, &header, call->request, 2, call->fd, deadline);
	if (!rc)
		rc = receive_reply(channel, &in, deadline);
	if (rc == -ETIMEDOUT && !in.begun)
		rc = receive_late_reply(channel, &in);
	channel->silent = rc == -ETIMEDOUT && !in.begun;
	if (channel->silent)
		return does_not_answer(channel, call->command, err);
	if (rc)
		return broken(channel, call->command, -rc, err);
	if (!reply_fits(&in, &header, call)) {
		close_all(in.fds, &in.num_fds);
		return broken(channel, call->command, EPROTO, err);
	}
	if (in.header.flags & VFU_FLAGS_ERROR) {
		close_all(in.fds, &in.num_fds);
		return refused(channel, &in, err);
	}
	hand_over(channel, &in, call);
	return 0;
}

int pyn_vfu_call(struct pyn_vfu_channel *channel, struct pyn_vfu_call *call, struct pyn_error *err)
{
	int rc;

	call->num_fds = 0;
	call->reply_length = 0;
	/* Check this before taking the lock: in a forked process a thread that does not exist may hold it. */
	if (channel->owner != getpid())
		return pyn_error(err, PYN_ERROR_STATE, EPERM,
				 "the device at %s belongs to process %d, not to %d (asked for %s)", channel->path,
				 channel->owner, getpid(), pyn_vfu_command_name(call->command));
	pthread_mutex_lock(&channel->lock);
	rc = call_locked(channel, call, err);
	pthread_mutex_unlock(&channel->lock);
	return rc;
}
