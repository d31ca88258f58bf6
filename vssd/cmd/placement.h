/* SPDX-License-Identifier: BSD-3-Clause */
/* Where writes go: the directive of a command (Streams, Data Placement), and I/O Management. */
#ifndef VSSD_CMD_PLACEMENT_H
#define VSSD_CMD_PLACEMENT_H

#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/cmd/request.h"
#include "vssd/subsystem/fdp.h"

/* Check DTYPE and DSPEC of a command that writes. Returns a status. */
uint16_t vssd_placement_check(struct vssd_request *request);

/* The command has written these LBAs of its namespace: account for them where its directive says. */
void vssd_placement_wrote(struct vssd_request *request, uint64_t slba, uint64_t nlb);

uint16_t vssd_io_management_receive(struct vssd_request *request);
uint16_t vssd_io_management_send(struct vssd_request *request);

/* ---- directive.c ---- */

uint16_t vssd_directive_send(struct vssd_request *request);
uint16_t vssd_directive_receive(struct vssd_request *request);

/* Whether the host has enabled the Streams directive for a namespace. */
bool vssd_streams_enabled(const struct vssd_ctrl *ctrl, uint32_t nsid);

/* A write names a stream: open it. If the namespace has no room for one more, the one that was used least recently is
 * closed. */
void vssd_streams_use(struct vssd_ctrl *ctrl, uint32_t nsid, uint16_t sid);

/* ---- log_fdp.c: fill in a log page; each returns a status ---- */

#define VSSD_FDP_CONFIGURATIONS_SIZE 192u
#define VSSD_FDP_USAGE_SIZE (8u + 8u * VSSD_RECLAIM_HANDLES)
#define VSSD_FDP_EVENTS_SIZE 4096u

/* Check the endurance group that a Get Log Page names. Pages other than the configurations need FDP enabled. */
uint16_t vssd_fdp_log_check(struct vssd_request *request, bool needs_fdp);

void vssd_fdp_log_configurations(const struct vssd_fdp *fdp, uint8_t *page);
void vssd_fdp_log_usage(const struct vssd_fdp *fdp, struct nvme_fdp_usage_log *log);
void vssd_fdp_log_statistics(const struct vssd_fdp *fdp, struct nvme_fdp_statistics_log *log);
void vssd_fdp_log_events(const struct vssd_fdp *fdp, bool by_host, struct nvme_fdp_events_log *log);

#endif
