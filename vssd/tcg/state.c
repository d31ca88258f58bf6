/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/tcg/state.h"

#include <stdio.h>
#include <string.h>

#define MAGIC 0x4f504c32u
#define VERSION 1u
#define TRY_LIMIT 5u

static void set_pin(struct vssd_tcg_pin *pin, const char *text)
{
	*pin = (struct vssd_tcg_pin){.try_limit = TRY_LIMIT};
	pin->length = (uint8_t)strnlen(text, VSSD_TCG_PIN_SIZE);
	memcpy(pin->value, text, pin->length);
}

static void allow(struct vssd_tcg_state *state, unsigned first, unsigned count, uint32_t authorities)
{
	for (unsigned i = first; i < first + count; i++)
		state->aces[i] = authorities;
}

void vssd_tcg_state_revert_locking(struct vssd_tcg_state *state)
{
	const uint32_t admins = VSSD_TCG_BIT(VSSD_TCG_ADMINS_CLASS);

	state->lifecycle = VSSD_TCG_INACTIVE;
	state->mbr_enabled = state->mbr_done = 0;
	state->mbr_resets = 1u << VSSD_TCG_POWER_CYCLE;
	state->enabled &= VSSD_TCG_BIT(VSSD_TCG_USERS_CLASS) - 1;
	state->enabled |= VSSD_TCG_BIT(VSSD_TCG_USERS_CLASS) | VSSD_TCG_BIT(VSSD_TCG_ADMIN1);
	for (unsigned i = VSSD_TCG_ADMIN1; i < VSSD_TCG_AUTHORITIES; i++)
		set_pin(&state->pins[i], "");
	memset(state->names, 0, sizeof(state->names));
	memset(state->ranges, 0, sizeof(state->ranges));
	for (unsigned i = 0; i < VSSD_TCG_RANGES; i++)
		state->ranges[i].resets = 1u << VSSD_TCG_POWER_CYCLE;
	allow(state, 0, VSSD_TCG_ACES, admins);
	for (unsigned i = 0; i < VSSD_TCG_USERS; i++)
		state->aces[VSSD_TCG_ACE_USER_PIN + i] = admins | VSSD_TCG_BIT(VSSD_TCG_USER1 + i);
}

void vssd_tcg_state_revert(struct vssd_tcg_state *state)
{
	vssd_tcg_state_revert_locking(state);
	state->programmatic_reset = 0;
	state->removal = 2; /* cryptographic erase */
	state->enabled = VSSD_TCG_BIT(VSSD_TCG_ANYBODY) | VSSD_TCG_BIT(VSSD_TCG_ADMINS_CLASS) |
			 VSSD_TCG_BIT(VSSD_TCG_SID) | VSSD_TCG_BIT(VSSD_TCG_PSID) |
			 VSSD_TCG_BIT(VSSD_TCG_USERS_CLASS) | VSSD_TCG_BIT(VSSD_TCG_ADMIN1);
	state->pins[VSSD_TCG_SID] = state->msid;
	set_pin(&state->pins[VSSD_TCG_SP_ADMIN1], "");
	state->pins[VSSD_TCG_PSID].tries = 0;
}

void vssd_tcg_state_new(struct vssd_tcg_state *state, const char *label)
{
	char text[VSSD_TCG_PIN_SIZE + 1];

	memset(state, 0, sizeof(*state));
	state->magic = MAGIC;
	state->version = VERSION;
	snprintf(text, sizeof(text), "MSID-%.20s", label);
	set_pin(&state->msid, text);
	snprintf(text, sizeof(text), "PSID-%.20s", label);
	set_pin(&state->pins[VSSD_TCG_PSID], text);
	vssd_tcg_state_revert(state);
}

static bool pins_are_good(const struct vssd_tcg_state *state)
{
	for (unsigned i = 0; i < VSSD_TCG_AUTHORITIES; i++)
		if (state->pins[i].length > VSSD_TCG_PIN_SIZE || state->names[i].length > VSSD_TCG_NAME_SIZE)
			return false;
	return state->msid.length <= VSSD_TCG_PIN_SIZE;
}

