/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/uio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/env/env.h"
#include "core/pci/check.h"
#include "core/pci/config.h"
#include "core/pci/guard.h"
#include "core/pci/kernel.h"
#include "core/util/cleanup.h"

struct bar {
	uint8_t *memory; /* NULL: not mapped yet, or not mappable */
	size_t size;
};

struct uio {
	struct pyn_pci pci;
	int fd;     /* /dev/uioN: locks the drive, and tells whether it is there */
	int config; /* configuration space */
	struct bar bars[PCI_NUM_BARS];
	_Atomic(bool) gone;
	char bdf[32];
};

static struct uio *uio_of(struct pyn_pci *pci)
{
	return (struct uio *)pci;
}

static int gone(struct uio *dev, const char *what, struct pyn_error *err)
{
	atomic_store(&dev->gone, true);
	return pyn_error(err, PYN_ERROR_GONE, ENODEV, "%s: %s", dev->bdf, what);
}

/* ---- registers ---- */

/* The configuration space of a conventional function is shorter; the rest reads as ones. */
static int uio_config_read(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length, struct pyn_error *err)
{
	struct uio *dev = uio_of(pci);
	int rc = pyn_pci_check_config(offset, length, err);

	if (rc)
		return rc;
	memset(data, 0xff, length);
	if (pread(dev->config, data, length, (off_t)offset) < 0)
		return gone(dev, "its configuration space cannot be read", err);
	return 0;
}

static int uio_config_write(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
			    struct pyn_error *err)
{
	struct uio *dev = uio_of(pci);
	int rc = pyn_pci_check_config(offset, length, err);

	if (!rc && pwrite(dev->config, data, length, (off_t)offset) < 0)
		rc = gone(dev, "its configuration space cannot be written", err);
	return rc;
}

static int map_bar(struct uio *dev, unsigned number, struct pyn_error *err)
{
	struct bar *bar = &dev->bars[number];
	char file[16], path[PYN_KERNEL_PATH];
	struct stat status;
	void *memory;

	if (bar->memory)
		return 0;
	snprintf(file, sizeof(file), "resource%u", number);
	pyn_kernel_path(dev->bdf, file, path);
	int fd PYN_CLOSE = open(path, O_RDWR | O_SYNC | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status))
		return pyn_error(err, PYN_ERROR_ENUMERATE, errno,
				 "%s: its BAR %u cannot be opened: %s (only root may)", dev->bdf, number,
				 strerror(errno));
	memory = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return pyn_error(err, PYN_ERROR_ENUMERATE, errno,
				 "%s: its BAR %u cannot be mapped: %s (if Secure Boot locks the kernel down, only "
				 "vfio-pci works, with the IOMMU on)",
				 dev->bdf, number, strerror(errno));
	if (pyn_guard_add(memory, (size_t)status.st_size, &dev->gone, err)) {
		munmap(memory, (size_t)status.st_size);
		return -ENOMEM;
	}
	bar->size = (size_t)status.st_size;
	bar->memory = memory;
	return 0;
}

static volatile void *uio_bar_map(struct pyn_pci *pci, uint32_t number, uint64_t offset, uint64_t length)
{
	struct uio *dev = uio_of(pci);
	struct pyn_error ignored;
	struct bar *bar;

	if (number >= PCI_NUM_BARS || map_bar(dev, number, &ignored))
		return NULL;
	bar = &dev->bars[number];
	return offset < bar->size && length <= bar->size - offset ? bar->memory + offset : NULL;
}

