/* SPDX-License-Identifier: BSD-3-Clause */
/* Identify. NVM Express Base Specification 2.0, section 5.17; NVM Command Set Specification 1.0, section 4.1.5. */
#include <stdio.h>
#include <string.h>

#include "spec/pci.h"
#include "vssd/cmd/admin.h"
#include "vssd/cmd/capacity.h"
#include "vssd/cmd/table.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/key_value.h"
#include "vssd/cmd/log_ocp.h"
#include "vssd/cmd/migration.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/sgl.h"
#include "vssd/cmd/virtual.h"
#include "vssd/cmd/zones.h"
#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/keep_alive.h"
#include "vssd/subsystem/identity.h"

#define ACL 3u             /* 0's based */
#define RESERVATIONS 0x7eu /* RESCAP: all six types */
#define MC_BOTH 3u         /* metadata may follow the data of each LBA, or be in a buffer of their own */
#define DPC_ALL (NVME_DPC_TYPE_1 | NVME_DPC_TYPE_2 | NVME_DPC_TYPE_3 | NVME_DPC_FIRST | NVME_DPC_LAST)
#define NWPC_WRITE_PROTECT 1u
#define NWPC_ALL 7u /* and until a power cycle, and permanently, as RPMB controls it */
#define BPCAP_RPMB 2u
#define BPCAP_NO_RPMB 1u
#define BPCAP_SET_FEATURES 4u
#define RPMB_UNIT_SHIFT 16
#define RPMB_ACCESS_SHIFT 24
#define NVMESD 1u /* NVMSR: a storage device, and no enclosure */
#define VWCRV 0x80u
#define ANACAP_STATES                                                                                                \
	(NVME_ANACAP_OPTIMIZED | NVME_ANACAP_NON_OPTIMIZED | NVME_ANACAP_INACCESSIBLE |                              \
	 NVME_ANACAP_PERSISTENT_LOSS | NVME_ANACAP_CHANGE | NVME_ANACAP_CONSTANT_GROUP)
#define SHUTDOWN_US 1000000u
#define CRDT_MS 100u
#define CENTIWATT 10u /* milliwatts */
#define SRS_SHIFT 8
#define SRS_MS 4u /* the unit of the sample rate is a millisecond */
#define NSIDS_PER_LIST (NVME_IDENTIFY_SIZE / sizeof(uint32_t))

/* Whether the host can create namespaces, so that it needs lists of what there is. */
static bool is_managed(const struct vssd_ctrl *ctrl)
{
	return vssd_admin_command(ctrl, NVME_ADMIN_NS_MANAGEMENT);
}

static bool has_several(const struct vssd_ctrl *ctrl)
{
	return vssd_virtual_ctrls(ctrl->options) > 1;
}

/* ---- CNS 01h: what each version added ---- */

static void describe_controller(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	memcpy(&id->vid, &ctrl->config.bytes[PCI_CFG_VENDOR], 2);
	memcpy(&id->ssvid, &ctrl->config.bytes[PCI_CFG_SUBSYSTEM_VENDOR], 2);
	memcpy(id->sn, ctrl->nv->identity.serial, sizeof(id->sn));
	vssd_identity_model(id->mn);
	memcpy(id->fr, ctrl->subsystem->firmware.revision, sizeof(id->fr));
	vssd_identity_oui(id->ieee);
	id->mdts = ctrl->options->mdts;
	id->acl = ACL;
	id->aerl = VSSD_AERL;
	id->frmw = VSSD_FIRMWARE_SLOTS << NVME_FRMW_SLOTS_SHIFT;
	id->elpe = VSSD_ELPE;
	id->npss = vssd_power_npss(ctrl);
	memcpy(id->psd, vssd_power_states, (id->npss + 1u) * sizeof(vssd_power_states[0]));
	id->sqes = 0x66;
	id->cqes = 0x44;
	id->nn = vssd_subsystem_nn(ctrl->subsystem);
	id->fuses = NVME_FUSES_COMPARE_WRITE;
	id->fna = NVME_FNA_CRYPTO;
	id->vwc = ctrl->options->cache_size ? NVME_VWC_PRESENT : 0;
	id->awun = UINT16_MAX; /* the drive executes one command after the other, so each is atomic */
}

static void describe_controller_1_1(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	id->cntlid = vssd_cntlid(&ctrl->listener);
	id->cmic = has_several(ctrl) ? NVME_CMIC_CTRLS : 0;
	if (ctrl->options->functions.controllers > 1)
		id->cmic |= NVME_CMIC_PORTS;
	if (vssd_is_secondary(ctrl->subsystem, &ctrl->listener))
		id->cmic |= NVME_CMIC_VF;
	id->apsta = 1;
	id->oncs |= NVME_ONCS_SAVE_SELECT;
	id->acwu = UINT16_MAX;
	id->sgls = vssd_sgls(ctrl);
}

