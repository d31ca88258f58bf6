/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/store/store.h"

#include <emmintrin.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vssd/store/medium.h"

#define MIN_CACHE_BLOCKS 16u

struct vssd_store_private {
	struct vssd_medium medium;
	uint32_t *free; /* freed pool blocks: a stack, so that the block used last is reused first */
	uint64_t free_count;
	uint64_t next;   /* pool blocks from here on were never used */
	uint64_t *queue; /* blocks that may be dirty, oldest at head: a ring */
	uint64_t capacity;
	uint64_t head;
	uint64_t queued;
	uint64_t *in_queue; /* a bit for each block */
};

static bool is_queued(const struct vssd_store_private *p, uint64_t block)
{
	return p->in_queue[block / 64] >> (block % 64) & 1;
}

static bool is_dirty(const struct vssd_store *store, uint64_t block)
{
	return store->current[block] != store->durable[block];
}

static uint32_t index_of(uint32_t entry)
{
	return entry & VSSD_ENTRY_INDEX;
}

static uint8_t *metadata_of(const struct vssd_store *store, uint32_t index)
{
	return store->metadata + (uint64_t)index * VSSD_METADATA_BLOCK;
}

/* The marks of the pool block that an entry names, for the block of the store that has the entry. */
static struct vssd_marks marks_of(const struct vssd_store *store, uint32_t entry)
{
	struct vssd_marks marks = store->marks[index_of(entry)];

	if (entry & VSSD_ENTRY_BAD && index_of(entry) < VSSD_POOL_FIRST)
		marks.bad = VSSD_ALL_SECTORS;
	return marks;
}

/* Copy data, marks and metadata to a pool block, from the one that an entry names. */
static void copy_block(struct vssd_store *store, uint32_t to, uint32_t entry)
{
	uint32_t from = index_of(entry);

	memcpy(store->pool + ((uint64_t)to << VSSD_BLOCK_SHIFT), store->pool + ((uint64_t)from << VSSD_BLOCK_SHIFT),
	       VSSD_BLOCK_SIZE);
	store->marks[to] = marks_of(store, entry);
	if (store->metadata)
		memcpy(metadata_of(store, to), metadata_of(store, from), VSSD_METADATA_BLOCK);
}

static uint32_t entry_of(const struct vssd_store *store, uint32_t index)
{
	return index | (store->marks[index].bad ? VSSD_ENTRY_BAD : 0);
}

/* Allocate a pool block, and leave room for as many more. 0: none is left. */
static uint32_t pool_alloc(struct vssd_store_private *p, uint64_t room)
{
	uint64_t wanted = p->free_count > room ? 0 : room + 1 - p->free_count;

	if (wanted > 0 && !vssd_medium_reserve(&p->medium, p->next, p->next + wanted))
		return 0;
	if (p->free_count > 0)
		return p->free[--p->free_count];
	return p->next < p->medium.pool_blocks ? (uint32_t)p->next++ : 0;
}

/* Allocate a pool block for the first data of a block. They must leave room for the whole cache, so that blocks with
 * data can be rewritten although the file system is full. 0: none is left. */
static uint32_t pool_alloc_first(struct vssd_store_private *p, uint64_t block)
{
	return vssd_medium_touch(&p->medium, block) ? pool_alloc(p, p->capacity) : 0;
}

static void pool_free(struct vssd_store_private *p, uint32_t entry)
{
	if (index_of(entry) >= VSSD_POOL_FIRST)
		p->free[p->free_count++] = index_of(entry);
}

static void make_durable(struct vssd_store *store, uint64_t block)
{
	uint32_t old = store->durable[block];

	if (old == store->current[block])
		return;
	/* Store the data and marks before the map: the file is consistent if the process is killed in between. */
	__atomic_store_n(&store->durable[block], store->current[block], __ATOMIC_RELEASE);
	if (index_of(old) != index_of(store->current[block]))
		pool_free(store->private, old);
}

static uint64_t queue_pop(struct vssd_store_private *p)
{
	uint64_t block = p->queue[p->head];

	p->head = p->head + 1 == p->capacity ? 0 : p->head + 1;
	p->queued--;
	p->in_queue[block / 64] &= ~(UINT64_C(1) << (block % 64));
	return block;
}

