/* SPDX-License-Identifier: BSD-3-Clause */
/* Which UIDs there are. Opal 2.01, sections 4.2 (Admin SP) and 4.3 (Locking SP). */
#include "vssd/tcg/engine.h"

#define UID(table, row) ((uint64_t)(table) << 32 | (row))
#define HIGH(uid) ((uint32_t)((uid) >> 32))

#define ADMIN 1u /* bits of SPs */
#define LOCKING 2u
#define BOTH 3u

/* Rows with consecutive UIDs, which become consecutive indices. */
struct rows {
	uint32_t table_id;
	uint32_t first;
	uint32_t count;
	enum vssd_tcg_table table;
	unsigned index;
	unsigned sps;
};

static const struct rows all[] = {
	{0x0001, 0x00000804, 1, VSSD_TCG_TABLES, VSSD_TCG_MBR, LOCKING},
	{0x0001, 0x00001001, 1, VSSD_TCG_TABLES, VSSD_TCG_DATASTORE, LOCKING},
	{0x0002, 0x00000001, 1, VSSD_TCG_SP_INFO, 0, BOTH},
	{0x0008, 0x00000001, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_ANYBODY, BOTH},
	{0x0008, 0x00000002, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_ADMIN, BOTH},
	{0x0008, 0x00000003, 2, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_GET_NAME, LOCKING},
	{0x0008, 0x00008c02, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_SID_GET, ADMIN},
	{0x0008, 0x00008c03, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_SID_SET, ADMIN},
	{0x0008, 0x00008c04, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_MSID_GET, ADMIN},
	{0x0008, 0x000100e0, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_SP_PSID, ADMIN},
	{0x0008, 0x000100e1, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_PSID_GET, ADMIN},
	{0x0008, 0x00030001, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_SP_AUTHORITY_SET, ADMIN},
	{0x0008, 0x00030002, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_SP_SID, ADMIN},
	{0x0008, 0x00030003, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_TPER_SET, ADMIN},
	{0x0008, 0x00038000, 2, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_ACE_GET, LOCKING},
	{0x0008, 0x00039000, 2, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_AUTHORITY_GET, LOCKING},
	{0x0008, 0x0003a000, 2, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_PIN_GET, LOCKING},
	{0x0008, 0x0003a001, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_SP_ADMIN_PIN, ADMIN},
	{0x0008, 0x0003a801, VSSD_TCG_USERS, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_USER_PIN, LOCKING},
	{0x0008, 0x0003b800, VSSD_TCG_RANGES, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_GEN_KEY, LOCKING},
	{0x0008, 0x0003bfff, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_KEY_MODE, LOCKING},
	{0x0008, 0x0003d000, VSSD_TCG_RANGES, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_GET, LOCKING},
	{0x0008, 0x0003e000, VSSD_TCG_RANGES, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_READ_LOCK, LOCKING},
	{0x0008, 0x0003e800, VSSD_TCG_RANGES, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_WRITE_LOCK, LOCKING},
	{0x0008, 0x0003f000, 2, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_GLOBAL_SET, LOCKING},
	{0x0008, 0x0003f800, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_MBR_SET, LOCKING},
	{0x0008, 0x0003f801, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_MBR_DONE, LOCKING},
	{0x0008, 0x0003fc00, 2, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_DATASTORE_GET, LOCKING},
	{0x0008, 0x00050001, 1, VSSD_TCG_ACE_TABLE, VSSD_TCG_ACE_REMOVAL_SET, ADMIN},
	{0x0009, 0x00000001, 2, VSSD_TCG_AUTHORITY_TABLE, VSSD_TCG_ANYBODY, BOTH},
	{0x0009, 0x00000003, 1, VSSD_TCG_AUTHORITY_TABLE, VSSD_TCG_MAKERS, ADMIN},
	{0x0009, 0x00000006, 1, VSSD_TCG_AUTHORITY_TABLE, VSSD_TCG_SID, ADMIN},
	{0x0009, 0x00000201, 1, VSSD_TCG_AUTHORITY_TABLE, VSSD_TCG_SP_ADMIN1, ADMIN},
	{0x0009, 0x00010001, VSSD_TCG_ADMINS, VSSD_TCG_AUTHORITY_TABLE, VSSD_TCG_ADMIN1, LOCKING},
	{0x0009, 0x0001ff01, 1, VSSD_TCG_AUTHORITY_TABLE, VSSD_TCG_PSID, ADMIN},
	{0x0009, 0x00030000, 1, VSSD_TCG_AUTHORITY_TABLE, VSSD_TCG_USERS_CLASS, LOCKING},
	{0x0009, 0x00030001, VSSD_TCG_USERS, VSSD_TCG_AUTHORITY_TABLE, VSSD_TCG_USER1, LOCKING},
	{0x000b, 0x00000001, 1, VSSD_TCG_C_PIN, VSSD_TCG_SID, ADMIN},
	{0x000b, 0x00000201, 1, VSSD_TCG_C_PIN, VSSD_TCG_SP_ADMIN1, ADMIN},
	{0x000b, 0x00008402, 1, VSSD_TCG_C_PIN, VSSD_TCG_ANYBODY, ADMIN},
	{0x000b, 0x00010001, VSSD_TCG_ADMINS, VSSD_TCG_C_PIN, VSSD_TCG_ADMIN1, LOCKING},
	{0x000b, 0x0001ff01, 1, VSSD_TCG_C_PIN, VSSD_TCG_PSID, ADMIN},
	{0x000b, 0x00030001, VSSD_TCG_USERS, VSSD_TCG_C_PIN, VSSD_TCG_USER1, LOCKING},
	{0x0201, 0x00030001, 1, VSSD_TCG_TPER_INFO, 0, ADMIN},
	{0x0205, 0x00000001, 2, VSSD_TCG_SPS, VSSD_TCG_ADMIN_SP, ADMIN},
	{0x0801, 0x00000001, 1, VSSD_TCG_LOCKING_INFO, 0, LOCKING},
	{0x0802, 0x00000001, 1, VSSD_TCG_LOCKING, 0, LOCKING},
	{0x0802, 0x00030001, VSSD_TCG_RANGES - 1, VSSD_TCG_LOCKING, 1, LOCKING},
	{0x0803, 0x00000001, 1, VSSD_TCG_MBR_CONTROL, 0, LOCKING},
	{0x0804, 0x00000000, 1, VSSD_TCG_BYTES_TABLE, VSSD_TCG_MBR, LOCKING},
	{0x0806, 0x00000001, 1, VSSD_TCG_KEYS, 0, LOCKING},
	{0x0806, 0x00030001, VSSD_TCG_RANGES - 1, VSSD_TCG_KEYS, 1, LOCKING},
	{0x1001, 0x00000000, 1, VSSD_TCG_BYTES_TABLE, VSSD_TCG_DATASTORE, LOCKING},
	{0x1101, 0x00000001, 1, VSSD_TCG_REMOVAL, 0, ADMIN},
};

