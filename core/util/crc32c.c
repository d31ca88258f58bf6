/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In the reflected form a 32-bit value is a polynomial whose x^0 is bit 31. Two facts carry everything below:
 *
 *   crc32(c, w)  of a 64-bit word w is (c * x^32 + w) * x^32 modulo the polynomial;
 *   clmul(a, b)  of two 32-bit values, read as such a word, is a * b * x (its top bit stays 0).
 *
 * So crc32(0, clmul(c, x^(n-33))) = c * x^n, which moves a CRC c over n zero bits that follow it.
 */
#include "core/util/crc32c.h"

#include <immintrin.h>
#include <string.h>

#define POLYNOMIAL UINT32_C(0x82f63b78)
#define X31 UINT32_C(1) /* x^31 = x^(64-33): moves over 64 bits */
#define LANES 3
#define WORD sizeof(uint64_t)
#define LANE_WORDS 170 /* in the longest piece: 3 * 170 words are 4096 bytes less two words */

#define HARDWARE __attribute__((target("sse4.2,pclmul")))
#define WIDE __attribute__((target("sse4.2,pclmul,avx512f,avx512vl,vpclmulqdq")))
#define STRIDE 256u /* bytes that the wide code consumes per round: four vectors */

static uint32_t the_tables[8][256];
/* the_shifts[i] = x^(64*i - 33), which moves over i words; [0] is not used. */
static uint32_t the_shifts[(LANES - 1) * LANE_WORDS + 1];

/* the_folds[i] moves a 128-bit value over i * 128 bits: the factors of its earlier and of its later half. */
static uint64_t the_folds[STRIDE / 16 + 1][2];
static uint64_t the_lanes[4][2]; /* factors that move each value of a vector to the last; none for the last */

static struct {
	uint32_t (*update)(uint32_t crc, const uint8_t *data, size_t length);
	void (*blocks)(const uint8_t *data, size_t block, size_t count, uint32_t *crc);
	void (*restamp)(uint32_t shift, const uint32_t *base, uint64_t first, uint64_t last, size_t count,
			uint32_t *crc);
} the_code;

static inline uint64_t load(const uint8_t *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

/* With tables: entry [i][b] is byte b moved over i more bytes. */

static void tables_init(void)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		the_tables[0][byte] = crc;
	}
	for (unsigned i = 1; i < 8; i++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			uint32_t crc = the_tables[i - 1][byte];

			the_tables[i][byte] = crc >> 8 ^ the_tables[0][crc & 0xff];
		}
	}
}

static uint32_t tables_word(uint32_t crc, uint64_t word)
{
	uint32_t next = 0;

	word ^= crc;
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++)
		next ^= the_tables[7 - i][word >> (8 * i) & 0xff];
	return next;
}

static uint32_t tables_update(uint32_t crc, const uint8_t *data, size_t length)
{
	for (; length >= WORD; length -= WORD, data += WORD)
		crc = tables_word(crc, load(data));
	for (; length; length--, data++)
		crc = crc >> 8 ^ the_tables[0][(crc ^ *data) & 0xff];
	return crc;
}

static void tables_blocks(const uint8_t *data, size_t block, size_t count, uint32_t *crc)
{
	for (size_t i = 0; i < count; i++)
		crc[i] = ~tables_update(~UINT32_C(0), data + i * block, block);
}

static uint64_t tables_clmul(uint32_t a, uint32_t b)
{
	uint64_t product = 0;

	for (int bit = 0; bit < 32; bit++)
		product ^= b >> bit & 1 ? (uint64_t)a << bit : 0;
	return product;
}

static void tables_restamp(uint32_t shift, const uint32_t *base, uint64_t first, uint64_t last, size_t count,
			   uint32_t *crc)
{
	for (size_t i = 0; i < count; i++)
		crc[i] = base[i] ^ tables_word(0, (last + i) ^ tables_clmul(tables_word(0, first + i), shift));
}

/* With the instructions. */

HARDWARE static inline uint64_t clmul(uint64_t a, uint64_t b)
{
	__m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)a), _mm_cvtsi64_si128((int64_t)b), 0);

	return (uint64_t)_mm_cvtsi128_si64(product);
}

HARDWARE static inline uint32_t bytes_update(uint32_t crc, const uint8_t *data, size_t length)
{
	uint64_t c = crc;

	for (; length >= WORD; length -= WORD, data += WORD)
		c = _mm_crc32_u64(c, load(data));
	for (; length; length--, data++)
		c = _mm_crc32_u8((uint32_t)c, *data);
	return (uint32_t)c;
}

