/* SPDX-License-Identifier: BSD-3-Clause */
/* Which options of zones, of Key Value namespaces, of endurance groups and NVM sets exclude each other. */
#include "vssd/options.h"

#include <errno.h>

#include "spec/nvme_regs.h"

#define BLOCK 4096u
#define MOST_ZRWA (UINT64_C(16) << 20)
#define KV_MAX (UINT64_C(1) << 44) /* bytes of a Key Value namespace, whose blocks have numbers of 32 bits */

uint64_t vssd_options_capacity(const struct vssd_options *options)
{
	return options->size / BLOCK * BLOCK * options->namespaces + options->optional.unallocated / BLOCK * BLOCK;
}

/* The fault of a size that belongs to zones, or NULL. */
static const char *wrong_zone_size(const struct vssd_options *options)
{
	const struct vssd_zone_options *zones = &options->zones;
	uint64_t capacity = zones->capacity ? zones->capacity : zones->size;

	if (zones->size % BLOCK || capacity % BLOCK)
		return "zone-size and zone-capacity must be multiples of 4K";
	if (zones->size > options->size)
		return "zone-size must not be above the size of the namespace";
	if (capacity > zones->size)
		return "zone-capacity must not be above zone-size";
	if (options->size / zones->size > VSSD_MAX_ZONES / zones->namespaces ||
	    (options->optional.ns_management && vssd_options_capacity(options) / zones->size > VSSD_MAX_ZONES))
		return "zone-size is too small: a drive has at most 1048576 zones";
	if (!zones->zrwas)
		return NULL;
	if (zones->zrwa_granularity % BLOCK || zones->zrwa_size % zones->zrwa_granularity ||
	    capacity % zones->zrwa_granularity)
		return "zrwa-size and zone-capacity must be multiples of zrwa-granularity, and that of 4K";
	if (zones->zrwa_size > capacity || zones->zrwa_size > MOST_ZRWA)
		return "zrwa-size must not be above zone-capacity, nor above 16M";
	return NULL;
}

static int check_zones(const struct vssd_options *options, struct pyn_error *err)
{
	const struct vssd_zone_options *zones = &options->zones;
	const char *wrong;

	if (!zones->namespaces)
		return 0;
	if (zones->namespaces > options->namespaces)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "%u zoned namespaces of %u: --namespaces must be at least as many",
				 zones->namespaces, options->namespaces);
	if (options->version < NVME_2_0)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "zoned namespaces need NVMe 2.0: leave out --zoned or --nvme-version");
	if (zones->max_active && (!zones->max_open || zones->max_open > zones->max_active))
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "max-open-zones must be 1 to %u, which is max-active-zones", zones->max_active);
	wrong = wrong_zone_size(options);
	return wrong ? pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "%s", wrong) : 0;
}

static int check_key_value(const struct vssd_options *options, struct pyn_error *err)
{
	const struct vssd_kv_options *kv = &options->kv;

	if (!kv->namespaces)
		return 0;
	if (kv->namespaces > options->namespaces - options->zones.namespaces)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "%u Key Value namespaces of %u, of which %u are zoned: --namespaces must be larger",
				 kv->namespaces, options->namespaces, options->zones.namespaces);
	if (options->version < NVME_2_0)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "Key Value namespaces need NVMe 2.0: leave out --key-value or --nvme-version");
	if (options->null_store)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "a null drive keeps no values: leave out --key-value or --null");
	if (options->size > KV_MAX)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "Key Value namespaces have at most 16 TiB: give a smaller --size");
	return 0;
}

static int check_division(const struct vssd_options *options, struct pyn_error *err)
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

int vssd_options_check_namespaces(const struct vssd_options *options, struct pyn_error *err)
{
	if (check_zones(options, err) || check_key_value(options, err))
		return -EINVAL;
	return check_division(options, err);
}
