/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PCI function: configuration space, BARs, DMA, interrupts, resets. There is one table for each kind of access:
 * vfio_user.c reaches a device through a socket, vfio.c through the kernel's vfio-pci, and uio.c through
 * uio_pci_generic, without an IOMMU.
 *
 * Any thread of the process that opened the device may call all functions except close, at any time: a queue rings
 * its doorbell by bar_write while another thread reads a register. Errors: PYN_ERROR_GONE, if the device is gone or
 * answers nonsense; PYN_ERROR_UNSUPPORTED, if it refuses a request; PYN_ERROR_ARGUMENT, for an offset or length that
 * does not exist.
 */
#ifndef PYN_PCI_PCI_H
#define PYN_PCI_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env/env.h"
#include "core/util/address.h"
#include "core/util/error.h"

struct pyn_pci; /* each kind of access appends its own fields */

enum pyn_pci_reset {
	PYN_PCI_RESET_FUNCTION, /* FLR: Device Control, Initiate Function Level Reset */
	PYN_PCI_RESET_HOT,      /* hot reset of the link; vfio-user: DEVICE_RESET */
};

/* The environment variable that chooses the interrupts of a PCIe drive: msix, msi, intx. */
#define PYN_PCI_IRQ_VARIABLE "PYNVME_IRQ"

enum pyn_pci_irq {
	PYN_PCI_IRQ_NONE,
	PYN_PCI_IRQ_MSIX,
	PYN_PCI_IRQ_MSI,
	PYN_PCI_IRQ_PIN, /* INTx: one vector, level-triggered; the kernel masks it at each interrupt */
};

struct pyn_pci_ops {
	const char *name;

	/* Detach, unmap, close, free. Never fails, even if the device is gone. */
	void (*close)(struct pyn_pci *pci);

	/* Access length bytes of configuration space at offset (0 … 4095). */
	int (*config_read)(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length, struct pyn_error *err);
	int (*config_write)(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
			    struct pyn_error *err);

	/* Access BAR 0. length is 4 or 8, offset naturally aligned. */
	int (*bar_read)(struct pyn_pci *pci, uint32_t offset, void *data, uint32_t length, struct pyn_error *err);
	int (*bar_write)(struct pyn_pci *pci, uint32_t offset, const void *data, uint32_t length,
			 struct pyn_error *err);

	/* Map bytes offset … offset+length-1 of a BAR, for stores without a call, in this process and in those that
	 * it forks; valid until close. NULL: cannot be mapped, use bar_write. A store can still raise SIGBUS, if
	 * memory space is disabled, or if a vfio-user server truncates its file. A process that must survive this,
	 * such as a worker, handles that signal. */
	volatile void *(*bar_map)(struct pyn_pci *pci, uint32_t bar, uint64_t offset, uint64_t length);

	/* Replace the mapping of a BAR that contains pointer by zeroed ordinary memory, length bytes at mapping,
	 * which the caller unmaps. For callers that use pointers into it after close. */
	void (*bar_disown)(struct pyn_pci *pci, const void *pointer, void **mapping, size_t *length);

	/* The bus address of a BAR, as the device knows it; 0: it has none. */
	struct pyn_iova (*bar_address)(struct pyn_pci *pci, uint32_t bar);

	/* Let vector (0 …) raise eventfd; -1 for none. */
	int (*irq_set)(struct pyn_pci *pci, uint32_t vector, int eventfd, struct pyn_error *err);

	/* Mask or unmask a vector in the MSI-X table. An interrupt of a masked vector waits in its pending bit. */
	int (*irq_mask)(struct pyn_pci *pci, uint32_t vector, bool masked, struct pyn_error *err);

	/* Call after reading an eventfd, so that a pin may raise it again. For messages: pyn_pci_nothing_to_rearm. */
	void (*irq_rearm)(struct pyn_pci *pci);

	/* Reset, and wait until the function answers again. Afterwards memory space is enabled, bus mastering is not,
	 * and the rest of its configuration is as before. PYN_ERROR_UNSUPPORTED: it has no such reset. */
	int (*reset)(struct pyn_pci *pci, enum pyn_pci_reset kind, struct pyn_error *err);

	/* Whether the device is still there. Checks only the socket or a flag, and does not ask the device. */
	bool (*alive)(struct pyn_pci *pci);

	/* End the access of the device to memory before it is closed, whatever its state. false: the device may still
	 * write, since it is reached by a socket and does not confirm. A PCIe function uses pyn_pci_isolate. */
	bool (*isolate)(struct pyn_pci *pci);

	/* Release the function to the kernel while its power is off. Until reattach it reaches no memory, reads
	 * return all ones, writes are dropped, and pointers of bar_map stay valid. After reattach it is in its state
	 * after power-on; if that fails, it stays released. A device at a socket uses pyn_pci_no_release. */
	int (*release)(struct pyn_pci *pci, struct pyn_error *err);
	int (*reattach)(struct pyn_pci *pci, struct pyn_error *err);
};

/* Entries for kinds of access that have nothing to rearm, that reach memory only as a bus master, and that cannot
 * release a device. */
void pyn_pci_nothing_to_rearm(struct pyn_pci *pci);
bool pyn_pci_isolate(struct pyn_pci *pci);
int pyn_pci_no_release(struct pyn_pci *pci, struct pyn_error *err);

struct pyn_pci {
	const struct pyn_pci_ops *ops;
	uint32_t bar_size;    /* of BAR 0, bytes */
	uint32_t num_vectors; /* interrupt vectors, 0: none */
	enum pyn_pci_irq irq;
	uint32_t irq_at;     /* offset of its MSI or MSI-X capability; 0: not looked up yet */
	bool pin_used;       /* INTx Disable stays off */
	uint32_t irq_lag_us; /* the longest delay from a completion queue entry to the eventfd of its interrupt;
			      * 0: the eventfd is raised before the answer to a read of a register */
	struct pyn_dma_view view;
};

/*
 * Open the function at address: one of this machine, or one behind a vfio-user socket. The address may name the
 * socket, or a directory with a socket named `cntrl`. Maps all DMA memory for the device and makes its registers
 * readable; leaves bus mastering as it was. Errors: PYN_ERROR_ENUMERATE (address of another kind, no device, in use,
 * or not a function that we can drive), PYN_ERROR_MEMORY.
 */
int pyn_pci_open(const struct pyn_address *address, struct pyn_pci **pci, struct pyn_error *err);

#endif
