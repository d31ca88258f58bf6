/* SPDX-License-Identifier: BSD-3-Clause */
/* Features: the table is in features.c; some handlers have files of their own. */
#ifndef VSSD_CMD_FEATURE_H
#define VSSD_CMD_FEATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_cmd.h"
#include "spec/nvme_feature.h"
#include "vssd/cmd/request.h"
#include "vssd/ctrl/part.h"

/* Restores the saved values of features at a reset. */
extern const struct vssd_part vssd_feature_part;

/* Whether the drive has this feature; Identify announces some of them. */
bool vssd_feature_supported(const struct vssd_ctrl *ctrl, uint8_t fid);

/* The bits of feature 0Bh that the host can set. OAES announces the notices among them. */
uint32_t vssd_features_events(const struct vssd_ctrl *ctrl);

/* Whether the drive supports DULBE, errors for reads of deallocated LBAs: feature 05h and NSFEAT. */
bool vssd_features_dulbe(const struct vssd_ctrl *ctrl);

/* Bypass the cache if it is off or has no backup; call after a change of either. What it holds becomes durable. */
void vssd_features_changed(struct vssd_ctrl *ctrl);

/* The time, as feature 0Eh reports it. */
uint64_t vssd_timestamp(const struct vssd_ctrl *ctrl);

/* Fill in log page 12h. */
void vssd_features_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256]);

/* ---- feature_power.c ---- */

uint16_t vssd_power_set(struct vssd_request *request);
uint16_t vssd_apst_set(struct vssd_request *request);
uint16_t vssd_apst_get(struct vssd_request *request, enum nvme_feature_select select);
uint16_t vssd_thermal_set(struct vssd_request *request);

/* ---- feature_meter.c ---- */

/* The bits of CDW13 that are the power limit, and those of CDW11 that are the threshold. */
#define VSSD_POWER_LIMIT 0x3ffffu
#define VSSD_POWER_THRESHOLD 0x80f3ffffu

uint16_t vssd_power_limit_set(struct vssd_request *request);
uint16_t vssd_power_limit_get(struct vssd_request *request, enum nvme_feature_select select);
uint16_t vssd_power_threshold_set(struct vssd_request *request);
uint16_t vssd_power_measurement_set(struct vssd_request *request);
uint16_t vssd_power_measurement_get(struct vssd_request *request, enum nvme_feature_select select);

/* Restore the saved power limit, and end the measurement that the controller has started. */
void vssd_power_measurement_restart(struct vssd_ctrl *ctrl);

/* ---- feature_spinup.c ---- */

uint16_t vssd_spinup_set(struct vssd_request *request);
uint16_t vssd_spinup_get(struct vssd_request *request, enum nvme_feature_select select);

/* ---- feature_metadata.c ---- */

uint16_t vssd_host_metadata_set(struct vssd_request *request);
uint16_t vssd_host_metadata_get(struct vssd_request *request, enum nvme_feature_select select);

/* ---- feature_injection.c ---- */

/* The bits of CDW11 that are the number of entries. */
#define NVME_OCP_INJECTIONS 0x7fu

uint16_t vssd_injection_set(struct vssd_request *request);
uint16_t vssd_injection_get(struct vssd_request *request, enum nvme_feature_select select);

/* End all errors that the host has injected. */
void vssd_injection_clear(struct vssd_ctrl *ctrl);

/* ---- feature_capacity.c ---- */

uint16_t vssd_recovery_set(struct vssd_request *request);
uint16_t vssd_recovery_get(struct vssd_request *request, enum nvme_feature_select select);
uint16_t vssd_group_events_set(struct vssd_request *request);
uint16_t vssd_group_events_get(struct vssd_request *request, enum nvme_feature_select select);

/* ---- feature_fdp.c ---- */

uint16_t vssd_fdp_set(struct vssd_request *request);
uint16_t vssd_fdp_get(struct vssd_request *request, enum nvme_feature_select select);
uint16_t vssd_fdp_events_set(struct vssd_request *request);
uint16_t vssd_fdp_events_get(struct vssd_request *request, enum nvme_feature_select select);
/* ---- feature_ocp.c ---- */

uint16_t vssd_ocp_clear_set(struct vssd_request *request);
uint16_t vssd_ocp_mode_set(struct vssd_request *request);
uint16_t vssd_ocp_plp_set(struct vssd_request *request);
uint16_t vssd_ocp_latency_set(struct vssd_request *request);
uint16_t vssd_ocp_latency_get(struct vssd_request *request, enum nvme_feature_select select);
uint16_t vssd_ocp_power_set(struct vssd_request *request);
uint16_t vssd_ocp_power_get(struct vssd_request *request, enum nvme_feature_select select);

/* Fill in the DSSD power states, by their watts; the array holds zeros. */
void vssd_ocp_power_states(uint8_t states[128]);

/* Give the features of the subsystem their saved values, once a reset has restored them. */
void vssd_ocp_restart(struct vssd_ctrl *ctrl);

/* ---- feature_protection.c ---- */

uint16_t vssd_protection_set(struct vssd_request *request);
uint16_t vssd_protection_get(struct vssd_request *request, enum nvme_feature_select select);
uint16_t vssd_boot_protection_set(struct vssd_request *request);
uint16_t vssd_boot_protection_get(struct vssd_request *request, enum nvme_feature_select select);

/* ---- lba_status.c ---- */

uint16_t vssd_lba_status_set(struct vssd_request *request);

/* ---- feature_hmb.c ---- */

uint16_t vssd_hmb_set(struct vssd_request *request);
uint16_t vssd_hmb_get(struct vssd_request *request, enum nvme_feature_select select);

#endif
