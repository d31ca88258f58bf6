/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Management Interface Command Set, in band (NVMe-MI Send and Receive) and for whoever carries its messages.
 * NVM Express Management Interface Specification 2.0, section 5.
 */
#ifndef VSSD_CMD_MI_H
#define VSSD_CMD_MI_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_mi.h"
#include "vssd/cmd/request.h"
#include "vssd/ctrl/management.h"
#include "vssd/subsystem/listener.h"

#define VSSD_MI_MOST_DATA 4096u /* bytes of the data of a command in its message, in either direction */
#define VSSD_MI_BUFFER 65536u   /* bytes of the Management Endpoint Buffer */

/* The Management Endpoint Buffer, out of band. */
struct vssd_mi_buffer {
	uint8_t bytes[VSSD_MI_BUFFER];
	bool is_used;       /* something was written */
	bool is_sanitized;  /* a sanitize operation has cleared it, and nothing was written since */
	uint32_t sanitizes; /* operations of the subsystem, when the last message came */
};

/* A command of the Management Interface, and its response. */
struct vssd_mi_command {
	uint8_t opcode;
	enum vssd_mechanism mechanism;
	uint32_t nmd0;
	uint32_t nmd1;
	const uint8_t *in; /* its data, in_length bytes */
	uint32_t in_length;
	uint8_t *out; /* VSSD_MI_MOST_DATA zeros for the data of the response */
	uint32_t out_length;
	uint32_t response;             /* NVMe Management Response, 24 bits; after Invalid Parameter: where it is */
	bool is_silent;                /* it has no response, since it has reset the endpoint */
	struct vssd_mi_buffer *buffer; /* NULL: in band */
};

/* Parameter Error Location of the field that begins at bit 0 of this byte of a request message. Section 4.1.2.2. */
#define VSSD_MI_LOCATION(byte) ((uint32_t)(byte) << 8)

/* Where NMD0 and NMD1 are in a request message. */
enum { VSSD_MI_NMD0_AT = 8, VSSD_MI_NMD1_AT = 12 };

/* Refuse a field of a request, whose lowest bits are in this byte of the message. Returns a status. */
static inline uint8_t vssd_mi_refuse(struct vssd_mi_command *command, unsigned byte)
{
	command->response = VSSD_MI_LOCATION(byte);
	return NVME_MI_STATUS_INVALID_PARAMETER;
}

/* Execute a command. Returns a status of enum nvme_mi_status. */
uint8_t vssd_mi_execute(struct vssd_ctrl *ctrl, struct vssd_mi_command *command);

#define VSSD_MI_FIRST 1u /* CNTLID of the controller that is always there: its configuration is that of the port */

/* The controller of the subsystem with this CNTLID, or NULL. */
struct vssd_ctrl *vssd_mi_controller(const struct vssd_ctrl *ctrl, uint32_t cntlid);

/* Whether a command returns data, so that it is sent by NVMe-MI Receive; else by NVMe-MI Send. */
bool vssd_mi_returns_data(uint8_t opcode);

/* Whether there is a command, in band or out of band. */
bool vssd_mi_has(const struct vssd_ctrl *ctrl, uint8_t opcode);

/* Log page 13h: which commands there are in band. */
void vssd_mi_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256]);

/* ---- mi_permission.c ---- */

/* Which admin commands an endpoint has, if the drive does, and which it never has. NVMe-MI 1.2, figure 114. */
enum vssd_mi_permission { VSSD_MI_UNLISTED, VSSD_MI_OPTIONAL, VSSD_MI_PROHIBITED };
enum vssd_mi_permission vssd_mi_permission(uint8_t opcode);

/* Whether the endpoint has an admin command, which the drive has. uses_buffer: with data that can be in the
 * Management Endpoint Buffer. */
bool vssd_mi_has_admin(const struct vssd_ctrl *ctrl, uint8_t opcode, bool uses_buffer);

/* ---- mi_buffer.c ---- */

/* A message has come. sanitizes: operations of the subsystem so far. Each of them clears the buffer. */
void vssd_mi_buffer_begin(struct vssd_mi_buffer *buffer, uint32_t sanitizes);

/* Clear the buffer, or replace what it holds. */
void vssd_mi_buffer_clear(struct vssd_mi_buffer *buffer);
void vssd_mi_buffer_fill(struct vssd_mi_buffer *buffer, const uint8_t *data, uint32_t length);

uint8_t vssd_mi_buffer_read(struct vssd_ctrl *ctrl, struct vssd_mi_command *command);
uint8_t vssd_mi_buffer_write(struct vssd_ctrl *ctrl, struct vssd_mi_command *command);

/* ---- NVMe-MI Send and Receive ---- */

uint16_t vssd_mi_send(struct vssd_request *request);
uint16_t vssd_mi_receive(struct vssd_request *request);

#endif
