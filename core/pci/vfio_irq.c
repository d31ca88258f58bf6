/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/vfio_irq.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/util/cleanup.h"
#include "core/util/log.h"

#define VECTORS_MAX 2048u /* MSI-X */
#define CHOICE PYN_PCI_IRQ_VARIABLE

/* In the order of preference. */
static const struct kind {
	const char *word; /* of PYNVME_IRQ */
	const char *name;
	uint32_t index; /* of the kind in the kernel */
	enum pyn_pci_irq kind;
} the_kinds[] = {
	{"msix", "MSI-X", VFIO_PCI_MSIX_IRQ_INDEX, PYN_PCI_IRQ_MSIX},
	{"msi", "MSI", VFIO_PCI_MSI_IRQ_INDEX, PYN_PCI_IRQ_MSI},
	{"intx", "interrupt pin", VFIO_PCI_INTX_IRQ_INDEX, PYN_PCI_IRQ_PIN},
};

#define KINDS (sizeof(the_kinds) / sizeof(the_kinds[0]))

static uint32_t index_of(const struct pyn_vfio_irq *irq)
{
	for (size_t i = 0; i < KINDS; i++)
		if (the_kinds[i].kind == irq->kind)
			return the_kinds[i].index;
	return VFIO_PCI_NUM_IRQS;
}

/* Set count eventfds of one kind of interrupts, for the vectors from start on. */
static int set_irqs(int device, uint32_t index, uint32_t start, const int *eventfds, uint32_t count)
{
	size_t size = sizeof(struct vfio_irq_set) + count * sizeof(int);
	struct vfio_irq_set *set PYN_FREE = calloc(1, size);

	if (!set) {
		errno = ENOMEM;
		return -1;
	}
	*set = (struct vfio_irq_set){
		.argsz = (uint32_t)size,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = index,
		.start = start,
		.count = count,
	};
	memcpy(set->data, eventfds, count * sizeof(int));
	return ioctl(device, VFIO_DEVICE_SET_IRQS, set);
}

/* Request an action without eventfds. count 0 disables the kind. */
static int set_plain(int device, uint32_t index, uint32_t action, uint32_t count)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | action,
		.index = index,
		.count = count,
	};

	return ioctl(device, VFIO_DEVICE_SET_IRQS, &set);
}

static uint32_t count_of(int device, uint32_t index)
{
	struct vfio_irq_info info = {.argsz = sizeof(info), .index = index};

	if (ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info) || !(info.flags & VFIO_IRQ_INFO_EVENTFD))
		return 0;
	return info.count < VECTORS_MAX ? info.count : VECTORS_MAX;
}

/* Enable all vectors, without eventfds: older kernels cannot add a vector later. */
static int enable_messages(struct pyn_vfio_irq *irq, const struct kind *kind, struct pyn_error *err)
{
	int *none PYN_FREE = malloc(irq->count * sizeof(*none));
	int rc;

	if (!none)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for %u interrupt vectors", irq->count);
	memset(none, 0xff, irq->count * sizeof(*none));
	rc = set_irqs(irq->device, kind->index, 0, none, irq->count);
	/* This machine has only rc vectors left. */
	if (rc > 0 && !set_irqs(irq->device, kind->index, 0, none, (uint32_t)rc)) {
		irq->count = (uint32_t)rc;
		rc = 0;
	}
	if (rc)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, rc < 0 ? errno : ENOSPC,
				 "%s: its %u vectors of %s cannot be enabled: %s", irq->bdf, irq->count, kind->name,
				 strerror(rc < 0 ? errno : ENOSPC));
	return 0;
}

/* Enable interrupts of this kind. Returns 0 with irq->kind unchanged if the function has none. */
static int try_kind(struct pyn_vfio_irq *irq, const struct kind *kind, struct pyn_error *err)
{
	int rc;

	irq->count = count_of(irq->device, kind->index);
	if (!irq->count)
		return 0;
	rc = kind->kind == PYN_PCI_IRQ_PIN ? 0 : enable_messages(irq, kind, err);
	if (rc)
		irq->count = 0;
	else
		irq->kind = kind->kind;
	return rc;
}

static int setup_chosen(struct pyn_vfio_irq *irq, const char *word, struct pyn_error *err)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (strcmp(the_kinds[i].word, word) != 0)
			continue;
		int rc = try_kind(irq, &the_kinds[i], err);

		if (rc || irq->count)
			return rc;
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP, CHOICE "=%s, but %s has no %s", word, irq->bdf,
				 the_kinds[i].name);
	}
	return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, CHOICE "=%.40s: msix, msi or intx is expected", word);
}

int pyn_vfio_irq_setup(struct pyn_vfio_irq *irq, struct pyn_error *err)
{
	const char *word = getenv(CHOICE);
	struct pyn_error why;

	irq->kind = PYN_PCI_IRQ_NONE;
	irq->count = 0;
	if (word && *word)
		return setup_chosen(irq, word, err);
	for (size_t i = 0; i < KINDS && !irq->count; i++)
		if (try_kind(irq, &the_kinds[i], &why))
			pyn_log(PYN_LOG_WARNING, "%s", why.text);
	return 0;
}

int pyn_vfio_irq_set(const struct pyn_vfio_irq *irq, uint32_t vector, int eventfd, struct pyn_error *err)
{
	int rc;

	/* Disable a pin without an eventfd: the kernel would have no handler for it. */
	if (irq->kind == PYN_PCI_IRQ_PIN && eventfd < 0)
		rc = set_plain(irq->device, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, 0);
	else
		rc = set_irqs(irq->device, index_of(irq), vector, &eventfd, 1);
	if (rc)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, errno, "%s: interrupt vector %u cannot be used: %s",
				 irq->bdf, vector, strerror(errno));
	return 0;
}

int pyn_vfio_irq_enable(struct pyn_vfio_irq *irq, bool on, struct pyn_error *err)
{
	for (size_t i = 0; on && i < KINDS; i++)
		if (the_kinds[i].kind == irq->kind)
			return enable_messages(irq, &the_kinds[i], err);
	if (!on && set_plain(irq->device, index_of(irq), VFIO_IRQ_SET_ACTION_TRIGGER, 0))
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, errno, "%s: its interrupts cannot be disabled: %s",
				 irq->bdf, strerror(errno));
	return 0;
}

void pyn_vfio_irq_rearm(const struct pyn_vfio_irq *irq)
{
	if (irq->kind == PYN_PCI_IRQ_PIN)
		set_plain(irq->device, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_UNMASK, 1);
}

int pyn_vfio_irq_request(const struct pyn_vfio_irq *irq, int eventfd, struct pyn_error *err)
{
	if (!set_irqs(irq->device, VFIO_PCI_REQ_IRQ_INDEX, 0, &eventfd, 1))
		return 0;
	return pyn_error(err, PYN_ERROR_ENUMERATE, errno, "%s: the kernel cannot report its removal: %s", irq->bdf,
			 strerror(errno));
}
