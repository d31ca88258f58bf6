/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/io/namespace.h"

#include <errno.h>
#include <stdlib.h>

#include "core/env/env.h"
#include "spec/nvme_id.h"
#include "spec/nvme_regs.h"

#define FLBAS_EXTENDED 0x10u /* metadata follow the data of each LBA, in one buffer */
#define DPS_TYPE 7u          /* of protection information, 0: none */
#define PI_BYTES 8u          /* with a 16-bit guard */
#define MIN_LBADS 9u         /* NVM Command Set Specification 1.0, figure 98: smaller ones are not supported */
#define MAX_LBADS 16u        /* more than any drive has; a block must fit into a buffer */

/* Everybody who has this namespace open has the same table, whatever nlba_verify each of them gave: the last one
 * counts. */
static int take_table(struct pyn_namespace *ns, struct pyn_error *err)
{
	const struct nvme_id_ns *id = (const struct nvme_id_ns *)ns->identify->data;
	const struct nvme_id_ctrl *ctrl = pyn_device_identify(ns->device);
	uint64_t limit = ns->nlba_verify ? ns->nlba_verify : UINT64_MAX;
	struct pyn_verify *verify = pyn_device_table(ns->device, ns->nsid, ns->nsze, ns->lba_size, err);

	if (!verify && limit < ns->nsze)
		verify = pyn_device_table(ns->device, ns->nsid, limit, ns->lba_size, err);
	if (!verify)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM,
				 "no table to verify %llu LBAs of namespace %u (nlba_verify=N: the first N only)",
				 (unsigned long long)ns->nsze, ns->nsid);
	pyn_verify_put(ns->verify);
	ns->verify = verify;
	pyn_verify_set_dlfeat(verify, (id->dlfeat & 7) == 1);
	pyn_verify_set_volatile_cache(verify, ctrl->vwc & NVME_VWC_PRESENT);
	/* Resets have forgotten zones of another size than those that there are. */
	if (pyn_verify_zone_size(verify) != ns->zone_size)
		pyn_verify_forget(verify, 0, UINT64_MAX);
	pyn_verify_set_zone_size(verify, ns->zone_size);
	/* Where metadata lie between the LBAs of a buffer, nobody here knows where an LBA's data begin. */
	pyn_verify_set_limit(verify, ns->interleaved ? 0 : limit);
	return 0;
}

static unsigned lba_format(const struct nvme_id_ns *id)
{
	return (id->flbas & 0xfu) | (id->nlbaf > 15 ? (id->flbas >> 5 & 3u) << 4 : 0);
}

static int take_geometry(struct pyn_namespace *ns, struct pyn_error *err)
{
	const struct nvme_id_ns *id = (const struct nvme_id_ns *)ns->identify->data;
	unsigned index = lba_format(id), lbads = id->lbaf[index].lbads;

	if (id->nsze == 0)
		return pyn_error(err, PYN_ERROR_NAMESPACE, ENODEV, "namespace %u of %s is not active", ns->nsid,
				 pyn_device_address(ns->device));
	if (lbads < MIN_LBADS || lbads > MAX_LBADS)
		return pyn_error(err, PYN_ERROR_NAMESPACE, EINVAL,
				 "namespace %u reports LBAs of 2^%u bytes; 2^%u to 2^%u are possible", ns->nsid,
				 lbads, MIN_LBADS, MAX_LBADS);
	ns->lba_size = 1u << lbads;
	ns->nsze = id->nsze;
	ns->capacity = id->nvmcap[0] ? id->nvmcap[0] : id->nsze << lbads;
	ns->interleaved = id->flbas & FLBAS_EXTENDED ? id->lbaf[index].ms : 0;
	ns->pi_alone = id->dps & DPS_TYPE && id->lbaf[index].ms == PI_BYTES;
	return 0;
}

/* With PRACT the drive makes and takes away protection information, unless there are other metadata, too (NVM Command
 * Set 1.0, 5.2.2). */
uint32_t pyn_namespace_lba_bytes(const struct pyn_namespace *ns, uint32_t cdw12)
{
	return ns->lba_size + (cdw12 & NVME_RW_PRACT && ns->pi_alone ? 0 : ns->interleaved);
}

static int identify_by(struct pyn_namespace *ns, enum nvme_cns cns, enum nvme_csi csi, struct pyn_buffer *buffer,
		       struct pyn_error *err)
{
	struct nvme_cmd cmd = {
		.opc = NVME_ADMIN_IDENTIFY, .nsid = ns->nsid, .cdw10 = cns, .cdw11 = (uint32_t)csi << 24};

