/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/vfio.h"

#include <errno.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/env/env.h"
#include "core/pci/check.h"
#include "core/pci/config.h"
#include "core/pci/kernel.h"
#include "core/pci/vfio_group.h"
#include "core/pci/vfio_irq.h"
#include "core/pci/vfio_region.h"

#define IRQ_LAG_US 20000u /* the kernel passes the interrupt on: within microseconds, later on a busy machine */
#define REGISTERS 4096u   /* bytes of controller registers, before the doorbells */
#define AFFECTED_MAX 256u /* functions that share a bus */

struct vfio {
	struct pyn_pci pci;
	struct pyn_vfio_group group;
	struct pyn_vfio_irq irq;
	struct pyn_vfio_region config;
	struct pyn_vfio_region
		bars[PCI_NUM_BARS]; /* only those that are needed: BAR 0, and that of the MSI-X table */
	int request;                /* eventfd: the kernel requests the function back, or it is gone */
	_Atomic(bool) gone;
	void *registers;    /* BAR 0 as another driver has mapped it, with which the function is shared; or NULL */
	bool covered;       /* memory space is off; stores into the BARs must not reach the kernel */
	_Atomic(bool) away; /* released: the kernel has it */
	uint32_t power_at;  /* offset of the power management capability; 0: none */
	uint32_t msix_at;   /* offset of the MSI-X capability; 0: none, or other interrupts are used */
	char bdf[32];
};

static struct vfio *vfio_of(struct pyn_pci *pci)
{
	return (struct vfio *)pci;
}

static int gone(struct vfio *dev, const char *what, struct pyn_error *err)
{
	atomic_store(&dev->gone, true);
	return pyn_error(err, PYN_ERROR_GONE, ENODEV, "%s: %s", dev->bdf, what);
}

/* ---- registers ---- */

/* The part of a range that exists in a conventional function's smaller configuration space; the rest reads as
 * ones. */
static uint32_t config_present(const struct vfio *dev, uint32_t offset, uint32_t length)
{
	if (offset >= dev->config.size)
		return 0;
	return length < dev->config.size - offset ? length : (uint32_t)(dev->config.size - offset);
}

static int vfio_config_read(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length, struct pyn_error *err)
{
	struct vfio *dev = vfio_of(pci);
	uint32_t present = config_present(dev, offset, length);
	int rc = pyn_pci_check_config(offset, length, err);

	if (rc)
		return rc;
	memset(data, 0xff, length);
	if (atomic_load(&dev->away))
		return 0;
	if (present && pread(dev->config.fd, data, present, (off_t)(dev->config.at + offset)) != (ssize_t)present)
		return gone(dev, "its configuration space cannot be read", err);
	return 0;
}

static int cover(struct vfio *dev, bool covered, struct pyn_error *err)
{
	int rc = 0;

	for (unsigned bar = 0; bar < PCI_NUM_BARS && !rc; bar++)
		rc = pyn_vfio_region_cover(&dev->bars[bar], covered, err);
	/* The other driver reads its registers there, and must not find a controller. */
	if (!rc && covered && dev->registers)
		memset(dev->registers, 0xff, REGISTERS);
	dev->covered = covered;
	return rc;
}

