/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An NVM subsystem: the medium, the namespaces and all other state that controllers share. It calls controllers only
 * through listener.h. All functions must be called by one thread.
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
#include "vssd/subsystem/annex.h"
#include "vssd/subsystem/clock.h"
#include "vssd/subsystem/fault.h"
#include "vssd/subsystem/fdp.h"
#include "vssd/subsystem/firmware.h"
#include "vssd/subsystem/format.h"
#include "vssd/subsystem/health.h"
#include "vssd/subsystem/key_value.h"
#include "vssd/subsystem/latency.h"
#include "vssd/subsystem/lba_status.h"
#include "vssd/subsystem/namespace.h"
#include "vssd/subsystem/nonvolatile.h"
#include "vssd/subsystem/ocp.h"
#include "vssd/subsystem/part.h"
#include "vssd/subsystem/pel.h"
#include "vssd/subsystem/sanitize.h"
#include "vssd/subsystem/security.h"
#include "vssd/subsystem/self_test.h"
#include "vssd/subsystem/zones.h"

/* Blocks of each namespace that erasures leave as they are, by a fault rule: first up to end, which is not one. */
struct vssd_left {
	uint64_t first;
	uint64_t end;
};

struct vssd_subsystem {
	struct vssd_store *store;
	struct vssd_nonvolatile *nv;
	struct vssd_annex *annex;
	bool null_store;
	bool power;
	bool unannounced;  /* the last power loss came without a shutdown */
	uint64_t next_due; /* ticks: when to poll the next part */
	uint64_t blocks;   /* of all namespaces and of what none has; a null drive stores none */
	struct vssd_ns ns[VSSD_MAX_NAMESPACES];
	struct vssd_zoned zoned;
	struct vssd_kv *kv[VSSD_MAX_NAMESPACES]; /* by NSID - 1; NULL: not of the Key Value Command Set */
	struct vssd_options options;
	struct vssd_format format;
	struct vssd_sanitize sanitize;
	struct vssd_self_test_clock self_test;
	struct vssd_firmware firmware;
	struct vssd_health health;
	struct vssd_clock clock;
	struct vssd_ocp ocp;
	struct vssd_listener *listeners; /* its controllers */
	struct vssd_faults *faults;
	struct vssd_fdp *fdp; /* NULL: the drive does not have it */
	struct vssd_left left;
	struct vssd_security *security; /* owned */
	/* Of all controllers but the first, whose saved features outlive the process. */
	struct vssd_saved_features saved[VSSD_MAX_CONTROLLERS - 1];
};

/* Create a subsystem with power and without controllers. 0, or -errno. */
int vssd_subsystem_create(const struct vssd_options *options, struct vssd_subsystem **subsystem,
			  struct pyn_error *err);

/* Destroy a subsystem. Destroy its controllers first. */
void vssd_subsystem_destroy(struct vssd_subsystem *subsystem);

/* Switch the power. Switching it off without a shutdown loses the data in the volatile cache that were not flushed.
 */
void vssd_subsystem_power(struct vssd_subsystem *subsystem, bool on);

/* Handle the reset of a controller, by. NULL: the power was switched. */
void vssd_subsystem_reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by);

/* Execute an NVM Subsystem Reset: reset all controllers. */
void vssd_subsystem_reset_all(struct vssd_subsystem *subsystem);

/* Execute an NVM Subsystem Shutdown: shut all controllers down, until the subsystem is reset or loses its power. */
void vssd_subsystem_shut_down_all(struct vssd_subsystem *subsystem, bool is_abrupt);

/* Remove a controller. It gets no more notices, and the operations it started end without a completion. */
void vssd_subsystem_leave(struct vssd_subsystem *subsystem, struct vssd_listener *listener);

/* flush.c: make all written data durable. */
void vssd_subsystem_flush(struct vssd_subsystem *subsystem);

/* Handle the shutdown of a controller, by: make all written data durable. */
void vssd_subsystem_shut_down(struct vssd_subsystem *subsystem, const struct vssd_listener *by);

/* Poll the parts that are due. Call when next_due has been reached. */
void vssd_subsystem_poll(struct vssd_subsystem *subsystem, uint64_t now);

/* Poll the parts as soon as possible. */
static inline void vssd_subsystem_wake(struct vssd_subsystem *subsystem)
{
	subsystem->next_due = 0;
}

/* For tests: read or write the stored data of an LBA without the controllers noticing. length: bytes, the size of one
 * LBA. 0, or -EINVAL: the LBA does not exist. */
int vssd_subsystem_peek(struct vssd_subsystem *subsystem, uint32_t nsid, uint64_t lba, void *data, uint32_t length);
int vssd_subsystem_poke(struct vssd_subsystem *subsystem, uint32_t nsid, uint64_t lba, const void *data,
			uint32_t length);

/* Get the LBA size in bytes and the number of LBAs of a namespace. 0, or -EINVAL: it does not exist. */
int vssd_subsystem_geometry(struct vssd_subsystem *subsystem, uint32_t nsid, uint32_t *lba_size, uint64_t *nsze);

/* The namespace of a valid NSID, else NULL. */
static inline struct vssd_ns *vssd_subsystem_ns(struct vssd_subsystem *subsystem, uint32_t nsid)
{
	struct vssd_ns *ns = nsid - 1 < VSSD_MAX_NAMESPACES ? &subsystem->ns[nsid - 1] : NULL;

	return ns && ns->nsid ? ns : NULL;
}

/* The namespace of a block, or NULL. */
static inline const struct vssd_ns *vssd_subsystem_ns_at(const struct vssd_subsystem *subsystem, uint64_t block)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		const struct vssd_ns *ns = &subsystem->ns[i];

		if (ns->nsid && block >= ns->first_block && block - ns->first_block < ns->blocks)
			return ns;
	}
	return NULL;
}

/* A bit for each controller. */
static inline uint16_t vssd_subsystem_ctrls(const struct vssd_subsystem *subsystem)
{
	return (uint16_t)((1u << vssd_virtual_ctrls(&subsystem->options)) - 1);
}

/* NN: the highest NSID that is valid. */
static inline uint32_t vssd_subsystem_nn(const struct vssd_subsystem *subsystem)
{
	return subsystem->nv->namespaces.managed ? VSSD_MAX_NAMESPACES : subsystem->options.namespaces;
}

/* How many blocks to erase in a poll. Large drives are mostly unwritten, which takes no time. */
static inline uint64_t vssd_subsystem_erase_most(const struct vssd_subsystem *subsystem)
{
	uint64_t share = subsystem->blocks / 1024, least = UINT64_C(1) << 18;

	return share > least ? share : least;
}

/* erase.c: erase blocks as vssd_store_erase() does, without those that a fault rule leaves. */
void vssd_subsystem_erase(struct vssd_subsystem *subsystem, uint64_t block, uint64_t count,
			  enum vssd_pool_shared content);

#endif
