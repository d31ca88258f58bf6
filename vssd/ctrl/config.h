/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI configuration space. */
#ifndef VSSD_CTRL_CONFIG_H
#define VSSD_CTRL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/ctrl/ctrl.h"
#include "vssd/ctrl/part.h"

struct vssd_config {
	uint8_t bytes[VSSD_CONFIG_SIZE];
	uint8_t writable[VSSD_CONFIG_SIZE]; /* bits that take what is written */
	uint8_t clear[VSSD_CONFIG_SIZE];    /* bits that a written 1 clears */
	bool msix_decided;                  /* the host has written MSI-X Enable, with whatever value */
};

/* Registers get their initial values: at power-up, and with function level and conventional resets but for those that
 * such a reset leaves alone. */
extern const struct vssd_part vssd_config_part;

/* Take a write. What it changes of the function is the caller's. */
void vssd_config_store(struct vssd_ctrl *ctrl, uint32_t offset, const uint8_t *from, uint32_t length);

/* Whether a write sets the bit that resets the function; that bit reads 0 at any time. */
bool vssd_config_asks_for_flr(uint32_t offset, const uint8_t *data, uint32_t length);

/* Before a read: the bit of the Status register that tells of the pin. */
void vssd_config_set_pin(struct vssd_ctrl *ctrl, bool is_asserted);

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

/* Send the messages that waited and may be sent now. */
void vssd_config_settle_messages(struct vssd_ctrl *ctrl);

/* Function Mask of MSI-X; Interrupt Disable. */
bool vssd_config_msix_masked(const struct vssd_ctrl *ctrl);
bool vssd_config_pin_disabled(const struct vssd_ctrl *ctrl);

#endif
