/* SPDX-License-Identifier: BSD-3-Clause */
/* Options that do not go together. */
#include <errno.h>
#include <inttypes.h>

#include "spec/nvme_id.h"
#include "spec/nvme_regs.h"
#include "vssd/options.h"

#define BLOCK 4096u
#define DATA_MAX (UINT64_C(1) << 46) /* bytes of all namespaces: a store has 2^34 blocks */
#define NULL_MAX (UINT64_C(1) << 63) /* of a null drive */

static int check_format(const struct vssd_options *options, struct pyn_error *err)
{
	const struct vssd_format_options *format = &options->format;

	if (format->extended && !format->metadata)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "--extended-lba says where metadata lie: give --metadata-size or --pi, too");
	if (format->guard != 16 && !format->pi)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "--guard is a part of protection information: give its type with --pi, too");
	if (format->guard != 16 && (format->metadata < 16 || options->version < NVME_2_0))
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "a guard of %u bits needs 16 bytes of metadata and NVMe 2.0: give another "
				 "--metadata-size, --guard or --nvme-version",
				 format->guard);
	return 0;
}

static int check_limits(const struct vssd_options *options, struct pyn_error *err)
{
	const struct vssd_limit_options *limits = &options->limits;
	bool any = limits->vsl || limits->wzsl || limits->wusl || limits->dmrl || limits->dmrsl || limits->dmsl;

	if (!limits->dmrl != !limits->dmrsl || !limits->dmrl != !limits->dmsl)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "give --dmrl, --dmrsl and --dmsl together, or none of them");
	if (any && options->version < NVME_2_0)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "limits of commands need NVMe 2.0: leave out --vsl, --wzsl, --wusl and --dmrl, or "
				 "--nvme-version");
	return 0;
}

int vssd_options_check_together(const struct vssd_options *options, struct pyn_error *err)
{
	uint64_t most = options->null_store ? NULL_MAX : DATA_MAX;

	if (options->optional.unallocated && !options->optional.ns_management)
		return pyn_error(
			err, PYN_ERROR_ARGUMENT, EINVAL,
			"--unallocated needs --namespace-management, with which the host creates namespaces");
	if (options->optional.unallocated / BLOCK > most / BLOCK)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "%" PRIu64 " unallocated bytes are too many: the drive can have at most %" PRIu64
				 " GiB",
				 options->optional.unallocated, most >> 30);
	most -= options->optional.unallocated / BLOCK * BLOCK;
	if (options->size / BLOCK > most / BLOCK / options->namespaces)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "%u namespaces of %" PRIu64 " bytes are too large: they can have at most %" PRIu64
				 " GiB together",
				 options->namespaces, options->size, most >> 30);
	if (options->functions.private_ns > options->namespaces)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "--private-namespaces %u is more than there are namespaces, which are %u",
				 options->functions.private_ns, options->namespaces);
	if (options->size < options->lba_size)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "a namespace of %" PRIu64
				 " bytes is smaller than an LBA, which has %u: give a larger "
				 "--size",
				 options->size, options->lba_size);
	if (options->lba_size > BLOCK && options->optional.fdp)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "LBAs above 4096 bytes have no placement: leave out --fdp, or give a smaller "
				 "--lba-size");
	if (options->functions.virtual_ones && (options->functions.controllers > 1 || options->version < NVME_1_3))
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "virtual functions need one controller and NVMe 1.3: leave out --virtual-functions, "
				 "or --controllers and --nvme-version");
	if (options->optional.migration &&
	    (options->functions.controllers + options->functions.virtual_ones < 2 || options->version < NVME_2_0))
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "migration needs a second controller and NVMe 2.0: give --controllers 2 or "
				 "--virtual-functions 1, and leave out --nvme-version");
	if (options->null_store && options->file)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "a null drive keeps no data: leave out --file or --null");
	if (options->null_store && (options->optional.tcg || options->optional.boot ||
				    options->optional.write_protection || options->optional.rpmb))
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "a null drive keeps no data: leave out --tcg, --rpmb, --boot-partitions and "
				 "--write-protection, or --null");
	if (options->optional.metadata && options->null_store)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "a null drive keeps no metadata: leave out --metadata, --protection or --null");
	if (check_format(options, err) || check_limits(options, err))
		return -EINVAL;
	if (options->optional.fdp && options->null_store)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "a null drive has no reclaim units: leave out --fdp or --null");
	return vssd_options_check_namespaces(options, err);
}
