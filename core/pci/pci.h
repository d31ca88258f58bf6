/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PCI function: configuration space, BARs, DMA, interrupts, resets. One table for each kind of access;
 * vfio_user.c reaches a device through a socket, vfio.c through the kernel, uio.c too, where there is no IOMMU.
 *
 * All functions but close may be called from any thread of the process that opened the device, at any time: a queue
 * rings its doorbell by bar_write while another thread reads a register. A device that is gone or answers nonsense:
 * PYN_ERROR_GONE; one that is there and refuses what it was asked: PYN_ERROR_UNSUPPORTED; offsets and lengths that do
 * not exist: PYN_ERROR_ARGUMENT.
 */
#ifndef PYN_PCI_PCI_H
#define PYN_PCI_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env/env.h"
#include "core/util/address.h"
#include "core/util/error.h"

struct pyn_pci; /* each kind puts its own fields behind this header */

enum pyn_pci_reset {
	PYN_PCI_RESET_FUNCTION, /* FLR: Device Control, Initiate Function Level Reset */
	PYN_PCI_RESET_HOT,      /* hot reset of the link; vfio-user: DEVICE_RESET */
};

enum pyn_pci_irq {
	PYN_PCI_IRQ_NONE,
	PYN_PCI_IRQ_MSIX,
	PYN_PCI_IRQ_MSI,
	PYN_PCI_IRQ_PIN, /* INTx: one vector, a level, and the kernel masks it each time */
};

struct pyn_pci_ops {
	const char *name;

	/* Detach, unmap, close, free. Never fails; a device that is gone is no error here. */
	void (*close)(struct pyn_pci *pci);

	/* length bytes of configuration space at offset (0 … 4095). */
	int (*config_read)(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length, struct pyn_error *err);
	int (*config_write)(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
			    struct pyn_error *err);

	/* BAR 0, length 4 or 8, naturally aligned. */
	int (*bar_read)(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length, struct pyn_error *err);
	int (*bar_write)(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
			 struct pyn_error *err);

	/* Where bytes offset … offset+length-1 of a BAR are mapped, for stores without a call, in this process and in
	 * those that it forks; NULL: not mappable, use bar_write. Stays valid until close. A store can still raise
	 * SIGBUS: where the kernel's device has its memory space disabled, or a vfio-user server truncates the file
	 * that it gave; a process that must survive this, such as a worker, handles that signal. */
	volatile void *(*bar_map)(struct pyn_pci *pci, uint32_t bar, uint64_t offset, uint64_t length);

	/* The mapping of a BAR that holds pointer becomes ordinary memory, zeros, which the caller unmaps: length
	 * bytes at mapping. For who has pointers into it that are used after close. */
	void (*bar_disown)(struct pyn_pci *pci, const void *pointer, void **mapping, size_t *length);

	/* Where a BAR lies on the bus, as the device knows it; 0: it has none there. */
	struct pyn_iova (*bar_address)(struct pyn_pci *pci, uint32_t bar);

	/* Let vector (0 …) raise eventfd, or nothing where eventfd is -1. */
	int (*irq_set)(struct pyn_pci *pci, uint32_t vector, int eventfd, struct pyn_error *err);

	/* MSI-X: mask a vector in its table, or unmask it: what is raised meanwhile waits in its pending bit. */
	int (*irq_mask)(struct pyn_pci *pci, uint32_t vector, bool masked, struct pyn_error *err);

	/* An eventfd was read: a pin may raise it again. Messages need nothing: pyn_pci_nothing_to_rearm. */
	void (*irq_rearm)(struct pyn_pci *pci);

	/* Reset, and wait until the function answers again; what else was configured is as before, its memory space
	 * is enabled and bus mastering is not. PYN_ERROR_UNSUPPORTED: it has no such reset. */
	int (*reset)(struct pyn_pci *pci, enum pyn_pci_reset kind, struct pyn_error *err);

	/* Whether the device still answers, without asking it: one glance at the socket or at a flag. */
	bool (*alive)(struct pyn_pci *pci);

	/* Let the kernel have the function while its power is off. Until reattach it reaches no memory, it reads as
	 * all ones, what is written goes nowhere, and pointers of bar_map stay what they are. reattach: it is there
	 * again, as it is after power-on. If that fails, it stays released. No other driver has a use for a device at
	 * a socket: pyn_pci_no_release. */
	int (*release)(struct pyn_pci *pci, struct pyn_error *err);
	int (*reattach)(struct pyn_pci *pci, struct pyn_error *err);
};

/* Entries of a kind that has nothing to do there, and of one that cannot do it. */
void pyn_pci_nothing_to_rearm(struct pyn_pci *pci);
int pyn_pci_no_release(struct pyn_pci *pci, struct pyn_error *err);

struct pyn_pci {
	const struct pyn_pci_ops *ops;
	uint32_t bar_size;    /* of BAR 0, bytes */
	uint32_t num_vectors; /* interrupt vectors, 0: none */
	enum pyn_pci_irq irq;
	uint32_t irq_at;     /* of the capability of its messages; 0: not looked for yet */
	bool pin_used;       /* INTx Disable stays off */
	uint32_t irq_lag_us; /* an interrupt reaches its eventfd so long after what the device sent with it, at most;
			      * 0: before the answer to a read of a register */
	struct pyn_dma_view view;
};

/*
 * Open the function at address: one of the kernel's, or the one behind a vfio-user socket, which may be named `cntrl`
 * in a directory. All DMA memory is mapped for the device, and its registers can be read; bus mastering is left as it
 * was found. Errors: PYN_ERROR_ENUMERATE (of another kind, none there, in use, not a function we can drive),
 * PYN_ERROR_MEMORY.
 */
int pyn_pci_open(const struct pyn_address *address, struct pyn_pci **pci, struct pyn_error *err);

#endif
