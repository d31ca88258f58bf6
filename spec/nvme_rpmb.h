/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RPMB: frames, messages, results and the Device Configuration Block.
 * NVM Express Base Specification 2.1, section 8.1.21.
 * Layout only, no behaviour. Host and virtual SSD both include it.
 * Generated from spec/rpmb.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_RPMB_H
#define SPEC_NVME_RPMB_H

#include <stddef.h>
#include <stdint.h>

/* request and response messages of RPMB. Section 8.1.21. */
enum nvme_rpmb_message {
	NVME_RPMB_PROGRAM_KEY = 0x0001, /* Authentication Key programming */
	NVME_RPMB_READ_COUNTER = 0x0002, /* reading of the Write Counter */
	NVME_RPMB_WRITE = 0x0003, /* Authenticated Data Write */
	NVME_RPMB_READ = 0x0004, /* Authenticated Data Read */
	NVME_RPMB_READ_RESULT = 0x0005, /* Result read */
	NVME_RPMB_WRITE_CONFIGURATION = 0x0006, /* Authenticated Device Configuration Block Write */
	NVME_RPMB_READ_CONFIGURATION = 0x0007, /* Authenticated Device Configuration Block Read */
	NVME_RPMB_KEY_PROGRAMMED = 0x0100, /* response to 0001h */
	NVME_RPMB_COUNTER_READ = 0x0200, /* response to 0002h */
	NVME_RPMB_WRITTEN = 0x0300, /* response to 0003h */
	NVME_RPMB_DATA_READ = 0x0400, /* response to 0004h */
	NVME_RPMB_CONFIGURATION_WRITTEN = 0x0600, /* response to 0006h */
	NVME_RPMB_CONFIGURATION_READ = 0x0700, /* response to 0007h */
};

/* status of an RPMB operation, bits 6:0 of the result. Section 8.1.21. */
enum nvme_rpmb_result {
	NVME_RPMB_RESULT_SUCCESS = 0x00,
	NVME_RPMB_RESULT_GENERAL_FAILURE = 0x01,
	NVME_RPMB_RESULT_AUTHENTICATION_FAILURE = 0x02, /* the MAC does not match */
	NVME_RPMB_RESULT_COUNTER_FAILURE = 0x03, /* the Write Counter does not match */
	NVME_RPMB_RESULT_ADDRESS_FAILURE = 0x04, /* the address is out of range */
	NVME_RPMB_RESULT_WRITE_FAILURE = 0x05,
	NVME_RPMB_RESULT_READ_FAILURE = 0x06,
	NVME_RPMB_RESULT_NO_KEY = 0x07, /* the Authentication Key is not programmed yet */
	NVME_RPMB_RESULT_INVALID_CONFIGURATION = 0x08, /* invalid Device Configuration Block */
};

/* RPMB Data Frame, which data may follow. Section 8.1.21. */
struct nvme_rpmb_frame {
	uint8_t rsvd0[191];
	uint8_t mac[32]; /* message authentication code, or the key */
	uint8_t target; /* RPMB target */
	uint8_t nonce[16]; /* random number of the host, which the response repeats */
	uint32_t counter; /* Write Counter */
	uint32_t address; /* first sector, 512 bytes */
	uint32_t sectors; /* sectors, 512 bytes */
	uint16_t result; /* result, bits 6:0 STATUS, 7 EXPIRED */
	uint16_t message; /* request or response, enum nvme_rpmb_message */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_rpmb_frame) == 256, "RPMB frame");

/* RPMB Device Configuration Block. Section 8.1.21. */
struct nvme_rpmb_configuration {
	uint8_t bppe; /* boot partition protection by RPMB, bits 0 ENABLED */
	uint8_t bpl; /* locks of boot partitions, bits 0 BP0, 1 BP1 */
	/* which write protection of namespaces Set Features may set, bits 0 UNTIL_POWER_CYCLE, 1 PERMANENT */
	uint8_t wpc;
	uint8_t rsvd3[509];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_rpmb_configuration) == 512, "RPMB Device Configuration Block");

#endif
