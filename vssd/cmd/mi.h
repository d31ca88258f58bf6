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
#include "vssd/ctrl/management.h"
#include "vssd/subsystem/listener.h"

#define VSSD_MI_MOST_DATA 4096u /* bytes of the data of a command, in either direction */

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
	uint32_t response; /* NVMe Management Response, 24 bits; after Invalid Parameter: where it is */
};

/* Parameter Error Location of the field that begins at bit 0 of this byte of a request message. Section 4.1.2.2. */
#define VSSD_MI_LOCATION(byte) ((uint32_t)(byte) << 8)

/* Execute a command. Returns a status of enum nvme_mi_status. */
uint8_t vssd_mi_execute(struct vssd_ctrl *ctrl, struct vssd_mi_command *command);

#define VSSD_MI_FIRST 1u /* CNTLID of the controller that is always there: its configuration is that of the port */

/* The controller of the subsystem with this CNTLID, or NULL. */
struct vssd_ctrl *vssd_mi_controller(const struct vssd_ctrl *ctrl, uint32_t cntlid);

/* Whether a command returns data, so that it is sent by NVMe-MI Receive; else by NVMe-MI Send. */
bool vssd_mi_returns_data(uint8_t opcode);

/* ---- mi_message.c ---- */

#define VSSD_MI_MESSAGE_TYPE 0x84u /* the first byte of a message: MCTP type 4, with an integrity check */
#define VSSD_MI_MESSAGE (20u + VSSD_MI_MOST_DATA + 4u) /* bytes of the longest response */

#define VSSD_MI_SLOTS 2u

/* How the responses leave the endpoint, and who sent the request. */
struct vssd_mi_sender {
	void (*send)(int peer, const uint8_t *message, uint32_t length);
	int peer; /* -1: it is gone */
};

/* A command slot: the response to its last command. */
struct vssd_mi_slot {
	uint32_t length;              /* 0: there is none */
	bool is_held;                 /* it waits until the host resumes the endpoint */
	bool is_executing;            /* the command ends later */
	bool is_told;                 /* that it does, by More Processing Required */
	uint16_t cid;                 /* of that command */
	struct vssd_mi_sender sender; /* of that command */
	struct vssd_ctrl *ctrl;       /* that executes it */
	uint8_t response[VSSD_MI_MESSAGE];
};

/* A management endpoint, out of band. All zeros: a new one. */
struct vssd_mi_endpoint {
	struct vssd_listener listener; /* gets completions that come later; it is no controller of the subsystem */
	uint32_t resets;               /* of the subsystem, when the last message came */
	uint16_t last_cid;
	bool is_paused;
	uint16_t errors; /* bits of Get State */
	struct vssd_mi_slot slots[VSSD_MI_SLOTS];
};

/* Answer a message of the Management Interface, from header to integrity check. There may be no response, since the
 * message is wrong or the endpoint is paused, and several, since a control primitive releases some, or since the
 * command takes longer: then More Processing Required comes first. */
void vssd_mi_message(struct vssd_mi_endpoint *endpoint, struct vssd_ctrl *ctrl, const uint8_t *request,
		     uint32_t length, struct vssd_mi_sender sender);

/* A peer is gone: responses that come later have nobody to go to. */
void vssd_mi_forget(struct vssd_mi_endpoint *endpoint, int peer);

/* Log page 13h: which commands there are. */
void vssd_mi_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256]);

uint16_t vssd_mi_send(struct vssd_request *request);
uint16_t vssd_mi_receive(struct vssd_request *request);

#endif
