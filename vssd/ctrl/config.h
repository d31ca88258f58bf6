/* SPDX-License-Identifier: BSD-3-Clause */
/* The PCI configuration space of the function. */
#ifndef VSSD_CTRL_CONFIG_H
#define VSSD_CTRL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/ctrl/ctrl.h"
#include "vssd/ctrl/part.h"

struct vssd_config {
	uint8_t bytes[VSSD_CONFIG_SIZE];
	uint8_t writable[VSSD_CONFIG_SIZE]; /* bits that a write sets or clears */
	uint8_t clear[VSSD_CONFIG_SIZE];    /* bits that a written 1 clears */
	bool msix_decided;                  /* the host has written MSI-X Enable, with any value */
};

/* Sets the registers to their initial values at power-up, function level and conventional resets, except those that
 * the reset must keep. */
extern const struct vssd_part vssd_config_part;

/* Write to the registers. The caller then acts on what changed, such as bus mastering or a mask. */
void vssd_config_store(struct vssd_ctrl *ctrl, uint32_t offset, const uint8_t *from, uint32_t length);

/* Whether a write sets Initiate Function Level Reset; that bit always reads as 0. */
bool vssd_config_asks_for_flr(uint32_t offset, const uint8_t *data, uint32_t length);

/* How many virtual functions the SR-IOV capability enables. */
unsigned vssd_config_functions(const struct vssd_ctrl *ctrl);

/* Set Interrupt Status in the Status register. Call before the host reads it. */
void vssd_config_set_pin(struct vssd_ctrl *ctrl, bool is_asserted);

/* Whether the function is in the power state D0. */
bool vssd_config_in_d0(const struct vssd_ctrl *ctrl);

/* Whether the host has enabled memory space, and bus mastering, without which the function must not access host
 * memory. */
bool vssd_config_memory_enabled(const struct vssd_ctrl *ctrl);
bool vssd_config_bus_master(const struct vssd_ctrl *ctrl);

/* The kind of interrupts that the host has enabled. VSSD_IRQ_ANY: it has enabled neither MSI nor MSI-X, and has never
 * written MSI-X Enable, so the eventfds that the client has set decide. */
enum vssd_irq { VSSD_IRQ_ANY, VSSD_IRQ_MSIX, VSSD_IRQ_MSI, VSSD_IRQ_PIN };
enum vssd_irq vssd_config_irq(const struct vssd_ctrl *ctrl);

/* How many MSI messages the host has allocated: 1, 2, 4 … VSSD_MSI_VECTORS. */
uint32_t vssd_config_messages(const struct vssd_ctrl *ctrl);

/* Whether a message is masked. If so, set its pending bit. */
bool vssd_config_message_waits(struct vssd_ctrl *ctrl, uint32_t message);

/* Send the pending messages that are no longer masked. */
void vssd_config_settle_messages(struct vssd_ctrl *ctrl);

/* The bits Function Mask of MSI-X, and Interrupt Disable. */
bool vssd_config_msix_masked(const struct vssd_ctrl *ctrl);
bool vssd_config_pin_disabled(const struct vssd_ctrl *ctrl);

#endif
