/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vfio-user connections. SPDK does not show them, does not lock them, and waits for answers without limit. So the
 * linker redirects these calls here (--wrap in tools/native.mk):
 *
 *   spdk_vfio_user_setup, socket   to know the connection, and its socket
 *   spdk_vfio_user_release         after it there is no connection
 *   spdk_vfio_user_pci_bar_access  to let one thread at a time ask, and to notice a device that does not answer
 *
 * If no answer comes, the connection is silent: every later question fails soon, until the answer comes and is
 * dropped.
 */
#define _GNU_SOURCE 1
#include "spdk/private.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <spdk/vfio_user_pci.h>

#define ANSWER_S 2  /* after this time without an answer a device is silent */
#define WAKE_MS 200 /* each question waits this long for a silent device */
#define WIRES 256

struct vfio_device *__real_spdk_vfio_user_setup(const char *path);
struct vfio_device *__wrap_spdk_vfio_user_setup(const char *path);
void __real_spdk_vfio_user_release(struct vfio_device *dev);
void __wrap_spdk_vfio_user_release(struct vfio_device *dev);
int __real_spdk_vfio_user_pci_bar_access(struct vfio_device *dev, uint32_t index, uint64_t offset, size_t length,
					 void *data, bool is_write);
int __wrap_spdk_vfio_user_pci_bar_access(struct vfio_device *dev, uint32_t index, uint64_t offset, size_t length,
					 void *data, bool is_write);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);

/* ---- the connections of this process ---- */

struct wire {
	struct vfio_device *dev; /* NULL: not in use */
	int socket;              /* SPDK's */
	bool is_silent;
	pthread_mutex_t lock; /* from a question to its answer */
};

static struct wire the_wires[WIRES];
static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool is_connecting;
static _Thread_local int the_socket;
static _Thread_local struct vfio_device *the_newest;

static struct wire *find(const struct vfio_device *dev)
{
	struct wire *found = NULL;

	pthread_mutex_lock(&the_lock);
	for (unsigned i = 0; i < WIRES && !found; i++)
		if (the_wires[i].dev == dev)
			found = &the_wires[i];
	pthread_mutex_unlock(&the_lock);
	return found;
}

static bool keep(struct vfio_device *dev)
{
	struct wire *wire = NULL;

	pthread_mutex_lock(&the_lock);
	for (unsigned i = 0; i < WIRES && !wire; i++)
		if (!the_wires[i].dev)
			wire = &the_wires[i];
	if (wire) {
		pthread_mutex_init(&wire->lock, NULL);
		wire->socket = the_socket;
		wire->is_silent = false;
		wire->dev = dev;
	}
	pthread_mutex_unlock(&the_lock);
	return wire != NULL;
}

struct vfio_device *__wrap_spdk_vfio_user_setup(const char *path)
{
	the_socket = -1;
	is_connecting = true;
	the_newest = __real_spdk_vfio_user_setup(path);
	is_connecting = false;
	if (the_newest && !keep(the_newest)) {
		__real_spdk_vfio_user_release(the_newest);
		the_newest = NULL;
	}
	return the_newest;
}

int __wrap_socket(int domain, int type, int protocol)
{
	const struct timeval answer = {.tv_sec = ANSWER_S};
	int fd = __real_socket(domain, type, protocol);

	if (!is_connecting || fd < 0)
		return fd;
	the_socket = fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &answer, sizeof(answer));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &answer, sizeof(answer));
	return fd;
}

/* SPDK tells the device that its memory goes. A silent one would let it wait for each piece. */
void __wrap_spdk_vfio_user_release(struct vfio_device *dev)
{
	struct wire *wire = find(dev);

	if (wire && wire->is_silent)
		shutdown(wire->socket, SHUT_RDWR);
	__real_spdk_vfio_user_release(dev);
	pthread_mutex_lock(&the_lock);
	if (wire)
		wire->dev = NULL;
	pthread_mutex_unlock(&the_lock);
}

struct vfio_device *pyn_spdk_connection(int *socket)
{
	*socket = the_socket;
	return the_newest;
}

/* ---- questions ---- */

static bool drop(int fd, size_t size)
{
	char bytes[256];

	while (size) {
		ssize_t count = recv(fd, bytes, size < sizeof(bytes) ? size : sizeof(bytes), 0);

		if (count <= 0)
			return false;
		size -= (size_t)count;
	}
	return true;
}

/* Wait a moment for the late answer, and drop it. */
static bool wakes(struct wire *wire)
{
	struct pollfd look = {.fd = wire->socket, .events = POLLIN};
	struct vfio_user_header header;

	if (poll(&look, 1, WAKE_MS) <= 0 ||
	    recv(wire->socket, &header, sizeof(header), MSG_WAITALL) != (ssize_t)sizeof(header) ||
	    header.msg_size < sizeof(header) || !drop(wire->socket, header.msg_size - sizeof(header)))
		return false;
	wire->is_silent = false;
	return true;
}

/* Begin a question: lock the connection. false: it is silent, and not locked. */
static bool begin(struct wire *wire)
{
	pthread_mutex_lock(&wire->lock);
	if (wire->is_silent && !wakes(wire)) {
		pthread_mutex_unlock(&wire->lock);
		return false;
	}
	errno = 0;
	return true;
}

static int end(struct wire *wire, int rc)
{
	if (rc && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		wire->is_silent = true;
		rc = -ETIMEDOUT;
	}
	pthread_mutex_unlock(&wire->lock);
	return rc;
}

int __wrap_spdk_vfio_user_pci_bar_access(struct vfio_device *dev, uint32_t index, uint64_t offset, size_t length,
					 void *data, bool is_write)
{
	struct wire *wire = find(dev);

	if (!wire)
		return __real_spdk_vfio_user_pci_bar_access(dev, index, offset, length, data, is_write);
	if (!begin(wire))
		return -EAGAIN;
	return end(wire, __real_spdk_vfio_user_pci_bar_access(dev, index, offset, length, data, is_write));
}

int pyn_spdk_ask(struct vfio_device *dev, unsigned command, void *message, size_t size, size_t room)
{
	struct wire *wire = find(dev);

	if (!wire || !begin(wire))
		return -EAGAIN;
	return end(wire, spdk_vfio_user_dev_send_request(dev, (enum vfio_user_command)command, message, size, room,
							 NULL, 0));
}
