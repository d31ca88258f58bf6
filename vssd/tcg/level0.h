/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VSSD_TCG_LEVEL0_H
#define VSSD_TCG_LEVEL0_H

#include <stdint.h>

#include "vssd/tcg/state.h"
#include "vssd/tcg/tcg.h"

#define VSSD_TCG_LEVEL0_SIZE 512u

struct vssd_tcg_block;

/* Fill in the response to Level 0 Discovery; data is all zeros. Returns its length. */
uint32_t vssd_tcg_level0(const struct vssd_tcg_state *state, const struct vssd_tcg_geometry *geometry,
			 const struct vssd_tcg_block *block, uint8_t data[VSSD_TCG_LEVEL0_SIZE]);

#endif