static void queue_push(struct vssd_store *store, uint64_t block)
{
	struct vssd_store_private *p = store->private;
	uint64_t tail;

	if (is_queued(p, block))
		return;
	if (p->queued == p->capacity)
		make_durable(store, queue_pop(p));
	tail = p->head + p->queued;
	p->queue[tail >= p->capacity ? tail - p->capacity : tail] = block;
	p->queued++;
	p->in_queue[block / 64] |= UINT64_C(1) << (block % 64);
}

/* Whether a block can be changed in place: its pool block is neither shared nor durable. */
static bool is_own(const struct vssd_store *store, uint64_t block)
{
	uint32_t index = index_of(store->current[block]);

	return index >= VSSD_POOL_FIRST && is_dirty(store, block) && index != index_of(store->durable[block]);
}

/* Get a pool block that can be changed in place: the block's own if it has one, else a new one. keep: copy the old
 * data and marks if any of these sectors are to be kept. 0: no space. The caller then sets the marks and the map
 * entry. */
static uint32_t own(struct vssd_store *store, uint64_t block, uint8_t keep)
{
	uint32_t entry = store->current[block], old = index_of(entry);
	uint32_t new;

	if (is_own(store, block))
		return old;
	queue_push(store, block);
	new = old < VSSD_POOL_FIRST ? pool_alloc_first(store->private, block) : pool_alloc(store->private, 0);
	if (!new)
		return 0;
	if (keep)
		copy_block(store, new, entry);
	store->current[block] = new;
	return new;
}

uint8_t *vssd_store_write(struct vssd_store *store, uint64_t block, uint8_t sectors)
{
	uint32_t index = own(store, block, (uint8_t)~sectors);
	struct vssd_marks *marks = &store->marks[index];

	if (!index)
		return NULL;
	marks->written |= sectors;
	marks->bad &= (uint8_t)~sectors;
	store->current[block] = entry_of(store, index);
	return store->pool + ((uint64_t)index << VSSD_BLOCK_SHIFT);
}

/* Copy a block with non-temporal stores, because ordinary ones would fetch each line first only to overwrite it. No
 * fence is needed: only this thread reads the pool. */
static void copy_past_caches(uint8_t *to, const uint8_t *from)
{
	for (unsigned i = 0; i < VSSD_BLOCK_SIZE; i += 4 * sizeof(__m128i)) {
		const __m128i *source = (const __m128i *)(from + i);
		__m128i *target = (__m128i *)(to + i);
		__m128i a = _mm_loadu_si128(source), b = _mm_loadu_si128(source + 1);
		__m128i c = _mm_loadu_si128(source + 2), d = _mm_loadu_si128(source + 3);

		_mm_stream_si128(target, a);
		_mm_stream_si128(target + 1, b);
		_mm_stream_si128(target + 2, c);
		_mm_stream_si128(target + 3, d);
	}
}

bool vssd_store_put(struct vssd_store *store, uint64_t block, const uint8_t *data)
{
	/* A dirty block was written recently. A new pool block is one that left the cache, so it is cold. */
	bool is_cold = !is_own(store, block);
	uint8_t *to = vssd_store_write(store, block, VSSD_ALL_SECTORS);

	if (!to)
		return false;
	if (is_cold)
		copy_past_caches(to, data);
	else
		memcpy(to, data, VSSD_BLOCK_SIZE);
	return true;
}

void vssd_store_prefetch(const struct vssd_store *store, uint64_t block, bool write)
{
	const struct vssd_store_private *p = store->private;
	/* The write before this one evicts the oldest block, and this one the next. */
	uint64_t leaving = p->queue[p->head + 1 < p->capacity ? p->head + 1 : 0];

	__builtin_prefetch(&store->current[block]);
	if (!write)
		return;
	__builtin_prefetch(&store->durable[block]);
	__builtin_prefetch(&store->current[leaving]);
	__builtin_prefetch(&store->durable[leaving]);
}

