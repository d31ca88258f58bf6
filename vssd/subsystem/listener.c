/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/listener.h"

#include "vssd/subsystem/subsystem.h"

void vssd_subsystem_listen(struct vssd_subsystem *subsystem, struct vssd_listener *listener)
{
	listener->next = subsystem->listeners;
	subsystem->listeners = listener;
}

void vssd_subsystem_unlisten(struct vssd_subsystem *subsystem, struct vssd_listener *listener)
{
	struct vssd_listener **link = &subsystem->listeners;

	while (*link && *link != listener)
		link = &(*link)->next;
	if (*link)
		*link = listener->next;
}

void vssd_subsystem_notify(struct vssd_subsystem *subsystem, enum vssd_notice notice)
{
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		one->ops->notice(one, notice);
}
