/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/namespace.h"

#include "vssd/subsystem/reservation.h"
#include "vssd/subsystem/subsystem.h"

#define SMALL_SHIFT 9u   /* of the LBAs of every other format */
#define SECTORS_SHIFT 3u /* sectors in a block */

/* Each two LBA formats differ only in the size of their LBAs. */
static const struct {
	uint8_t metadata; /* bytes */
	uint8_t pif;      /* enum nvme_pif */
} pairs[] = {
	{0, NVME_PIF_GUARD16},  {8, NVME_PIF_GUARD16},  {16, NVME_PIF_GUARD16}, {64, NVME_PIF_GUARD16},
	{16, NVME_PIF_GUARD32}, {16, NVME_PIF_GUARD64}, {64, NVME_PIF_GUARD32}, {64, NVME_PIF_GUARD64},
};

uint8_t vssd_lbaf_shift(const struct vssd_subsystem *subsystem, uint8_t lbaf)
{
	return lbaf & 1 ? subsystem->nv->formats.large : SMALL_SHIFT;
}

uint8_t vssd_lbaf_metadata(uint8_t lbaf)
{
	return pairs[(lbaf & VSSD_LBAF_INDEX) / 2].metadata;
}

uint8_t vssd_lbaf_pif(uint8_t lbaf)
{
	return pairs[(lbaf & VSSD_LBAF_INDEX) / 2].pif;
}

uint8_t vssd_lbaf_sts(const struct vssd_options *options, uint8_t lbaf)
{
	static const struct {
		uint8_t least;
		uint8_t most;
	} limits[] = {[NVME_PIF_GUARD16] = {0, 32}, [NVME_PIF_GUARD32] = {16, 64}, [NVME_PIF_GUARD64] = {0, 48}};
	uint8_t pif = vssd_lbaf_pif(lbaf);
	uint32_t wanted = options->optional.storage_tag;

	if (!options->optional.protection || options->version < NVME_2_0 ||
	    vssd_lbaf_metadata(lbaf) < vssd_pif_bytes(pif))
		return 0;
	if (wanted < limits[pif].least)
		return limits[pif].least;
	return wanted < limits[pif].most ? (uint8_t)wanted : limits[pif].most;
}

uint8_t vssd_lbaf_new(const struct vssd_options *options)
{
	const struct vssd_format_options *format = &options->format;
	uint8_t pif = format->guard == 32   ? NVME_PIF_GUARD32
		      : format->guard == 64 ? NVME_PIF_GUARD64
					    : NVME_PIF_GUARD16;
	uint8_t lbaf = options->lba_size != 1u << SMALL_SHIFT;

	for (uint8_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pairs[i].metadata == format->metadata && pairs[i].pif == pif)
			lbaf |= (uint8_t)(2 * i);
	return lbaf | (uint8_t)(format->pi << VSSD_LBAF_TYPE_SHIFT) | (format->extended ? VSSD_LBAF_EXTENDED : 0);
}

uint8_t vssd_nlbaf(const struct vssd_options *options)
{
	if (options->optional.protection && options->version >= NVME_2_0)
		return 15;
	return options->optional.metadata ? 7 : 1;
}

bool vssd_lbaf_valid(const struct vssd_options *options, uint8_t lbaf)
{
	if ((lbaf & VSSD_LBAF_INDEX) > vssd_nlbaf(options))
		return false;
	return !(lbaf & VSSD_LBAF_TYPE) ||
	       (options->optional.protection && vssd_lbaf_metadata(lbaf) >= vssd_pif_bytes(vssd_lbaf_pif(lbaf)));
}

/* ---- what outlives the process ---- */

static struct vssd_ns_record *record_of(struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	return &subsystem->nv->namespaces.ns[ns - subsystem->ns];
}