/* Give the whole block an entry that names a shared pool block. 0, or -ENOSPC. */
static int replace(struct vssd_store *store, uint64_t block, uint32_t entry)
{
	uint32_t old = store->current[block];

	if (old == entry)
		return 0;
	if (!vssd_medium_touch(&store->private->medium, block))
		return -ENOSPC;
	queue_push(store, block);
	if (index_of(old) != index_of(store->durable[block]))
		pool_free(store->private, old);
	store->current[block] = entry;
	return 0;
}

static void zero_sector(struct vssd_store *store, uint64_t block, uint8_t *data, unsigned sector)
{
	memset(data + sector * VSSD_SECTOR_SIZE, 0, VSSD_SECTOR_SIZE);
	if (store->metadata)
		memset(vssd_store_metadata(store, block) + sector * VSSD_METADATA_LBA, 0, VSSD_METADATA_LBA);
}

int vssd_store_zero(struct vssd_store *store, uint64_t block, uint8_t sectors, bool deallocate)
{
	uint32_t index = index_of(store->current[block]);
	uint8_t *data;

	if (sectors == VSSD_ALL_SECTORS)
		return replace(store, block, deallocate ? VSSD_POOL_UNWRITTEN : VSSD_POOL_ZEROES);
	if (deallocate && index == VSSD_POOL_UNWRITTEN)
		return 0;
	data = vssd_store_write(store, block, sectors);
	if (!data)
		return -ENOSPC;
	for (unsigned i = 0; i < VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE; i++)
		if (sectors >> i & 1)
			zero_sector(store, block, data, i);
	if (deallocate)
		store->marks[index_of(store->current[block])].written &= (uint8_t)~sectors;
	return 0;
}

int vssd_store_poison(struct vssd_store *store, uint64_t block, uint8_t sectors)
{
	uint32_t index;

	if (sectors == VSSD_ALL_SECTORS)
		return replace(store, block, VSSD_POOL_ZEROES | VSSD_ENTRY_BAD);
	index = own(store, block, VSSD_ALL_SECTORS);
	if (!index)
		return -ENOSPC;
	store->marks[index].bad |= sectors;
	store->marks[index].written |= sectors;
	store->current[block] = entry_of(store, index);
	return 0;
}

uint64_t vssd_store_next_bad(const struct vssd_store *store, uint64_t block, uint64_t end)
{
	const struct vssd_medium *medium = &store->private->medium;

	while (block < end) {
		uint64_t next = vssd_medium_skip(medium, block);

		if (next == block && !vssd_medium_is_touched(medium, block))
			next = (block / VSSD_MAP_PAGE + 1) * VSSD_MAP_PAGE;
		if (next == block && vssd_store_bad(store, block))
			return block;
		block = next == block ? block + 1 : next;
	}
	return end;
}

void vssd_store_commit(struct vssd_store *store, uint64_t block, uint64_t count)
{
	const uint64_t end = block + count;

	/* A block in a page of the map that was never touched is not dirty. */
	for (block = vssd_store_next(store, block); block < end; block = vssd_store_next(store, block + 1))
		make_durable(store, block);
}

void vssd_store_flush(struct vssd_store *store)
{
	while (store->private->queued > 0)
		make_durable(store, queue_pop(store->private));
}

void vssd_store_lose(struct vssd_store *store)
{
	struct vssd_store_private *p = store->private;

	while (p->queued > 0) {
		uint64_t block = queue_pop(p);

		if (!is_dirty(store, block))
			continue;
		if (index_of(store->current[block]) != index_of(store->durable[block]))
			pool_free(p, store->current[block]);
		store->current[block] = store->durable[block];
	}
}

/* Give these sectors of a dirty block their durable data back, except the first torn bytes of each LBA. */
static void lose_sectors(struct vssd_store *store, uint64_t block, uint8_t lost, unsigned lba_sectors, uint32_t torn)
{
	uint32_t durable = index_of(store->durable[block]), index = own(store, block, VSSD_ALL_SECTORS);
	uint8_t *to = store->pool + ((uint64_t)index << VSSD_BLOCK_SHIFT);
	const uint8_t *from = store->pool + ((uint64_t)durable << VSSD_BLOCK_SHIFT);
	struct vssd_marks before = marks_of(store, store->durable[block]);
	uint8_t last = torn ? 0 : lost; /* sectors whose marks return as well */

	if (!index)
		return;
	for (unsigned i = 0; i < VSSD_BLOCK_SIZE; i++)
		if (lost >> (i / VSSD_SECTOR_SIZE) & 1 && i % (lba_sectors * VSSD_SECTOR_SIZE) >= torn)
			to[i] = from[i];
	for (unsigned i = 0; store->metadata && i < VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE; i++)
		if (lost >> i & 1)
			memcpy(metadata_of(store, index) + i * VSSD_METADATA_LBA,
			       metadata_of(store, durable) + i * VSSD_METADATA_LBA, VSSD_METADATA_LBA);
	store->marks[index].written = (uint8_t)((store->marks[index].written & ~last) | (before.written & last));
	store->marks[index].bad = (uint8_t)((store->marks[index].bad & ~lost) | (before.bad & lost));
	store->current[block] = entry_of(store, index);
}

