/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An NVM subsystem: the medium, its namespaces and all that its controllers share. It knows of controllers only what
 * they let it call (listener.h). One thread calls everything here.
 */
#ifndef VSSD_SUBSYSTEM_SUBSYSTEM_H
#define VSSD_SUBSYSTEM_SUBSYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_cmd.h"
#include "spec/nvme_id.h"
#include "spec/nvme_regs.h"
#include "vssd/options.h"
#include "vssd/store/store.h"
#include "vssd/subsystem/firmware.h"
#include "vssd/subsystem/format.h"
#include "vssd/subsystem/health.h"
#include "vssd/subsystem/namespace.h"
#include "vssd/subsystem/nonvolatile.h"
#include "vssd/subsystem/part.h"
#include "vssd/subsystem/sanitize.h"
#include "vssd/subsystem/self_test.h"

struct vssd_subsystem {
	struct vssd_store *store;
	struct vssd_nonvolatile *nv;
	bool null_store;
	bool power;
	bool unannounced;  /* the power had gone without a shutdown before it came */
	uint64_t next_due; /* ticks: when a part is to be polled */
	uint64_t blocks;   /* of all namespaces; those of a null drive are in no store */
	struct vssd_ns ns[VSSD_MAX_NAMESPACES];
	struct vssd_options options;
	struct vssd_format format;
	struct vssd_sanitize sanitize;
	struct vssd_self_test_clock self_test;
	struct vssd_firmware firmware;
	struct vssd_health health;
	struct vssd_listener *listeners; /* its controllers */
};

/* A subsystem that has power and no controllers yet. 0, or -errno. */
int vssd_subsystem_create(const struct vssd_options *options, struct vssd_subsystem **subsystem,
			  struct pyn_error *err);

/* Its controllers are gone. */
void vssd_subsystem_destroy(struct vssd_subsystem *subsystem);

/* The power switch. Off: without a shutdown before, what the volatile cache held and was not flushed is lost. */
void vssd_subsystem_power(struct vssd_subsystem *subsystem, bool on);

/* A controller is reset: what that means to the subsystem. */
void vssd_subsystem_reset(struct vssd_subsystem *subsystem, enum vssd_reset kind);

/* NSSR: all controllers are reset. */
void vssd_subsystem_reset_all(struct vssd_subsystem *subsystem);

/* A controller goes: it hears of nothing any more, and what it began ends without a completion. */
void vssd_subsystem_leave(struct vssd_subsystem *subsystem, struct vssd_listener *listener);

/* All that was written becomes durable. */
void vssd_subsystem_shut_down(struct vssd_subsystem *subsystem);

/* Poll the parts that are due; call it where next_due is not later than now. */
void vssd_subsystem_poll(struct vssd_subsystem *subsystem, uint64_t now);

/* A part has something to do at once. */
static inline void vssd_subsystem_wake(struct vssd_subsystem *subsystem)
{
	subsystem->next_due = 0;
}

/* Behind the controllers' back, for tests: length (one LBA's) bytes of data of an LBA as stored. -EINVAL: no such
 * LBA. */
int vssd_subsystem_peek(struct vssd_subsystem *subsystem, uint32_t nsid, uint64_t lba, void *data, uint32_t length);
int vssd_subsystem_poke(struct vssd_subsystem *subsystem, uint32_t nsid, uint64_t lba, const void *data,
			uint32_t length);

/* LBA size in bytes and number of LBAs of a namespace; -EINVAL: no such namespace. */
int vssd_subsystem_geometry(struct vssd_subsystem *subsystem, uint32_t nsid, uint32_t *lba_size, uint64_t *nsze);

/* The namespace of a valid NSID, else NULL. */
static inline struct vssd_ns *vssd_subsystem_ns(struct vssd_subsystem *subsystem, uint32_t nsid)
{
	struct vssd_ns *ns = nsid - 1 < VSSD_MAX_NAMESPACES ? &subsystem->ns[nsid - 1] : NULL;

	return ns && ns->nsid ? ns : NULL;
}

/* Blocks lose what they held, as vssd_store_erase says. */
static inline void vssd_subsystem_erase(struct vssd_subsystem *subsystem, uint64_t block, uint64_t count,
					enum vssd_pool_shared content)
{
	if (!subsystem->null_store)
		vssd_store_erase(subsystem->store, block, count, content);
}

#endif
