/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/security.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vssd/subsystem/hidden.h"
#include "vssd/subsystem/subsystem.h"

#define RANGES_NSID 1u /* whose LBAs ranges are made of */

/* ---- what the TPer needs ---- */

static void save(void *context, const struct vssd_tcg_state *state)
{
	vssd_hidden_write(context, VSSD_HIDDEN_TCG, 0, state, sizeof(*state));
}

static void changed(void *context)
{
	vssd_security_changed(context);
}

static bool has_others(const struct vssd_subsystem *subsystem)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (subsystem->ns[i].nsid > RANGES_NSID)
			return true;
	return false;
}

static void geometry(void *context, struct vssd_tcg_geometry *geometry)
{
	struct vssd_subsystem *subsystem = context;
	const struct vssd_ns *ns = vssd_subsystem_ns(subsystem, RANGES_NSID);

	*geometry = (struct vssd_tcg_geometry){
		.lba_size = ns ? 1u << ns->lba_shift : VSSD_SECTOR_SIZE,
		.lbas = ns ? ns->nsze : 0,
		.divisible = ns && !has_others(subsystem),
	};
}

/* Erase bytes of the store: whole blocks at once, and the sectors at both ends. */
static void erase_bytes(struct vssd_subsystem *subsystem, uint64_t offset, uint64_t length)
{
	while (length > 0) {
		uint64_t block = offset >> VSSD_BLOCK_SHIFT;
		uint32_t in_block = (uint32_t)(offset & (VSSD_BLOCK_SIZE - 1));
		uint64_t piece = VSSD_BLOCK_SIZE - in_block;

		if (in_block == 0 && length >= VSSD_BLOCK_SIZE) {
			piece = length & ~(uint64_t)(VSSD_BLOCK_SIZE - 1);
			vssd_subsystem_erase(subsystem, block, piece >> VSSD_BLOCK_SHIFT, VSSD_POOL_UNWRITTEN);
		} else {
			piece = length < piece ? length : piece;
			vssd_store_zero(subsystem->store, block, vssd_store_sectors(in_block, (uint32_t)piece), true);
			vssd_store_commit(subsystem->store, block, 1);
		}
		offset += piece;
		length -= piece;
	}
}

static void erase(void *context, uint64_t lba, uint64_t count)
{
	struct vssd_subsystem *subsystem = context;
	const struct vssd_ns *ns = vssd_subsystem_ns(subsystem, RANGES_NSID);

	if (count > 0 && ns && vssd_range_fits(ns, lba, count))
		erase_bytes(subsystem, (ns->first_block << VSSD_BLOCK_SHIFT) + (lba << ns->lba_shift),
			    count << ns->lba_shift);
	for (uint32_t i = RANGES_NSID; count == 0 && i < VSSD_MAX_NAMESPACES; i++)
		vssd_subsystem_erase(subsystem, subsystem->ns[i].first_block, subsystem->ns[i].blocks,
				     VSSD_POOL_UNWRITTEN);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_DATA_GONE);
}

static enum vssd_hidden area_of(enum vssd_tcg_bytes table)
{
	return table == VSSD_TCG_MBR ? VSSD_HIDDEN_MBR : VSSD_HIDDEN_DATASTORE;
}

static void read_table(void *context, enum vssd_tcg_bytes table, uint64_t offset, uint8_t *to, uint32_t length)
{
	vssd_hidden_read(context, area_of(table), offset, to, length);
}

static bool write_table(void *context, enum vssd_tcg_bytes table, uint64_t offset, const uint8_t *from,
			uint32_t length)
{
	return vssd_hidden_write(context, area_of(table), offset, from, length);
}

static void clear(void *context)
{
	vssd_hidden_clear(context, VSSD_HIDDEN_MBR);
	vssd_hidden_clear(context, VSSD_HIDDEN_DATASTORE);
}

