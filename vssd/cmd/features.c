/* SPDX-License-Identifier: BSD-3-Clause */
/* Get and Set Features, by one table. NVM Express Base Specification 2.0, section 5.27; NVM Command Set 1.0, 4.1.4.
 */
#include <string.h>

#include "core/util/clock.h"
#include "vssd/cmd/admin.h"
#include "vssd/cmd/ana.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/log_ocp.h"
#include "vssd/cmd/migration.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/reservation.h"
#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/keep_alive.h"
#include "vssd/fault/value.h"
#include "vssd/ctrl/plain.h"
#include "vssd/subsystem/reservation.h"

#define TMPSEL_ALL 15u
#define VECTOR_CD 0x10000u /* coalescing disable */
#define THRESHOLD_OVER 0u
#define THRESHOLD_UNDER 1u
#define SAVED_DWORDS 6u
#define KAS_MS (VSSD_KAS * 100u)
#define SAVED_COMPLETION 8u

struct feature {
	enum nvme_version since; /* 0: there is no such feature */
	uint8_t capabilities;    /* NVME_FEATURE_* */
	uint32_t mask;           /* the bits of cdw11 that the feature stores */
	uint32_t initial;        /* the default value */

	/* NULL: store cdw11 & mask in features.value[fid]; every value is valid. */
	uint16_t (*set)(struct vssd_request *request);
	uint16_t (*get)(struct vssd_request *request, enum nvme_feature_select select);
};

/* Dword 0 of feature 07h; both counts are 0's based. */
static uint32_t queue_counts(uint32_t num_sqs, uint32_t num_cqs)
{
	return (num_cqs - 1) << 16 | (num_sqs - 1);
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Get the sensor and threshold type that cdw11 selects. False: the drive does not have them. Before 1.2 there is only
 * one of each. */
static bool threshold_of(const struct vssd_ctrl *ctrl, uint32_t cdw11, uint32_t *sensor, uint32_t *type)
{
	if (!vssd_since(ctrl, NVME_1_2))
		cdw11 &= UINT16_MAX;
	*sensor = cdw11 >> 16 & 0xf;
	*type = cdw11 >> 20 & 3;
	return *type <= THRESHOLD_UNDER && (*sensor <= VSSD_SENSORS || *sensor == TMPSEL_ALL);
}

static uint16_t set_temperature(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint32_t sensor, type;

	if (!threshold_of(ctrl, cmd->cdw11, &sensor, &type))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 21, 16, "THSEL and TMPSEL"),
				   VSSD_BASE("5.1.25.1.3"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	for (uint32_t i = 0; i <= VSSD_SENSORS; i++)
		if (sensor == i || sensor == TMPSEL_ALL)
			ctrl->power.thermal.threshold[i][type] = (uint16_t)cmd->cdw11;
	vssd_thermal_check(ctrl);
	return NVME_SC_SUCCESS;
}

static uint16_t initial_threshold(uint32_t sensor, uint32_t type)
{
	if (type == THRESHOLD_UNDER)
		return 0;
	return sensor == 0 ? VSSD_WCTEMP : UINT16_MAX;
}

static uint16_t get_temperature(struct vssd_request *request, enum nvme_feature_select select)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint32_t sensor, type;

	if (!threshold_of(ctrl, cmd->cdw11, &sensor, &type) || sensor == TMPSEL_ALL)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 21, 16, "THSEL and TMPSEL"),
				   VSSD_BASE("5.1.25.1.3"));
	request->result = select == NVME_SEL_CURRENT ? ctrl->power.thermal.threshold[sensor][type]
						     : initial_threshold(sensor, type);
	return NVME_SC_SUCCESS;
}

static uint16_t set_error_recovery(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;

	if (request->is_trial)
		return NVME_SC_SUCCESS;
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (vssd_ns_is_active(ctrl, &ctrl->ns[i]) && (cmd->nsid == NVME_NSID_ALL || cmd->nsid == i + 1)) {
			ctrl->ns[i].dulbe = cmd->cdw11 & NVME_DULBE && vssd_features_dulbe(ctrl);
			ctrl->ns[i].tler = (uint16_t)cmd->cdw11;
		}
	vssd_subsystem_notify(ctrl->subsystem, VSSD_NOTICE_REFUSALS);
	return NVME_SC_SUCCESS;
}

