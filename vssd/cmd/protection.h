/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * End-to-end protection information of LBAs: made, checked and stripped as the fields of a command say.
 * NVM Express NVM Command Set Specification 1.1, section 5.3.
 */
#ifndef VSSD_CMD_PROTECTION_H
#define VSSD_CMD_PROTECTION_H

#include "vssd/cmd/request.h"
#include "vssd/subsystem/namespace.h"

/* The storage tag in its upper bits and the reference tag in the lower ones: 80 bits, as far as the format has them.
 */
struct vssd_tags {
	uint16_t high;
	uint64_t low;
};

/* What a command asks for, and the tags of its next LBA. All zeros: nothing is checked. */
struct vssd_pi_task {
	const struct vssd_ns *ns;
	uint32_t checks; /* PRACT, PRCHK and STC, where they are in dword 12 */
	uint16_t app;
	uint16_t app_mask;
	uint64_t storage;
	uint64_t storage_mask; /* its bits that are checked */
	uint64_t reference;
	uint64_t remapped; /* the reference tag of the next LBA on the medium, if the drive remaps it */
	bool remaps;
};

/* Begin the task of a command from slba on. Its fields are in dwords 12 to 15, 2 and 3. Of a namespace without
 * protection information nothing is checked. Returns a status: the fields may not fit the type. */
uint16_t vssd_pi_begin(struct vssd_request *request, struct vssd_pi_task *task);

/* The same with fields from elsewhere. The section and dword 12 name what is wrong. */
uint16_t vssd_pi_set(struct vssd_request *request, struct vssd_pi_task *task, uint64_t slba, struct vssd_tags tags);

/* The tags in dwords 2, 3 and 14 of a command. */
struct vssd_tags vssd_pi_tags(const struct nvme_cmd *cmd);

/* Let a command that is cut begin count LBAs later: its reference tag advances, unless the type is 3. */
void vssd_pi_skip(const struct vssd_ns *ns, struct nvme_cmd *cmd, uint64_t count);

/* Check the next LBA. metadata: all its bytes, stored or from the host. Returns a status. */
uint16_t vssd_pi_check(struct vssd_request *request, struct vssd_pi_task *task, uint64_t lba, const uint8_t *data,
		       const uint8_t *metadata);

/* Give the LBA that was checked last the reference tag that it has on the medium, if that is another one. */
void vssd_pi_remap(const struct vssd_pi_task *task, uint8_t *metadata);

/* Make the protection information of the next LBA, in its metadata. */
void vssd_pi_make(struct vssd_pi_task *task, const uint8_t *data, uint8_t *metadata);

/* Give metadata the protection information of an LBA that is deallocated: all ones, so that nothing is checked. */
void vssd_pi_blank(const struct vssd_ns *ns, uint8_t *metadata);

/* Whether the drive makes or strips all metadata of the LBAs of a command, so that none are transferred. */
static inline bool vssd_pi_alone(const struct vssd_ns *ns, const struct nvme_cmd *cmd)
{
	return ns->pi && cmd->cdw12 & NVME_RW_PRACT && ns->metadata == vssd_pif_bytes(ns->pif);
}

/* Bytes of each LBA in the data of a command. */
static inline uint64_t vssd_lba_bytes(const struct vssd_ns *ns, const struct nvme_cmd *cmd)
{
	uint64_t bytes = UINT64_C(1) << ns->lba_shift;

	return ns->metadata && ns->extended && !vssd_pi_alone(ns, cmd) ? bytes + ns->metadata : bytes;
}

#endif
