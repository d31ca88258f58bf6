/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of columns. Core Specification 2.01, sections 5.3.2, 5.4.2 and 5.7.2; Opal 2.01, section 4. */
#include "vssd/tcg/engine.h"

#include <stdio.h>
#include <string.h>

#define UID(table, row) ((uint64_t)(table) << 32 | (row))
#define AUTHORITY_REF 0x00000c05u /* half UIDs of the types in a boolean expression */
#define BOOLEAN_ACE 0x0000040eu
#define OR 1u
#define MOST_TERMS (2 * VSSD_TCG_AUTHORITIES)

#define KIND_BYTES 2u /* of a table */
#define OPERATION_PASSWORD 1u
#define AES_XTS_256 7u
#define ENCRYPTED_ALWAYS 1u /* EncryptSupport: media encryption */

/* ---- reading ---- */

static void put_name(struct vssd_tcg_writer *to, const struct vssd_tcg_name *name)
{
	vssd_tcg_put_bytes(to, name->value, name->length);
}

/* A set of reset types, as a list. */
static void put_resets(struct vssd_tcg_writer *to, uint8_t resets)
{
	vssd_tcg_put(to, VSSD_TCG_START_LIST);
	for (unsigned i = 0; i < 8; i++)
		if (resets >> i & 1)
			vssd_tcg_put_uint(to, i);
	vssd_tcg_put(to, VSSD_TCG_END_LIST);
}

static bool get_table(const struct vssd_tcg_object *object, unsigned column, struct vssd_tcg_writer *to)
{
	bool is_mbr = object->index == VSSD_TCG_MBR;

	switch (column) {
	case 1:
		vssd_tcg_put_text(to, is_mbr ? "MBR" : "DataStore");
		return true;
	case 4:
		vssd_tcg_put_uint(to, KIND_BYTES);
		return true;
	case 7:
		vssd_tcg_put_uint(to, is_mbr ? VSSD_TCG_MBR_SIZE : VSSD_TCG_DATASTORE_SIZE);
		return true;
	case 13:
	case 14:
		vssd_tcg_put_uint(to, 1); /* granularity of accesses */
		return true;
	default:
		return false;
	}
}

static bool get_sp_info(const struct vssd_tcg *tcg, unsigned column, struct vssd_tcg_writer *to)
{
	bool is_admin = tcg->session.sp == VSSD_TCG_ADMIN_SP;

	switch (column) {
	case 1:
		vssd_tcg_put_uid(to, UID(0x0205, is_admin ? 1 : 2));
		return true;
	case 2:
		vssd_tcg_put_text(to, is_admin ? "Admin" : "Locking");
		return true;
	case 5:
		vssd_tcg_put_uint(to, 0);
		return true;
	case 6:
		vssd_tcg_put_uint(to, 1);
		return true;
	default:
		return false;
	}
}

static bool get_sp(const struct vssd_tcg *tcg, const struct vssd_tcg_object *object, unsigned column,
		   struct vssd_tcg_writer *to)
{
	bool is_admin = object->index == VSSD_TCG_ADMIN_SP;

	switch (column) {
	case 1:
		vssd_tcg_put_text(to, is_admin ? "Admin" : "Locking");
		return true;
	case 6:
		vssd_tcg_put_uint(to, is_admin ? VSSD_TCG_ACTIVE : tcg->state.lifecycle);
		return true;
	case 7:
		vssd_tcg_put_uint(to, 0);
		return true;
	default:
		return false;
	}
}

static bool get_tper(const struct vssd_tcg *tcg, unsigned column, struct vssd_tcg_writer *to)
{
	switch (column) {
	case 4:
	case 5:
		vssd_tcg_put_uint(to, 1);
		return true;
	case 6:
		vssd_tcg_put_uint(to, 0);
		return true;
	case 7:
		vssd_tcg_put(to, VSSD_TCG_START_LIST);
		vssd_tcg_put_text(to, "Opal");
		vssd_tcg_put(to, VSSD_TCG_END_LIST);
		return true;
	case 8:
		vssd_tcg_put_uint(to, tcg->state.programmatic_reset);
		return true;
	default:
		return false;
	}
}

