/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/listener.h"

#include "vssd/subsystem/subsystem.h"

static bool is_taken(const struct vssd_subsystem *subsystem, uint8_t index)
{
	for (const struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		if (one->index == index)
			return true;
	return false;
}

void vssd_subsystem_listen(struct vssd_subsystem *subsystem, struct vssd_listener *listener)
{
	listener->index = 0;
	while (is_taken(subsystem, listener->index))
		listener->index++;
	listener->next = subsystem->listeners;
	subsystem->listeners = listener;
	vssd_virtual_begin(subsystem, listener);
}

void vssd_subsystem_unlisten(struct vssd_subsystem *subsystem, struct vssd_listener *listener)
{
	struct vssd_listener **link = &subsystem->listeners;

	while (*link && *link != listener)
		link = &(*link)->next;
	if (*link)
		*link = listener->next;
}

void vssd_subsystem_ns_changed(struct vssd_subsystem *subsystem, uint32_t nsid, uint16_t ctrls)
{
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		one->ops->ns_changed(one, nsid, ctrls >> one->index & 1);
}

void vssd_subsystem_zones_changed(struct vssd_subsystem *subsystem, uint32_t nsid, uint16_t ctrls)
{
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		if (ctrls >> one->index & 1)
			one->ops->zones_changed(one, nsid);
}

void vssd_subsystem_notify(struct vssd_subsystem *subsystem, enum vssd_notice notice)
{
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		one->ops->notice(one, notice);
}