static bool has_copy(const struct vssd_ctrl *ctrl)
{
	return vssd_io_command(ctrl, NVME_CSI_NVM, NVME_IO_COPY);
}

static void describe_controller_1_2(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	id->ver = ctrl->options->version;
	id->rtd3r = SHUTDOWN_US;
	id->rtd3e = SHUTDOWN_US;
	id->oaes = vssd_features_events(ctrl) &
		   (NVME_OAES_NS_ATTRIBUTE | NVME_OAES_FIRMWARE | NVME_OAES_ANA | NVME_OAES_ZONE_CHANGED |
		    NVME_OAES_LBA_STATUS | NVME_OAES_ENDURANCE_GROUP | NVME_OAES_ALLOCATED_NS);
	id->frmw |= NVME_FRMW_NO_RESET;
	id->wctemp = VSSD_WCTEMP;
	id->cctemp = VSSD_CCTEMP;
	id->mtfa = 1; /* units of 100 ms */
	id->hmpre = VSSD_HMPRE;
	id->hmmin = VSSD_HMMIN;
	id->tnvmcap[0] = ctrl->subsystem->blocks << VSSD_BLOCK_SHIFT;
	id->unvmcap[0] = vssd_ns_room(ctrl->subsystem) << VSSD_BLOCK_SHIFT;
	if (ctrl->options->optional.rpmb)
		id->rpmbs = VSSD_RPMB_TARGETS | (VSSD_RPMB_UNITS - 1) << RPMB_UNIT_SHIFT |
			    (VSSD_RPMB_ACCESS - 1) << RPMB_ACCESS_SHIFT;
}

static void describe_controller_1_2_1(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	id->ctratt |= NVME_CTRATT_HOST_ID;
	id->lpa |= NVME_LPA_EXTENDED;
	id->kas = vssd_has_keep_alive(ctrl) ? VSSD_KAS : 0;
	vssd_identity_subnqn(ctrl->subsystem, id->subnqn, sizeof(id->subnqn));
}

static void describe_controller_1_3(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	id->ctratt |= NVME_CTRATT_NOPSPM;
	id->edstt = vssd_self_test_minutes(ctrl->subsystem);
	id->dsto = NVME_DSTO_ONE_TEST;
	id->fwug = VSSD_FWUG;
	id->hctma = 1;
	id->mntmt = VSSD_MNTMT;
	id->mxtmt = VSSD_MXTMT;
	id->sanicap = vssd_sanitize_sanicap(ctrl->subsystem);
}

static void describe_controller_1_4(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	id->ctratt |= is_managed(ctrl) ? NVME_CTRATT_NS_GRANULARITY : 0;
	id->cntrltype = 1;
	id->crdt1 = (uint16_t)((ctrl->options->times.retry_ms + CRDT_MS - 1) / CRDT_MS);
	id->crdt2 = (uint16_t)(id->crdt1 * 2);
	id->crdt3 = (uint16_t)(id->crdt1 * 4);
	id->hmmaxd = VSSD_HMB_DESCRIPTORS;
	id->vwc |= NVME_VWC_FLUSH_ALL;
	if (ctrl->options->optional.write_protection)
		id->nwpc = ctrl->options->optional.rpmb ? NWPC_ALL : NWPC_WRITE_PROTECT;
	if (vssd_has_ana(ctrl)) {
		id->cmic |= NVME_CMIC_ANA;
		id->anatt = VSSD_ANATT;
		id->anacap = (uint8_t)(ANACAP_STATES | (is_managed(ctrl) ? NVME_ANACAP_CHOSEN_GROUP : 0));
		id->anagrpmax = id->nanagrpid = ctrl->options->functions.ana;
		id->mnan = id->nn;
	}
}

static const struct {
	enum nvme_version since;
	void (*describe)(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id);
} additions[] = {
	{NVME_1_0, describe_controller},     {NVME_1_1, describe_controller_1_1},
	{NVME_1_2, describe_controller_1_2}, {NVME_1_2_1, describe_controller_1_2_1},
	{NVME_1_3, describe_controller_1_3}, {NVME_1_4, describe_controller_1_4},
};

static unsigned bit_if(bool there, unsigned bit)
{
	return there ? bit : 0;
}

/* Set the bit that announces a command. Fields of several bits are filled in above. */
static void announce_command(struct nvme_id_ctrl *id, const struct vssd_command *command,
			     const struct spec_command *known)
{
	uint8_t *at = (uint8_t *)id + known->announced_by;
	uint32_t field;

	if (!command || (known->announced & (known->announced - 1)))
		return;
	memcpy(&field, at, sizeof(field));
	field |= known->announced;
	memcpy(at, &field, sizeof(field));
}

