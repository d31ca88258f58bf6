/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/latency.h"

#include <string.h>

#include "vssd/subsystem/subsystem.h"

#define NS_PER_MS 1000000u
#define THRESHOLD_MS 5u
#define WINDOW_MS 100u
#define BUCKET_MS UINT64_C(300000)
#define LOG_VERSION 1u
#define NO_STAMP UINT64_MAX
#define SAVED_BYTES sizeof(((struct vssd_ocp_saved *)0)->latency)

const struct nvme_ocp_latency_config vssd_latency_default = {
	.bucket_timer_threshold = 0x7e0,
	.threshold_a = 0x05,
	.threshold_b = 0x13,
	.threshold_c = 0x1e,
	.threshold_d = 0x2e,
	.configuration = 0xfff,
	.minimum_window = 0x0a,
	.enable = 1,
};

/* ---- configuration ---- */

static uint64_t power_on_ms(struct vssd_subsystem *subsystem)
{
	vssd_health_account(subsystem);
	return subsystem->nv->totals.power_on_ms;
}

void vssd_latency_saved(const struct vssd_subsystem *subsystem, struct nvme_ocp_latency_config *config)
{
	*config = vssd_latency_default;
	if (subsystem->annex->ocp.latency_is_saved)
		memcpy(config, subsystem->annex->ocp.latency, SAVED_BYTES);
}

void vssd_latency_configure(struct vssd_subsystem *subsystem, const struct nvme_ocp_latency_config *config, bool save)
{
	struct vssd_latency *latency = &subsystem->ocp.latency;

	if (config->discard_debug & 1)
		latency->debug = (struct vssd_latency_debug){0};
	latency->config = *config;
	latency->config.discard_debug = 0;
	if (config->enable & 1) {
		latency->since = power_on_ms(subsystem);
		latency->active = latency->stable = (struct vssd_latency_buckets){0};
	}
	if (save) {
		memcpy(subsystem->annex->ocp.latency, &latency->config, SAVED_BYTES);
		subsystem->annex->ocp.latency_is_saved = 1;
	}
}

static void power(struct vssd_subsystem *subsystem, bool on)
{
	if (!on)
		return;
	subsystem->ocp.latency = (struct vssd_latency){.since = power_on_ms(subsystem)};
	vssd_latency_saved(subsystem, &subsystem->ocp.latency.config);
}

const struct vssd_subsystem_part vssd_latency_part = {.power = power};

/* ---- counting ---- */

/* Make the active buckets static if they are old enough. Nobody looks at them in between, so that is soon enough. */
static void settle(struct vssd_subsystem *subsystem)
{
	struct vssd_latency *latency = &subsystem->ocp.latency;
	uint64_t period = latency->config.bucket_timer_threshold * BUCKET_MS;
	uint64_t age = power_on_ms(subsystem) - latency->since;

	if (!period || age < period || !(latency->config.enable & 1))
		return;
	latency->stable = age < 2 * period ? latency->active : (struct vssd_latency_buckets){0};
	latency->active = (struct vssd_latency_buckets){0};
	latency->since += age - age % period;
}

/* The bucket of a latency; VSSD_LATENCY_BUCKETS: it is below all thresholds. */
static unsigned bucket_of(const struct nvme_ocp_latency_config *config, uint64_t ms)
{
	const uint8_t thresholds[] = {config->threshold_a, config->threshold_b, config->threshold_c,
				      config->threshold_d};

	for (unsigned i = VSSD_LATENCY_BUCKETS; i-- > 0;)
		if (ms >= (thresholds[i] + 1u) * THRESHOLD_MS)
			return i;
	return VSSD_LATENCY_BUCKETS;
}

/* Whether the stamp of a counter is to be that of a command. Mode 0 keeps the first one, mode 1 the largest one;
 * within the minimum window, a stamp stays. */
static bool is_stamped(struct vssd_subsystem *subsystem, const struct vssd_latency_counter *counter, unsigned bit,
		       uint64_t ms)
{
	const struct nvme_ocp_latency_config *config = &subsystem->ocp.latency.config;
	uint64_t window = config->minimum_window * WINDOW_MS;

	if (counter->count == 0)
		return true;
	return config->configuration >> bit & 1 && ms > counter->ms && power_on_ms(subsystem) - counter->at >= window;
}

