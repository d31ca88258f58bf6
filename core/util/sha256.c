/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/util/sha256.h"

#include <string.h>

#define BLOCK PYN_SHA256_BLOCK
#define LENGTH_AT 56u /* of the last block: how many bits there are */
#define INNER_PAD 0x36u
#define OUTER_PAD 0x5cu

struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes */
	uint8_t block[BLOCK];
};

/* The fractions of the square roots of the first 8 primes, and of the cube roots of the first 64: FIPS 180-4, 5.3.3
 * and 4.2.2. */
static const uint32_t initial[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned bits)
{
	return x >> bits | x << (32 - bits);
}

static void expand(const uint8_t *block, uint32_t words[64])
{
	for (unsigned i = 0; i < 16; i++)
		words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
			   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (unsigned i = 16; i < 64; i++) {
		uint32_t early = words[i - 15], late = words[i - 2];

		words[i] = words[i - 16] + words[i - 7] + (rotate(early, 7) ^ rotate(early, 18) ^ early >> 3) +
			   (rotate(late, 17) ^ rotate(late, 19) ^ late >> 10);
	}
}

static void compress(struct sha256 *sha, const uint8_t *block)
{
	uint32_t words[64], v[8];

	expand(block, words);
	memcpy(v, sha->state, sizeof(v));
	for (unsigned i = 0; i < 64; i++) {
		uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		uint32_t first = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + choice +
				 constants[i] + words[i];
		uint32_t second = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + majority;

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += first;
		v[0] = first + second;
	}
	for (unsigned i = 0; i < 8; i++)
		sha->state[i] += v[i];
}

static void begin(struct sha256 *sha)
{
	memcpy(sha->state, initial, sizeof(initial));
	sha->length = 0;
}

static void add(struct sha256 *sha, const void *data, size_t length)
{
	const uint8_t *at = data;

	while (length > 0) {
		size_t used = sha->length % BLOCK, room = BLOCK - used, piece = length < room ? length : room;

		memcpy(sha->block + used, at, piece);
		sha->length += piece;
		at += piece;
		length -= piece;
		if (used + piece == BLOCK)
			compress(sha, sha->block);
	}
}

static void put_be(uint8_t *at, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

/* Pad the data by a bit that is 1, zeros and their length. */
static void end(struct sha256 *sha, uint8_t hash[PYN_SHA256_SIZE])
{
	static const uint8_t padding[BLOCK] = {0x80};
	uint64_t bits = sha->length * 8;
	size_t used = sha->length % BLOCK;
	uint8_t length[8];

	put_be(length, sizeof(length), bits);
	add(sha, padding, used < LENGTH_AT ? LENGTH_AT - used : BLOCK + LENGTH_AT - used);
	add(sha, length, sizeof(length));
	for (unsigned i = 0; i < 8; i++)
		put_be(hash + 4 * i, 4, sha->state[i]);
}

void pyn_sha256(const void *data, size_t length, uint8_t hash[PYN_SHA256_SIZE])
{
	struct sha256 sha;

	begin(&sha);
	add(&sha, data, length);
	end(&sha, hash);
}

/* Begin a hash of the key, padded by this byte. */
static void begin_keyed(struct sha256 *sha, const uint8_t *key, size_t key_length, uint8_t pad)
{
	uint8_t block[BLOCK];

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < key_length && i < BLOCK; i++)
		block[i] ^= key[i];
	begin(sha);
	add(sha, block, sizeof(block));
}

void pyn_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
		     uint8_t mac[PYN_SHA256_SIZE])
{
	struct sha256 sha;
	uint8_t inner[PYN_SHA256_SIZE];

	begin_keyed(&sha, key, key_length, INNER_PAD);
	add(&sha, data, length);
	end(&sha, inner);
	begin_keyed(&sha, key, key_length, OUTER_PAD);
	add(&sha, inner, sizeof(inner));
	end(&sha, mac);
}
