/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A simulated vfio-user device, run by a thread of the test. It has the configuration space and the BARs of an NVMe
 * controller, but executes nothing. A hook makes it answer wrong. Only one file of a program includes this header.
 */
#ifndef TESTS_C_FAKE_VFIO_USER_H
#define TESTS_C_FAKE_VFIO_USER_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "core/env/env.h"
#include "core/pci/config.h"
#include "core/pci/pci.h"
#include "spec/vfio_user.h"
#include "tests/c/test.h"

static inline int open_at(const char *text, struct pyn_pci **pci, struct pyn_error *err)
{
	struct pyn_address address;
	int rc = pyn_address_parse(text, &address, err);

	return rc ? rc : pyn_pci_open(&address, pci, err);
}

#define BAR_SIZE 16384u
#define DOORBELLS 4096u
#define CONFIG_SIZE 4096u
#define VECTORS 5u
#define MAPS 16

struct message {
	struct vfu_header header;
	uint8_t payload[8192];
	size_t length;
	int fd; /* that came along, -1: none */
};

/* The device. A hook gets each message first. If it returns true, it has answered the message. */
static struct fake {
	char folder[64];
	char path[80];
	int listener;
	int fd;
	pthread_t thread;
	bool (*hook)(struct message *message);
	uint8_t bar[BAR_SIZE];
	uint8_t config[CONFIG_SIZE];
	int doorbell_file;
	uint32_t *doorbells;
	struct vfu_dma_map maps[MAPS];
	char *memory[MAPS];
	unsigned num_maps, num_unmaps, num_resets, num_function_resets;
	int eventfd;
	uint32_t vector;
	bool sent_no_descriptor; /* for DMA */
	uint32_t noise;          /* if not 0: state of a generator that changes some bytes of the answers */
} fake;

static void send_bytes(const void *data, size_t length)
{
	if (send(fake.fd, data, length, MSG_NOSIGNAL) != (ssize_t)length)
		return;
}

static uint32_t noise_next(void)
{
	fake.noise = fake.noise * 1664525 + 1013904223;
	return fake.noise >> 8;
}

/* Copy the payload, and change each byte with a probability of 1/8. */
static const void *noisy(const void *payload, size_t length)
{
	static uint8_t copy[8192];

	if (!fake.noise || length > sizeof(copy))
		return payload;
	memcpy(copy, payload, length);
	for (size_t i = 0; i < length; i++)
		if (noise_next() % 8 == 0)
			copy[i] = noise_next() % 3 ? (uint8_t)noise_next() : 0xff;
	return copy;
}

/* Send a whole message in one call, as other implementations expect it. */
static void send_all_of(const struct vfu_header *header, const void *payload, size_t length, const int *fds,
			unsigned num_fds)
{
	struct iovec pieces[2] = {{(void *)header, sizeof(*header)}, {(void *)noisy(payload, length), length}};
	char control[CMSG_SPACE(sizeof(int) * 16)] __attribute__((aligned(8))) = {0};
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};

	if (num_fds) {
		struct cmsghdr *item;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * num_fds);
		item = CMSG_FIRSTHDR(&message);
		item->cmsg_level = SOL_SOCKET;
		item->cmsg_type = SCM_RIGHTS;
		item->cmsg_len = CMSG_LEN(sizeof(int) * num_fds);
		memcpy(CMSG_DATA(item), fds, sizeof(int) * num_fds);
	}
	sendmsg(fake.fd, &message, MSG_NOSIGNAL);
}

static void answer_with(const struct message *to, uint32_t flags, uint32_t error, const void *payload, size_t length)
{
	struct vfu_header header = {.id = to->header.id,
				    .command = to->header.command,
				    .size = (uint32_t)(sizeof(header) + length),
				    .flags = VFU_FLAGS_REPLY | flags,
				    .error = error};

	send_all_of(&header, payload, length, NULL, 0);
}

static void answer(const struct message *to, const void *payload, size_t length)
{
	answer_with(to, 0, 0, payload, length);
}

static void refuse(const struct message *to, uint32_t error)
{
	answer_with(to, VFU_FLAGS_ERROR, error, NULL, 0);
}

