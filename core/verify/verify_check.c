/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares the data of a read with what is expected, and classifies mismatches. */
#include "core/verify/verify_table.h"

#include <stdio.h>
#include <string.h>

static void read_flat(const struct pyn_verify *verify, uint64_t lba, uint64_t past, uint64_t *cells)
{
	const uint64_t *from = pyn_verify_plain_cells(verify, lba);

	for (uint64_t i = 0; i < past - lba; i++)
		cells[i] = pyn_verify_is_touched(verify, lba + i) ? from[i] : 0;
}

/* Whether eight LBAs, which most tests read at once, have moved. They lie in one block, or in two. */
static inline bool eight_have_moved(const struct pyn_verify *verify, uint64_t lba)
{
	uint64_t first = lba >> PYN_BLOCK_SHIFT, last = (lba + 7) >> PYN_BLOCK_SHIFT;

	return pyn_dense_has(&verify->dense, first) && (first == last || pyn_dense_has(&verify->dense, last));
}

static inline void read_large(const struct pyn_verify *verify, uint64_t lba, uint64_t past, uint64_t *cells)
{
	if (past - lba == 8 && eight_have_moved(verify, lba))
		memcpy(cells, (const uint64_t *)&verify->dense.cells[lba], 8 * sizeof(*cells));
	else
		pyn_dense_read(verify, lba, past, cells);
}

void pyn_verify_read_begin(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb, uint64_t *snapshot)
{
	uint64_t past = slba + pyn_verify_clip(verify->past, slba, nlb);

	if (pyn_verify_is_flat(verify))
		read_flat(verify, slba, past, snapshot);
	else
		read_large(verify, slba, past, snapshot);
}

bool pyn_verify_large_is_as_read(const struct pyn_verify *verify, uint64_t slba, const uint64_t *snapshot,
				 const uint32_t *crc, uint32_t count)
{
	uint64_t cells[PYN_VERIFY_BATCH];

	if (count == 8 && eight_have_moved(verify, slba))
		return pyn_cells_are_as_read((const uint64_t *)&verify->dense.cells[slba], snapshot, crc, 8);
	pyn_dense_read(verify, slba, slba + count, cells);
	return pyn_cells_are_as_read(cells, snapshot, crc, count);
}

static bool all_zeros(const uint8_t *data, uint32_t size)
{
	return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* Whether the data would be right with other 8 bytes at this offset, so that only the stamp was damaged. */
static bool right_but_for(const struct pyn_verify *verify, const uint8_t *data, uint32_t offset, uint64_t value,
			  uint32_t expected)
{
	uint32_t crc = pyn_crc32c(0, data, offset);

	crc = pyn_crc32c(crc, &value, sizeof(value));
	offset += sizeof(value);
	return pyn_crc32c(crc, data + offset, verify->lba_size - offset) == expected;
}

/* Whether only one bit of the token was flipped. If that makes it an older token, it counts as an older write. */
static bool token_is_damaged(const struct pyn_verify *verify, const uint8_t *data, uint64_t token, uint32_t expected)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t undone = token ^ UINT64_C(1) << bit;

		if (right_but_for(verify, data, verify->lba_size - 8, undone, expected))
			return undone < token || !pyn_token_was_given_out(token);
	}
	return false;
}

/*
 * Classify the data of an LBA that differ from what is expected. A stamp with another LBA or another token shows
 * where the data come from, unless only the stamp is damaged: then the data are right except for one of its fields.
 * Old data may have any token of an earlier session. Zeros in place of the LBA do not mean LBA 0: they are too
 * common.
 */
static enum pyn_mismatch_class classify(const struct pyn_verify *verify, uint64_t lba, const uint8_t *data,
					uint64_t cell, struct pyn_mismatch *mismatch)
{
	uint32_t size = verify->lba_size, expected = (uint32_t)cell;
	uint64_t token, found;

	memcpy(&found, data, sizeof(found));
	memcpy(&token, data + size - sizeof(token), sizeof(token));
	mismatch->found_lba = found;
	mismatch->found_token = token;
	if (all_zeros(data, size))
		return PYN_MISMATCH_LOST;
	if (found >= verify->nlba || (found == 0 && !pyn_token_was_given_out(token)))
		return PYN_MISMATCH_CORRUPT;
	if (found != lba)
		return right_but_for(verify, data, 0, lba, expected) ? PYN_MISMATCH_CORRUPT
								     : PYN_MISMATCH_MISDIRECTED;
	/* No write has token 0, so the end of the LBA was lost. */
	if (token == 0)
		return PYN_MISMATCH_CORRUPT;
	if (pyn_cell_state_of(cell) == PYN_CELL_DATA &&
	    pyn_token_hash(token) == (cell >> PYN_CELL_HASH_SHIFT & PYN_CELL_HASH))
		return PYN_MISMATCH_CORRUPT;
	return token_is_damaged(verify, data, token, expected) ? PYN_MISMATCH_CORRUPT : PYN_MISMATCH_STALE;
}

