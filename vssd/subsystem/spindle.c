/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/spindle.h"

#include "spec/nvme_regs.h"
#include "vssd/subsystem/subsystem.h"

bool vssd_is_rotational(const struct vssd_options *options)
{
	return options->optional.media.rotational && options->version >= NVME_2_0;
}

static bool is_wanted(const struct vssd_subsystem *subsystem)
{
	for (const struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		if (!one->ops->budget(one).asleep)
			return true;
	return false;
}

void vssd_spindle_update(struct vssd_subsystem *subsystem)
{
	struct vssd_spindle *spindle = &subsystem->health.spindle;
	bool spins = subsystem->power && is_wanted(subsystem) && !spindle->inhibited;

	if (!vssd_is_rotational(&subsystem->options))
		return;
	subsystem->nv->totals.spinups += spins && !spindle->spins;
	spindle->spins = spins;
}

void vssd_spindle_release(struct vssd_subsystem *subsystem)
{
	subsystem->health.spindle.inhibited = false;
}

/* Spinup Control inhibits the spindle from the next reset of the subsystem on. Without it, the spindle turns on. */
static void reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by)
{
	(void)by;
	if (kind < VSSD_RESET_SUBSYSTEM || !subsystem->nv->totals.spinup_control)
		return;
	subsystem->health.spindle =
		(struct vssd_spindle){.inhibited = subsystem->power && vssd_is_rotational(&subsystem->options)};
}

const struct vssd_subsystem_part vssd_spindle_part = {.reset = reset};
