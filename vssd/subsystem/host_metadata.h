/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host Metadata: elements by which hosts describe themselves, the controllers and the namespaces to each other. NVM
 * Express Base Specification 2.1, 5.1.25.1.26.
 */
#ifndef VSSD_SUBSYSTEM_HOST_METADATA_H
#define VSSD_SUBSYSTEM_HOST_METADATA_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/options.h"
#include "vssd/subsystem/part.h"

#define VSSD_METADATA_SIZE 4096u

enum vssd_metadata_action {
	VSSD_METADATA_REPLACE, /* add elements, in place of those of the same types */
	VSSD_METADATA_DELETE,  /* delete all elements of some types */
	VSSD_METADATA_ADD,     /* add elements, also of types that are there */
};

/* A feature of one controller or namespace: struct nvme_host_metadata, and zeros after it. */
struct vssd_metadata {
	uint8_t data[VSSD_METADATA_SIZE];
};

struct vssd_host_metadata {
	struct vssd_metadata of_controllers[VSSD_MAX_CONTROLLERS][2]; /* by index: FID 7Dh, FID 7Eh */
	struct vssd_metadata of_namespaces[VSSD_MAX_NAMESPACES];      /* by NSID - 1: FID 7Fh */
};

extern const struct vssd_subsystem_part vssd_host_metadata_part;

/* Whether the data hold the elements that they say they hold. No element to delete may have a value. */
bool vssd_metadata_is_valid(const struct vssd_metadata *data, enum vssd_metadata_action action);

/* Change the elements by those of the data, which are valid. False: they would be too large, and nothing changes. */
bool vssd_metadata_change(struct vssd_metadata *metadata, const struct vssd_metadata *data,
			  enum vssd_metadata_action action);

/* Forget the metadata of a namespace that is deleted. */
void vssd_metadata_forget(struct vssd_subsystem *subsystem, uint32_t nsid);

#endif