/* Note the first and the last bytes of wrong metadata, of which there may be fewer than 8. */
static enum pyn_mismatch_class describe_metadata(const struct pyn_verify *verify, const uint8_t *data,
						 struct pyn_mismatch *mismatch)
{
	uint32_t most = verify->lba_size < sizeof(uint64_t) ? verify->lba_size : sizeof(uint64_t);

	memcpy(&mismatch->found_lba, data, most);
	memcpy(&mismatch->found_token, data + verify->lba_size - most, most);
	return PYN_MISMATCH_METADATA;
}

/* Check one LBA. If it is deallocated and holds zeros, set *cell to the value that pyn_verify_note_zeros stores. */
static void check_lba(const struct pyn_verify *verify, uint64_t lba, const uint8_t *data, uint64_t *cell,
		      uint32_t crc, struct pyn_mismatch *mismatch)
{
	struct pyn_mismatch found = {.lba = lba, .expected_crc = (uint32_t)*cell, .found_crc = crc};

	if (pyn_cell_state_of(*cell) == PYN_CELL_DEALLOCATED && crc == verify->zero_crc) {
		*cell ^= (uint64_t)(PYN_CELL_DEALLOCATED ^ PYN_CELL_ZEROES) << PYN_CELL_STATE_SHIFT;
		mismatch->zeroed++;
		return;
	}
	if (pyn_cell_state_of(*cell) == PYN_CELL_UNCORRECTABLE)
		found.kind = PYN_MISMATCH_READABLE;
	else if (crc == (uint32_t)*cell)
		return;
	else if (verify->common != verify->shared)
		found.kind = describe_metadata(verify, data, &found);
	else
		found.kind = classify(verify, lba, data, *cell, &found);
	found.zeroed = mismatch->zeroed;
	if (mismatch->count == 0)
		*mismatch = found;
	mismatch->count++;
}

/* A mask with a bit for each LBA that can be judged. */
static uint64_t known_of(const uint64_t *cells, const uint64_t *snapshot, uint32_t count)
{
	uint64_t known = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t cell = snapshot[i];

		if (!(cell & PYN_CELL_BUSY) &&
		    (pyn_cell_expects_data(cell) || pyn_cell_state_of(cell) == PYN_CELL_UNCORRECTABLE) &&
		    cell == cells[i])
			known |= UINT64_C(1) << i;
	}
	return known;
}

static void check_batch(const struct pyn_verify *verify, uint64_t slba, uint32_t count, const uint8_t *data,
			uint64_t *snapshot, struct pyn_verify_counts *counts, struct pyn_mismatch *mismatch)
{
	uint64_t cells[PYN_VERIFY_BATCH], known;
	uint32_t crc[PYN_VERIFY_BATCH], checked;

	pyn_verify_read_begin(verify, slba, count, cells);
	known = known_of(cells, snapshot, count);
	checked = (uint32_t)__builtin_popcountll(known);
	counts->checked += checked;
	counts->unverified += count - checked;
	if (checked == 0)
		return;
	pyn_crc32c_blocks(data, verify->lba_size, count, crc);
	for (uint32_t i = 0; i < count; i++)
		if (known >> i & 1)
			check_lba(verify, slba + i, data + (size_t)i * verify->lba_size, &snapshot[i], crc[i],
				  mismatch);
}

bool pyn_verify_read_end(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const void *data,
			 uint64_t *snapshot, struct pyn_verify_counts *counts, struct pyn_mismatch *mismatch)
{
	uint32_t count = pyn_verify_checkable(verify, slba, nlb);

	mismatch->count = 0;
	mismatch->zeroed = 0;
	counts->unverified += nlb - count;
	for (uint32_t done = 0; done < count; done += PYN_VERIFY_BATCH) {
		uint32_t batch = count - done < PYN_VERIFY_BATCH ? count - done : PYN_VERIFY_BATCH;

		const uint8_t *lba = (const uint8_t *)data + (size_t)done * verify->lba_size;

		if (!pyn_verify_read_is_right(verify, slba + done, batch, lba, snapshot + done, counts))
			check_batch(verify, slba + done, batch, lba, snapshot + done, counts, mismatch);
	}
	counts->mismatch += mismatch->count;
	return mismatch->count == 0;
}

bool pyn_verify_has_uncorrectable(const struct pyn_verify *verify)
{
	return atomic_load_explicit(&verify->shared->has_uncorrectable, memory_order_relaxed);
}

/* Number of first LBAs that are all uncorrectable, or all not. */
static uint32_t count_alike(const uint64_t *cells, uint32_t count, bool uncorrectable)
{
	uint32_t alike = 0;

	while (alike < count && (pyn_cell_state_of(cells[alike]) == PYN_CELL_UNCORRECTABLE) == uncorrectable)
		alike++;
	return alike;
}