bool vssd_latency_count(struct vssd_subsystem *subsystem, enum vssd_latency_kind kind, uint64_t start)
{
	struct vssd_latency *latency = &subsystem->ocp.latency;
	uint64_t now = pyn_ticks(), ms = now > start ? pyn_ticks_to_ns(now - start) / NS_PER_MS : 0;
	unsigned bucket = bucket_of(&latency->config, ms), bit = bucket * VSSD_LATENCY_KINDS + kind;
	struct vssd_latency_counter *counter;

	if (!subsystem->options.optional.ocp || !(latency->config.enable & 1) || bucket == VSSD_LATENCY_BUCKETS)
		return false;
	settle(subsystem);
	counter = &latency->active.at[bucket][kind];
	if (is_stamped(subsystem, counter, bit, ms)) {
		counter->ms = ms < UINT16_MAX ? (uint16_t)ms : UINT16_MAX;
		counter->stamp = vssd_clock_ms(&subsystem->clock);
		counter->is_timestamp = subsystem->clock.is_set;
		counter->at = power_on_ms(subsystem);
	}
	counter->count++;
	if (latency->debug.is_there || !(latency->config.debug_trigger >> bit & 1))
		return false;
	latency->debug = (struct vssd_latency_debug){.is_there = true, .source = (uint16_t)(1u << bit)};
	latency->debug.counter = *counter;
	latency->debug.counter.ms = ms < UINT16_MAX ? (uint16_t)ms : UINT16_MAX;
	return true;
}

/* ---- the log page ---- */

/* Where the log page has a bucket and a kind of stamps: both in descending order. */
static void put_buckets(const struct vssd_latency_buckets *buckets, struct nvme_ocp_latency_counters counters[4],
			struct nvme_ocp_latency_stamps stamps[4], struct nvme_ocp_measured_latency latency[4],
			uint16_t *units)
{
	for (unsigned i = 0; i < VSSD_LATENCY_BUCKETS; i++) {
		const struct vssd_latency_counter *at = buckets->at[i];
		unsigned place = VSSD_LATENCY_BUCKETS - 1 - i;

		counters[i] = (struct nvme_ocp_latency_counters){.trim = at[VSSD_LATENCY_TRIM].count,
								 .write = at[VSSD_LATENCY_WRITE].count,
								 .read = at[VSSD_LATENCY_READ].count};
		latency[place] = (struct nvme_ocp_measured_latency){
			at[VSSD_LATENCY_TRIM].ms, at[VSSD_LATENCY_WRITE].ms, at[VSSD_LATENCY_READ].ms};
		stamps[place] = (struct nvme_ocp_latency_stamps){
			at[VSSD_LATENCY_TRIM].count ? at[VSSD_LATENCY_TRIM].stamp : NO_STAMP,
			at[VSSD_LATENCY_WRITE].count ? at[VSSD_LATENCY_WRITE].stamp : NO_STAMP,
			at[VSSD_LATENCY_READ].count ? at[VSSD_LATENCY_READ].stamp : NO_STAMP};
		for (unsigned kind = 0; kind < VSSD_LATENCY_KINDS; kind++)
			if (at[kind].is_timestamp)
				*units |= (uint16_t)(1u << (i * VSSD_LATENCY_KINDS + kind));
	}
}

static void put_debug(const struct vssd_latency *latency, struct nvme_ocp_latency_log *log)
{
	log->debug_trigger = latency->config.debug_trigger;
	log->debug_stamp = NO_STAMP;
	if (!latency->debug.is_there)
		return;
	log->debug_latency = latency->debug.counter.ms;
	log->debug_stamp = latency->debug.counter.stamp;
	log->debug_pointer = NVME_LOG_TELEMETRY_CTRL;
	log->debug_counter_trigger = latency->debug.source;
	log->debug_stamp_units = latency->debug.counter.is_timestamp;
}

void vssd_latency_log(struct vssd_subsystem *subsystem, struct nvme_ocp_latency_log *log)
{
	const struct vssd_latency *latency = &subsystem->ocp.latency;
	const struct nvme_ocp_latency_config *config = &latency->config;
	uint16_t active_units = 0, static_units = 0;

	settle(subsystem);
	log->feature_status = (uint8_t)((config->enable & 1 ? NVME_OCP_LATENCY_ENABLED : 0) | NVME_OCP_LATENCY_MODE |
					NVME_OCP_LATENCY_MEASURED);
	if (config->enable & 1)
		log->bucket_timer = (uint16_t)((power_on_ms(subsystem) - latency->since) / BUCKET_MS);
	log->bucket_timer_threshold = config->bucket_timer_threshold;
	log->threshold_a = config->threshold_a;
	log->threshold_b = config->threshold_b;
	log->threshold_c = config->threshold_c;
	log->threshold_d = config->threshold_d;
	log->configuration = config->configuration;
	log->minimum_window = config->minimum_window;
	put_buckets(&latency->active, log->active_counters, log->active_stamps, log->active_latency, &active_units);
	put_buckets(&latency->stable, log->static_counters, log->static_stamps, log->static_latency, &static_units);
	log->active_stamp_units = active_units;
	log->static_stamp_units = static_units;
	put_debug(latency, log);
	log->version = LOG_VERSION;
	log->guid[0] = UINT64_C(0x9C6C84D08CC07A92);
	log->guid[1] = UINT64_C(0x85D45E58D4E64370);
}
