/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engines of this build, and what scripts can do with each. Engines differ only in these capabilities. Our own
 * engine grants all of them. If an engine withholds one, its table `about` has the reason, and the calls that need it
 * return PYN_ERROR_WITHHELD.
 */
#ifndef PYN_ENGINE_CAPABILITY_H
#define PYN_ENGINE_CAPABILITY_H

#include "core/util/address.h"
#include "core/util/error.h"

struct pyn_engine;

enum pyn_capability {
	PYN_CAN_READ_REGISTERS,
	PYN_CAN_WRITE_REGISTERS,
	PYN_CAN_BRING_UP,
	PYN_CAN_CONFIG_SPACE,
	PYN_CAN_FUNCTION_RESET,
	PYN_CAN_HOT_RESET,
	PYN_CAN_SUBSYSTEM_RESET,
	PYN_CAN_SLOT_POWER,
	PYN_CAN_INTERRUPTS,
	PYN_CAN_CMB,
	PYN_CAN_MEMORY_PAGES,
	PYN_CAN_RAW_QUEUES,
	PYN_CAN_MANY_QUEUES,
	PYN_CAN_SHADOW_DOORBELLS,
	PYN_CAN_CIDS,
	PYN_CAN_FULL_RINGS,
	PYN_CAN_LONE_FUSED,
	PYN_CAN_SEND_AER,
	PYN_CAN_ODD_OFFSETS,
	PYN_CAN_LARGE_TRANSFERS,
	PYN_CAN_SHORT_BUFFERS,
	PYN_CAN_SGLS,
	PYN_CAN_CHECK_COMPLETIONS,
	PYN_CAN_FORKED_WORKERS,
	PYN_CAN_REMOVAL,
	PYN_CAPABILITIES, /* their number */
};

/* Why an engine withholds a capability, for each kind of address: a clause for the user. NULL: it grants it. */
struct pyn_withheld {
	const char *pcie;
	const char *vfio_user;
};

#define PYN_WITHHELD(reason)                                                                                         \
	{                                                                                                            \
		.pcie = (reason), .vfio_user = (reason)                                                              \
	}

/* The name of a capability, such as "hot-reset", and what it lets a script do, as a noun. NULL past the last. */
const char *pyn_capability_name(unsigned capability);
const char *pyn_capability_title(unsigned capability);

/* The engines of this build. NULL past the last. */
const struct pyn_engine *pyn_engine_at(unsigned index);

#define PYN_ENGINE_VARIABLE "PYNVME_ENGINE"

/*
 * The engine of this process: the one that the environment variable PYNVME_ENGINE names ("own", "spdk"), or our own.
 * If this build does not have it, returns NULL and PYN_ERROR_UNSUPPORTED, and never silently uses another one.
 */
const struct pyn_engine *pyn_engine_select(struct pyn_error *err);

const char *pyn_engine_name(const struct pyn_engine *engine);

/* The version of the driver, "" for our own, and of the DPDK that the engine uses. */
const char *pyn_engine_version(const struct pyn_engine *engine);
const char *pyn_engine_dpdk(const struct pyn_engine *engine);

/* Why an engine withholds a capability from drives with this kind of address, or NULL if it grants it. */
const char *pyn_engine_withheld(const struct pyn_engine *engine, unsigned capability, enum pyn_address_kind kind);

/* Called when an engine was selected: the errors below are then for it. */
void pyn_engine_use(const struct pyn_engine *engine);

/* Fill *err with PYN_ERROR_WITHHELD, for the engine in use, and return -ENOTSUP. The text names the engine, the
 * capability, the reason, and what to do. */
int pyn_engine_withholds(enum pyn_capability capability, struct pyn_error *err);

#endif
