/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A management endpoint: it answers messages that come out of band (mi_message.c), with admin commands (mi_admin.c),
 * PCIe commands (mi_pcie.c) and the Management Endpoint Buffer (mi_buffer.c).
 * NVM Express Management Interface Specification 2.0, sections 3, 4, 6 and 7.
 */
#ifndef VSSD_CMD_MI_MESSAGE_H
#define VSSD_CMD_MI_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "spec/nvme_mi.h"
#include "vssd/cmd/mi.h"

#define VSSD_MI_MESSAGE_TYPE 0x84u /* the first byte of a message: MCTP type 4, with an integrity check */
#define VSSD_MI_MESSAGE (20u + VSSD_MI_MOST_DATA + 4u) /* bytes of the longest response */
#define VSSD_MI_HEADER 4u                              /* bytes of the header of each message */
#define VSSD_MI_OPCODE_AT VSSD_MI_HEADER               /* of each request but a control primitive */
#define VSSD_MI_CTLID_AT 6u                            /* of an admin or PCIe command */
#define VSSD_MI_MEB_AT 2u                              /* the byte with VSSD_MI_MEB */
#define VSSD_MI_MEB 0x1u                               /* the data are in the Management Endpoint Buffer */

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
	bool is_late;                 /* it has ended, and a fault rule keeps the response for ever, or for a time */
	bool is_told;                 /* that it takes longer, by More Processing Required */
	unsigned times;               /* how often to send the response */
	uint16_t cid;                 /* of that command */
	uint32_t sqe[16];             /* of an admin command */
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
	struct vssd_mi_buffer buffer;
	struct vssd_mi_slot slots[VSSD_MI_SLOTS];
};

/* Answer a message of the Management Interface, from header to integrity check. There may be no response, since the
 * message is wrong or the endpoint is paused, and several, since a control primitive releases some, or since the
 * command takes longer: then More Processing Required comes first. */
void vssd_mi_message(struct vssd_mi_endpoint *endpoint, struct vssd_ctrl *ctrl, const uint8_t *request,
		     uint32_t length, struct vssd_mi_sender sender);

/* A peer is gone: responses that come later have nobody to go to. */
void vssd_mi_forget(struct vssd_mi_endpoint *endpoint, int peer);

/* ---- between the files of the endpoint ---- */

/* A response that is being written. */
struct vssd_mi_response {
	uint8_t *bytes;
	uint32_t length;
	unsigned times; /* how often to send it. 0: the command executes, and the response comes when it has ended */
	bool is_late;   /* a fault rule has decided so: it has ended */
	bool is_silent; /* the command has no response */
};

static inline uint32_t vssd_mi_word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline void vssd_mi_put_word(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* Write a response without data. */
static inline void vssd_mi_fail(struct vssd_mi_response *response, uint8_t status)
{
	vssd_mi_put_word(response->bytes + VSSD_MI_HEADER, status);
	response->length = VSSD_MI_HEADER + 4;
}

/* Write an Invalid Parameter Error Response: it names the byte of the request. Section 4.1.2.2. */
static inline void vssd_mi_fail_at(struct vssd_mi_response *response, uint32_t byte)
{
	vssd_mi_fail(response, NVME_MI_STATUS_INVALID_PARAMETER);
	vssd_mi_put_word(response->bytes + VSSD_MI_HEADER,
			 VSSD_MI_LOCATION(byte) << 8 | NVME_MI_STATUS_INVALID_PARAMETER);
}

/* Execute an admin command. length: that of the request, without its integrity check. */
void vssd_mi_admin(struct vssd_mi_endpoint *endpoint, struct vssd_mi_slot *slot, const struct vssd_ctrl *ctrl,
		   const uint8_t *request, uint32_t length, struct vssd_mi_response *response);

/* An admin command that took longer has ended with this status: write the response of its slot. */
void vssd_mi_admin_end(struct vssd_mi_endpoint *endpoint, const struct vssd_mi_slot *slot, uint16_t status,
		       struct vssd_mi_response *response);

/* Execute a PCIe command. */
void vssd_mi_pcie(struct vssd_ctrl *ctrl, const uint8_t *request, uint32_t length, struct vssd_mi_response *response);

#endif
