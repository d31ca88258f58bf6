/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interrupts of a function as the kernel hands them over: MSI-X, else MSI, else its pin; the environment variable
 * PYNVME_IRQ (msix, msi, intx) asks for one of them. Internal to core/pci.
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
 * Decide on a kind, and enable it: MSI and MSI-X with all their vectors, none of which raises anything yet; the pin
 * where pyn_vfio_irq_set wants it. A function without any is none of the errors. Errors: PYN_ERROR_ARGUMENT
 * (PYNVME_IRQ), PYN_ERROR_UNSUPPORTED (the function has not what PYNVME_IRQ asks for).
 */
int pyn_vfio_irq_setup(struct pyn_vfio_irq *irq, struct pyn_error *err);

/* Let a vector that there is raise eventfd; -1: nothing. Errors: PYN_ERROR_UNSUPPORTED. */
int pyn_vfio_irq_set(const struct pyn_vfio_irq *irq, uint32_t vector, int eventfd, struct pyn_error *err);

/* MSI-X Enable, which the kernel does not let be written: switch all vectors off, or on again, none of which raises
 * anything then. Errors: PYN_ERROR_UNSUPPORTED. */
int pyn_vfio_irq_enable(struct pyn_vfio_irq *irq, bool on, struct pyn_error *err);

/* The kernel masks a pin when it has raised its eventfd: unmask it. Nothing happens to messages. */
void pyn_vfio_irq_rearm(const struct pyn_vfio_irq *irq);

/* Let the kernel raise eventfd when it wants the function back. */
int pyn_vfio_irq_request(const struct pyn_vfio_irq *irq, int eventfd, struct pyn_error *err);

#endif
