/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/drive/namespace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/transfer.h"
#include "core/env/env.h"
#include "core/verify/track_meta.h"
#include "spec/nvme_field.h"
#include "spec/nvme_id.h"
#include "spec/nvme_regs.h"

#define CTRATT_ELBAS (1u << 15)
#define ELBAF_STS(elbaf) ((uint8_t)((elbaf)&0x7f))
#define ELBAF_PIF(elbaf) ((elbaf) >> 7 & 3)
#define PIF_QUALIFIED 3u /* QPIF has the format */
#define ELBAF_QPIF(elbaf) ((elbaf) >> 9 & 15)
#define DPS_FIRST 0x08u /* protection information in the first bytes of the metadata */
#define MIN_LBADS 9u    /* NVM Command Set Specification 1.0, figure 98: smaller values are not supported */
#define MAX_LBADS 16u   /* more than any drive has; a block must fit into a buffer */

/* Copy durable_since of the device, and repeat if it changes meanwhile: a script may be switching the cache. */
static void take_durable_since(struct pyn_namespace *ns)
{
	uint64_t since;

	do {
		since = pyn_device_durable_since(ns->device);
		pyn_verify_set_durable_since(ns->verify, since);
	} while (since != pyn_device_durable_since(ns->device));
}

/* Get the table, which all handles of this namespace share. The last nlba_verify that any of them gave counts. */
static int take_table(struct pyn_namespace *ns, struct pyn_error *err)
{
	const struct nvme_id_ns *id = (const struct nvme_id_ns *)ns->identify->data;
	uint64_t limit = ns->nlba_verify ? ns->nlba_verify : UINT64_MAX;
	struct pyn_verify *verify = pyn_device_table(ns->device, ns->nsid, id->nmic & 1, ns->nsze, ns->lba_size, err);

	if (!verify)
		return -ENOMEM;
	pyn_verify_put(ns->verify);
	ns->verify = verify;
	pyn_verify_set_dlfeat(verify, (id->dlfeat & 7) == 1);
	take_durable_since(ns);
	/* Zone resets have forgotten zones of another size. */
	if (pyn_verify_zone_size(verify) != ns->zone_size)
		pyn_verify_forget(verify, 0, UINT64_MAX);
	pyn_verify_set_zone_size(verify, ns->zone_size);
	pyn_verify_set_limit(verify, limit);
	return pyn_verify_set_layout(verify, &ns->layout, err);
}

/* The same for keys. The table has room for as many as are verified. */
static int take_keys(struct pyn_namespace *ns, struct pyn_error *err)
{
	const struct nvme_id_ns_kv *id = (const struct nvme_id_ns_kv *)ns->identify->data;
	struct pyn_verify *verify =
		pyn_device_table(ns->device, ns->nsid, id->nmic & 1, PYN_KEYS_MOST, sizeof(struct pyn_digest), err);

	if (!verify)
		return -ENOMEM;
	pyn_verify_put(ns->verify);
	ns->verify = verify;
	take_durable_since(ns);
	pyn_verify_set_limit(verify, UINT64_MAX);
	return pyn_verify_set_keys(verify, err);
}

static unsigned lba_format(const struct nvme_id_ns *id)
{
	unsigned high = id->nlbaf > 15 ? id->flbas >> NVME_FLBAS_INDEX_HIGH_SHIFT & 3u : 0;

	return (id->flbas & NVME_FLBAS_INDEX) | high << 4;
}

static int check_geometry(const struct pyn_namespace *ns, const struct nvme_id_ns *id, struct pyn_error *err)
{
	unsigned index = lba_format(id), lbads = id->lbaf[index].lbads;

	if (id->nsze == 0)
		return pyn_error(err, PYN_ERROR_NAMESPACE, ENODEV, "namespace %u of %s is not active", ns->nsid,
				 pyn_device_address(ns->device));
	if (lbads < MIN_LBADS || lbads > MAX_LBADS)
		return pyn_error(err, PYN_ERROR_NAMESPACE, EINVAL,
				 "namespace %u reports LBAs of 2^%u bytes; 2^%u to 2^%u are possible", ns->nsid,
				 lbads, MIN_LBADS, MAX_LBADS);
	return 0;
}