static uint16_t get_error_recovery(struct vssd_request *request, enum nvme_feature_select select)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	const struct vssd_ns *ns = vssd_ns_find(ctrl, cmd->nsid);

	if (!ns)
		return vssd_refuse_nsid(request, VSSD_NVM("4.1.3.2"));
	request->result = select == NVME_SEL_CURRENT ? ns->tler | (ns->dulbe ? NVME_DULBE : 0) : 0;
	return NVME_SC_SUCCESS;
}

static uint16_t set_vwc(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;

	if (request->is_trial)
		return NVME_SC_SUCCESS;
	ctrl->features.value[NVME_FEAT_VWC] = cmd->cdw11 & NVME_WCE;
	vssd_features_changed(ctrl);
	return NVME_SC_SUCCESS;
}

static uint16_t set_queues(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;

	if ((cmd->cdw11 & 0xffff) == 0xffff || cmd->cdw11 >> 16 == 0xffff)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_DWORD(11, "NCQR and NSQR"),
				   VSSD_BASE("5.1.25.2.1"));
	if (ctrl->queues.made)
		return vssd_refuse(request, NVME_SC_COMMAND_SEQUENCE_ERROR,
				   VSSD_STATE("I/O queues have been created already"), VSSD_BASE("5.1.25.2.1"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	if (!ctrl->queues.granted && !ctrl->options->grant_all) {
		ctrl->queues.num_sqs = lesser(ctrl->queues.num_sqs, (cmd->cdw11 & 0xffff) + 1);
		ctrl->queues.num_cqs = lesser(ctrl->queues.num_cqs, (cmd->cdw11 >> 16) + 1);
	}
	ctrl->queues.granted = true;
	request->result = queue_counts(ctrl->queues.num_sqs, ctrl->queues.num_cqs);
	return NVME_SC_SUCCESS;
}

static uint16_t get_queues(struct vssd_request *request, enum nvme_feature_select select)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t most = vssd_virtual_queues(ctrl->subsystem, &ctrl->listener);

	request->result = select == NVME_SEL_CURRENT ? queue_counts(ctrl->queues.num_sqs, ctrl->queues.num_cqs)
						     : queue_counts(most, most);
	return NVME_SC_SUCCESS;
}

static uint16_t check_vector(struct vssd_request *request, uint16_t vector)
{
	if (vector >=
	    vssd_virtual_vectors(request->ctrl->subsystem, &request->ctrl->listener, request->ctrl->interrupts.count))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 15, 0, "IV"),
				   VSSD_BASE("5.1.25.2.3"));
	return NVME_SC_SUCCESS;
}

static uint16_t set_vector(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint16_t vector = (uint16_t)cmd->cdw11;
	uint16_t status = check_vector(request, vector);

	if (status || request->is_trial)
		return status;
	ctrl->interrupts.coalescing_off[vector] = cmd->cdw11 & VECTOR_CD;
	return NVME_SC_SUCCESS;
}

static uint16_t get_vector(struct vssd_request *request, enum nvme_feature_select select)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint16_t vector = (uint16_t)cmd->cdw11;
	uint16_t status = check_vector(request, vector);

	if (status)
		return status;
	request->result =
		vector | (select == NVME_SEL_CURRENT && ctrl->interrupts.coalescing_off[vector] ? VECTOR_CD : 0);
	return NVME_SC_SUCCESS;
}

/* Call it before the clock changes. */
static void record_timestamp(struct vssd_ctrl *ctrl)
{
	uint64_t now = vssd_clock_ms(&ctrl->subsystem->clock);
	struct nvme_timestamp_event event = {.pts = now, .msr = now};

	vssd_pel_add(ctrl->subsystem, NVME_PERSISTENT_TIMESTAMP, vssd_cntlid(&ctrl->listener), &event, sizeof(event));
}

/* The data are 48 bits of milliseconds, then the attributes. */
static uint16_t set_timestamp(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint64_t value;
	uint16_t status = vssd_data_receive(request, &value, sizeof(value));

	if (status || request->is_trial)
		return status;
	ctrl->features.timestamp = value & UINT64_C(0xffffffffffff);
	ctrl->features.timestamp_set = pyn_monotonic_ns();
	ctrl->features.timestamp_origin = 1;
	record_timestamp(ctrl);
	vssd_clock_set(&ctrl->subsystem->clock, ctrl->features.timestamp, true);
	return NVME_SC_SUCCESS;
}

uint64_t vssd_timestamp(const struct vssd_ctrl *ctrl)
{
	uint64_t ms = ctrl->features.timestamp + (pyn_monotonic_ns() - ctrl->features.timestamp_set) / 1000000;

	return (ms & UINT64_C(0xffffffffffff)) | (uint64_t)ctrl->features.timestamp_origin << 49;
}

