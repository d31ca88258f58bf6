/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/worker/workload.h"

#include <errno.h>
#include <string.h>

#include "spec/nvme_cmd.h"

#define MAX_NLB 65536u

static int check_sizes(const struct pyn_workload_config *config, uint64_t end, struct pyn_error *err)
{
	uint64_t weight = 0;

	if (config->sizes < 1 || config->sizes > PYN_WORKLOAD_SIZES)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "io_size names %u sizes; 1 to %u are possible",
				 config->sizes, PYN_WORKLOAD_SIZES);
	for (uint32_t i = 0; i < config->sizes; i++) {
		if (config->io_size[i] < 1 || config->io_size[i] > MAX_NLB)
			return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "io_size %u is not in 1 … %u LBAs",
					 config->io_size[i], MAX_NLB);
		if (config->lba_align[i] < 1)
			return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "lba_align 0 is not possible");
		if (config->sizes > 1 && config->io_size[i] >= end - config->region_start)
			return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
					 "io_size %u is not below the region of %llu LBAs", config->io_size[i],
					 (unsigned long long)(end - config->region_start));
		weight += config->weight[i];
	}
	if (weight == 0 || weight > UINT32_MAX)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "the ratios of io_size sum up to %llu",
				 (unsigned long long)weight);
	return 0;
}

static int check_ops(const struct pyn_workload_config *config, struct pyn_error *err)
{
	uint32_t percentage = 0;

	if (config->ops < 1 || config->ops > PYN_WORKLOAD_OPS)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "%u opcodes; 1 to %u are possible", config->ops,
				 PYN_WORKLOAD_OPS);
	for (uint32_t i = 0; i < config->ops; i++)
		percentage += config->percentage[i];
	if (percentage != 100)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "the percentages of the opcodes sum up to %u, not 100", percentage);
	return 0;
}

/* A step of 0 never reaches another LBA, so it never fills a region. */
static int check_fill(const struct pyn_workload_config *config, struct pyn_error *err)
{
	bool has_lbas = false;

	for (uint32_t i = 0; i < config->ops; i++)
		has_lbas |= config->percentage[i] && config->opcode[i] != NVME_IO_FLUSH;
	if (config->sizes == 1 && config->random_percentage == 0 && (config->contiguous || config->step) && has_lbas)
		return 0;
	return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
			 "only sequential IO of one size that goes from LBA to LBA fills a region");
}

static int check(const struct pyn_workload_config *config, uint64_t end, struct pyn_error *err)
{
	if (config->region_start >= end)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "region_start %llu is not below the region's end %llu",
				 (unsigned long long)config->region_start, (unsigned long long)end);
	int rc = check_sizes(config, end, err);

	if (!rc)
		rc = check_ops(config, err);
	if (!rc && config->fill)
		rc = check_fill(config, err);
	return rc;
}

/* Where the sequential part starts over: upwards at the first aligned LBA of the region, downwards at the last one
 * that leaves room for a whole IO. */
static uint64_t begin_again(const struct pyn_workload *workload, uint32_t i)
{
	if (!workload->is.down)
		return workload->first[i];
	uint64_t whole = pyn_workload_align_down(workload->end - workload->io_size[i], workload->lba_align[i]);

	return whole >= workload->first[i]
		       ? whole
		       : workload->first[i] + (workload->positions[i] - 1) * workload->lba_align[i];
}

static int init_sizes(struct pyn_workload *workload, const struct pyn_workload_config *config, struct pyn_error *err)
{
	uint64_t region = workload->end - workload->start;

	workload->sizes = config->sizes;
	workload->is.one_size = config->sizes == 1;
	workload->is.equal_weights = true;
	for (uint32_t i = 0; i < config->sizes; i++) {
		uint64_t first = pyn_workload_align_up(workload->start, config->lba_align[i]);

		if (first >= workload->end)
			return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
					 "no LBA of the region %llu … %llu is a multiple of lba_align %u",
					 (unsigned long long)workload->start, (unsigned long long)workload->end - 1,
					 config->lba_align[i]);
		workload->io_size[i] = config->io_size[i] < region ? config->io_size[i] : (uint32_t)region;
		workload->lba_align[i] = config->lba_align[i];
		workload->first[i] = first;
		workload->positions[i] = (workload->end - first - 1) / config->lba_align[i] + 1;
		workload->again[i] = begin_again(workload, i);
		workload->is.equal_weights = workload->is.equal_weights && config->weight[i] == 1;
		workload->total_weight += config->weight[i];
		workload->weight_end[i] = workload->total_weight;
	}
	return 0;
}

static void init_ops(struct pyn_workload *workload, const struct pyn_workload_config *config)
{
	uint32_t slot = 0;

	workload->flush_op = PYN_WORKLOAD_OPS;
	for (uint32_t i = 0; i < config->ops; i++) {
		for (uint32_t k = 0; k < config->percentage[i]; k++)
			workload->op_of[slot++] = (uint8_t)i;
		if (config->opcode[i] == NVME_IO_FLUSH)
			workload->flush_op = (uint8_t)i;
	}
	workload->is.one_op = config->ops == 1;
}

static int init_distribution(struct pyn_workload *workload, const struct pyn_workload_config *config,
			     struct pyn_error *err)
{
	uint64_t region = workload->end - workload->start;
	uint32_t slot = 0;

