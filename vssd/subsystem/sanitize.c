/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sanitize destroys all data of the subsystem in the background. Its state is in the system area, so that it
 * continues after a power loss where it stopped. NVM Express Base Specification 2.0, sections 5.16.1.25, 5.24
 * and 8.21.
 */
#include "vssd/subsystem/sanitize.h"

#include "core/util/clock.h"
#include "vssd/subsystem/subsystem.h"

#define MS_NS UINT64_C(1000000)
#define PASSES_MAX 16u        /* OWPASS 0 means 16 passes */
#define DEALLOCATION_SHARE 8u /* of the time of an operation, after media verification */
#define FAILS_SHIFT 4         /* of SSI */
#define SPROG_DENOMINATOR 65536u
#define SPROG_IDLE UINT16_MAX
#define LEAVES_BLOCKS (UINT64_C(1) << 30) /* of a drive that can keep a pattern in all of its blocks */

static uint32_t action_of(uint32_t cdw10)
{
	return cdw10 & NVME_SANITIZE_ACTION;
}

static uint32_t passes_of(uint32_t cdw10)
{
	uint32_t passes = cdw10 >> NVME_SANITIZE_OWPASS_SHIFT & 0xf;

	if (action_of(cdw10) != NVME_SANITIZE_OVERWRITE)
		return 0;
	return passes ? passes : PASSES_MAX;
}

static bool is_in_progress(const struct vssd_subsystem *subsystem)
{
	return subsystem->nv->sanitize.status == NVME_SANITIZE_IN_PROGRESS;
}

/* How many sweeps over the medium the operation needs. An overwrite that must deallocate needs one more. */
static uint32_t sweeps_of(uint32_t cdw10)
{
	uint32_t passes = passes_of(cdw10);

	return passes == 0 ? 1 : passes + (cdw10 & NVME_SANITIZE_NDAS ? 0 : 1);
}

static uint64_t work_of(const struct vssd_subsystem *subsystem)
{
	const struct vssd_sanitize_state *state = &subsystem->nv->sanitize;

	return subsystem->blocks * (state->phase == VSSD_SANITIZE_DEALLOCATION ? 1 : sweeps_of(state->cdw10));
}

bool vssd_sanitize_leaves_data(const struct vssd_subsystem *subsystem)
{
	return subsystem->null_store || subsystem->blocks <= LEAVES_BLOCKS;
}

/* The content of blocks after a sweep. Base Specification 2.0, figure "Sanitize Operations - Overwrite Mechanism": if
 * passes are inverted, the last one writes the pattern uninverted. */
static uint32_t content_of(const struct vssd_subsystem *subsystem, uint32_t sweep)
{
	uint32_t cdw10 = subsystem->nv->sanitize.cdw10;
	uint32_t passes = passes_of(cdw10);

	if (!vssd_sanitize_leaves_data(subsystem) || subsystem->nv->sanitize.phase == VSSD_SANITIZE_DEALLOCATION)
		return VSSD_POOL_UNWRITTEN;
	if (sweep < passes)
		return cdw10 & NVME_SANITIZE_OIPBP && (passes - 1 - sweep) % 2 ? VSSD_POOL_INVERTED
									       : VSSD_POOL_PATTERN;
	if (!(cdw10 & (NVME_SANITIZE_NDAS | NVME_SANITIZE_EMVS)))
		return VSSD_POOL_UNWRITTEN;
	return action_of(cdw10) == NVME_SANITIZE_CRYPTO_ERASE ? VSSD_POOL_PATTERN : VSSD_POOL_ZEROES;
}

/* Set the pattern. After a crypto erase, data read as noise: one noise pattern for all blocks is enough to differ
 * from the old data. */
static void make_content(struct vssd_subsystem *subsystem)
{
	const struct vssd_sanitize_state *state = &subsystem->nv->sanitize;

	if (passes_of(state->cdw10))
		vssd_store_pattern(subsystem->store, state->pattern, 0);
	else if (action_of(state->cdw10) == NVME_SANITIZE_CRYPTO_ERASE)
		vssd_store_pattern(subsystem->store, (uint32_t)pyn_ticks() | 1, UINT32_C(0x9e3779b9));
}

uint16_t vssd_sanitize_refuses(const struct vssd_subsystem *subsystem)
{
	switch (subsystem->nv->sanitize.status) {
	case NVME_SANITIZE_IN_PROGRESS:
		return NVME_SC_SANITIZE_IN_PROGRESS;
	case NVME_SANITIZE_FAILED:
		return subsystem->nv->sanitize.left ? NVME_SC_SUCCESS : NVME_SC_SANITIZE_FAILED;
	default:
		return NVME_SC_SUCCESS;
	}
}