static uint16_t get_timestamp(struct vssd_request *request, enum nvme_feature_select select)
{
	uint64_t value = select == NVME_SEL_CURRENT ? vssd_timestamp(request->ctrl) : 0;

	return vssd_data_send(request, &value, sizeof(value));
}

/* NVMe 1.2.1 added identifiers of 128 bits. */
static bool exhid_is_wrong(const struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	return cmd->cdw11 & NVME_EXHID && !vssd_since(ctrl, NVME_1_2_1);
}

/* Whether another controller has an identifier of the other size. */
static bool is_inconsistent(const struct vssd_ctrl *ctrl, const uint8_t id[16], bool wide)
{
	static const uint8_t none[16];

	if (memcmp(id, none, sizeof(none)) == 0)
		return false;
	for (struct vssd_listener *one = ctrl->subsystem->listeners; one; one = one->next) {
		struct vssd_host host;

		one->ops->host(one, &host);
		if (one != &ctrl->listener && !host.is_alone && host.is_wide != wide)
			return true;
	}
	return false;
}

/* The identifier has 64 bits, or 128 with EXHID. */
static uint16_t set_host_id(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint8_t id[sizeof(ctrl->features.host_id)] = {0};
	uint16_t status;

	if (exhid_is_wrong(ctrl, cmd))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BIT(11, 0, "EXHID"), VSSD_OWN);
	status = vssd_data_receive(request, id, cmd->cdw11 & NVME_EXHID ? 16 : 8);
	if (!status && is_inconsistent(ctrl, id, cmd->cdw11 & NVME_EXHID))
		return vssd_refuse(request, NVME_SC_HOST_ID_INCONSISTENT, VSSD_BIT(11, 0, "EXHID"), VSSD_OWN);
	if (status || request->is_trial)
		return status;
	memcpy(ctrl->features.host_id, id, sizeof(id));
	ctrl->features.host_id_wide = cmd->cdw11 & NVME_EXHID;
	vssd_plain_update(ctrl);
	return NVME_SC_SUCCESS;
}

static uint16_t get_host_id(struct vssd_request *request, enum nvme_feature_select select)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	static const uint8_t none[sizeof(ctrl->features.host_id)];
	const uint8_t *id = select == NVME_SEL_CURRENT ? ctrl->features.host_id : none;

	if (exhid_is_wrong(ctrl, cmd))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BIT(11, 0, "EXHID"), VSSD_OWN);
	return vssd_data_send(request, id, cmd->cdw11 & NVME_EXHID ? 16 : 8);
}

#define NAMING_NS 0xc /* formats 2h and 3h of Copy, which the host must enable */

/* Store Host Behavior Support. LBAFEE changes nothing: the drive shows all its LBA formats to every host, since they
 * are 16 at most. */
static uint16_t set_host_behavior(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct nvme_host_behavior data;
	uint16_t status = vssd_data_receive(request, &data, sizeof(data));
	bool since_2_0 = vssd_since(ctrl, NVME_2_0);

	if (status)
		return status;
	if (data.acre > 1 || (since_2_0 && (data.etdas > 1 || data.lbafee > 1)))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_STATE("ACRE, ETDAS or LBAFEE in the data is neither 0 nor 1"),
				   VSSD_BASE("5.1.25.1.14"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	ctrl->features.behavior = (struct nvme_host_behavior){
		.acre = data.acre,
		.etdas = since_2_0 ? data.etdas : 0,
		.lbafee = since_2_0 ? data.lbafee : 0,
		.cdfe = ctrl->options->optional.copy ? data.cdfe & vssd_copy_formats(ctrl->options) & NAMING_NS : 0,
	};
	return NVME_SC_SUCCESS;
}

static uint16_t get_host_behavior(struct vssd_request *request, enum nvme_feature_select select)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	static const struct nvme_host_behavior none;

	return vssd_data_send(request, select == NVME_SEL_CURRENT ? &ctrl->features.behavior : &none, sizeof(none));
}

/* The time is a multiple of KAS. */
static uint16_t set_kato(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint64_t units = ((uint64_t)request->cmd.cdw11 + KAS_MS - 1) / KAS_MS;

	if (request->is_trial)
		return NVME_SC_SUCCESS;
	ctrl->features.value[NVME_FEAT_KATO] = (uint32_t)(units * KAS_MS > UINT32_MAX ? units - 1 : units) * KAS_MS;
	vssd_keep_alive(ctrl);
	return NVME_SC_SUCCESS;
}

