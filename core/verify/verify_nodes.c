/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/verify_nodes.h"

#include <errno.h>

#include "core/env/env.h"

/*
 * The header of a node:
 *
 *   3:0   its part of the block: 1 all, 2 … 3 a half, 4 … 7 a quarter, 8 … 15 four LBAs; 0: the node is free
 *   28:4  the hash of the block without its stripe
 *   63:29 granule of the next node of the chain, or of the next free node
 */
#define PART UINT64_C(15)
#define REST_SHIFT 4
#define REST_BITS (PYN_HASH_BITS - PYN_STRIPE_BITS)
#define NEXT_SHIFT (REST_SHIFT + REST_BITS)
#define KEY ((UINT64_C(1) << NEXT_SHIFT) - 1)
#define REST (KEY & ~PART)

#define HASH_MASK ((UINT64_C(1) << PYN_HASH_BITS) - 1)
#define MIX UINT64_C(0x9e3779b97f4a7c15)

#define GRANULE 8u
#define MOST_GRANULES (UINT64_C(1) << (64 - NEXT_SHIFT))
#define ARENA_PER_LBA 32u /* bytes of address space; replaced nodes are not always reused */
#define ARENA_LEAST (UINT64_C(1) << 20)
#define SMALLEST_NODE (1 + (1u << PYN_QUAD_SHIFT))
#define READER_STEPS 4096u /* chains are short; a reader at a reused node may be on no chain at all */

/* ---- parts of a block ---- */

/* For each part, a mask with a bit for each four LBAs. */
static const uint8_t the_quads[16] = {0x00, 0xff, 0x0f, 0xf0, 0x03, 0x0c, 0x30, 0xc0,
				      0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80};

static inline unsigned depth_of(unsigned part)
{
	return 31u - (unsigned)__builtin_clz(part);
}

static inline uint32_t cells_of(unsigned part)
{
	return PYN_BLOCK >> depth_of(part);
}

/* The offset of the first LBA of a part in its block. */
static inline uint32_t offset_of(unsigned part)
{
	return (part - (1u << depth_of(part))) * cells_of(part);
}

static inline unsigned quad_of(uint64_t lba)
{
	return (unsigned)(lba >> PYN_QUAD_SHIFT) & (PYN_QUADS - 1);
}

static inline bool covers(uint64_t header, unsigned quad)
{
	return the_quads[header & PART] >> quad & 1;
}

/* The mask of quads of a range within one block. */
static unsigned quads_of(uint64_t lba, uint64_t past)
{
	unsigned first = quad_of(lba), last = quad_of(past - 1);

	return (0xffu >> (PYN_QUADS - 1 - last)) & (0xffu << first);
}

/* The largest part that contains this quad and only wanted quads. */
static unsigned largest(unsigned wanted, unsigned quad)
{
	unsigned part = PYN_QUADS + quad;

	while (part > 1 && (wanted & the_quads[part >> 1]) == the_quads[part >> 1])
		part >>= 1;
	return part;
}

/* ---- hash ---- */

uint64_t pyn_nodes_hash(uint64_t block)
{
	block ^= block >> 18;
	block = block * MIX & HASH_MASK;
	return block ^ block >> 17;
}

/* MIX · inverse = 1, modulo a power of two. Each step doubles the number of correct bits. */
static uint64_t inverse_of_mix(void)
{
	uint64_t inverse = MIX;

	for (unsigned bits = 3; bits < 64; bits *= 2)
		inverse *= 2 - MIX * inverse;
	return inverse;
}

uint64_t pyn_nodes_block(uint64_t hash)
{
	hash ^= hash >> 17 ^ hash >> 34;
	hash = hash * inverse_of_mix() & HASH_MASK;
	return hash ^ hash >> 18;
}

static inline uint64_t rest_of(uint64_t hash)
{
	return hash >> PYN_STRIPE_BITS << REST_SHIFT;
}

/* The bucket of a hash. A bucket that does not exist yet is still part of the one with a bit less. */
static inline uint64_t bucket_of(uint64_t hash, uint64_t buckets)
{
	uint64_t top = UINT64_C(1) << (63 - __builtin_clzll(buckets - 1));
	uint64_t bucket = hash & (2 * top - 1);

	return bucket < buckets ? bucket : bucket ^ top;
}

