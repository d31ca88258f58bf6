/* SPDX-License-Identifier: BSD-3-Clause */
/* The methods of a session. Core Specification 2.01, section 5.3.3; Opal 2.01, section 5.1. */
#include "vssd/tcg/engine.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define THIS_SP UINT64_C(1)
#define ACCESS_CONTROL UINT64_C(0x0000000700000000)
#define METHODS 6u /* the table MethodID */
#define ADMIN_SP_UID UINT64_C(0x0000020500000001)
#define LOCKING_SP_UID UINT64_C(0x0000020500000002)

#define MOST_RANDOM 32u
#define KEEP_GLOBAL_RANGE_KEY 0x060000u
#define ADMINS VSSD_TCG_BIT(VSSD_TCG_ADMINS_CLASS)

/* Names of parameters. */
enum { TABLE, START_ROW, END_ROW, START_COLUMN, END_COLUMN };
enum { WHERE, VALUES };
enum { NEXT_WHERE, NEXT_COUNT };

static bool is_authorized(const struct vssd_tcg *tcg, uint32_t authorities)
{
	if (vssd_tcg_makes(tcg, VSSD_TCG_ANY_USER) && authorities)
		return tcg->session.authorities & (authorities | ~VSSD_TCG_BIT(VSSD_TCG_ANYBODY));
	return tcg->session.authorities & authorities;
}

static bool may(const struct vssd_tcg *tcg, const struct vssd_tcg_object *object, enum vssd_tcg_method method,
		unsigned column)
{
	return is_authorized(tcg, vssd_tcg_who(&tcg->state, tcg->session.sp, object, method, column));
}

/* Consume the end of the parameters of a method. */
static bool ends(struct vssd_tcg_reader *from)
{
	return vssd_tcg_take(from, VSSD_TCG_END_LIST);
}

/* ---- authentication ---- */

static bool is_same(const struct vssd_tcg *tcg, const struct vssd_tcg_pin *pin, const uint8_t *bytes, uint32_t length)
{
	if (pin->length != length)
		return false;
	return length == 0 || memcmp(pin->value, bytes, length) == 0 || vssd_tcg_makes(tcg, VSSD_TCG_ANY_PIN);
}

/* The authority, and the class that it is a member of. */
static uint32_t with_class(enum vssd_tcg_authority authority)
{
	uint32_t authorities = VSSD_TCG_BIT(authority);

	if (authority >= VSSD_TCG_USER1)
		authorities |= VSSD_TCG_BIT(VSSD_TCG_USERS_CLASS);
	else if (authority >= VSSD_TCG_ADMIN1 || authority == VSSD_TCG_SP_ADMIN1)
		authorities |= ADMINS;
	return authorities;
}

static bool has_pin(enum vssd_tcg_authority authority)
{
	return authority >= VSSD_TCG_ADMIN1 || authority == VSSD_TCG_SID || authority == VSSD_TCG_PSID ||
	       authority == VSSD_TCG_SP_ADMIN1;
}

uint8_t vssd_tcg_authenticate(struct vssd_tcg *tcg, enum vssd_tcg_authority authority, const uint8_t *pin,
			      uint32_t length)
{
	struct vssd_tcg_pin *known = &tcg->state.pins[authority];

	if (authority == VSSD_TCG_ANYBODY)
		return VSSD_TCG_SUCCESS;
	if (authority == VSSD_TCG_SID && tcg->block.sid)
		return VSSD_TCG_NOT_AUTHORIZED;
	if (!has_pin(authority) || !(tcg->state.enabled >> authority & 1))
		return VSSD_TCG_NOT_AUTHORIZED;
	if (known->try_limit && known->tries >= known->try_limit)
		return VSSD_TCG_LOCKED_OUT;
	if (is_same(tcg, known, pin, length)) {
		tcg->dirty |= known->tries != 0;
		known->tries = 0;
		tcg->session.authorities |= with_class(authority);
		return VSSD_TCG_SUCCESS;
	}
	tcg->dirty = true;
	known->tries += known->tries < UINT8_MAX && !vssd_tcg_makes(tcg, VSSD_TCG_NO_TRIES);
	return VSSD_TCG_NOT_AUTHORIZED;
}

