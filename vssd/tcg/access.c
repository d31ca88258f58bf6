/* SPDX-License-Identifier: BSD-3-Clause */
/* Access control: which access control elements (ACEs) each method of an object has, and what each of them allows to
 * whom. Opal 2.01, sections 4.2.1.5, 4.2.1.6, 4.3.1.6 and 4.3.1.7; PSID 1.00, section 4.2. */
#include "vssd/tcg/engine.h"

#define ANYBODY VSSD_TCG_BIT(VSSD_TCG_ANYBODY)
#define ADMINS VSSD_TCG_BIT(VSSD_TCG_ADMINS_CLASS)
#define SID VSSD_TCG_BIT(VSSD_TCG_SID)
#define PSID VSSD_TCG_BIT(VSSD_TCG_PSID)

#define THIS_SP UINT64_C(1)
#define ALL UINT32_MAX
#define COLUMN(number) (UINT32_C(1) << (number))
#define COLUMNS(first, last) ((COLUMN((last) - (first) + 1) - 1) << (first))
#define NAMES COLUMNS(0, 2)
#define NO_PIN (COLUMN(0) | COLUMNS(4, 7))
#define PIN COLUMN(3)
#define ENABLED COLUMN(5)

/* ---- elements ---- */

/* What an element allows. */
struct element {
	uint32_t authorities;
	uint32_t columns;
};

static const struct element fixed[] = {
	[VSSD_TCG_ACE_ANYBODY - VSSD_TCG_ACES] = {ANYBODY, ALL},
	[VSSD_TCG_ACE_ADMIN - VSSD_TCG_ACES] = {ADMINS, ALL},
	[VSSD_TCG_ACE_GET_NAME - VSSD_TCG_ACES] = {ANYBODY, NAMES},
	[VSSD_TCG_ACE_SET_NAME - VSSD_TCG_ACES] = {ADMINS, COLUMN(2)},
	[VSSD_TCG_ACE_ACE_GET - VSSD_TCG_ACES] = {ADMINS, ALL},
	[VSSD_TCG_ACE_ACE_SET - VSSD_TCG_ACES] = {ADMINS, COLUMN(3)},
	[VSSD_TCG_ACE_AUTHORITY_GET - VSSD_TCG_ACES] = {ADMINS, ALL},
	[VSSD_TCG_ACE_AUTHORITY_SET - VSSD_TCG_ACES] = {ADMINS, ENABLED},
	[VSSD_TCG_ACE_PIN_GET - VSSD_TCG_ACES] = {ADMINS, NO_PIN},
	[VSSD_TCG_ACE_PIN_SET - VSSD_TCG_ACES] = {ADMINS, PIN},
	[VSSD_TCG_ACE_KEY_MODE - VSSD_TCG_ACES] = {ANYBODY, COLUMN(4)},
	[VSSD_TCG_ACE_GLOBAL_SET - VSSD_TCG_ACES] = {ADMINS, COLUMNS(5, 9)},
	[VSSD_TCG_ACE_RANGE_SET - VSSD_TCG_ACES] = {ADMINS, COLUMNS(3, 9)},
	[VSSD_TCG_ACE_MBR_SET - VSSD_TCG_ACES] = {ADMINS, COLUMNS(1, 3)},
	[VSSD_TCG_ACE_SID_GET - VSSD_TCG_ACES] = {ADMINS | SID, NO_PIN},
	[VSSD_TCG_ACE_SID_SET - VSSD_TCG_ACES] = {SID, PIN},
	[VSSD_TCG_ACE_MSID_GET - VSSD_TCG_ACES] = {ANYBODY, COLUMN(0) | PIN},
	[VSSD_TCG_ACE_PSID_GET - VSSD_TCG_ACES] = {ANYBODY, NO_PIN},
	[VSSD_TCG_ACE_SP_ADMIN_PIN - VSSD_TCG_ACES] = {ADMINS | SID, PIN},
	[VSSD_TCG_ACE_SP_AUTHORITY_SET - VSSD_TCG_ACES] = {SID, ENABLED},
	[VSSD_TCG_ACE_SP_SID - VSSD_TCG_ACES] = {SID, ALL},
	[VSSD_TCG_ACE_SP_PSID - VSSD_TCG_ACES] = {PSID, ALL},
	[VSSD_TCG_ACE_TPER_SET - VSSD_TCG_ACES] = {SID, COLUMN(8)},
	[VSSD_TCG_ACE_REMOVAL_SET - VSSD_TCG_ACES] = {ADMINS | SID, COLUMN(1)},
};