/* The 16 bits at place as they will be after a write of length bytes of data at offset. */
static uint16_t after_write(struct vfio *dev, uint32_t place, uint32_t offset, const uint8_t *data, uint32_t length)
{
	uint8_t bytes[2] = {0xff, 0xff};

	if (pread(dev->config.fd, bytes, sizeof(bytes), (off_t)(dev->config.at + place)) != sizeof(bytes))
		return UINT16_MAX;
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		if (place + i >= offset && place + i - offset < length)
			bytes[i] = data[place + i - offset];
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

/* Whether Memory Space Enable is set and the function is in D0, after this write. */
static bool memory_is_on(struct vfio *dev, uint32_t offset, const void *data, uint32_t length)
{
	if (!(after_write(dev, PCI_CFG_COMMAND, offset, data, length) & PCI_COMMAND_MSE))
		return false;
	return !dev->power_at ||
	       !(after_write(dev, dev->power_at + PCI_PM_CONTROL, offset, data, length) & PCI_PM_STATE);
}

/* Whether a write can change the result of memory_is_on. */
static bool concerns_memory(const struct vfio *dev, uint32_t offset, uint32_t length)
{
	uint32_t power = dev->power_at + PCI_PM_CONTROL;

	return (offset < PCI_CFG_COMMAND + 2u && offset + length > PCI_CFG_COMMAND) ||
	       (dev->power_at && offset < power + 2 && offset + length > power);
}

/* Apply a write to MSI-X Enable ourselves: the kernel ignores writes to that bit. */
static int msix_follow(struct vfio *dev, uint32_t offset, const void *data, uint32_t length, struct pyn_error *err)
{
	uint32_t control = dev->msix_at + PCI_MSIX_CONTROL;
	uint16_t change;

	if (!dev->msix_at || offset >= control + 2 || offset + length <= control)
		return 0;
	change = after_write(dev, control, 0, NULL, 0) ^ after_write(dev, control, offset, data, length);
	if (!(change & PCI_MSIX_ENABLE))
		return 0;
	return pyn_vfio_irq_enable(&dev->irq, after_write(dev, control, offset, data, length) & PCI_MSIX_ENABLE, err);
}

static int vfio_config_write(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
			     struct pyn_error *err)
{
	struct vfio *dev = vfio_of(pci);
	uint32_t present = config_present(dev, offset, length);
	int rc = pyn_pci_check_config(offset, length, err);

	if (rc || atomic_load(&dev->away))
		return rc;
	rc = msix_follow(dev, offset, data, present, err);
	if (rc)
		return rc;
	bool concerns = concerns_memory(dev, offset, present);

	/* Drop doorbells from now on: the kernel would answer them with a SIGBUS. */
	if (concerns && !dev->covered && !memory_is_on(dev, offset, data, present))
		rc = cover(dev, true, err);
	if (rc)
		return rc;
	if (present && pwrite(dev->config.fd, data, present, (off_t)(dev->config.at + offset)) != (ssize_t)present)
		return gone(dev, "its configuration space cannot be written", err);
	return concerns && dev->covered && memory_is_on(dev, 0, NULL, 0) ? cover(dev, false, err) : 0;
}

/*
 * Use calls instead of the mapping: if memory space is disabled, the kernel returns EIO, while a load would raise
 * SIGBUS. The result is that of a bus on which no device answers: reads return all ones, writes are dropped.
 */
static int vfio_bar_read(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length, struct pyn_error *err)
{
	const struct pyn_vfio_region *bar = &vfio_of(pci)->bars[0];
	int rc = pyn_pci_check_register(pci, offset, length, err);

	if (rc)
		return rc;
	if (pread(bar->fd, data, length, (off_t)(bar->at + offset)) != (ssize_t)length)
		memset(data, 0xff, length);
	return 0;
}

static int vfio_bar_write(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
			  struct pyn_error *err)
{
	const struct pyn_vfio_region *bar = &vfio_of(pci)->bars[0];
	int rc = pyn_pci_check_register(pci, offset, length, err);

	if (rc)
		return rc;
	if (pwrite(bar->fd, data, length, (off_t)(bar->at + offset)) < 0 && errno != EIO)
		return gone(vfio_of(pci), "its registers cannot be written", err);
	return 0;
}

/* Look up and map the region of a BAR, unless that has been done. */
static int get_bar(struct vfio *dev, uint32_t bar, struct pyn_error *err)
{
	int rc;

	if (dev->bars[bar].size)
		return 0;
	rc = pyn_vfio_region_ask(dev->group.device, VFIO_PCI_BAR0_REGION_INDEX + bar, &dev->bars[bar], err);
	if (!rc && dev->bars[bar].size)
		pyn_vfio_region_map(&dev->bars[bar], VFIO_PCI_BAR0_REGION_INDEX + bar,
				    bar == 0 ? dev->registers : NULL);
	return rc;
}

static volatile void *vfio_bar_map(struct pyn_pci *pci, uint32_t bar, uint64_t offset, uint64_t length)
{
	struct vfio *dev = vfio_of(pci);
	struct pyn_error ignored;

	if (bar >= PCI_NUM_BARS || get_bar(dev, bar, &ignored))
		return NULL;
	return pyn_pci_areas_pointer(&dev->bars[bar].areas, offset, length);
}

static void vfio_bar_disown(struct pyn_pci *pci, const void *pointer, void **mapping, size_t *length)
{
	struct vfio *dev = vfio_of(pci);
	unsigned bar = 0;

	while (bar < PCI_NUM_BARS && !pyn_vfio_region_disown(&dev->bars[bar], pointer, mapping, length))
		bar++;
}

static struct pyn_iova vfio_bar_address(struct pyn_pci *pci, uint32_t bar)
{
	return pyn_kernel_bar_address(vfio_of(pci)->bdf, bar);
}

/* ---- interrupts ---- */

static int vfio_irq_set(struct pyn_pci *pci, uint32_t vector, int eventfd, struct pyn_error *err)
{
	struct vfio *dev = vfio_of(pci);
	int rc;

	rc = pyn_pci_check_vector(pci, vector, err);
	if (rc || atomic_load(&dev->away))
		return rc;
	/* Disable a pin before its eventfd is removed, and enable it after one is set. */
	if (pci->irq == PYN_PCI_IRQ_PIN && eventfd < 0)
		rc = pyn_pci_pin_set(pci, false, err);
	if (!rc)
		rc = pyn_vfio_irq_set(&dev->irq, vector, eventfd, err);
	if (!rc && pci->irq == PYN_PCI_IRQ_PIN && eventfd >= 0)
		rc = pyn_pci_pin_set(pci, true, err);
	return rc;
}

static void vfio_irq_rearm(struct pyn_pci *pci)
{
	pyn_vfio_irq_rearm(&vfio_of(pci)->irq);
}

/* Write to the mapped MSI-X table: the kernel has no call to mask a vector. */
static int vfio_irq_mask(struct pyn_pci *pci, uint32_t vector, bool masked, struct pyn_error *err)
{
	volatile uint32_t *control;
	struct vfio *dev = vfio_of(pci);
	uint32_t bar = 0, table = 0;
	int rc;

	rc = pyn_pci_check_vector(pci, vector, err);
	if (!rc)
		rc = pyn_pci_msix_table(pci, &bar, &table, err);
	if (!rc)
		rc = get_bar(dev, bar, err);
	if (rc)
		return rc;
	if (dev->covered)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, EIO, "%s: its memory space is off", dev->bdf);
	control = pyn_pci_areas_pointer(&dev->bars[bar].areas,
					table + (uint64_t)vector * sizeof(struct pci_msix_entry) +
						offsetof(struct pci_msix_entry, control),
					sizeof(*control));
	if (!control)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
				 "%s: this kernel does not allow to map its MSI-X table", dev->bdf);
	/* The other bits of the word are not ours. */
	*control = masked ? *control | PCI_MSIX_ENTRY_MASK : *control & ~PCI_MSIX_ENTRY_MASK;
	return 0;
}