uint64_t pyn_verify_alike(const struct pyn_verify *verify, uint64_t slba, uint64_t nlb, bool *uncorrectable)
{
	uint64_t count = pyn_verify_clip(verify->past, slba, nlb), cells[PYN_VERIFY_BATCH];

	*uncorrectable = false;
	for (uint64_t done = 0; done < count; done += PYN_VERIFY_BATCH) {
		uint32_t batch = count - done < PYN_VERIFY_BATCH ? (uint32_t)(count - done) : PYN_VERIFY_BATCH;

		pyn_verify_read_begin(verify, slba + done, batch, cells);
		if (done == 0)
			*uncorrectable = pyn_cell_state_of(cells[0]) == PYN_CELL_UNCORRECTABLE;
		uint32_t alike = count_alike(cells, batch, *uncorrectable);

		if (alike < batch)
			return done + alike;
	}
	/* LBAs beyond the table are never known to be uncorrectable. */
	return *uncorrectable ? count : nlb;
}

static void metadata_text(const struct pyn_mismatch *mismatch, uint32_t nsid, char *text, size_t size)
{
	snprintf(text, size,
		 "nsid %u LBA 0x%llx has wrong metadata: not what was written last; %u LBA%s of this read mismatch; "
		 "CRC-32C of the metadata expected %08x, found %08x; they begin with %016llx and end with %016llx",
		 nsid, (unsigned long long)mismatch->lba, mismatch->count, mismatch->count == 1 ? "" : "s",
		 mismatch->expected_crc, mismatch->found_crc,
		 (unsigned long long)__builtin_bswap64(mismatch->found_lba),
		 (unsigned long long)__builtin_bswap64(mismatch->found_token));
}

static void append_text(const struct pyn_mismatch *mismatch, uint32_t nsid, char *text, size_t size)
{
	snprintf(text, size,
		 "nsid %u: a Zone Append of %u LBA%s reported LBA 0x%llx, but by the write pointer the appends in "
		 "flight "
		 "went to LBAs 0x%llx to 0x%llx, each to its own",
		 nsid, mismatch->count, mismatch->count == 1 ? "" : "s", (unsigned long long)mismatch->lba,
		 (unsigned long long)mismatch->found_lba, (unsigned long long)mismatch->found_token - 1);
}

/* The length of a value, for a text. */
static void value_text(uint64_t length, char *text, size_t size)
{
	if (length == UINT32_MAX)
		snprintf(text, size, "no value");
	else
		snprintf(text, size, "%llu bytes", (unsigned long long)length);
}

static void key_text(const struct pyn_mismatch *mismatch, uint32_t nsid, char *text, size_t size)
{
	char key[PYN_KEY_TEXT], other[PYN_KEY_TEXT], expected[32], found[32], what[PYN_KEY_TEXT + 40];

	pyn_key_text(&mismatch->key, key);
	pyn_key_text(&mismatch->other, other);
	value_text(mismatch->lba, expected, sizeof(expected));
	value_text(mismatch->found_lba, found, sizeof(found));
	switch (mismatch->kind) {
	case PYN_MISMATCH_LOST:
		snprintf(what, sizeof(what), "lost: the drive says that it does not exist");
		break;
	case PYN_MISMATCH_STALE:
		snprintf(what, sizeof(what), "stale: an older value, or that of a deleted key");
		break;
	case PYN_MISMATCH_MISDIRECTED:
		snprintf(what, sizeof(what), "misdirected: the value of key %s", other);
		break;
	default:
		snprintf(what, sizeof(what), "corrupt: a value that was not stored");
		break;
	}
	snprintf(text, size, "nsid %u key %s is %s; expected %s with CRC-32C %08x, found %s with CRC-32C %08x", nsid,
		 key, what, expected, mismatch->expected_crc, found, mismatch->found_crc);
}

void pyn_mismatch_text(const struct pyn_mismatch *mismatch, uint32_t nsid, char *text, size_t size)
{
	static const char *const what[] = {
		[PYN_MISMATCH_NONE] = "right",
		[PYN_MISMATCH_CORRUPT] = "corrupt: neither the last write nor any other known data",
		[PYN_MISMATCH_STALE] = "stale: an older write of this LBA",
		[PYN_MISMATCH_MISDIRECTED] = "misdirected: the data of another LBA",
		[PYN_MISMATCH_LOST] = "lost: zeros where data were",
		[PYN_MISMATCH_READABLE] = "readable, though it was marked uncorrectable",
	};

	if (mismatch->key.length) {
		key_text(mismatch, nsid, text, size);
		return;
	}
	if (mismatch->kind == PYN_MISMATCH_METADATA) {
		metadata_text(mismatch, nsid, text, size);
		return;
	}
	if (mismatch->kind == PYN_MISMATCH_APPEND) {
		append_text(mismatch, nsid, text, size);
		return;
	}
	unsigned kind = mismatch->kind < sizeof(what) / sizeof(what[0]) ? mismatch->kind : 0;

	snprintf(text, size,
		 "nsid %u LBA 0x%llx is %s; %u LBA%s of this read mismatch; CRC-32C expected %08x, found %08x; "
		 "the data name LBA 0x%llx, token 0x%llx",
		 nsid, (unsigned long long)mismatch->lba, what[kind], mismatch->count,
		 mismatch->count == 1 ? "" : "s", mismatch->expected_crc, mismatch->found_crc,
		 (unsigned long long)mismatch->found_lba, (unsigned long long)mismatch->found_token);
}
