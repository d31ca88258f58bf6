/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a TPer with the Opal SSC remembers: credentials, authorities, locking ranges and access control, as one block
 * that is written whole. TCG Storage Security Subsystem Class: Opal 2.01, sections 4.2 and 4.3.
 */
#ifndef VSSD_TCG_STATE_H
#define VSSD_TCG_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define VSSD_TCG_ADMINS 4u
#define VSSD_TCG_USERS 8u
#define VSSD_TCG_RANGES 9u /* the global range is 0 */
#define VSSD_TCG_PIN_SIZE 32u
#define VSSD_TCG_NAME_SIZE 32u

/* The size of the tables of bytes. */
#define VSSD_TCG_MBR_SIZE (UINT64_C(128) << 20)
#define VSSD_TCG_DATASTORE_SIZE (UINT64_C(10) << 20)

/* Authorities; a set of them has a bit for each. */
enum vssd_tcg_authority {
	VSSD_TCG_ANYBODY,
	VSSD_TCG_ADMINS_CLASS, /* any Admin */
	VSSD_TCG_MAKERS,
	VSSD_TCG_SID,
	VSSD_TCG_PSID,
	VSSD_TCG_SP_ADMIN1, /* Admin1 of the Admin SP */
	VSSD_TCG_USERS_CLASS,
	VSSD_TCG_ADMIN1, /* of the Locking SP */
	VSSD_TCG_USER1 = VSSD_TCG_ADMIN1 + VSSD_TCG_ADMINS,
	VSSD_TCG_AUTHORITIES = VSSD_TCG_USER1 + VSSD_TCG_USERS,
	VSSD_TCG_NO_AUTHORITY = VSSD_TCG_AUTHORITIES,
};

#define VSSD_TCG_BIT(authority) (UINT32_C(1) << (authority))

/* Access control elements whose authorities the host can change. Those of ranges and users are arrays. */
enum vssd_tcg_ace {
	VSSD_TCG_ACE_GET, /* read a range */
	VSSD_TCG_ACE_READ_LOCK = VSSD_TCG_ACE_GET + VSSD_TCG_RANGES,
	VSSD_TCG_ACE_WRITE_LOCK = VSSD_TCG_ACE_READ_LOCK + VSSD_TCG_RANGES,
	VSSD_TCG_ACE_GEN_KEY = VSSD_TCG_ACE_WRITE_LOCK + VSSD_TCG_RANGES,
	VSSD_TCG_ACE_USER_PIN = VSSD_TCG_ACE_GEN_KEY + VSSD_TCG_RANGES,
	VSSD_TCG_ACE_MBR_DONE = VSSD_TCG_ACE_USER_PIN + VSSD_TCG_USERS,
	VSSD_TCG_ACE_DATASTORE_GET,
	VSSD_TCG_ACE_DATASTORE_SET,
	VSSD_TCG_ACES,
};

enum vssd_tcg_lifecycle {
	VSSD_TCG_INACTIVE = 8, /* manufactured-inactive */
	VSSD_TCG_ACTIVE = 9,   /* manufactured */
};

/* Kinds of resets, as in LockOnReset. */
enum vssd_tcg_reset {
	VSSD_TCG_POWER_CYCLE = 0,
	VSSD_TCG_HARDWARE = 1, /* never selected: no range locks by it */
	VSSD_TCG_PROGRAMMATIC = 3,
};

struct vssd_tcg_pin {
	uint8_t length;
	uint8_t try_limit;  /* 0: none */
	uint8_t tries;      /* failed ones since the last success */
	uint8_t persistent; /* a power cycle does not clear tries */
	uint8_t value[VSSD_TCG_PIN_SIZE];
};

struct vssd_tcg_name {
	uint8_t length;
	uint8_t value[VSSD_TCG_NAME_SIZE];
};

struct vssd_tcg_range {
	uint64_t start; /* LBA */
	uint64_t length;
	uint8_t read_lock_enabled;
	uint8_t write_lock_enabled;
	uint8_t read_locked;
	uint8_t write_locked;
	uint8_t resets; /* that lock it: a bit for each of enum vssd_tcg_reset */
	struct vssd_tcg_name name;
};

struct vssd_tcg_state {
	uint32_t magic;
	uint32_t version;
	uint8_t lifecycle; /* of the Locking SP */
	uint8_t programmatic_reset;
	uint8_t mbr_enabled;
	uint8_t mbr_done;
	uint8_t mbr_resets;           /* that clear mbr_done */
	uint8_t removal;              /* active data removal mechanism */
	uint32_t enabled;             /* authorities */
	uint32_t aces[VSSD_TCG_ACES]; /* sets of authorities */
	struct vssd_tcg_pin msid;
	struct vssd_tcg_pin pins[VSSD_TCG_AUTHORITIES];
	struct vssd_tcg_name names[VSSD_TCG_AUTHORITIES];
	struct vssd_tcg_range ranges[VSSD_TCG_RANGES];
};
_Static_assert(sizeof(struct vssd_tcg_state) <= 4096, "one block");

/* A drive as it leaves the factory. label: the text that its MSID and PSID are made of, at most 20 characters. */
void vssd_tcg_state_new(struct vssd_tcg_state *state, const char *label);

/* Whether a file holds a state that this program can work with. */
bool vssd_tcg_state_is_good(const struct vssd_tcg_state *state);

/* Return to the factory's values: the Locking SP, or both SPs. */
void vssd_tcg_state_revert_locking(struct vssd_tcg_state *state);
void vssd_tcg_state_revert(struct vssd_tcg_state *state);

/* Whether the PIN of SID is another one than that of MSID. */
bool vssd_tcg_state_is_owned(const struct vssd_tcg_state *state);

/* Set up the Locking SP, whose Admin1 gets the PIN of SID. */
void vssd_tcg_state_activate(struct vssd_tcg_state *state);

/* Lock ranges and clear MBRDone as a reset does; a power cycle also clears the counts of failed tries. Returns
 * whether anything has changed. */
bool vssd_tcg_state_reset(struct vssd_tcg_state *state, enum vssd_tcg_reset kind);

/* Whether a range is locked for reads, or for writes. */
static inline bool vssd_tcg_range_locks(const struct vssd_tcg_range *range, bool write)
{
	return write ? range->write_lock_enabled && range->write_locked
		     : range->read_lock_enabled && range->read_locked;
}

/* Whether any LBA of these is locked. */
bool vssd_tcg_state_locks(const struct vssd_tcg_state *state, uint64_t lba, uint64_t count, bool write);

/* Whether any range is locked for reads or writes. */
bool vssd_tcg_state_is_locked(const struct vssd_tcg_state *state);

/* Whether reads of the first LBAs return the table MBR. */
static inline bool vssd_tcg_state_shadows(const struct vssd_tcg_state *state)
{
	return state->lifecycle == VSSD_TCG_ACTIVE && state->mbr_enabled && !state->mbr_done;
}

/* The first LBA at or after this one that belongs to another range, and to which range the LBA itself belongs. */
uint64_t vssd_tcg_state_range_at(const struct vssd_tcg_state *state, uint64_t lba, unsigned *range);

#endif
