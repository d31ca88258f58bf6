/* SPDX-License-Identifier: BSD-3-Clause */
/* What the drive reports of endurance groups and NVM sets. NVM Express Base Specification 2.1, sections 5.1.12.1.10,
 * 5.1.12.1.17, 5.1.12.1.18, 5.1.13.2.4 and 5.1.13.2.17. */
#include "vssd/cmd/capacity.h"

#include <string.h>

#include "vssd/cmd/placement.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define UNIT 1000000000u /* bytes: units of the endurance group log */
#define SECTORS(bytes) ((bytes) / VSSD_SECTOR_SIZE)
#define CAF_UNCHANGED 100u /* the capacity is that without a capacity configuration, in 1/100 */
#define READ_100_NS 100u   /* NVM set: time of a random read of 4 KiB */
#define RECOVERY_LEVELS (1u << 4 | 1u << 15)

static uint64_t bytes_of(uint64_t blocks)
{
	return blocks << VSSD_BLOCK_SHIFT;
}

/* ---- Identify ---- */

static bool manages(const struct vssd_ctrl *ctrl, enum vssd_capacity_management management)
{
	return ctrl->options->division.management == management;
}

void vssd_capacity_identify(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	const struct vssd_subsystem *subsystem = ctrl->subsystem;
	bool is_variable = manages(ctrl, VSSD_CAPACITY_VARIABLE), has_sets = vssd_has_sets(subsystem);

	if (ctrl->options->division.recovery_levels) {
		id->ctratt |= NVME_CTRATT_RRLVLS;
		id->rrls = RECOVERY_LEVELS;
	}
	if (!subsystem->fdp && !vssd_is_divided(subsystem))
		return;
	id->ctratt |= NVME_CTRATT_EGS | (has_sets ? NVME_CTRATT_NSETS : 0);
	id->endgidmax = vssd_endgid_most(subsystem);
	id->nsetidmax = vssd_setid_most(subsystem);
	if (ctrl->options->division.management)
		id->unvmcap[0] = bytes_of(vssd_division_room(subsystem));
	id->ctratt |= manages(ctrl, VSSD_CAPACITY_FIXED) ? NVME_CTRATT_FCM : 0;
	id->ctratt |= is_variable ? NVME_CTRATT_VCM | NVME_CTRATT_DEG | (has_sets ? NVME_CTRATT_DNVMS : 0) : 0;
	id->megcap[0] = is_variable ? bytes_of(subsystem->blocks) : 0;
}

static uint16_t refuse_cns(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_IDENTIFY_CNS, "CNS"), VSSD_OWN);
}

uint16_t vssd_identify_sets(struct vssd_request *request, uint8_t *data)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	struct nvme_nvm_set_list *list = (struct nvme_nvm_set_list *)data;
	uint16_t least = (uint16_t)request->cmd.cdw11;

	if (!vssd_has_sets(subsystem))
		return refuse_cns(request);
	for (uint16_t setid = least ? least : 1; setid <= VSSD_MAX_SETS; setid++) {
		const struct vssd_set *set = vssd_set(subsystem, setid);

		if (!set)
			continue;
		list->entry[list->nid++] = (struct nvme_nvm_set){
			.nvmsetid = setid,
			.endgid = set->endgid,
			.rr4kt = READ_100_NS,
			.ows = VSSD_BLOCK_SIZE,
			.tnvmsetcap = {bytes_of(set->blocks), 0},
			.unvmsetcap = {bytes_of(vssd_set_room(subsystem, setid)), 0},
		};
	}
	return NVME_SC_SUCCESS;
}

static bool has_group(const struct vssd_subsystem *subsystem, uint16_t endgid)
{
	return subsystem->fdp ? endgid == VSSD_ENDGID : vssd_group(subsystem, endgid) != NULL;
}

uint16_t vssd_identify_groups(struct vssd_request *request, uint8_t *data)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	struct nvme_endurance_group_list *list = (struct nvme_endurance_group_list *)data;
	uint16_t least = (uint16_t)request->cmd.cdw11;

	if (!subsystem->fdp && !vssd_is_divided(subsystem))
		return refuse_cns(request);
	for (uint16_t endgid = least ? least : 1; endgid <= VSSD_MAX_GROUPS; endgid++)
		if (has_group(subsystem, endgid))
			list->endgid[list->num++] = endgid;
	return NVME_SC_SUCCESS;
}