bool vssd_sanitize_is_verified(const struct vssd_subsystem *subsystem)
{
	return is_in_progress(subsystem) && subsystem->nv->sanitize.phase == VSSD_SANITIZE_VERIFICATION;
}

static void set_status(struct vssd_subsystem *subsystem, enum nvme_sanitize_status status, bool left)
{
	subsystem->nv->sanitize.left = left;
	subsystem->nv->sanitize.status = (uint8_t)status;
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		subsystem->ns[i].refuse = vssd_sanitize_refuses(subsystem);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
}

/* Set the start time so that the remaining time corresponds to the remaining work. */
static void set_clock(struct vssd_subsystem *subsystem)
{
	struct vssd_sanitize *sanitize = &subsystem->sanitize;
	double share = (double)subsystem->nv->sanitize.done / (double)work_of(subsystem);

	sanitize->duration = pyn_ns_to_ticks(subsystem->options.times.sanitize_ms * MS_NS);
	if (subsystem->nv->sanitize.phase == VSSD_SANITIZE_DEALLOCATION)
		sanitize->duration /= DEALLOCATION_SHARE;
	sanitize->start = pyn_ticks() - (uint64_t)(share * (double)sanitize->duration);
}

static void record_start(struct vssd_subsystem *subsystem)
{
	const struct vssd_sanitize_state *state = &subsystem->nv->sanitize;
	struct nvme_sanitize_start_event event = {
		.sanicap = vssd_sanitize_sanicap(subsystem), .scdw10 = state->cdw10, .scdw11 = state->pattern};

	vssd_pel_add(subsystem, NVME_PERSISTENT_SANITIZE_START, state->cntlid, &event, sizeof(event));
}

static void record_end(struct vssd_subsystem *subsystem)
{
	uint8_t cntlid = subsystem->nv->sanitize.cntlid;
	struct nvme_sanitize_log log = {0};
	struct nvme_sanitize_completion_event event;

	vssd_sanitize_log(subsystem, &log);
	event = (struct nvme_sanitize_completion_event){.sprog = log.sprog, .sstat = log.sstat};
	vssd_pel_add(subsystem, NVME_PERSISTENT_SANITIZE_COMPLETION, cntlid ? cntlid : VSSD_PEL_SUBSYSTEM, &event,
		     sizeof(event));
}

uint32_t vssd_sanitize_sanicap(const struct vssd_subsystem *subsystem)
{
	uint32_t sanicap = NVME_SANICAP_CES | NVME_SANICAP_BES | NVME_SANICAP_OWS;

	if (subsystem->options.version < NVME_1_4)
		return sanicap;
	/* Nothing changes the media after the operation. */
	sanicap |= UINT32_C(1) << NVME_SANICAP_NODMMAS_SHIFT;
	if (subsystem->options.optional.media.verification)
		sanicap |= NVME_SANICAP_VERS;
	return sanicap | (vssd_sanitize_leaves_data(subsystem) ? 0 : NVME_SANICAP_NDI);
}

void vssd_sanitize_start(struct vssd_subsystem *subsystem, uint16_t cntlid, uint32_t cdw10, uint32_t cdw11)
{
	struct vssd_sanitize_state *state = &subsystem->nv->sanitize;

	state->cdw10 = cdw10;
	state->pattern = cdw11;
	state->done = 0;
	state->phase = VSSD_SANITIZE_PROCESSING;
	state->canceled = false;
	state->cntlid = (uint8_t)cntlid;
	subsystem->sanitize.started++;
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_SANITIZE_BEGINS);
	vssd_store_lose(subsystem->store);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_DATA_GONE);
	make_content(subsystem);
	set_clock(subsystem);
	set_status(subsystem, NVME_SANITIZE_IN_PROGRESS, false);
	record_start(subsystem);
	vssd_self_test_give_way(subsystem, NVME_NSID_ALL, NVME_SELF_TEST_SANITIZE);
	vssd_subsystem_wake(subsystem);
}

void vssd_sanitize_written(struct vssd_subsystem *subsystem)
{
	if (subsystem->nv->sanitize.written)
		return;
	subsystem->nv->sanitize.written = true;
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
}

void vssd_sanitize_exit_failure(struct vssd_subsystem *subsystem)
{
	set_status(subsystem, NVME_SANITIZE_FAILED, true);
}

/* ---- the operation ---- */

/* Deallocate all media, after verification or instead of it. */
static void deallocate(struct vssd_subsystem *subsystem)
{
	subsystem->nv->sanitize.phase = VSSD_SANITIZE_DEALLOCATION;
	subsystem->nv->sanitize.done = 0;
	set_clock(subsystem);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
	vssd_subsystem_wake(subsystem);
}