static uint16_t set_command_set_profile(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;

	if (cmd->cdw11 & 0x1ff)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 8, 0, "IOCSCI"),
				   VSSD_BASE("5.1.25.1.17"));
	return NVME_SC_SUCCESS;
}

#define SAVEABLE (NVME_FEATURE_SAVEABLE | NVME_FEATURE_CHANGEABLE)
#define CHANGEABLE NVME_FEATURE_CHANGEABLE
#define SMART_WARNINGS 0x1fu

static const struct feature features[256] = {
	[NVME_FEAT_ARBITRATION] = {NVME_1_0, SAVEABLE, 0xffffff07, 0x00000007, NULL, NULL},
	[NVME_FEAT_POWER] = {NVME_1_0, CHANGEABLE, 0xff, 0, vssd_power_set, NULL},
	[NVME_FEAT_TEMPERATURE] = {NVME_1_0, CHANGEABLE, 0x003fffff, 0, set_temperature, get_temperature},
	[NVME_FEAT_ERROR_RECOVERY] = {NVME_1_0, CHANGEABLE | NVME_FEATURE_PER_NS, 0x1ffff, 0, set_error_recovery,
				      get_error_recovery},
	[NVME_FEAT_VWC] = {NVME_1_0, SAVEABLE, NVME_WCE, NVME_WCE, set_vwc, NULL},
	[NVME_FEAT_QUEUES] = {NVME_1_0, CHANGEABLE, UINT32_MAX, 0, set_queues, get_queues},
	[NVME_FEAT_COALESCING] = {NVME_1_0, CHANGEABLE, 0xffff, 0, NULL, NULL},
	[NVME_FEAT_VECTOR] = {NVME_1_0, CHANGEABLE, 0x1ffff, 0, set_vector, get_vector},
	[NVME_FEAT_ATOMICITY] = {NVME_1_0, SAVEABLE, 1, 0, NULL, NULL},
	[NVME_FEAT_ASYNC_EVENT] = {NVME_1_0, SAVEABLE, UINT32_MAX, SMART_WARNINGS, NULL, NULL},
	[NVME_FEAT_APST] = {NVME_1_1, SAVEABLE, NVME_APSTE, 0, vssd_apst_set, vssd_apst_get},
	[NVME_FEAT_HMB] = {NVME_1_2, CHANGEABLE, 0, 0, vssd_hmb_set, vssd_hmb_get},
	[NVME_FEAT_TIMESTAMP] = {NVME_1_3, CHANGEABLE, 0, 0, set_timestamp, get_timestamp},
	[NVME_FEAT_KATO] = {NVME_1_2_1, CHANGEABLE, UINT32_MAX, 0, set_kato, NULL},
	[NVME_FEAT_HCTM] = {NVME_1_3, SAVEABLE, UINT32_MAX, 0, vssd_thermal_set, NULL},
	[NVME_FEAT_NOPSC] = {NVME_1_3, SAVEABLE, NVME_NOPPME, 0, NULL, NULL},
	[NVME_FEAT_LBA_STATUS] = {NVME_1_4, SAVEABLE, UINT32_MAX, VSSD_LSIPI << 16 | VSSD_LSIPI, vssd_lba_status_set,
				  NULL},
	[NVME_FEAT_HOST_BEHAVIOR] = {NVME_1_4, CHANGEABLE, 0, 0, set_host_behavior, get_host_behavior},
	[NVME_FEAT_SANITIZE] = {NVME_1_4, SAVEABLE, NVME_NODRM, 0, NULL, NULL},
	[NVME_FEAT_SPINUP] = {NVME_2_0, CHANGEABLE, 0, 0, vssd_spinup_set, vssd_spinup_get},
	[NVME_FEAT_COMMAND_SET_PROFILE] = {NVME_2_0, CHANGEABLE, 0x1ff, 0, set_command_set_profile, NULL},
	[NVME_FEAT_SOFTWARE_PROGRESS] = {NVME_1_0, SAVEABLE, 0xff, 0, NULL, NULL},
	[NVME_FEAT_HOST_ID] = {NVME_1_1, CHANGEABLE, NVME_EXHID, 0, set_host_id, get_host_id},
	[NVME_FEAT_RESERVATION_MASK] = {NVME_1_1, CHANGEABLE | NVME_FEATURE_PER_NS, 0, 0, vssd_reservation_mask_set,
					vssd_reservation_mask_get},
	[NVME_FEAT_RESERVATION_PERSISTENCE] = {NVME_1_1, CHANGEABLE | NVME_FEATURE_PER_NS, 0, 0,
					       vssd_reservation_persistence_set, vssd_reservation_persistence_get},
	[NVME_FEAT_READ_RECOVERY] = {NVME_1_4, CHANGEABLE, 0, 0, vssd_recovery_set, vssd_recovery_get},
	[NVME_FEAT_ENDURANCE_GROUP] = {NVME_1_4, CHANGEABLE, 0, 0, vssd_group_events_set, vssd_group_events_get},
	[NVME_FEAT_FDP] = {NVME_2_0, SAVEABLE, 0, 0, vssd_fdp_set, vssd_fdp_get},
	[NVME_FEAT_FDP_EVENTS] = {NVME_2_0, SAVEABLE | NVME_FEATURE_PER_NS, 0, 0, vssd_fdp_events_set,
				  vssd_fdp_events_get},
	[NVME_FEAT_POWER_LIMIT] = {NVME_2_0, SAVEABLE, VSSD_POWER_LIMIT, 0, vssd_power_limit_set,
				   vssd_power_limit_get},
	[NVME_FEAT_POWER_THRESHOLD] = {NVME_2_0, SAVEABLE, VSSD_POWER_THRESHOLD, 0, vssd_power_threshold_set, NULL},
	[NVME_FEAT_POWER_MEASUREMENT] = {NVME_2_0, CHANGEABLE, 0, 0, vssd_power_measurement_set,
					 vssd_power_measurement_get},
	[NVME_FEAT_CONTROLLER_DATA_QUEUE] = {NVME_2_0, CHANGEABLE, 0, 0, vssd_data_queue_set, vssd_data_queue_get},
	[NVME_FEAT_ENHANCED_CTRL_METADATA] = {NVME_2_0, CHANGEABLE, 0, 0, vssd_host_metadata_set,
					      vssd_host_metadata_get},
	[NVME_FEAT_CTRL_METADATA] = {NVME_2_0, CHANGEABLE, 0, 0, vssd_host_metadata_set, vssd_host_metadata_get},
	[NVME_FEAT_NS_METADATA] = {NVME_2_0, CHANGEABLE | NVME_FEATURE_PER_NS, 0, 0, vssd_host_metadata_set,
				   vssd_host_metadata_get},
	[NVME_FEAT_WRITE_PROTECTION] = {NVME_1_4, CHANGEABLE | NVME_FEATURE_PER_NS, 7, 0, vssd_protection_set,
					vssd_protection_get},
	[NVME_FEAT_BOOT_WRITE_PROTECTION] = {NVME_2_0, CHANGEABLE, 0, 0, vssd_boot_protection_set,
					     vssd_boot_protection_get},
	[NVME_OCP_FEAT_CLEAR_FIRMWARE_HISTORY] = {NVME_1_4, CHANGEABLE, 0, 0, vssd_ocp_clear_set, NULL},
	[NVME_OCP_FEAT_READ_ONLY_WRITE_THROUGH] = {NVME_1_4, SAVEABLE, 3, VSSD_FAILS_READ_ONLY, vssd_ocp_mode_set,
						   NULL},
	[NVME_OCP_FEAT_CLEAR_PCIE_ERRORS] = {NVME_1_4, CHANGEABLE, 0, 0, vssd_ocp_clear_set, NULL},
	[NVME_OCP_FEAT_LATENCY_MONITOR] = {NVME_1_4, SAVEABLE, 0, 0, vssd_ocp_latency_set, vssd_ocp_latency_get},
	[NVME_OCP_FEAT_PLP_HEALTH_CHECK] = {NVME_1_4, SAVEABLE, 0xffff, VSSD_PLP_MINUTES, vssd_ocp_plp_set, NULL},
	[NVME_OCP_FEAT_POWER_STATE] = {NVME_1_4, CHANGEABLE, 0, 0, vssd_ocp_power_set, vssd_ocp_power_get},
	[NVME_OCP_FEAT_ERROR_INJECTION] = {NVME_1_0, CHANGEABLE, NVME_OCP_INJECTIONS, 0, vssd_injection_set,
					   vssd_injection_get},
};