/* ---- resets and the end ---- */

static int function_reset(struct vfio *dev, struct pyn_error *err)
{
	uint32_t express, capabilities = 0;
	int rc;

	/* Without FLR the kernel would use another reset, which the caller did not ask for. */
	rc = pyn_pci_find_capability(&dev->pci, PCI_CAP_EXP, &express, err);
	if (!rc && express)
		rc = pyn_pci_config_read32(&dev->pci, express + PCI_EXP_DEVICE_CAP, &capabilities, err);
	if (rc)
		return rc;
	if (!(capabilities & PCI_EXP_DEVICE_CAP_FLR))
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP, "%s has no function level reset", dev->bdf);
	if (ioctl(dev->group.device, VFIO_DEVICE_RESET))
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, errno, "%s: the kernel cannot reset it: %s", dev->bdf,
				 strerror(errno));
	return 0;
}

/* Check that a hot reset affects only functions of our group: it resets all functions behind the port. */
static int check_affected(struct vfio *dev, struct pyn_error *err)
{
	union {
		struct vfio_pci_hot_reset_info info;
		uint8_t bytes[sizeof(struct vfio_pci_hot_reset_info) +
			      AFFECTED_MAX * sizeof(struct vfio_pci_dependent_device)];
	} affected = {.info = {.argsz = sizeof(affected)}};

	if (ioctl(dev->group.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &affected.info))
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, errno,
				 "%s has no hot reset: it has no port of its own above it, or one that cannot reset",
				 dev->bdf);
	for (uint32_t i = 0; i < affected.info.count; i++) {
		const struct vfio_pci_dependent_device *other = &affected.info.devices[i];
		char bdf[32];

		snprintf(bdf, sizeof(bdf), "%04x:%02x:%02x.%x", other->segment, other->bus, other->devfn >> 3,
			 other->devfn & 7u);
		if (other->group_id != (uint32_t)dev->group.number)
			return pyn_error(err, PYN_ERROR_UNSUPPORTED, EBUSY,
					 "%s: a hot reset would also reset %s, which is in IOMMU group %u", dev->bdf,
					 bdf, other->group_id);
		/* Its queues would be gone, and its handles would not notice. */
		if (strcmp(bdf, dev->bdf) != 0 && pyn_vfio_group_has(&dev->group, bdf))
			return pyn_error(err, PYN_ERROR_UNSUPPORTED, EBUSY,
					 "%s: a hot reset would also reset %s, which this process has open", dev->bdf,
					 bdf);
	}
	return 0;
}