/* Where the metadata of the LBA format in use lie, and what protects the LBAs. */
static struct pyn_layout layout_of(const struct nvme_id_ns *id, uint32_t elbaf)
{
	struct pyn_protection protection = {.ms = id->lbaf[lba_format(id)].ms};
	unsigned guard = ELBAF_PIF(elbaf);

	if (guard == PIF_QUALIFIED)
		guard = ELBAF_QPIF(elbaf);
	if (id->dps & NVME_DPS_TYPE && guard < PYN_GUARDS && protection.ms >= pyn_tuple_bytes((uint8_t)guard)) {
		protection.type = id->dps & NVME_DPS_TYPE;
		protection.guard = (uint8_t)guard;
		protection.sts = ELBAF_STS(elbaf);
		protection.first = id->dps & DPS_FIRST;
	}
	return (struct pyn_layout){
		.protection = protection,
		.extended = protection.ms && id->flbas & NVME_FLBAS_EXTENDED,
	};
}

static void take_geometry(struct pyn_namespace *ns, uint32_t elbaf)
{
	const struct nvme_id_ns *id = (const struct nvme_id_ns *)ns->identify->data;
	unsigned lbads = id->lbaf[lba_format(id)].lbads;

	ns->lba_size = 1u << lbads;
	ns->nsze = id->nsze;
	ns->capacity = id->nvmcap[0] ? id->nvmcap[0] : id->nsze << lbads;
	ns->layout = layout_of(id, elbaf);
}

/* With PRACT the drive inserts and strips the protection information, unless there are other metadata, too (NVM
 * Command Set 1.0, 5.2.2). */
uint32_t pyn_namespace_lba_bytes(const struct pyn_namespace *ns, uint32_t cdw12)
{
	return ns->lba_size + (ns->layout.extended ? pyn_metadata_bytes(&ns->layout.protection, cdw12) : 0);
}

uint64_t pyn_namespace_metadata_bytes(const struct pyn_namespace *ns, const struct nvme_cmd *cmd)
{
	if (!pyn_transfers_lbas(cmd->opc) || ns->layout.extended)
		return 0;
	return (nvme_get_field(cmd, NVME_FIELD_READ_NLB) + 1) *
	       pyn_metadata_bytes(&ns->layout.protection, cmd->cdw12);
}

static int refuse_metadata(const struct pyn_namespace *ns, struct pyn_error *err)
{
	return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
			 "namespace %u keeps %u bytes of metadata of each LBA in a separate buffer (FLBAS bit 4 is "
			 "0): pass a Buffer for them as meta%s, or format it without metadata",
			 ns->nsid, ns->layout.protection.ms,
			 pyn_protection_is_alone(&ns->layout.protection)
				 ? ", or have the drive make and strip them (pi={\"pract\": 1})"
				 : "");
}

/* Whether a device that has no IOMMU finds these bytes behind each other. */
static bool is_contiguous(const struct pyn_buffer *buffer, uint32_t offset, uint64_t length)
{
	uint64_t first = pyn_buffer_address(buffer, offset).value;

	for (uint64_t at = PYN_PAGE - offset % PYN_PAGE; at < length; at += PYN_PAGE)
		if (pyn_buffer_address(buffer, offset + (uint32_t)at).value - first != at)
			return false;
	return true;
}

int pyn_namespace_check_metadata(const struct pyn_namespace *ns, const struct nvme_cmd *cmd,
				 struct pyn_metadata *metadata, struct pyn_error *err)
{
	uint64_t bytes = pyn_namespace_metadata_bytes(ns, cmd);

