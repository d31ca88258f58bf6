/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vfio-user connections. SPDK does not show them, does not lock them, and waits for answers without limit. So the
 * linker redirects these calls here (--wrap in tools/native.mk):
 *
 *   spdk_vfio_user_setup, socket           to know the connection, and its socket
 *   spdk_vfio_user_release                 after it there is no connection
 *   spdk_vfio_user_pci_bar_access          to let one thread at a time ask, to notice a device that does not answer,
 *                                          and to give it an admin completion queue of ours
 *   spdk_nvme_qpair_process_completions    to check what it has written there, before SPDK uses it
 *
 * If no answer comes, the connection is silent: every later question fails soon, until the answer comes and is
 * dropped.
 */
#define _GNU_SOURCE 1
#include "spdk/private.h"

#include <errno.h>
#include <linux/vfio.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <spdk/nvme.h>
#include <spdk/vfio_user_pci.h>

#include "core/env/env.h"
#include "core/util/clock.h"
#include "core/util/log.h"
#include "spec/nvme_regs.h"

#define ANSWER_S 2  /* after this time without an answer a device is silent */
#define WAKE_MS 200 /* each question waits this long for a silent device */
#define WIRES 256
#define ADMIN_ENTRIES 4096u           /* at most: AQA.ACQS has 12 bits */
#define INIT_NS UINT64_C(30000000000) /* of the commands of an initialisation */
#define LOOK_NS UINT64_C(50000000)

struct vfio_device *__real_spdk_vfio_user_setup(const char *path);
struct vfio_device *__wrap_spdk_vfio_user_setup(const char *path);
void __real_spdk_vfio_user_release(struct vfio_device *dev);
void __wrap_spdk_vfio_user_release(struct vfio_device *dev);
int __real_spdk_vfio_user_pci_bar_access(struct vfio_device *dev, uint32_t index, uint64_t offset, size_t length,
					 void *data, bool is_write);
int __wrap_spdk_vfio_user_pci_bar_access(struct vfio_device *dev, uint32_t index, uint64_t offset, size_t length,
					 void *data, bool is_write);
int32_t __real_spdk_nvme_qpair_process_completions(struct spdk_nvme_qpair *queue, uint32_t most);
int32_t __wrap_spdk_nvme_qpair_process_completions(struct spdk_nvme_qpair *queue, uint32_t most);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);

/* ---- the connections of this process ---- */

