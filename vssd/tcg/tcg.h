/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trusted peripheral (TPer) of TCG with the Opal SSC: security protocols 01h and 02h. It knows nothing of NVMe; the
 * caller passes what the host sends, and keeps the state and the tables of bytes. TCG Storage Architecture Core
 * Specification 2.01; Opal 2.01.
 *
 * It has two SPs: the Admin SP, and the Locking SP with 4 Admins, 8 Users, the global range and 8 others. One session
 * is open at a time.
 */
#ifndef VSSD_TCG_TCG_H
#define VSSD_TCG_TCG_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/tcg/state.h"

#define VSSD_TCG_PROTOCOL 1u
#define VSSD_TCG_PROTOCOL_COMID 2u

struct vssd_tcg;

/* The tables of bytes. */
enum vssd_tcg_bytes { VSSD_TCG_MBR, VSSD_TCG_DATASTORE };

/* The namespace whose LBAs ranges are made of. */
struct vssd_tcg_geometry {
	uint32_t lba_size;
	uint64_t lbas;
	bool divisible; /* there are no other namespaces, so that it can have ranges */
};

/* Mistakes that the TPer makes on purpose, so that tests can be judged by what they find: bits. */
enum vssd_tcg_mistake {
	VSSD_TCG_KEY_KEEPS = 0x001,      /* GenKey erases nothing */
	VSSD_TCG_REVERT_KEEPS = 0x002,   /* Revert and RevertSP erase nothing */
	VSSD_TCG_REVERT_PIN = 0x004,     /* Revert leaves the PIN of SID */
	VSSD_TCG_NO_TRIES = 0x008,       /* wrong PINs are not counted */
	VSSD_TCG_ANY_PIN = 0x010,        /* only the length of a PIN is compared */
	VSSD_TCG_ANY_USER = 0x020,       /* any authority but Anybody may do what others may */
	VSSD_TCG_READ_SESSION = 0x040,   /* sessions without Write change columns */
	VSSD_TCG_STAYS_UNLOCKED = 0x080, /* a power cycle locks no range */
	VSSD_TCG_STAYS_DONE = 0x100,     /* a power cycle leaves MBRDone */
	VSSD_TCG_NO_UNDO = 0x200,        /* an aborted transaction is not undone */
	VSSD_TCG_NO_BLOCK = 0x400,       /* Block SID Authentication has no effect */
	VSSD_TCG_STAYS_BLOCKED = 0x800,  /* only Revert ends it */
};

/* What the drive does for the TPer. */
struct vssd_tcg_ops {
	/* Keep the state, even over a loss of power. */
	void (*save)(void *context, const struct vssd_tcg_state *state);

	/* What is locked or shadowed may have changed. */
	void (*changed)(void *context);

	/* Erase these LBAs durably. count 0: erase all other namespaces. */
	void (*erase)(void *context, uint64_t lba, uint64_t count);

	void (*geometry)(void *context, struct vssd_tcg_geometry *geometry);

	/* Read or write a table of bytes; the range lies within it. False: there is no room. */
	void (*read)(void *context, enum vssd_tcg_bytes table, uint64_t offset, uint8_t *to, uint32_t length);
	bool (*write)(void *context, enum vssd_tcg_bytes table, uint64_t offset, const uint8_t *from,
		      uint32_t length);

	/* Fill the tables of bytes with zeros. */
	void (*clear)(void *context);

	/* Bits of enum vssd_tcg_mistake. */
	uint32_t (*mistakes)(void *context);
};

/* How IF-SEND or IF-RECV ends. */
enum vssd_tcg_result {
	VSSD_TCG_DONE,
	VSSD_TCG_BAD_FIELD,    /* a field of the command, or the header of its data, is wrong */
	VSSD_TCG_BAD_SEQUENCE, /* the host has not received the response to the command before */
};

/* Create a TPer. state: from ops->save(), or NULL for a new drive. label: see vssd_tcg_state_new(). NULL: there is no
 * memory. */
struct vssd_tcg *vssd_tcg_create(const struct vssd_tcg_ops *ops, void *context, const struct vssd_tcg_state *state,
				 const char *label);
void vssd_tcg_destroy(struct vssd_tcg *tcg);

/* Handle a reset of the drive, which ends the session. */
void vssd_tcg_reset(struct vssd_tcg *tcg, enum vssd_tcg_reset kind);

/* IF-SEND: length bytes of data. */
enum vssd_tcg_result vssd_tcg_send(struct vssd_tcg *tcg, uint8_t protocol, uint16_t comid, const uint8_t *data,
				   uint32_t length, uint64_t now_ns);

/* IF-RECV: the buffer has room for length bytes, which are zeros. */
enum vssd_tcg_result vssd_tcg_receive(struct vssd_tcg *tcg, uint8_t protocol, uint16_t comid, uint8_t *buffer,
				      uint32_t length, uint64_t now_ns);

/* The state that is in force: without what an open transaction has changed. */
const struct vssd_tcg_state *vssd_tcg_state(const struct vssd_tcg *tcg);

#endif
