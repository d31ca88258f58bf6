/* SPDX-License-Identifier: BSD-3-Clause */
/* The PCI function of a drive that SPDK has attached: registers, configuration space and resets, so that core/pci and
 * core/nvme work with it as with any other function. At a socket they are public calls of SPDK. */
#define _GNU_SOURCE 1
#include "spdk/private.h"

#include <errno.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spdk/nvme.h>
#include <spdk/vfio_user_pci.h>

#include "core/pci/config.h"
#include "core/pci/kernel.h"
#include "core/pci/saved.h"
#include "core/pci/vfio.h"
#include "core/pci/vfio_user_connect.h"
#include "spec/nvme_regs.h"

/* Of DPDK (rte_vfio.h): the descriptors of its container, and of an IOMMU group that it has open. */
int rte_vfio_get_container_fd(void);
int rte_vfio_get_group_fd(int number);

struct function {
	struct pyn_pci pci;
	struct vfio_device *dev;
	int socket; /* of the connection, SPDK's */
	char path[PYN_VFU_PATH];
};

static struct function *function_of(struct pyn_pci *pci)
{
	return (struct function *)pci;
}

/* ---- the connection ---- */

static bool vfio_user_alive(struct pyn_pci *pci)
{
	struct pollfd look = {.fd = function_of(pci)->socket, .events = POLLRDHUP};

	return poll(&look, 1, 0) <= 0 || !(look.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

static int no_answer(struct function *function, const char *what, int rc, struct pyn_error *err)
{
	if (!vfio_user_alive(&function->pci))
		return pyn_error(err, PYN_ERROR_GONE, ENODEV, "the device at %s is gone (asked for %s)",
				 function->path, what);
	if (rc == -EAGAIN)
		return pyn_error(
			err, PYN_ERROR_GONE, ETIMEDOUT,
			"the device at %s still does not answer (asked for %s): it can be used again as soon "
			"as it goes on",
			function->path, what);
	return pyn_error(err, PYN_ERROR_GONE, ETIMEDOUT, "the device at %s does not answer (asked for %s)",
			 function->path, what);
}

/* SPDK reports EFAULT if the device refused an access. */
static int refused(struct function *function, const char *what, uint32_t offset, uint32_t length, int rc,
		   struct pyn_error *err)
{
	if (rc == -EINVAL || rc == -EFAULT)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "bytes %#x to %#x are outside of %s", offset,
				 offset + length - 1, what);
	return no_answer(function, what, rc, err);
}

static int access_region(struct pyn_pci *pci, uint32_t region, const char *what, uint32_t offset, void *data,
			 uint32_t length, bool is_write, struct pyn_error *err)
{
	struct function *function = function_of(pci);

	if (!vfio_user_alive(pci))
		return no_answer(function, what, 0, err);
	int rc = pyn_spdk_access(function->dev, region, offset, length, data, is_write);

	return rc ? refused(function, what, offset, length, rc, err) : 0;
}

static int vfio_user_config_read(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length,
				 struct pyn_error *err)
{
	return access_region(pci, VFIO_PCI_CONFIG_REGION_INDEX, "configuration space", offset, data, length, false,
			     err);
}

static int vfio_user_config_write(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
				  struct pyn_error *err)
{
	return access_region(pci, VFIO_PCI_CONFIG_REGION_INDEX, "configuration space", offset, (void *)data, length,
			     true, err);
}

/*
 * Access doorbells by a message. SPDK maps them, and two stores in a row are one for the drive.
 */
static int access_doorbell(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length, bool is_write,
			   struct pyn_error *err)
{
	union {
		struct vfio_user_region_access header;
		uint8_t bytes[sizeof(struct vfio_user_region_access) + sizeof(uint64_t)];
	} message = {.header = {.offset = offset, .region = VFIO_PCI_BAR0_REGION_INDEX, .count = length}};
	struct function *function = function_of(pci);
	size_t size = sizeof(message.header) + (is_write ? length : 0);
	int rc;

	if (!vfio_user_alive(pci))
		return no_answer(function, "BAR 0", 0, err);
	if (is_write)
		memcpy(message.header.data, data, length);
	rc = pyn_spdk_ask(function->dev, is_write ? VFIO_USER_REGION_WRITE : VFIO_USER_REGION_READ, &message, size,
			  sizeof(message));
	if (!rc && !is_write)
		memcpy(data, message.header.data, length);
	return rc ? refused(function, "BAR 0", offset, length, rc, err) : 0;
}

static int vfio_user_bar_read(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length,
			      struct pyn_error *err)
{
	if (offset >= NVME_REG_DOORBELLS)
		return access_doorbell(pci, offset, data, length, false, err);
	return access_region(pci, VFIO_PCI_BAR0_REGION_INDEX, "BAR 0", offset, data, length, false, err);
}

static int vfio_user_bar_write(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
			       struct pyn_error *err)
{
	if (offset >= NVME_REG_DOORBELLS)
		return access_doorbell(pci, offset, (void *)data, length, true, err);
	return access_region(pci, VFIO_PCI_BAR0_REGION_INDEX, "BAR 0", offset, (void *)data, length, true, err);
}

static int device_reset(struct function *function, struct pyn_error *err)
{
	char nothing[1];
	int rc = pyn_spdk_ask(function->dev, VFIO_USER_DEVICE_RESET, nothing, 0, 0);

	return rc ? no_answer(function, "a reset", rc, err) : 0;
}

static int vfio_user_reset(struct pyn_pci *pci, enum pyn_pci_reset kind, struct pyn_error *err)
{
	struct pyn_pci_saved saved;
	int rc;

	if (!vfio_user_alive(pci))
		return no_answer(function_of(pci), "a reset", 0, err);
	pyn_pci_save(pci, &saved);
	rc = kind == PYN_PCI_RESET_FUNCTION ? pyn_pci_function_reset(pci, err) : device_reset(function_of(pci), err);
	if (!rc)
		rc = pyn_pci_restore(pci, &saved, err);
	return rc ? rc : pyn_pci_memory_enable(pci, err);
}

static void function_close(struct pyn_pci *pci)
{
	free(function_of(pci));
}

/* SPDK offers no unmapping, so only a device that is gone is known to write no more. */
static bool vfio_user_isolate(struct pyn_pci *pci)
{
	return !vfio_user_alive(pci);
}

static const struct pyn_pci_ops vfio_user_ops = {
	.name = "vfio-user",
	.close = function_close,
	.config_read = vfio_user_config_read,
	.config_write = vfio_user_config_write,
	.bar_read = vfio_user_bar_read,
	.bar_write = vfio_user_bar_write,
	.reset = vfio_user_reset,
	.alive = vfio_user_alive,
	.isolate = vfio_user_isolate,
	.release = pyn_pci_no_release,
	.reattach = pyn_pci_no_release,
};

static struct pyn_pci *at_socket(const char *path, struct pyn_error *err)
{
	struct function *function = calloc(1, sizeof(*function));

	if (!function) {
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a controller");
		return NULL;
	}
	function->pci.ops = &vfio_user_ops;
	function->dev = pyn_spdk_connection(&function->socket);
	snprintf(function->path, sizeof(function->path), "%s", path);
	return &function->pci;
}

/* ---- a function of this machine ---- */

/* SPDK offers registers and configuration space, but no reset, and a load from its registers ends in a SIGBUS while
 * memory space is off. So share the function with it, whose IOMMU group DPDK has open. */
static struct pyn_pci *of_machine(struct spdk_nvme_ctrlr *ctrlr, const char *bdf, struct pyn_error *err)
{
	volatile struct spdk_nvme_registers *registers = spdk_nvme_ctrlr_get_registers(ctrlr);
	struct pyn_vfio_shared_by of = {
		.container = rte_vfio_get_container_fd(),
		.group = rte_vfio_get_group_fd(pyn_kernel_iommu_group(bdf)),
		.registers = (void *)(uintptr_t)registers,
	};
	struct pyn_pci *pci = NULL;

	if (!registers || of.container < 0 || of.group < 0)
		pyn_error(err, PYN_ERROR_ENUMERATE, ENOTSUP, "SPDK does not drive %s by VFIO", bdf);
	else
		pyn_vfio_share(bdf, &of, &pci, err);
	return pci;
}

/* ---- both ---- */

struct pyn_pci *pyn_spdk_function(struct spdk_nvme_ctrlr *ctrlr, bool is_socket, const char *path,
				  struct pyn_error *err)
{
	return is_socket ? at_socket(path, err) : of_machine(ctrlr, path, err);
}