static uint8_t authenticate(struct vssd_tcg *tcg, struct vssd_tcg_reader *from, struct vssd_tcg_writer *to)
{
	enum vssd_tcg_authority authority;
	const uint8_t *pin = NULL;
	uint32_t length = 0;
	uint64_t uid, name;
	uint8_t status;

	if (!vssd_tcg_take_uid(from, &uid))
		return VSSD_TCG_INVALID_PARAMETER;
	if (vssd_tcg_take(from, VSSD_TCG_START_NAME) &&
	    (!vssd_tcg_take_uint(from, &name) || name != 0 || !vssd_tcg_take_bytes(from, &pin, &length) ||
	     !vssd_tcg_take(from, VSSD_TCG_END_NAME)))
		return VSSD_TCG_INVALID_PARAMETER;
	authority = vssd_tcg_authority_of(tcg->session.sp, uid);
	if (!ends(from) || authority == VSSD_TCG_NO_AUTHORITY)
		return VSSD_TCG_INVALID_PARAMETER;
	status = vssd_tcg_authenticate(tcg, authority, pin, length);
	if (status == VSSD_TCG_LOCKED_OUT)
		return status;
	vssd_tcg_put_uint(to, status == VSSD_TCG_SUCCESS);
	return VSSD_TCG_SUCCESS;
}

/* ---- Get ---- */

/* What a Get asks for; the members that the host did not give are their defaults. */
struct cells {
	uint64_t start_row;
	uint64_t end_row;
	uint64_t start_column;
	uint64_t end_column;
};

static bool take_cells(struct vssd_tcg_reader *from, struct cells *cells)
{
	if (!vssd_tcg_take(from, VSSD_TCG_START_LIST))
		return false;
	while (vssd_tcg_take(from, VSSD_TCG_START_NAME)) {
		uint64_t name, value;

		if (!vssd_tcg_take_uint(from, &name) || !vssd_tcg_take_uint(from, &value) ||
		    !vssd_tcg_take(from, VSSD_TCG_END_NAME))
			return false;
		if (name == START_ROW)
			cells->start_row = value;
		else if (name == END_ROW)
			cells->end_row = value;
		else if (name == START_COLUMN)
			cells->start_column = value;
		else if (name == END_COLUMN)
			cells->end_column = value;
		else
			return false;
	}
	return vssd_tcg_take(from, VSSD_TCG_END_LIST) && ends(from);
}

static uint64_t size_of(const struct vssd_tcg_object *object)
{
	return object->index == VSSD_TCG_MBR ? VSSD_TCG_MBR_SIZE : VSSD_TCG_DATASTORE_SIZE;
}

static uint8_t get_bytes(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, const struct cells *cells,
			 struct vssd_tcg_writer *to)
{
	static const uint8_t zeros[VSSD_TCG_MOST];
	uint64_t length;
	uint32_t before = to->length;

	if (!may(tcg, object, VSSD_TCG_METHOD_GET, 0))
		return VSSD_TCG_NOT_AUTHORIZED;
	if (cells->start_row > cells->end_row || cells->end_row >= size_of(object))
		return VSSD_TCG_INVALID_PARAMETER;
	length = cells->end_row - cells->start_row + 1;
	if (length > sizeof(zeros))
		return VSSD_TCG_RESPONSE_OVERFLOW;
	vssd_tcg_put_bytes(to, zeros, (uint32_t)length);
	if (to->full || to->length == before)
		return VSSD_TCG_RESPONSE_OVERFLOW;
	tcg->ops->read(tcg->context, (enum vssd_tcg_bytes)object->index, cells->start_row,
		       to->bytes + to->length - length, (uint32_t)length);
	return VSSD_TCG_SUCCESS;
}

static uint8_t get_columns(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, struct cells *cells,
			   struct vssd_tcg_writer *to)
{
	unsigned last = vssd_tcg_last_column(object);
	bool allowed = false;

