/* SPDX-License-Identifier: BSD-3-Clause */
/* Get Log Page. NVM Express Base Specification 2.0, section 5.16. */
#include <string.h>

#include "vssd/cmd/admin.h"
#include "vssd/cmd/ana.h"
#include "vssd/cmd/capacity.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/log_ocp.h"
#include "vssd/cmd/log_pel.h"
#include "vssd/cmd/table.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/lockdown.h"
#include "vssd/cmd/mi.h"
#include "vssd/cmd/placement.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/zones.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/boot.h"

#define LSP_SHIFT 8 /* cdw10, 7 bits */

#define RGO 1u /* log page 0Ch, in the log specific parameter: return groups only */
/* The parameters of a Get Log Page command, and its result. */
struct query {
	uint8_t lsp; /* log specific parameter, log specific identifier, command set identifier */
	uint16_t lsi;
	uint8_t csi;
	uint32_t nsid;
	uint8_t *buffer;     /* PAGE_SIZE zeros; fill writes the page here */
	const uint8_t *page; /* the buffer, unless fill points it to a stored page */
};

#define PAGE_SIZE 4096u

static uint16_t fill_error(struct vssd_request *request, struct query *query)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct nvme_error_log_entry *entries = (struct nvme_error_log_entry *)query->buffer;
	const struct nvme_error_log_entry *entry;

	for (uint32_t i = 0; (entry = vssd_error_log_entry(ctrl, i)); i++) {
		entries[i] = *entry;
		/* During a sanitize operation the log must not reveal LBAs. */
		if (vssd_sanitize_refuses(ctrl->subsystem))
			entries[i].lba = 0;
	}
	return NVME_SC_SUCCESS;
}

static uint16_t fill_smart(struct vssd_request *request, struct query *query)
{
	struct nvme_smart_log *log = (struct nvme_smart_log *)query->buffer;

	vssd_health_smart(request->ctrl->subsystem, log);
	vssd_thermal_check(request->ctrl);
	log->cw = request->ctrl->power.thermal.warnings;
	return NVME_SC_SUCCESS;
}

