/* SPDX-License-Identifier: BSD-3-Clause */
/* Level 0 Discovery. Core Specification 2.01, section 3.3.6; Opal 2.01, section 3.1.1. */
#include "vssd/tcg/engine.h"
#include "vssd/tcg/level0.h"

#define HEADER 48u
#define FEATURE_HEADER 4u

#define TPER_SYNC 0x01u
#define TPER_STREAMING 0x10u
#define TPER_COMID_MANAGEMENT 0x40u

#define LOCKING_SUPPORTED 0x01u
#define LOCKING_ENABLED 0x02u
#define LOCKED 0x04u
#define MEDIA_ENCRYPTION 0x08u
#define MBR_ENABLED 0x10u
#define MBR_DONE 0x20u

#define SID_IS_NOT_MSID 0x01u
#define SID_BLOCKED 0x02u

#define REMOVAL_BLOCK_ERASE 0x02u /* bits of mechanisms */
#define REMOVAL_CRYPTOGRAPHIC 0x04u

/* Begin a descriptor of length bytes after its header. Returns where they go. */
static uint8_t *feature(uint8_t *data, uint32_t *end, uint16_t code, uint8_t version, uint8_t length)
{
	uint8_t *at = data + *end;

	vssd_tcg_put_be(at, 2, code);
	at[2] = (uint8_t)(version << 4);
	at[3] = length;
	*end += FEATURE_HEADER + length;
	return at + FEATURE_HEADER;
}

static uint8_t locking_flags(const struct vssd_tcg_state *state)
{
	bool is_active = state->lifecycle == VSSD_TCG_ACTIVE;

	return (uint8_t)(LOCKING_SUPPORTED | MEDIA_ENCRYPTION | (is_active ? LOCKING_ENABLED : 0) |
			 (vssd_tcg_state_is_locked(state) ? LOCKED : 0) | (state->mbr_enabled ? MBR_ENABLED : 0) |
			 (state->mbr_done ? MBR_DONE : 0));
}

uint32_t vssd_tcg_level0(const struct vssd_tcg_state *state, const struct vssd_tcg_geometry *geometry,
			 const struct vssd_tcg_block *block, uint8_t data[VSSD_TCG_LEVEL0_SIZE])
{
	uint32_t end = HEADER;
	uint8_t *at;

	feature(data, &end, 0x0001, 1, 12)[0] = TPER_SYNC | TPER_STREAMING | TPER_COMID_MANAGEMENT;
	feature(data, &end, 0x0002, 1, 12)[0] = locking_flags(state);
	at = feature(data, &end, 0x0003, 1, 28);
	vssd_tcg_put_be(at + 8, 4, geometry->lba_size);
	vssd_tcg_put_be(at + 12, 8, 1);
	at = feature(data, &end, 0x0202, 1, 12);
	vssd_tcg_put_be(at + 2, 2, 1);
	vssd_tcg_put_be(at + 4, 4, VSSD_TCG_DATASTORE_SIZE);
	vssd_tcg_put_be(at + 8, 4, 1);
	at = feature(data, &end, 0x0203, 2, 16);
	vssd_tcg_put_be(at, 2, VSSD_TCG_COMID);
	vssd_tcg_put_be(at + 2, 2, 1);
	vssd_tcg_put_be(at + 5, 2, VSSD_TCG_ADMINS);
	vssd_tcg_put_be(at + 7, 2, VSSD_TCG_USERS);
	at = feature(data, &end, 0x0402, 2, 12);
	at[0] = (uint8_t)((vssd_tcg_state_is_owned(state) ? SID_IS_NOT_MSID : 0) | (block->sid ? SID_BLOCKED : 0));
	at[1] = block->by_hardware;
	at = feature(data, &end, 0x0404, 1, 32);
	at[2] = REMOVAL_BLOCK_ERASE | REMOVAL_CRYPTOGRAPHIC;
	vssd_tcg_put_be(data, 4, end - 4);
	vssd_tcg_put_be(data + 4, 4, 1);
	return end;
}
