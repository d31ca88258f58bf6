/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/protection.h"

#include <string.h>

#include "core/util/crc32c.h"
#include "core/util/guards.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define FORMATS VSSD_NVM("5.3.1")
#define CHECKS VSSD_NVM("5.3.3")
#define PRINFO VSSD_FIELD(NVME_FIELD_WRITE_PRINFO, "PRINFO")
#define TAGS VSSD_FIELD(NVME_FIELD_WRITE_LBST, "initial reference tag")
#define APP_ESCAPE 0xffffu

enum { TYPE_1 = 1, TYPE_2 = 2, TYPE_3 = 3 };

/* The sizes of a format's guard and of its storage and reference space, in bytes. */
static const struct {
	uint8_t guard;
	uint8_t space;
} sizes[] = {[NVME_PIF_GUARD16] = {2, 4}, [NVME_PIF_GUARD32] = {4, 10}, [NVME_PIF_GUARD64] = {8, 6}};

/* ---- bytes ---- */

static uint64_t get_bytes(const uint8_t *from, unsigned count)
{
	uint64_t value = 0;

	while (count-- > 0)
		value = value << 8 | *from++;
	return value;
}

static void put_bytes(uint8_t *to, unsigned count, uint64_t value)
{
	while (count-- > 0) {
		to[count] = (uint8_t)value;
		value >>= 8;
	}
}

static uint64_t low_bits(unsigned count)
{
	return count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
}

/* ---- tags ---- */

static unsigned reference_bits(const struct vssd_ns *ns)
{
	return sizes[ns->pif].space * 8u - ns->sts;
}

static uint64_t storage_of(const struct vssd_ns *ns, struct vssd_tags tags)
{
	unsigned below = reference_bits(ns);
	uint64_t high = below == 0 ? 0 : below == 64 ? tags.high : (uint64_t)tags.high << (64 - below);

	return (high | (below == 64 ? 0 : tags.low >> below)) & low_bits(ns->sts);
}

static uint64_t reference_of(const struct vssd_ns *ns, struct vssd_tags tags)
{
	return tags.low & low_bits(reference_bits(ns));
}

static struct vssd_tags joined(const struct vssd_ns *ns, uint64_t storage, uint64_t reference)
{
	unsigned below = reference_bits(ns);

	return (struct vssd_tags){
		.high = (uint16_t)(below == 0    ? 0
				   : below == 64 ? storage
						 : storage >> (64 - below)),
		.low = reference | (below == 64 ? 0 : storage << below),
	};
}

/* The tags of protection information, from their bytes, of which the first two may be above 64 bits. */
static struct vssd_tags get_tags(const struct vssd_ns *ns, const uint8_t *from)
{
	unsigned space = sizes[ns->pif].space, high = space > 8 ? space - 8 : 0;

	return (struct vssd_tags){
		.high = (uint16_t)get_bytes(from, high),
		.low = get_bytes(from + high, space - high),
	};
}

static void put_tags(const struct vssd_ns *ns, uint8_t *to, struct vssd_tags tags)
{
	unsigned space = sizes[ns->pif].space, high = space > 8 ? space - 8 : 0;

	put_bytes(to, high, tags.high);
	put_bytes(to + high, space - high, tags.low);
}

/* ---- guard ---- */

/* Where the protection information is in the metadata. */
static unsigned place_of(const struct vssd_ns *ns)
{
	return ns->pi_first ? 0 : ns->metadata - vssd_pif_bytes(ns->pif);
}

/* The guard covers the data, and the metadata before it. */
static uint64_t guard_of(const struct vssd_ns *ns, const uint8_t *data, const uint8_t *metadata)
{
	size_t length = (size_t)1 << ns->lba_shift, more = place_of(ns);

	switch (ns->pif) {
	case NVME_PIF_GUARD32:
		return pyn_crc32c(pyn_crc32c(0, data, length), metadata, more);
	case NVME_PIF_GUARD64:
		return pyn_crc64(pyn_crc64(0, data, length), metadata, more);
	default:
		return pyn_crc16(pyn_crc16(0, data, length), metadata, more);
	}
}

/* ---- the task of a command ---- */

struct vssd_tags vssd_pi_tags(const struct nvme_cmd *cmd)
{
	return (struct vssd_tags){
		.high = (uint16_t)cmd->cdw2,
		.low = (uint64_t)cmd->cdw3 << 32 | cmd->cdw14,
	};
}

static void advance(struct vssd_pi_task *task)
{
	if (task->ns->pi == TYPE_3)
		return;
	task->reference = (task->reference + 1) & low_bits(reference_bits(task->ns));
	task->remapped++;
}

void vssd_pi_skip(const struct vssd_ns *ns, struct nvme_cmd *cmd, uint64_t count)
{
	struct vssd_tags tags = vssd_pi_tags(cmd);
	uint64_t reference;

	if (!ns->pi || ns->pi == TYPE_3)
		return;
	reference = (reference_of(ns, tags) + count) & low_bits(reference_bits(ns));
	tags = joined(ns, storage_of(ns, tags), reference);
	cmd->cdw2 = tags.high;
	cmd->cdw3 = (uint32_t)(tags.low >> 32);
	cmd->cdw14 = (uint32_t)tags.low;
}