/* Set the bits that announce a command, a log page or a feature, by the tables of these. */
static void announce(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	for (unsigned i = 0; i < 256; i++) {
		const uint8_t opcode = (uint8_t)i;

		announce_command(id, vssd_admin_command(ctrl, opcode), &spec_commands[SPEC_ADMIN][opcode]);
		announce_command(id, vssd_io_command(ctrl, NVME_CSI_NVM, opcode),
				 vssd_io_known(NVME_CSI_NVM, opcode));
	}
	id->lpa |= (uint8_t)(bit_if(vssd_log_supported(ctrl, NVME_LOG_EFFECTS), NVME_LPA_EFFECTS) |
			     bit_if(vssd_log_supported(ctrl, NVME_LOG_TELEMETRY_HOST), NVME_LPA_TELEMETRY) |
			     bit_if(vssd_since(ctrl, NVME_2_0), NVME_LPA_AREA_4) |
			     bit_if(vssd_log_supported(ctrl, NVME_LOG_PERSISTENT_EVENT), NVME_LPA_PERSISTENT) |
			     bit_if(vssd_log_supported(ctrl, NVME_LOG_SUPPORTED), NVME_LPA_SUPPORTED));
	id->oncs |= (uint16_t)bit_if(vssd_feature_supported(ctrl, NVME_FEAT_TIMESTAMP), NVME_ONCS_TIMESTAMP);
	id->pels = bit_if(vssd_log_supported(ctrl, NVME_LOG_PERSISTENT_EVENT), VSSD_PELS);
}

/* A command with a limit of its own has its bit of ONCS cleared, and the limit says that it is there. NVM Command Set
 * 1.1, 4.1.5.4. */
static uint16_t oncs_limited(const struct vssd_ctrl *ctrl)
{
	const struct vssd_limit_options *limits = &ctrl->options->limits;

	return (uint16_t)(bit_if(limits->wusl, NVME_ONCS_WRITE_UNCORRECTABLE) | bit_if(limits->dmrl, NVME_ONCS_DSM) |
			  bit_if(limits->wzsl, NVME_ONCS_WRITE_ZEROES));
}

/* What a drive that measures its power reports of it. A power limit holds for all operational power states. */
static void describe_power(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	uint32_t limit = ctrl->subsystem->health.meter.limit / CENTIWATT;

	id->ctratt |= NVME_CTRATT_PLS | NVME_CTRATT_PMS;
	id->mupa = NVME_POWER_SCALE_UNITS_0_01_W;
	id->mup = VSSD_POWER_MOST / CENTIWATT;
	id->ipmsr = VSSD_POWER_SAMPLE_MS | SRS_MS << SRS_SHIFT;
	id->msmt = VSSD_POWER_MINUTES_MOST;
	for (uint32_t state = 0; limit && state < VSSD_FIRST_NOPS; state++)
		if (id->psd[state].mp > limit)
			id->psd[state].mp = (uint16_t)limit;
}

static uint16_t identify_controller(struct vssd_request *request, uint8_t *data)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct nvme_id_ctrl *id = (struct nvme_id_ctrl *)data;

	for (unsigned i = 0; i < sizeof(additions) / sizeof(additions[0]); i++)
		if (vssd_since(ctrl, additions[i].since))
			additions[i].describe(ctrl, id);
	announce(ctrl, id);
	id->oncs &= (uint16_t)~oncs_limited(ctrl);
	if (ctrl->options->optional.protection && vssd_since(ctrl, NVME_2_0))
		id->ctratt |= NVME_CTRATT_ELBAS;
	if (ctrl->options->optional.ocp && vssd_since(ctrl, NVME_1_4))
		id->ctratt |= NVME_CTRATT_ULIST;
	if (NVME_GET(ctrl->regs.cap, NVME_CAP_BPS) && vssd_since(ctrl, NVME_2_0))
		id->bpcap = (uint8_t)((ctrl->options->optional.rpmb ? BPCAP_RPMB : BPCAP_NO_RPMB) |
				      bit_if(ctrl->options->optional.boot_protection, BPCAP_SET_FEATURES));
	if (ctrl->options->optional.mi && vssd_since(ctrl, NVME_1_3)) {
		id->nvmsr = NVMESD;
		id->vwci = (uint8_t)(VWCRV | vssd_vpd_writes(ctrl));
	}
	if (vssd_feature_supported(ctrl, NVME_FEAT_POWER_MEASUREMENT))
		describe_power(ctrl, id);
	vssd_capacity_identify(ctrl, id);
	vssd_migration_identify(ctrl, id);
	if (has_copy(ctrl))
		id->ocfs = vssd_copy_formats(ctrl->options);
	return NVME_SC_SUCCESS;
}

/* ---- namespaces ---- */

