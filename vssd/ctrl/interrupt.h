/* SPDX-License-Identifier: BSD-3-Clause */
/* When and how to raise the vector of a completion queue (interrupt.c), and interrupts that are masked (pin.c). */
#ifndef VSSD_CTRL_INTERRUPT_H
#define VSSD_CTRL_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/bus/bus.h"

struct vssd_ctrl;
struct vssd_cq;

/* Completions of a vector that wait for a coalesced interrupt. */
struct vssd_coalesced {
	uint32_t entries;
	uint64_t due; /* ticks: the aggregation time after the first of them */
};

struct vssd_interrupts {
	uint32_t count; /* MSI-X vectors */
	struct vssd_coalesced coalesced[VSSD_MSIX_MOST];
	bool coalescing_off[VSSD_MSIX_MOST]; /* feature 09h */
	uint16_t num_coalesced;              /* vectors with a coalesced interrupt that waits */
	uint32_t intms; /* the mask of INTMS and INTMC: a bit for each MSI message, bit 0 for the pin */
};

/* ---- interrupt.c ---- */

/* Interrupt for the entries that were posted to a queue, at once or coalesced. */
void vssd_interrupt(struct vssd_ctrl *ctrl, struct vssd_cq *cq);

/* Raise the coalesced interrupts whose aggregation time is over. */
void vssd_interrupts_poll(struct vssd_ctrl *ctrl);

/* Drop all coalesced interrupts, after all queues were deleted. */
void vssd_interrupts_clear(struct vssd_ctrl *ctrl);

/* The bit of INTMS and INTMC that stands for a vector. */
uint32_t vssd_interrupt_message(const struct vssd_ctrl *ctrl, uint16_t vector);

/* Send the interrupt of this vector now, or signal the pin. */
void vssd_interrupt_send(struct vssd_ctrl *ctrl, uint16_t vector);
void vssd_interrupt_pin(struct vssd_ctrl *ctrl);

/* ---- pin.c ---- */

/* Raise the vectors of all completion queues with entries that the host has not consumed; for MSI and the pin only
 * those of these messages. */
void vssd_interrupts_again(struct vssd_ctrl *ctrl, uint32_t messages);

/* Whether the function asserts its pin, or would if Interrupt Disable were clear. */
bool vssd_interrupts_pin_level(struct vssd_ctrl *ctrl);

/* Access registers INTMS and INTMC. With MSI-X they mask nothing. */
uint32_t vssd_interrupts_masked(const struct vssd_ctrl *ctrl);
void vssd_interrupts_mask(struct vssd_ctrl *ctrl, uint32_t messages);
void vssd_interrupts_unmask(struct vssd_ctrl *ctrl, uint32_t messages);

#endif
