/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a zoned namespace adds to reads and writes, and to Identify and the log pages. Zoned Namespace Command Set
 * Specification 1.2. The commands of the NVM command set call the first functions for every namespace: they return
 * success, and do nothing, if it is not zoned. The caller has checked that the LBAs are below NSZE.
 */
#ifndef VSSD_CMD_ZONES_H
#define VSSD_CMD_ZONES_H

#include "spec/nvme_id.h"
#include "spec/nvme_log.h"
#include "vssd/cmd/request.h"
#include "vssd/ctrl/controller.h"
#include "vssd/fault/value.h"

static inline bool vssd_is_zoned(const struct vssd_ns *ns)
{
	return __builtin_expect(ns->csi == NVME_CSI_ZNS, 0);
}

/* Check that LBAs of a namespace, which the command names, can be read. Returns a status. */
uint16_t vssd_zones_check_read(struct vssd_request *request, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb);

/* Check that LBAs of the command's namespace can be written, and open their zone, unless it is a trial. Returns a
 * status. */
uint16_t vssd_zones_check_write(struct vssd_request *request, uint64_t slba, uint64_t nlb);

/* Advance the write pointer: the LBAs are written. */
void vssd_zones_written(struct vssd_request *request, uint64_t slba, uint64_t nlb);

/* Make what was written durable. It comes after vssd_zones_written(). */
void vssd_zones_commit(struct vssd_request *request, uint64_t slba);

/* ---- for zone_commands.c ---- */

/* The zones of the command's namespace, and the size of their random write areas and what these are flushed by, in
 * LBAs. */
struct vssd_zones *vssd_zones_of_request(const struct vssd_request *request);
uint64_t vssd_zrwa_size(const struct vssd_request *request);
uint64_t vssd_zrwa_granularity(const struct vssd_request *request);

/* Fail a command because of a zone. Returns the status. */
uint16_t vssd_zone_refuse(struct vssd_request *request, uint16_t status, const struct vssd_zone *zone,
			  const char *what);

/* Name the reason of the status of a transition, which may be success. Returns the status. */
uint16_t vssd_zone_explain(struct vssd_request *request, uint16_t status, const struct vssd_zone *zone);

/* Check that the state of a zone allows writes. Returns a status. */
uint16_t vssd_zone_check_state(struct vssd_request *request, const struct vssd_zone *zone);

/* ---- for other files ---- */

/* Do what a fault rule says to the zone of a command, or to all from now on. */
void vssd_zones_fault(const struct vssd_request *request, enum vssd_fault_zone fault);

/* Fill in structures of zeros. lba_shift: of the LBAs in which the structure counts. The second one fills in what all
 * zoned namespaces have in common. */
void vssd_zones_identify(const struct vssd_ctrl *ctrl, uint8_t lba_shift, const struct vssd_zone_limits *limits,
			 struct nvme_id_ns_zns *id);
void vssd_zones_identify_formats(const struct vssd_ctrl *ctrl, struct nvme_id_ns_zns *id);
void vssd_zones_identify_controller(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl_zns *id);

/* Fill in the Changed Zone List of a namespace, and clear it. Both do nothing if it is not zoned. */
void vssd_zones_changed(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, struct nvme_changed_zones_log *log);
void vssd_zones_forget_changed(const struct vssd_ctrl *ctrl, uint32_t nsid);

#endif