/* What all namespaces have in common: of NVM Command Set 1.1, figure 114, the fields that describe LBA formats. */
static void describe_formats(const struct vssd_ctrl *ctrl, struct nvme_id_ns *id)
{
	id->nlbaf = vssd_nlbaf(ctrl->options);
	id->mc = ctrl->options->optional.metadata ? MC_BOTH : 0;
	id->dpc = ctrl->options->optional.protection ? DPC_ALL : 0;
	for (uint8_t i = 0; i <= id->nlbaf; i++) {
		id->lbaf[i].ms = vssd_lbaf_metadata(i);
		id->lbaf[i].lbads = vssd_lbaf_shift(ctrl->subsystem, i);
		id->lbaf[i].rp = (uint8_t)(id->lbaf[i].lbads == 9 ? 2 : 0);
	}
}

/* The store writes and deallocates whole blocks fastest, so one block is the value of all five preferences. */
static void describe_preferences(const struct vssd_ns *ns, struct nvme_id_ns *id)
{
	uint16_t lbas = ns->lba_shift < VSSD_BLOCK_SHIFT ? (uint16_t)(VSSD_BLOCK_SIZE >> ns->lba_shift) : 1;

	id->nsfeat |= NVME_NSFEAT_OPTPERF;
	id->npwg = id->npwa = id->npdg = id->npda = id->nows = (uint16_t)(lbas - 1);
}

/* FPI: the supported bit, and the percentage that remains, which must not be 0 before the command completes. */
static uint8_t format_progress(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns)
{
	return (uint8_t)(0x80 | vssd_format_left(ctrl->subsystem, ns->nsid));
}

/* All types of reservations, and persistence through power loss. */
static uint8_t rescap(const struct vssd_ctrl *ctrl)
{
	if (!ctrl->options->optional.reservations)
		return 0;
	return (uint8_t)(RESERVATIONS | NVME_RESCAP_PTPL | (vssd_since(ctrl, NVME_1_3) ? NVME_RESCAP_IEKEY : 0));
}

/* ANA: whether the controller knows the capacity of the namespace, which it does while the state changes. */
static bool knows_capacity(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns)
{
	uint16_t status = vssd_ana_status(ctrl, ns);

	return status == NVME_SC_SUCCESS || status == NVME_SC_ANA_TRANSITION;
}

static void describe_access(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, struct nvme_id_ns *id)
{
	id->anagrpid = ns->anagrpid;
	if (knows_capacity(ctrl, ns))
		return;
	id->nuse = 0;
	memset(id->nvmcap, 0, sizeof(id->nvmcap));
}

static void describe_ns(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, struct nvme_id_ns *id)
{
	describe_formats(ctrl, id);
	id->nsze = ns->nsze;
	id->ncap = ns->nsze;
	id->nuse = ns->nsze;
	id->flbas = vssd_ns_flbas(ctrl->subsystem, ns);
	id->dps = vssd_ns_dps(ns);
	if (vssd_since(ctrl, NVME_1_1)) {
		id->nmic = ns->shared;
		id->rescap = rescap(ctrl);
		vssd_identity_eui64(ctrl->subsystem, ns, id->eui64);
	}
	if (vssd_since(ctrl, NVME_1_2)) {
		id->nsfeat = vssd_features_dulbe(ctrl) ? NVME_NSFEAT_DAE : 0;
		id->fpi = format_progress(ctrl, ns);
		id->nvmcap[0] = ns->blocks << VSSD_BLOCK_SHIFT;
		vssd_identity_nguid(ctrl->subsystem, ns, id->nguid);
	}
	if (vssd_since(ctrl, NVME_1_3))
		id->dlfeat = NVME_DLFEAT_ZEROES | NVME_DLFEAT_WRITE_ZEROES;
	if (vssd_since(ctrl, NVME_1_4))
		id->nsattr = vssd_security_protection(ctrl->subsystem, ns) != VSSD_UNPROTECTED;
	if (vssd_since(ctrl, NVME_1_4))
		describe_preferences(ns, id);
	id->nvmsetid = ns->setid;
	id->endgid = ns->endgid;
	if (vssd_has_ana(ctrl))
		describe_access(ctrl, ns, id);
	if (has_copy(ctrl)) {
		id->mssrl = VSSD_COPY_RANGE_LBAS;
		id->mcl = VSSD_COPY_LBAS;
		id->msrc = VSSD_COPY_RANGES - 1;
	}
}

/* The answer for a namespace that is not there: zeros, if its NSID is valid. */
static uint16_t describe_none(struct vssd_request *request)
{
	if (vssd_nsid_is_valid(request->ctrl, request->cmd.nsid))
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_NAMESPACE, VSSD_NSID, VSSD_OWN);
}

static uint16_t identify_ns(struct vssd_request *request, uint8_t *data)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct vssd_ns *ns = request->ns;

	if (ns && ns->csi == NVME_CSI_KV)
		return vssd_refuse(request, NVME_SC_INVALID_COMMAND_SET, VSSD_STATE("the namespace has no LBAs"),
				   VSSD_OWN);
	if (ns)
		describe_ns(ctrl, ns, (struct nvme_id_ns *)data);
	else if (request->cmd.nsid == NVME_NSID_ALL && is_managed(ctrl))
		describe_formats(ctrl, (struct nvme_id_ns *)data);
	else
		return describe_none(request);
	return NVME_SC_SUCCESS;
}

