/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands to a namespace whose LBAs have metadata, in a buffer of their own (MPTR) or behind the data of each LBA,
 * and perhaps protection information in them. NVM Express NVM Command Set Specification 1.1, sections 5.2.1 and 5.3.
 * The caller has checked the range.
 */
#ifndef VSSD_CMD_METADATA_H
#define VSSD_CMD_METADATA_H

#include "vssd/cmd/protection.h"
#include "vssd/cmd/request.h"
#include "vssd/cmd/stored.h"
#include "vssd/subsystem/namespace.h"

/* Execute the transfer of a command: map its data, and move data and metadata. All return a status. readable is
 * called when the data are mapped and before any is read; it returns a status. A write that fails, and a trial of
 * one, changes nothing. */
uint16_t vssd_metadata_read(struct vssd_request *request, uint16_t (*readable)(struct vssd_request *request));
uint16_t vssd_metadata_write(struct vssd_request *request);
uint16_t vssd_metadata_compare(struct vssd_request *request, uint16_t (*readable)(struct vssd_request *request));

/* Check the protection information of LBAs that can be read. Returns a status. */
uint16_t vssd_metadata_verify(struct vssd_request *request);

/* Check the fields of a Write Zeroes, and begin its task. Returns a status. */
uint16_t vssd_metadata_check_zeroes(struct vssd_request *request, struct vssd_pi_task *task);

/* Whether a Write Zeroes asks the drive to make protection information, so that its LBAs are written one by one. */
bool vssd_metadata_makes_zeroes(const struct vssd_request *request);

/* Write zeros and the protection information of each LBA. Returns a status. */
uint16_t vssd_metadata_zero(struct vssd_request *request, struct vssd_pi_task *task);

#endif