void vssd_store_lose_some(struct vssd_store *store, const struct vssd_store_loss *loss)
{
	struct vssd_store_private *p = store->private;

	while (p->queued > 0) {
		uint64_t block = queue_pop(p);
		unsigned lba_sectors = 1;
		uint8_t keeps;

		if (!is_dirty(store, block))
			continue;
		keeps = loss->keeps(loss->context, block, &lba_sectors);
		if (keeps != VSSD_ALL_SECTORS)
			lose_sectors(store, block, (uint8_t)~keeps, lba_sectors, loss->torn);
		make_durable(store, block);
	}
}

void vssd_store_pattern(struct vssd_store *store, uint32_t first, uint32_t step)
{
	uint32_t *pattern = (uint32_t *)(store->pool + VSSD_POOL_PATTERN * VSSD_BLOCK_SIZE);
	uint32_t *inverted = (uint32_t *)(store->pool + VSSD_POOL_INVERTED * VSSD_BLOCK_SIZE);

	for (uint32_t i = 0; i < VSSD_BLOCK_SIZE / sizeof(*pattern); i++) {
		pattern[i] = first + i * step;
		inverted[i] = ~pattern[i];
	}
}

/* Erase blocks from one up to another, which is not included. */
static void erase_in_page(struct vssd_store *store, uint64_t block, uint64_t end, enum vssd_pool_shared content)
{
	for (; block < end; block++) {
		uint32_t current = store->current[block], durable = store->durable[block];

		if (current == content && durable == content)
			continue;
		store->current[block] = content;
		store->durable[block] = content;
		pool_free(store->private, current);
		if (index_of(durable) != index_of(current))
			pool_free(store->private, durable);
	}
}

void vssd_store_erase(struct vssd_store *store, uint64_t block, uint64_t count, enum vssd_pool_shared content)
{
	struct vssd_store_private *p = store->private;

	for (uint64_t i = block, next; i < block + count; i = next) {
		next = content == VSSD_POOL_UNWRITTEN ? vssd_medium_skip(&p->medium, i) : i;
		next = next > i ? next : (i / VSSD_MAP_PAGE + 1) * VSSD_MAP_PAGE;
		if (next > block + count)
			next = block + count;
		if (vssd_medium_is_touched(&p->medium, i) ||
		    (content != VSSD_POOL_UNWRITTEN && vssd_medium_touch(&p->medium, i)))
			erase_in_page(store, i, next, content);
	}
	if (p->next - p->free_count == VSSD_POOL_FIRST) {
		p->next = VSSD_POOL_FIRST;
		p->free_count = 0;
		vssd_medium_discard(&p->medium);
	}
}

/* A block whose source is unwritten was unwritten, or a crash came after its entry had moved. */
void vssd_store_move(struct vssd_store *store, uint64_t from, uint64_t to, uint64_t count, uint64_t *done)
{
	struct vssd_medium *medium = &store->private->medium;

	for (uint64_t i = *done; i < count; *done = ++i) {
		uint32_t entry = vssd_medium_is_touched(medium, from + i) ? store->durable[from + i] : 0;

		if (entry == VSSD_POOL_UNWRITTEN || !vssd_medium_touch(medium, to + i))
			continue;
		store->durable[to + i] = store->current[to + i] = entry;
		store->durable[from + i] = store->current[from + i] = VSSD_POOL_UNWRITTEN;
	}
}