	return pyn_device_admin_execute(ns->device, &cmd, buffer, PYN_ERROR_NAMESPACE, NULL, err);
}

/* The command set that a list of namespace identification descriptors names. */
static enum nvme_csi csi_of(const uint8_t *list)
{
	const struct nvme_ns_id_descriptor *descriptor;

	for (size_t at = 0; at + sizeof(*descriptor) < NVME_IDENTIFY_SIZE;
	     at += sizeof(*descriptor) + descriptor->nidl) {
		descriptor = (const void *)(list + at);
		if (descriptor->nidt == 0 || descriptor->nidl == 0)
			break;
		if (descriptor->nidt == NVME_NIDT_CSI)
			return descriptor->nid[0];
	}
	return NVME_CSI_NVM;
}

static bool has_command_sets(struct pyn_device *device)
{
	uint64_t cc;

	return pyn_device_reg_read(device, NVME_REG_CC, 4, &cc, NULL) == 0 &&
	       NVME_GET(cc, NVME_CC_CSS) == NVME_CSS_ALL;
}

/* *size: LBAs in a zone; left as it is where the namespace is of another command set. */
static int ask_for_zones(struct pyn_namespace *ns, struct pyn_buffer *answer, uint64_t *size, struct pyn_error *err)
{
	const struct nvme_id_ns *id = (const struct nvme_id_ns *)ns->identify->data;
	const struct nvme_id_ns_zns *zns = (const struct nvme_id_ns_zns *)answer->data;
	int rc = identify_by(ns, NVME_CNS_NS_DESCRIPTORS, NVME_CSI_NVM, answer, err);

	if (rc < 0 || csi_of(answer->data) != NVME_CSI_ZNS)
		return rc;
	rc = identify_by(ns, NVME_CNS_CSI_NS, NVME_CSI_ZNS, answer, err);
	if (rc == 0)
		*size = zns->lbafe[lba_format(id)].zsze;
	return rc;
}

static int take_zones(struct pyn_namespace *ns, struct pyn_error *err)
{
	ns->zone_size = 0;
	if (!has_command_sets(ns->device))
		return 0;
	struct pyn_buffer *answer = pyn_buffer_create(PYN_PAGE, err);

	if (!answer)
		return -ENOMEM;
	int rc = ask_for_zones(ns, answer, &ns->zone_size, err);

	pyn_buffer_put(answer);
	/* A drive that refuses to say has none. */
	return rc < 0 && err->kind == PYN_ERROR_NAMESPACE ? 0 : rc;
}

static int identify(struct pyn_namespace *ns, struct pyn_error *err)
{
	/* Before the command is sent: a format that is sent meanwhile makes the answer stale again. */
	uint32_t generation = pyn_device_format_generation(ns->device);
	int rc = identify_by(ns, NVME_CNS_NS, NVME_CSI_NVM, ns->identify, err);

	if (rc == 0)
		rc = take_geometry(ns, err);
	if (rc == 0)
		rc = take_zones(ns, err);
	if (rc == 0)
		rc = take_table(ns, err);
	/* Where it failed, geometry and table may be of two formats: whoever comes next has to try again. */
	if (rc == 0)
		ns->format_generation = generation;
	return rc;
}

int pyn_namespace_open(struct pyn_device *device, uint32_t nsid, uint64_t nlba_verify, struct pyn_namespace **out,
		       struct pyn_error *err)
{
	struct pyn_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for namespace %u", nsid);
	pyn_device_get(device);
	ns->device = device;
	ns->nsid = nsid;
	ns->nlba_verify = nlba_verify;
	ns->process = pyn_process_generation();
	ns->verify_enabled = true;
	ns->identify = pyn_buffer_create(PYN_PAGE, err);
	int rc = ns->identify ? identify(ns, err) : -ENOMEM;

	if (rc < 0) {
		pyn_namespace_free(ns);
		return rc;
	}
	*out = ns;
	return 0;
}

void pyn_namespace_free(struct pyn_namespace *ns)
{
	if (!ns)
		return;
	pyn_buffer_put(ns->identify);
	pyn_verify_put(ns->verify);
	if (ns->process == pyn_process_generation())
		pyn_device_put(ns->device);
	free(ns);
}

int pyn_namespace_refresh(struct pyn_namespace *ns, struct pyn_error *err)
{
	if (!pyn_device_is_open(ns->device))
		return pyn_error(err, PYN_ERROR_STATE, EBADF, "the drive at %s is closed",
				 pyn_device_address(ns->device));
	if (ns->format_generation == pyn_device_format_generation(ns->device))
		return 0;
	return identify(ns, err);
}
