/* SPDX-License-Identifier: BSD-3-Clause */
/* The log pages of the endurance group and of Flexible Data Placement. NVM Express Base Specification 2.1, sections
 * 5.1.12.1.10 and 5.1.12.1.28 to 5.1.12.1.31. */
#include "vssd/cmd/placement.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define FDPCV 0x80u      /* FDPA: the configuration is valid */
#define UNIT 1000000000u /* bytes: units of the endurance group log */
#define SECTORS(bytes) ((bytes) / VSSD_SECTOR_SIZE)

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

/* Units, rounded up. */
static uint64_t units_of(uint64_t sectors)
{
	return sectors / SECTORS(UNIT) + (sectors % SECTORS(UNIT) != 0);
}

/* The group is the whole drive, so its counts are those of SMART. */
void vssd_endurance_group_log(struct vssd_ctrl *ctrl, struct nvme_endurance_group_log *log)
{
	const struct vssd_fdp *fdp = ctrl->subsystem->fdp;
	const struct vssd_totals *totals = &ctrl->nv->totals;
	struct nvme_smart_log smart = {0};
	uint8_t warnings = vssd_health_warnings(ctrl->subsystem);

	vssd_health_smart(ctrl->subsystem, &smart);
	log->cw = (uint8_t)((warnings & NVME_SMART_SPARE ? 1u : 0) | (warnings & NVME_SMART_READ_ONLY ? 8u : 0));
	log->avsp = smart.avsp;
	log->avspt = smart.avspt;
	log->pused = smart.pused;
	log->dur[0] = units_of(totals->sectors_read);
	log->duw[0] = units_of(totals->sectors_written);
	log->muw[0] = units_of(fdp->enabled ? SECTORS(vssd_reclaim_statistics(fdp->reclaim)->media_bytes)
					    : totals->sectors_written);
	log->hrc[0] = smart.hrc[0];
	log->hwc[0] = smart.hwc[0];
	log->mdie[0] = smart.mdie[0];
	log->neile[0] = smart.neile[0];
	log->tegcap[0] = ctrl->subsystem->blocks << VSSD_BLOCK_SHIFT;
	log->uegcap[0] = vssd_ns_room(ctrl->subsystem) << VSSD_BLOCK_SHIFT;
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