uint32_t vssd_tcg_ace_authorities(const struct vssd_tcg_state *state, unsigned ace)
{
	return ace < VSSD_TCG_ACES ? state->aces[ace] : fixed[ace - VSSD_TCG_ACES].authorities;
}

static uint32_t columns_of(unsigned ace)
{
	if (ace >= VSSD_TCG_ACES)
		return fixed[ace - VSSD_TCG_ACES].columns;
	if (ace < VSSD_TCG_ACE_READ_LOCK)
		return COLUMNS(3, 10);
	if (ace < VSSD_TCG_ACE_WRITE_LOCK)
		return COLUMN(7);
	if (ace < VSSD_TCG_ACE_GEN_KEY)
		return COLUMN(8);
	if (ace < VSSD_TCG_ACE_USER_PIN)
		return ALL;
	if (ace < VSSD_TCG_ACE_MBR_DONE)
		return PIN;
	return ace == VSSD_TCG_ACE_MBR_DONE ? COLUMNS(2, 3) : ALL;
}

/* ---- lists of elements ---- */

/* The elements that Get of an object has. */
static unsigned list_get(enum vssd_tcg_sp sp, const struct vssd_tcg_object *object, unsigned aces[])
{
	bool is_admin = sp == VSSD_TCG_ADMIN_SP;

	aces[0] = VSSD_TCG_ACE_ANYBODY;
	aces[1] = VSSD_TCG_ACE_GET_NAME;
	switch (object->table) {
	case VSSD_TCG_AUTHORITY_TABLE:
		aces[0] = is_admin ? VSSD_TCG_ACE_ANYBODY : VSSD_TCG_ACE_AUTHORITY_GET;
		return is_admin ? 1 : 2;
	case VSSD_TCG_C_PIN:
		aces[0] = !is_admin                           ? VSSD_TCG_ACE_PIN_GET
			  : object->index == VSSD_TCG_ANYBODY ? VSSD_TCG_ACE_MSID_GET
			  : object->index == VSSD_TCG_PSID    ? VSSD_TCG_ACE_PSID_GET
							      : VSSD_TCG_ACE_SID_GET;
		return 1;
	case VSSD_TCG_ACE_TABLE:
		aces[0] = is_admin ? VSSD_TCG_ACE_ANYBODY : VSSD_TCG_ACE_ACE_GET;
		return 1;
	case VSSD_TCG_LOCKING:
		aces[0] = VSSD_TCG_ACE_GET + object->index;
		return 2;
	case VSSD_TCG_KEYS:
		aces[0] = VSSD_TCG_ACE_KEY_MODE;
		return 1;
	case VSSD_TCG_BYTES_TABLE:
		aces[0] = object->index == VSSD_TCG_MBR ? VSSD_TCG_ACE_ANYBODY : VSSD_TCG_ACE_DATASTORE_GET;
		return 1;
	default:
		return 1;
	}
}

static unsigned list_set_pin(enum vssd_tcg_sp sp, unsigned authority, unsigned aces[])
{
	if (authority == VSSD_TCG_ANYBODY || authority == VSSD_TCG_PSID)
		return 0;
	if (authority == VSSD_TCG_SID)
		aces[0] = VSSD_TCG_ACE_SID_SET;
	else if (sp == VSSD_TCG_ADMIN_SP)
		aces[0] = VSSD_TCG_ACE_SP_ADMIN_PIN;
	else
		aces[0] = authority >= VSSD_TCG_USER1 ? VSSD_TCG_ACE_USER_PIN + authority - VSSD_TCG_USER1
						      : VSSD_TCG_ACE_PIN_SET;
	return 1;
}

static unsigned list_set_authority(unsigned authority, unsigned aces[])
{
	aces[0] = VSSD_TCG_ACE_SP_AUTHORITY_SET;
	if (authority == VSSD_TCG_SP_ADMIN1 || authority == VSSD_TCG_MAKERS)
		return 1;
	if (authority < VSSD_TCG_ADMIN1)
		return 0;
	aces[0] = VSSD_TCG_ACE_SET_NAME;
	aces[1] = VSSD_TCG_ACE_AUTHORITY_SET;
	return authority == VSSD_TCG_ADMIN1 ? 1 : 2;
}