/* Look up a feature. NULL: this drive does not have it. */
static const struct feature *find(const struct vssd_ctrl *ctrl, uint8_t fid)
{
	if (fid == NVME_FEAT_VWC && ctrl->options->cache_size == 0)
		return NULL;
	if ((fid == NVME_FEAT_FDP || fid == NVME_FEAT_FDP_EVENTS) && !ctrl->subsystem->fdp)
		return NULL;
	if (fid == NVME_FEAT_CONTROLLER_DATA_QUEUE && !vssd_migration_is_manager(ctrl))
		return NULL;
	if (fid == NVME_FEAT_READ_RECOVERY && !ctrl->options->division.recovery_levels)
		return NULL;
	if (fid == NVME_FEAT_ENDURANCE_GROUP && !ctrl->subsystem->fdp && !vssd_is_divided(ctrl->subsystem))
		return NULL;
	if ((fid == NVME_FEAT_RESERVATION_MASK || fid == NVME_FEAT_RESERVATION_PERSISTENCE) &&
	    !ctrl->options->optional.reservations)
		return NULL;
	if (fid == NVME_FEAT_KATO && !vssd_has_keep_alive(ctrl))
		return NULL;
	if (fid >= NVME_FEAT_ENHANCED_CTRL_METADATA && fid <= NVME_FEAT_NS_METADATA &&
	    !ctrl->subsystem->health.host_metadata)
		return NULL;
	if (fid == NVME_FEAT_SPINUP && !vssd_is_rotational(ctrl->options))
		return NULL;
	if (fid >= NVME_FEAT_POWER_LIMIT && fid <= NVME_FEAT_POWER_MEASUREMENT &&
	    !ctrl->options->optional.features.power_measurement)
		return NULL;
	if (fid == NVME_FEAT_LBA_STATUS && !vssd_lba_status_is_there(ctrl->options))
		return NULL;
	if (fid == NVME_OCP_FEAT_ERROR_INJECTION && !ctrl->options->optional.error_injection)
		return NULL;
	if (fid == NVME_FEAT_WRITE_PROTECTION && !ctrl->options->optional.write_protection)
		return NULL;
	if (fid == NVME_FEAT_BOOT_WRITE_PROTECTION && !ctrl->options->optional.boot_protection)
		return NULL;
	if (fid > NVME_OCP_FEAT_ERROR_INJECTION && !ctrl->options->optional.ocp)
		return NULL;
	return features[fid].since && vssd_since(ctrl, features[fid].since) ? &features[fid] : NULL;
}

