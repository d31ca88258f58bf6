/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SHA-256 (FIPS 180-4) and HMAC SHA-256 (RFC 2104), which authenticate the frames of RPMB. They are not made to keep
 * a key secret from others on this machine. All functions may be called from any thread.
 */
#ifndef PYN_UTIL_SHA256_H
#define PYN_UTIL_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define PYN_SHA256_SIZE 32u
#define PYN_SHA256_BLOCK 64u

/* The hash of length bytes. */
void pyn_sha256(const void *data, size_t length, uint8_t hash[PYN_SHA256_SIZE]);

/* The message authentication code of length bytes by a key of at most PYN_SHA256_BLOCK bytes. */
void pyn_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
		     uint8_t mac[PYN_SHA256_SIZE]);

#endif