/* Record a namespace. The number of blocks comes last, since it makes the record valid. */
static void save(struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	struct vssd_ns_record *record = record_of(subsystem, ns);

	if (!subsystem->nv->namespaces.managed)
		return;
	record->first_block = ns->first_block;
	record->bytes = ns->bytes;
	record->number = ns->number;
	record->attached = ns->attached;
	record->shared = ns->shared;
	record->anagrpid = ns->anagrpid & 0x7f;
	record->csi = ns->csi;
	__atomic_store_n(&record->blocks, ns->blocks, __ATOMIC_RELEASE);
}

void vssd_ns_set_format(struct vssd_subsystem *subsystem, struct vssd_ns *ns, uint8_t lbaf)
{
	ns->lba_shift = vssd_lbaf_shift(subsystem, lbaf);
	ns->metadata = vssd_lbaf_metadata(lbaf);
	ns->extended = ns->metadata && lbaf & VSSD_LBAF_EXTENDED;
	ns->pi = (lbaf & VSSD_LBAF_TYPE) >> VSSD_LBAF_TYPE_SHIFT;
	ns->pi_first = ns->pi && lbaf & VSSD_LBAF_FIRST;
	ns->pif = vssd_lbaf_pif(lbaf);
	ns->sts = vssd_lbaf_sts(&subsystem->options, lbaf);
	ns->nsze = ns->bytes >> ns->lba_shift;
	subsystem->nv->formats.lbaf[ns->nsid - 1] = lbaf;
}

uint8_t vssd_ns_flbas(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	uint8_t lbaf = subsystem->nv->formats.lbaf[ns->nsid - 1] & VSSD_LBAF_INDEX;

	return (uint8_t)(lbaf | (ns->extended ? NVME_FLBAS_EXTENDED : 0));
}

uint8_t vssd_ns_dps(const struct vssd_ns *ns)
{
	return (uint8_t)(ns->pi | (ns->pi_first ? NVME_DPS_FIRST : 0));
}

/* ---- extents ---- */

/* The first namespace at or after a block, or NULL. */
static struct vssd_ns *next_extent(struct vssd_subsystem *subsystem, uint64_t block)
{
	struct vssd_ns *next = NULL;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		struct vssd_ns *ns = &subsystem->ns[i];

		if (ns->nsid && ns->first_block >= block && (!next || ns->first_block < next->first_block))
			next = ns;
	}
	return next;
}

/* Find a gap between or after the namespaces, first fit. */
static bool find_extent(struct vssd_subsystem *subsystem, uint64_t blocks, uint64_t *first)
{
	const struct vssd_ns *next;

	*first = 0;
	for (next = next_extent(subsystem, 0); next; next = next_extent(subsystem, *first)) {
		if (next->first_block - *first >= blocks)
			return true;
		*first = next->first_block + next->blocks;
	}
	return blocks <= subsystem->blocks - *first;
}

/* Move the blocks of a namespace down to where the move that the system area records leads. */
static void move(struct vssd_subsystem *subsystem, struct vssd_ns *ns)
{
	struct vssd_ns_move *state = &subsystem->nv->namespaces.move;

	if (subsystem->fdp)
		vssd_reclaim_rename(subsystem->fdp->reclaim, ns->first_block << SECTORS_SHIFT,
				    state->to << SECTORS_SHIFT, ns->blocks << SECTORS_SHIFT);
	if (!subsystem->null_store)
		vssd_store_move(subsystem->store, ns->first_block, state->to, ns->blocks, &state->done);
	ns->first_block = state->to;
	save(subsystem, ns);
	state->nsid = 0;
}

/* Close the gap before a namespace. The system area records the move, so that a process that is killed meanwhile goes
 * on with it when it starts again. */
static void close_gap(struct vssd_subsystem *subsystem, struct vssd_ns *ns, uint64_t to)
{
	struct vssd_ns_move *state = &subsystem->nv->namespaces.move;

	if (!subsystem->null_store)
		vssd_store_erase(subsystem->store, to, ns->first_block - to, VSSD_POOL_UNWRITTEN);
	state->to = to;
	state->done = 0;
	__atomic_store_n(&state->nsid, ns->nsid, __ATOMIC_RELEASE);
	move(subsystem, ns);
}

