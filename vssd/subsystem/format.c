/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/format.h"

#include "core/util/clock.h"
#include "vssd/subsystem/subsystem.h"

#define MS_NS UINT64_C(1000000)

static bool is_formatted(const struct vssd_format *format, uint32_t index)
{
	return format->nsids >> index & 1;
}

/* Refuse commands to the namespaces that are being formatted. The system area records the format, so that the drive
 * finishes it even if the process is killed. */
static void refuse_io(struct vssd_subsystem *subsystem, uint16_t status)
{
	const struct vssd_format *format = &subsystem->format;
	struct vssd_format_state *state = &subsystem->nv->formatting;

	state->running = status != 0;
	state->lbaf = format->lbaf;
	state->first = (uint8_t)format->first;
	state->last = (uint8_t)format->last;
	state->nsids = format->nsids;
	for (uint32_t i = format->first; i <= format->last; i++)
		if (is_formatted(format, i))
			subsystem->ns[i].refuse = status;
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
}

/* Enter the start and the end of a format in the persistent event log. FNA is that of Identify Controller. */
static void record_start(struct vssd_subsystem *subsystem, uint32_t nsid, uint32_t cdw10)
{
	struct nvme_format_start_event event = {
		.nsid = nsid,
		.fna = NVME_FNA_CRYPTO,
		.fnvmcdw10 = cdw10,
	};

	vssd_pel_add(subsystem, NVME_PERSISTENT_FORMAT_START, subsystem->format.cntlid, &event, sizeof(event));
}

static void record_end(struct vssd_subsystem *subsystem, uint32_t status)
{
	const struct vssd_format *format = &subsystem->format;
	struct nvme_format_completion_event event = {
		.nsid = format->first == format->last ? format->first + 1 : NVME_NSID_ALL,
		.status = status,
	};

	vssd_pel_add(subsystem, NVME_PERSISTENT_FORMAT_COMPLETION, format->cntlid, &event, sizeof(event));
}

void vssd_format_start(struct vssd_subsystem *subsystem, struct vssd_listener *owner, uint16_t cntlid,
		       const struct nvme_cmd *cmd, uint8_t lbaf, uint32_t nsids)
{
	uint32_t first = (uint32_t)__builtin_ctz(nsids), last = 31 - (uint32_t)__builtin_clz(nsids);
	uint32_t nsid = first == last ? first + 1 : NVME_NSID_ALL;

	subsystem->format = (struct vssd_format){
		.owner = owner,
		.cntlid = cntlid,
		.running = true,
		.cid = cmd->cid,
		.lbaf = lbaf,
		.nsids = nsids,
		.first = first,
		.last = last,
		.at = first,
		.due = pyn_ticks() + pyn_ns_to_ticks(subsystem->options.times.format_ms * MS_NS),
	};
	refuse_io(subsystem, NVME_SC_FORMAT_IN_PROGRESS);
	record_start(subsystem, nsid, cmd->cdw10);
	vssd_self_test_give_way(subsystem, nsid, NVME_SELF_TEST_FORMAT);
	vssd_subsystem_wake(subsystem);
}

static void erase(struct vssd_subsystem *subsystem, uint64_t limit)
{
	struct vssd_format *format = &subsystem->format;

	while (limit > 0 && format->at <= format->last) {
		const struct vssd_ns *ns = &subsystem->ns[format->at];
		uint64_t left = is_formatted(format, format->at) ? ns->blocks - format->next : 0;
		uint64_t count = left < limit ? left : limit;

		vssd_subsystem_erase(subsystem, ns->first_block + format->next, count, VSSD_POOL_UNWRITTEN);
		format->next += count;
		limit -= count;
		if (count == left) {
			format->at++;
			format->next = 0;
		}
	}
}

