/* SPDX-License-Identifier: BSD-3-Clause */
/* The PCI function: configuration space (config.c) and interrupts (interrupt.c). Part of device.h. */
#ifndef VSSD_CTRL_FUNCTION_H
#define VSSD_CTRL_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/ctrl/ctrl.h"

struct vssd_cq;

/* ---- config.c ---- */

/* As at power-up. */
void vssd_config_init(struct vssd_ctrl *ctrl);

/* Registers get their initial values but for those that such a reset leaves alone. kind: VSSD_RESET_FUNCTION or
 * VSSD_RESET_CONVENTIONAL. */
void vssd_config_reset(struct vssd_ctrl *ctrl, enum vssd_reset kind);

/* Whether the function answers in memory space, and whether it may read and write host memory. */
bool vssd_config_memory_enabled(const struct vssd_ctrl *ctrl);
bool vssd_config_bus_master(const struct vssd_ctrl *ctrl);

/* How the function interrupts. VSSD_IRQ_ANY: the host has enabled neither MSI nor MSI-X, and never touched the enable
 * bit of MSI-X: then what the client listens to decides. */
enum vssd_irq { VSSD_IRQ_ANY, VSSD_IRQ_MSIX, VSSD_IRQ_MSI, VSSD_IRQ_PIN };
enum vssd_irq vssd_config_irq(const struct vssd_ctrl *ctrl);

/* MSI messages that the host has allocated: 1, 2, 4 … VSSD_MSI_VECTORS. */
uint32_t vssd_config_messages(const struct vssd_ctrl *ctrl);

/* Whether a message is masked: then its pending bit is set. */
bool vssd_config_message_waits(struct vssd_ctrl *ctrl, uint32_t message);

/* Interrupt Disable. */
bool vssd_config_pin_disabled(const struct vssd_ctrl *ctrl);

/* The client is gone: the next one has not decided how to be interrupted. */
void vssd_config_host_gone(struct vssd_ctrl *ctrl);

/* ---- interrupt.c ---- */

/* Entries were posted: raise the vector, or let it wait for more. */
void vssd_interrupt(struct vssd_ctrl *ctrl, struct vssd_cq *cq);

/* Raise what has waited long enough. */
void vssd_interrupts_poll(struct vssd_ctrl *ctrl);

/* No queue is left to tell of. */
void vssd_interrupts_clear(struct vssd_ctrl *ctrl);

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