	workload->is.has_distribution = config->has_distribution;
	if (!config->has_distribution)
		return 0;
	for (uint32_t part = 0; part < PYN_WORKLOAD_PARTS; part++) {
		uint64_t first = (uint64_t)((unsigned __int128)region * part / PYN_WORKLOAD_PARTS);
		uint64_t past = (uint64_t)((unsigned __int128)region * (part + 1) / PYN_WORKLOAD_PARTS);

		workload->part_first[part] = workload->start + first;
		workload->part_size[part] = past > first ? past - first : 1;
		if (config->distribution[part] > PYN_WORKLOAD_WEIGHT - slot)
			return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "the distribution sums up to more than %u",
					 PYN_WORKLOAD_WEIGHT);
		memset(&workload->part_of[slot], (int)part, config->distribution[part]);
		slot += config->distribution[part];
	}
	if (slot != PYN_WORKLOAD_WEIGHT)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "the distribution sums up to %u, not %u", slot,
				 PYN_WORKLOAD_WEIGHT);
	return 0;
}

/* The blocks begin at the start of the region. The last one may be cut at its end. */
static void init_skew(struct pyn_workload *workload, const struct pyn_workload_config *config)
{
	uint64_t region = workload->end - workload->start;

	if (config->skew == PYN_SKEW_NONE)
		return;
	workload->skew_unit = pyn_workload_largest(workload);
	for (uint32_t i = 0; i < workload->sizes; i++)
		if (workload->lba_align[i] > workload->skew_unit)
			workload->skew_unit = workload->lba_align[i];
	workload->is.has_distribution = true;
	pyn_skew_init(&workload->skew, config->skew, config->skew_parameter,
		      (region + workload->skew_unit - 1) / workload->skew_unit);
}

static void init_sequence(struct pyn_workload *workload, const struct pyn_workload_config *config)
{
	workload->is.contiguous = config->contiguous;
	workload->step = config->step;
	workload->is.stays = !config->contiguous && config->step == 0;
	workload->is.down = !config->contiguous && config->step < 0;
	workload->next = config->lba_start > config->region_start ? config->lba_start : config->region_start;
}

/* A pass that begins in the middle continues at the other end of the region, up to where it began. */
static void init_fill(struct pyn_workload *workload, const struct pyn_workload_config *config)
{
	uint64_t at = pyn_workload_aligned(workload, workload->next, 0);

	if (!config->fill)
		return;
	if (at >= workload->end || at < workload->start)
		at = workload->again[0];
	workload->is.fill = true;
	workload->fill_from = workload->next = at;
}

int pyn_workload_init(struct pyn_workload *workload, const struct pyn_workload_config *config, uint64_t nlba,
		      struct pyn_random random, struct pyn_error *err)
{
	uint64_t end = config->region_end < nlba ? config->region_end : nlba;
	int rc = check(config, end, err);

	if (rc)
		return rc;
	memset(workload, 0, sizeof(*workload));
	workload->random = random;
	workload->start = config->region_start;
	workload->end = end;
	workload->is.always_random = config->random_percentage >= 100;
	workload->is.never_random = config->random_percentage == 0;
	workload->random_threshold = (uint32_t)((uint64_t)config->random_percentage * UINT32_MAX / 100);
	init_ops(workload, config);
	init_sequence(workload, config);
	rc = init_sizes(workload, config, err);
	if (!rc)
		rc = init_distribution(workload, config, err);
	if (rc)
		return rc;
	init_skew(workload, config);
	init_fill(workload, config);
	workload->is.plain = workload->is.one_size && workload->is.one_op && workload->is.always_random &&
			     !workload->is.has_distribution;
	workload->last_whole = workload->end - workload->io_size[0];
	return 0;
}

uint32_t pyn_workload_largest(const struct pyn_workload *workload)
{
	uint32_t largest = 0;

	for (uint32_t i = 0; i < workload->sizes; i++)
		if (workload->io_size[i] > largest)
			largest = workload->io_size[i];
	return largest;
}

static uint64_t multiples(uint64_t span, uint32_t align)
{
	return (align & (align - 1)) == 0 ? span >> __builtin_ctz(align) : span / align;
}

static uint64_t skewed_slba(struct pyn_workload *workload, uint32_t i)
{
	uint64_t rank = pyn_skew_rank(&workload->skew, pyn_skew_uniform(&workload->random));
	uint64_t slba = workload->start + pyn_skew_block(&workload->skew, rank) * workload->skew_unit;
	uint64_t aligned = pyn_workload_align_up(slba, workload->lba_align[i]);

	return aligned < workload->end ? aligned : workload->first[i];
}

uint64_t pyn_workload_distributed_slba(struct pyn_workload *workload, uint32_t i)
{
	if (workload->skew.kind != PYN_SKEW_NONE)
		return skewed_slba(workload, i);
	uint32_t part = workload->part_of[pyn_random_below(&workload->random, PYN_WORKLOAD_WEIGHT)];
	uint32_t align = workload->lba_align[i];
	uint64_t begin = workload->part_first[part], past = begin + workload->part_size[part];
	uint64_t first = pyn_workload_align_up(begin, align);

	if (first < past)
		return first + pyn_random_below(&workload->random, multiples(past - first - 1, align) + 1) * align;
	/* This part has no aligned LBA: use the one before it. It may be in another part, but not outside the region.
	 */
	uint64_t before = pyn_workload_align_down(begin, align);

	return before >= workload->first[i] ? before : workload->first[i];
}