	if (bytes == 0 || metadata->own)
		return 0;
	if (!metadata->buffer)
		return refuse_metadata(ns, err);
	if (metadata->offset + bytes > metadata->buffer->size)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "the command transfers %llu bytes of metadata at MPTR, from byte %u of a buffer of "
				 "%u bytes",
				 (unsigned long long)bytes, metadata->offset, metadata->buffer->size);
	if (!is_contiguous(metadata->buffer, metadata->offset, bytes))
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "the %llu bytes of metadata are not contiguous in physical memory, as MPTR needs "
				 "them without an IOMMU: pass a smaller Buffer",
				 (unsigned long long)bytes);
	metadata->length = (uint32_t)bytes;
	return 0;
}

static int identify_by(struct pyn_namespace *ns, enum nvme_cns cns, enum nvme_csi csi, struct pyn_buffer *buffer,
		       struct pyn_error *err)
{
	struct nvme_cmd cmd = {.opc = NVME_ADMIN_IDENTIFY, .nsid = ns->nsid};

	nvme_set_field(&cmd, NVME_FIELD_IDENTIFY_CNS, cns);
	nvme_set_field(&cmd, NVME_FIELD_IDENTIFY_CSI, csi);
	return pyn_device_admin_execute(ns->device, &cmd, buffer, PYN_ERROR_NAMESPACE, NULL, err);
}

/* The command set in a list of namespace identification descriptors. */
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

/* Set *size to the LBAs of a zone; does not change it if the namespace has another command set. */
static int ask_for_zones(struct pyn_namespace *ns, const struct nvme_id_ns *id, struct pyn_buffer *answer,
			 uint64_t *size, struct pyn_error *err)
{
	const struct nvme_id_ns_zns *zns = (const struct nvme_id_ns_zns *)answer->data;
	int rc = identify_by(ns, NVME_CNS_NS_DESCRIPTORS, NVME_CSI_NVM, answer, err);

	if (rc || csi_of(answer->data) != NVME_CSI_ZNS)
		return rc;
	rc = identify_by(ns, NVME_CNS_CSI_NS, NVME_CSI_ZNS, answer, err);
	if (!rc)
		*size = zns->lbafe[lba_format(id)].zsze;
	return rc;
}

static int zones_of(struct pyn_namespace *ns, const struct nvme_id_ns *id, uint64_t *size, struct pyn_error *err)
{
	*size = 0;
	if (!has_command_sets(ns->device))
		return 0;
	struct pyn_buffer *answer = pyn_buffer_create(PYN_PAGE, err);

	if (!answer)
		return -ENOMEM;
	int rc = ask_for_zones(ns, id, answer, size, err);

	pyn_buffer_put(answer);
	/* A drive that refuses the command has no zones. */
	return rc && err->kind == PYN_ERROR_NAMESPACE ? 0 : rc;
}

/* Set *elbaf to the extended part of the LBA format in use, if protection information depends on it. */
static int elbaf_of(struct pyn_namespace *ns, const struct nvme_id_ns *id, uint32_t *elbaf, struct pyn_error *err)
{
	const struct nvme_id_ctrl *ctrlr = pyn_device_identify(ns->device);

	*elbaf = 0;
	if (!(id->dps & NVME_DPS_TYPE) || !(ctrlr->ctratt & CTRATT_ELBAS))
		return 0;
	struct pyn_buffer *answer = pyn_buffer_create(PYN_PAGE, err);

	if (!answer)
		return -ENOMEM;
	const struct nvme_id_ns_nvm *nvm = (const struct nvme_id_ns_nvm *)answer->data;
	int rc = identify_by(ns, NVME_CNS_CSI_NS, NVME_CSI_NVM, answer, err);

	if (!rc)
		*elbaf = nvm->elbaf[lba_format(id)];
	pyn_buffer_put(answer);
	/* A drive that refuses the command has the format without it, of 16-bit guards. */
	return rc && err->kind == PYN_ERROR_NAMESPACE ? 0 : rc;
}

const void *pyn_namespace_identify(const struct pyn_namespace *ns)
{
	return ns->identify->data;
}

