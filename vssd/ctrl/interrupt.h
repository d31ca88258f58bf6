/* SPDX-License-Identifier: BSD-3-Clause */
/* When a completion queue's vector is raised, and as what (interrupt.c); what waits for the host to listen (pin.c).
 */
#ifndef VSSD_CTRL_INTERRUPT_H
#define VSSD_CTRL_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/bus/bus.h"

struct vssd_ctrl;
struct vssd_cq;

/* Entries of a vector's completion queues that no interrupt has told of. */
struct vssd_coalesced {
	uint32_t entries;
	uint64_t due; /* ticks, from the first of them on */
};

struct vssd_interrupts {
	struct vssd_coalesced coalesced[VSSD_MSIX_VECTORS];
	bool coalescing_off[VSSD_MSIX_VECTORS]; /* feature 09h */
	uint16_t num_coalesced;                 /* vectors with an interrupt that waits */
	uint32_t intms; /* what INTMS and INTMC say: a bit for each MSI message, bit 0 for the pin */
};

/* ---- interrupt.c ---- */

/* Entries were posted: raise the vector, or let it wait for more. */
void vssd_interrupt(struct vssd_ctrl *ctrl, struct vssd_cq *cq);

/* Raise what has waited long enough. */
void vssd_interrupts_poll(struct vssd_ctrl *ctrl);

/* No queue is left to tell of. */
void vssd_interrupts_clear(struct vssd_ctrl *ctrl);

/* The bit of INTMS and INTMC that stands for a vector. */
uint32_t vssd_interrupt_message(const struct vssd_ctrl *ctrl, uint16_t vector);

/* Send an interrupt of this vector now; signal the pin. */
void vssd_interrupt_send(struct vssd_ctrl *ctrl, uint16_t vector);
void vssd_interrupt_pin(struct vssd_ctrl *ctrl);

/* ---- pin.c ---- */

/* Raise the vectors of all completion queues that hold entries which the host has not taken; of MSI and the pin,
 * those of these messages alone. */
void vssd_interrupts_again(struct vssd_ctrl *ctrl, uint32_t messages);

/* Whether the function asserts its pin, or would if Interrupt Disable were clear. */
bool vssd_interrupts_pin_level(struct vssd_ctrl *ctrl);

/* Registers INTMS and INTMC. With MSI-X they mask nothing. */
uint32_t vssd_interrupts_masked(const struct vssd_ctrl *ctrl);
void vssd_interrupts_mask(struct vssd_ctrl *ctrl, uint32_t messages);
void vssd_interrupts_unmask(struct vssd_ctrl *ctrl, uint32_t messages);

#endif