/* Close all gaps, so that all free blocks are at the end. */
static void close_gaps(struct vssd_subsystem *subsystem)
{
	uint64_t end = 0;

	vssd_subsystem_flush(subsystem);
	for (struct vssd_ns *ns = next_extent(subsystem, 0); ns; ns = next_extent(subsystem, end)) {
		if (ns->first_block > end)
			close_gap(subsystem, ns, end);
		end = ns->first_block + ns->blocks;
	}
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_DATA_GONE);
}

/* Whole granules, as far as there is room for them. */
uint64_t vssd_ns_blocks_for(const struct vssd_subsystem *subsystem, uint64_t bytes, uint64_t room)
{
	uint64_t granule = vssd_ns_granule(subsystem);
	uint64_t blocks = bytes / VSSD_BLOCK_SIZE + (bytes % VSSD_BLOCK_SIZE != 0);
	uint64_t granules = blocks / granule + (blocks % granule != 0);

	if (blocks > room)
		return 0;
	return granules > room / granule ? room : granules * granule;
}

/* ---- creation and deletion ---- */

/* The ANA group of a namespace: the wanted one, or one group after the other. */
static uint8_t group_of(const struct vssd_options *options, uint32_t nsid, uint8_t wanted)
{
	if (!options->functions.ana)
		return 0;
	return wanted && wanted <= options->functions.ana ? wanted
							  : (uint8_t)((nsid - 1) % options->functions.ana + 1);
}

/* Make a namespace of this extent exist. */
static void place(struct vssd_subsystem *subsystem, uint32_t nsid, const struct vssd_ns_record *record, uint8_t lbaf)
{
	struct vssd_ns *ns = &subsystem->ns[nsid - 1];

	*ns = (struct vssd_ns){
		.nsid = nsid,
		.first_block = record->first_block,
		.blocks = record->blocks,
		.bytes = record->bytes,
		.number = record->number,
		.attached = record->attached & vssd_subsystem_ctrls(subsystem),
		.shared = record->shared,
		.csi = record->csi,
		.anagrpid = group_of(&subsystem->options, nsid, record->anagrpid),
	};
	vssd_ns_set_format(subsystem, ns, record->csi == NVME_CSI_KV ? 0 : lbaf);
	save(subsystem, ns);
}

uint32_t vssd_ns_unused(const struct vssd_subsystem *subsystem)
{
	for (uint32_t nsid = 1; nsid <= vssd_subsystem_nn(subsystem); nsid++)
		if (!subsystem->ns[nsid - 1].nsid)
			return nsid;
	return 0;
}

/* SEL of Namespace Management. */
enum select { CREATE, DELETE };

static void record_change(struct vssd_subsystem *subsystem, uint16_t cntlid, const struct vssd_ns *ns,
			  enum select select)
{
	struct nvme_change_ns_event event = {
		.nsmcdw10 = select,
		.nsze = ns->nsze,
		.nscap = ns->nsze,
		.flbas = vssd_ns_flbas(subsystem, ns),
		.dps = vssd_ns_dps(ns),
		.nmic = ns->shared,
		.anagrpid = ns->anagrpid,
		.nvmsetid = ns->setid,
		.nsid = ns->nsid,
	};

	vssd_pel_add(subsystem, NVME_PERSISTENT_CHANGE_NS, cntlid, &event, sizeof(event));
}

/* Create what a namespace of its command set has besides blocks. False: there is no memory for it. */
static bool add_parts(struct vssd_subsystem *subsystem, struct vssd_ns *ns, const struct vssd_ns_shape *shape)
{
	if (shape->csi == NVME_CSI_KV)
		return vssd_kv_add(subsystem, ns);
	return shape->csi != NVME_CSI_ZNS || vssd_zones_add(subsystem, ns, &shape->zones);
}