bool pyn_namespace_is_current(const struct pyn_namespace *ns)
{
	/* As long as the controller is not initialised, nothing can be identified, and nothing be transferred. */
	return pyn_device_is_open(ns->device) &&
	       (ns->changes == pyn_device_identify_changes(ns->device) || !pyn_device_initialised(ns->device));
}

static int ask_for_lbas(struct pyn_namespace *ns, struct pyn_namespace_answer *answer, struct pyn_error *err)
{
	const struct nvme_id_ns *id = (const struct nvme_id_ns *)answer->identify->data;
	int rc = identify_by(ns, NVME_CNS_NS, NVME_CSI_NVM, answer->identify, err);

	if (!rc)
		rc = check_geometry(ns, id, err);
	if (!rc)
		rc = zones_of(ns, id, &answer->zone_size, err);
	if (!rc)
		rc = elbaf_of(ns, id, &answer->elbaf, err);
	return rc;
}

static int ask_for_keys(struct pyn_namespace *ns, struct pyn_namespace_answer *answer, struct pyn_error *err)
{
	const struct nvme_id_ns_kv *id = (const struct nvme_id_ns_kv *)answer->identify->data;
	int rc = identify_by(ns, NVME_CNS_CSI_NS, NVME_CSI_KV, answer->identify, err);

	if (rc || id->nsze)
		return rc;
	return pyn_error(err, PYN_ERROR_NAMESPACE, ENODEV, "namespace %u of %s is not active", ns->nsid,
			 pyn_device_address(ns->device));
}

int pyn_namespace_ask(struct pyn_namespace *ns, struct pyn_namespace_answer *answer, struct pyn_error *err)
{
	*answer = (struct pyn_namespace_answer){0};
	if (!pyn_device_is_open(ns->device))
		return pyn_error(err, PYN_ERROR_STATE, EBADF, "the drive at %s is closed",
				 pyn_device_address(ns->device));
	int rc = pyn_device_learn(ns->device, err);

	if (rc)
		return rc;
	/* Read this before sending the command: a format that is sent meanwhile makes the answer stale again. */
	answer->changes = pyn_device_identify_changes(ns->device);
	answer->identify = pyn_buffer_create(PYN_PAGE, err);
	if (!answer->identify)
		return -ENOMEM;
	rc = ns->keys ? ask_for_keys(ns, answer, err) : ask_for_lbas(ns, answer, err);
	if (rc) {
		pyn_buffer_put(answer->identify);
		answer->identify = NULL;
	}
	return rc;
}

/* Whether NGUID or EUI64 show that the namespace was deleted and created again, or its format that it was formatted:
 * pyn_tables_get notices other sizes only. */
static bool is_another(const struct nvme_id_ns *before, const struct nvme_id_ns *now)
{
	return before->flbas != now->flbas || before->dps != now->dps ||
	       memcmp(before->nguid, now->nguid, sizeof(now->nguid)) != 0 ||
	       memcmp(before->eui64, now->eui64, sizeof(now->eui64)) != 0;
}

static bool is_another_store(const struct nvme_id_ns_kv *before, const struct nvme_id_ns_kv *now)
{
	return memcmp(before->nguid, now->nguid, sizeof(now->nguid)) != 0 ||
	       memcmp(before->eui64, now->eui64, sizeof(now->eui64)) != 0;
}

static bool differs(const struct pyn_namespace *ns, const struct pyn_buffer *before, const struct pyn_buffer *now)
{
	if (ns->keys)
		return is_another_store((const struct nvme_id_ns_kv *)before->data,
					(const struct nvme_id_ns_kv *)now->data);
	return is_another((const struct nvme_id_ns *)before->data, (const struct nvme_id_ns *)now->data);
}