static int hot_reset(struct vfio *dev, struct pyn_error *err)
{
	union {
		struct vfio_pci_hot_reset reset;
		uint8_t bytes[sizeof(struct vfio_pci_hot_reset) + sizeof(int32_t)];
	} request = {.reset = {.argsz = sizeof(request), .count = 1}};
	int rc = check_affected(dev, err);

	if (rc)
		return rc;
	request.reset.group_fds[0] = pyn_vfio_group_fd(&dev->group);
	if (ioctl(dev->group.device, VFIO_DEVICE_PCI_HOT_RESET, &request.reset))
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, errno, "%s: the kernel cannot reset its link: %s",
				 dev->bdf, strerror(errno));
	return 0;
}

/* The kernel waits for the function and restores its configuration. Clear bus mastering again: the caller decides on
 * it. */
static int vfio_reset(struct pyn_pci *pci, enum pyn_pci_reset kind, struct pyn_error *err)
{
	struct vfio *dev = vfio_of(pci);
	uint16_t vendor = UINT16_MAX;
	int rc;

	if (atomic_load(&dev->away))
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENODEV, "%s has no power", dev->bdf);
	rc = kind == PYN_PCI_RESET_FUNCTION ? function_reset(dev, err) : hot_reset(dev, err);
	if (!rc)
		rc = pyn_pci_config_read16(pci, PCI_CFG_VENDOR, &vendor, err);
	if (!rc && vendor == UINT16_MAX)
		rc = gone(dev, "it does not answer after its reset", err);
	if (!rc)
		rc = pyn_pci_master_set(pci, false, err);
	if (!rc)
		rc = pyn_pci_memory_enable(pci, err);
	/* The function may have been in D3hot before. */
	if (!rc && dev->covered && memory_is_on(dev, 0, NULL, 0))
		rc = cover(dev, false, err);
	return rc;
}

/* The kernel requests a function back if it is pulled out or unbound, and waits until it is closed. */
static bool vfio_alive(struct pyn_pci *pci)
{
	struct vfio *dev = vfio_of(pci);
	struct pollfd look = {.fd = dev->request, .events = POLLIN};

	return atomic_load(&dev->away) || (!atomic_load(&dev->gone) && poll(&look, 1, 0) <= 0);
}

