/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The persistent event log, which the option --persistent-events gives to the drive. Its events are in the annex.
 * When it is full, the oldest ones make room. NVM Express Base Specification 2.1, section 5.1.12.1.14.
 */
#ifndef VSSD_SUBSYSTEM_PEL_H
#define VSSD_SUBSYSTEM_PEL_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/subsystem/part.h"

#define VSSD_PELS 1u /* the largest log page, units of 64 KiB */

/* Records power-ons and resets. */
extern const struct vssd_subsystem_part vssd_pel_part;

/* Whether the drive has such a log. */
bool vssd_pel_is_there(const struct vssd_subsystem *subsystem);

/* Take over the events of the annex. They may come from a file with any contents: those before the first damaged one
 * are kept. */
void vssd_pel_open(struct vssd_subsystem *subsystem);

/* The timestamp of an event that happens now, with its origin. */
uint64_t vssd_pel_timestamp(const struct vssd_subsystem *subsystem);

#define VSSD_PEL_SUBSYSTEM 1u /* CNTLID of the controller that records what no controller has done */

/* Record an event with data of this length. cntlid: the controller whose command it is, or VSSD_PEL_SUBSYSTEM. Does
 * nothing if the drive has no such log. */
void vssd_pel_add(struct vssd_subsystem *subsystem, enum nvme_persistent_event_type type, uint16_t cntlid,
		  const void *data, uint16_t length);

/* Record that the drive has become warmer or cooler than a threshold. Call it when the temperature has changed. */
void vssd_pel_temperature(struct vssd_subsystem *subsystem);

/* How many bytes all events have, and how many events there are. */
uint32_t vssd_pel_bytes(const struct vssd_subsystem *subsystem);
uint32_t vssd_pel_count(const struct vssd_subsystem *subsystem);

/* Copy all events, the newest first. to: room for vssd_pel_bytes(). */
void vssd_pel_copy(const struct vssd_subsystem *subsystem, uint8_t *to);

/* Set the bits of the types that the drive can record. */
void vssd_pel_supported(uint8_t seb[32]);

#endif
