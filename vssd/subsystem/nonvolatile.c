/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/nonvolatile.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define TAG(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define AREA TAG('V', 'S', 'S', 'D')
#define AREA_VERSION 1u

struct known {
	uint32_t tag;
	uint16_t version;
	uint16_t offset; /* in struct vssd_nonvolatile */
	uint16_t size;
};

#define KNOWN(tag, version, member)                                                                                  \
	{                                                                                                            \
		tag, version, offsetof(struct vssd_nonvolatile, member),                                             \
			sizeof(((struct vssd_nonvolatile *)0)->member)                                               \
	}

static const struct known known[] = {
	KNOWN(TAG('I', 'D', 'E', 'N'), 1, identity),   KNOWN(TAG('N', 'S', 'F', 'M'), 1, formats),
	KNOWN(TAG('T', 'O', 'T', 'L'), 1, totals),     KNOWN(TAG('F', 'M', 'T', ' '), 1, formatting),
	KNOWN(TAG('S', 'A', 'N', 'I'), 1, sanitize),   KNOWN(TAG('F', 'E', 'A', 'T'), 1, features),
	KNOWN(TAG('F', 'W', ' ', ' '), 1, firmware),   KNOWN(TAG('T', 'E', 'L', 'E'), 1, telemetry),
	KNOWN(TAG('S', 'T', 'S', 'T'), 1, self_test),  KNOWN(TAG('W', 'E', 'A', 'R'), 1, wear),
	KNOWN(TAG('N', 'S', 'T', 'B'), 1, namespaces), KNOWN(TAG('S', 'H', 'A', 'R'), 1, share),
	KNOWN(TAG('T', 'A', 'G', 'M'), 1, masks),
};

#define NUM_KNOWN (sizeof(known) / sizeof(known[0]))

/* The whole system area. */
union area {
	uint8_t bytes[VSSD_SYSTEM_SIZE];
	struct vssd_nonvolatile nv;
	uint32_t first_word;
};

static struct vssd_section *head_of(union area *area, const struct known *section)
{
	return (struct vssd_section *)(area->bytes + section->offset);
}

static void make_new(union area *area)
{
	memset(area, 0, sizeof(*area));
	area->nv.head = (struct vssd_section){AREA, AREA_VERSION, sizeof(area->nv) - sizeof(area->nv.head)};
	for (size_t i = 0; i < NUM_KNOWN; i++)
		*head_of(area, &known[i]) = (struct vssd_section){
			.tag = known[i].tag,
			.version = known[i].version,
			.length = (uint16_t)(known[i].size - sizeof(struct vssd_section)),
		};
}

/* ---- sections ---- */

static const struct known *find_known(const struct vssd_section *section)
{
	for (size_t i = 0; i < NUM_KNOWN; i++)
		if (known[i].tag == section->tag && known[i].version == section->version)
			return &known[i];
	return NULL;
}

/* Load a known section, which may be longer or shorter in another version of this program. */
static void take_known(union area *area, const struct known *to, const struct vssd_section *from)
{
	uint16_t length = head_of(area, to)->length;

	memcpy(head_of(area, to) + 1, from + 1, from->length < length ? from->length : length);
}

/* Keep an unknown section unchanged, if there is room. */
static void keep_unknown(union area *area, const struct vssd_section *from)
{
	size_t size = sizeof(*from) + from->length, end = sizeof(area->nv.head) + area->nv.head.length;

	if (end + size > sizeof(*area))
		return;
	memcpy(area->bytes + end, from, size);
	area->nv.head.length = (uint16_t)(area->nv.head.length + size);
}

/* Load all sections. False: the area does not consist of sections. */
static bool take_sections(union area *area, const union area *old)
{
	size_t at = sizeof(old->nv.head), end = at + old->nv.head.length;

	if (end > sizeof(*old))
		return false;
	while (at < end) {
		const struct vssd_section *section = (const struct vssd_section *)(old->bytes + at);
		const struct known *to;

		if (end - at < sizeof(*section) || section->length % 8 != 0 ||
		    section->length > end - at - sizeof(*section))
			return false;
		to = find_known(section);
		if (to)
			take_known(area, to, section);
		else
			keep_unknown(area, section);
		at += sizeof(*section) + section->length;
	}
	return true;
}

/* ---- the layout before sections ---- */

#define RAW_VERSION 2u

struct raw_self_test {
	uint8_t operation;
	uint8_t count;
	uint32_t nsid;
	uint32_t left;
	struct nvme_self_test_result results[20];
};

struct raw_sanitize {
	uint64_t done;
	uint32_t cdw10;
	uint32_t pattern;
	uint8_t status;
	uint8_t left;
	uint8_t written;
};

/* The area before the first release with sections. */
struct raw {
	uint32_t version; /* RAW_VERSION; 0: a new drive */
	char serial[20];
	uint8_t in_use;
	uint8_t format[32];
	uint64_t counters[12]; /* from sectors_read to critical_ms */
	uint8_t formatting[4];
	struct raw_sanitize sanitize;
	uint32_t thermal_count[2];
	uint64_t thermal_ms[2];
	uint64_t saved_apst[32];
	uint8_t saved_valid[256];
	uint32_t saved[256];
	struct vssd_firmware_slot slots[3];
	uint8_t active_slot;
	uint8_t next_slot;
	uint8_t telemetry_host;
	uint8_t telemetry_ctrl;
	struct raw_self_test self_test;
};
_Static_assert(sizeof(struct raw) == 2360, "the layout before sections");

static void take_raw_totals(struct vssd_totals *totals, const struct raw *raw)
{
	memcpy(&totals->sectors_read, raw->counters, sizeof(raw->counters));
	memcpy(totals->thermal_count, raw->thermal_count, sizeof(totals->thermal_count));
	memcpy(totals->thermal_ms, raw->thermal_ms, sizeof(totals->thermal_ms));
}

static void take_raw_operations(struct vssd_nonvolatile *nv, const struct raw *raw)
{
	nv->formatting.running = raw->formatting[0];
	nv->formatting.lbaf = raw->formatting[1];
	nv->formatting.first = raw->formatting[2];
	nv->formatting.last = raw->formatting[3];
	nv->sanitize.done = raw->sanitize.done;
	nv->sanitize.cdw10 = raw->sanitize.cdw10;
	nv->sanitize.pattern = raw->sanitize.pattern;
	nv->sanitize.status = raw->sanitize.status;
	nv->sanitize.left = raw->sanitize.left;
	nv->sanitize.written = raw->sanitize.written;
	nv->self_test.operation = raw->self_test.operation;
	nv->self_test.count = raw->self_test.count;
	nv->self_test.nsid = raw->self_test.nsid;
	nv->self_test.left = raw->self_test.left;
	memcpy(nv->self_test.results, raw->self_test.results, sizeof(nv->self_test.results));
}

static void take_raw(struct vssd_nonvolatile *nv, const struct raw *raw)
{
	memcpy(nv->identity.serial, raw->serial, sizeof(nv->identity.serial));
	nv->identity.in_use = raw->in_use;
	memcpy(nv->formats.lbaf, raw->format, sizeof(nv->formats.lbaf));
	take_raw_totals(&nv->totals, raw);
	take_raw_operations(nv, raw);
	memcpy(nv->features.apst, raw->saved_apst, sizeof(nv->features.apst));
	memcpy(nv->features.valid, raw->saved_valid, sizeof(nv->features.valid));
	memcpy(nv->features.value, raw->saved, sizeof(nv->features.value));
	memcpy(nv->firmware.slots, raw->slots, sizeof(nv->firmware.slots));
	nv->firmware.active = raw->active_slot;
	nv->firmware.next = raw->next_slot;
	nv->telemetry.host = raw->telemetry_host;
	nv->telemetry.ctrl = raw->telemetry_ctrl;
}

/* ---- opening ---- */

int vssd_nonvolatile_open(struct vssd_store *store, const char *file, struct vssd_nonvolatile **nv, bool *is_new,
			  struct pyn_error *err)
{
	union area *old = vssd_store_system(store);
	union area area;
	bool is_good = true;

	make_new(&area);
	*is_new = old->first_word == 0;
	if (old->first_word == AREA && old->nv.head.version == AREA_VERSION)
		is_good = take_sections(&area, old);
	else if (old->first_word == RAW_VERSION)
		take_raw(&area.nv, (const struct raw *)old);
	else
		is_good = *is_new;
	if (!is_good)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "the system area of %s is damaged, or from an unknown version of this program: "
				 "give another file, or delete it",
				 file);
	*nv = &old->nv;
	if (memcmp(old, &area, sizeof(area)) == 0)
		return 0;
	return vssd_store_set_system(store, &area, err);
}