	if (cells->end_column == UINT64_MAX)
		cells->end_column = last;
	if (cells->start_column > cells->end_column || cells->end_column > last || cells->start_row != 0 ||
	    cells->end_row != UINT64_MAX)
		return VSSD_TCG_INVALID_PARAMETER;
	for (unsigned i = 0; i <= last; i++)
		allowed |= may(tcg, object, VSSD_TCG_METHOD_GET, i);
	if (!allowed)
		return VSSD_TCG_NOT_AUTHORIZED;
	vssd_tcg_put(to, VSSD_TCG_START_LIST);
	for (unsigned i = (unsigned)cells->start_column; i <= cells->end_column; i++) {
		uint32_t before = to->length;

		if (!may(tcg, object, VSSD_TCG_METHOD_GET, i))
			continue;
		vssd_tcg_put(to, VSSD_TCG_START_NAME);
		vssd_tcg_put_uint(to, i);
		if (vssd_tcg_get_column(tcg, object, i, to))
			vssd_tcg_put(to, VSSD_TCG_END_NAME);
		else
			to->length = before;
	}
	vssd_tcg_put(to, VSSD_TCG_END_LIST);
	return VSSD_TCG_SUCCESS;
}

static uint8_t get(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, struct vssd_tcg_reader *from,
		   struct vssd_tcg_writer *to)
{
	struct cells cells = {.end_row = UINT64_MAX, .end_column = UINT64_MAX};

	if (!take_cells(from, &cells))
		return VSSD_TCG_INVALID_PARAMETER;
	if (object->table != VSSD_TCG_BYTES_TABLE)
		return get_columns(tcg, object, &cells, to);
	if (cells.end_row == UINT64_MAX)
		cells.end_row = size_of(object) - 1;
	return get_bytes(tcg, object, &cells, to);
}

/* ---- Set ---- */

static uint8_t set_bytes(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, uint64_t where,
			 struct vssd_tcg_reader *from)
{
	const uint8_t *bytes;
	uint32_t length;

	if (!may(tcg, object, VSSD_TCG_METHOD_SET, 0))
		return VSSD_TCG_NOT_AUTHORIZED;
	if (!vssd_tcg_take_bytes(from, &bytes, &length) || where > size_of(object) ||
	    length > size_of(object) - where)
		return VSSD_TCG_INVALID_PARAMETER;
	if (tcg->session.in_transaction &&
	    !vssd_tcg_undo_note(tcg, (enum vssd_tcg_bytes)object->index, where, length))
		return VSSD_TCG_INSUFFICIENT_SPACE;
	if (!tcg->ops->write(tcg->context, (enum vssd_tcg_bytes)object->index, where, bytes, length))
		return VSSD_TCG_INSUFFICIENT_SPACE;
	return VSSD_TCG_SUCCESS;
}

static uint8_t set_columns(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, struct vssd_tcg_reader *from)
{
	if (!vssd_tcg_take(from, VSSD_TCG_START_LIST))
		return VSSD_TCG_INVALID_PARAMETER;
	while (vssd_tcg_take(from, VSSD_TCG_START_NAME)) {
		uint64_t column;
		uint8_t status;

		if (!vssd_tcg_take_uint(from, &column) || column > vssd_tcg_last_column(object))
			return VSSD_TCG_INVALID_PARAMETER;
		if (!may(tcg, object, VSSD_TCG_METHOD_SET, (unsigned)column))
			return VSSD_TCG_NOT_AUTHORIZED;
		status = vssd_tcg_set_column(tcg, object, (unsigned)column, from);
		if (status)
			return status;
		if (!vssd_tcg_take(from, VSSD_TCG_END_NAME))
			return VSSD_TCG_INVALID_PARAMETER;
	}
	return vssd_tcg_take(from, VSSD_TCG_END_LIST) ? VSSD_TCG_SUCCESS : VSSD_TCG_INVALID_PARAMETER;
}

static uint8_t set_values(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, struct vssd_tcg_reader *from)
{
	bool is_bytes = object->table == VSSD_TCG_BYTES_TABLE;
	uint64_t name, where = 0;
	uint8_t status;

	if (!vssd_tcg_take(from, VSSD_TCG_START_NAME) || !vssd_tcg_take_uint(from, &name))
		return VSSD_TCG_INVALID_PARAMETER;
	if (name == WHERE && is_bytes &&
	    (!vssd_tcg_take_uint(from, &where) || !vssd_tcg_take(from, VSSD_TCG_END_NAME) ||
	     !vssd_tcg_take(from, VSSD_TCG_START_NAME) || !vssd_tcg_take_uint(from, &name)))
		return VSSD_TCG_INVALID_PARAMETER;
	if (name != VALUES)
		return VSSD_TCG_INVALID_PARAMETER;
	status = is_bytes ? set_bytes(tcg, object, where, from) : set_columns(tcg, object, from);
	if (!status && (!vssd_tcg_take(from, VSSD_TCG_END_NAME) || !ends(from)))
		return VSSD_TCG_INVALID_PARAMETER;
	return status;
}