static uint64_t credential_of(const struct vssd_tcg_object *object)
{
	bool has_pin = object->index >= VSSD_TCG_ADMIN1 || object->index == VSSD_TCG_SID ||
		       object->index == VSSD_TCG_PSID || object->index == VSSD_TCG_SP_ADMIN1;
	uint32_t row = object->index == VSSD_TCG_SID ? 1 : (uint32_t)object->uid;

	return has_pin ? UID(0x000b, row) : 0;
}

static uint64_t class_of(const struct vssd_tcg_object *object)
{
	if (object->index >= VSSD_TCG_USER1)
		return UID(0x0009, 0x00030000);
	return object->index >= VSSD_TCG_ADMIN1 || object->index == VSSD_TCG_SP_ADMIN1 ? UID(0x0009, 2) : 0;
}

static bool get_authority(const struct vssd_tcg *tcg, const struct vssd_tcg_object *object, unsigned column,
			  struct vssd_tcg_writer *to)
{
	uint64_t credential = credential_of(object);

	switch (column) {
	case 2:
		put_name(to, &tcg->state.names[object->index]);
		return true;
	case 3:
		vssd_tcg_put_uint(to,
				  object->index == VSSD_TCG_ADMINS_CLASS || object->index == VSSD_TCG_USERS_CLASS);
		return true;
	case 4:
		vssd_tcg_put_uid(to, class_of(object));
		return true;
	case 5:
		vssd_tcg_put_uint(to, tcg->state.enabled >> object->index & 1);
		return true;
	case 6:
	case 7:
		vssd_tcg_put_uint(to, 0);
		return true;
	case 9:
		vssd_tcg_put_uint(to, credential ? OPERATION_PASSWORD : 0);
		return true;
	case 10:
		vssd_tcg_put_uid(to, credential);
		return true;
	default:
		return false;
	}
}

static bool get_pin(const struct vssd_tcg *tcg, const struct vssd_tcg_object *object, unsigned column,
		    struct vssd_tcg_writer *to)
{
	bool is_msid = object->index == VSSD_TCG_ANYBODY;
	const struct vssd_tcg_pin *pin = is_msid ? &tcg->state.msid : &tcg->state.pins[object->index];

	switch (column) {
	case 3:
		vssd_tcg_put_bytes(to, pin->value, pin->length);
		return true;
	case 5:
		vssd_tcg_put_uint(to, pin->try_limit);
		return !is_msid;
	case 6:
		vssd_tcg_put_uint(to, pin->tries);
		return !is_msid;
	case 7:
		vssd_tcg_put_uint(to, pin->persistent);
		return !is_msid;
	default:
		return false;
	}
}

static uint64_t uid_of(enum vssd_tcg_sp sp, unsigned authority)
{
	uint64_t uid;

	for (unsigned i = 0; (uid = vssd_tcg_enumerate(sp, 0x0009, i)); i++)
		if (vssd_tcg_authority_of(sp, uid) == authority)
			return uid;
	return 0;
}

static void put_term(struct vssd_tcg_writer *to, uint32_t type, uint64_t uid)
{
	uint8_t half[4];

	vssd_tcg_put_be(half, sizeof(half), type);
	vssd_tcg_put(to, VSSD_TCG_START_NAME);
	vssd_tcg_put_bytes(to, half, sizeof(half));
	if (type == AUTHORITY_REF)
		vssd_tcg_put_uid(to, uid);
	else
		vssd_tcg_put_uint(to, uid);
	vssd_tcg_put(to, VSSD_TCG_END_NAME);
}

/* The expression of an ACE in postfix notation: all its authorities, joined by OR. */
static bool get_ace(const struct vssd_tcg *tcg, const struct vssd_tcg_object *object, unsigned column,
		    struct vssd_tcg_writer *to)
{
	uint32_t authorities = vssd_tcg_ace_authorities(&tcg->state, object->index);
	unsigned count = 0;

	if (column != 3)
		return false;
	vssd_tcg_put(to, VSSD_TCG_START_LIST);
	for (unsigned i = 0; i < VSSD_TCG_AUTHORITIES; i++) {
		if (!(authorities >> i & 1))
			continue;
		put_term(to, AUTHORITY_REF, uid_of(tcg->session.sp, i));
		if (count++ > 0)
			put_term(to, BOOLEAN_ACE, OR);
	}
	vssd_tcg_put(to, VSSD_TCG_END_LIST);
	return true;
}