static uint16_t fill_firmware(struct vssd_request *request, struct query *query)
{
	vssd_firmware_log(request->ctrl->subsystem, (struct nvme_firmware_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_self_test(struct vssd_request *request, struct query *query)
{
	vssd_self_test_log(request->ctrl->subsystem, (struct nvme_self_test_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_sanitize(struct vssd_request *request, struct query *query)
{
	vssd_sanitize_log(request->ctrl->subsystem, (struct nvme_sanitize_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

/* nsids: a bit for each namespace, by NSID - 1. */
static void list_namespaces(uint32_t nsids, struct query *query)
{
	uint32_t *list = (uint32_t *)query->buffer;
	unsigned count = 0;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (nsids >> i & 1)
			list[count++] = i + 1;
}

static uint16_t fill_changed_ns(struct vssd_request *request, struct query *query)
{
	list_namespaces(request->ctrl->events.changed_ns, query);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_changed_allocated(struct vssd_request *request, struct query *query)
{
	list_namespaces(request->ctrl->events.changed_allocated, query);
	return NVME_SC_SUCCESS;
}

/* Since 2.0 the host selects the command set by CSI. */
static uint16_t fill_effects(struct vssd_request *request, struct query *query)
{
	uint8_t csi = vssd_since(request->ctrl, NVME_2_0) ? query->csi : NVME_CSI_NVM;
	uint32_t *effects = (uint32_t *)query->buffer;

	if (!vssd_io_effects(request->ctrl, csi, effects + 256))
		return vssd_refuse(request, NVME_SC_COMMAND_SET_NOT_SUPPORTED,
				   VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_CSI, "CSI"), VSSD_BASE("5.1.12.1.6"));
	vssd_admin_effects(request->ctrl, effects);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_ana(struct vssd_request *request, struct query *query)
{
	vssd_ana_log(request->ctrl, query->lsp & RGO, query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_media_units(struct vssd_request *request, struct query *query)
{
	vssd_media_units_log(request->ctrl, (struct nvme_media_unit_status_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_feature_effects(struct vssd_request *request, struct query *query)
{
	vssd_features_effects(request->ctrl, (uint32_t *)query->buffer);
	return NVME_SC_SUCCESS;
}

/* All zeros, unless the drive has the Management Interface. */
static uint16_t fill_mi_effects(struct vssd_request *request, struct query *query)
{
	vssd_mi_effects(request->ctrl, (uint32_t *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_lockdown(struct vssd_request *request, struct query *query)
{
	return vssd_lockdown_log(request, query->lsp, (struct nvme_lockdown_log *)query->buffer);
}

static uint16_t fill_telemetry_host(struct vssd_request *request, struct query *query)
{
	query->page = vssd_telemetry_host(request->ctrl, query->lsp & NVME_LOG_CREATE >> LSP_SHIFT);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_telemetry_ctrl(struct vssd_request *request, struct query *query)
{
	query->page = vssd_telemetry_ctrl(request->ctrl);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_reservation(struct vssd_request *request, struct query *query)
{
	vssd_reserved_page(request->ctrl, (struct nvme_reservation_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_ocp_smart(struct vssd_request *request, struct query *query)
{
	vssd_ocp_smart(request->ctrl, (struct nvme_ocp_smart_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_ocp_error_recovery(struct vssd_request *request, struct query *query)
{
	(void)request;
	vssd_ocp_error_recovery((struct nvme_ocp_error_recovery_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_endurance_group(struct vssd_request *request, struct query *query)
{
	return vssd_group_log(request, (struct nvme_endurance_group_log *)query->buffer);
}

static uint16_t fill_rotational(struct vssd_request *request, struct query *query)
{
	return vssd_rotational_log(request, (struct nvme_rotational_media_log *)query->buffer);
}

static uint16_t fill_group_events(struct vssd_request *request, struct query *query)
{
	vssd_group_events_log(request->ctrl, (struct nvme_endurance_group_events_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_configurations(struct vssd_request *request, struct query *query)
{
	vssd_configurations_log(request->ctrl, query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_fdp_configurations(struct vssd_request *request, struct query *query)
{
	uint16_t status = vssd_fdp_log_check(request, false);

	if (!status)
		vssd_fdp_log_configurations(request->ctrl->subsystem->fdp, query->buffer);
	return status;
}

static uint16_t fill_fdp_usage(struct vssd_request *request, struct query *query)
{
	uint16_t status = vssd_fdp_log_check(request, true);

	if (!status)
		vssd_fdp_log_usage(request->ctrl->subsystem->fdp, (struct nvme_fdp_usage_log *)query->buffer);
	return status;
}

static uint16_t fill_fdp_statistics(struct vssd_request *request, struct query *query)
{
	uint16_t status = vssd_fdp_log_check(request, true);

	if (!status)
		vssd_fdp_log_statistics(request->ctrl->subsystem->fdp,
					(struct nvme_fdp_statistics_log *)query->buffer);
	return status;
}

static uint16_t fill_fdp_events(struct vssd_request *request, struct query *query)
{
	uint16_t status = vssd_fdp_log_check(request, true);

	if (!status)
		vssd_fdp_log_events(request->ctrl->subsystem->fdp, query->lsp & 1,
				    (struct nvme_fdp_events_log *)query->buffer);
	return status;
}

static uint16_t fill_lba_status(struct vssd_request *request, struct query *query)
{
	query->page = vssd_lba_status_page(request->ctrl);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_changed_zones(struct vssd_request *request, struct query *query)
{
	vssd_zones_changed(request->ctrl, request->ns, (struct nvme_changed_zones_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_ocp_firmware_history(struct vssd_request *request, struct query *query)
{
	vssd_ocp_firmware_history(request->ctrl, (struct nvme_ocp_firmware_history_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_ocp_latency(struct vssd_request *request, struct query *query)
{
	vssd_latency_log(request->ctrl->subsystem, (struct nvme_ocp_latency_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_ocp_capabilities(struct vssd_request *request, struct query *query)
{
	vssd_ocp_capabilities(request->ctrl, (struct nvme_ocp_capabilities_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_ocp_unsupported(struct vssd_request *request, struct query *query)
{
	(void)request;
	vssd_ocp_unsupported((struct nvme_ocp_unsupported_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_ocp_tcg(struct vssd_request *request, struct query *query)
{
	(void)request;
	vssd_ocp_tcg((struct nvme_ocp_tcg_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_ocp_hardware(struct vssd_request *request, struct query *query)
{
	vssd_ocp_hardware(request->ctrl, query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_ocp_telemetry_strings(struct vssd_request *request, struct query *query)
{
	(void)request;
	vssd_ocp_telemetry_strings(query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_power_measurement(struct vssd_request *request, struct query *query)
{
	vssd_power_log(request->ctrl->subsystem, (struct nvme_power_measurement_log *)query->buffer);
	return NVME_SC_SUCCESS;
}

static uint16_t fill_supported(struct vssd_request *request, struct query *query);

/* The boot partition that bit 0 of the log specific parameter selects. */
static uint16_t fill_boot_partition(struct vssd_request *request, struct query *query)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	struct nvme_boot_partition_log *log = (struct nvme_boot_partition_log *)subsystem->security->boot_log;

	log->lid = NVME_LOG_BOOT_PARTITION;
	log->bpinfo = vssd_boot_info(subsystem);
	vssd_boot_read(subsystem, query->lsp & 1, 0, log->bpdata, VSSD_BOOT_SIZE);
	query->page = subsystem->security->boot_log;
	return NVME_SC_SUCCESS;
}

/* The log pages by LID. size 0: the drive does not have the page. */
static const struct log_page {
	uint16_t (*fill)(struct vssd_request *request, struct query *query); /* returns a status */
	uint32_t size;
	uint32_t unit;        /* offsets must be multiples of it */
	bool during_sanitize; /* readable while a sanitize operation is in progress or has failed */
	enum nvme_version since;
	bool ocp;    /* of OCP: the drive has it with the option --ocp */
	bool fdp;    /* the drive has it with the option --fdp */
	bool per_ns; /* of one namespace, which is zoned: a drive with the option --zoned has it */
	bool boot;   /* the drive has it with the option --boot-partitions */
	bool groups; /* the drive has it if it has endurance groups */
} pages[256] = {
	[NVME_LOG_SUPPORTED] = {fill_supported, sizeof(struct nvme_supported_logs), 4, false, NVME_2_0},
	[NVME_LOG_ERROR] = {fill_error, (VSSD_ELPE + 1) * sizeof(struct nvme_error_log_entry), 4, true, NVME_1_0},
	[NVME_LOG_SMART] = {fill_smart, sizeof(struct nvme_smart_log), 4, true, NVME_1_0},
	[NVME_LOG_FIRMWARE] = {fill_firmware, sizeof(struct nvme_firmware_log), 4, false, NVME_1_0},
	[NVME_LOG_CHANGED_NS] = {fill_changed_ns, NVME_CHANGED_NS_MAX * sizeof(uint32_t), 4, true, NVME_1_2},
	[NVME_LOG_CHANGED_ALLOCATED_NS] = {fill_changed_allocated, NVME_CHANGED_NS_MAX * sizeof(uint32_t), 4, true,
					   NVME_2_1},
	[NVME_LOG_EFFECTS] = {fill_effects, sizeof(struct nvme_effects_log), 4, false, NVME_1_2},
	[NVME_LOG_SELF_TEST] = {fill_self_test, sizeof(struct nvme_self_test_log), 4, false, NVME_1_3},
	[NVME_LOG_TELEMETRY_HOST] = {fill_telemetry_host, sizeof(struct vssd_telemetry_page), NVME_TELEMETRY_BLOCK,
				     false, NVME_1_3},
	[NVME_LOG_TELEMETRY_CTRL] = {fill_telemetry_ctrl, sizeof(struct vssd_telemetry_page), NVME_TELEMETRY_BLOCK,
				     false, NVME_1_3},
	[NVME_LOG_MEDIA_UNIT_STATUS] = {fill_media_units,
					sizeof(struct nvme_media_unit_status_log) +
						VSSD_MEDIA_UNITS * sizeof(struct nvme_media_unit),
					4, false, NVME_2_0},
	[NVME_LOG_ANA] = {fill_ana, VSSD_ANA_LOG_SIZE, 4, true, NVME_1_4},
	[NVME_LOG_FEATURE_EFFECTS] = {fill_feature_effects, sizeof(struct nvme_feature_effects_log), 4, false,
				      NVME_2_0},
	[NVME_LOG_MI_EFFECTS] = {fill_mi_effects, sizeof(struct nvme_mi_effects_log), 4, false, NVME_2_0},
	[NVME_LOG_LOCKDOWN] = {fill_lockdown, sizeof(struct nvme_lockdown_log), 4, true, NVME_2_0},
	[NVME_LOG_BOOT_PARTITION] = {fill_boot_partition, VSSD_BOOT_LOG_SIZE, 4, false, NVME_2_0, .boot = true},
	[NVME_LOG_ROTATIONAL_MEDIA] = {fill_rotational, sizeof(struct nvme_rotational_media_log), 4, false, NVME_2_0,
				       .groups = true},
	[NVME_LOG_PERSISTENT_EVENT] = {NULL, VSSD_PEL_BYTES + sizeof(struct nvme_persistent_event_log), 4, true,
				       NVME_1_4},
	[NVME_LOG_LBA_STATUS] = {fill_lba_status, VSSD_LBA_STATUS_PAGE, 4, false, NVME_1_4},
	[NVME_LOG_SANITIZE] = {fill_sanitize, sizeof(struct nvme_sanitize_log), 4, true, NVME_1_3},
	[NVME_LOG_ENDURANCE_GROUP] = {fill_endurance_group, sizeof(struct nvme_endurance_group_log), 4, false,
				      NVME_1_4, .groups = true},
	[NVME_LOG_ENDURANCE_GROUP_EVENTS] = {fill_group_events,
					     sizeof(struct nvme_endurance_group_events_log) + VSSD_MAX_GROUPS * 2, 4,
					     true, NVME_1_4, .groups = true},
	[NVME_LOG_CAPACITY_CONFIGURATIONS] = {fill_configurations, VSSD_CAPACITY_CONFIGURATIONS_SIZE, 4, false,
					      NVME_2_0},
	[NVME_LOG_FDP_CONFIGURATIONS] = {fill_fdp_configurations, VSSD_FDP_CONFIGURATIONS_SIZE, 4, false, NVME_2_0,
					 .fdp = true},
	[NVME_LOG_FDP_RUH_USAGE] = {fill_fdp_usage, VSSD_FDP_USAGE_SIZE, 4, false, NVME_2_0, .fdp = true},
	[NVME_LOG_FDP_STATISTICS] = {fill_fdp_statistics, sizeof(struct nvme_fdp_statistics_log), 4, false, NVME_2_0,
				     .fdp = true},
	[NVME_LOG_FDP_EVENTS] = {fill_fdp_events, VSSD_FDP_EVENTS_SIZE, 4, false, NVME_2_0, .fdp = true},
	[NVME_LOG_POWER_MEASUREMENT] = {fill_power_measurement, VSSD_POWER_LOG_SIZE, 4, true, NVME_2_0},
	[NVME_LOG_RESERVATION] = {fill_reservation, sizeof(struct nvme_reservation_log), 4, true, NVME_1_1},
	[NVME_OCP_LOG_SMART] = {fill_ocp_smart, sizeof(struct nvme_ocp_smart_log), 4, true, NVME_1_4, true},
	[NVME_OCP_LOG_ERROR_RECOVERY] = {fill_ocp_error_recovery, sizeof(struct nvme_ocp_error_recovery_log), 4, true,
					 NVME_1_4, true},
	[NVME_LOG_CHANGED_ZONES] = {fill_changed_zones, sizeof(struct nvme_changed_zones_log), 4, false, NVME_2_0,
				    false, false, true},
	[NVME_OCP_LOG_FIRMWARE_HISTORY] = {fill_ocp_firmware_history, sizeof(struct nvme_ocp_firmware_history_log), 4,
					   true, NVME_1_4, true},
	[NVME_OCP_LOG_LATENCY] = {fill_ocp_latency, sizeof(struct nvme_ocp_latency_log), 4, true, NVME_1_4, true},
	[NVME_OCP_LOG_CAPABILITIES] = {fill_ocp_capabilities, sizeof(struct nvme_ocp_capabilities_log), 4, true,
				       NVME_1_4, true},
	[NVME_OCP_LOG_UNSUPPORTED] = {fill_ocp_unsupported, sizeof(struct nvme_ocp_unsupported_log), 4, true,
				      NVME_1_4, true},
	[NVME_OCP_LOG_HARDWARE] = {fill_ocp_hardware, VSSD_OCP_HARDWARE_SIZE, 4, true, NVME_1_4, true},
	[NVME_OCP_LOG_TCG] = {fill_ocp_tcg, sizeof(struct nvme_ocp_tcg_log), 4, true, NVME_1_4, true},
	[NVME_OCP_LOG_TELEMETRY_STRINGS] = {fill_ocp_telemetry_strings, VSSD_OCP_STRINGS_SIZE, 4, true, NVME_1_4,
					    true},
};

bool vssd_log_supported(const struct vssd_ctrl *ctrl, uint8_t lid)
{
	if (lid == NVME_LOG_RESERVATION && !ctrl->options->optional.reservations)
		return false;
	if (lid == NVME_LOG_ROTATIONAL_MEDIA && !vssd_is_rotational(ctrl->options))
		return false;
	if (lid == NVME_LOG_POWER_MEASUREMENT && !ctrl->options->optional.features.power_measurement)
		return false;
	if (lid == NVME_LOG_LBA_STATUS && !vssd_lba_status_is_there(ctrl->options))
		return false;
	if (lid == NVME_LOG_LOCKDOWN && !ctrl->options->optional.lockdown)
		return false;
	if (lid == NVME_LOG_PERSISTENT_EVENT && !ctrl->options->optional.persistent_events)
		return false;
	if (lid == NVME_LOG_CAPACITY_CONFIGURATIONS && ctrl->options->division.management != VSSD_CAPACITY_FIXED)
		return false;
	if (pages[lid].groups && !ctrl->subsystem->fdp && !vssd_is_divided(ctrl->subsystem))
		return false;
	if (lid == NVME_LOG_ANA && !vssd_has_ana(ctrl))
		return false;
	return pages[lid].size && vssd_since(ctrl, pages[lid].since) &&
	       (!pages[lid].ocp || ctrl->options->optional.ocp) &&
	       (!pages[lid].boot || ctrl->options->optional.boot) && (!pages[lid].fdp || ctrl->subsystem->fdp) &&
	       (!pages[lid].per_ns || ctrl->options->zones.namespaces);
}

static uint16_t fill_supported(struct vssd_request *request, struct query *query)
{
	uint32_t *lids = (uint32_t *)query->buffer;

	for (unsigned lid = 0; lid < 256; lid++)
		lids[lid] = vssd_log_supported(request->ctrl, (uint8_t)lid) ? NVME_LOG_LSUPP : 0;
	return NVME_SC_SUCCESS;
}

/* Clear the event that reported this page: the host has read it, with Retain Asynchronous Event (RAE) cleared. */
static void forget(struct vssd_ctrl *ctrl, uint8_t lid, uint32_t nsid)
{
	if (lid == NVME_LOG_CHANGED_NS)
		ctrl->events.changed_ns = 0;
	if (lid == NVME_LOG_CHANGED_ALLOCATED_NS)
		ctrl->events.changed_allocated = 0;
	if (lid == NVME_LOG_ENDURANCE_GROUP_EVENTS)
		ctrl->events.groups = 0;
	if (lid == NVME_LOG_TELEMETRY_CTRL)
		ctrl->telemetry.available = false;
	if (lid == NVME_LOG_CHANGED_ZONES)
		vssd_zones_forget_changed(ctrl, nsid);
	if (lid == NVME_LOG_LBA_STATUS)
		vssd_lba_status_page_read(ctrl);
	vssd_event_acknowledge(ctrl, lid);
	if (lid == NVME_LOG_RESERVATION)
		vssd_reserved_read(ctrl);
}

/* Refuse offsets and long lengths before the version whose LPA announces them. */
static uint16_t check_version(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;

	if (!vssd_log_supported(request->ctrl, (uint8_t)cmd->cdw10))
		return vssd_refuse(request, NVME_SC_INVALID_LOG_PAGE, VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_LID, "LID"),
				   VSSD_OWN);
	if (!vssd_since(request->ctrl, NVME_1_2_1) && (cmd->cdw11 || cmd->cdw12 || cmd->cdw13))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_NUMDU, "NUMDU"),
				   VSSD_OWN);
	return NVME_SC_SUCCESS;
}

/* Check NSID: that of a zoned namespace for a page of one, else none or all. */
static uint16_t check_nsid(struct vssd_request *request, const struct log_page *page)
{
	uint32_t nsid = request->cmd.nsid;
	bool is_right = nsid == 0 || nsid == NVME_NSID_ALL;

	if (page->per_ns)
		is_right = request->ns && request->ns->csi == NVME_CSI_ZNS;
	if (is_right)
		return NVME_SC_SUCCESS;
	return vssd_refuse(request,
			   vssd_nsid_is_valid(request->ctrl, nsid) || nsid == NVME_NSID_ALL
				   ? NVME_SC_INVALID_FIELD
				   : NVME_SC_INVALID_NAMESPACE,
			   VSSD_NSID, VSSD_OWN);
}

static uint64_t size_of(const struct vssd_ctrl *ctrl, uint8_t lid)
{
	bool is_telemetry = lid == NVME_LOG_TELEMETRY_HOST || lid == NVME_LOG_TELEMETRY_CTRL;

	return is_telemetry ? vssd_telemetry_size(ctrl, lid) : pages[lid].size;
}

/* Whether a controller that cannot access a namespace does not have the log page. Base 2.1, figure 584. */
static bool is_of_media(const struct nvme_cmd *cmd)
{
	uint64_t lid = nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_LID);

	return lid == NVME_LOG_MEDIA_UNIT_STATUS || lid == NVME_LOG_CAPACITY_CONFIGURATIONS;
}

static uint16_t check(struct vssd_request *request, const struct log_page *page, uint64_t offset, uint64_t length)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint16_t status = check_version(request);

	if (status)
		return status;
	if (page->ocp && nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_UIDX) > VSSD_OCP_UUID_INDEX)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_UIDX, "UIDX"),
				   VSSD_BASE("8.1.28"));
	if (!page->during_sanitize && vssd_sanitize_refuses(ctrl->subsystem))
		return vssd_refuse_busy(request, vssd_sanitize_refuses(ctrl->subsystem));
	status = check_nsid(request, page);
	if (!status && page->per_ns)
		status = vssd_ana_check_ns(request, request->ns);
	if (!status && is_of_media(cmd))
		status = vssd_ana_check_all(request);
	if (status)
		return status;
	if (nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_OT))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_OT, "OT"),
				   VSSD_OWN);
	if (offset % page->unit != 0 || offset > size_of(ctrl, (uint8_t)cmd->cdw10))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_LPO, "LPO"),
				   VSSD_OWN);
	if (length > ctrl->transfers.most)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_NUMDL, "NUMDL, above MDTS"), VSSD_OWN);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_get_log_page(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	_Alignas(uint64_t) uint8_t buffer[PAGE_SIZE] = {0};
	uint8_t lid = (uint8_t)nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_LID);
	const struct log_page *page = &pages[lid];
	uint64_t length = vssd_log_length(cmd), offset = nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_LPO);
	struct query query = {
		.lsp = (uint8_t)nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_LSP),
		.lsi = (uint16_t)nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_LSI),
		.csi = (uint8_t)nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_CSI),
		.nsid = cmd->nsid,
		.buffer = buffer,
		.page = buffer,
	};
	uint16_t status = check(request, page, offset, length);

	if (!status && request->is_trial)
		return vssd_data_map(request, length, VSSD_DMA_WRITE);
	if (!status && lid == NVME_LOG_PERSISTENT_EVENT)
		return vssd_pel_read(request);
	if (!status)
		status = page->fill(request, &query);
	if (!status)
		status = vssd_data_send_part(request, query.page, size_of(request->ctrl, lid), offset, length);
	if (!status && !nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_RAE))
		forget(request->ctrl, lid, cmd->nsid);
	return status;
}
