/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/vfio_user.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/env/env.h"
#include "core/pci/check.h"
#include "core/pci/config.h"
#include "core/pci/saved.h"
#include "core/pci/vfio_user_channel.h"
#include "core/pci/vfio_user_connect.h"
#include "core/pci/vfio_user_region.h"
#include "core/util/log.h"

#define ACCESS_MAX 4096u  /* bytes in one message; the largest access is all of configuration space */
#define VECTORS_MAX 2048u /* MSI-X */
#define RESET_MS 10000u

struct vfio_user {
	struct pyn_pci pci;
	struct pyn_vfu_channel channel;
	uint32_t config_size;
	bool can_reset;
	size_t num_mapped; /* number of the environment's DMA regions that the device knows */
	struct pyn_vfu_region bar;
	int unread;      /* eventfd of vector 0 while no queue of the script uses it; -1: the device has no vectors */
	bool vector_0;   /* the device has an eventfd for vector 0 */
	bool interrupts; /* a vector has had an eventfd since the device was opened */
};

static struct vfio_user *vfio_user_of(struct pyn_pci *pci)
{
	return (struct vfio_user *)pci;
}

/* Read or write a region; length is up to ACCESS_MAX. */
static int access_region(struct vfio_user *dev, uint16_t command, uint32_t region, uint64_t offset, void *data,
			 uint32_t length, struct pyn_error *err)
{
	struct {
		struct vfu_region_access access;
		uint8_t data[ACCESS_MAX];
	} reply;
	struct vfu_region_access access = {.offset = offset, .region = region, .count = length};
	bool reads = command == VFU_REGION_READ;
	struct pyn_vfu_call call = {
		.command = command,
		.request = {{.iov_base = &access, .iov_len = sizeof(access)},
			    {.iov_base = data, .iov_len = reads ? 0 : length}},
		.fd = -1,
		.reply = &reply,
		.reply_min = sizeof(access) + (reads ? length : 0),
		.reply_max = sizeof(access) + (reads ? length : 0),
	};
	int rc;

	rc = pyn_vfu_call(&dev->channel, &call, err);
	if (rc)
		return rc;
	if (memcmp(&reply.access, &access, sizeof(access)) != 0) {
		dev->channel.broken = true;
		return pyn_error(err, PYN_ERROR_GONE, EPROTO,
				 "the device at %s was asked for %u bytes at %#llx of region %u and answered for "
				 "another place",
				 dev->channel.path, length, (unsigned long long)offset, region);
	}
	if (reads)
		memcpy(data, reply.data, length);
	return 0;
}

static int access_in_pieces(struct vfio_user *dev, uint16_t command, uint32_t region, uint32_t offset, void *data,
			    uint32_t length, struct pyn_error *err)
{
	uint32_t most = dev->channel.max_data < ACCESS_MAX ? dev->channel.max_data : ACCESS_MAX;

	for (uint32_t done = 0; done < length;) {
		uint32_t piece = length - done < most ? length - done : most;
		int rc = access_region(dev, command, region, offset + done, (uint8_t *)data + done, piece, err);

		if (rc)
			return rc;
		done += piece;
	}
	return 0;
}

/* The part of a range that exists in a smaller configuration space; the rest reads as ones and ignores writes. */
static uint32_t config_present(const struct vfio_user *dev, uint32_t offset, uint32_t length)
{
	if (offset >= dev->config_size)
		return 0;
	return length < dev->config_size - offset ? length : dev->config_size - offset;
}

static int vfio_user_config_read(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length,
				 struct pyn_error *err)
{
	struct vfio_user *dev = vfio_user_of(pci);
	int rc = pyn_pci_check_config(offset, length, err);

	if (rc)
		return rc;
	memset(data, 0xff, length);
	return access_in_pieces(dev, VFU_REGION_READ, VFU_REGION_CONFIG, offset, data,
				config_present(dev, offset, length), err);
}

static int vfio_user_config_write(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
				  struct pyn_error *err)
{
	struct vfio_user *dev = vfio_user_of(pci);
	int rc = pyn_pci_check_config(offset, length, err);

	if (rc)
		return rc;
	return access_in_pieces(dev, VFU_REGION_WRITE, VFU_REGION_CONFIG, offset, (void *)data,
				config_present(dev, offset, length), err);
}

static int vfio_user_bar_read(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length,
			      struct pyn_error *err)
{
	int rc = pyn_pci_check_register(pci, offset, length, err);

	return rc ? rc
		  : access_region(vfio_user_of(pci), VFU_REGION_READ, VFU_REGION_BAR0, offset, data, length, err);
}

static int vfio_user_bar_write(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
			       struct pyn_error *err)
{
	int rc = pyn_pci_check_register(pci, offset, length, err);