/* ---- log page 09h ---- */

/* Units, rounded up. */
static uint64_t units_of(uint64_t sectors)
{
	return sectors / SECTORS(UNIT) + (sectors % SECTORS(UNIT) != 0);
}

/* What all groups have in common: the spare, and how much of the life is used. */
static void describe_health(struct vssd_ctrl *ctrl, struct nvme_endurance_group_log *log)
{
	struct nvme_smart_log smart = {0};

	vssd_health_smart(ctrl->subsystem, &smart);
	log->cw = vssd_group_warnings(ctrl->subsystem);
	log->avsp = smart.avsp;
	log->avspt = smart.avspt;
	log->pused = smart.pused;
}

/* The group of Flexible Data Placement is the whole drive, so its counts are those of SMART. */
static void describe_fdp(const struct vssd_ctrl *ctrl, struct nvme_endurance_group_log *log)
{
	const struct vssd_fdp *fdp = ctrl->subsystem->fdp;
	const struct vssd_totals *totals = &ctrl->nv->totals;

	log->dur[0] = units_of(totals->sectors_read);
	log->duw[0] = units_of(totals->sectors_written);
	log->muw[0] = units_of(fdp->enabled ? SECTORS(vssd_reclaim_statistics(fdp->reclaim)->media_bytes)
					    : totals->sectors_written);
	log->hrc[0] = totals->reads;
	log->hwc[0] = totals->writes;
	log->mdie[0] = totals->media_errors;
	log->neile[0] = totals->errors;
	log->tegcap[0] = bytes_of(ctrl->subsystem->blocks);
	log->uegcap[0] = bytes_of(vssd_ns_room(ctrl->subsystem));
}

static void describe_group(const struct vssd_ctrl *ctrl, uint16_t endgid, struct nvme_endurance_group_log *log)
{
	const struct vssd_subsystem *subsystem = ctrl->subsystem;
	const struct vssd_group_counts *counts = &subsystem->annex->division.counts[endgid - 1];
	uint64_t blocks = *vssd_group(subsystem, endgid);
	double share = (double)blocks / (double)subsystem->blocks;

	log->ee[0] = (uint64_t)((double)ctrl->options->endurance * share / UNIT);
	log->dur[0] = units_of(counts->sectors_read);
	log->duw[0] = log->muw[0] = units_of(counts->sectors_written);
	log->hrc[0] = counts->reads;
	log->hwc[0] = counts->writes;
	log->mdie[0] = counts->media_errors;
	log->neile[0] = counts->errors;
	log->tegcap[0] = bytes_of(blocks);
	log->uegcap[0] = bytes_of(vssd_group_room(subsystem, endgid));
}

/* Get the endurance group that LSI names. Returns a status. */
static uint16_t find_group(struct vssd_request *request, uint16_t *endgid)
{
	*endgid = (uint16_t)nvme_get_field(&request->cmd, NVME_FIELD_GET_LOG_PAGE_LSI);
	if (has_group(request->ctrl->subsystem, *endgid))
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_FIELD,
			   VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_LSI, "LSI, the endurance group"), VSSD_OWN);
}

uint16_t vssd_group_log(struct vssd_request *request, struct nvme_endurance_group_log *log)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint16_t endgid, status = find_group(request, &endgid);

	if (status)
		return status;
	describe_health(ctrl, log);
	log->egfeat = vssd_is_rotational(ctrl->options) ? NVME_EGFEAT_ROTATIONAL : 0;
	if (ctrl->subsystem->fdp)
		describe_fdp(ctrl, log);
	else
		describe_group(ctrl, endgid, log);
	return NVME_SC_SUCCESS;
}

/* ---- log page 16h ---- */

/* All groups share the spindle. Its heads are loaded as it starts. */
uint16_t vssd_rotational_log(struct vssd_request *request, struct nvme_rotational_media_log *log)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	uint16_t endgid, status = find_group(request, &endgid);

	if (status)
		return status;
	log->endgid = endgid;
	log->numa = 1;
	log->nrs = (uint16_t)ctrl->options->optional.media.rotational;
	log->spinc = log->ldc = (uint32_t)ctrl->nv->totals.spinups;
	return NVME_SC_SUCCESS;
}

