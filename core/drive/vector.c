/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/drive/vector.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/util/log.h"
#include "spec/nvme_regs.h"

static int setup(struct pyn_vector *vector, struct pyn_error *err)
{
	vector->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vector->eventfd < 0)
		return pyn_error(err, PYN_ERROR_SYSTEM, errno, "no descriptor for interrupt vector %u: %s",
				 vector->number, strerror(errno));
	return vector->engine->interrupts->set(vector->ctrlr, vector->number, vector->eventfd, err);
}

static struct pyn_vector *create(const struct pyn_engine *engine, struct pyn_ctrlr *ctrlr, uint16_t number,
				 struct pyn_error *err)
{
	struct pyn_vector *vector = calloc(1, sizeof(*vector));

	if (!vector) {
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for an interrupt vector");
		return NULL;
	}
	*vector = (struct pyn_vector){.engine = engine, .ctrlr = ctrlr, .number = number, .eventfd = -1, .users = 1};
	vector->lag_us = engine->interrupts->info(ctrlr).lag_us;
	if (setup(vector, err) == 0)
		return vector;
	if (vector->eventfd >= 0)
		close(vector->eventfd);
	free(vector);
	return NULL;
}

struct pyn_vector *pyn_vector_get(struct pyn_vector **list, const struct pyn_engine *engine, struct pyn_ctrlr *ctrlr,
				  uint16_t number, struct pyn_error *err)
{
	struct pyn_vector *vector = *list;

	while (vector && vector->number != number)
		vector = vector->next;
	if (vector) {
		vector->users++;
		return vector;
	}
	vector = create(engine, ctrlr, number, err);
	if (vector) {
		vector->next = *list;
		*list = vector;
	}
	return vector;
}

/* Remove the eventfd from the device, then close it. */
static void release(struct pyn_vector *vector)
{
	struct pyn_error err = {0};
	int rc = 0;

	if (vector->engine->alive(vector->ctrlr)) {
		rc = vector->engine->interrupts->set(vector->ctrlr, vector->number, -1, &err);
		if (!rc && vector->masked)
			rc = pyn_vector_mask(vector, false, &err);
	}
	if (rc)
		pyn_log(PYN_LOG_DEBUG, "interrupt vector %u: %s", vector->number, err.text);
	close(vector->eventfd);
	free(vector);
}

void pyn_vector_put(struct pyn_vector **list, struct pyn_vector *vector)
{
	if (!vector || --vector->users > 0)
		return;
	while (*list != vector)
		list = &(*list)->next;
	*list = vector->next;
	release(vector);
}

static bool is_signalled(const struct pyn_vector *vector, int timeout_ms)
{
	struct pollfd look = {.fd = vector->eventfd, .events = POLLIN};

	return poll(&look, 1, timeout_ms) == 1 && look.revents & POLLIN;
}

/*
 * Wait for the interrupts of completions seen so far: an entry of a completion queue is visible before its interrupt.
 * The answer to a register read does not overtake what the device sent before; if the kernel takes the interrupt
 * first, it needs a moment more.
 */
static bool let_arrive(const struct pyn_vector *vector)
{
	struct pyn_error ignored;
	uint64_t csts;

	if (vector->engine->alive(vector->ctrlr))
		vector->engine->reg_read(vector->ctrlr, NVME_REG_CSTS, 4, &csts, &ignored);
	return is_signalled(vector, vector->masked ? 0 : (int)(vector->lag_us + 999) / 1000);
}

static bool is_enabled(const struct pyn_vector *vector)
{
	return vector->engine->interrupts->enabled(vector->ctrlr);
}

bool pyn_vector_is_set(const struct pyn_vector *vector)
{
	return is_enabled(vector) && (is_signalled(vector, 0) || let_arrive(vector));
}

static void drain(const struct pyn_vector *vector)
{
	uint64_t count;
	ssize_t size = read(vector->eventfd, &count, sizeof(count));

	(void)size; /* an empty eventfd needs no clearing */
}

void pyn_vector_clear(const struct pyn_vector *vector)
{
	let_arrive(vector);
	drain(vector);
	vector->engine->interrupts->rearm(vector->ctrlr);
}

bool pyn_vectors_disabled(const struct pyn_vector *list)
{
	if (!list || is_enabled(list))
		return false;
	for (; list; list = list->next)
		drain(list);
	return true;
}

int pyn_vectors_enable(const struct pyn_vector *list, struct pyn_error *err)
{
	int rc = 0;

	if (list && is_enabled(list))
		for (; list && !rc; list = list->next)
			rc = list->engine->interrupts->set(list->ctrlr, list->number, list->eventfd, err);
	return rc;
}

int pyn_vector_mask(struct pyn_vector *vector, bool masked, struct pyn_error *err)
{
	int rc = vector->engine->interrupts->mask(vector->ctrlr, vector->number, masked, err);

	if (!rc)
		vector->masked = masked;
	return rc;
}