	return rc ? rc
		  : access_region(vfio_user_of(pci), VFU_REGION_WRITE, VFU_REGION_BAR0, offset, (void *)data, length,
				  err);
}

/* Map BAR 0 only: no known server has memory of its own in another BAR. */
static volatile void *vfio_user_bar_map(struct pyn_pci *pci, uint32_t bar, uint64_t offset, uint64_t length)
{
	if (bar || offset > UINT32_MAX || length > UINT32_MAX)
		return NULL;
	return pyn_pci_areas_pointer(&vfio_user_of(pci)->bar.areas, offset, length);
}

static void vfio_user_bar_disown(struct pyn_pci *pci, const void *pointer, void **mapping, size_t *length)
{
	(void)pci;
	(void)pointer;
	(void)mapping;
	(void)length;
}

static struct pyn_iova vfio_user_bar_address(struct pyn_pci *pci, uint32_t bar)
{
	(void)pci;
	(void)bar;
	return (struct pyn_iova){0}; /* there is no bus */
}

static int trigger_set(struct vfio_user *dev, uint32_t vector, int eventfd, struct pyn_error *err)
{
	struct vfu_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFU_IRQ_SET_DATA_EVENTFD | VFU_IRQ_SET_TRIGGER,
		.index = VFU_IRQ_MSIX,
		.start = vector,
		.count = 1,
	};
	struct pyn_vfu_call call = {
		.command = VFU_DEVICE_SET_IRQS,
		.request = {{.iov_base = &set, .iov_len = sizeof(set)}},
		.fd = eventfd,
	};
	int rc = pyn_vfu_call(&dev->channel, &call, err);

	if (!rc && vector == 0)
		dev->vector_0 = eventfd >= 0;
	dev->interrupts = true;
	return rc;
}

/*
 * Give vector 0 an eventfd that nobody reads. Once MSI-X is enabled, each completion of the admin queue interrupts on
 * vector 0, and a device may call it a fatal error that it cannot deliver that.
 */
static int trigger_unread(struct vfio_user *dev, struct pyn_error *err)
{
	return trigger_set(dev, 0, dev->unread, err);
}

static int vfio_user_irq_set(struct pyn_pci *pci, uint32_t vector, int eventfd, struct pyn_error *err)
{
	struct vfio_user *dev = vfio_user_of(pci);
	int rc = pyn_pci_check_vector(pci, vector, err);

	if (rc)
		return rc;
	if (vector == 0 && eventfd < 0)
		return trigger_unread(dev, err);
	if (vector != 0 && eventfd >= 0 && !dev->vector_0)
		rc = trigger_unread(dev, err);
	if (!rc)
		rc = trigger_set(dev, vector, eventfd, err);
	if (rc || eventfd < 0)
		return rc;
	return pyn_pci_msix_set(pci, true, err);
}

static int vfio_user_irq_mask(struct pyn_pci *pci, uint32_t vector, bool masked, struct pyn_error *err)
{
	struct vfio_user *dev = vfio_user_of(pci);
	uint32_t bar, table, control;
	uint64_t at;
	int rc;

	rc = pyn_pci_check_vector(pci, vector, err);
	if (!rc)
		rc = pyn_pci_msix_table(pci, &bar, &table, err);
	if (rc)
		return rc;
	at = table + (uint64_t)vector * sizeof(struct pci_msix_entry) + offsetof(struct pci_msix_entry, control);
	/* The other bits of the word are not ours. */
	rc = access_region(dev, VFU_REGION_READ, VFU_REGION_BAR0 + bar, at, &control, sizeof(control), err);
	if (rc)
		return rc;
	control = masked ? control | PCI_MSIX_ENTRY_MASK : control & ~PCI_MSIX_ENTRY_MASK;
	return access_region(dev, VFU_REGION_WRITE, VFU_REGION_BAR0 + bar, at, &control, sizeof(control), err);
}

static int device_reset(struct vfio_user *dev, struct pyn_error *err)
{
	struct pyn_vfu_call call = {.command = VFU_DEVICE_RESET, .fd = -1, .answer_ms = RESET_MS};

	if (!dev->can_reset)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP, "the device at %s has no reset",
				 dev->channel.path);
	return pyn_vfu_call(&dev->channel, &call, err);
}

static int vfio_user_reset(struct pyn_pci *pci, enum pyn_pci_reset kind, struct pyn_error *err)
{
	struct pyn_pci_saved saved;
	int rc;

	pyn_pci_save(pci, &saved);
	vfio_user_of(pci)->vector_0 = false; /* a device may forget it */
	rc = kind == PYN_PCI_RESET_FUNCTION ? pyn_pci_function_reset(pci, err) : device_reset(vfio_user_of(pci), err);
	if (!rc)
		rc = pyn_pci_restore(pci, &saved, err);
	return rc ? rc : pyn_pci_memory_enable(pci, err);
}