static uint32_t mistakes(void *context)
{
	static const struct {
		enum vssd_fault_security security;
		enum vssd_tcg_mistake tcg;
	} known[] = {
		{VSSD_FAULT_SECURITY_KEY_KEEPS, VSSD_TCG_KEY_KEEPS},
		{VSSD_FAULT_SECURITY_REVERT_KEEPS, VSSD_TCG_REVERT_KEEPS},
		{VSSD_FAULT_SECURITY_REVERT_PIN, VSSD_TCG_REVERT_PIN},
		{VSSD_FAULT_SECURITY_TRIES, VSSD_TCG_NO_TRIES},
		{VSSD_FAULT_SECURITY_ANY_PIN, VSSD_TCG_ANY_PIN},
		{VSSD_FAULT_SECURITY_ANY_USER, VSSD_TCG_ANY_USER},
		{VSSD_FAULT_SECURITY_READ_SESSION, VSSD_TCG_READ_SESSION},
		{VSSD_FAULT_SECURITY_STAYS_UNLOCKED, VSSD_TCG_STAYS_UNLOCKED},
		{VSSD_FAULT_SECURITY_MBR_DONE, VSSD_TCG_STAYS_DONE},
		{VSSD_FAULT_SECURITY_TRANSACTION, VSSD_TCG_NO_UNDO},
		{VSSD_FAULT_SECURITY_NO_BLOCK, VSSD_TCG_NO_BLOCK},
		{VSSD_FAULT_SECURITY_STAYS_BLOCKED, VSSD_TCG_STAYS_BLOCKED},
	};
	const struct vssd_subsystem *subsystem = context;
	uint32_t found = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (vssd_security_is_wrong(subsystem->security, known[i].security))
			found |= (uint32_t)known[i].tcg;
	return found;
}

static const struct vssd_tcg_ops ops = {
	.save = save,
	.changed = changed,
	.erase = erase,
	.geometry = geometry,
	.read = read_table,
	.write = write_table,
	.clear = clear,
	.mistakes = mistakes,
};

/* ---- creation, power, resets ---- */

/* The serial number without the spaces at its end, which the factory's PINs are made of. */
static void label_of(const struct vssd_subsystem *subsystem, char label[VSSD_SERIAL_SIZE + 1])
{
	unsigned length = VSSD_SERIAL_SIZE;

	while (length > 0 && subsystem->nv->identity.serial[length - 1] == ' ')
		length--;
	memcpy(label, subsystem->nv->identity.serial, length);
	label[length] = '\0';
}

int vssd_security_create(struct vssd_subsystem *subsystem)
{
	struct vssd_security *security = calloc(1, sizeof(*security));
	struct vssd_tcg_state state;
	char label[VSSD_SERIAL_SIZE + 1];

	subsystem->security = security;
	if (security && subsystem->options.optional.rpmb) {
		security->rpmb = vssd_rpmb_create(subsystem);
		if (!security->rpmb)
			return -ENOMEM;
	}
	if (security && subsystem->options.optional.write_protection)
		vssd_hidden_read(subsystem, VSSD_HIDDEN_PROTECTION, 0, security->protection,
				 sizeof(security->protection));
	if (!security || !subsystem->options.optional.tcg)
		return security ? 0 : -ENOMEM;
	vssd_hidden_read(subsystem, VSSD_HIDDEN_TCG, 0, &state, sizeof(state));
	label_of(subsystem, label);
	security->tcg = vssd_tcg_create(&ops, subsystem, &state, label);
	return security->tcg ? 0 : -ENOMEM;
}

/* Protection until a power cycle ends. A file may hold any values. */
static void restore_protection(struct vssd_subsystem *subsystem)
{
	uint8_t *states = subsystem->security->protection;

	bool stays = vssd_security_is_wrong(subsystem->security, VSSD_FAULT_SECURITY_PROTECTION_STAYS);
	bool ends = vssd_security_is_wrong(subsystem->security, VSSD_FAULT_SECURITY_PROTECTION_ENDS);

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if ((states[i] == VSSD_PROTECTED_UNTIL_POWER_CYCLE && !stays) ||
		    states[i] > VSSD_PROTECTED_PERMANENTLY || ends)
			states[i] = VSSD_UNPROTECTED;
	if (subsystem->options.optional.write_protection)
		vssd_hidden_write(subsystem, VSSD_HIDDEN_PROTECTION, 0, states, VSSD_MAX_NAMESPACES);
}

static void power(struct vssd_subsystem *subsystem, bool on)
{
	if (!on)
		return;
	restore_protection(subsystem);
	vssd_boot_power_up(subsystem);
	if (!vssd_security_is_wrong(subsystem->security, VSSD_FAULT_SECURITY_LOCKDOWN_STAYS))
		vssd_lockdown_end(&subsystem->security->lockdown);
	if (subsystem->security->tcg)
		vssd_tcg_reset(subsystem->security->tcg, VSSD_TCG_POWER_CYCLE);
	vssd_security_changed(subsystem);
}

