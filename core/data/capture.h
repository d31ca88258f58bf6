/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A capture of a whole run: a thread copies the command logs of all queues of this process to a file as the run goes,
 * before their entries are reused. pynvme/trace/spool.py reads the file.
 *
 * The file is a sequence of chunks. Each begins with a struct pyn_capture_chunk; its numbers have the byte order of
 * the machine.
 */
#ifndef PYN_DATA_CAPTURE_H
#define PYN_DATA_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/data/cmdlog.h"
#include "core/util/error.h"

enum pyn_capture_kind {
	PYN_CAPTURE_QUEUE = 1, /* a queue begins: struct pyn_capture_about, then the drive's address */
	PYN_CAPTURE_COMMANDS,  /* commands of a queue, struct pyn_cmdlog_record each, in the order of their ends */
	PYN_CAPTURE_DATA,      /* data of a command, before the command: its number (8 bytes), then the data */
	PYN_CAPTURE_END,       /* a queue ends: struct pyn_capture_counts */
};

struct pyn_capture_chunk {
	uint32_t kind;
	uint32_t queue; /* which one of the capture, from 1 */
	uint64_t size;  /* bytes that follow */
};

struct pyn_capture_about {
	uint16_t qid;
	uint16_t is_worker;
	uint32_t reserved;
	uint64_t before; /* commands that it had sent before the capture */
};

struct pyn_capture_counts {
	uint64_t sent;    /* commands during the capture */
	uint64_t written; /* of them, in the file */
	uint64_t lost;    /* of them, overwritten before the thread has seen them */
	uint64_t skipped; /* of them, left out on request */
	uint64_t half;    /* of those in the file: overwritten before the thread has seen their completion */
};

/* Copies the kept data of a command. Returns how many bytes there are. */
typedef uint32_t (*pyn_capture_data)(void *context, uint64_t number, void *into, uint32_t size);

#define PYN_CAPTURE_DATA_MOST 4096u /* bytes of data of one command */

/* Begin, with the queues that there are and all that follow. worker_most: the number of commands from the start of an
 * IO worker that are copied, beside its last 4096; 0: all. Errors: PYN_ERROR_SYSTEM,
 * PYN_ERROR_STATE (there is a capture). */
int pyn_capture_start(const char *path, uint64_t worker_most, struct pyn_error *err);

/* Write what is left, and close the file. Errors: PYN_ERROR_SYSTEM (what was written before an error is in the
 * file), PYN_ERROR_STATE (there is no capture). */
int pyn_capture_stop(struct pyn_error *err);

bool pyn_capture_runs(void);

/* The depth for the log of an IO worker: the larger one, or more during a capture, so that the thread keeps up. */
uint32_t pyn_capture_depth(uint32_t wanted, uint32_t least);

/* A log begins, or ends, and will be freed. data may be NULL. A log that was not begun is ignored. */
void pyn_capture_begin(const struct pyn_cmdlog *log, const char *drive, uint16_t qid, bool is_worker,
		       pyn_capture_data data, void *context);
void pyn_capture_end(const struct pyn_cmdlog *log);

#endif
