/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/data/cmdlog.h"

#include <string.h>

#include "core/env/env.h"
#include "core/util/clock.h"

#define MIN_ENTRIES 4096u

struct pyn_cmdlog *pyn_cmdlog_create(uint32_t depth, struct pyn_error *err)
{
	uint32_t entries = MIN_ENTRIES;
	struct pyn_cmdlog *log;

	while (entries <= depth)
		entries *= 2;
	log = pyn_dma_alloc(sizeof(*log) + entries * sizeof(log->entries[0]), 128, err);
	if (log)
		log->last = (entries - 1) * sizeof(log->entries[0]);
	return log;
}

void pyn_cmdlog_destroy(struct pyn_cmdlog *log)
{
	pyn_dma_free(log);
}

bool pyn_cmdlog_read(const struct pyn_cmdlog *log, uint64_t age, struct pyn_cmdlog_entry *entry)
{
	uint64_t count = atomic_load_explicit(&log->count, memory_order_acquire);

	if (age >= count || age > log->last / sizeof(log->entries[0]))
		return false;
	return pyn_cmdlog_read_number(log, count - age, entry);
}

bool pyn_cmdlog_read_number(const struct pyn_cmdlog *log, uint64_t number, struct pyn_cmdlog_entry *entry)
{
	const struct pyn_cmdlog_entry *source = pyn_cmdlog_entry((struct pyn_cmdlog *)log, number);

	if (atomic_load_explicit(&source->number, memory_order_acquire) != number)
		return false;
	/* Read this before the copy, which may hold half of a completion that arrives meanwhile. */
	uint64_t completed = atomic_load_explicit(&source->completed, memory_order_acquire);

	*entry = *source;
	atomic_store_explicit(&entry->completed, completed, memory_order_relaxed);
	/* The copy is valid only if the writer did not reuse the entry meanwhile. */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&source->number, memory_order_relaxed) == number;
}

void pyn_cmdlog_record_of(struct pyn_cmdlog_record *record, const struct pyn_cmdlog_entry *entry, uint16_t qid)
{
	uint64_t completed = atomic_load_explicit(&entry->completed, memory_order_relaxed);
	uint64_t number = atomic_load_explicit(&entry->number, memory_order_relaxed);

	memset(record, 0, sizeof(*record));
	record->cmd = entry->cmd;
	record->submitted = pyn_ticks_to_realtime_ns(entry->submitted);
	record->latency = UINT64_MAX;
	if (completed) {
		record->cpl = entry->cpl;
		record->latency = pyn_ticks_to_ns(completed - entry->submitted);
	}
	record->number = number;
	record->slba = entry->nlb ? entry->slba : 0;
	record->nlb = entry->nlb;
	record->qid = qid;
	record->told = entry->told_number == number ? entry->told : 0;
}
