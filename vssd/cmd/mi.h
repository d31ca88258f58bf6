/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Management Interface Command Set, in band (NVMe-MI Send and Receive) and for whoever carries its messages.
 * NVM Express Management Interface Specification 2.0, section 5.
 */
#ifndef VSSD_CMD_MI_H
#define VSSD_CMD_MI_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/cmd/request.h"

#define VSSD_MI_MOST_DATA 4096u /* bytes of the data of a command, in either direction */

/* A command of the Management Interface, and its response. */
struct vssd_mi_command {
	uint8_t opcode;
	uint32_t nmd0;
	uint32_t nmd1;
	const uint8_t *in; /* its data, in_length bytes */
	uint32_t in_length;
	uint8_t *out; /* VSSD_MI_MOST_DATA zeros for the data of the response */
	uint32_t out_length;
	uint32_t response; /* NVMe Management Response, 24 bits */
};

/* Execute a command. Returns a status of enum nvme_mi_status. */
uint8_t vssd_mi_execute(struct vssd_ctrl *ctrl, struct vssd_mi_command *command);

/* Whether a command returns data, so that it is sent by NVMe-MI Receive; else by NVMe-MI Send. */
bool vssd_mi_returns_data(uint8_t opcode);

/* ---- mi_message.c ---- */

#define VSSD_MI_MESSAGE_TYPE 0x84u /* the first byte of a message: MCTP type 4, with an integrity check */
#define VSSD_MI_MESSAGE (20u + VSSD_MI_MOST_DATA + 4u) /* bytes of the longest response */

/* Answer a message of the Management Interface, from header to integrity check. response has room for VSSD_MI_MESSAGE
 * bytes. Returns the length of the response; 0: the message is discarded, since its check is wrong, or it is none. */
uint32_t vssd_mi_message(struct vssd_ctrl *ctrl, const uint8_t *request, uint32_t length, uint8_t *response);

/* Log page 13h: which commands there are. */
void vssd_mi_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256]);

uint16_t vssd_mi_send(struct vssd_request *request);
uint16_t vssd_mi_receive(struct vssd_request *request);

#endif