/* Set the new LBA format of the namespaces. Returns a bit for each whose old one differs. */
static uint32_t conclude(struct vssd_subsystem *subsystem)
{
	struct vssd_format *format = &subsystem->format;
	uint32_t changed = 0;

	for (uint32_t i = format->first; i <= format->last; i++) {
		struct vssd_ns *ns = &subsystem->ns[i];

		if (!ns->nsid || !is_formatted(format, i))
			continue;
		if (subsystem->nv->formats.lbaf[i] != format->lbaf)
			changed |= 1u << i;
		vssd_ns_set_format(subsystem, ns, format->lbaf);
		vssd_zones_erased(subsystem, ns);
		vssd_kv_erased(subsystem, ns);
	}
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_DATA_GONE);
	format->running = false;
	refuse_io(subsystem, 0);
	record_end(subsystem, 0);
	return changed;
}

/* Tell the controllers that are attached to these namespaces. */
static void tell(struct vssd_subsystem *subsystem, uint32_t changed)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (changed >> i & 1)
			vssd_subsystem_ns_changed(subsystem, i + 1, subsystem->ns[i].attached);
}

void vssd_format_finish(struct vssd_subsystem *subsystem)
{
	if (!subsystem->format.running)
		return;
	erase(subsystem, UINT64_MAX);
	tell(subsystem, conclude(subsystem));
}

bool vssd_format_abort(struct vssd_subsystem *subsystem, const struct vssd_listener *owner, uint16_t cid,
		       uint16_t status)
{
	struct vssd_format *format = &subsystem->format;

	if (!format->running || format->owner != owner || format->cid != cid)
		return false;
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_DATA_GONE);
	format->running = false;
	refuse_io(subsystem, 0);
	record_end(subsystem, (uint32_t)status << 1);
	format->owner->ops->complete(format->owner, cid, status);
	return true;
}

uint8_t vssd_format_left(const struct vssd_subsystem *subsystem, uint32_t nsid)
{
	const struct vssd_format *format = &subsystem->format;
	const struct vssd_ns *ns = &subsystem->ns[nsid - 1];
	uint64_t left = format->at > nsid - 1 ? 0 : format->at == nsid - 1 ? ns->blocks - format->next : ns->blocks;

	if (!format->running || !is_formatted(format, nsid - 1))
		return 0;
	return left ? (uint8_t)((left * 100 + ns->blocks - 1) / ns->blocks) : 1;
}

/* ---- the part ---- */

/* Finish a format that was running when the process was killed. */
static void init(struct vssd_subsystem *subsystem)
{
	struct vssd_format_state state = subsystem->nv->formatting;

	if (!state.running || state.first > state.last || state.last >= VSSD_MAX_NAMESPACES ||
	    !vssd_lbaf_valid(&subsystem->options, state.lbaf))
		return;
	subsystem->format = (struct vssd_format){
		.running = true,
		.lbaf = state.lbaf,
		.nsids = state.nsids ? state.nsids : UINT32_MAX,
		.first = state.first,
		.last = state.last,
		.at = state.first,
	};
	vssd_format_finish(subsystem);
}

static void power(struct vssd_subsystem *subsystem, bool on)
{
	if (!on)
		vssd_format_finish(subsystem);
}

/* The reset of another controller does not concern the operation. */
static void reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by)
{
	(void)kind;
	if (!by || by == subsystem->format.owner)
		vssd_format_finish(subsystem);
}

static void poll(struct vssd_subsystem *subsystem, uint64_t now)
{
	struct vssd_format *format = &subsystem->format;
	uint32_t changed;

	if (!format->running)
		return;
	erase(subsystem, subsystem->null_store ? UINT64_MAX : vssd_subsystem_erase_most(subsystem));
	/* The completion waits until the controller may access host memory. */
	if (format->at <= format->last || now < format->due || !format->owner->ops->is_ready(format->owner))
		return;
	changed = conclude(subsystem);
	format->owner->ops->complete(format->owner, format->cid, NVME_SC_SUCCESS);
	tell(subsystem, changed);
}

static uint64_t due(const struct vssd_subsystem *subsystem)
{
	return subsystem->format.running ? 0 : VSSD_NEVER;
}

const struct vssd_subsystem_part vssd_format_part = {
	.init = init, .power = power, .reset = reset, .poll = poll, .due = due};