int pyn_namespace_take(struct pyn_namespace *ns, struct pyn_namespace_answer *answer, struct pyn_error *err)
{
	struct pyn_buffer *before = ns->identify;
	bool other = before && differs(ns, before, answer->identify);

	ns->identify = answer->identify;
	ns->zone_size = answer->zone_size;
	answer->identify = NULL;
	pyn_buffer_put(before);
	if (!ns->keys)
		take_geometry(ns, answer->elbaf);
	int rc = ns->keys ? take_keys(ns, err) : take_table(ns, err);

	if (rc)
		return rc;
	if (other)
		pyn_verify_forget(ns->verify, 0, UINT64_MAX);
	/* If it failed, geometry and table may have different formats, and the next command must try again. */
	ns->changes = answer->changes;
	return 0;
}

/* Ask the drive for the metadata format of another namespace; all zeros if it does not describe it. */
static struct pyn_other_namespace ask_for_other(const struct pyn_namespace *ns, uint32_t nsid)
{
	struct pyn_namespace other = {.device = ns->device, .nsid = nsid};
	struct pyn_other_namespace found = {.nsid = nsid};
	struct pyn_namespace_answer answer;
	struct pyn_error ignored;
	int rc = pyn_namespace_ask(&other, &answer, &ignored);

	found.changes = answer.changes;
	if (rc)
		return found;
	other.identify = answer.identify;
	take_geometry(&other, answer.elbaf);
	found.layout = other.layout;
	pyn_buffer_put(answer.identify);
	return found;
}

static struct pyn_other_namespace find_other(struct pyn_namespace *ns, uint32_t nsid)
{
	pyn_device_lock(ns->device);
	struct pyn_other_namespace other = ns->other;

	pyn_device_unlock(ns->device);
	if (other.nsid == nsid && other.changes == pyn_device_identify_changes(ns->device))
		return other;
	other = ask_for_other(ns, nsid);
	pyn_device_lock(ns->device);
	ns->other = other;
	pyn_device_unlock(ns->device);
	return other;
}

int pyn_namespace_check_other(struct pyn_namespace *ns, const struct nvme_cmd *cmd, struct pyn_metadata *metadata,
			      struct pyn_error *err)
{
	if (cmd->nsid == 0 || cmd->nsid > NVME_NSID_LAST || !pyn_transfers_lbas(cmd->opc) ||
	    !pyn_device_initialised(ns->device))
		return 0;
	struct pyn_other_namespace found = find_other(ns, cmd->nsid);
	struct pyn_namespace other = {.nsid = cmd->nsid, .layout = found.layout};

	return pyn_namespace_check_metadata(&other, cmd, metadata, err);
}

static int open_as(struct pyn_device *device, uint32_t nsid, bool keys, uint64_t nlba_verify,
		   struct pyn_namespace **out, struct pyn_error *err)
{
	struct pyn_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for namespace %u", nsid);
	pyn_device_get(device);
	ns->device = device;
	ns->nsid = nsid;
	ns->nlba_verify = nlba_verify;
	ns->process = pyn_process_number();
	ns->verify_enabled = true;
	ns->keys = keys;
	struct pyn_namespace_answer answer;
	int rc = pyn_namespace_ask(ns, &answer, err);

	if (!rc)
		rc = pyn_namespace_take(ns, &answer, err);
	if (rc) {
		pyn_namespace_free(ns);
		return rc;
	}
	*out = ns;
	return 0;
}

int pyn_namespace_open(struct pyn_device *device, uint32_t nsid, uint64_t nlba_verify, struct pyn_namespace **out,
		       struct pyn_error *err)
{
	return open_as(device, nsid, false, nlba_verify, out, err);
}

int pyn_namespace_open_keys(struct pyn_device *device, uint32_t nsid, struct pyn_namespace **out,
			    struct pyn_error *err)
{
	return open_as(device, nsid, true, 0, out, err);
}

void pyn_namespace_free(struct pyn_namespace *ns)
{
	if (!ns)
		return;
	pyn_buffer_put(ns->identify);
	pyn_verify_put(ns->verify);
	if (ns->process == pyn_process_number())
		pyn_device_put(ns->device);
	free(ns);
}