static void vfio_close(struct pyn_pci *pci)
{
	struct vfio *dev = vfio_of(pci);

	if (dev->registers)
		dev->bars[0].areas.count = 0;
	for (unsigned bar = 0; bar < PCI_NUM_BARS; bar++)
		pyn_pci_areas_unmap(&dev->bars[bar].areas);
	pyn_vfio_group_close(&dev->group);
	if (dev->request >= 0)
		close(dev->request);
	free(dev);
}

static int vfio_release(struct pyn_pci *pci, struct pyn_error *err);
static int vfio_reattach(struct pyn_pci *pci, struct pyn_error *err);

static const struct pyn_pci_ops vfio_ops = {
	.name = "vfio-pci",
	.close = vfio_close,
	.config_read = vfio_config_read,
	.config_write = vfio_config_write,
	.bar_read = vfio_bar_read,
	.bar_write = vfio_bar_write,
	.bar_map = vfio_bar_map,
	.bar_disown = vfio_bar_disown,
	.bar_address = vfio_bar_address,
	.irq_set = vfio_irq_set,
	.irq_mask = vfio_irq_mask,
	.irq_rearm = vfio_irq_rearm,
	.reset = vfio_reset,
	.alive = vfio_alive,
	.isolate = pyn_pci_isolate,
	.release = vfio_release,
	.reattach = vfio_reattach,
};

/* ---- opening ---- */

static int setup_regions(struct vfio *dev, struct pyn_error *err)
{
	int rc;

	rc = pyn_vfio_region_ask(dev->group.device, VFIO_PCI_CONFIG_REGION_INDEX, &dev->config, err);
	if (!rc)
		rc = get_bar(dev, 0, err);
	return rc ? rc : pyn_pci_set_bar_size(&dev->pci, dev->bars[0].size, dev->bdf, err);
}

static int setup_irqs(struct vfio *dev, struct pyn_error *err)
{
	int rc;

	dev->irq = (struct pyn_vfio_irq){.device = dev->group.device, .bdf = dev->bdf};
	if (dev->request < 0)
		dev->request = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dev->request < 0)
		return pyn_error(err, PYN_ERROR_SYSTEM, errno, "no eventfd: %s", strerror(errno));
	rc = pyn_vfio_irq_request(&dev->irq, dev->request, err);
	/* A controller refuses queues with a vector while MSI-X is off, and only the kernel can enable it. */
	if (!rc && !dev->registers)
		rc = pyn_vfio_irq_setup(&dev->irq, err);
	dev->pci.irq = dev->irq.kind;
	dev->pci.num_vectors = dev->irq.count;
	dev->pci.irq_lag_us = IRQ_LAG_US;
	return rc;
}

/* Start using the open function, whose regions are set up. */
static int start(struct vfio *dev, struct pyn_error *err)
{
	int rc;

	rc = setup_irqs(dev, err);
	if (!rc)
		rc = pyn_pci_find_capability(&dev->pci, PCI_CAP_PM, &dev->power_at, err);
	if (!rc && dev->irq.kind == PYN_PCI_IRQ_MSIX)
		rc = pyn_pci_find_capability(&dev->pci, PCI_CAP_MSIX, &dev->msix_at, err);
	if (!rc)
		rc = pyn_pci_memory_enable(&dev->pci, err);
	if (!rc && memory_is_on(dev, 0, NULL, 0) == dev->covered)
		rc = cover(dev, !dev->covered, err);
	return rc;
}

/* group: of a function that is shared; -1: open it. */
static int setup(struct vfio *dev, int group, struct pyn_error *err)
{
	int rc = group < 0 ? pyn_vfio_group_open(dev->bdf, &dev->group, err)
			   : pyn_vfio_group_share(dev->bdf, group, &dev->group, err);

	if (!rc)
		rc = setup_regions(dev, err);
	if (!rc)
		rc = start(dev, err);
	return rc;
}