/* Whether a node with rest `one` comes before one with rest `other`: its lowest differing bit is 0. */
static inline bool is_before(uint64_t one, uint64_t other)
{
	uint64_t differs = one ^ other;

	return differs && !(one & (differs & -differs));
}

/* ---- memory ---- */

static void *map_some(uint64_t most, uint64_t least, size_t *size, struct pyn_error *err)
{
	void *memory = NULL;

	for (*size = most; !memory && *size >= least; *size /= 16) {
		memory = pyn_shared_map(*size, err);
		if (memory)
			return memory;
	}
	return memory;
}

int pyn_nodes_map(struct pyn_nodes *nodes, uint64_t nlba, struct pyn_stripe *stripes, struct pyn_error *err)
{
	uint64_t most = MOST_GRANULES * GRANULE;

	if (nlba < most / ARENA_PER_LBA)
		most = nlba * ARENA_PER_LBA;
	if (most < ARENA_LEAST)
		most = ARENA_LEAST;
	nodes->stripes = stripes;
	nodes->shared = pyn_shared_map(sizeof(*nodes->shared), err);
	if (nodes->shared)
		nodes->arena = map_some(most, ARENA_LEAST, &nodes->arena_size, err);
	if (!nodes->arena)
		return -ENOMEM;
	nodes->heads_size = nodes->arena_size / (SMALLEST_NODE * GRANULE) * 3 / 2 * sizeof(*nodes->heads);
	if (nodes->heads_size < PYN_STRIPES * sizeof(*nodes->heads))
		nodes->heads_size = PYN_STRIPES * sizeof(*nodes->heads);
	nodes->heads = pyn_shared_map(nodes->heads_size, err);
	if (!nodes->heads)
		return -ENOMEM;
	atomic_store(&nodes->shared->buckets, PYN_STRIPES);
	atomic_store(&nodes->shared->used, 1); /* granule 0 means none */
	return 0;
}

void pyn_nodes_unmap(struct pyn_nodes *nodes)
{
	pyn_shared_unmap((void *)nodes->heads, nodes->heads_size);
	pyn_shared_unmap((void *)nodes->arena, nodes->arena_size);
	pyn_shared_unmap(nodes->shared, sizeof(*nodes->shared));
}

static uint64_t alloc_new(struct pyn_nodes *nodes, uint32_t cells)
{
	struct pyn_nodes_shared *shared = nodes->shared;
	uint64_t size = 1 + cells, at;

	if (pyn_nodes_are_full(nodes))
		return 0;
	at = atomic_fetch_add_explicit(&shared->used, size, memory_order_relaxed);
	if (at + size <= nodes->arena_size / GRANULE)
		return at;
	atomic_store_explicit(&shared->full, 1, memory_order_relaxed);
	return 0;
}

/* The list of free nodes of a stripe, for nodes of this part. */
static inline _Atomic uint64_t *free_list(struct pyn_nodes *nodes, uint32_t stripe, unsigned part)
{
	return depth_of(part) ? &nodes->stripes[stripe].free[3 - depth_of(part)] : &nodes->shared->free[stripe];
}

static uint64_t alloc_node(struct pyn_nodes *nodes, uint32_t stripe, unsigned part)
{
	_Atomic uint64_t *list = free_list(nodes, stripe, part);
	uint64_t at = atomic_load_explicit(list, memory_order_relaxed);

	/* If full, fail even if there are free nodes: an LBA that once got no node must never get one. */
	if (at == 0 || pyn_nodes_are_full(nodes))
		return alloc_new(nodes, cells_of(part));
	atomic_store_explicit(list, atomic_load_explicit(&nodes->arena[at], memory_order_relaxed) >> NEXT_SHIFT,
			      memory_order_release);
	return at;
}

