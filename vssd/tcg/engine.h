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

/* Rows of the table MethodID. */
enum vssd_tcg_method {
	VSSD_TCG_METHOD_NEXT = 0x0008,
	VSSD_TCG_METHOD_GET_ACL = 0x000d,
	VSSD_TCG_METHOD_GEN_KEY = 0x0010,
	VSSD_TCG_METHOD_REVERT_SP = 0x0011,
	VSSD_TCG_METHOD_GET = 0x0016,
	VSSD_TCG_METHOD_SET = 0x0017,
	VSSD_TCG_METHOD_AUTHENTICATE = 0x001c,
	VSSD_TCG_METHOD_REVERT = 0x0202,
	VSSD_TCG_METHOD_ACTIVATE = 0x0203,
	VSSD_TCG_METHOD_RANDOM = 0x0601,
};

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

/* Block SID Authentication, until the power is cycled. */
struct vssd_tcg_block {
	bool sid;         /* nobody can be authenticated as SID */
	bool by_hardware; /* a hardware reset ends it as well */
};

struct vssd_tcg {
	const struct vssd_tcg_ops *ops;
	void *context;
	struct vssd_tcg_state state;
	struct vssd_tcg_state before; /* the current transaction */
	struct vssd_tcg_session session;
	struct vssd_tcg_block block;
	struct vssd_tcg_undo *undo; /* what the current transaction has overwritten in tables of bytes */
	bool dirty;                 /* the state differs from what ops->save() got */
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

/* The UID of an access control element; 0: the SP has none. */
uint64_t vssd_tcg_ace_uid(enum vssd_tcg_sp sp, unsigned ace);

/* The highest column of an object. */
unsigned vssd_tcg_last_column(const struct vssd_tcg_object *object);

/* ---- access.c ---- */

/* Access control elements that nobody can change, after those of enum vssd_tcg_ace. */
enum vssd_tcg_fixed_ace {
	VSSD_TCG_ACE_ANYBODY = VSSD_TCG_ACES,
	VSSD_TCG_ACE_ADMIN,
	VSSD_TCG_ACE_GET_NAME, /* from here on, of the Locking SP */
	VSSD_TCG_ACE_SET_NAME,
	VSSD_TCG_ACE_ACE_GET,
	VSSD_TCG_ACE_ACE_SET,
	VSSD_TCG_ACE_AUTHORITY_GET,
	VSSD_TCG_ACE_AUTHORITY_SET,
	VSSD_TCG_ACE_PIN_GET,
	VSSD_TCG_ACE_PIN_SET,
	VSSD_TCG_ACE_KEY_MODE,
	VSSD_TCG_ACE_GLOBAL_SET,
	VSSD_TCG_ACE_RANGE_SET,
	VSSD_TCG_ACE_MBR_SET,
	VSSD_TCG_ACE_SID_GET, /* from here on, of the Admin SP */
	VSSD_TCG_ACE_SID_SET,
	VSSD_TCG_ACE_MSID_GET,
	VSSD_TCG_ACE_PSID_GET,
	VSSD_TCG_ACE_SP_ADMIN_PIN,
	VSSD_TCG_ACE_SP_AUTHORITY_SET,
	VSSD_TCG_ACE_SP_SID,
	VSSD_TCG_ACE_SP_PSID,
	VSSD_TCG_ACE_TPER_SET,
	VSSD_TCG_ACE_REMOVAL_SET,
};

#define VSSD_TCG_ACL_MOST 4u

/* The access control elements of a method (a row of the table MethodID) of an object, or of a table. Returns how many
 * there are; 0: the object has no such method, or nobody may use it. */
unsigned vssd_tcg_acl(enum vssd_tcg_sp sp, uint64_t invoking, uint32_t method, unsigned aces[VSSD_TCG_ACL_MOST]);

/* The authorities of an access control element. */
uint32_t vssd_tcg_ace_authorities(const struct vssd_tcg_state *state, unsigned ace);

/* The authorities that may use a method of an object, with a column if it has columns. */
uint32_t vssd_tcg_who(const struct vssd_tcg_state *state, enum vssd_tcg_sp sp, const struct vssd_tcg_object *object,
		      enum vssd_tcg_method method, unsigned column);

/* ---- undo.c ---- */

/* Keep what a range of a table of bytes holds, to restore it if the transaction is aborted. False: there is no
 * memory. */
bool vssd_tcg_undo_note(struct vssd_tcg *tcg, enum vssd_tcg_bytes table, uint64_t offset, uint32_t length);

/* End the transaction: restore what it has overwritten, or keep it. */
void vssd_tcg_undo_end(struct vssd_tcg *tcg, bool restore);

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