static uint16_t identify_allocated_ns(struct vssd_request *request, uint8_t *data)
{
	const struct vssd_ns *ns = vssd_subsystem_ns(request->ctrl->subsystem, request->cmd.nsid);

	if (!ns)
		return describe_none(request);
	if (ns->csi == NVME_CSI_KV)
		return vssd_refuse(request, NVME_SC_INVALID_COMMAND_SET, VSSD_STATE("the namespace has no LBAs"),
				   VSSD_OWN);
	describe_ns(request->ctrl, ns, (struct nvme_id_ns *)data);
	return NVME_SC_SUCCESS;
}

#define ANY_SET (-1)

/* The NSIDs above that of the command. csi: those with this command set only. */
static uint16_t list_namespaces(struct vssd_request *request, uint8_t *data, bool only_active, int csi)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t *list = (uint32_t *)data;
	unsigned count = 0;

	if (request->cmd.nsid >= NVME_NSID_LAST)
		return vssd_refuse(request, NVME_SC_INVALID_NAMESPACE, VSSD_NSID, VSSD_OWN);
	for (uint32_t i = request->cmd.nsid; i < VSSD_MAX_NAMESPACES; i++)
		if ((only_active ? vssd_ns_is_active(ctrl, &ctrl->ns[i]) : ctrl->ns[i].nsid) &&
		    (csi == ANY_SET || csi == ctrl->ns[i].csi))
			list[count++] = i + 1;
	return NVME_SC_SUCCESS;
}

static uint16_t identify_active_list(struct vssd_request *request, uint8_t *data)
{
	return list_namespaces(request, data, true, ANY_SET);
}

static uint16_t identify_allocated_list(struct vssd_request *request, uint8_t *data)
{
	return list_namespaces(request, data, false, ANY_SET);
}

/* All LBA formats have the same granularity. */
static uint16_t identify_granularity(struct vssd_request *request, uint8_t *data)
{
	struct nvme_ns_granularity_list *list = (struct nvme_ns_granularity_list *)data;

	uint64_t bytes = vssd_ns_granule(request->ctrl->subsystem) << VSSD_BLOCK_SHIFT;

	list->entry[0].nszegran = list->entry[0].ncapgran = bytes;
	return NVME_SC_SUCCESS;
}

/* ---- controllers ---- */

/* The controllers among these (a bit for each) whose CNTLID is at least that of the command. */
static uint16_t list_ctrls(struct vssd_request *request, uint8_t *data, uint16_t ctrls)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint64_t least = nvme_get_field(&request->cmd, NVME_FIELD_IDENTIFY_CNTID);
	struct nvme_ctrl_list *list = (struct nvme_ctrl_list *)data;

	for (unsigned index = 0; index < VSSD_MAX_CONTROLLERS; index++)
		for (const struct vssd_listener *one = subsystem->listeners; one; one = one->next)
			if (one->index == index && ctrls >> index & 1 && vssd_cntlid(one) >= least)
				list->cntlid[list->numids++] = vssd_cntlid(one);
	return NVME_SC_SUCCESS;
}

static uint16_t identify_ns_ctrls(struct vssd_request *request, uint8_t *data)
{
	const struct vssd_ns *ns = vssd_subsystem_ns(request->ctrl->subsystem, request->cmd.nsid);

	if (!ns)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_NSID, VSSD_OWN);
	return list_ctrls(request, data, ns->attached);
}

static uint16_t identify_ctrls(struct vssd_request *request, uint8_t *data)
{
	return list_ctrls(request, data, UINT16_MAX);
}

/* ---- identifiers and command sets ---- */

static uint8_t *put_descriptor(uint8_t *at, uint8_t type, const void *id, uint8_t length)
{
	struct nvme_ns_id_descriptor descriptor = {.nidt = type, .nidl = length};

	memcpy(at, &descriptor, sizeof(descriptor));
	memcpy(at + sizeof(descriptor), id, length);
	return at + sizeof(descriptor) + length;
}

static uint16_t identify_descriptors(struct vssd_request *request, uint8_t *data)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint8_t eui64[8], nguid[16], *at = data;

	if (!request->ns)
		return vssd_refuse_nsid(request, VSSD_OWN);
	vssd_identity_eui64(ctrl->subsystem, request->ns, eui64);
	vssd_identity_nguid(ctrl->subsystem, request->ns, nguid);
	at = put_descriptor(at, NVME_NIDT_EUI64, eui64, sizeof(eui64));
	at = put_descriptor(at, NVME_NIDT_NGUID, nguid, sizeof(nguid));
	if (vssd_since(ctrl, NVME_2_0))
		put_descriptor(at, NVME_NIDT_CSI, &request->ns->csi, sizeof(request->ns->csi));
	return NVME_SC_SUCCESS;
}