static void free_node(struct pyn_nodes *nodes, uint32_t stripe, uint64_t at, unsigned part)
{
	_Atomic uint64_t *list = free_list(nodes, stripe, part);

	atomic_store_explicit(&nodes->arena[at], atomic_load_explicit(list, memory_order_relaxed) << NEXT_SHIFT,
			      memory_order_release);
	atomic_store_explicit(list, at, memory_order_release);
	atomic_fetch_sub_explicit(&nodes->shared->live, 1, memory_order_relaxed);
}

/* ---- chains ---- */

static inline uint64_t load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

/* A link to the next node: a head, or the header of the previous node. */
struct link {
	_Atomic uint64_t *word;
	bool is_head;
};

static inline uint64_t next_of(struct link link)
{
	return link.is_head ? load(link.word) : load(link.word) >> NEXT_SHIFT;
}

/* Set a link. The node at next must be complete before. */
static inline void set_next(struct link link, uint64_t next)
{
	uint64_t word = next;

	if (!link.is_head)
		word = (atomic_load_explicit(link.word, memory_order_relaxed) & KEY) | next << NEXT_SHIFT;
	atomic_store_explicit(link.word, word, memory_order_release);
}

static struct link head_of(const struct pyn_nodes *nodes, uint64_t bucket)
{
	return (struct link){&nodes->heads[bucket], true};
}

static inline struct link behind(const struct pyn_nodes *nodes, uint64_t at)
{
	return (struct link){&nodes->arena[at], false};
}

/* With the lock: the link at which the nodes of a block begin, or would begin. */
static struct link place_of(const struct pyn_nodes *nodes, uint64_t hash)
{
	struct link link = head_of(nodes, bucket_of(hash, load(&nodes->shared->buckets)));
	uint64_t rest = rest_of(hash), at;

	while ((at = next_of(link)) && is_before(load(&nodes->arena[at]) & REST, rest))
		link = behind(nodes, at);
	return link;
}

/* Check that the node at `at` belongs to this block; returns it, or 0 if it does not. */
static inline uint64_t same_block(const struct pyn_nodes *nodes, uint64_t at, uint64_t hash)
{
	return at && (load(&nodes->arena[at]) & REST) == rest_of(hash) ? at : 0;
}

/* The newest node of a block that has this quad; 0: none. */
static uint64_t find(const struct pyn_nodes *nodes, struct link place, uint64_t hash, unsigned quad)
{
	uint64_t at = next_of(place);

	while ((at = same_block(nodes, at, hash)) && !covers(load(&nodes->arena[at]), quad))
		at = next_of(behind(nodes, at));
	return at;
}

static unsigned quads_there(const struct pyn_nodes *nodes, struct link place, uint64_t hash)
{
	unsigned quads = 0;

	for (uint64_t at = next_of(place); (at = same_block(nodes, at, hash)); at = next_of(behind(nodes, at)))
		quads |= the_quads[load(&nodes->arena[at]) & PART];
	return quads;
}

static inline _Atomic uint64_t *cell_in(const struct pyn_nodes *nodes, uint64_t at, unsigned part, uint64_t lba)
{
	return &nodes->arena[at + 1 + ((uint32_t)lba & (PYN_BLOCK - 1)) - offset_of(part)];
}

static inline uint64_t past_of(uint64_t lba, unsigned part)
{
	return (lba & ~(uint64_t)(PYN_BLOCK - 1)) + offset_of(part) + cells_of(part);
}

struct pyn_span pyn_nodes_span(const struct pyn_nodes *nodes, uint64_t lba, uint64_t past)
{
	uint64_t hash = pyn_nodes_hash(lba >> PYN_BLOCK_SHIFT);
	uint64_t at = find(nodes, place_of(nodes, hash), hash, quad_of(lba));
	unsigned part = at ? (unsigned)(load(&nodes->arena[at]) & PART) : PYN_QUADS + quad_of(lba);
	uint64_t end = past_of(lba, part);

	return (struct pyn_span){at ? cell_in(nodes, at, part, lba) : NULL, end < past ? end : past};
}

/* ---- readers ---- */

