/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checksums that guard protection information, besides CRC-32C (NVM Command Set Specification 1.0, 5.2.1): CRC-16
 * of T10 DIF (polynomial 8BB7h) and the 64-bit one of NVMe (AD93D23594C93659h, reflected, inverted). Data need no
 * alignment.
 */
#ifndef PYN_UTIL_GUARDS_H
#define PYN_UTIL_GUARDS_H

#include <stddef.h>
#include <stdint.h>

/* seed is 0, or the result for the bytes before these. */
uint16_t pyn_crc16(uint16_t seed, const void *data, size_t length);
uint64_t pyn_crc64(uint64_t seed, const void *data, size_t length);

#endif