/* ---- back to the kernel, and from it again ---- */

static int vfio_release(struct pyn_pci *pci, struct pyn_error *err)
{
	struct vfio *dev = vfio_of(pci);
	uint64_t count;
	int rc = dev->registers ? pyn_pci_no_release(pci, err) : 0;

	/* The kernel does not get the function back while a mapping or a descriptor of it exists. */
	if (!rc && !dev->covered)
		rc = cover(dev, true, err);
	if (!rc && !atomic_load(&dev->away))
		rc = pyn_vfio_group_release(&dev->group, err);
	if (rc)
		return rc;
	atomic_store(&dev->away, true);
	/* The request of the kernel is fulfilled. */
	while (read(dev->request, &count, sizeof(count)) > 0)
		;
	atomic_store(&dev->gone, false);
	return 0;
}

/* Find a region again after a release. It must have the same size as before, since its mappings stay in place. */
static int find_again(struct vfio *dev, struct pyn_vfio_region *region, uint32_t index, struct pyn_error *err)
{
	struct pyn_vfio_region now;
	int rc;

	rc = pyn_vfio_region_ask(dev->group.device, index, &now, err);
	if (rc)
		return rc;
	if (now.size != region->size)
		return pyn_error(err, PYN_ERROR_GONE, ENODEV,
				 "%s is another device than before: a region that had %#llx bytes has %#llx",
				 dev->bdf, (unsigned long long)region->size, (unsigned long long)now.size);
	region->at = now.at;
	return 0;
}

static int restart(struct vfio *dev, struct pyn_error *err)
{
	int rc;

	rc = find_again(dev, &dev->config, VFIO_PCI_CONFIG_REGION_INDEX, err);
	for (uint32_t bar = 0; bar < PCI_NUM_BARS && !rc; bar++)
		if (dev->bars[bar].size)
			rc = find_again(dev, &dev->bars[bar], VFIO_PCI_BAR0_REGION_INDEX + bar, err);
	if (!rc)
		rc = start(dev, err);
	return rc;
}

static int vfio_reattach(struct pyn_pci *pci, struct pyn_error *err)
{
	struct vfio *dev = vfio_of(pci);
	struct pyn_error ignored;
	int rc;

	if (!atomic_load(&dev->away))
		return 0;
	rc = pyn_kernel_function_check(dev->bdf, err);
	if (!rc)
		rc = pyn_vfio_group_reattach(dev->bdf, &dev->group, err);
	if (rc)
		return rc;
	atomic_store(&dev->away, false);
	rc = restart(dev, err);
	if (rc)
		vfio_release(pci, &ignored);
	return rc;
}

static int open_with(const char *bdf, int group, void *registers, struct pyn_pci **pci, struct pyn_error *err)
{
	struct vfio *dev;
	int rc;

	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a device");
	dev->pci.ops = &vfio_ops;
	dev->group = (struct pyn_vfio_group){.device = -1};
	dev->request = -1;
	dev->registers = registers;
	memcpy(dev->bdf, bdf, strnlen(bdf, sizeof(dev->bdf) - 1));
	rc = setup(dev, group, err);
	if (rc) {
		vfio_close(&dev->pci);
		return rc;
	}
	*pci = &dev->pci;
	return 0;
}

int pyn_vfio_open(const char *bdf, struct pyn_pci **pci, struct pyn_error *err)
{
	return open_with(bdf, -1, NULL, pci, err);
}

int pyn_vfio_share(const char *bdf, const struct pyn_vfio_shared_by *of, struct pyn_pci **pci, struct pyn_error *err)
{
	int rc = pyn_vfio_group_check_mapped(of->container, err);

	return rc ? rc : open_with(bdf, of->group, of->registers, pci, err);
}

int pyn_vfio_check(const char *bdf, struct pyn_error *err)
{
	int rc = pyn_kernel_function_check(bdf, err);

	return rc ? rc : pyn_vfio_group_check(bdf, err);
}