struct wire {
	struct vfio_device *dev; /* NULL: not in use */
	int socket;              /* SPDK's */
	bool is_silent;
	uint8_t dstrd;        /* CAP.DSTRD */
	pthread_mutex_t lock; /* from a question to its answer */
	struct {
		struct spdk_nvme_qpair *spdk; /* NULL: SPDK has not polled it yet */
		struct nvme_cmd *sq;          /* SPDK's ring */
		struct nvme_cpl *copy;        /* SPDK's ring */
		struct nvme_cpl *ring;        /* the device's, in DMA memory */
		struct pyn_spdk_cq completions;
		uint16_t highest;     /* CID that SPDK has sent */
		struct pyn_spin lock; /* of completions */
	} admin;
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
		wire->dstrd = 0;
		memset(&wire->admin, 0, sizeof(wire->admin));
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
	if (the_newest == dev)
		the_newest = NULL;
	if (wire)
		pyn_dma_free(wire->admin.ring);
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

static int access_by(struct wire *wire, uint32_t region, uint64_t offset, size_t length, void *data, bool is_write)
{
	if (!begin(wire))
		return -EAGAIN;
	return end(wire, __real_spdk_vfio_user_pci_bar_access(wire->dev, region, offset, length, data, is_write));
}

int pyn_spdk_access(struct vfio_device *dev, uint32_t region, uint64_t offset, size_t length, void *data,
		    bool is_write)
{
	struct wire *wire = find(dev);

	return wire ? access_by(wire, region, offset, length, data, is_write) : -EAGAIN;
}

int pyn_spdk_ask(struct vfio_device *dev, unsigned command, void *message, size_t size, size_t room)
{
	struct wire *wire = find(dev);

	if (!wire || !begin(wire))
		return -EAGAIN;
	return end(wire, spdk_vfio_user_dev_send_request(dev, (enum vfio_user_command)command, message, size, room,
							 NULL, 0));
}

/* ---- the admin completion queue ---- */

static void start_admin(struct wire *wire, uint32_t aqa)
{
	if (!wire->admin.ring || !wire->admin.copy)
		return;
	pyn_spin_lock(&wire->admin.lock);
	pyn_spdk_cq_start(&wire->admin.completions, wire->admin.ring, wire->admin.copy,
			  (uint16_t)(NVME_GET(aqa, NVME_AQA_ACQS) + 1));
	pyn_spin_unlock(&wire->admin.lock);
}

/* Before SPDK empties its rings, what the device had still completed counts no more. */
static void stop_admin(struct wire *wire)
{
	pyn_spin_lock(&wire->admin.lock);
	wire->admin.completions.copy = NULL;
	pyn_spin_unlock(&wire->admin.lock);
}

/* To enable the controller, SPDK writes ASQ, ACQ, and then AQA. Let the device complete into a ring of ours. */
static int see_write(struct wire *wire, uint64_t offset, uint64_t *value)
{
	switch (offset) {
	case NVME_REG_ASQ:
		wire->admin.sq = (struct nvme_cmd *)(uintptr_t)*value;
		return 0;
	case NVME_REG_ACQ:
		wire->admin.copy = (struct nvme_cpl *)(uintptr_t)*value;
		if (!wire->admin.ring)
			wire->admin.ring = pyn_dma_alloc(ADMIN_ENTRIES * sizeof(struct nvme_cpl), 4096, NULL);
		*value = pyn_dma_iova(wire->admin.ring).value;
		return wire->admin.ring ? 0 : -ENOMEM;
	case NVME_REG_AQA:
		start_admin(wire, (uint32_t)*value);
		return 0;
	case NVME_REG_CC:
		if (!NVME_GET(*value, NVME_CC_EN))
			stop_admin(wire);
		return 0;
	default:
		return 0;
	}
}

/*
 * SPDK maps a page of doorbells, and does not check whether those of the admin queue are in it. And it would take the
 * ones that a device without power reads as for time limits of minutes. If its next reads fail, it closes the device
 * properly.
 */
static int see_read(struct wire *wire, uint64_t offset, const void *data)
{
	uint64_t cap;
	uint32_t value;

	if (offset == NVME_REG_CAP) {
		memcpy(&cap, data, sizeof(cap));
		wire->dstrd = (uint8_t)NVME_GET(cap, NVME_CAP_DSTRD);
	} else if (offset == NVME_REG_VS || offset == NVME_REG_CC) {
		memcpy(&value, data, sizeof(value));
		if (value == UINT32_MAX || !pyn_spdk_has_doorbells(0, wire->dstrd))
			return -ENODEV;
	}
	return 0;
}

bool pyn_spdk_has_doorbells(uint16_t qid, uint8_t dstrd)
{
	return nvme_cq_doorbell(qid, dstrd) + sizeof(uint32_t) <= NVME_REG_DOORBELLS + PYN_SPDK_PAGE;
}

/* An error of the first accesses would make SPDK free the controller twice. Then let it see a device that is gone. */
static int is_gone(struct wire *wire, uint32_t index, uint64_t offset, size_t length, void *data, int rc)
{
	bool is_first = the_newest == wire->dev && !wire->admin.ring;

	if (!rc || !is_first || (index != VFIO_PCI_CONFIG_REGION_INDEX && offset != NVME_REG_CAP))
		return rc;
	memset(data, 0xff, length);
	return 0;
}

static int spdk_reads(struct wire *wire, uint32_t index, uint64_t offset, size_t length, void *data)
{
	int rc = access_by(wire, index, offset, length, data, false);

	rc = is_gone(wire, index, offset, length, data, rc);
	return rc || index != VFIO_PCI_BAR0_REGION_INDEX ? rc : see_read(wire, offset, data);
}

static int spdk_writes(struct wire *wire, uint32_t index, uint64_t offset, size_t length, void *data)
{
	uint64_t value = 0;
	int rc = 0;

	if (length > sizeof(value))
		return -EINVAL;
	memcpy(&value, data, length);
	if (index == VFIO_PCI_BAR0_REGION_INDEX)
		rc = see_write(wire, offset, &value);
	if (!rc)
		rc = access_by(wire, index, offset, length, &value, true);
	return is_gone(wire, index, offset, length, &value, rc);
}

int __wrap_spdk_vfio_user_pci_bar_access(struct vfio_device *dev, uint32_t index, uint64_t offset, size_t length,
					 void *data, bool is_write)
{
	struct wire *wire = find(dev);

	if (!wire)
		return __real_spdk_vfio_user_pci_bar_access(dev, index, offset, length, data, is_write);
	return (is_write ? spdk_writes : spdk_reads)(wire, index, offset, length, data);
}

/* The connection whose admin queue this is. SPDK polls it first while it connects. */
static struct wire *wire_of(struct spdk_nvme_qpair *admin)
{
	struct wire *newest = the_newest ? find(the_newest) : NULL;

