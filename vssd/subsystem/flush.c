/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/subsystem.h"

void vssd_subsystem_flush(struct vssd_subsystem *subsystem)
{
	vssd_kv_flush(subsystem);
	vssd_store_flush(subsystem->store);
}
