/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interrupts of a function, through the kernel: MSI-X, else MSI, else its pin. The environment variable
 * PYNVME_IRQ (msix, msi, intx) selects one of them. Internal to core/pci.
 */
#ifndef PYN_PCI_VFIO_IRQ_H
#define PYN_PCI_VFIO_IRQ_H

#include <stdint.h>

#include "core/pci/pci.h"

struct pyn_vfio_irq {
	int device; /* of the function */
	const char *bdf;
	enum pyn_pci_irq kind;
	uint32_t count; /* vectors */
};

/*
 * Choose a kind and enable it: MSI and MSI-X with all their vectors, which do not raise an eventfd yet.
 * pyn_vfio_irq_set enables the pin. A function without interrupts is no error. Errors: PYN_ERROR_ARGUMENT
 * (PYNVME_IRQ), PYN_ERROR_UNSUPPORTED (the function does not have what PYNVME_IRQ asks for).
 */
int pyn_vfio_irq_setup(struct pyn_vfio_irq *irq, struct pyn_error *err);

/* Let an existing vector raise eventfd; -1 for none. Errors: PYN_ERROR_UNSUPPORTED. */
int pyn_vfio_irq_set(const struct pyn_vfio_irq *irq, uint32_t vector, int eventfd, struct pyn_error *err);

/* Switch all vectors off or on again, since the kernel does not allow to write MSI-X Enable. Afterwards no vector
 * raises an eventfd. Errors: PYN_ERROR_UNSUPPORTED. */
int pyn_vfio_irq_enable(struct pyn_vfio_irq *irq, bool on, struct pyn_error *err);

/* Unmask a pin, which the kernel masks whenever it raises the eventfd. Does nothing for messages. */
void pyn_vfio_irq_rearm(const struct pyn_vfio_irq *irq);

/* Let the kernel raise eventfd when it requests the function back. */
int pyn_vfio_irq_request(const struct pyn_vfio_irq *irq, int eventfd, struct pyn_error *err);

#endif