static bool vfio_user_alive(struct pyn_pci *pci)
{
	return pyn_vfu_channel_alive(&vfio_user_of(pci)->channel);
}

static int dma_map(struct vfio_user *dev, const struct pyn_dma_region *region, struct pyn_error *err)
{
	struct vfu_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFU_DMA_READABLE | VFU_DMA_WRITEABLE,
		.offset = region->offset,
		.address = pyn_dma_iova(region->address).value,
		.size = region->length,
	};
	struct pyn_vfu_call call = {
		.command = VFU_DMA_MAP,
		.request = {{.iov_base = &map, .iov_len = sizeof(map)}},
		.fd = region->fd,
	};

	return pyn_vfu_call(&dev->channel, &call, err);
}

/* Wait for the reply: only then the device no longer uses the memory, and it may be reused. */
static bool dma_unmap(struct vfio_user *dev, const struct pyn_dma_region *region)
{
	struct vfu_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.address = pyn_dma_iova(region->address).value,
		.size = region->length,
	};
	struct vfu_dma_unmap echo;
	struct pyn_vfu_call call = {
		.command = VFU_DMA_UNMAP,
		.request = {{.iov_base = &unmap, .iov_len = sizeof(unmap)}},
		.fd = -1,
		.reply = &echo,
		.reply_max = sizeof(unmap),
	};
	struct pyn_error err;
	int rc = pyn_vfu_call(&dev->channel, &call, &err);

	if (rc)
		pyn_log(PYN_LOG_DEBUG, "%s", err.text);
	return !rc;
}

static int dma_map_all(struct vfio_user *dev, struct pyn_error *err)
{
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions);

	for (; dev->num_mapped < count; dev->num_mapped++) {
		int rc = dma_map(dev, &regions[dev->num_mapped], err);

		if (rc)
			return rc;
	}
	return 0;
}

/* Unmap what the device still maps. A process that is stopped, and not gone, may write there once it goes on. */
static bool vfio_user_isolate(struct pyn_pci *pci)
{
	struct vfio_user *dev = vfio_user_of(pci);
	const struct pyn_dma_region *regions;
	bool confirmed = true;

	pyn_dma_regions(&regions);
	while (dev->num_mapped && !dev->channel.broken)
		confirmed = dma_unmap(dev, &regions[--dev->num_mapped]) && confirmed;
	return (confirmed && !dev->num_mapped) || pyn_vfu_channel_closed(&dev->channel);
}

static void vfio_user_close(struct pyn_pci *pci)
{
	struct vfio_user *dev = vfio_user_of(pci);
	struct pyn_error ignored;

	/* A device may keep it for the next client, which knows nothing of our vectors. */
	if (dev->interrupts && !dev->channel.broken)
		pyn_pci_msix_set(pci, false, &ignored);
	if (dev->unread >= 0)
		close(dev->unread);
	vfio_user_isolate(pci);
	pyn_pci_areas_unmap(&dev->bar.areas);
	pyn_vfu_channel_deinit(&dev->channel);
	free(dev);
}

static const struct pyn_pci_ops vfio_user_ops = {
	.name = "vfio-user",
	.close = vfio_user_close,
	.config_read = vfio_user_config_read,
	.config_write = vfio_user_config_write,
	.bar_read = vfio_user_bar_read,
	.bar_write = vfio_user_bar_write,
	.bar_map = vfio_user_bar_map,
	.bar_disown = vfio_user_bar_disown,
	.bar_address = vfio_user_bar_address,
	.irq_set = vfio_user_irq_set,
	.irq_mask = vfio_user_irq_mask,
	.irq_rearm = pyn_pci_nothing_to_rearm,
	.reset = vfio_user_reset,
	.alive = vfio_user_alive,
	.isolate = vfio_user_isolate,
	.release = pyn_pci_no_release,
	.reattach = pyn_pci_no_release,
};

static int get_device_info(struct vfio_user *dev, uint32_t *num_irqs, struct pyn_error *err)
{
	struct vfu_device_info info = {.argsz = sizeof(info)};
	uint8_t bytes[PYN_VFU_REPLY];
	struct pyn_vfu_call call = {
		.command = VFU_DEVICE_GET_INFO,
		.request = {{.iov_base = &info, .iov_len = sizeof(info)}},
		.fd = -1,
		.reply = bytes,
		.reply_min = sizeof(info),
		.reply_max = PYN_VFU_REPLY,
	};
	int rc;

	rc = pyn_vfu_call(&dev->channel, &call, err);
	if (rc)
		return rc;
	memcpy(&info, bytes, sizeof(info));
	if (!(info.flags & VFU_DEVICE_FLAGS_PCI) || info.num_regions <= VFU_REGION_CONFIG)
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENODEV, "the device at %s is not a PCI function",
				 dev->channel.path);
	dev->can_reset = info.flags & VFU_DEVICE_FLAGS_RESET;
	*num_irqs = info.num_irqs;
	return 0;
}