static bool receive_bytes(void *data, size_t length, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec piece = {data, length};
	struct msghdr message = {
		.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *item;

	if (!length)
		return true;
	if (recvmsg(fake.fd, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC) != (ssize_t)length)
		return false;
	item = CMSG_FIRSTHDR(&message);
	if (item && item->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(item), sizeof(*fd));
	return true;
}

static bool receive(struct message *message)
{
	message->fd = -1;
	if (!receive_bytes(&message->header, sizeof(message->header), &message->fd))
		return false;
	message->length = message->header.size - sizeof(message->header);
	return message->length <= sizeof(message->payload) &&
	       receive_bytes(message->payload, message->length, &message->fd);
}

static void answer_region_info(const struct message *message)
{
	struct {
		struct vfu_region_info info;
		struct vfu_cap_header header;
		uint32_t nr_areas, reserved;
		struct vfu_sparse_area area;
	} reply = {.info = {.argsz = sizeof(reply.info), .flags = VFU_REGION_FLAG_READ | VFU_REGION_FLAG_WRITE}};
	struct vfu_header header = {
		.id = message->header.id, .command = message->header.command, .flags = VFU_FLAGS_REPLY};

	memcpy(&reply.info.index, message->payload + 8, sizeof(reply.info.index));
	if (reply.info.index == VFU_REGION_CONFIG)
		reply.info.size = CONFIG_SIZE;
	if (reply.info.index != VFU_REGION_BAR0) {
		answer(message, &reply.info, sizeof(reply.info));
		return;
	}
	reply.info.flags |= VFU_REGION_FLAG_MMAP | VFU_REGION_FLAG_CAPS;
	reply.info.argsz = sizeof(reply);
	reply.info.size = BAR_SIZE;
	reply.info.cap_offset = sizeof(reply.info);
	reply.header.id = VFU_CAP_SPARSE_MMAP;
	reply.header.version = 1;
	reply.nr_areas = 1;
	reply.area = (struct vfu_sparse_area){.offset = DOORBELLS, .size = 4096};
	header.size = sizeof(header) + sizeof(reply);
	send_all_of(&header, &reply, sizeof(reply), &fake.doorbell_file, 1);
}

static void config_put(uint32_t offset, uint32_t value)
{
	memcpy(fake.config + offset, &value, sizeof(value));
}

/* Fill in configuration space: an NVMe controller with the capabilities Power Management, PCIe (with FLR) and MSI-X.
 */
static void config_fill(void)
{
	memset(fake.config, 0, sizeof(fake.config));
	config_put(PCI_CFG_VENDOR, 0x00011b36);
	config_put(PCI_CFG_COMMAND, (uint32_t)PCI_STATUS_CAPS << 16);
	config_put(PCI_CFG_REVISION, PCI_CLASS_NVME << 8);
	config_put(PCI_CFG_CAPABILITIES, 0x40);
	config_put(0x40, 0x00035001);
	config_put(0x50, 0x00027010);
	config_put(0x54, UINT32_C(1) << 28);
	config_put(0x70, 0x00040011);
}

#define DEVICE_CONTROL 0x58u

/* Reset configuration space if the host has requested an FLR. */
static void reset_function(void)
{
	uint16_t control;

	memcpy(&control, fake.config + DEVICE_CONTROL, sizeof(control));
	if (!(control & PCI_EXP_DEVICE_CONTROL_FLR))
		return;
	fake.num_function_resets++;
	config_fill();
}

static void answer_access(const struct message *message)
{
	struct vfu_region_access access;
	uint8_t reply[sizeof(access) + 4096], *space;
	uint32_t size;

	memcpy(&access, message->payload, sizeof(access));
	space = access.region == VFU_REGION_CONFIG ? fake.config : fake.bar;
	size = access.region == VFU_REGION_CONFIG ? CONFIG_SIZE : BAR_SIZE;
	if (access.offset > size || access.count > size - access.offset || access.count > 4096) {
		refuse(message, EINVAL);
		return;
	}
	memcpy(reply, &access, sizeof(access));
	if (message->header.command == VFU_REGION_WRITE) {
		memcpy(space + access.offset, message->payload + sizeof(access), access.count);
		reset_function();
		answer(message, reply, sizeof(access));
	} else {
		memcpy(reply + sizeof(access), space + access.offset, access.count);
		answer(message, reply, sizeof(access) + access.count);
	}
}

/* Close it before the reply, since a test may count descriptors after it. */
static void close_fd(struct message *message)
{
	if (message->fd >= 0)
		close(message->fd);
	message->fd = -1;
}

static void answer_dma_map(struct message *message)
{
	struct vfu_dma_map *map = &fake.maps[fake.num_maps];

	memcpy(map, message->payload, sizeof(*map));
	if (message->fd < 0)
		fake.sent_no_descriptor = true;
	fake.memory[fake.num_maps++] =
		mmap(NULL, map->size, PROT_READ | PROT_WRITE, MAP_SHARED, message->fd, (off_t)map->offset);
	close_fd(message);
	answer(message, NULL, 0);
}

static void answer_set_irqs(struct message *message)
{
	struct vfu_irq_set set;

	memcpy(&set, message->payload, sizeof(set));
	if (fake.eventfd >= 0)
		close(fake.eventfd);
	fake.eventfd = message->fd >= 0 ? dup(message->fd) : -1;
	fake.vector = set.start;
	close_fd(message);
	answer(message, NULL, 0);
}

static void behave(struct message *message)
{
	static const char version[] = "\0\0\1\0{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576}}";
	struct vfu_device_info info = {sizeof(info), VFU_DEVICE_FLAGS_PCI | VFU_DEVICE_FLAGS_RESET, VFU_NUM_REGIONS,
				       VFU_NUM_IRQS};
	struct vfu_irq_info irq = {sizeof(irq), VFU_IRQ_FLAG_EVENTFD, VFU_IRQ_MSIX, VECTORS};

	switch (message->header.command) {
	case VFU_VERSION:
		answer(message, version, sizeof(version));
		break;
	case VFU_DEVICE_GET_INFO:
		answer(message, &info, sizeof(info));
		break;
	case VFU_DEVICE_GET_REGION_INFO:
		answer_region_info(message);
		break;
	case VFU_DEVICE_GET_IRQ_INFO:
		answer(message, &irq, sizeof(irq));
		break;
	case VFU_DMA_MAP:
		answer_dma_map(message);
		break;
	case VFU_DMA_UNMAP:
		fake.num_unmaps++;
		answer(message, message->payload, sizeof(struct vfu_dma_unmap));
		break;
	case VFU_DEVICE_SET_IRQS:
		answer_set_irqs(message);
		break;
	case VFU_REGION_READ:
	case VFU_REGION_WRITE:
		answer_access(message);
		break;
	case VFU_DEVICE_RESET:
		fake.num_resets++;
		config_fill();
		answer(message, NULL, 0);
		break;
	default:
		refuse(message, EINVAL);
	}
}

static void *play(void *context)
{
	struct message message;

	(void)context;
	fake.fd = accept4(fake.listener, NULL, NULL, SOCK_CLOEXEC);
	while (fake.fd >= 0 && receive(&message)) {
		if (!fake.hook || !fake.hook(&message))
			behave(&message);
		close_fd(&message);
	}
	shutdown(fake.fd, SHUT_RDWR);
	return NULL;
}

/* Start a device that listens; hook may be NULL. The caller opens fake.folder, and ends the device by stop. */
static void start(bool (*hook)(struct message *message))
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memset(&fake, 0, sizeof(fake));
	fake.eventfd = fake.fd = -1;
	fake.hook = hook;
	strcpy(fake.folder, "/tmp/pynvme-test-XXXXXX");
	if (!mkdtemp(fake.folder))
		abort();
	snprintf(fake.path, sizeof(fake.path), "%s/cntrl", fake.folder);
	config_fill();
	fake.doorbell_file = memfd_create("doorbells", MFD_CLOEXEC);
	if (ftruncate(fake.doorbell_file, DOORBELLS + 4096))
		abort();
	fake.doorbells = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fake.doorbell_file, DOORBELLS);
	fake.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, fake.path, strlen(fake.path) + 1);
	if (bind(fake.listener, (struct sockaddr *)&address, sizeof(address)) || listen(fake.listener, 0))
		abort();
	pthread_create(&fake.thread, NULL, play, NULL);
}

static void stop(void)
{
	shutdown(fake.listener, SHUT_RDWR);
	pthread_join(fake.thread, NULL);
	close(fake.listener);
	if (fake.fd >= 0)
		close(fake.fd);
	if (fake.eventfd >= 0)
		close(fake.eventfd);
	for (unsigned i = 0; i < fake.num_maps; i++)
		munmap(fake.memory[i], fake.maps[i].size);
	munmap(fake.doorbells, 4096);
	close(fake.doorbell_file);
	unlink(fake.path);
	rmdir(fake.folder);
}

static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static bool hang_up(struct message *message)
{
	(void)message;
	shutdown(fake.fd, SHUT_RDWR);
	return true;
}

static bool say_nothing(struct message *message)
{
	(void)message;
	return true;
}

#endif