void vssd_sanitize_exit_verification(struct vssd_subsystem *subsystem)
{
	deallocate(subsystem);
}

/* All resets but that by CC.EN cancel media verification, now or later. */
static void reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by)
{
	struct vssd_sanitize_state *state = &subsystem->nv->sanitize;

	(void)by;
	if (kind == VSSD_RESET_CONTROLLER || !is_in_progress(subsystem) || !(state->cdw10 & NVME_SANITIZE_EMVS) ||
	    state->phase == VSSD_SANITIZE_DEALLOCATION)
		return;
	state->canceled = true;
	if (state->phase == VSSD_SANITIZE_VERIFICATION)
		deallocate(subsystem);
}

static void power(struct vssd_subsystem *subsystem, bool on)
{
	if (!on)
		return;
	if (subsystem->nv->sanitize.status == NVME_SANITIZE_IN_PROGRESS)
		set_clock(subsystem);
	set_status(subsystem, subsystem->nv->sanitize.status, subsystem->nv->sanitize.left);
}

/* How much work must be done by now. */
static uint64_t work_due(const struct vssd_subsystem *subsystem, uint64_t now)
{
	const struct vssd_sanitize *sanitize = &subsystem->sanitize;
	uint64_t elapsed = now - sanitize->start;
	uint64_t work = work_of(subsystem);

	if (elapsed >= sanitize->duration)
		return work;
	return (uint64_t)((double)work * ((double)elapsed / (double)sanitize->duration));
}

static void advance(struct vssd_subsystem *subsystem, uint64_t target)
{
	struct vssd_sanitize_state *state = &subsystem->nv->sanitize;
	uint64_t blocks = subsystem->blocks;

	while (state->done < target) {
		uint64_t first = state->done % blocks;
		uint64_t count = target - state->done < blocks - first ? target - state->done : blocks - first;

		vssd_subsystem_erase(subsystem, first, count,
				     content_of(subsystem, (uint32_t)(state->done / blocks)));
		state->done += count;
	}
}

static void conclude(struct vssd_subsystem *subsystem, enum nvme_sanitize_status status)
{
	if (status != NVME_SANITIZE_FAILED) {
		subsystem->nv->sanitize.written = false;
		for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
			if (subsystem->ns[i].nsid) {
				vssd_zones_erased(subsystem, &subsystem->ns[i]);
				vssd_kv_erased(subsystem, &subsystem->ns[i]);
			}
	}
	set_status(subsystem, status, false);
	record_end(subsystem);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_SANITIZE_ENDS);
}

/* All sweeps of a phase are done. */
static void end_phase(struct vssd_subsystem *subsystem)
{
	struct vssd_sanitize_state *state = &subsystem->nv->sanitize;

	if (state->phase == VSSD_SANITIZE_DEALLOCATION || !(state->cdw10 & NVME_SANITIZE_EMVS)) {
		conclude(subsystem, state->cdw10 & NVME_SANITIZE_NDAS && !vssd_sanitize_leaves_data(subsystem)
					    ? NVME_SANITIZE_DEALLOCATED
					    : NVME_SANITIZE_SUCCESS);
		return;
	}
	if (state->canceled) {
		deallocate(subsystem);
		return;
	}
	state->phase = VSSD_SANITIZE_VERIFICATION;
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_SANITIZE_VERIFIES);
}

/* Whether --sanitize-failures makes this operation fail now, half-way. */
static bool fails_now(struct vssd_subsystem *subsystem)
{
	return subsystem->nv->sanitize.phase == VSSD_SANITIZE_PROCESSING &&
	       subsystem->sanitize.failures < subsystem->options.sanitize_failures &&
	       subsystem->nv->sanitize.done >= work_of(subsystem) / 2;
}

static void poll(struct vssd_subsystem *subsystem, uint64_t now)
{
	const struct vssd_sanitize_state *state = &subsystem->nv->sanitize;
	uint64_t due, most;

	if (!is_in_progress(subsystem) || vssd_sanitize_is_verified(subsystem))
		return;
	due = work_due(subsystem, now);
	most = subsystem->null_store ? due : state->done + vssd_subsystem_erase_most(subsystem);
	advance(subsystem, due < most ? due : most);
	if (fails_now(subsystem)) {
		subsystem->sanitize.failures++;
		conclude(subsystem, NVME_SANITIZE_FAILED);
	} else if (state->done == work_of(subsystem) &&
		   now - subsystem->sanitize.start >= subsystem->sanitize.duration) {
		end_phase(subsystem);
	}
}

