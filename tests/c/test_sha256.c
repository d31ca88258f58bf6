/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/util/sha256.c */
/* The examples of FIPS 180-4 and RFC 4231. */
#include "core/util/sha256.h"

#include <stdio.h>
#include <string.h>

#include "tests/c/test.h"

static const char *hex(const uint8_t hash[PYN_SHA256_SIZE])
{
	static char text[2 * PYN_SHA256_SIZE + 1];

	for (unsigned i = 0; i < PYN_SHA256_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	return text;
}

static const char *hash_of(const void *data, size_t length)
{
	uint8_t hash[PYN_SHA256_SIZE];

	pyn_sha256(data, length, hash);
	return hex(hash);
}

TEST(hashes)
{
	static char many[1000000];

	memset(many, 'a', sizeof(many));
	CHECK_STR(hash_of("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	CHECK_STR(hash_of("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK_STR(hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56),
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	CHECK_STR(hash_of(many, sizeof(many)), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Padding takes another block from 56 bytes on. */
TEST(lengths_around_a_block)
{
	uint8_t data[130] = {0};

	CHECK_STR(hash_of(data, 55), "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7");
	CHECK_STR(hash_of(data, 64), "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}

static const char *mac_of(const void *key, size_t key_length, const void *data, size_t length)
{
	uint8_t mac[PYN_SHA256_SIZE];

	pyn_hmac_sha256(key, key_length, data, length, mac);
	return hex(mac);
}

TEST(codes)
{
	uint8_t key[20], data[50];

	memset(key, 0x0b, sizeof(key));
	CHECK_STR(mac_of(key, sizeof(key), "Hi There", 8),
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	CHECK_STR(mac_of("Jefe", 4, "what do ya want for nothing?", 28),
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	memset(data, 0xdd, sizeof(data));
	CHECK_STR(mac_of(key, sizeof(key), data, sizeof(data)),
		  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
}