bool vssd_ns_create(struct vssd_subsystem *subsystem, uint16_t cntlid, uint32_t nsid,
		    const struct vssd_ns_shape *shape)
{
	uint64_t room = vssd_container_room(subsystem, &shape->container);
	struct vssd_ns_record record = {
		.bytes = shape->bytes,
		.csi = shape->csi,
		.shared = shape->shared,
		.anagrpid = shape->anagrpid & 0x7f,
		.blocks = vssd_ns_blocks_for(subsystem, shape->bytes, room),
	};
	bool exists = nsid - 1 >= VSSD_MAX_NAMESPACES || subsystem->ns[nsid - 1].nsid;

	if (exists || shape->bytes == 0 || record.blocks == 0)
		return false;
	if (!find_extent(subsystem, record.blocks, &record.first_block)) {
		close_gaps(subsystem);
		find_extent(subsystem, record.blocks, &record.first_block);
	}
	if (vssd_fdp_places(subsystem) && !vssd_fdp_assign(subsystem->fdp, nsid, &shape->handles))
		return false;
	record.number = ++subsystem->nv->namespaces.created;
	place(subsystem, nsid, &record, shape->lbaf);
	subsystem->nv->masks.off[nsid - 1] = shape->unchecked;
	vssd_container_put(subsystem, &subsystem->ns[nsid - 1], &shape->container);
	vssd_subsystem_erase(subsystem, record.first_block, record.blocks, VSSD_POOL_UNWRITTEN);
	if (!add_parts(subsystem, &subsystem->ns[nsid - 1], shape)) {
		vssd_ns_delete(subsystem, cntlid, &subsystem->ns[nsid - 1]);
		return false;
	}
	vssd_security_changed(subsystem);
	record_change(subsystem, cntlid, &subsystem->ns[nsid - 1], CREATE);
	vssd_ns_set_attached(subsystem, &subsystem->ns[nsid - 1], shape->attached);
	return true;
}

uint64_t vssd_ns_tag_mask(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	if (!ns->pi || !ns->sts)
		return 0;
	return UINT64_MAX >> (64 - ns->sts) & ~subsystem->nv->masks.off[ns->nsid - 1];
}

void vssd_ns_delete(struct vssd_subsystem *subsystem, uint16_t cntlid, struct vssd_ns *ns)
{
	record_change(subsystem, cntlid, ns, DELETE);
	vssd_self_test_give_way(subsystem, ns->nsid, NVME_SELF_TEST_NS_REMOVED);
	vssd_subsystem_erase(subsystem, ns->first_block, ns->blocks, VSSD_POOL_UNWRITTEN);
	vssd_ns_set_attached(subsystem, ns, 0);
	vssd_zones_drop(subsystem, ns);
	vssd_kv_drop(subsystem, ns);
	vssd_reservation_forget(subsystem, ns);
	vssd_metadata_forget(subsystem, ns->nsid);
	__atomic_store_n(&record_of(subsystem, ns)->blocks, 0, __ATOMIC_RELEASE);
	subsystem->nv->masks.off[ns->nsid - 1] = 0;
	if (subsystem->fdp)
		subsystem->fdp->ns[ns->nsid - 1] = (struct vssd_fdp_handles){0};
	*ns = (struct vssd_ns){0};
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_DATA_GONE);
}

void vssd_ns_set_attached(struct vssd_subsystem *subsystem, struct vssd_ns *ns, uint16_t attached)
{
	uint16_t changed = ns->attached ^ attached;

	ns->attached = attached;
	save(subsystem, ns);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
	vssd_subsystem_ns_changed(subsystem, ns->nsid, changed);
}

/* ---- at power-up ---- */

/* Whether a record of the store describes a namespace that no other one overlaps. */
static bool is_good(const struct vssd_subsystem *subsystem, const struct vssd_ns_record *record)
{
	uint64_t first = record->first_block, blocks = record->blocks;

	if (blocks == 0 || first >= subsystem->blocks || blocks > subsystem->blocks - first || record->bytes == 0 ||
	    record->bytes > blocks << VSSD_BLOCK_SHIFT)
		return false;
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		const struct vssd_ns *ns = &subsystem->ns[i];

		if (ns->nsid && first < ns->first_block + ns->blocks && ns->first_block < first + blocks)
			return false;
	}
	return true;
}

