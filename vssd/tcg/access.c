/* SPDX-License-Identifier: BSD-3-Clause */
/* Access control: which authorities may read or write a column. Opal 2.01, sections 4.2.1.5 and 4.3.1.6. */
#include "vssd/tcg/engine.h"

#define ANYBODY VSSD_TCG_BIT(VSSD_TCG_ANYBODY)
#define ADMINS VSSD_TCG_BIT(VSSD_TCG_ADMINS_CLASS)
#define SID VSSD_TCG_BIT(VSSD_TCG_SID)
#define NOBODY 0u

#define COLUMN_COMMON_NAME 2u
#define COLUMN_PIN 3u
#define COLUMN_ENABLED 5u

static uint32_t readers_of_pin(enum vssd_tcg_sp sp, const struct vssd_tcg_object *object, unsigned column)
{
	if (object->index == VSSD_TCG_ANYBODY) /* MSID */
		return ANYBODY;
	if (column == COLUMN_PIN)
		return NOBODY;
	return sp == VSSD_TCG_ADMIN_SP ? SID | ADMINS : ADMINS;
}

uint32_t vssd_tcg_readers(const struct vssd_tcg_state *state, enum vssd_tcg_sp sp,
			  const struct vssd_tcg_object *object, unsigned column)
{
	bool is_name = column <= COLUMN_COMMON_NAME;

	switch (object->table) {
	case VSSD_TCG_C_PIN:
		return readers_of_pin(sp, object, column);
	case VSSD_TCG_AUTHORITY_TABLE:
		return sp == VSSD_TCG_ADMIN_SP || is_name ? ANYBODY : ADMINS;
	case VSSD_TCG_ACE_TABLE:
		return ADMINS;
	case VSSD_TCG_LOCKING:
		return is_name ? ANYBODY : ADMINS | state->aces[VSSD_TCG_ACE_GET + object->index];
	case VSSD_TCG_BYTES_TABLE:
		return object->index == VSSD_TCG_MBR ? ANYBODY : state->aces[VSSD_TCG_ACE_DATASTORE_GET];
	default:
		return ANYBODY;
	}
}

static uint32_t writers_of_pin(const struct vssd_tcg_state *state, const struct vssd_tcg_object *object,
			       unsigned column)
{
	if (column != COLUMN_PIN)
		return NOBODY;
	if (object->index == VSSD_TCG_SID)
		return SID;
	if (object->index == VSSD_TCG_SP_ADMIN1)
		return SID | VSSD_TCG_BIT(VSSD_TCG_SP_ADMIN1);
	if (object->index >= VSSD_TCG_USER1)
		return state->aces[VSSD_TCG_ACE_USER_PIN + object->index - VSSD_TCG_USER1];
	return object->index >= VSSD_TCG_ADMIN1 ? ADMINS : NOBODY;
}

static uint32_t writers_of_authority(const struct vssd_tcg_object *object, unsigned column)
{
	bool is_individual = object->index >= VSSD_TCG_ADMIN1;

	if (column == COLUMN_ENABLED && (object->index == VSSD_TCG_SP_ADMIN1 || object->index == VSSD_TCG_MAKERS))
		return SID;
	if (column == COLUMN_ENABLED && is_individual && object->index != VSSD_TCG_ADMIN1)
		return ADMINS;
	return column == COLUMN_COMMON_NAME && is_individual ? ADMINS : NOBODY;
}

static uint32_t writers_of_range(const struct vssd_tcg_state *state, const struct vssd_tcg_object *object,
				 unsigned column)
{
	switch (column) {
	case 2:
	case 5:
	case 6:
	case 9:
		return ADMINS;
	case 3:
	case 4:
		return object->index == 0 ? NOBODY : ADMINS;
	case 7:
		return ADMINS | state->aces[VSSD_TCG_ACE_READ_LOCK + object->index];
	case 8:
		return ADMINS | state->aces[VSSD_TCG_ACE_WRITE_LOCK + object->index];
	default:
		return NOBODY;
	}
}

uint32_t vssd_tcg_writers(const struct vssd_tcg_state *state, enum vssd_tcg_sp sp,
			  const struct vssd_tcg_object *object, unsigned column)
{
	(void)sp;
	switch (object->table) {
	case VSSD_TCG_C_PIN:
		return writers_of_pin(state, object, column);
	case VSSD_TCG_AUTHORITY_TABLE:
		return writers_of_authority(object, column);
	case VSSD_TCG_ACE_TABLE:
		return column == 3 ? ADMINS : NOBODY;
	case VSSD_TCG_LOCKING:
		return writers_of_range(state, object, column);
	case VSSD_TCG_MBR_CONTROL:
		if (column == 0)
			return NOBODY;
		return ADMINS | (column == 1 ? NOBODY : state->aces[VSSD_TCG_ACE_MBR_DONE]);
	case VSSD_TCG_TPER_INFO:
		return column == 8 ? SID : NOBODY;
	case VSSD_TCG_REMOVAL:
		return column == 1 ? SID | ADMINS : NOBODY;
	case VSSD_TCG_KEYS:
		return state->aces[VSSD_TCG_ACE_GEN_KEY + object->index]; /* GenKey, which Set cannot do */
	case VSSD_TCG_BYTES_TABLE:
		return object->index == VSSD_TCG_MBR ? ADMINS : state->aces[VSSD_TCG_ACE_DATASTORE_SET];
	default:
		return NOBODY;
	}
}
