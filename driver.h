/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver as Python sees it: the headers of core/ whose functions a program calls. They say what each does. A C
 * program can use it just as well.
 *
 * Objects                        made by                      given back by
 *   struct pyn_buffer            pyn_buffer_with_pattern      pyn_buffer_put
 *   struct pyn_device            pyn_device_open              pyn_device_put (pyn_device_close ends its use earlier)
 *   struct pyn_namespace         pyn_namespace_open           pyn_namespace_free
 *   struct pyn_io_qpair          pyn_io_qpair_create          pyn_io_qpair_free
 *   struct pyn_worker            pyn_worker_create            pyn_worker_free
 *
 * A function returns 0 or -errno and fills *err; an NVMe status is data in a completion. Any thread may call all of
 * them, but for those of one namespace, which its threads call one at a time. Objects of another process (a fork) are
 * left alone.
 *
 * cspdk.pxd repeats for Cython what the binding uses of it, and a test compares the two, member by member.
 */
#ifndef PYN_DRIVER_H
#define PYN_DRIVER_H

#include "core/data/buffer.h"
#include "core/data/cmdlog.h"
#include "core/data/histogram.h"
#include "core/drive/command.h"
#include "core/drive/device.h"
#include "core/data/pattern.h"
#include "core/drive/namespace.h"
#include "core/env/env.h"
#include "core/nvme/status.h"
#include "core/util/clock.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/verify/track.h"
#include "core/worker/worker.h"
#include "spec/nvme_field.h"

#endif
