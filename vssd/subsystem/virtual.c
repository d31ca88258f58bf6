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
	       (listener->functions.is_there && listener->functions.is_online);
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

	if (vssd_is_secondary(subsystem, listener))
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
	if (!vssd_is_secondary(subsystem, listener) || listener->functions.is_online == online)
		return;
	listener->functions.is_online = online;
	listener->ops->reset_function(listener, VSSD_RESET_FUNCTION);
}

void vssd_virtual_primary_reset(struct vssd_subsystem *subsystem, struct vssd_listener *primary)
{
	memcpy(primary->functions.flexible, primary->functions.wanted, sizeof(primary->functions.flexible));
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		vssd_virtual_set_online(subsystem, one, false);
}

void vssd_virtual_enable(struct vssd_subsystem *subsystem, unsigned count)
{
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next) {
		bool is_there = vssd_is_secondary(subsystem, one) &&
				one->index - subsystem->options.functions.controllers < count;

		if (one->functions.is_there == is_there)
			continue;
		one->functions.is_there = is_there;
		one->functions.is_online = false;
		one->ops->reset_function(one, VSSD_RESET_CONVENTIONAL);
	}
}

void vssd_virtual_forget(struct vssd_subsystem *subsystem)
{
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		one->functions = (struct vssd_virtual){0};
}
