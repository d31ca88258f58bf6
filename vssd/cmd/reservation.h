/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of reservations. NVM Express Base Specification 2.1, sections 7.5 to 7.8 and 8.1.22. */
#ifndef VSSD_CMD_RESERVATION_H
#define VSSD_CMD_RESERVATION_H

#include "spec/nvme_feature.h"
#include "vssd/cmd/request.h"

struct vssd_ns;

uint16_t vssd_reservation_register_cmd(struct vssd_request *request);
uint16_t vssd_reservation_report(struct vssd_request *request);
uint16_t vssd_reservation_acquire_cmd(struct vssd_request *request);
uint16_t vssd_reservation_release_cmd(struct vssd_request *request);

/* Refuse a command if a reservation of the namespace forbids this access, VSSD_ACCESS_*, to the host. Returns a
 * status.
 */
uint16_t vssd_reservation_check(struct vssd_request *request, const struct vssd_ns *ns, unsigned access);

/* The same, for the namespaces that NSID names (FFFFFFFFh: all that are attached), and for all of the subsystem. */
uint16_t vssd_reservation_check_named(struct vssd_request *request, unsigned access);
uint16_t vssd_reservation_check_all(struct vssd_request *request, unsigned access);

/* The same, for an I/O command to its own namespaces. */
uint16_t vssd_reservation_check_io(struct vssd_request *request);

/* Features 82h and 83h. */
uint16_t vssd_reservation_mask_set(struct vssd_request *request);
uint16_t vssd_reservation_mask_get(struct vssd_request *request, enum nvme_feature_select select);
uint16_t vssd_reservation_persistence_set(struct vssd_request *request);
uint16_t vssd_reservation_persistence_get(struct vssd_request *request, enum nvme_feature_select select);

#endif