bool vssd_feature_supported(const struct vssd_ctrl *ctrl, uint8_t fid)
{
	return find(ctrl, fid) != NULL;
}

uint32_t vssd_features_events(const struct vssd_ctrl *ctrl)
{
	return SMART_WARNINGS | (vssd_since(ctrl, NVME_1_2) ? NVME_OAES_NS_ATTRIBUTE | NVME_OAES_FIRMWARE : 0) |
	       (vssd_since(ctrl, NVME_1_3) ? NVME_ASYNC_EVENT_TELEMETRY : 0) |
	       (vssd_since(ctrl, NVME_2_1) ? NVME_OAES_ALLOCATED_NS : 0) | (vssd_has_ana(ctrl) ? NVME_OAES_ANA : 0) |
	       (ctrl->subsystem->fdp || vssd_is_divided(ctrl->subsystem) ? NVME_OAES_ENDURANCE_GROUP : 0) |
	       (ctrl->options->zones.namespaces ? NVME_OAES_ZONE_CHANGED : 0) |
	       (vssd_feature_supported(ctrl, NVME_FEAT_LBA_STATUS) ? NVME_OAES_LBA_STATUS : 0);
}

bool vssd_features_dulbe(const struct vssd_ctrl *ctrl)
{
	return !ctrl->null_store && vssd_since(ctrl, NVME_1_2);
}

/* The bits that the feature stores. */
static uint32_t mask_of(const struct vssd_ctrl *ctrl, uint8_t fid)
{
	return fid == NVME_FEAT_ASYNC_EVENT ? vssd_features_events(ctrl) : features[fid].mask;
}

/* Whether the host has saved a value. A file may also hold values of features that cannot be saved. */
static bool is_saved(const struct vssd_ctrl *ctrl, uint8_t fid)
{
	const struct feature *feature = find(ctrl, fid);

	return feature && feature->capabilities & NVME_FEATURE_SAVEABLE && vssd_ctrl_saved(ctrl)->valid[fid];
}