	if (newest && !newest->admin.spdk && newest->admin.ring)
		newest->admin.spdk = admin;
	if (newest && newest->admin.spdk == admin)
		return newest;
	for (unsigned i = 0; i < WIRES; i++)
		if (the_wires[i].dev && the_wires[i].admin.spdk == admin)
			return &the_wires[i];
	return NULL;
}

static void find_highest(struct wire *wire)
{
	for (uint32_t i = 0; i < wire->admin.completions.device.cq_size; i++)
		if (wire->admin.sq[i].cid > wire->admin.highest)
			wire->admin.highest = wire->admin.sq[i].cid;
}

/* Whether SPDK has a command with this CID, in flight or not: it has all CIDs up to the highest that it has sent. */
static bool is_valid(struct wire *wire, uint16_t cid)
{
	if (cid > wire->admin.highest)
		find_highest(wire);
	return cid <= wire->admin.highest;
}

/* While SPDK initialises a controller on this thread. */
static _Thread_local struct {
	bool on;
	bool fatal;    /* CSTS.CFS was 1 */
	uint64_t look; /* when to look again whether the device is there, and works */
	uint64_t ends; /* when it has taken too long; 0: the device has not completed a command yet */
} the_init;

void pyn_spdk_initialises(bool on)
{
	if (on)
		the_init.fatal = false;
	the_init.on = on;
	the_init.look = the_init.ends = 0;
}

bool pyn_spdk_saw_fatal(void)
{
	return the_init.fatal;
}

static bool is_late(uint64_t now)
{
	if (!the_init.ends)
		the_init.ends = now + INIT_NS;
	return now >= the_init.ends;
}

static bool has_hung_up(struct wire *wire)
{
	struct pollfd look = {.fd = wire->socket, .events = POLLRDHUP};

	return poll(&look, 1, 0) > 0 && look.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL);
}

static bool reports_fatal(struct wire *wire)
{
	uint32_t csts;

	if (access_by(wire, VFIO_PCI_BAR0_REGION_INDEX, NVME_REG_CSTS, sizeof(csts), &csts, false) ||
	    csts == UINT32_MAX || !NVME_GET(csts, NVME_CSTS_CFS))
		return false;
	the_init.fatal = true;
	return true;
}

/* Whether the device completes no command any more. */
static bool has_failed(struct wire *wire, uint64_t now)
{
	if (now < the_init.look)
		return false;
	the_init.look = now + LOOK_NS;
	return has_hung_up(wire) || reports_fatal(wire);
}

/* Abort all commands that SPDK may be waiting for. It ignores those that are not in flight. */
static void abort_all(struct wire *wire)
{
	struct nvme_cpl cpl = {.status = NVME_SC_ABORTED_SQ_DELETION << 1};

	find_highest(wire);
	for (uint32_t cid = 0; cid <= wire->admin.highest; cid++) {
		cpl.cid = (uint16_t)cid;
		if (wire->admin.completions.unread + 1u < wire->admin.completions.device.cq_size)
			pyn_spdk_cq_pass(&wire->admin.completions, &cpl);
	}
}

/* The status that SPDK is told; `now` is 0 unless it initialises a controller. A namespace without LBAs, such as one
 * of keys and values, refuses Identify with CNS 00h. SPDK then gives up the initialisation, but not if a namespace is
 * not there. Our commands to it do not need SPDK's. */
static uint16_t told(const struct nvme_cpl *cpl, uint64_t now)
{
	if (!now)
		return cpl->status;
	if (is_late(now))
		return NVME_SC_ABORTED_SQ_DELETION << 1;
	if ((cpl->status >> 1 & 0x7ff) == NVME_SC_INVALID_COMMAND_SET)
		return NVME_SC_INVALID_NAMESPACE << 1;
	return cpl->status;
}

/* SPDK waits long for a device that is gone or has failed, and forever for one whose list of namespaces has no end.
 * If so, abort its commands: it then gives up. */
static void check_admin(struct wire *wire)
{
	uint64_t now = the_init.on ? pyn_monotonic_ns() : 0;
	bool failed = now && wire->admin.completions.copy && has_failed(wire, now);
	struct nvme_cpl cpl;

	pyn_spin_lock(&wire->admin.lock);
	while (wire->admin.completions.copy && pyn_spdk_cq_take(&wire->admin.completions, &cpl)) {
		cpl.status = told(&cpl, now);
		if (is_valid(wire, cpl.cid))
			pyn_spdk_cq_pass(&wire->admin.completions, &cpl);
		else
			pyn_log(PYN_LOG_WARNING,
				"queue 0: completion of CID %u, which is not in flight (status %02x/%02x)", cpl.cid,
				NVME_STATUS_SCT(cpl.status), NVME_STATUS_SC(cpl.status));
	}
	if (failed && wire->admin.completions.copy)
		abort_all(wire);
	pyn_spin_unlock(&wire->admin.lock);
}

int32_t __wrap_spdk_nvme_qpair_process_completions(struct spdk_nvme_qpair *queue, uint32_t most)
{
	struct wire *wire = spdk_nvme_qpair_get_id(queue) ? NULL : wire_of(queue);
	int32_t count;

	if (!wire)
		return __real_spdk_nvme_qpair_process_completions(queue, most);
	check_admin(wire);
	count = __real_spdk_nvme_qpair_process_completions(queue, most);
	pyn_spin_lock(&wire->admin.lock);
	pyn_spdk_cq_read(&wire->admin.completions, count);
	pyn_spin_unlock(&wire->admin.lock);
	return count;
}

int32_t pyn_spdk_process(struct spdk_nvme_qpair *queue)
{
	return __real_spdk_nvme_qpair_process_completions(queue, 0);
}
