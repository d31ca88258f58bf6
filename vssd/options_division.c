/* SPDX-License-Identifier: BSD-3-Clause */
/* Which options of endurance groups and NVM sets exclude each other. */
#include "vssd/options.h"

#include <errno.h>

#include "spec/nvme_regs.h"

int vssd_options_check_division(const struct vssd_options *options, struct pyn_error *err)
{
	const struct vssd_division_options *division = &options->division;
	bool divides = division->groups || division->sets;

	if (division->sets && division->groups > division->sets)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "%u endurance groups of %u NVM sets: each group needs a set: --nvm-sets must be at "
				 "least as many",
				 division->groups, division->sets);
	if (divides && options->optional.fdp)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "--fdp has one endurance group with all the capacity: leave out --endurance-groups "
				 "and --nvm-sets, or --fdp");
	if (divides && options->version < NVME_1_4)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "endurance groups and NVM sets need NVMe 1.4: give a later --nvme-version");
	if (division->management && (!divides || !options->optional.ns_management || options->version < NVME_2_0))
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "--capacity-management needs --endurance-groups or --nvm-sets, "
				 "--namespace-management and NVMe 2.0");
	if (division->recovery_levels && options->version < NVME_1_4)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "--read-recovery-levels needs NVMe 1.4: give a later --nvme-version");
	return 0;
}