bool vssd_tcg_state_is_good(const struct vssd_tcg_state *state)
{
	if (state->magic != MAGIC || state->version != VERSION || !pins_are_good(state) ||
	    (state->lifecycle != VSSD_TCG_INACTIVE && state->lifecycle != VSSD_TCG_ACTIVE))
		return false;
	for (unsigned i = 0; i < VSSD_TCG_RANGES; i++) {
		const struct vssd_tcg_range *range = &state->ranges[i];

		if (range->name.length > VSSD_TCG_NAME_SIZE || range->start > UINT64_MAX - range->length)
			return false;
	}
	return true;
}

bool vssd_tcg_state_is_owned(const struct vssd_tcg_state *state)
{
	const struct vssd_tcg_pin *sid = &state->pins[VSSD_TCG_SID];

	return sid->length != state->msid.length || memcmp(sid->value, state->msid.value, sid->length) != 0;
}

void vssd_tcg_state_activate(struct vssd_tcg_state *state)
{
	state->lifecycle = VSSD_TCG_ACTIVE;
	state->pins[VSSD_TCG_ADMIN1] = state->pins[VSSD_TCG_SID];
	state->pins[VSSD_TCG_ADMIN1].tries = 0;
}

static bool forget_tries(struct vssd_tcg_state *state)
{
	bool changed = false;

	for (unsigned i = 0; i < VSSD_TCG_AUTHORITIES; i++) {
		struct vssd_tcg_pin *pin = &state->pins[i];

		if (pin->persistent || pin->tries == 0)
			continue;
		pin->tries = 0;
		changed = true;
	}
	return changed;
}

static bool lock(struct vssd_tcg_range *range)
{
	bool reads = range->read_lock_enabled && !range->read_locked;
	bool writes = range->write_lock_enabled && !range->write_locked;

	range->read_locked |= reads;
	range->write_locked |= writes;
	return reads || writes;
}

bool vssd_tcg_state_reset(struct vssd_tcg_state *state, enum vssd_tcg_reset kind)
{
	bool changed = kind == VSSD_TCG_POWER_CYCLE && forget_tries(state);

	if (state->lifecycle != VSSD_TCG_ACTIVE)
		return changed;
	for (unsigned i = 0; i < VSSD_TCG_RANGES; i++)
		if (state->ranges[i].resets >> kind & 1)
			changed |= lock(&state->ranges[i]);
	if (state->mbr_done && state->mbr_resets >> kind & 1) {
		state->mbr_done = 0;
		changed = true;
	}
	return changed;
}

uint64_t vssd_tcg_state_range_at(const struct vssd_tcg_state *state, uint64_t lba, unsigned *range)
{
	uint64_t end = UINT64_MAX;

	*range = 0;
	for (unsigned i = 1; i < VSSD_TCG_RANGES; i++) {
		const struct vssd_tcg_range *one = &state->ranges[i];

		if (one->length == 0)
			continue;
		if (lba >= one->start && lba - one->start < one->length) {
			*range = i;
			return one->start + one->length;
		}
		if (one->start > lba && one->start < end)
			end = one->start;
	}
	return end;
}

bool vssd_tcg_state_locks(const struct vssd_tcg_state *state, uint64_t lba, uint64_t count, bool write)
{
	uint64_t end = lba + count;

	if (state->lifecycle != VSSD_TCG_ACTIVE)
		return false;
	while (lba < end) {
		unsigned range;
		uint64_t next = vssd_tcg_state_range_at(state, lba, &range);

		if (vssd_tcg_range_locks(&state->ranges[range], write))
			return true;
		lba = next;
	}
	return false;
}

bool vssd_tcg_state_is_locked(const struct vssd_tcg_state *state)
{
	if (state->lifecycle != VSSD_TCG_ACTIVE)
		return false;
	for (unsigned i = 0; i < VSSD_TCG_RANGES; i++) {
		const struct vssd_tcg_range *range = &state->ranges[i];

		if ((i == 0 || range->length) &&
		    (vssd_tcg_range_locks(range, false) || vssd_tcg_range_locks(range, true)))
			return true;
	}
	return false;
}
