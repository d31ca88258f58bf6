/* SPDX-License-Identifier: BSD-3-Clause */
/* What SPDK's engine is, and what it withholds. */
#include "spdk/about.h"

#include <spdk/version.h>

#include "core/env/env.h"

static const char *version(void)
{
	return SPDK_VERSION_STRING;
}

const struct pyn_engine_about pyn_spdk_about = {
	.version = version,
	.dpdk = pyn_env_dpdk,
	.withheld =
		{
			[PYN_CAN_BRING_UP] = PYN_WITHHELD("SPDK initialises a controller in one step"),
			[PYN_CAN_SLOT_POWER] = {.pcie = "SPDK releases no function to the system"},
			[PYN_CAN_MEMORY_PAGES] = PYN_WITHHELD("SPDK chooses the smallest ones"),
			[PYN_CAN_MANY_QUEUES] = {.vfio_user = "SPDK maps 4 KiB of doorbells"},
			[PYN_CAN_SHADOW_DOORBELLS] = PYN_WITHHELD("SPDK always rings doorbells"),
			[PYN_CAN_CIDS] = PYN_WITHHELD("SPDK chooses them"),
			[PYN_CAN_FULL_RINGS] = PYN_WITHHELD("SPDK keeps part of a ring empty"),
			[PYN_CAN_LONE_FUSED] = PYN_WITHHELD("SPDK rings the doorbell only for both halves"),
			[PYN_CAN_SGLS] = PYN_WITHHELD("SPDK chooses how data are described"),
			[PYN_CAN_CHECK_COMPLETIONS] = {.pcie = "SPDK believes the CID of an admin completion"},
		},
};