static uint8_t csi_of(const struct vssd_request *request)
{
	return (uint8_t)nvme_get_field(&request->cmd, NVME_FIELD_IDENTIFY_CSI);
}

static uint16_t check_csi(struct vssd_request *request)
{
	uint32_t effects[256];

	if (vssd_io_effects(request->ctrl, csi_of(request), effects))
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_COMMAND_SET, VSSD_FIELD(NVME_FIELD_IDENTIFY_CSI, "CSI"),
			   VSSD_OWN);
}

/* The formats of protection information. */
static void describe_protection(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, struct nvme_id_ns_nvm *id)
{
	if (!ctrl->options->optional.protection)
		return;
	id->pic = NVME_PIC_STORAGE_TAG_16 | NVME_PIC_CHECK_READ;
	id->lbstm = ns ? vssd_ns_tag_mask(ctrl->subsystem, ns) : 0;
	for (uint8_t i = 0; i <= vssd_nlbaf(ctrl->options); i++)
		id->elbaf[i] = vssd_lbaf_sts(ctrl->options, i) | (uint32_t)vssd_lbaf_pif(i) << NVME_ELBAF_PIF_SHIFT;
}

static void describe_kv(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, struct nvme_id_ns_kv *id)
{
	vssd_kv_identify(ctrl, ns, id);
	id->nmic = ns->shared;
	id->rescap = rescap(ctrl);
	id->fpi = format_progress(ctrl, ns);
	id->nsattr = vssd_security_protection(ctrl->subsystem, ns) != VSSD_UNPROTECTED;
	id->anagrpid = vssd_has_ana(ctrl) ? ns->anagrpid : 0;
	id->nuse = knows_capacity(ctrl, ns) ? id->nuse : 0;
	id->nvmsetid = ns->setid;
	id->endgid = ns->endgid;
	vssd_identity_nguid(ctrl->subsystem, ns, id->nguid);
	vssd_identity_eui64(ctrl->subsystem, ns, id->eui64);
}

/* Identify Namespace of a command set (CNS 05h and 1Bh). Zoned namespaces have that of the NVM command set as well.
 * ns: NULL if NSID names none. */
static uint16_t describe_csi_ns(struct vssd_request *request, const struct vssd_ns *ns, uint8_t *data)
{
	bool is_all = request->cmd.nsid == NVME_NSID_ALL && is_managed(request->ctrl);
	uint16_t status = ns || is_all ? NVME_SC_SUCCESS : describe_none(request);

	if (!status)
		status = check_csi(request);
	if (status || (!ns && !is_all))
		return status;
	if (csi_of(request) == NVME_CSI_NVM && (!ns || ns->csi != NVME_CSI_KV)) {
		describe_protection(request->ctrl, ns, (struct nvme_id_ns_nvm *)data);
		return NVME_SC_SUCCESS;
	}
	if (!ns && csi_of(request) == NVME_CSI_ZNS) {
		vssd_zones_identify_formats(request->ctrl, (struct nvme_id_ns_zns *)data);
		return NVME_SC_SUCCESS;
	}
	if (!ns || csi_of(request) != ns->csi)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_IDENTIFY_CSI, "CSI"),
				   VSSD_OWN);
	if (ns->csi == NVME_CSI_KV)
		describe_kv(request->ctrl, ns, (struct nvme_id_ns_kv *)data);
	else
		vssd_zones_identify(request->ctrl, ns->lba_shift,
				    &vssd_zones_of(request->ctrl->subsystem, ns)->limits,
				    (struct nvme_id_ns_zns *)data);
	return NVME_SC_SUCCESS;
}

static uint16_t identify_csi_ns(struct vssd_request *request, uint8_t *data)
{
	return describe_csi_ns(request, request->ns, data);
}

static uint16_t identify_csi_allocated_ns(struct vssd_request *request, uint8_t *data)
{
	return describe_csi_ns(request, vssd_subsystem_ns(request->ctrl->subsystem, request->cmd.nsid), data);
}

/* Check that a command names an LBA format, by its index, of a command set that has LBAs. Returns a status. */
static uint16_t check_format(struct vssd_request *request, uint8_t *index)
{
	uint64_t fidx = nvme_get_field(&request->cmd, NVME_FIELD_IDENTIFY_CNSSID);
	uint16_t status = check_csi(request);

	if (status)
		return status;
	if (csi_of(request) == NVME_CSI_KV)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_IDENTIFY_CSI, "CSI"),
				   VSSD_OWN);
	if (fidx > vssd_nlbaf(request->ctrl->options))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_IDENTIFY_CNSSID, "FIDX"),
				   VSSD_NVM("4.1.5.5"));
	*index = (uint8_t)fidx;
	return NVME_SC_SUCCESS;
}

