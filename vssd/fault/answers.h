/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers that a tester has planted for vendor specific opcodes, which the drive then has. An answer is what the
 * drive completes the command with, and what it sends. It keeps the last command and the data that came with it.
 */
#ifndef VSSD_FAULT_ANSWERS_H
#define VSSD_FAULT_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#define VSSD_ANSWER_DATA 65536u     /* most bytes that are sent */
#define VSSD_ANSWER_RECEIVES 65464u /* or fetched: what a reply of the control socket can return */

struct vssd_answer {
	uint64_t result;   /* dwords 0 and 1 of the completion */
	uint64_t count;    /* commands */
	uint32_t sqe[16];  /* the last of them */
	uint32_t length;   /* bytes that it sends */
	uint32_t receives; /* bytes that it fetches from the host */
	uint16_t status;   /* SCT << 8 | SC */
	uint8_t *data;     /* sent; owned, as is received */
	uint8_t *received; /* with the last command */
};

struct vssd_answers {
	struct vssd_answer *of[2][256]; /* by whether it is an admin command, and opcode; NULL: none */
};

/* Whether an opcode is vendor specific (Base 2.1, 3.1.3.5). */
static inline bool vssd_is_vendor(bool admin, uint8_t opcode)
{
	return opcode >= (admin ? 0xc0u : 0x80u);
}

/* Plant an answer in place of another one, whose counts are lost. what: data and received are not used. 0, or
 * -EINVAL: it is no vendor specific opcode, or too long; -ENOMEM. */
int vssd_answers_plant(struct vssd_answers *answers, bool admin, uint8_t opcode, const struct vssd_answer *what,
		       const uint8_t *data);

/* Remove an answer, or all. */
void vssd_answers_remove(struct vssd_answers *answers, bool admin, uint8_t opcode);
void vssd_answers_clear(struct vssd_answers *answers);

#endif