static bool get_locking_info(struct vssd_tcg *tcg, unsigned column, struct vssd_tcg_writer *to)
{
	struct vssd_tcg_geometry geometry;

	tcg->ops->geometry(tcg->context, &geometry);
	switch (column) {
	case 1:
		vssd_tcg_put_text(to, "Locking");
		return true;
	case 2:
	case 3:
		vssd_tcg_put_uint(to, ENCRYPTED_ALWAYS);
		return true;
	case 4:
		vssd_tcg_put_uint(to, VSSD_TCG_RANGES - 1);
		return true;
	case 5:
	case 6:
	case 7: /* AlignmentRequired */
	case 10:
		vssd_tcg_put_uint(to, 0);
		return true;
	case 8:
		vssd_tcg_put_uint(to, geometry.lba_size);
		return true;
	case 9:
		vssd_tcg_put_uint(to, 1);
		return true;
	default:
		return false;
	}
}

static uint64_t key_of(const struct vssd_tcg_object *object)
{
	return UID(0x0806, (uint32_t)object->uid);
}

static bool get_range(const struct vssd_tcg *tcg, const struct vssd_tcg_object *object, unsigned column,
		      struct vssd_tcg_writer *to)
{
	const struct vssd_tcg_range *range = &tcg->state.ranges[object->index];
	const uint64_t numbers[] = {
		[3] = range->start,
		[4] = range->length,
		[5] = range->read_lock_enabled,
		[6] = range->write_lock_enabled,
		[7] = range->read_locked,
		[8] = range->write_locked,
	};

	if (column == 2)
		put_name(to, &range->name);
	else if (column >= 3 && column <= 8)
		vssd_tcg_put_uint(to, numbers[column]);
	else if (column == 9)
		put_resets(to, range->resets);
	else if (column == 10)
		vssd_tcg_put_uid(to, key_of(object));
	return column >= 2 && column <= 10;
}

static bool get_mbr_control(const struct vssd_tcg *tcg, unsigned column, struct vssd_tcg_writer *to)
{
	if (column == 1)
		vssd_tcg_put_uint(to, tcg->state.mbr_enabled);
	else if (column == 2)
		vssd_tcg_put_uint(to, tcg->state.mbr_done);
	else
		put_resets(to, tcg->state.mbr_resets);
	return true;
}

static bool get_value(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, unsigned column,
		      struct vssd_tcg_writer *to)
{
	switch (object->table) {
	case VSSD_TCG_TABLES:
		return get_table(object, column, to);
	case VSSD_TCG_SP_INFO:
		return get_sp_info(tcg, column, to);
	case VSSD_TCG_SPS:
		return get_sp(tcg, object, column, to);
	case VSSD_TCG_TPER_INFO:
		return get_tper(tcg, column, to);
	case VSSD_TCG_AUTHORITY_TABLE:
		return get_authority(tcg, object, column, to);
	case VSSD_TCG_C_PIN:
		return get_pin(tcg, object, column, to);
	case VSSD_TCG_ACE_TABLE:
		return get_ace(tcg, object, column, to);
	case VSSD_TCG_LOCKING_INFO:
		return get_locking_info(tcg, column, to);
	case VSSD_TCG_LOCKING:
		return get_range(tcg, object, column, to);
	case VSSD_TCG_MBR_CONTROL:
		return get_mbr_control(tcg, column, to);
	case VSSD_TCG_KEYS:
		vssd_tcg_put_uint(to, AES_XTS_256);
		return column == 4;
	case VSSD_TCG_REMOVAL:
		vssd_tcg_put_uint(to, tcg->state.removal);
		return column == 1;
	default:
		return false;
	}
}

bool vssd_tcg_get_column(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, unsigned column,
			 struct vssd_tcg_writer *to)
{
	uint32_t before = to->length;

	if (column == 0) {
		vssd_tcg_put_uid(to, object->uid);
		return true;
	}
	if (get_value(tcg, object, column, to))
		return true;
	to->length = before;
	return false;
}

/* ---- writing ---- */

