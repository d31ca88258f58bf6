/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/fault/answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void destroy(struct vssd_answer *answer)
{
	if (!answer)
		return;
	free(answer->data);
	free(answer->received);
	free(answer);
}

static struct vssd_answer *create(const struct vssd_answer *what, const uint8_t *data)
{
	struct vssd_answer *answer = calloc(1, sizeof(*answer));

	if (!answer)
		return NULL;
	*answer = (struct vssd_answer){
		.result = what->result, .length = what->length, .receives = what->receives, .status = what->status};
	answer->data = malloc(what->length + 1u);
	answer->received = calloc(1, what->receives + 1u);
	if (!answer->data || !answer->received) {
		destroy(answer);
		return NULL;
	}
	memcpy(answer->data, data, what->length);
	return answer;
}

int vssd_answers_plant(struct vssd_answers *answers, bool admin, uint8_t opcode, const struct vssd_answer *what,
		       const uint8_t *data)
{
	struct vssd_answer *answer;

	if (!vssd_is_vendor(admin, opcode) || what->length > VSSD_ANSWER_DATA ||
	    what->receives > VSSD_ANSWER_RECEIVES)
		return -EINVAL;
	answer = create(what, data);
	if (!answer)
		return -ENOMEM;
	destroy(answers->of[admin][opcode]);
	answers->of[admin][opcode] = answer;
	return 0;
}

void vssd_answers_remove(struct vssd_answers *answers, bool admin, uint8_t opcode)
{
	destroy(answers->of[admin][opcode]);
	answers->of[admin][opcode] = NULL;
}

void vssd_answers_clear(struct vssd_answers *answers)
{
	for (unsigned opcode = 0; opcode < 256; opcode++) {
		vssd_answers_remove(answers, false, (uint8_t)opcode);
		vssd_answers_remove(answers, true, (uint8_t)opcode);
	}
}
