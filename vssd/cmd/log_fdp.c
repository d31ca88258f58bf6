/* SPDX-License-Identifier: BSD-3-Clause */
/* The log pages of Flexible Data Placement. NVM Express Base Specification 2.1, sections 5.1.12.1.28 to 5.1.12.1.31.
 */
#include "vssd/cmd/placement.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define FDPCV 0x80u /* FDPA: the configuration is valid */

uint16_t vssd_fdp_log_check(struct vssd_request *request, bool needs_fdp)
{
	const struct vssd_fdp *fdp = request->ctrl->subsystem->fdp;

	if (nvme_get_field(&request->cmd, NVME_FIELD_GET_LOG_PAGE_LSI) != VSSD_ENDGID)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_LSI, "LSI, the endurance group"), VSSD_OWN);
	if (needs_fdp && !fdp->enabled)
		return vssd_refuse(request, NVME_SC_FDP_DISABLED,
				   VSSD_STATE("Flexible Data Placement is disabled in the endurance group"),
				   VSSD_OWN);
	return NVME_SC_SUCCESS;
}

void vssd_fdp_log_configurations(const struct vssd_fdp *fdp, uint8_t *page)
{
	struct nvme_fdp_configurations_log *log = (struct nvme_fdp_configurations_log *)page;
	uint8_t *at = log->configurations;

	for (unsigned i = 0; i < VSSD_FDP_CONFIGURATIONS; i++) {
		const struct vssd_fdp_configuration *from = vssd_fdp_configuration(i);
		struct nvme_fdp_configuration *to = (struct nvme_fdp_configuration *)at;

		*to = (struct nvme_fdp_configuration){
			.dsze = (uint16_t)(sizeof(*to) + from->handles * sizeof(to->ruh[0])),
			.fdpa = (uint8_t)(FDPCV | from->rgif),
			.nrg = from->groups,
			.nruh = from->handles,
			.maxpids = (uint16_t)(from->handles * from->groups - 1),
			.nns = VSSD_MAX_NAMESPACES,
			.runs = vssd_reclaim_unit(fdp->reclaim) * VSSD_SECTOR_SIZE,
		};
		for (unsigned ruh = 0; ruh < from->handles; ruh++)
			to->ruh[ruh].ruht = from->type;
		at += to->dsze;
	}
	log->nfdpc = VSSD_FDP_CONFIGURATIONS - 1;
	log->size = (uint32_t)(at - page);
}

void vssd_fdp_log_usage(const struct vssd_fdp *fdp, struct nvme_fdp_usage_log *log)
{
	log->nruh = vssd_fdp_configuration(fdp->configuration)->handles;
	for (unsigned ruh = 0; ruh < log->nruh; ruh++)
		log->ruh[ruh].ruha = vssd_fdp_usage(fdp, ruh);
}

void vssd_fdp_log_statistics(const struct vssd_fdp *fdp, struct nvme_fdp_statistics_log *log)
{
	const struct vssd_reclaim_statistics *statistics = vssd_reclaim_statistics(fdp->reclaim);

	log->hbmw[0] = statistics->host_bytes;
	log->mbmw[0] = statistics->media_bytes;
	log->mbe[0] = statistics->erased_bytes;
}

void vssd_fdp_log_events(const struct vssd_fdp *fdp, bool by_host, struct nvme_fdp_events_log *log)
{
	const struct vssd_fdp_ring *ring = by_host ? &fdp->by_host : &fdp->by_ctrl;

	log->nfdpe = ring->count;
	for (uint32_t i = 0; i < ring->count; i++)
		log->events[i] = ring->events[(ring->first + i) % VSSD_FDP_EVENTS];
}
