/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command log of one queue pair: its last commands with their completions and both time stamps.
 * It lies in DMA memory, so that the script can read what a worker process writes. Only one process writes a log; any
 * process may read it.
 */
#ifndef PYN_DATA_CMDLOG_H
#define PYN_DATA_CMDLOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "spec/nvme_cmd.h"

/* What the driver has made of a command beside its completion. */
enum pyn_cmdlog_told {
	PYN_CMDLOG_TIMED_OUT = 1, /* it did not complete in time; cpl may have come later */
	PYN_CMDLOG_MISMATCH = 2,  /* a read that returned wrong data: status 07/81 */
};

/* Bits 15:8 of told are the command set (CSI), for commands to Key Value namespaces. */
#define PYN_CMDLOG_KV 0x100u

/* 128 bytes: two cache lines for each command. */
struct pyn_cmdlog_entry {
	struct nvme_cmd cmd;
	struct nvme_cpl cpl;
	uint64_t submitted;         /* TSC ticks */
	_Atomic uint64_t completed; /* TSC ticks; 0: not completed, cpl is meaningless */
	_Atomic uint64_t number;    /* number of the command in the queue, from 1; 0: being written, or unused */
	/* The first range of a command that names its LBAs in its data. nlb is 0 for all other commands. */
	uint64_t slba;
	uint32_t nlb;
	uint16_t told; /* what the script was told instead of cpl.status, enum pyn_cmdlog_told; and CSI */
	uint16_t reserved;
	uint64_t told_number; /* number of the command to which told belongs; told is meaningless for any other */
};
_Static_assert(sizeof(struct pyn_cmdlog_entry) == 128, "command log entry");

struct pyn_cmdlog {
	_Atomic uint64_t count; /* commands logged since the queue was created */
	uint64_t last;          /* offset of the last entry, in bytes; the number of entries is a power of two */
	uint64_t reserved[6];
	struct pyn_cmdlog_entry entries[];
};

/* A command with its times in ns, for programs and files. RECORD of pynvme/trace/command.py has the same layout. */
struct pyn_cmdlog_record {
	struct nvme_cmd cmd;
	struct nvme_cpl cpl; /* zeroes if it has not completed */
	uint64_t submitted;  /* ns since 1970 */
	uint64_t latency;    /* ns; all ones if it has not completed */
	uint64_t number;
	uint64_t slba; /* of the first range; 0 unless nlb is set */
	uint32_t nlb;
	uint16_t qid;
	uint16_t told; /* enum pyn_cmdlog_told, 0: nothing; and CSI in bits 15:8 */
	uint64_t reserved;
};
_Static_assert(sizeof(struct pyn_cmdlog_record) == 128, "command log record");

/* The entry that holds, or held, the command with this number. */
static inline struct pyn_cmdlog_entry *pyn_cmdlog_entry(struct pyn_cmdlog *log, uint64_t number)
{
	return (struct pyn_cmdlog_entry *)((char *)log->entries + (number * sizeof(log->entries[0]) & log->last));
}

/* Create a log of at least 4096 entries, and always of more than depth. NULL: no memory. */
struct pyn_cmdlog *pyn_cmdlog_create(uint32_t depth, struct pyn_error *err);
void pyn_cmdlog_destroy(struct pyn_cmdlog *log);

/* Read the age-th newest entry; 0 is the newest. false: there is none, or it was overwritten during the read. */
bool pyn_cmdlog_read(const struct pyn_cmdlog *log, uint64_t age, struct pyn_cmdlog_entry *entry);

/* Read the entry of the command with this number, which must have been published. false: it was overwritten. */
bool pyn_cmdlog_read_number(const struct pyn_cmdlog *log, uint64_t number, struct pyn_cmdlog_entry *entry);

/* Make the record of an entry of the queue qid. */
void pyn_cmdlog_record_of(struct pyn_cmdlog_record *record, const struct pyn_cmdlog_entry *entry, uint16_t qid);

/* Log a command in three steps, with numbers from 1 on: begin returns the entry, whose cmd the caller fills in; end
 * makes the entry valid; publish lets readers see all entries up to count. One publish serves any number of
 * commands. */
static inline struct pyn_cmdlog_entry *pyn_cmdlog_begin(struct pyn_cmdlog *log, uint64_t number)
{
	struct pyn_cmdlog_entry *entry = pyn_cmdlog_entry(log, number);

	atomic_store_explicit(&entry->number, 0, memory_order_relaxed);
	/* A reader must not see the new command under the old number. */
	atomic_thread_fence(memory_order_release);
	return entry;
}

/* Between begin and end: set the first range of a command that has ranges in its data. nlb is 0 for others. */
static inline void pyn_cmdlog_range(struct pyn_cmdlog_entry *entry, uint64_t slba, uint32_t nlb)
{
	entry->slba = slba;
	entry->nlb = nlb;
}

static inline void pyn_cmdlog_end(struct pyn_cmdlog_entry *entry, uint64_t number, uint64_t now)
{
	entry->submitted = now;
	atomic_store_explicit(&entry->completed, 0, memory_order_relaxed);
	atomic_store_explicit(&entry->number, number, memory_order_release);
}

static inline void pyn_cmdlog_publish(struct pyn_cmdlog *log, uint64_t count)
{
	atomic_store_explicit(&log->count, count, memory_order_release);
}

/* Do all of that for one command. Returns its number, which pyn_cmdlog_complete needs. */
static inline uint64_t pyn_cmdlog_submit(struct pyn_cmdlog *log, const struct nvme_cmd *cmd, uint64_t now)
{
	uint64_t number = atomic_load_explicit(&log->count, memory_order_relaxed) + 1;
	struct pyn_cmdlog_entry *entry = pyn_cmdlog_begin(log, number);

	entry->cmd = *cmd;
	pyn_cmdlog_end(entry, number, now);
	pyn_cmdlog_publish(log, number);
	return number;
}

/* Log what the driver has made of a command (told), unless its entry has been reused. */
static inline void pyn_cmdlog_tell(struct pyn_cmdlog *log, uint64_t number, unsigned told)
{
	struct pyn_cmdlog_entry *entry = pyn_cmdlog_entry(log, number);

	if (atomic_load_explicit(&entry->number, memory_order_relaxed) != number)
		return;
	entry->told = (uint16_t)told;
	entry->told_number = number;
}

/* Log the completion of a command, unless its entry has been reused. */
static inline void pyn_cmdlog_complete(struct pyn_cmdlog *log, uint64_t number, const struct nvme_cpl *cpl,
				       uint64_t now)
{
	struct pyn_cmdlog_entry *entry = pyn_cmdlog_entry(log, number);

	if (__builtin_expect(atomic_load_explicit(&entry->number, memory_order_relaxed) != number, 0))
		return;
	entry->cpl = *cpl;
	/* A reader that sees the time sees the completion too. */
	atomic_store_explicit(&entry->completed, now, memory_order_release);
}

#endif
