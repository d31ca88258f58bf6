/* SPDX-License-Identifier: BSD-3-Clause */
/* The Vital Product Data of a new drive: a FRU information device of IPMI, as the NVM Express Management Interface
 * Specification 2.0, section 8.2, describes it. */
#include "vssd/ctrl/management.h"

#include <string.h>

#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/hidden.h"

#define MAGIC 0x44505631u /* of what the store keeps */
#define UNIT 8u           /* bytes, of offsets and lengths in the common header */
#define PRODUCT UNIT      /* offset of the product info area */
#define PRODUCT_SIZE 112u /* bytes */
#define RECORD (PRODUCT + PRODUCT_SIZE)
#define RECORD_HEADER 5u
#define RECORD_SIZE 59u
#define FORMAT 1u
#define ENGLISH 25u
#define TEXT 0xc0u /* type of a field of Latin characters; the length is in bits 5:0 */
#define END 0xc1u
#define NVME_RECORD 0x0bu
#define LAST_RECORD 0x82u /* format 2 */

/* The byte that makes the sum of these bytes zero. */
static uint8_t balance(const uint8_t *bytes, uint32_t length)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return (uint8_t)-sum;
}

/* Write a field of the product info area, padded with blanks. Returns where the next one begins. */
static uint8_t *put(uint8_t *at, const char *text, size_t used, uint8_t length)
{
	*at++ = (uint8_t)(TEXT | length);
	memset(at, ' ', length);
	memcpy(at, text, used);
	return at + length;
}

static void describe_product(const struct vssd_ctrl *ctrl, uint8_t *area)
{
	uint8_t *at = area;

	*at++ = FORMAT;
	*at++ = PRODUCT_SIZE / UNIT;
	*at++ = ENGLISH;
	at = put(at, "pynvme", 6, 8);
	at = put(at, "virtual SSD", 11, 24);
	at = put(at, "pynvme virtual SSD", 18, 40);
	at = put(at, "1", 1, 2);
	at = put(at, ctrl->nv->identity.serial, sizeof(ctrl->nv->identity.serial), 20);
	*at++ = 0; /* asset tag, and FRU file: none */
	*at++ = 0;
	*at = END;
	area[PRODUCT_SIZE - 1] = balance(area, PRODUCT_SIZE - 1);
}

/* The Vital Product Data of the subsystem, as the store keeps them. */
struct kept {
	uint32_t magic;
	uint8_t writes; /* left */
	uint8_t reserved[3];
	uint8_t vpd[VSSD_VPD_SIZE];
};

static void describe(const struct vssd_ctrl *ctrl, uint8_t *vpd)
{
	uint8_t *record = vpd + RECORD;

	vpd[0] = FORMAT;
	vpd[4] = PRODUCT / UNIT;
	vpd[5] = RECORD / UNIT;
	vpd[7] = balance(vpd, UNIT - 1);
	describe_product(ctrl, vpd + PRODUCT);
	record[0] = NVME_RECORD;
	record[1] = LAST_RECORD;
	record[2] = RECORD_SIZE;
	record[3] = balance(record + RECORD_HEADER, RECORD_SIZE);
	record[4] = balance(record, RECORD_HEADER - 1);
}

/* A null drive keeps no data, so that nothing can be written. */
static struct kept load(const struct vssd_ctrl *ctrl)
{
	struct kept kept = {.magic = MAGIC};

	if (ctrl->null_store) {
		describe(ctrl, kept.vpd);
		return kept;
	}
	vssd_hidden_read(ctrl->subsystem, VSSD_HIDDEN_VPD, 0, &kept, sizeof(kept));
	return kept;
}

void vssd_management_init(struct vssd_ctrl *ctrl)
{
	struct kept kept = {.magic = MAGIC, .writes = VSSD_VPD_WRITES};

	vssd_management_reset(ctrl, false);
	if (!ctrl->options->optional.mi || load(ctrl).magic == MAGIC)
		return;
	describe(ctrl, kept.vpd);
	vssd_hidden_write(ctrl->subsystem, VSSD_HIDDEN_VPD, 0, &kept, sizeof(kept));
}

void vssd_management_reset(struct vssd_ctrl *ctrl, bool with_power)
{
	struct vssd_management *state = &ctrl->features.management;

	state->frequency = 1;
	state->transmission = 64;
	state->was_subsystem_reset = with_power;
	state->resets++;
}

void vssd_management_changed(struct vssd_ctrl *ctrl, uint16_t change)
{
	for (unsigned i = 0; i < VSSD_MECHANISMS; i++)
		ctrl->features.management.views[i].changed |= change;
}

uint8_t vssd_vpd_writes(const struct vssd_ctrl *ctrl)
{
	return load(ctrl).writes;
}

void vssd_vpd_read(const struct vssd_ctrl *ctrl, uint32_t offset, uint8_t *to, uint32_t length)
{
	const struct kept kept = load(ctrl);

	memcpy(to, kept.vpd + offset, length);
}

bool vssd_vpd_write(struct vssd_ctrl *ctrl, uint32_t offset, const uint8_t *from, uint32_t length)
{
	struct kept kept = load(ctrl);

	if (kept.writes == 0)
		return false;
	kept.writes--;
	memcpy(kept.vpd + offset, from, length);
	return vssd_hidden_write(ctrl->subsystem, VSSD_HIDDEN_VPD, 0, &kept, sizeof(kept));
}