/* Find the node with this quad without a lock. 0: there is none, or the chain changed during the search. */
static uint64_t search(const struct pyn_nodes *nodes, uint64_t hash, uint64_t buckets, unsigned quad,
		       uint64_t *header)
{
	uint64_t at = load(&nodes->heads[bucket_of(hash, buckets)]), rest = rest_of(hash);

	for (unsigned step = 0; at && step < READER_STEPS; step++, at = *header >> NEXT_SHIFT) {
		*header = load(&nodes->arena[at]);
		if ((*header & REST) == rest && covers(*header, quad))
			return at;
	}
	return 0;
}

bool pyn_nodes_has_whole(const struct pyn_nodes *nodes, uint64_t block)
{
	uint64_t header = 0;

	return search(nodes, pyn_nodes_hash(block), load(&nodes->shared->buckets), 0, &header) &&
	       cells_of((unsigned)(header & PART)) == PYN_BLOCK;
}

static uint64_t read_span(const struct pyn_nodes *nodes, uint64_t hash, uint64_t lba, uint64_t past, uint64_t *cells)
{
	for (;;) {
		uint64_t buckets = load(&nodes->shared->buckets), header = 0;
		uint64_t at = search(nodes, hash, buckets, quad_of(lba), &header);
		unsigned part = at ? (unsigned)(header & PART) : PYN_QUADS + quad_of(lba);
		uint64_t end = past_of(lba, part);

		end = end < past ? end : past;
		for (uint64_t i = 0; i < end - lba; i++)
			cells[i] = at ? atomic_load_explicit(cell_in(nodes, at, part, lba) + i, memory_order_relaxed)
				      : 0;
		atomic_thread_fence(memory_order_acquire);
		if (at ? !((load(&nodes->arena[at]) ^ header) & KEY) : load(&nodes->shared->buckets) == buckets)
			return end;
	}
}

void pyn_nodes_read(const struct pyn_nodes *nodes, uint64_t lba, uint64_t past, uint64_t *cells)
{
	while (lba < past) {
		uint64_t next = (lba | (PYN_BLOCK - 1)) + 1, hash = pyn_nodes_hash(lba >> PYN_BLOCK_SHIFT);

		for (uint64_t end; lba < past && lba < next; cells += end - lba, lba = end)
			end = read_span(nodes, hash, lba, past < next ? past : next, cells);
	}
}

/* ---- new nodes ---- */

static void fill(struct pyn_nodes *nodes, struct link place, uint64_t hash, uint64_t at, unsigned part)
{
	uint32_t past = offset_of(part) + cells_of(part);

	/* Readers must see the header as free before they can see new cells. */
	atomic_thread_fence(memory_order_release);
	for (uint32_t lba = offset_of(part); lba < past; lba += 1u << PYN_QUAD_SHIFT) {
		uint64_t old = find(nodes, place, hash, quad_of(lba));
		const _Atomic uint64_t *from =
			old ? cell_in(nodes, old, (unsigned)(load(&nodes->arena[old]) & PART), lba) : NULL;
		_Atomic uint64_t *to = cell_in(nodes, at, part, lba);

		for (uint32_t i = 0; i < 1u << PYN_QUAD_SHIFT; i++)
			atomic_store_explicit(&to[i], from ? load(&from[i]) : 0, memory_order_relaxed);
	}
}

/* Free the nodes that a new one has replaced. */
static void free_replaced(struct pyn_nodes *nodes, uint64_t hash, uint64_t by, unsigned part)
{
	struct link link = behind(nodes, by);

	for (uint64_t at; (at = same_block(nodes, next_of(link), hash));) {
		unsigned old = (unsigned)(load(&nodes->arena[at]) & PART);

		if (the_quads[old] & ~the_quads[part]) {
			link = behind(nodes, at);
			continue;
		}
		set_next(link, next_of(behind(nodes, at)));
		free_node(nodes, pyn_nodes_stripe(hash), at, old);
	}
}

/* Add a node for a part. The newest node of a part always comes first in the chain. */
static bool add(struct pyn_nodes *nodes, struct link place, uint64_t hash, unsigned part)
{
	uint64_t at = alloc_node(nodes, pyn_nodes_stripe(hash), part);

	if (at == 0)
		return false;
	fill(nodes, place, hash, at, part);
	atomic_store_explicit(&nodes->arena[at], next_of(place) << NEXT_SHIFT | rest_of(hash) | part,
			      memory_order_release);
	set_next(place, at);
	atomic_fetch_add_explicit(&nodes->shared->live, 1, memory_order_relaxed);
	free_replaced(nodes, hash, at, part);
	return true;
}