/* The saved value; the default if the host has saved none. */
static uint32_t saved_value(const struct vssd_ctrl *ctrl, uint8_t fid)
{
	return is_saved(ctrl, fid) ? vssd_ctrl_saved(ctrl)->value[fid] & mask_of(ctrl, fid) : features[fid].initial;
}

static uint32_t value_of(const struct vssd_ctrl *ctrl, uint8_t fid, enum nvme_feature_select select)
{
	if (select == NVME_SEL_CURRENT)
		return ctrl->features.value[fid];
	return select == NVME_SEL_SAVED ? saved_value(ctrl, fid) : features[fid].initial;
}

void vssd_features_changed(struct vssd_ctrl *ctrl)
{
	bool before = ctrl->features.write_through;

	ctrl->features.write_through = ctrl->options->cache_size == 0 || vssd_ocp_write_through(ctrl->subsystem) ||
				       !(ctrl->features.value[NVME_FEAT_VWC] & NVME_WCE);
	if (ctrl->features.write_through && !before)
		vssd_subsystem_flush(ctrl->subsystem);
	vssd_plain_update(ctrl);
}

static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	(void)kind;
	for (unsigned fid = 0; fid < 256; fid++)
		ctrl->features.value[fid] = saved_value(ctrl, (uint8_t)fid);
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		ctrl->ns[i].dulbe = false;
		ctrl->ns[i].tler = 0;
	}
	for (uint32_t i = 0; i <= VSSD_SENSORS; i++)
		for (uint32_t type = THRESHOLD_OVER; type <= THRESHOLD_UNDER; type++)
			ctrl->power.thermal.threshold[i][type] = initial_threshold(i, type);
	memset(ctrl->interrupts.coalescing_off, 0, sizeof(ctrl->interrupts.coalescing_off));
	memset(ctrl->features.host_id, 0, sizeof(ctrl->features.host_id));
	memset(&ctrl->features.reserved, 0, sizeof(ctrl->features.reserved));
	ctrl->features.host_id_wide = false;
	memset(&ctrl->features.behavior, 0, sizeof(ctrl->features.behavior));
	memset(&ctrl->features.streams, 0, sizeof(ctrl->features.streams));
	vssd_ana_reset(ctrl);
	vssd_management_changed(ctrl, VSSD_CHANGED_ENABLE);
	vssd_power_restart(ctrl);
	vssd_power_measurement_restart(ctrl);
	vssd_hmb_disable(ctrl);
	vssd_injection_clear(ctrl);
	vssd_ocp_restart(ctrl);
	ctrl->features.timestamp = 0;
	ctrl->features.timestamp_set = pyn_monotonic_ns();
	ctrl->features.timestamp_origin = 0;
	vssd_features_changed(ctrl);
}

static int init(struct vssd_ctrl *ctrl, struct pyn_error *err)
{
	(void)err;
	vssd_management_init(ctrl);
	return 0;
}

const struct vssd_part vssd_feature_part = {.init = init, .reset = reset, .kept = VSSD_FAULT_KEEPS_FEATURES};

/* OCP's features can be selected by the index of its UUID. Returns a status. */
static uint16_t check_uuid(struct vssd_request *request, uint8_t fid)
{
	uint64_t index = nvme_get_field(&request->cmd, NVME_FIELD_SET_FEATURES_UIDX);

	if (fid < NVME_OCP_FEAT_ERROR_INJECTION || index <= VSSD_OCP_UUID_INDEX)
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_SET_FEATURES_UIDX, "UIDX"),
			   VSSD_BASE("8.1.28"));
}

uint16_t vssd_get_features(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint8_t fid = (uint8_t)nvme_get_field(cmd, NVME_FIELD_GET_FEATURES_FID);
	uint64_t select = nvme_get_field(cmd, NVME_FIELD_GET_FEATURES_SEL);
	const struct feature *feature = find(ctrl, fid);

	if (!feature)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FID, VSSD_OWN);
	if (check_uuid(request, fid))
		return NVME_SC_INVALID_FIELD;
	if (select > (uint64_t)(vssd_since(ctrl, NVME_1_1) ? NVME_SEL_SUPPORTED : NVME_SEL_CURRENT))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_GET_FEATURES_SEL, "SEL"),
				   VSSD_OWN);
	if (feature->capabilities & NVME_FEATURE_PER_NS && vssd_ana_check_feature(request))
		return vssd_ana_check_feature(request);
	if (select == NVME_SEL_SUPPORTED) {
		request->result = feature->capabilities;
		return NVME_SC_SUCCESS;
	}
	request->result = value_of(ctrl, fid, (enum nvme_feature_select)select);
	return feature->get ? feature->get(request, (enum nvme_feature_select)select) : NVME_SC_SUCCESS;
}

