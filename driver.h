/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interface of the driver: the headers of core/ whose functions a program calls, whether Python or C. The headers
 * describe the functions.
 *
 * Objects                        created by                   released by
 *   struct pyn_buffer            pyn_buffer_with_pattern      pyn_buffer_put
 *   struct pyn_device            pyn_device_open              pyn_device_put (pyn_device_close ends its use earlier)
 *   struct pyn_namespace         pyn_namespace_open           pyn_namespace_free
 *   struct pyn_io_qpair          pyn_io_qpair_create          pyn_io_qpair_free
 *   struct pyn_worker            pyn_worker_create            pyn_worker_free
 *
 * A function returns 0 or -errno and fills *err. An NVMe status is never an error, but data in a completion. Any
 * thread may call any function. Only the functions of one namespace must not run in two threads at the same time. In
 * a forked process, functions that release an object have no effect on the parent.
 *
 * cspdk.pxd declares for Cython what the binding uses. A test compares these declarations with the headers, member by
 * member.
 */
#ifndef PYN_DRIVER_H
#define PYN_DRIVER_H

#include "core/data/buffer.h"
#include "core/data/capture.h"
#include "core/data/cmdlog.h"
#include "core/data/histogram.h"
#include "core/data/protection.h"
#include "core/drive/command.h"
#include "core/drive/device.h"
#include "core/data/pattern.h"
#include "core/drive/namespace.h"
#include "core/engine/capability.h"
#include "core/env/env.h"
#include "core/nvme/status.h"
#include "core/util/clock.h"
#include "core/util/crc32c.h"
#include "core/util/error.h"
#include "core/util/guards.h"
#include "core/util/log.h"
#include "core/verify/track.h"
#include "core/verify/verify_save.h"
#include "core/worker/worker.h"
#include "spec/nvme_field.h"

#endif
