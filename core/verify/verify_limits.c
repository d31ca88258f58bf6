/* SPDX-License-Identifier: BSD-3-Clause */
/* Keeps track of LBAs that are not judged: those beyond the limit of the script, and those changed without notes. */
#include "core/verify/verify_table.h"

/* ---- holds ---- */

static void count_down(_Atomic uint32_t *count)
{
	uint32_t old = atomic_load(count);

	while (old && !atomic_compare_exchange_weak(count, &old, old - 1))
		;
}

void pyn_verify_suspend(struct pyn_verify *verify)
{
	atomic_fetch_add(&verify->common->held_whole, 1);
	atomic_fetch_add(&verify->common->suspended, 1);
}

void pyn_verify_resume(struct pyn_verify *verify)
{
	count_down(&verify->common->held_whole);
	count_down(&verify->common->suspended);
}

/* Claim a free range by one compare-and-exchange. It has no effect before its end is stored. */
static unsigned take_range(struct pyn_verify_shared *shared, uint64_t slba, uint64_t past)
{
	for (unsigned i = 0; i < PYN_VERIFY_RANGES; i++) {
		uint64_t free = PYN_VERIFY_FREE_RANGE;

		if (!atomic_compare_exchange_strong(&shared->ranges[i].from, &free, slba))
			continue;
		atomic_store(&shared->ranges[i].past, past);
		return i;
	}
	return PYN_VERIFY_RANGES;
}

void pyn_verify_untracked_begin(struct pyn_verify *verify, struct pyn_verify_untracked *range, uint64_t slba,
				uint64_t nlb)
{
	struct pyn_verify_shared *shared = verify->common;

	range->slba = slba;
	range->nlb = pyn_verify_clip(verify->past, slba, nlb);
	range->place = PYN_VERIFY_RANGES;
	/* Count this before reading the limit, so that a concurrent raise of the limit sees it. */
	atomic_fetch_add(&shared->loose, 1);
	if (slba < atomic_load(&shared->noted)) {
		range->place = take_range(shared, slba, slba + range->nlb);
		if (range->place == PYN_VERIFY_RANGES)
			atomic_fetch_add(&shared->held_whole, 1);
		atomic_fetch_add(&shared->suspended, 1);
		range->suspended = true;
	}
}

void pyn_verify_untracked_end(struct pyn_verify *verify, struct pyn_verify_untracked *range)
{
	struct pyn_verify_shared *shared = verify->common;

	pyn_verify_forget(verify, range->slba, range->nlb);
	if (range->suspended && range->place < PYN_VERIFY_RANGES) {
		atomic_store(&shared->ranges[range->place].past, 0);
		atomic_store(&shared->ranges[range->place].from, PYN_VERIFY_FREE_RANGE);
	} else if (range->suspended) {
		count_down(&shared->held_whole);
	}
	if (range->suspended)
		count_down(&shared->suspended);
	count_down(&shared->loose);
	range->suspended = false;
}

static bool is_held(const struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	const struct pyn_verify_shared *shared = verify->common;

	if (atomic_load(&shared->held_whole))
		return true;
	for (unsigned i = 0; i < PYN_VERIFY_RANGES; i++)
		if (slba < atomic_load(&shared->ranges[i].past) && slba + nlb > atomic_load(&shared->ranges[i].from))
			return true;
	return false;
}

/* ---- the limit ---- */

/* LBAs that a raise brings below the limit are judged only once the changes have ended that began beyond it. */
void pyn_verify_set_limit(struct pyn_verify *verify, uint64_t nlba)
{
	struct pyn_verify_shared *shared = verify->common;
	uint64_t after = nlba < verify->past ? nlba : verify->past;

	if (after < atomic_load(&shared->limit))
		atomic_store(&shared->limit, after);
	atomic_store(&shared->noted, after);
}

uint64_t pyn_verify_limit(const struct pyn_verify *verify)
{
	return atomic_load(&verify->common->noted);
}

static uint64_t limit_of(const struct pyn_verify *verify, uint64_t past)
{
	struct pyn_verify_shared *shared = verify->common;
	uint64_t limit = atomic_load(&shared->limit), noted = atomic_load(&shared->noted);

	if (past <= limit || limit >= noted || atomic_load(&shared->loose))
		return limit;
	/* If the limit was lowered meanwhile, it stays lower. */
	return atomic_compare_exchange_strong(&shared->limit, &limit, noted) ? noted : limit;
}

uint32_t pyn_verify_checkable(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb)
{
	uint64_t limit = limit_of(verify, slba + nlb);

	if (slba >= limit || (atomic_load(&verify->common->suspended) && is_held(verify, slba, nlb)))
		return 0;
	return nlb < limit - slba ? nlb : (uint32_t)(limit - slba);
}

uint64_t pyn_verify_note_begin(struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	struct pyn_verify_shared *shared = verify->common;
	uint64_t noted = pyn_verify_clip(atomic_load(&shared->noted), slba, nlb);

	if (noted == nlb)
		return noted;
	/* Count this before reading the limit, so that a concurrent raise of the limit sees it. */
	atomic_fetch_add(&shared->loose, 1);
	noted = pyn_verify_clip(atomic_load(&shared->noted), slba, nlb);
	if (noted == nlb)
		count_down(&shared->loose);
	return noted;
}

void pyn_verify_note_end(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, uint64_t noted)
{
	if (noted == nlb)
		return;
	/* Others may have noted writes to these LBAs, meanwhile or before. */
	pyn_verify_forget(verify, slba + noted, nlb - noted);
	count_down(&verify->common->loose);
}