/* Erase the LBAs of a range that has moved: what was written with the key of another range cannot be decrypted.
 * Returns a status. */
static uint8_t move_range(struct vssd_tcg *tcg, const struct vssd_tcg_range *old, unsigned index)
{
	const struct vssd_tcg_range *new = &tcg->state.ranges[index];
	uint8_t status = vssd_tcg_check_ranges(tcg, index);

	if (status || (old->start == new->start && old->length == new->length))
		return status;
	if (tcg->session.in_transaction)
		return VSSD_TCG_FAIL;
	if (old->length)
		tcg->ops->erase(tcg->context, old->start, old->length);
	if (new->length)
		tcg->ops->erase(tcg->context, new->start, new->length);
	return VSSD_TCG_SUCCESS;
}

static uint8_t set(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, struct vssd_tcg_reader *from)
{
	struct vssd_tcg_state before = tcg->state;
	uint8_t status;

	if (!tcg->session.writes && !vssd_tcg_makes(tcg, VSSD_TCG_READ_SESSION))
		return VSSD_TCG_NOT_AUTHORIZED;
	status = set_values(tcg, object, from);
	if (!status && object->table == VSSD_TCG_LOCKING)
		status = move_range(tcg, &before.ranges[object->index], object->index);
	if (status)
		tcg->state = before;
	else
		tcg->dirty = true;
	return status;
}

/* ---- keys, and the life cycle of SPs ---- */

/* Erase what the global range has: all but the other ranges. */
static void erase_global(struct vssd_tcg *tcg)
{
	struct vssd_tcg_geometry geometry;
	uint64_t lba = 0;

	tcg->ops->geometry(tcg->context, &geometry);
	while (lba < geometry.lbas) {
		unsigned range;
		uint64_t end = vssd_tcg_state_range_at(&tcg->state, lba, &range);

		end = end < geometry.lbas ? end : geometry.lbas;
		if (range == 0)
			tcg->ops->erase(tcg->context, lba, end - lba);
		lba = end;
	}
	tcg->ops->erase(tcg->context, 0, 0);
}

static void erase_range(struct vssd_tcg *tcg, unsigned index)
{
	const struct vssd_tcg_range *range = &tcg->state.ranges[index];

	if (index == 0)
		erase_global(tcg);
	else if (range->length)
		tcg->ops->erase(tcg->context, range->start, range->length);
}

/* Erase all ranges, with or without the global one. */
static void erase_ranges(struct vssd_tcg *tcg, bool keep_global)
{
	for (unsigned i = keep_global ? 1 : 0; i < VSSD_TCG_RANGES; i++)
		erase_range(tcg, i);
}

static uint8_t gen_key(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, struct vssd_tcg_reader *from)
{
	if (object->table != VSSD_TCG_KEYS)
		return VSSD_TCG_INVALID_PARAMETER;
	if (!tcg->session.writes || !may(tcg, object, VSSD_TCG_METHOD_GEN_KEY, 0))
		return VSSD_TCG_NOT_AUTHORIZED;
	if (!ends(from))
		return VSSD_TCG_INVALID_PARAMETER;
	if (tcg->session.in_transaction)
		return VSSD_TCG_FAIL;
	if (!vssd_tcg_makes(tcg, VSSD_TCG_KEY_KEEPS))
		erase_range(tcg, object->index);
	return VSSD_TCG_SUCCESS;
}

static uint8_t activate(struct vssd_tcg *tcg, uint64_t invoking, struct vssd_tcg_reader *from)
{
	if (tcg->session.sp != VSSD_TCG_ADMIN_SP || invoking != LOCKING_SP_UID)
		return VSSD_TCG_INVALID_PARAMETER;
	if (!tcg->session.writes || !is_authorized(tcg, VSSD_TCG_BIT(VSSD_TCG_SID)))
		return VSSD_TCG_NOT_AUTHORIZED;
	if (!ends(from)) /* Single User Mode is not supported, nor are sizes of several DataStore tables */
		return VSSD_TCG_INVALID_PARAMETER;
	if (tcg->state.lifecycle == VSSD_TCG_ACTIVE)
		return VSSD_TCG_SUCCESS;
	vssd_tcg_state_activate(&tcg->state);
	tcg->dirty = true;
	return VSSD_TCG_SUCCESS;
}