static int setup_bar(struct vfio_user *dev, struct pyn_error *err)
{
	char what[sizeof(dev->channel.path) + 16];
	int rc = pyn_vfu_region_map(&dev->channel, VFU_REGION_BAR0, &dev->bar, err);

	if (rc)
		return rc;
	snprintf(what, sizeof(what), "the device at %s", dev->channel.path);
	return pyn_pci_set_bar_size(&dev->pci, dev->bar.size, what, err);
}

static int setup_config(struct vfio_user *dev, struct pyn_error *err)
{
	struct pyn_vfu_region config;
	uint32_t class_code; /* follows the byte of the revision */
	int rc;

	rc = pyn_vfu_region_map(&dev->channel, VFU_REGION_CONFIG, &config, err);
	if (rc)
		return rc;
	/* Do not map configuration space, which has side effects; no server offers that. */
	pyn_pci_areas_unmap(&config.areas);
	dev->config_size = config.size < PCI_CFG_EXT_SIZE ? (uint32_t)config.size : PCI_CFG_EXT_SIZE;
	rc = pyn_pci_config_read32(&dev->pci, PCI_CFG_REVISION, &class_code, err);
	if (rc)
		return rc;
	if (class_code >> 8 != PCI_CLASS_NVME)
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENODEV,
				 "the device at %s is no NVMe controller: its class is %06x, not %06x",
				 dev->channel.path, class_code >> 8, PCI_CLASS_NVME);
	return 0;
}

static int setup_vectors(struct vfio_user *dev, struct pyn_error *err)
{
	struct vfu_irq_info info = {.argsz = sizeof(info), .index = VFU_IRQ_MSIX};
	uint8_t bytes[PYN_VFU_REPLY];
	struct pyn_vfu_call call = {
		.command = VFU_DEVICE_GET_IRQ_INFO,
		.request = {{.iov_base = &info, .iov_len = sizeof(info)}},
		.fd = -1,
		.reply = bytes,
		.reply_min = sizeof(info),
		.reply_max = PYN_VFU_REPLY,
	};
	int rc;

	rc = pyn_vfu_call(&dev->channel, &call, err);
	if (rc)
		return rc;
	memcpy(&info, bytes, sizeof(info));
	if (info.flags & VFU_IRQ_FLAG_EVENTFD)
		dev->pci.num_vectors = info.count < VECTORS_MAX ? info.count : VECTORS_MAX;
	dev->pci.irq = dev->pci.num_vectors ? PYN_PCI_IRQ_MSIX : PYN_PCI_IRQ_NONE;
	if (!dev->pci.num_vectors)
		return 0;
	dev->unread = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dev->unread < 0)
		return pyn_error(err, PYN_ERROR_SYSTEM, errno, "no descriptor for interrupt vector 0: %s",
				 strerror(errno));
	return 0;
}

static int setup(struct vfio_user *dev, struct pyn_error *err)
{
	struct pyn_error ignored;
	uint32_t num_irqs = 0;
	int rc;

	rc = get_device_info(dev, &num_irqs, err);
	if (!rc)
		rc = setup_bar(dev, err);
	if (!rc)
		rc = setup_config(dev, err);
	if (!rc && num_irqs > VFU_IRQ_MSIX)
		rc = setup_vectors(dev, err);
	/* A client that was killed may have left it enabled, for vectors that have no eventfd any more. A device
	 * without a sound list of capabilities can be opened nevertheless. */
	if (!rc)
		pyn_pci_msix_set(&dev->pci, false, &ignored);
	if (!rc)
		rc = pyn_pci_memory_enable(&dev->pci, err);
	if (!rc)
		rc = dma_map_all(dev, err);
	return rc;
}

int pyn_vfio_user_open(const char *path, struct pyn_pci **pci, struct pyn_error *err)
{
	struct pyn_error cause;
	struct vfio_user *dev;
	int rc;

	rc = pyn_env_start(err);
	if (rc)
		return rc;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a device");
	rc = pyn_vfu_connect(path, &dev->channel, err);
	if (rc) {
		free(dev);
		return rc;
	}
	dev->pci.ops = &vfio_user_ops;
	dev->unread = -1;
	rc = setup(dev, &cause);
	if (rc) {
		/* To the caller, any error means that there is no device here to open. */
		pyn_error(err, PYN_ERROR_ENUMERATE, cause.number, "%s", cause.text);
		vfio_user_close(&dev->pci);
		return rc;
	}
	*pci = &dev->pci;
	return 0;
}
