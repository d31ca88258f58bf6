/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/virtual.h"

#include <string.h>

#include "vssd/subsystem/subsystem.h"

unsigned vssd_virtual_ctrls(const struct vssd_options *options)
{
	return options->functions.controllers + options->functions.virtual_ones;
}

bool vssd_is_secondary(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener)
{
	return listener->index >= subsystem->options.functions.controllers;
}

bool vssd_is_primary(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener)
{
	return subsystem->options.functions.virtual_ones && listener->index == 0;
}

bool vssd_virtual_is_there(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener)
{
	return !vssd_is_secondary(subsystem, listener) || listener->functions.is_there;
}

bool vssd_virtual_is_usable(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener)
{
	return !vssd_is_secondary(subsystem, listener) ||
	       (listener->functions.is_there &&
		(listener->functions.is_online ||
		 vssd_virtual_is_wrong(subsystem, VSSD_FAULT_FUNCTIONS_WORK_OFFLINE)));
}

uint32_t vssd_virtual_total(const struct vssd_options *options)
{
	return options->functions.virtual_ones * VSSD_FLEXIBLE_PER_VF;
}

uint32_t vssd_virtual_assigned(const struct vssd_subsystem *subsystem, enum vssd_resource type)
{
	uint32_t count = 0;

	for (const struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		if (vssd_is_secondary(subsystem, one))
			count += one->functions.flexible[type];
	return count;
}

uint32_t vssd_virtual_queues(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener)
{
	uint32_t flexible = listener->functions.flexible[VSSD_RESOURCE_VQ];
	uint32_t queues = subsystem->options.queues + flexible;

	if (vssd_is_secondary(subsystem, listener) &&
	    !vssd_virtual_is_wrong(subsystem, VSSD_FAULT_FUNCTIONS_ALL_QUEUES))
		return flexible < VSSD_LEAST_QUEUES ? 1 : flexible - 1;
	return queues < VSSD_MAX_IO_QUEUES ? queues : VSSD_MAX_IO_QUEUES;
}

uint32_t vssd_virtual_vectors(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener,
			      uint32_t most)
{
	uint32_t flexible = listener->functions.flexible[VSSD_RESOURCE_VI];

	return vssd_is_secondary(subsystem, listener) && flexible < most ? flexible : most;
}

void vssd_virtual_set_online(struct vssd_subsystem *subsystem, struct vssd_listener *listener, bool online)
{
	struct vssd_virtual *functions = &listener->functions;

	if (!vssd_is_secondary(subsystem, listener))
		return;
	if (!online && !vssd_virtual_is_wrong(subsystem, VSSD_FAULT_FUNCTIONS_KEEP_RESOURCES))
		memset(functions->flexible, 0, sizeof(functions->flexible));
	if (functions->is_online == online)
		return;
	functions->is_online = online;
	listener->ops->reset_function(listener, VSSD_RESET_FUNCTION);
}

/* The share of the primary controller, which a file may hold from a drive with more virtual functions. */
static void take_share(const struct vssd_subsystem *subsystem, struct vssd_listener *primary)
{
	uint32_t total = vssd_virtual_total(&subsystem->options);

	for (unsigned type = 0; type < VSSD_RESOURCES; type++) {
		uint16_t share = subsystem->nv->share.flexible[type];

		primary->functions.flexible[type] = share < total ? share : (uint16_t)total;
	}
}

void vssd_virtual_primary_reset(struct vssd_subsystem *subsystem, struct vssd_listener *primary, bool by_cc_en)
{
	if (!by_cc_en || vssd_virtual_is_wrong(subsystem, VSSD_FAULT_FUNCTIONS_SHARE_EARLY))
		take_share(subsystem, primary);
	if (vssd_virtual_is_wrong(subsystem, VSSD_FAULT_FUNCTIONS_STAY_ONLINE))
		return;
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		vssd_virtual_set_online(subsystem, one, false);
}

void vssd_virtual_function_reset(struct vssd_subsystem *subsystem, const struct vssd_listener *listener)
{
	if (!vssd_virtual_is_wrong(subsystem, VSSD_FAULT_FUNCTIONS_RESET_ALL))
		return;
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		if (one != listener && vssd_is_secondary(subsystem, one))
			one->ops->reset_function(one, VSSD_RESET_CONTROLLER);
}

void vssd_virtual_enable(struct vssd_subsystem *subsystem, unsigned count)
{
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next) {
		bool is_there = vssd_is_secondary(subsystem, one) &&
				one->index - subsystem->options.functions.controllers < count;

		if (one->functions.is_there == is_there)
			continue;
		one->functions.is_there = is_there;
		vssd_virtual_set_online(subsystem, one, false);
		one->ops->reset_function(one, VSSD_RESET_CONVENTIONAL);
	}
}

void vssd_virtual_begin(const struct vssd_subsystem *subsystem, struct vssd_listener *listener)
{
	listener->functions = (struct vssd_virtual){.mistakes = listener->functions.mistakes};
	if (vssd_is_primary(subsystem, listener) &&
	    !vssd_virtual_is_wrong(subsystem, VSSD_FAULT_FUNCTIONS_FORGET_SHARE))
		take_share(subsystem, listener);
}

static struct vssd_listener *primary_of(const struct vssd_subsystem *subsystem)
{
	struct vssd_listener *one = subsystem->listeners;

	while (one && !vssd_is_primary(subsystem, one))
		one = one->next;
	return one;
}

void vssd_virtual_fault(struct vssd_subsystem *subsystem, enum vssd_fault_functions mistake)
{
	struct vssd_listener *primary = primary_of(subsystem);

	if (primary)
		primary->functions.mistakes |= (uint8_t)(1u << mistake);
}

bool vssd_virtual_is_wrong(const struct vssd_subsystem *subsystem, enum vssd_fault_functions mistake)
{
	const struct vssd_listener *primary = primary_of(subsystem);

	return primary && primary->functions.mistakes >> mistake & 1;
}