/* Return the Locking SP to the factory's state, and remove the data. */
static void revert_locking(struct vssd_tcg *tcg, bool keep_global)
{
	if (tcg->state.lifecycle != VSSD_TCG_ACTIVE)
		return;
	if (!vssd_tcg_makes(tcg, VSSD_TCG_REVERT_KEEPS))
		erase_ranges(tcg, keep_global);
	tcg->ops->clear(tcg->context);
	vssd_tcg_state_revert_locking(&tcg->state);
	tcg->dirty = true;
}

static uint8_t revert(struct vssd_tcg *tcg, uint64_t invoking, struct vssd_tcg_reader *from)
{
	struct vssd_tcg_object object;

	if (!vssd_tcg_find(tcg->session.sp, invoking, &object) || object.table != VSSD_TCG_SPS)
		return VSSD_TCG_INVALID_PARAMETER;
	if (!tcg->session.writes || !may(tcg, &object, VSSD_TCG_METHOD_REVERT, 0))
		return VSSD_TCG_NOT_AUTHORIZED;
	if (!ends(from))
		return VSSD_TCG_INVALID_PARAMETER;
	if (tcg->session.in_transaction)
		return VSSD_TCG_FAIL;
	revert_locking(tcg, false);
	if (invoking == ADMIN_SP_UID) {
		struct vssd_tcg_pin sid = tcg->state.pins[VSSD_TCG_SID];

		vssd_tcg_state_revert(&tcg->state);
		if (vssd_tcg_makes(tcg, VSSD_TCG_REVERT_PIN))
			tcg->state.pins[VSSD_TCG_SID] = sid;
		tcg->block = (struct vssd_tcg_block){.sid = false};
		tcg->session.ends = true;
		tcg->dirty = true;
	}
	return VSSD_TCG_SUCCESS;
}

static uint8_t revert_sp(struct vssd_tcg *tcg, uint64_t invoking, struct vssd_tcg_reader *from)
{
	const struct vssd_tcg_range *global = &tcg->state.ranges[0];
	bool keep = false;
	uint64_t name;

	if (tcg->session.sp != VSSD_TCG_LOCKING_SP || invoking != THIS_SP)
		return VSSD_TCG_INVALID_PARAMETER;
	if (!tcg->session.writes || !is_authorized(tcg, ADMINS))
		return VSSD_TCG_NOT_AUTHORIZED;
	if (vssd_tcg_take(from, VSSD_TCG_START_NAME) &&
	    (!vssd_tcg_take_uint(from, &name) || name != KEEP_GLOBAL_RANGE_KEY || !vssd_tcg_take_bool(from, &keep) ||
	     !vssd_tcg_take(from, VSSD_TCG_END_NAME)))
		return VSSD_TCG_INVALID_PARAMETER;
	if (!ends(from))
		return VSSD_TCG_INVALID_PARAMETER;
	if (tcg->session.in_transaction ||
	    (keep && vssd_tcg_range_locks(global, false) && vssd_tcg_range_locks(global, true)))
		return VSSD_TCG_FAIL;
	revert_locking(tcg, keep);
	tcg->session.ends = true;
	return VSSD_TCG_SUCCESS;
}

/* ---- others ---- */

static uint8_t random_bytes(uint64_t invoking, struct vssd_tcg_reader *from, struct vssd_tcg_writer *to)
{
	uint8_t bytes[MOST_RANDOM];
	uint64_t count;

	if (invoking != THIS_SP || !vssd_tcg_take_uint(from, &count) || count > MOST_RANDOM || !ends(from))
		return VSSD_TCG_INVALID_PARAMETER;
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return VSSD_TCG_FAIL;
	vssd_tcg_put_bytes(to, bytes, (uint32_t)count);
	return VSSD_TCG_SUCCESS;
}