static void uio_bar_disown(struct pyn_pci *pci, const void *pointer, void **mapping, size_t *length)
{
	struct uio *dev = uio_of(pci);

	for (unsigned i = 0; i < PCI_NUM_BARS; i++) {
		struct bar *bar = &dev->bars[i];

		if (!bar->memory || (uintptr_t)pointer - (uintptr_t)bar->memory >= bar->size)
			continue;
		pyn_guard_remove(bar->memory);
		mmap(bar->memory, bar->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		*mapping = bar->memory;
		*length = bar->size;
		bar->memory = NULL;
	}
}

static struct pyn_iova uio_bar_address(struct pyn_pci *pci, uint32_t number)
{
	return pyn_kernel_bar_address(uio_of(pci)->bdf, number);
}

static int uio_bar_read(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length, struct pyn_error *err)
{
	const volatile void *at = uio_of(pci)->bars[0].memory + offset;
	int rc = pyn_pci_check_register(pci, offset, length, err);

	if (rc)
		return rc;
	if (length == 4)
		*(uint32_t *)data = *(const volatile uint32_t *)at;
	else
		*(uint64_t *)data = *(const volatile uint64_t *)at;
	return 0;
}

static int uio_bar_write(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
			 struct pyn_error *err)
{
	volatile void *at = uio_of(pci)->bars[0].memory + offset;
	int rc = pyn_pci_check_register(pci, offset, length, err);

	if (rc)
		return rc;
	if (length == 4)
		*(volatile uint32_t *)at = *(const uint32_t *)data;
	else
		*(volatile uint64_t *)at = *(const uint64_t *)data;
	return 0;
}

/* ---- interrupts, resets and the end ---- */

static int uio_irq_set(struct pyn_pci *pci, uint32_t vector, int eventfd, struct pyn_error *err)
{
	(void)vector;
	if (eventfd < 0)
		return 0;
	return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
			 "%s: " PYN_UIO_DRIVER " has no MSI-X; vfio-pci has, with the IOMMU on", uio_of(pci)->bdf);
}

static int uio_irq_mask(struct pyn_pci *pci, uint32_t vector, bool masked, struct pyn_error *err)
{
	(void)masked;
	return uio_irq_set(pci, vector, 0, err);
}

static int write_file(const char *path, const char *text)
{
	int fd PYN_CLOSE = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* Let the kernel reset the function, since it restores the configuration, with exactly the requested method. */
static int uio_reset(struct pyn_pci *pci, enum pyn_pci_reset kind, struct pyn_error *err)
{
	const char *method = kind == PYN_PCI_RESET_FUNCTION ? "flr" : "bus";
	struct uio *dev = uio_of(pci);
	char choose[PYN_KERNEL_PATH], reset[PYN_KERNEL_PATH];
	uint16_t vendor = UINT16_MAX;
	int failed, number, rc;

	pyn_kernel_path(dev->bdf, "reset_method", choose);
	pyn_kernel_path(dev->bdf, "reset", reset);
	if (write_file(choose, method))
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, errno,
				 "%s has no %s: the kernel does not offer its method '%s' in %s", dev->bdf,
				 kind == PYN_PCI_RESET_FUNCTION ? "function level reset" : "hot reset", method,
				 choose);
	failed = write_file(reset, "1");
	number = errno;
	write_file(choose, "default");
	if (failed)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, number, "%s: the kernel cannot reset it: %s", dev->bdf,
				 strerror(number));
	rc = pyn_pci_config_read16(pci, PCI_CFG_VENDOR, &vendor, err);
	if (!rc && vendor == UINT16_MAX)
		rc = gone(dev, "it does not answer after its reset", err);
	if (!rc)
		rc = pyn_pci_master_set(pci, false, err);
	return rc ? rc : pyn_pci_memory_enable(pci, err);
}

/* Ask the kernel, which knows if the function has an interrupt to wait for; otherwise read from the device. */
static bool uio_alive(struct pyn_pci *pci)
{
	struct uio *dev = uio_of(pci);
	struct pollfd look = {.fd = dev->fd, .events = POLLIN};
	uint16_t vendor = UINT16_MAX;

	if (atomic_load(&dev->gone))
		return false;
	if (poll(&look, 1, 0) <= 0 || !(look.revents & (POLLERR | POLLHUP)))
		return true;
	if (pread(dev->config, &vendor, sizeof(vendor), PCI_CFG_VENDOR) != sizeof(vendor) || vendor == UINT16_MAX)
		atomic_store(&dev->gone, true);
	return vendor != UINT16_MAX;
}

static void uio_close(struct pyn_pci *pci)
{
	struct uio *dev = uio_of(pci);

	for (unsigned i = 0; i < PCI_NUM_BARS; i++) {
		if (!dev->bars[i].memory)
			continue;
		pyn_guard_remove(dev->bars[i].memory);
		munmap(dev->bars[i].memory, dev->bars[i].size);
	}
	if (dev->config >= 0)
		close(dev->config);
	if (dev->fd >= 0)
		close(dev->fd);
	free(dev);
}

