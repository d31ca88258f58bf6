/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules that fired, the last VSSD_FAULTS_LOGGED of them. */
#include "core/util/clock.h"
#include "vssd/fault/faults.h"

void vssd_fault_log_add(struct vssd_faults *faults, const struct vssd_fault_rule *rule,
			const struct vssd_fault_occasion *occasion)
{
	struct vssd_fault_fired *entry = &faults->log[faults->fired++ % VSSD_FAULTS_LOGGED];
	uint64_t ticks = pyn_ticks();

	*entry = (struct vssd_fault_fired){
		.time = pyn_ticks_to_realtime_ns(ticks),
		.ticks = ticks,
		.number = rule->number,
		.queue = occasion->queue,
		.place = (uint8_t)occasion->place,
	};
	if (!occasion->sqe)
		return;
	entry->has_command = true;
	entry->opcode = (uint8_t)occasion->sqe[0];
	entry->cid = (uint16_t)(occasion->sqe[0] >> 16);
	entry->nsid = occasion->sqe[1];
	entry->slba = (uint64_t)occasion->sqe[11] << 32 | occasion->sqe[10];
}

const struct vssd_fault_fired *vssd_fault_log_entry(const struct vssd_faults *faults, uint64_t i)
{
	if (i >= faults->fired || faults->fired - i > VSSD_FAULTS_LOGGED)
		return NULL;
	return &faults->log[i % VSSD_FAULTS_LOGGED];
}