static uint64_t due(const struct vssd_subsystem *subsystem)
{
	return is_in_progress(subsystem) && !vssd_sanitize_is_verified(subsystem) ? 0 : VSSD_NEVER;
}

/* Whether an operation could have left this state. */
static bool is_good(const struct vssd_subsystem *subsystem)
{
	const struct vssd_sanitize_state *state = &subsystem->nv->sanitize;
	uint32_t action = action_of(state->cdw10);

	if (state->status == NVME_SANITIZE_NEVER)
		return true;
	return state->status <= NVME_SANITIZE_DEALLOCATED && state->phase < VSSD_NUM_SANITIZE_PHASES &&
	       action >= NVME_SANITIZE_BLOCK_ERASE && action <= NVME_SANITIZE_CRYPTO_ERASE &&
	       state->done <= work_of(subsystem);
}

/* Check the state, which may come from a file with any contents. Data that may be left stay readable. */
static void init(struct vssd_subsystem *subsystem)
{
	struct vssd_sanitize_state *state = &subsystem->nv->sanitize;

	if (is_good(subsystem))
		return;
	state->status = NVME_SANITIZE_NEVER;
	state->cdw10 = 0;
	state->done = 0;
	state->written = true;
}

const struct vssd_subsystem_part vssd_sanitize_part = {
	.init = init, .power = power, .reset = reset, .poll = poll, .due = due};

/* ---- the log page ---- */

/* SANS: the state of the operation. */
static unsigned state_of(const struct vssd_subsystem *subsystem)
{
	const struct vssd_sanitize_state *state = &subsystem->nv->sanitize;
	bool is_free = state->cdw10 & NVME_SANITIZE_AUSE;

	if (state->status == NVME_SANITIZE_FAILED && !state->left)
		return is_free ? NVME_SANITIZE_STATE_UNRESTRICTED_FAILURE : NVME_SANITIZE_STATE_RESTRICTED_FAILURE;
	if (!is_in_progress(subsystem))
		return NVME_SANITIZE_STATE_IDLE;
	if (state->phase == VSSD_SANITIZE_VERIFICATION)
		return NVME_SANITIZE_STATE_MEDIA_VERIFICATION;
	if (state->phase == VSSD_SANITIZE_DEALLOCATION)
		return NVME_SANITIZE_STATE_POST_VERIFICATION_DEALLOCATION;
	return is_free ? NVME_SANITIZE_STATE_UNRESTRICTED_PROCESSING : NVME_SANITIZE_STATE_RESTRICTED_PROCESSING;
}

/* FAILS: the state in which the operation failed. It fails nowhere but in processing. */
static unsigned failed_in(const struct vssd_subsystem *subsystem)
{
	const struct vssd_sanitize_state *state = &subsystem->nv->sanitize;

	if (state->status != NVME_SANITIZE_FAILED)
		return NVME_SANITIZE_STATE_IDLE;
	return state->cdw10 & NVME_SANITIZE_AUSE ? NVME_SANITIZE_STATE_UNRESTRICTED_PROCESSING
						 : NVME_SANITIZE_STATE_RESTRICTED_PROCESSING;
}

void vssd_sanitize_log(const struct vssd_subsystem *subsystem, struct nvme_sanitize_log *log)
{
	const struct vssd_sanitize_state *state = &subsystem->nv->sanitize;
	uint32_t seconds = (subsystem->options.times.sanitize_ms + 999) / 1000;
	uint64_t sweeps = state->done / subsystem->blocks, passes = passes_of(state->cdw10);

	log->sprog = SPROG_IDLE;
	if (is_in_progress(subsystem) && !vssd_sanitize_is_verified(subsystem)) {
		uint64_t share = (uint64_t)((double)state->done / (double)work_of(subsystem) * SPROG_DENOMINATOR);

		log->sprog = (uint16_t)(share < SPROG_IDLE ? share : SPROG_IDLE - 1);
	}
	log->sstat = (uint16_t)(state->status | (sweeps < passes ? sweeps : passes) << NVME_SANITIZE_PASSES_SHIFT |
				(state->written ? 0 : NVME_SANITIZE_GLOBAL_DATA_ERASED) |
				(state->canceled ? NVME_SANITIZE_MVCNCLD : 0));
	log->scdw10 = state->cdw10;
	log->eto = log->etbe = log->etce = seconds;
	if (subsystem->options.version >= NVME_1_4)
		log->etond = log->etbend = log->etcend = seconds;
	if (subsystem->options.optional.media.verification) {
		log->etpvds = (seconds + DEALLOCATION_SHARE - 1) / DEALLOCATION_SHARE;
		log->ssi = (uint8_t)(state_of(subsystem) | failed_in(subsystem) << FAILS_SHIFT);
	}
}
