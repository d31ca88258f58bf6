/* SPDX-License-Identifier: BSD-3-Clause */
/* The Streams directive: which streams are open. NVM Express Base Specification 2.1, section 8.1.8.3. */
#ifndef VSSD_CTRL_STREAMS_H
#define VSSD_CTRL_STREAMS_H

#include <stdint.h>

#include "vssd/options.h"

#define VSSD_STREAMS 16u /* that can be open at once: MSL */

/* An open stream, at a place in the order of use. */
struct vssd_stream {
	uint32_t nsid; /* 0: none is open here */
	uint16_t sid;
	uint64_t used; /* the number of the last write to it */
};

struct vssd_streams {
	uint32_t enabled;                        /* a bit for each namespace, by NSID - 1 */
	uint16_t allocated[VSSD_MAX_NAMESPACES]; /* resources for the namespace alone, by NSID - 1 */
	uint64_t writes;                         /* to streams, so far */
	struct vssd_stream open[VSSD_STREAMS];
};

#endif