static void reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by)
{
	(void)by;
	if (subsystem->security->rpmb)
		vssd_rpmb_reset(subsystem);
	if (vssd_security_is_wrong(subsystem->security, VSSD_FAULT_SECURITY_LOCKDOWN_ENDS))
		vssd_lockdown_end(&subsystem->security->lockdown);
	if (subsystem->security->tcg && kind != VSSD_RESET_POWER)
		vssd_tcg_reset(subsystem->security->tcg, VSSD_TCG_HARDWARE);
}

static void deinit(struct vssd_subsystem *subsystem)
{
	if (subsystem->security && subsystem->security->tcg)
		vssd_tcg_destroy(subsystem->security->tcg);
	if (subsystem->security)
		free(subsystem->security->rpmb);
	free(subsystem->security);
}

const struct vssd_subsystem_part vssd_security_part = {
	.power = power,
	.reset = reset,
	.deinit = deinit,
};

/* ---- locks ---- */

bool vssd_security_may_protect(const struct vssd_subsystem *subsystem, enum vssd_protection state)
{
	const struct vssd_rpmb *rpmb = subsystem->security->rpmb;

	if (state < VSSD_PROTECTED_UNTIL_POWER_CYCLE)
		return true;
	return rpmb && vssd_rpmb_configuration(rpmb)->wpc >> (state - VSSD_PROTECTED_UNTIL_POWER_CYCLE) & 1;
}

enum vssd_protection vssd_security_protection(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	return (enum vssd_protection)subsystem->security->protection[ns->nsid - 1];
}

void vssd_security_protect(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, enum vssd_protection state)
{
	subsystem->security->protection[ns->nsid - 1] = (uint8_t)state;
	vssd_hidden_write(subsystem, VSSD_HIDDEN_PROTECTION, 0, subsystem->security->protection,
			  sizeof(subsystem->security->protection));
	vssd_security_changed(subsystem);
}

void vssd_security_changed(struct vssd_subsystem *subsystem)
{
	const struct vssd_tcg *tcg = subsystem->security->tcg;
	const struct vssd_tcg_state *state = tcg ? vssd_tcg_state(tcg) : NULL;
	bool guarded = state && (vssd_tcg_state_is_locked(state) || vssd_tcg_state_shadows(state));

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		subsystem->ns[i].guarded = guarded || subsystem->security->protection[i];
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
}

static uint64_t shadowed_lbas(const struct vssd_ns *ns)
{
	return VSSD_TCG_MBR_SIZE >> ns->lba_shift;
}

/* Ranges have LBAs of one namespace; all others belong to the global range. */
static bool is_locked(const struct vssd_tcg_state *state, const struct vssd_ns *ns, uint64_t lba, uint64_t count,
		      bool write)
{
	if (ns->nsid == RANGES_NSID)
		return vssd_tcg_state_locks(state, lba, count, write);
	return state->lifecycle == VSSD_TCG_ACTIVE && vssd_tcg_range_locks(&state->ranges[0], write);
}

bool vssd_security_refuses(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint64_t lba,
			   uint64_t count, bool write)
{
	const struct vssd_tcg_state *state;

	if (!subsystem->security->tcg)
		return false;
	state = vssd_tcg_state(subsystem->security->tcg);
	if (vssd_tcg_state_shadows(state) && lba < shadowed_lbas(ns))
		return write || lba + count > shadowed_lbas(ns);
	if (write && vssd_security_is_wrong(subsystem->security, VSSD_FAULT_SECURITY_READS_ONLY))
		return false;
	if (vssd_security_is_wrong(subsystem->security, VSSD_FAULT_SECURITY_RANGE_START) && lba > 0 &&
	    !is_locked(state, ns, lba - 1, 1, write))
		return count > 1 && is_locked(state, ns, lba + 1, count - 1, write);
	return is_locked(state, ns, lba, count, write);
}

bool vssd_security_shadows(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint64_t lba,
			   uint64_t count, uint64_t *offset)
{
	const struct vssd_tcg *tcg = subsystem->security->tcg;

	if (!tcg || !vssd_tcg_state_shadows(vssd_tcg_state(tcg)) || lba + count > shadowed_lbas(ns))
		return false;
	*offset = (vssd_hidden_first(subsystem, VSSD_HIDDEN_MBR) << VSSD_BLOCK_SHIFT) + (lba << ns->lba_shift);
	return true;
}

bool vssd_security_keeps(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	const struct vssd_tcg_state *state;

	if (!subsystem->security->tcg)
		return false;
	state = vssd_tcg_state(subsystem->security->tcg);
	if (ns)
		return is_locked(state, ns, 0, ns->nsze, true);
	return vssd_tcg_state_is_locked(state);
}