/* Check that Set Features may have this NSID for this feature. Returns a status. */
static uint16_t check_nsid(struct vssd_request *request, const struct feature *feature)
{
	bool per_ns = feature->capabilities & NVME_FEATURE_PER_NS;
	uint32_t nsid = request->cmd.nsid;

	if (nsid == NVME_NSID_ALL || (per_ns && request->ns) || (!per_ns && nsid == 0))
		return NVME_SC_SUCCESS;
	if (request->ns)
		return vssd_refuse(request, NVME_SC_FEATURE_NOT_NS_SPECIFIC, VSSD_NSID, VSSD_OWN);
	return vssd_refuse_nsid(request, VSSD_OWN);
}

/* Set Feature Event: a dword with the number of command dwords, and bit 3 since a completion dword follows them. */
static void record_saved(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	uint32_t data[] = {SAVED_DWORDS | SAVED_COMPLETION,
			   cmd->cdw10,
			   cmd->cdw11,
			   cmd->cdw12,
			   cmd->cdw13,
			   cmd->cdw14,
			   cmd->cdw15,
			   (uint32_t)request->result};

	vssd_pel_add(request->ctrl->subsystem, NVME_PERSISTENT_SET_FEATURE, vssd_cntlid(&request->ctrl->listener),
		     data, sizeof(data));
}

uint16_t vssd_set_features(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint8_t fid = (uint8_t)nvme_get_field(cmd, NVME_FIELD_SET_FEATURES_FID);
	const struct feature *feature = find(ctrl, fid);
	bool save = nvme_get_field(cmd, NVME_FIELD_SET_FEATURES_SV);
	uint16_t status;

	if (!feature)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FID, VSSD_OWN);
	status = check_uuid(request, fid);
	if (!status)
		status = check_nsid(request, feature);
	if (!status && (feature->capabilities & NVME_FEATURE_PER_NS || cmd->nsid == NVME_NSID_ALL))
		status = vssd_ana_check_feature(request);
	if (status)
		return status;
	if (save && !vssd_since(ctrl, NVME_1_1))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_SET_FEATURES_SV, "SV"),
				   VSSD_OWN);
	if (save && !(feature->capabilities & NVME_FEATURE_SAVEABLE))
		return vssd_refuse(request, NVME_SC_FEATURE_NOT_SAVEABLE,
				   VSSD_FIELD(NVME_FIELD_SET_FEATURES_SV, "SV"), VSSD_OWN);
	if (feature->set)
		status = feature->set(request);
	else if (!request->is_trial)
		ctrl->features.value[fid] = cmd->cdw11 & mask_of(ctrl, fid);
	if (status || request->is_trial)
		return status;
	if (save) {
		vssd_ctrl_saved(ctrl)->value[fid] = ctrl->features.value[fid];
		vssd_ctrl_saved(ctrl)->valid[fid] = 1;
		record_saved(request);
	}
	if (fid == NVME_FEAT_ASYNC_EVENT) {
		vssd_thermal_check(ctrl);
		vssd_ctrl_wake(ctrl);
	}
	return NVME_SC_SUCCESS;
}

static uint32_t scope_of(const struct feature *feature, unsigned fid)
{
	switch (fid) {
	case NVME_FEAT_SANITIZE:
	case NVME_FEAT_SPINUP:
	case NVME_FEAT_POWER_LIMIT:
	case NVME_FEAT_POWER_MEASUREMENT:
		return NVME_EFFECT_SCOPE_SUBSYSTEM;
	case NVME_FEAT_READ_RECOVERY:
		return NVME_EFFECT_SCOPE_NVM_SET;
	case NVME_FEAT_ENDURANCE_GROUP:
	case NVME_FEAT_FDP:
		return NVME_EFFECT_SCOPE_GROUP;
	default:
		return feature->capabilities & NVME_FEATURE_PER_NS ? NVME_EFFECT_SCOPE_NS : NVME_EFFECT_SCOPE_CTRL;
	}
}

void vssd_features_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256])
{
	for (unsigned fid = 0; fid < 256; fid++) {
		const struct feature *feature = find(ctrl, (uint8_t)fid);

		effects[fid] = feature ? NVME_EFFECT_CSUPP | scope_of(feature, fid) : 0;
	}
}