static uint8_t lbaf_of(const struct vssd_subsystem *subsystem, uint32_t nsid)
{
	uint8_t lbaf = subsystem->nv->formats.lbaf[nsid - 1];

	return vssd_lbaf_valid(&subsystem->options, lbaf) ? lbaf : 0;
}

/* Go on with a move that a killed process has left. */
static void end_move(struct vssd_subsystem *subsystem)
{
	struct vssd_ns_move *state = &subsystem->nv->namespaces.move;
	struct vssd_ns *ns = vssd_subsystem_ns(subsystem, state->nsid);

	if (ns && state->to < ns->first_block && state->done <= ns->blocks)
		move(subsystem, ns);
	state->nsid = 0;
}

static void restore(struct vssd_subsystem *subsystem)
{
	for (uint32_t nsid = 1; nsid <= VSSD_MAX_NAMESPACES; nsid++) {
		struct vssd_ns_record *record = &subsystem->nv->namespaces.ns[nsid - 1];
		struct vssd_ns_record copy = *record;

		if (is_good(subsystem, record))
			place(subsystem, nsid, &copy, lbaf_of(subsystem, nsid));
		else
			record->blocks = 0;
	}
	end_move(subsystem);
}

/* The controllers of a namespace that the options make. Private ones go to the controllers in turn. */
static uint16_t ctrls_of(const struct vssd_options *options, uint32_t index)
{
	uint32_t shared = options->namespaces - options->functions.private_ns;

	if (index >= shared)
		return (uint16_t)(1u << (index - shared) % options->functions.controllers);
	return (uint16_t)((1u << vssd_virtual_ctrls(options)) - 1);
}

static bool is_shared(const struct vssd_options *options, uint32_t index)
{
	return vssd_virtual_ctrls(options) > 1 && index < options->namespaces - options->functions.private_ns;
}

/* The last namespaces are zoned, and those before them have keys. */
static enum nvme_csi csi_of(const struct vssd_options *options, uint32_t index)
{
	uint32_t from_end = options->namespaces - index;

	if (from_end <= options->zones.namespaces)
		return NVME_CSI_ZNS;
	return from_end <= options->zones.namespaces + options->kv.namespaces ? NVME_CSI_KV : NVME_CSI_NVM;
}

static void divide(struct vssd_subsystem *subsystem)
{
	const struct vssd_options *options = &subsystem->options;
	uint64_t blocks = options->size / VSSD_BLOCK_SIZE;

	for (uint32_t i = 0; i < options->namespaces; i++) {
		struct vssd_ns_record record = {
			.first_block = i * blocks,
			.blocks = blocks,
			.bytes = blocks << VSSD_BLOCK_SHIFT,
			.attached = ctrls_of(options, i),
			.shared = is_shared(options, i),
			.csi = csi_of(options, i),
		};

		if (record.csi == NVME_CSI_ZNS)
			record.bytes = vssd_zones_usable(options, record.bytes);

		place(subsystem, i + 1, &record, lbaf_of(subsystem, i + 1));
		if (vssd_fdp_places(subsystem))
			vssd_fdp_assign_all(subsystem->fdp, i + 1, options->optional.ns_management);
	}
}

/* Make the host the one that manages the namespaces of a new drive, if it can. */
static void hand_over(struct vssd_subsystem *subsystem)
{
	struct vssd_ns_table *table = &subsystem->nv->namespaces;

	if (!subsystem->options.optional.ns_management)
		return;
	table->managed = 1;
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (subsystem->ns[i].nsid)
			save(subsystem, &subsystem->ns[i]);
}

void vssd_ns_init(struct vssd_subsystem *subsystem)
{
	if (subsystem->nv->namespaces.managed) {
		restore(subsystem);
	} else {
		divide(subsystem);
		hand_over(subsystem);
	}
	vssd_division_init(subsystem);
}