uint16_t vssd_pi_set(struct vssd_request *request, struct vssd_pi_task *task, uint64_t slba, struct vssd_tags tags)
{
	const struct vssd_ns *ns = task->ns;

	if (!ns->pi)
		return NVME_SC_SUCCESS;
	task->storage = storage_of(ns, tags);
	task->storage_mask = vssd_ns_tag_mask(request->ctrl->subsystem, ns);
	task->reference = reference_of(ns, tags);
	if (!(task->checks & NVME_RW_CHECK_REF))
		return NVME_SC_SUCCESS;
	if (ns->pi == TYPE_3)
		return vssd_refuse(request, NVME_SC_INVALID_PROTECTION_INFO, PRINFO, CHECKS);
	if (ns->pi == TYPE_1 && task->reference != (slba & low_bits(reference_bits(ns))))
		return vssd_refuse(request, NVME_SC_INVALID_PROTECTION_INFO, TAGS, CHECKS);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_pi_begin(struct vssd_request *request, struct vssd_pi_task *task)
{
	const struct nvme_cmd *cmd = &request->cmd;

	*task = (struct vssd_pi_task){
		.ns = request->ns,
		.checks = cmd->cdw12,
		.app = (uint16_t)nvme_get_field(cmd, NVME_FIELD_WRITE_LBAT),
		.app_mask = (uint16_t)nvme_get_field(cmd, NVME_FIELD_WRITE_LBATM),
	};
	/* A drive that misses the LBA has checked the command before, and so has one that appends to a zone. */
	uint16_t status =
		vssd_pi_set(request, task, vssd_slba(cmd) - request->appended + request->moved, vssd_pi_tags(cmd));

	task->remaps = request->ns->pi && cmd->opc == NVME_IO_ZONE_APPEND &&
		       nvme_get_field(cmd, NVME_FIELD_ZONE_APPEND_PIREMAP);
	task->remapped = task->reference + (task->remaps ? request->appended : 0);
	return status;
}

/* ---- LBAs ---- */

static bool is_escaped(const struct vssd_ns *ns, uint16_t app, uint64_t reference)
{
	return app == APP_ESCAPE && (ns->pi != TYPE_3 || reference == low_bits(reference_bits(ns)));
}

/* Judge the tags of protection information. */
static uint16_t check_tags(struct vssd_request *request, const struct vssd_pi_task *task, uint64_t lba, uint16_t app,
			   struct vssd_tags tags)
{
	if (task->checks & NVME_RW_CHECK_APP && (app ^ task->app) & task->app_mask)
		return vssd_fail_at(request, NVME_SC_APPLICATION_TAG_CHECK_ERROR, lba, "the application tag differs",
				    CHECKS);
	if (task->checks & NVME_RW_CHECK_REF && reference_of(task->ns, tags) != task->reference)
		return vssd_fail_at(request, NVME_SC_REFERENCE_TAG_CHECK_ERROR, lba, "the reference tag differs",
				    CHECKS);
	if (task->checks & NVME_RW_STC && (storage_of(task->ns, tags) ^ task->storage) & task->storage_mask)
		return vssd_fail_at(request, NVME_SC_STORAGE_TAG_CHECK_ERROR, lba, "the storage tag differs", CHECKS);
	return NVME_SC_SUCCESS;
}

static uint16_t check_lba(struct vssd_request *request, const struct vssd_pi_task *task, uint64_t lba,
			  const uint8_t *data, const uint8_t *metadata)
{
	const struct vssd_ns *ns = task->ns;
	unsigned size = sizes[ns->pif].guard;
	const uint8_t *at = metadata + place_of(ns);
	uint16_t app = (uint16_t)get_bytes(at + size, 2);
	struct vssd_tags tags = get_tags(ns, at + size + 2);

	if (is_escaped(ns, app, reference_of(ns, tags)))
		return NVME_SC_SUCCESS;
	if (task->checks & NVME_RW_CHECK_GUARD && get_bytes(at, size) != guard_of(ns, data, metadata))
		return vssd_fail_at(request, NVME_SC_GUARD_CHECK_ERROR, lba, "the guard differs", FORMATS);
	return check_tags(request, task, lba, app, tags);
}

uint16_t vssd_pi_check(struct vssd_request *request, struct vssd_pi_task *task, uint64_t lba, const uint8_t *data,
		       const uint8_t *metadata)
{
	uint16_t status = task->ns->pi ? check_lba(request, task, lba, data, metadata) : NVME_SC_SUCCESS;

	advance(task);
	return status;
}

void vssd_pi_remap(const struct vssd_pi_task *task, uint8_t *metadata)
{
	const struct vssd_ns *ns = task->ns;
	uint8_t *at = metadata + place_of(ns) + sizes[ns->pif].guard + 2;

	if (task->remaps)
		put_tags(ns, at,
			 joined(ns, storage_of(ns, get_tags(ns, at)),
				(task->remapped - 1) & low_bits(reference_bits(ns))));
}

void vssd_pi_make(struct vssd_pi_task *task, const uint8_t *data, uint8_t *metadata)
{
	const struct vssd_ns *ns = task->ns;
	unsigned size = sizes[ns->pif].guard;
	uint8_t *at = metadata + place_of(ns);

	put_bytes(at, size, guard_of(ns, data, metadata));
	put_bytes(at + size, 2, task->app);
	put_tags(ns, at + size + 2, joined(ns, task->storage, task->reference));
	advance(task);
	vssd_pi_remap(task, metadata);
}

void vssd_pi_blank(const struct vssd_ns *ns, uint8_t *metadata)
{
	if (ns->pi)
		memset(metadata + place_of(ns), 0xff, vssd_pif_bytes(ns->pif));
}