static const struct pyn_pci_ops uio_ops = {
	.name = PYN_UIO_DRIVER,
	.close = uio_close,
	.config_read = uio_config_read,
	.config_write = uio_config_write,
	.bar_read = uio_bar_read,
	.bar_write = uio_bar_write,
	.bar_map = uio_bar_map,
	.bar_disown = uio_bar_disown,
	.bar_address = uio_bar_address,
	.irq_set = uio_irq_set,
	.irq_mask = uio_irq_mask,
	.irq_rearm = pyn_pci_nothing_to_rearm,
	.reset = uio_reset,
	.alive = uio_alive,
	.isolate = pyn_pci_isolate,
	.release = pyn_pci_no_release,
	.reattach = pyn_pci_no_release,
};

/* ---- opening ---- */

/* Refuse a function behind a translating IOMMU: it blocks physical addresses, and the drive would never answer. */
static int check_no_translation(const char *bdf, struct pyn_error *err)
{
	char path[PYN_KERNEL_PATH], type[32] = "";
	FILE *file;

	pyn_kernel_path(bdf, "iommu_group/type", path);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%31s", type) != 1)
		type[0] = '\0';
	fclose(file);
	if (!strcmp(type, "identity"))
		return 0;
	return pyn_error(err, PYN_ERROR_ENUMERATE, ENOTSUP,
			 "%s is bound to " PYN_UIO_DRIVER ", but the IOMMU translates its addresses (type %s): "
			 "`sudo python -m pynvme bind %s` binds it to vfio-pci",
			 bdf, type, bdf);
}

static int open_uio(struct uio *dev, struct pyn_error *err)
{
	char path[PYN_KERNEL_PATH], name[32] = "";
	struct dirent *entry;
	DIR *folder;

	pyn_kernel_path(dev->bdf, "uio", path);
	folder = opendir(path);
	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			snprintf(name, sizeof(name), "%.24s", entry->d_name);
	if (folder)
		closedir(folder);
	if (!name[0])
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENODEV, "%s has no UIO device in %s", dev->bdf, path);
	snprintf(path, sizeof(path), "/dev/%.31s", name);
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		return pyn_error(err, PYN_ERROR_ENUMERATE, errno, "%s: %s cannot be opened: %s", dev->bdf, path,
				 strerror(errno));
	if (flock(dev->fd, LOCK_EX | LOCK_NB))
		return pyn_error(err, PYN_ERROR_ENUMERATE, errno,
				 "%s is in use: another session has %s (`sudo fuser -v %s` says which)", dev->bdf,
				 path, path);
	pyn_kernel_path(dev->bdf, "config", path);
	dev->config = open(path, O_RDWR | O_CLOEXEC);
	if (dev->config < 0)
		return pyn_error(err, PYN_ERROR_ENUMERATE, errno, "%s: %s cannot be opened: %s (only root may)",
				 dev->bdf, path, strerror(errno));
	return 0;
}

static int setup(struct uio *dev, struct pyn_error *err)
{
	int rc;

	rc = check_no_translation(dev->bdf, err);
	if (!rc)
		rc = open_uio(dev, err);
	if (!rc)
		rc = pyn_dma_physical_learn(err);
	if (!rc)
		rc = pyn_pci_memory_enable(&dev->pci, err);
	if (!rc)
		rc = map_bar(dev, 0, err);
	return rc ? rc : pyn_pci_set_bar_size(&dev->pci, dev->bars[0].size, dev->bdf, err);
}

int pyn_uio_open(const char *bdf, struct pyn_pci **pci, struct pyn_error *err)
{
	struct uio *dev;
	int rc;

	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a device");
	dev->pci.ops = &uio_ops;
	dev->pci.view.physical = true;
	dev->fd = dev->config = -1;
	memcpy(dev->bdf, bdf, strnlen(bdf, sizeof(dev->bdf) - 1));
	rc = setup(dev, err);
	if (rc) {
		uio_close(&dev->pci);
		return rc;
	}
	*pci = &dev->pci;
	return 0;
}