/* ---- log page 0Fh ---- */

void vssd_group_events_log(const struct vssd_ctrl *ctrl, struct nvme_endurance_group_events_log *log)
{
	for (unsigned i = 0; i < VSSD_MAX_GROUPS; i++)
		if (ctrl->events.groups >> i & 1)
			log->entry[log->ne++] = (uint16_t)(i + 1);
}

/* ---- log page 10h ---- */

/* Find the group and the set that have a block, if groups and sets lay one after the other. */
static void find_place(const struct vssd_subsystem *subsystem, uint64_t block, struct nvme_media_unit *unit)
{
	for (uint16_t endgid = 1; endgid <= VSSD_MAX_GROUPS; endgid++) {
		const uint64_t *blocks = vssd_group(subsystem, endgid);

		if (!blocks)
			continue;
		if (block >= *blocks) {
			block -= *blocks;
			continue;
		}
		unit->endgid = endgid;
		for (uint16_t setid = 1; setid <= VSSD_MAX_SETS; setid++) {
			const struct vssd_set *set = vssd_set(subsystem, setid);

			if (!set || set->endgid != endgid)
				continue;
			if (block < set->blocks) {
				unit->nvmsetid = setid;
				return;
			}
			block -= set->blocks;
		}
		return;
	}
}

/* The medium has no channels. Each media unit belongs to one group, and to one set. */
void vssd_media_units_log(const struct vssd_ctrl *ctrl, struct nvme_media_unit_status_log *log)
{
	const struct vssd_subsystem *subsystem = ctrl->subsystem;
	uint16_t count = ctrl->options->division.management ? VSSD_MEDIA_UNITS : 1;
	struct nvme_smart_log smart = {0};

	vssd_health_smart(ctrl->subsystem, &smart);
	log->nmu = count;
	log->scc = vssd_is_divided(subsystem) ? subsystem->annex->division.selected : 0;
	for (uint16_t i = 0; i < count; i++) {
		log->units[i] = (struct nvme_media_unit){
			.muid = i, .caf = CAF_UNCHANGED, .avsp = smart.avsp, .pused = smart.pused};
		find_place(subsystem, (subsystem->blocks * i + subsystem->blocks / 2) / count, &log->units[i]);
	}
}

/* ---- log page 11h ---- */

static uint8_t *put_group(const struct vssd_ctrl *ctrl, const struct vssd_plan *plan, uint16_t endgid, uint8_t *at)
{
	uint64_t blocks = plan->groups[endgid - 1];
	double share = (double)blocks / (double)ctrl->subsystem->blocks;
	struct nvme_group_configuration group = {
		.endgid = endgid,
		.caf = CAF_UNCHANGED,
		.tegcap = {bytes_of(blocks), 0},
		.ee = {(uint64_t)((double)ctrl->options->endurance * share / UNIT), 0},
	};
	uint8_t *sets = at + sizeof(group);

	for (uint16_t setid = 1; setid <= VSSD_MAX_SETS; setid++) {
		if (!plan->sets[setid - 1].blocks || plan->sets[setid - 1].endgid != endgid)
			continue;
		group.egsets++;
		memcpy(sets, &setid, sizeof(setid));
		sets += sizeof(setid);
	}
	memcpy(at, &group, sizeof(group));
	return sets + sizeof(uint16_t); /* no channels */
}

void vssd_configurations_log(const struct vssd_ctrl *ctrl, uint8_t *page)
{
	uint8_t *at = page + sizeof(struct nvme_capacity_configurations_log);

	((struct nvme_capacity_configurations_log *)page)->sccn = VSSD_CONFIGURATIONS;
	for (uint16_t ccid = 1; ccid <= VSSD_CONFIGURATIONS; ccid++) {
		struct nvme_capacity_configuration configuration = {.ccid = ccid};
		uint8_t *head = at;
		struct vssd_plan plan;

		vssd_configuration(ctrl->subsystem, ccid, &plan);
		at += sizeof(configuration);
		for (uint16_t endgid = 1; endgid <= VSSD_MAX_GROUPS; endgid++) {
			if (!plan.groups[endgid - 1])
				continue;
			configuration.egcn++;
			at = put_group(ctrl, &plan, endgid, at);
		}
		memcpy(head, &configuration, sizeof(configuration));
	}
}