void vssd_store_read(const struct vssd_store *store, uint64_t offset, uint8_t *to, uint64_t length)
{
	while (length > 0) {
		uint32_t at = (uint32_t)offset & (VSSD_BLOCK_SIZE - 1), room = VSSD_BLOCK_SIZE - at;
		uint32_t piece = length < room ? (uint32_t)length : room;

		memcpy(to, vssd_store_data(store, offset >> VSSD_BLOCK_SHIFT) + at, piece);
		to += piece;
		offset += piece;
		length -= piece;
	}
}

int vssd_store_poke(struct vssd_store *store, uint64_t offset, const void *data, uint32_t length)
{
	uint64_t block = offset >> VSSD_BLOCK_SHIFT;
	uint32_t entry = store->current[block], old = index_of(entry);
	uint8_t *target;

	if (old < VSSD_POOL_FIRST) {
		uint32_t new = pool_alloc_first(store->private, block);
		bool dirty = new &&is_dirty(store, block);

		if (!new)
			return -ENOSPC;
		copy_block(store, new, entry);
		store->current[block] = entry_of(store, new);
		if (!dirty)
			store->durable[block] = store->current[block];
		old = new;
	}
	target = store->pool + ((uint64_t)old << VSSD_BLOCK_SHIFT);
	memcpy(target + offset % VSSD_BLOCK_SIZE, data, length);
	return 0;
}

int vssd_store_poke_sector(struct vssd_store *store, uint64_t offset, const uint8_t *data, const uint8_t *metadata)
{
	uint64_t block = offset >> VSSD_BLOCK_SHIFT, sector = offset % VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE;
	int result = vssd_store_poke(store, offset, data, VSSD_SECTOR_SIZE);

	if (!result && store->metadata)
		memcpy(vssd_store_metadata(store, block) + sector * VSSD_METADATA_LBA, metadata, VSSD_METADATA_LBA);
	return result;
}

void *vssd_store_system(struct vssd_store *store)
{
	return store->private->medium.system;
}

void *vssd_store_annex(struct vssd_store *store)
{
	return store->private->medium.annex;
}

void *vssd_store_account(struct vssd_store *store)
{
	return store->private->medium.account;
}

bool vssd_store_account_for(struct vssd_store *store, uint64_t offset, uint64_t length)
{
	return vssd_medium_account_for(&store->private->medium, offset, length);
}

int vssd_store_set_system(struct vssd_store *store, const void *bytes, struct pyn_error *err)
{
	return vssd_medium_set_system(&store->private->medium, bytes, err);
}

uint64_t vssd_store_dirty(const struct vssd_store *store)
{
	return store->private->queued;
}

uint64_t vssd_store_unflushed(const struct vssd_store *store)
{
	const struct vssd_store_private *p = store->private;
	uint64_t count = 0;

	for (uint64_t i = 0; i < p->queued; i++)
		count += is_dirty(store, p->queue[(p->head + i) % p->capacity]);
	return count;
}

uint64_t vssd_store_used(const struct vssd_store *store)
{
	return store->private->next - VSSD_POOL_FIRST - store->private->free_count;
}

uint64_t vssd_store_next(const struct vssd_store *store, uint64_t block)
{
	const struct vssd_medium *medium = &store->private->medium;

	while (block < store->blocks && !vssd_medium_is_touched(medium, block)) {
		uint64_t next = vssd_medium_skip(medium, block);

		block = next > block ? next : (block / VSSD_MAP_PAGE + 1) * VSSD_MAP_PAGE;
	}
	return block;
}

/* Check the durable map of a file, which may be damaged: an entry must name a block of the pool, and each block at
 * most once. Fill in the current map and the free blocks. */
