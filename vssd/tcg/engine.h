/* SPDX-License-Identifier: BSD-3-Clause */
/* A TPer while it runs. Only for vssd/tcg; tcg.h is its interface. */
#ifndef VSSD_TCG_ENGINE_H
#define VSSD_TCG_ENGINE_H

#include "vssd/tcg/state.h"
#include "vssd/tcg/tcg.h"
#include "vssd/tcg/token.h"

#define VSSD_TCG_COMID 0x1004u
#define VSSD_TCG_MOST 65536u /* bytes of a ComPacket */
#define VSSD_TCG_HEADERS 56u /* of a ComPacket, its packet and its subpacket */

/* Statuses of methods. */
enum vssd_tcg_status {
	VSSD_TCG_SUCCESS = 0x00,
	VSSD_TCG_NOT_AUTHORIZED = 0x01,
	VSSD_TCG_SP_BUSY = 0x03,
	VSSD_TCG_NO_SESSIONS = 0x07,
	VSSD_TCG_INSUFFICIENT_SPACE = 0x09,
	VSSD_TCG_INVALID_PARAMETER = 0x0c,
	VSSD_TCG_RESPONSE_OVERFLOW = 0x11,
	VSSD_TCG_LOCKED_OUT = 0x12,
	VSSD_TCG_FAIL = 0x3f,
};

enum vssd_tcg_sp { VSSD_TCG_ADMIN_SP, VSSD_TCG_LOCKING_SP };

struct vssd_tcg_session {
	bool is_open;
	bool writes;
	bool ends; /* after the response to the current method */
	bool in_transaction;
	enum vssd_tcg_sp sp;
	uint32_t tsn;
	uint32_t hsn;
	uint32_t authorities; /* authenticated ones, with their classes and Anybody */
	uint64_t last_ns;     /* when the host was last heard */
	uint64_t timeout_ns;  /* 0: none */
};

struct vssd_tcg {
	const struct vssd_tcg_ops *ops;
	void *context;
	struct vssd_tcg_state state;
	struct vssd_tcg_state before; /* the current transaction */
	struct vssd_tcg_session session;
	bool dirty; /* the state differs from what ops->save() got */
	uint32_t last_tsn;
	uint32_t host_most;     /* bytes of the largest ComPacket that the host accepts */
	uint32_t pending;       /* bytes of the response that waits for the host; 0: none */
	uint32_t comid_request; /* of protocol 2, whose response waits; 0: none */
	uint8_t response[VSSD_TCG_MOST];
};

static inline bool vssd_tcg_makes(const struct vssd_tcg *tcg, enum vssd_tcg_mistake mistake)
{
	return tcg->ops->mistakes(tcg->context) & (uint32_t)mistake;
}

/* ---- table.c ---- */

enum vssd_tcg_table {
	VSSD_TCG_TABLES, /* descriptions of the tables of bytes */
	VSSD_TCG_SP_INFO,
	VSSD_TCG_SPS,
	VSSD_TCG_TPER_INFO,
	VSSD_TCG_AUTHORITY_TABLE,
	VSSD_TCG_C_PIN,
	VSSD_TCG_ACE_TABLE,
	VSSD_TCG_LOCKING_INFO,
	VSSD_TCG_LOCKING,
	VSSD_TCG_MBR_CONTROL,
	VSSD_TCG_KEYS,
	VSSD_TCG_REMOVAL,
	VSSD_TCG_BYTES_TABLE, /* the tables of bytes: index is enum vssd_tcg_bytes */
};

/* A row of a table, or a table of bytes. */
struct vssd_tcg_object {
	enum vssd_tcg_table table;
	unsigned index;
	uint64_t uid;
};

/* Find what a UID names in an SP. False: nothing. */
bool vssd_tcg_find(enum vssd_tcg_sp sp, uint64_t uid, struct vssd_tcg_object *object);

/* The authority of a UID in an SP, or VSSD_TCG_NO_AUTHORITY. */
enum vssd_tcg_authority vssd_tcg_authority_of(enum vssd_tcg_sp sp, uint64_t uid);

/* The UID of the object with this number among those of a table (its high 32 bits), in the order of UIDs. 0: there
 * are no more. */
uint64_t vssd_tcg_enumerate(enum vssd_tcg_sp sp, uint32_t table, unsigned number);

/* The highest column of an object. */
unsigned vssd_tcg_last_column(const struct vssd_tcg_object *object);

/* ---- access.c: which authorities may read or write a column, generate the key of a range, use a table of bytes */

uint32_t vssd_tcg_readers(const struct vssd_tcg_state *state, enum vssd_tcg_sp sp,
			  const struct vssd_tcg_object *object, unsigned column);
uint32_t vssd_tcg_writers(const struct vssd_tcg_state *state, enum vssd_tcg_sp sp,
			  const struct vssd_tcg_object *object, unsigned column);

/* ---- column.c ---- */

/* Append the value of a column. False: the object has no such column. */
bool vssd_tcg_get_column(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, unsigned column,
			 struct vssd_tcg_writer *to);

/* Consume a value, and set a column to it. Returns a status. */
uint8_t vssd_tcg_set_column(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, unsigned column,
			    struct vssd_tcg_reader *from);

/* Check the ranges as a whole, after columns of one were set. Returns a status. */
uint8_t vssd_tcg_check_ranges(const struct vssd_tcg *tcg, unsigned range);

/* ---- method.c ---- */

/* Try a PIN for an authority. Returns a status: success, not authorized, or locked out. */
uint8_t vssd_tcg_authenticate(struct vssd_tcg *tcg, enum vssd_tcg_authority authority, const uint8_t *pin,
			      uint32_t length);

/* Execute a method of a session; the reader is at its parameters. Its results go to the writer. Returns a status. */
uint8_t vssd_tcg_method(struct vssd_tcg *tcg, uint64_t invoking, uint64_t method, struct vssd_tcg_reader *from,
			struct vssd_tcg_writer *to);

/* ---- session.c ---- */

/* Execute the tokens of a packet, and write the response. False: there is no response. */
bool vssd_tcg_execute(struct vssd_tcg *tcg, uint32_t tsn, uint32_t hsn, struct vssd_tcg_reader *from,
		      struct vssd_tcg_writer *to);

/* End the session without a word. */
void vssd_tcg_close(struct vssd_tcg *tcg);

#endif