/* Update three CRCs: with the words (at least 1) at data, at data + stride, and at data + 2 * stride. */
HARDWARE static inline void lanes_update(uint64_t crc[LANES], const uint8_t *data, size_t stride, size_t words)
{
	const uint8_t *end = data + words * WORD;
	uint64_t a = crc[0], b = crc[1], c = crc[2];

	for (; data < end; data += WORD) {
		a = _mm_crc32_u64(a, load(data));
		b = _mm_crc32_u64(b, load(data + stride));
		c = _mm_crc32_u64(c, load(data + 2 * stride));
	}
	crc[0] = a;
	crc[1] = b;
	crc[2] = c;
}

/* Update crc with a piece of 3 * words words; words is 2 to LANE_WORDS. The CRCs of the first two lanes go into the
 * last word of the third. */
HARDWARE static inline uint32_t piece_update(uint32_t crc, const uint8_t *data, size_t words)
{
	uint64_t lanes[LANES] = {crc};
	size_t stride = words * WORD;
	uint64_t last = load(data + LANES * stride - WORD);

	lanes_update(lanes, data, stride, words - 1);
	lanes[0] = _mm_crc32_u64(lanes[0], load(data + stride - WORD));
	lanes[1] = _mm_crc32_u64(lanes[1], load(data + 2 * stride - WORD));
	last ^= clmul(lanes[0], the_shifts[2 * words]) ^ clmul(lanes[1], the_shifts[words]);
	return (uint32_t)_mm_crc32_u64(lanes[2], last);
}

HARDWARE static uint32_t hardware_update(uint32_t crc, const uint8_t *data, size_t length)
{
	/* Below some 100 bytes the multiplications cost more than they gain. */
	while (length >= 128) {
		size_t words = length / (LANES * WORD);

		if (words > LANE_WORDS)
			words = LANE_WORDS;
		crc = piece_update(crc, data, words);
		data += words * LANES * WORD;
		length -= words * LANES * WORD;
	}
	return bytes_update(crc, data, length);
}

HARDWARE static void hardware_blocks(const uint8_t *data, size_t block, size_t count, uint32_t *crc)
{
	size_t tail = block % WORD;

	for (; count >= LANES; count -= LANES, data += LANES * block, crc += LANES) {
		uint64_t lanes[LANES] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};

		lanes_update(lanes, data, block, block / WORD);
		for (size_t i = 0; i < LANES; i++)
			crc[i] = ~bytes_update((uint32_t)lanes[i], data + (i + 1) * block - tail, tail);
	}
	for (; count; count--, data += block, crc++)
		*crc = ~hardware_update(UINT32_MAX, data, block);
}

HARDWARE static void hardware_restamp(uint32_t shift, const uint32_t *base, uint64_t first, uint64_t last,
				      size_t count, uint32_t *crc)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t moved = clmul(_mm_crc32_u64(0, first + i), shift);

		crc[i] = base[i] ^ (uint32_t)_mm_crc32_u64(0, (last + i) ^ moved);
	}
}

/*
 * The wide code multiplies four 128-bit values at a time, without carry. As a polynomial such a value is
 * earlier * x^64 + later. By the second fact at the top, its product with x^n is congruent to
 * clmul(earlier, x^(n+63)) + clmul(later, x^(n-1)), which has 128 bits again.
 */

WIDE static inline __m512i factors(size_t distance)
{
	return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)the_folds[distance]));
}

WIDE static inline __m512i fold(__m512i value, __m512i factors, __m512i onto)
{
	__m512i earlier = _mm512_clmulepi64_epi128(value, factors, 0x00);
	__m512i later = _mm512_clmulepi64_epi128(value, factors, 0x11);

	return _mm512_ternarylogic_epi64(earlier, later, onto, 0x96); /* the sum of all three */
}

/* Fold the four values of a vector into one that is congruent to them in a row, then take its remainder by the first
 * fact. */
WIDE static inline uint32_t remainder_of(__m512i value)
{
	__m512i last = _mm512_maskz_mov_epi64(0xc0, value); /* moves over nothing */
	__m512i sum = fold(value, _mm512_loadu_si512(the_lanes), last);
	__m256i half = _mm256_xor_si256(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));
	__m128i one = _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));

	return (uint32_t)_mm_crc32_u64(_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(one)),
				       (uint64_t)_mm_extract_epi64(one, 1));
}