#define NUM_ROWS (sizeof(all) / sizeof(all[0]))

static bool is_in(const struct rows *rows, enum vssd_tcg_sp sp)
{
	return rows->sps >> sp & 1;
}

bool vssd_tcg_find(enum vssd_tcg_sp sp, uint64_t uid, struct vssd_tcg_object *object)
{
	for (unsigned i = 0; i < NUM_ROWS; i++) {
		uint32_t row = (uint32_t)uid - all[i].first;

		if (HIGH(uid) != all[i].table_id || row >= all[i].count || !is_in(&all[i], sp))
			continue;
		*object = (struct vssd_tcg_object){all[i].table, all[i].index + row, uid};
		return true;
	}
	return false;
}

enum vssd_tcg_authority vssd_tcg_authority_of(enum vssd_tcg_sp sp, uint64_t uid)
{
	struct vssd_tcg_object object;

	if (!vssd_tcg_find(sp, uid, &object) || object.table != VSSD_TCG_AUTHORITY_TABLE)
		return VSSD_TCG_NO_AUTHORITY;
	return (enum vssd_tcg_authority)object.index;
}

uint64_t vssd_tcg_enumerate(enum vssd_tcg_sp sp, uint32_t table, unsigned number)
{
	for (unsigned i = 0; i < NUM_ROWS; i++) {
		if (all[i].table_id != table || !is_in(&all[i], sp) || all[i].table == VSSD_TCG_BYTES_TABLE)
			continue;
		if (number < all[i].count)
			return UID(table, all[i].first + number);
		number -= all[i].count;
	}
	return 0;
}

uint64_t vssd_tcg_ace_uid(enum vssd_tcg_sp sp, unsigned ace)
{
	for (unsigned i = 0; i < NUM_ROWS; i++)
		if (all[i].table == VSSD_TCG_ACE_TABLE && is_in(&all[i], sp) && ace - all[i].index < all[i].count)
			return UID(all[i].table_id, all[i].first + ace - all[i].index);
	return 0;
}

unsigned vssd_tcg_last_column(const struct vssd_tcg_object *object)
{
	static const uint8_t last[] = {
		[VSSD_TCG_TABLES] = 14,
		[VSSD_TCG_SP_INFO] = 6,
		[VSSD_TCG_SPS] = 7,
		[VSSD_TCG_TPER_INFO] = 8,
		[VSSD_TCG_AUTHORITY_TABLE] = 18,
		[VSSD_TCG_C_PIN] = 7,
		[VSSD_TCG_ACE_TABLE] = 4,
		[VSSD_TCG_LOCKING_INFO] = 10,
		[VSSD_TCG_LOCKING] = 19,
		[VSSD_TCG_MBR_CONTROL] = 3,
		[VSSD_TCG_KEYS] = 4,
		[VSSD_TCG_REMOVAL] = 1,
		[VSSD_TCG_BYTES_TABLE] = 0,
	};

	return last[object->table];
}
