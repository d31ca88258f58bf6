/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/server/control_answers.h"

#include <errno.h>
#include <string.h>

static int plant(struct vssd_answers *answers, const struct vssd_control_request *request, const uint8_t *data)
{
	bool admin = request->argument & VSSD_CONTROL_ANSWER_ADMIN;
	uint8_t opcode = (uint8_t)request->argument;
	struct vssd_answer what = {
		.result = request->lba,
		.length = request->length,
		.receives = (uint32_t)(request->argument >> 32),
		.status = (uint16_t)(request->argument >> 16),
	};

	if (request->argument & VSSD_CONTROL_ANSWER_REMOVE) {
		vssd_answers_remove(answers, admin, opcode);
		return 0;
	}
	if (what.status > 0x7ff)
		return -EINVAL;
	return vssd_answers_plant(answers, admin, opcode, &what, data);
}

static int look(const struct vssd_answers *answers, const struct vssd_control_request *request, uint8_t *reply,
		uint32_t *length)
{
	bool admin = request->argument & VSSD_CONTROL_ANSWER_ADMIN;
	const struct vssd_answer *answer = answers->of[admin][(uint8_t)request->argument];
	struct vssd_control_answered head;
	uint32_t most = VSSD_CONTROL_DATA_MAX - (uint32_t)sizeof(head);
	uint32_t received;

	if (!answer)
		return -EINVAL;
	head.count = answer->count;
	memcpy(head.sqe, answer->sqe, sizeof(head.sqe));
	memcpy(reply, &head, sizeof(head));
	received = answer->receives < most ? answer->receives : most;
	memcpy(reply + sizeof(head), answer->received, received);
	*length = (uint32_t)sizeof(head) + received;
	return 0;
}

int vssd_control_answers(struct vssd_answers *answers, const struct vssd_control_request *request,
			 const uint8_t *data, uint8_t *reply, uint32_t *length)
{
	if (request->command == VSSD_CONTROL_ANSWER)
		return plant(answers, request, data);
	return look(answers, request, reply, length);
}