/* List the UIDs of a table, from the one after Where on. */
static uint8_t next(struct vssd_tcg *tcg, uint64_t invoking, struct vssd_tcg_reader *from, struct vssd_tcg_writer *to)
{
	uint32_t table = (uint32_t)(invoking >> 32);
	uint64_t name, where = 0, most = UINT64_MAX, uid;

	while (vssd_tcg_take(from, VSSD_TCG_START_NAME)) {
		bool is_good =
			vssd_tcg_take_uint(from, &name) && (name == NEXT_WHERE   ? vssd_tcg_take_uid(from, &where)
							    : name == NEXT_COUNT ? vssd_tcg_take_uint(from, &most)
										 : false);

		if (!is_good || !vssd_tcg_take(from, VSSD_TCG_END_NAME))
			return VSSD_TCG_INVALID_PARAMETER;
	}
	if (!ends(from) || (uint32_t)invoking != 0 || !vssd_tcg_enumerate(tcg->session.sp, table, 0))
		return VSSD_TCG_INVALID_PARAMETER;
	vssd_tcg_put(to, VSSD_TCG_START_LIST);
	for (unsigned i = 0; (uid = vssd_tcg_enumerate(tcg->session.sp, table, i)) && most > 0; i++) {
		if (uid <= where)
			continue;
		vssd_tcg_put_uid(to, uid);
		most--;
	}
	vssd_tcg_put(to, VSSD_TCG_END_LIST);
	return VSSD_TCG_SUCCESS;
}

/* Which access control elements a method has. */
static uint8_t get_acl(const struct vssd_tcg *tcg, uint64_t invoking, struct vssd_tcg_reader *from,
		       struct vssd_tcg_writer *to)
{
	unsigned aces[VSSD_TCG_ACL_MOST], count;
	uint64_t object, method;

	if (invoking != ACCESS_CONTROL || !vssd_tcg_take_uid(from, &object) || !vssd_tcg_take_uid(from, &method) ||
	    !ends(from))
		return VSSD_TCG_INVALID_PARAMETER;
	count = method >> 32 == METHODS ? vssd_tcg_acl(tcg->session.sp, object, (uint32_t)method, aces) : 0;
	if (count == 0)
		return VSSD_TCG_NOT_AUTHORIZED;
	vssd_tcg_put(to, VSSD_TCG_START_LIST);
	for (unsigned i = 0; i < count; i++)
		vssd_tcg_put_uid(to, vssd_tcg_ace_uid(tcg->session.sp, aces[i]));
	vssd_tcg_put(to, VSSD_TCG_END_LIST);
	return VSSD_TCG_SUCCESS;
}

uint8_t vssd_tcg_method(struct vssd_tcg *tcg, uint64_t invoking, uint64_t method, struct vssd_tcg_reader *from,
			struct vssd_tcg_writer *to)
{
	struct vssd_tcg_object object;
	bool found = vssd_tcg_find(tcg->session.sp, invoking, &object);

	if (method >> 32 != METHODS)
		return VSSD_TCG_INVALID_PARAMETER;
	switch ((uint32_t)method) {
	case VSSD_TCG_METHOD_GET:
		return found ? get(tcg, &object, from, to) : VSSD_TCG_NOT_AUTHORIZED;
	case VSSD_TCG_METHOD_SET:
		return found ? set(tcg, &object, from) : VSSD_TCG_NOT_AUTHORIZED;
	case VSSD_TCG_METHOD_GEN_KEY:
		return found ? gen_key(tcg, &object, from) : VSSD_TCG_NOT_AUTHORIZED;
	case VSSD_TCG_METHOD_NEXT:
		return next(tcg, invoking, from, to);
	case VSSD_TCG_METHOD_AUTHENTICATE:
		return invoking == THIS_SP ? authenticate(tcg, from, to) : VSSD_TCG_INVALID_PARAMETER;
	case VSSD_TCG_METHOD_GET_ACL:
		return get_acl(tcg, invoking, from, to);
	case VSSD_TCG_METHOD_RANDOM:
		return random_bytes(invoking, from, to);
	case VSSD_TCG_METHOD_ACTIVATE:
		return activate(tcg, invoking, from);
	case VSSD_TCG_METHOD_REVERT:
		return revert(tcg, invoking, from);
	case VSSD_TCG_METHOD_REVERT_SP:
		return revert_sp(tcg, invoking, from);
	default:
		return VSSD_TCG_INVALID_PARAMETER;
	}
}