static int adopt(struct vssd_store *store, const char *file, struct pyn_error *err)
{
	struct vssd_store_private *p = store->private;
	uint64_t *used = calloc(p->medium.pool_blocks / 64 + 1, sizeof(*used));

	if (!used)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory to check the map of %s", file);
	p->next = VSSD_POOL_FIRST;
	for (uint64_t i = vssd_store_next(store, 0); i < store->blocks; i = vssd_store_next(store, i + 1)) {
		uint32_t index = index_of(store->durable[i]);

		if (index >= p->medium.pool_blocks ||
		    (index >= VSSD_POOL_FIRST && used[index / 64] >> (index % 64) & 1)) {
			free(used);
			return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
					 "the map in %s is damaged at block %llu: give another file, or delete it",
					 file, (unsigned long long)i);
		}
		used[index / 64] |= UINT64_C(1) << (index % 64);
		if (index >= p->next)
			p->next = (uint64_t)index + 1;
		if (index != VSSD_POOL_ZEROES)
			store->durable[i] = entry_of(store, index);
		store->current[i] = store->durable[i];
	}
	for (uint64_t i = p->next; i-- > VSSD_POOL_FIRST;)
		if (!(used[i / 64] >> (i % 64) & 1))
			p->free[p->free_count++] = (uint32_t)i;
	free(used);
	return 0;
}

static int store_init(struct vssd_store *store, const struct vssd_store_options *options, struct pyn_error *err)
{
	struct vssd_store_private *p = store->private;
	uint64_t spare;
	int result = vssd_medium_open(&p->medium, options, p->capacity, err);

	if (result)
		return result;
	/* The cache must not exceed the spare blocks that the file was created with. */
	spare = p->medium.pool_blocks - VSSD_POOL_FIRST;
	spare = spare > options->blocks ? spare - options->blocks : p->capacity;
	if (p->capacity > spare)
		p->capacity = spare;
	store->blocks = options->blocks;
	store->pool = p->medium.pool;
	store->durable = p->medium.durable;
	store->marks = p->medium.marks;
	store->current = vssd_medium_alloc(options->blocks * sizeof(*store->current));
	p->free = vssd_medium_alloc(p->medium.pool_blocks * sizeof(*p->free));
	p->queue = calloc(p->capacity, sizeof(*p->queue));
	p->in_queue = vssd_medium_alloc((options->blocks / 64 + 1) * sizeof(*p->in_queue));
	store->metadata = p->medium.metadata;
	if (!store->current || !p->free || !p->queue || !p->in_queue)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the maps of %llu blocks",
				 (unsigned long long)options->blocks);
	p->next = VSSD_POOL_FIRST;
	store->marks[VSSD_POOL_UNWRITTEN] = (struct vssd_marks){0};
	for (unsigned shared = VSSD_POOL_ZEROES; shared < VSSD_POOL_FIRST; shared++)
		store->marks[shared] = (struct vssd_marks){.written = VSSD_ALL_SECTORS};
	return options->file ? adopt(store, options->file, err) : 0;
}

static struct vssd_store *store_alloc(void)
{
	struct vssd_store *store = calloc(1, sizeof(*store));

	if (store)
		store->private = calloc(1, sizeof(*store->private));
	if (store && store->private)
		return store;
	free(store);
	return NULL;
}

int vssd_store_open(const struct vssd_store_options *options, struct vssd_store **opened, struct pyn_error *err)
{
	struct vssd_store *store;
	int result;

	if (options->blocks == 0 || options->blocks > VSSD_MAX_BLOCKS || options->cache_blocks > VSSD_MAX_BLOCKS / 2)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "a store holds 1 to %llu blocks of 4 KiB and caches half as many, not %llu and %llu",
				 (unsigned long long)VSSD_MAX_BLOCKS, (unsigned long long)options->blocks,
				 (unsigned long long)options->cache_blocks);
	store = store_alloc();
	if (!store)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the store");
	vssd_medium_init(&store->private->medium);
	store->private->capacity =
		options->cache_blocks < MIN_CACHE_BLOCKS ? MIN_CACHE_BLOCKS : options->cache_blocks;
	result = store_init(store, options, err);
	if (result) {
		vssd_store_close(store);
		return result;
	}
	*opened = store;
	return 0;
}

void vssd_store_close(struct vssd_store *store)
{
	struct vssd_store_private *p = store->private;

	vssd_medium_free(store->current, store->blocks * sizeof(*store->current));
	vssd_medium_free(p->free, p->medium.pool_blocks * sizeof(*p->free));
	vssd_medium_free(p->in_queue, (store->blocks / 64 + 1) * sizeof(*p->in_queue));
	free(p->queue);
	vssd_medium_close(&p->medium);
	free(p);
	free(store);
}