uint32_t pyn_nodes_make(struct pyn_nodes *nodes, uint64_t lba, uint64_t past)
{
	uint64_t hash = pyn_nodes_hash(lba >> PYN_BLOCK_SHIFT);
	struct link place = place_of(nodes, hash);
	unsigned there = quads_there(nodes, place, hash), missing = quads_of(lba, past) & ~there;
	unsigned wanted = there | missing;
	uint32_t most = 0;

	while (missing) {
		unsigned part = largest(wanted, (unsigned)__builtin_ctz(missing));

		if (!add(nodes, place, hash, part))
			break;
		missing &= ~(unsigned)the_quads[part];
		if (cells_of(part) > most)
			most = cells_of(part);
	}
	return most;
}

bool pyn_nodes_has(const struct pyn_nodes *nodes, uint64_t block)
{
	uint64_t hash = pyn_nodes_hash(block);

	return same_block(nodes, next_of(place_of(nodes, hash)), hash);
}

void pyn_nodes_drop(struct pyn_nodes *nodes, uint64_t block)
{
	uint64_t hash = pyn_nodes_hash(block), at;
	struct link link = place_of(nodes, hash);

	while ((at = same_block(nodes, next_of(link), hash))) {
		set_next(link, next_of(behind(nodes, at)));
		free_node(nodes, pyn_nodes_stripe(hash), at, (unsigned)(load(&nodes->arena[at]) & PART));
	}
}

/* ---- buckets ---- */

uint64_t pyn_nodes_next_split(const struct pyn_nodes *nodes)
{
	uint64_t live = atomic_load_explicit(&nodes->shared->live, memory_order_relaxed);
	uint64_t buckets = load(&nodes->shared->buckets);

	return buckets < live + live / 2 && buckets < nodes->heads_size / sizeof(*nodes->heads) ? buckets : 0;
}

/* The first node that belongs into the new bucket, and the link to it. All nodes after it belong there, too. */
static uint64_t first_of_split(const struct pyn_nodes *nodes, uint64_t target, struct link *link)
{
	uint64_t top = UINT64_C(1) << (63 - __builtin_clzll(target)), at;

	*link = head_of(nodes, target ^ top);
	while ((at = next_of(*link)) && !(load(&nodes->arena[at]) & REST & rest_of(top)))
		*link = behind(nodes, at);
	return at;
}

/*
 * Readers that know of the new bucket find its nodes there. Others find them in the old bucket until it is cut; then
 * they notice the new bucket. If a process is killed in between, the next one repeats the whole split.
 */
void pyn_nodes_split(struct pyn_nodes *nodes, uint64_t target)
{
	struct link link;
	uint64_t first = first_of_split(nodes, target, &link);

	if (load(&nodes->shared->buckets) < target)
		return;
	if (first)
		atomic_store_explicit(&nodes->heads[target], first, memory_order_release);
	if (load(&nodes->shared->buckets) == target)
		atomic_store_explicit(&nodes->shared->buckets, target + 1, memory_order_release);
	if (first)
		set_next(link, 0);
}

void pyn_nodes_each(const struct pyn_nodes *nodes, uint64_t bucket,
		    void (*visit)(void *user, uint64_t lba, _Atomic uint64_t *cells, uint32_t count), void *user)
{
	for (uint64_t at = load(&nodes->heads[bucket]); at; at = next_of(behind(nodes, at))) {
		uint64_t header = load(&nodes->arena[at]);
		unsigned part = (unsigned)(header & PART);
		uint64_t hash = (header & REST) >> REST_SHIFT << PYN_STRIPE_BITS | pyn_nodes_stripe(bucket);

		visit(user, (pyn_nodes_block(hash) << PYN_BLOCK_SHIFT) + offset_of(part), &nodes->arena[at + 1],
		      cells_of(part));
	}
}
