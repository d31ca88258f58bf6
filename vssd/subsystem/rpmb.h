/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replay protected memory blocks (RPMB): targets whose data only those can write who know the key, each write once.
 * Frames come and go by Security Send and Security Receive. NVM Express Base Specification 2.1, section 8.1.21.
 */
#ifndef VSSD_SUBSYSTEM_RPMB_H
#define VSSD_SUBSYSTEM_RPMB_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_rpmb.h"
#include "vssd/store/store.h"

#define VSSD_RPMB_PROTOCOL 0xeau
#define VSSD_RPMB_SPSP 1u
#define VSSD_RPMB_TARGETS 4u
#define VSSD_RPMB_UNITS 2u   /* of 128 KiB: the size of a target */
#define VSSD_RPMB_ACCESS 32u /* most sectors of a request */
#define VSSD_RPMB_SECTOR 512u
#define VSSD_RPMB_SIZE (VSSD_RPMB_UNITS * 131072u)
#define VSSD_RPMB_BLOCKS (1u + VSSD_RPMB_TARGETS * VSSD_RPMB_SIZE / VSSD_BLOCK_SIZE) /* of the store */

struct vssd_subsystem;
struct vssd_rpmb;

/* How a Security Send or Security Receive ends. */
enum vssd_rpmb_end {
	VSSD_RPMB_DONE,
	VSSD_RPMB_BAD_TARGET,   /* there is no such target, or the frame names another one */
	VSSD_RPMB_BAD_FRAME,    /* its length or its message is wrong */
	VSSD_RPMB_BAD_SEQUENCE, /* there is no response */
};

/* Create the targets, with what the store holds. NULL: there is no memory. */
struct vssd_rpmb *vssd_rpmb_create(struct vssd_subsystem *subsystem);

/* The bytes of the request that begins with this frame, and of the response that a target has, or 0. */
uint32_t vssd_rpmb_request_length(const struct nvme_rpmb_frame *frame);
uint32_t vssd_rpmb_response_length(const struct vssd_subsystem *subsystem, uint8_t target);

/* Execute a request. target: NSSF. How it ends for the host is in the response. */
enum vssd_rpmb_end vssd_rpmb_send(struct vssd_subsystem *subsystem, uint8_t target, const uint8_t *data,
				  uint32_t length);

/* Copy the response to the last request to a buffer of length zeros. */
enum vssd_rpmb_end vssd_rpmb_receive(struct vssd_subsystem *subsystem, uint8_t target, uint8_t *buffer,
				     uint32_t length);

/* The Device Configuration Block. */
const struct nvme_rpmb_configuration *vssd_rpmb_configuration(const struct vssd_rpmb *rpmb);

/* Handle a reset or a power cycle: drop responses, lock the boot partitions, and clear WPC. */
void vssd_rpmb_reset(struct vssd_subsystem *subsystem);

#endif