/* length is at least STRIDE bytes. */
WIDE static inline uint32_t strides_update(uint32_t crc, const uint8_t *data, size_t length)
{
	const __m512i over_four = factors(16), over_three = factors(12), over_two = factors(8), over_one = factors(4);
	const uint8_t *end = data + length / STRIDE * STRIDE;
	__m512i first = _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)crc));
	__m512i a = _mm512_xor_si512(first, _mm512_loadu_si512(data));
	__m512i b = _mm512_loadu_si512(data + 64), c = _mm512_loadu_si512(data + 128);
	__m512i d = _mm512_loadu_si512(data + 192);

	for (data += STRIDE; data < end; data += STRIDE) {
		a = fold(a, over_four, _mm512_loadu_si512(data));
		b = fold(b, over_four, _mm512_loadu_si512(data + 64));
		c = fold(c, over_four, _mm512_loadu_si512(data + 128));
		d = fold(d, over_four, _mm512_loadu_si512(data + 192));
	}
	d = fold(a, over_three, fold(b, over_two, fold(c, over_one, d)));
	return bytes_update(remainder_of(d), end, length % STRIDE);
}

WIDE static uint32_t wide_update(uint32_t crc, const uint8_t *data, size_t length)
{
	return length < STRIDE ? hardware_update(crc, data, length) : strides_update(crc, data, length);
}

WIDE static void wide_blocks(const uint8_t *data, size_t block, size_t count, uint32_t *crc)
{
	if (block < STRIDE) {
		hardware_blocks(data, block, count, crc);
		return;
	}
	for (size_t i = 0; i < count; i++)
		crc[i] = ~strides_update(UINT32_MAX, data + i * block, block);
}

static enum pyn_crc32c_code best_code(void)
{
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("pclmul"))
		return PYN_CRC32C_TABLES;
	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
	    !__builtin_cpu_supports("vpclmulqdq"))
		return PYN_CRC32C_INSTRUCTIONS;
	return PYN_CRC32C_WIDE;
}

enum pyn_crc32c_code pyn_crc32c_choose(enum pyn_crc32c_code wanted)
{
	enum pyn_crc32c_code best = best_code(), chosen = wanted < best ? wanted : best;

	the_code.update = chosen == PYN_CRC32C_WIDE           ? wide_update
			  : chosen == PYN_CRC32C_INSTRUCTIONS ? hardware_update
							      : tables_update;
	the_code.blocks = chosen == PYN_CRC32C_WIDE           ? wide_blocks
			  : chosen == PYN_CRC32C_INSTRUCTIONS ? hardware_blocks
							      : tables_blocks;
	the_code.restamp = chosen == PYN_CRC32C_TABLES ? tables_restamp : hardware_restamp;
	return chosen;
}

/* x^exponent modulo the polynomial, as a 64-bit factor for clmul: in the upper half, where x^0 is bit 63. */
static uint64_t power(unsigned exponent)
{
	uint32_t value = UINT32_C(1) << 31;

	while (exponent--)
		value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
	return (uint64_t)value << 32;
}

static void folds_init(void)
{
	for (unsigned i = 1; i <= STRIDE / 16; i++) {
		the_folds[i][0] = power(128 * i + 63);
		the_folds[i][1] = power(128 * i - 1);
	}
	for (unsigned lane = 0; lane < 3; lane++)
		memcpy(the_lanes[lane], the_folds[3 - lane], sizeof(the_lanes[lane]));
}

/* Runs when the library is loaded, so calls need no check, and forked workers inherit the tables. */
__attribute__((constructor)) static void init(void)
{
	tables_init();
	the_shifts[1] = X31;
	for (size_t i = 2; i < sizeof(the_shifts) / sizeof(the_shifts[0]); i++)
		the_shifts[i] = tables_word(the_shifts[i - 1], 0);
	folds_init();
	pyn_crc32c_choose(PYN_CRC32C_WIDE);
}

uint32_t pyn_crc32c(uint32_t seed, const void *data, size_t length)
{
	return ~the_code.update(~seed, data, length);
}

void pyn_crc32c_blocks(const void *data, size_t block, size_t count, uint32_t *crc)
{
	the_code.blocks(data, block, count, crc);
}

struct pyn_crc32c_stamp pyn_crc32c_stamp_for(size_t block)
{
	static const uint8_t zeros[64];
	uint32_t shift = X31;

	for (size_t done = 2 * WORD; done < block; done += sizeof(zeros)) {
		size_t rest = block - done;

		shift = the_code.update(shift, zeros, rest < sizeof(zeros) ? rest : sizeof(zeros));
	}
	return (struct pyn_crc32c_stamp){shift};
}

uint32_t pyn_crc32c_restamp(const struct pyn_crc32c_stamp *stamp, uint32_t base, uint64_t first, uint64_t last)
{
	uint32_t crc;

	the_code.restamp(stamp->shift, &base, first, last, 1, &crc);
	return crc;
}

void pyn_crc32c_restamp_blocks(const struct pyn_crc32c_stamp *stamp, const uint32_t *base, uint64_t first,
			       uint64_t last, size_t count, uint32_t *crc)
{
	the_code.restamp(stamp->shift, base, first, last, count, crc);
}