/* What all namespaces of an LBA format have in common (CNS 09h and 0Ah). */
static uint16_t identify_format(struct vssd_request *request, uint8_t *data)
{
	uint8_t index;
	uint16_t status = check_format(request, &index);

	if (!status)
		describe_formats(request->ctrl, (struct nvme_id_ns *)data);
	return status;
}

static uint16_t identify_csi_format(struct vssd_request *request, uint8_t *data)
{
	const struct vssd_zone_limits limits = vssd_zones_limits(request->ctrl->options);
	uint8_t index = 0;
	uint16_t status = check_format(request, &index);

	if (!status && csi_of(request) == NVME_CSI_NVM)
		describe_protection(request->ctrl, NULL, (struct nvme_id_ns_nvm *)data);
	else if (!status)
		vssd_zones_identify(request->ctrl, vssd_lbaf_shift(request->ctrl->subsystem, index), &limits,
				    (struct nvme_id_ns_zns *)data);
	return status;
}

/* What of the NVM Command Set has a limit of its own, besides MDTS. */
static void describe_limits(const struct vssd_limit_options *limits, struct nvme_id_ctrl_nvm *id)
{
	id->vsl = (uint8_t)limits->vsl;
	id->wzsl = (uint8_t)limits->wzsl;
	id->wusl = (uint8_t)limits->wusl;
	id->dmrl = (uint8_t)limits->dmrl;
	id->dmrsl = limits->dmrsl;
	id->dmsl = limits->dmsl;
}

/* Identify Controller of a command set (CNS 06h). */
static uint16_t identify_csi_controller(struct vssd_request *request, uint8_t *data)
{
	uint16_t status = check_csi(request);

	if (!status && csi_of(request) == NVME_CSI_NVM)
		describe_limits(&request->ctrl->options->limits, (struct nvme_id_ctrl_nvm *)data);
	if (!status && csi_of(request) == NVME_CSI_ZNS)
		vssd_zones_identify_controller(request->ctrl, (struct nvme_id_ctrl_zns *)data);
	return status;
}

static uint16_t identify_csi_active_list(struct vssd_request *request, uint8_t *data)
{
	uint16_t status = check_csi(request);

	return status ? status : list_namespaces(request, data, true, csi_of(request));
}

static uint16_t identify_csi_allocated_list(struct vssd_request *request, uint8_t *data)
{
	uint16_t status = check_csi(request);

	return status ? status : list_namespaces(request, data, false, csi_of(request));
}

static uint16_t describe_independent(struct vssd_request *request, const struct vssd_ns *ns, uint8_t *data)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct nvme_id_ns_independent *id = (struct nvme_id_ns_independent *)data;

	if (!ns)
		return describe_none(request);
	id->nsfeat = vssd_is_rotational(ctrl->options) ? NVME_NSFEAT_RMEDIA : 0;
	id->nmic = ns->shared;
	id->rescap = rescap(ctrl);
	id->fpi = format_progress(ctrl, ns);
	id->nvmsetid = ns->setid;
	id->endgid = ns->endgid;
	id->nsattr = vssd_security_protection(ctrl->subsystem, ns) != VSSD_UNPROTECTED;
	id->anagrpid = vssd_has_ana(ctrl) ? ns->anagrpid : 0;
	id->nstat = 1;
	return NVME_SC_SUCCESS;
}

static uint16_t identify_independent(struct vssd_request *request, uint8_t *data)
{
	return describe_independent(request, request->ns, data);
}

static uint16_t identify_allocated_independent(struct vssd_request *request, uint8_t *data)
{
	return describe_independent(request, vssd_subsystem_ns(request->ctrl->subsystem, request->cmd.nsid), data);
}

static uint16_t identify_uuid_list(struct vssd_request *request, uint8_t *data)
{
	if (!request->ctrl->options->optional.ocp)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_IDENTIFY_CNS, "CNS"),
				   VSSD_OWN);
	vssd_ocp_uuid_list((struct nvme_uuid_list *)data);
	return NVME_SC_SUCCESS;
}

static uint16_t identify_primary(struct vssd_request *request, uint8_t *data)
{
	vssd_virtual_capabilities(request->ctrl, (struct nvme_primary_ctrl_caps *)data);
	return NVME_SC_SUCCESS;
}

static uint16_t identify_secondaries(struct vssd_request *request, uint8_t *data)
{
	vssd_virtual_list(request, (struct nvme_secondary_ctrl_list *)data);
	return NVME_SC_SUCCESS;
}

static uint16_t identify_state_formats(struct vssd_request *request, uint8_t *data)
{
	(void)request;
	vssd_migration_formats(data);
	return NVME_SC_SUCCESS;
}