/* The elements that Set of an object has. */
static unsigned list_set(enum vssd_tcg_sp sp, const struct vssd_tcg_object *object, unsigned aces[])
{
	switch (object->table) {
	case VSSD_TCG_C_PIN:
		return list_set_pin(sp, object->index, aces);
	case VSSD_TCG_AUTHORITY_TABLE:
		return list_set_authority(object->index, aces);
	case VSSD_TCG_ACE_TABLE:
		aces[0] = VSSD_TCG_ACE_ACE_SET;
		return object->index < VSSD_TCG_ACES;
	case VSSD_TCG_LOCKING:
		aces[0] = object->index == 0 ? VSSD_TCG_ACE_GLOBAL_SET : VSSD_TCG_ACE_RANGE_SET;
		aces[1] = VSSD_TCG_ACE_READ_LOCK + object->index;
		aces[2] = VSSD_TCG_ACE_WRITE_LOCK + object->index;
		aces[3] = VSSD_TCG_ACE_SET_NAME;
		return 4;
	case VSSD_TCG_MBR_CONTROL:
		aces[0] = VSSD_TCG_ACE_MBR_SET;
		aces[1] = VSSD_TCG_ACE_MBR_DONE;
		return 2;
	case VSSD_TCG_TPER_INFO:
		aces[0] = VSSD_TCG_ACE_TPER_SET;
		return 1;
	case VSSD_TCG_REMOVAL:
		aces[0] = VSSD_TCG_ACE_REMOVAL_SET;
		return 1;
	case VSSD_TCG_BYTES_TABLE:
		aces[0] = object->index == VSSD_TCG_MBR ? VSSD_TCG_ACE_ADMIN : VSSD_TCG_ACE_DATASTORE_SET;
		return 1;
	default:
		return 0;
	}
}

/* The elements that Revert of an SP has. */
static unsigned list_revert(const struct vssd_tcg_object *object, unsigned aces[])
{
	aces[0] = VSSD_TCG_ACE_SP_SID;
	aces[1] = object->index == VSSD_TCG_ADMIN_SP ? VSSD_TCG_ACE_SP_PSID : VSSD_TCG_ACE_ADMIN;
	return object->table == VSSD_TCG_SPS ? 2 : 0;
}

static unsigned list(enum vssd_tcg_sp sp, const struct vssd_tcg_object *object, uint32_t method, unsigned aces[])
{
	switch (method) {
	case VSSD_TCG_METHOD_GET:
		return list_get(sp, object, aces);
	case VSSD_TCG_METHOD_SET:
		return list_set(sp, object, aces);
	case VSSD_TCG_METHOD_GEN_KEY:
		aces[0] = VSSD_TCG_ACE_GEN_KEY + object->index;
		return object->table == VSSD_TCG_KEYS;
	case VSSD_TCG_METHOD_REVERT:
		return list_revert(object, aces);
	case VSSD_TCG_METHOD_ACTIVATE:
		aces[0] = VSSD_TCG_ACE_SP_SID;
		return object->table == VSSD_TCG_SPS && object->index == VSSD_TCG_LOCKING_SP;
	default:
		return 0;
	}
}

unsigned vssd_tcg_acl(enum vssd_tcg_sp sp, uint64_t invoking, uint32_t method, unsigned aces[VSSD_TCG_ACL_MOST])
{
	bool is_table = (uint32_t)invoking == 0 && vssd_tcg_enumerate(sp, (uint32_t)(invoking >> 32), 0);
	struct vssd_tcg_object object;

	aces[0] = VSSD_TCG_ACE_ANYBODY;
	if (method == VSSD_TCG_METHOD_NEXT)
		return is_table;
	if (invoking != THIS_SP)
		return vssd_tcg_find(sp, invoking, &object) ? list(sp, &object, method, aces) : 0;
	if (method == VSSD_TCG_METHOD_REVERT_SP)
		aces[0] = VSSD_TCG_ACE_ADMIN;
	return method == VSSD_TCG_METHOD_AUTHENTICATE || method == VSSD_TCG_METHOD_RANDOM ||
	       (method == VSSD_TCG_METHOD_REVERT_SP && sp == VSSD_TCG_LOCKING_SP);
}

uint32_t vssd_tcg_who(const struct vssd_tcg_state *state, enum vssd_tcg_sp sp, const struct vssd_tcg_object *object,
		      enum vssd_tcg_method method, unsigned column)
{
	unsigned aces[VSSD_TCG_ACL_MOST], count = list(sp, object, method, aces);
	uint32_t found = 0;

	for (unsigned i = 0; i < count; i++)
		if (columns_of(aces[i]) & COLUMN(column))
			found |= vssd_tcg_ace_authorities(state, aces[i]);
	return found;
}