static uint8_t set_name(struct vssd_tcg_name *name, struct vssd_tcg_reader *from)
{
	const uint8_t *bytes;
	uint32_t length;

	if (!vssd_tcg_take_bytes(from, &bytes, &length) || length > VSSD_TCG_NAME_SIZE)
		return VSSD_TCG_INVALID_PARAMETER;
	name->length = (uint8_t)length;
	memcpy(name->value, bytes, length);
	return VSSD_TCG_SUCCESS;
}

static uint8_t set_flag(uint8_t *flag, struct vssd_tcg_reader *from)
{
	bool value;

	if (!vssd_tcg_take_bool(from, &value))
		return VSSD_TCG_INVALID_PARAMETER;
	*flag = value;
	return VSSD_TCG_SUCCESS;
}

/* The drive has resets of the types power cycle and programmatic; Opal requires the first of them. */
static uint8_t set_resets(uint8_t *resets, struct vssd_tcg_reader *from)
{
	uint8_t found = 0;
	uint64_t type;

	if (!vssd_tcg_take(from, VSSD_TCG_START_LIST))
		return VSSD_TCG_INVALID_PARAMETER;
	while (vssd_tcg_take_uint(from, &type)) {
		if (type != VSSD_TCG_POWER_CYCLE && type != VSSD_TCG_PROGRAMMATIC)
			return VSSD_TCG_INVALID_PARAMETER;
		found |= (uint8_t)(1u << type);
	}
	if (!vssd_tcg_take(from, VSSD_TCG_END_LIST) || !(found & 1u << VSSD_TCG_POWER_CYCLE))
		return VSSD_TCG_INVALID_PARAMETER;
	*resets = found;
	return VSSD_TCG_SUCCESS;
}

static uint8_t set_pin(struct vssd_tcg_pin *pin, struct vssd_tcg_reader *from)
{
	const uint8_t *bytes;
	uint32_t length;

	if (!vssd_tcg_take_bytes(from, &bytes, &length) || length > VSSD_TCG_PIN_SIZE)
		return VSSD_TCG_INVALID_PARAMETER;
	pin->length = (uint8_t)length;
	pin->tries = 0;
	memset(pin->value, 0, sizeof(pin->value));
	memcpy(pin->value, bytes, length);
	return VSSD_TCG_SUCCESS;
}

/* Consume a term of an expression. authority: VSSD_TCG_NO_AUTHORITY for the operator OR. */
static bool take_term(const struct vssd_tcg *tcg, struct vssd_tcg_reader *from, enum vssd_tcg_authority *authority)
{
	const uint8_t *half;
	uint64_t value;
	uint32_t length, type;

	if (!vssd_tcg_take(from, VSSD_TCG_START_NAME) || !vssd_tcg_take_bytes(from, &half, &length) || length != 4)
		return false;
	type = (uint32_t)vssd_tcg_get_be(half, 4);
	*authority = VSSD_TCG_NO_AUTHORITY;
	if (type == AUTHORITY_REF) {
		if (!vssd_tcg_take_uid(from, &value))
			return false;
		*authority = vssd_tcg_authority_of(tcg->session.sp, value);
		if (*authority == VSSD_TCG_NO_AUTHORITY)
			return false;
	} else if (type != BOOLEAN_ACE || !vssd_tcg_take_uint(from, &value) || value != OR) {
		return false;
	}
	return vssd_tcg_take(from, VSSD_TCG_END_NAME);
}

static uint8_t set_ace(struct vssd_tcg *tcg, uint32_t *ace, struct vssd_tcg_reader *from)
{
	enum vssd_tcg_authority authority;
	uint32_t found = 0;
	unsigned depth = 0;

	if (!vssd_tcg_take(from, VSSD_TCG_START_LIST))
		return VSSD_TCG_INVALID_PARAMETER;
	for (unsigned i = 0; i < MOST_TERMS && !vssd_tcg_take(from, VSSD_TCG_END_LIST); i++) {
		bool is_good = take_term(tcg, from, &authority);

		if (!is_good || (authority == VSSD_TCG_NO_AUTHORITY && depth < 2))
			return VSSD_TCG_INVALID_PARAMETER;
		if (authority == VSSD_TCG_NO_AUTHORITY) {
			depth--;
		} else {
			depth++;
			found |= VSSD_TCG_BIT(authority);
		}
	}
	if (depth != 1)
		return VSSD_TCG_INVALID_PARAMETER;
	*ace = found;
	return VSSD_TCG_SUCCESS;
}

