/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers that write zones in order (fio's zonemode=zbd). The worker knows the write pointer of each zone of its
 * region, from a report at its start and from its own commands. It has one Write in flight for a zone, since a drive
 * may execute commands in any order, or any number of Zone Appends. It resets a zone that is full before it writes to
 * it again, and reads below the write pointer.
 *
 * All workers of a namespace share a count of its active zones, so that together they respect its limits.
 */
#ifndef PYN_WORKER_ZONES_H
#define PYN_WORKER_ZONES_H

#include "core/worker/worker_run.h"
#include "spec/nvme_data.h"

struct pyn_device;

/* One zone of the region. LBAs. */
struct pyn_worker_zone {
	uint64_t start;
	uint64_t past;          /* the end of its capacity */
	uint64_t next;          /* where the next write goes, behind those in flight */
	uint64_t done;          /* LBAs below it are known to be written */
	uint64_t settled;       /* next, when nothing was in flight the last time */
	uint64_t lba_sum;       /* sum of the LBAs that have been appended since then, counted from start */
	uint32_t in_flight;     /* writes and appends */
	bool is_writing;        /* a Write is in flight */
	bool is_resetting;      /* a reset is in flight, or the report that follows it */
	bool is_open;           /* in the list of zones that the worker writes to */
	bool is_active;         /* counted among the active zones of the namespace */
	bool needs_reset;       /* it is full, or a write has failed */
	bool has_failed;        /* a write has failed, so that LBAs of appends are not judged until the reset */
	bool cannot_be_written; /* offline, read-only, or a reset has failed */
	bool is_unreadable;     /* offline */
	bool has_capacity_to_learn;
};

/* What a slot has in flight, beside its command. */
struct pyn_zone_slot {
	uint32_t zone; /* index */
	uint64_t lba;  /* of an append: where its data go if the drive executes commands in order */
	uint64_t token;
	uint32_t disturbances;
};

/* The drawn IO that waits for a zone. */
struct pyn_drawn_io {
	struct pyn_workload_io io;
	bool is_waiting;
};

struct pyn_zone_counts {
	uint64_t written;            /* LBAs of the region that are written, or whose writes are in flight */
	uint32_t in_flight;          /* commands that change zones */
	uint32_t unknown_capacities; /* zones whose capacity a report has to tell after their reset */
	double writes;               /* since the last reset by the frequency */
};

struct pyn_worker_zones {
	uint32_t count;
	struct pyn_worker_zone *zone;
	uint32_t *open; /* indices */
	uint32_t open_count;
	uint32_t most_open;
	uint32_t writing, reading, resetting;  /* of sequential IO: the zone that is next */
	uint64_t read_at;                      /* the LBA in that zone, from its start */
	uint8_t op_of_write, op_of_append;     /* indices; PYN_WORKLOAD_OPS: not in use */
	uint8_t op_of_own_reset, op_of_report; /* of what the workload does not ask for */
	bool fill;                             /* the region is written, or read, once */
	bool writing_is_over;                  /* with fill: it has been written */
	struct pyn_zone_budget *budget;        /* shared by all workers of the namespace */
	struct pyn_zone_counts counts;
	struct pyn_drawn_io drawn;
	struct pyn_zone_slot *slots;
	uint8_t *report; /* DMA memory, PYN_ZONE_REPORT bytes, and the engine's list */
	struct pyn_data_template report_data;
};

#define PYN_ZONE_REPORT 4096u /* bytes of a report; all drives transfer as much */

enum pyn_zone_choice {
	PYN_ZONE_SEND, /* this IO */
	PYN_ZONE_WAIT, /* until something completes */
	PYN_ZONE_END,  /* there is nothing left to do */
};

/* Check the configuration of a worker with zones, and allocate what it needs. Errors: PYN_ERROR_ARGUMENT,
 * PYN_ERROR_MEMORY. */
int pyn_zones_create(struct pyn_worker_run *run, struct pyn_device *device, struct pyn_error *err);
void pyn_zones_destroy(struct pyn_worker_run *run);

/*
 * Ask the drive for its zones, before the fork and with the device locked. While no other worker with zones uses the
 * namespace, this also counts its active zones. Errors: PYN_ERROR_TIMEOUT; PYN_ERROR_UNSUPPORTED, the drive refuses
 * the report, or its answer is nonsense.
 */
int pyn_zones_learn(struct pyn_worker_run *run, struct pyn_device *device, struct pyn_error *err);

/* The end of what learn began: the worker does not use the namespace any more. */
void pyn_zones_leave(struct pyn_worker_run *run);

/* Release what of the namespace's counts is the worker's own. Called by its process at the end, and by the script's,
 * since the worker may have been killed. */
void pyn_zones_stop(struct pyn_worker_run *run);

/* A worker that writes has no open zone, or has one. */
void pyn_zones_set_hungry(struct pyn_worker_run *run, bool hungry);

/* Choose the next IO, and mark its zone. */
enum pyn_zone_choice pyn_zones_next(struct pyn_worker_run *run, struct pyn_workload_io *io, uint8_t *opcode);

/* Fill in what a command of a slot that next has chosen has of zones, and let verification know. */
void pyn_zones_begin(struct pyn_worker_run *run, struct pyn_worker_slot *slot, const struct pyn_workload_io *io);

/* A command with PYN_FLAG_ZONE has ended. false: an append has reported a wrong LBA, see *found. */
bool pyn_zones_end(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t status,
		   struct pyn_mismatch *found);

/* Add a zone to those that the worker writes to. It counts as open already. */
void pyn_zones_add_open(struct pyn_worker_run *run, uint32_t index);

/* Let the worker write to a zone, or reset it before. false: as many zones as allowed are active, or open. */
bool pyn_zones_open(struct pyn_worker_run *run, uint32_t index);

/* The zone of an LBA of the region. */
static inline uint32_t pyn_zones_index(const struct pyn_worker_run *run, uint64_t lba)
{
	return (uint32_t)((lba - run->workload.start) / run->config.zones.size);
}

/* Take over a zone descriptor. false: it is nonsense. */
bool pyn_zones_take(struct pyn_worker_run *run, struct pyn_worker_zone *zone,
		    const struct nvme_zone_descriptor *descriptor);

#endif
