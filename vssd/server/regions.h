/* SPDX-License-Identifier: BSD-3-Clause */
/* The regions of the device: BAR 0, the MSI-X BARs, configuration space. */
#ifndef VSSD_SERVER_REGIONS_H
#define VSSD_SERVER_REGIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/server/session.h"

/* Bytes of the largest access to a region, which is all of BAR 0 of a drive without many queues. */
#define VSSD_ACCESS_MAX VSSD_BAR0_LEAST

/* Room for the largest answer of vssd_region_info. */
#define VSSD_REGION_INFO_MAX                                                                                         \
	(sizeof(struct vfu_region_info) + sizeof(struct vfu_sparse_mmap) + sizeof(struct vfu_sparse_area))

/* Fill in the answer to DEVICE_GET_REGION_INFO. Returns its length in bytes, or -EINVAL. *fd: the file that the
 * client can map, owned by the session, or -1. If request->argsz is too small, the answer holds only the required
 * size. */
int vssd_region_info(const struct vssd_session *session, const struct vfu_region_info *request, uint8_t *answer,
		     int *fd);

/* Whether the region exists and contains all bytes of the access. */
bool vssd_region_access_is_valid(const struct vssd_session *session, const struct vfu_region_access *access);

/* Read or write access->count bytes. The access must be valid. */
void vssd_region_read(struct vssd_session *session, const struct vfu_region_access *access, void *data);
void vssd_region_write(struct vssd_session *session, const struct vfu_region_access *access, const void *data);

#endif