static uint8_t set_authority(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, unsigned column,
			     struct vssd_tcg_reader *from)
{
	bool enable;

	if (column == 2)
		return set_name(&tcg->state.names[object->index], from);
	if (!vssd_tcg_take_bool(from, &enable))
		return VSSD_TCG_INVALID_PARAMETER;
	tcg->state.enabled &= ~VSSD_TCG_BIT(object->index);
	tcg->state.enabled |= enable ? VSSD_TCG_BIT(object->index) : 0;
	return VSSD_TCG_SUCCESS;
}

static uint8_t set_range(struct vssd_tcg_range *range, unsigned column, struct vssd_tcg_reader *from)
{
	switch (column) {
	case 2:
		return set_name(&range->name, from);
	case 3:
		return vssd_tcg_take_uint(from, &range->start) ? VSSD_TCG_SUCCESS : VSSD_TCG_INVALID_PARAMETER;
	case 4:
		return vssd_tcg_take_uint(from, &range->length) ? VSSD_TCG_SUCCESS : VSSD_TCG_INVALID_PARAMETER;
	case 5:
		return set_flag(&range->read_lock_enabled, from);
	case 6:
		return set_flag(&range->write_lock_enabled, from);
	case 7:
		return set_flag(&range->read_locked, from);
	case 8:
		return set_flag(&range->write_locked, from);
	default:
		return set_resets(&range->resets, from);
	}
}

static uint8_t set_mbr_control(struct vssd_tcg_state *state, unsigned column, struct vssd_tcg_reader *from)
{
	if (column == 3)
		return set_resets(&state->mbr_resets, from);
	return set_flag(column == 1 ? &state->mbr_enabled : &state->mbr_done, from);
}

/* The mechanism that Revert uses: block erase, or cryptographic erase. */
static uint8_t set_removal(struct vssd_tcg_state *state, struct vssd_tcg_reader *from)
{
	uint64_t mechanism;

	if (!vssd_tcg_take_uint(from, &mechanism) || mechanism < 1 || mechanism > 2)
		return VSSD_TCG_INVALID_PARAMETER;
	state->removal = (uint8_t)mechanism;
	return VSSD_TCG_SUCCESS;
}

uint8_t vssd_tcg_set_column(struct vssd_tcg *tcg, const struct vssd_tcg_object *object, unsigned column,
			    struct vssd_tcg_reader *from)
{
	switch (object->table) {
	case VSSD_TCG_C_PIN:
		return set_pin(&tcg->state.pins[object->index], from);
	case VSSD_TCG_AUTHORITY_TABLE:
		return set_authority(tcg, object, column, from);
	case VSSD_TCG_ACE_TABLE:
		return set_ace(tcg, &tcg->state.aces[object->index], from);
	case VSSD_TCG_LOCKING:
		return set_range(&tcg->state.ranges[object->index], column, from);
	case VSSD_TCG_MBR_CONTROL:
		return set_mbr_control(&tcg->state, column, from);
	case VSSD_TCG_TPER_INFO:
		return set_flag(&tcg->state.programmatic_reset, from);
	case VSSD_TCG_REMOVAL:
		return set_removal(&tcg->state, from);
	default:
		return VSSD_TCG_NOT_AUTHORIZED;
	}
}

uint8_t vssd_tcg_check_ranges(const struct vssd_tcg *tcg, unsigned range)
{
	const struct vssd_tcg_range *ranges = tcg->state.ranges, *one = &ranges[range];
	struct vssd_tcg_geometry geometry;

	if (range == 0 || one->length == 0)
		return VSSD_TCG_SUCCESS;
	tcg->ops->geometry(tcg->context, &geometry);
	if (!geometry.divisible || one->start >= geometry.lbas || one->length > geometry.lbas - one->start)
		return VSSD_TCG_INVALID_PARAMETER;
	for (unsigned i = 1; i < VSSD_TCG_RANGES; i++)
		if (i != range && one->start < ranges[i].start + ranges[i].length &&
		    ranges[i].start < one->start + one->length && ranges[i].length)
			return VSSD_TCG_INVALID_PARAMETER;
	return VSSD_TCG_SUCCESS;
}
