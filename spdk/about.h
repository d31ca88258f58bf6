/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PYN_SPDK_ABOUT_H
#define PYN_SPDK_ABOUT_H

#include "core/engine/engine.h"

extern const struct pyn_engine_about pyn_spdk_about;

#endif