static uint16_t identify_command_sets(struct vssd_request *request, uint8_t *data)
{
	uint64_t *vectors = (uint64_t *)data;
	uint16_t cntid = (uint16_t)nvme_get_field(&request->cmd, NVME_FIELD_IDENTIFY_CNTID);

	if (cntid != UINT16_MAX && cntid != vssd_cntlid(&request->ctrl->listener))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_IDENTIFY_CNTID, "CNTID"),
				   VSSD_OWN);
	vectors[0] = 1u << NVME_CSI_NVM | bit_if(request->ctrl->options->kv.namespaces, 1u << NVME_CSI_KV) |
		     bit_if(request->ctrl->options->zones.namespaces, 1u << NVME_CSI_ZNS);
	return NVME_SC_SUCCESS;
}

static const struct {
	uint16_t (*fill)(struct vssd_request *request, uint8_t *data); /* NVME_IDENTIFY_SIZE zeros */
	enum nvme_version since;
	bool managed; /* only drives on which the host can create namespaces have it */
} structures[256] = {
	[NVME_CNS_NS] = {identify_ns, NVME_1_0, false},
	[NVME_CNS_CTRL] = {identify_controller, NVME_1_0, false},
	[NVME_CNS_ACTIVE_NS_LIST] = {identify_active_list, NVME_1_1, false},
	[NVME_CNS_NS_DESCRIPTORS] = {identify_descriptors, NVME_1_3, false},
	[NVME_CNS_CSI_NS] = {identify_csi_ns, NVME_2_0, false},
	[NVME_CNS_CSI_CTRL] = {identify_csi_controller, NVME_2_0, false},
	[NVME_CNS_CSI_ACTIVE_NS_LIST] = {identify_csi_active_list, NVME_2_0, false},
	[NVME_CNS_INDEPENDENT_NS] = {identify_independent, NVME_2_0, false},
	[NVME_CNS_CSI_NS_USER_FORMATS] = {identify_format, NVME_2_0, false},
	[NVME_CNS_CSI_NS_FORMATS] = {identify_csi_format, NVME_2_0, false},
	[NVME_CNS_ALLOCATED_NS_LIST] = {identify_allocated_list, NVME_1_2, true},
	[NVME_CNS_ALLOCATED_NS] = {identify_allocated_ns, NVME_1_2, true},
	[NVME_CNS_NS_CTRL_LIST] = {identify_ns_ctrls, NVME_1_2, true},
	[NVME_CNS_CTRL_LIST] = {identify_ctrls, NVME_1_2, true},
	[NVME_CNS_PRIMARY_CTRL_CAPS] = {identify_primary, NVME_1_3, false},
	[NVME_CNS_SECONDARY_CTRL_LIST] = {identify_secondaries, NVME_1_3, false},
	[NVME_CNS_NS_GRANULARITY] = {identify_granularity, NVME_1_4, true},
	[NVME_CNS_UUID_LIST] = {identify_uuid_list, NVME_1_4, false},
	[NVME_CNS_NVM_SET_LIST] = {vssd_identify_sets, NVME_1_4, false},
	[NVME_CNS_ENDURANCE_GROUP_LIST] = {vssd_identify_groups, NVME_2_0, false},
	[NVME_CNS_CSI_ALLOCATED_NS_LIST] = {identify_csi_allocated_list, NVME_2_0, true},
	[NVME_CNS_CSI_ALLOCATED_NS] = {identify_csi_allocated_ns, NVME_2_0, true},
	[NVME_CNS_COMMAND_SETS] = {identify_command_sets, NVME_2_0, false},
	[NVME_CNS_CONTROLLER_STATE_FORMATS] = {identify_state_formats, NVME_2_0, false},
	[NVME_CNS_ALLOCATED_NS_INDEPENDENT] = {identify_allocated_independent, NVME_2_1, true},
};

/* Lists of controllers also serve drives that have several. */
static bool has_structure(const struct vssd_ctrl *ctrl, uint8_t cns)
{
	bool is_virtual = cns == NVME_CNS_PRIMARY_CTRL_CAPS || cns == NVME_CNS_SECONDARY_CTRL_LIST;
	bool lists = cns == NVME_CNS_NS_CTRL_LIST || cns == NVME_CNS_CTRL_LIST;

	if (cns == NVME_CNS_CONTROLLER_STATE_FORMATS)
		return vssd_migration_is_manager(ctrl);
	if (is_virtual)
		return vssd_is_primary(ctrl->subsystem, &ctrl->listener);
	return !structures[cns].managed || is_managed(ctrl) || (lists && has_several(ctrl));
}

uint16_t vssd_identify(struct vssd_request *request)
{
	_Alignas(uint64_t) uint8_t data[NVME_IDENTIFY_SIZE] = {0};
	uint8_t cns = (uint8_t)nvme_get_field(&request->cmd, NVME_FIELD_IDENTIFY_CNS);
	uint16_t status;

	if (!structures[cns].fill || !vssd_since(request->ctrl, structures[cns].since) ||
	    !has_structure(request->ctrl, cns))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_IDENTIFY_CNS, "CNS"),
				   VSSD_OWN);
	status = structures[cns].fill(request, data);
	return status ? status : vssd_data_send(request, data, sizeof(data));
}
