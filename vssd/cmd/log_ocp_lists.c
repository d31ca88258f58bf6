/* SPDX-License-Identifier: BSD-3-Clause */
/* Log pages of OCP that consist of lists: hardware components (C6h), and the strings of telemetry data (C9h). */
#include <string.h>

#include "vssd/cmd/log_ocp.h"
#include "vssd/ctrl/controller.h"

#define HARDWARE_VERSION 1u /* lengths are in dwords */
#define STRINGS_VERSION 1u
#define DWORD 4u

/* ---- C6h ---- */

#define LOT_SIZE 8u                /* bytes of a date and lot code */
#define TEXT_SIZE VSSD_SERIAL_SIZE /* of additional information, at most */

/* The parts of the drive. Of those with text, the text is the additional information. */
static const struct component {
	uint32_t id;
	char revision[8];
	char code[8];
	char lot[LOT_SIZE];
	char text[TEXT_SIZE];
} components[] = {
	{NVME_OCP_COMPONENT_ASIC, "A0      ", "VSSD    ", "2026LOT1", ""},
	{NVME_OCP_COMPONENT_NAND, "B1      ", "STORE   ", "2026LOT2", ""},
	{NVME_OCP_COMPONENT_DRAM, "C2      ", "CACHE   ", "2026LOT3", ""},
	{NVME_OCP_COMPONENT_CAPACITOR, "D3      ", "PLP     ", "", ""},
	{NVME_OCP_COMPONENT_SERIAL_NUMBER, "        ", "        ", "", ""},
	{NVME_OCP_COMPONENT_COUNTRY, "        ", "        ", "", "ZZ  "},
	{NVME_OCP_COMPONENT_HARDWARE_REVISION, "        ", "        ", "", "1   "},
};

/* Append a component at a place. Returns the place behind it. */
static uint8_t *put_component(uint8_t *at, const struct component *component, const char *text, uint32_t text_size)
{
	uint32_t lot_size = component->lot[0] ? LOT_SIZE : 0;
	struct nvme_ocp_component entry = {
		.date_lot_size = lot_size / DWORD,
		.additional_size = text_size / DWORD,
		.id = component->id,
		.manufacturer = {'p', 'y', 'n', 'v', 'm', 'e', ' ', ' '},
	};

	memcpy(entry.revision, component->revision, sizeof(entry.revision));
	memcpy(entry.manufacturer_code, component->code, sizeof(entry.manufacturer_code));
	memcpy(at, &entry, sizeof(entry));
	at += sizeof(entry);
	memcpy(at, component->lot, lot_size);
	memcpy(at + lot_size, text, text_size);
	return at + lot_size + text_size;
}

#define NUM_COMPONENTS (sizeof(components) / sizeof(components[0]))

_Static_assert(sizeof(struct nvme_ocp_hardware_log) +
			       NUM_COMPONENTS * (sizeof(struct nvme_ocp_component) + LOT_SIZE + TEXT_SIZE) <=
		       VSSD_OCP_HARDWARE_SIZE,
	       "log page C6h");

void vssd_ocp_hardware(const struct vssd_ctrl *ctrl, uint8_t page[VSSD_OCP_HARDWARE_SIZE])
{
	struct nvme_ocp_hardware_log *log = (struct nvme_ocp_hardware_log *)page;
	uint8_t *at = page + sizeof(*log);

	for (unsigned i = 0; i < NUM_COMPONENTS; i++) {
		const struct component *one = &components[i];

		if (one->id == NVME_OCP_COMPONENT_SERIAL_NUMBER)
			at = put_component(at, one, ctrl->nv->identity.serial, TEXT_SIZE);
		else
			at = put_component(at, one, one->text, (uint32_t)strlen(one->text));
	}
	log->size[0] = (uint64_t)(at - page) / DWORD;
	log->version = HARDWARE_VERSION;
	log->guid[0] = UINT64_C(0xB76B31B99F0F57DC);
	log->guid[1] = UINT64_C(0xBCB6821F30CD4ED0);
}

/* ---- C9h ---- */

#define FIRST_VENDOR_STATISTIC 0x8000u /* and from there on the offset of the number in data area 1 */

_Static_assert(sizeof(struct nvme_ocp_telemetry_strings_log) +
			       VSSD_TELEMETRY_NAMES *
				       (sizeof(struct nvme_ocp_statistic_string) + VSSD_TELEMETRY_NAME_SIZE) <=
		       VSSD_OCP_STRINGS_SIZE,
	       "log page C9h");

void vssd_ocp_telemetry_strings(uint8_t page[VSSD_OCP_STRINGS_SIZE])
{
	struct nvme_ocp_telemetry_strings_log *log = (struct nvme_ocp_telemetry_strings_log *)page;
	uint32_t count = VSSD_TELEMETRY_NAMES, text = 0;
	struct nvme_ocp_statistic_string *entries = (struct nvme_ocp_statistic_string *)log->tables;
	char *ascii = (char *)&entries[count];

	for (uint32_t i = 0; i < count; i++) {
		size_t length = strlen(vssd_telemetry_names[i].name);

		entries[i] = (struct nvme_ocp_statistic_string){
			.id = (uint16_t)(FIRST_VENDOR_STATISTIC + vssd_telemetry_names[i].offset),
			.length = (uint8_t)length,
			.offset = text,
		};
		memcpy(ascii + text, vssd_telemetry_names[i].name, length);
		text += (uint32_t)length;
	}
	memcpy(log->fifos[0], "commands", sizeof("commands") - 1);
	log->statistics_start = sizeof(*log) / DWORD;
	log->statistics_size = count * sizeof(*entries) / DWORD;
	log->events_start = log->vendor_events_start = log->ascii_start =
		log->statistics_start + log->statistics_size;
	log->ascii_size = (text + DWORD - 1) / DWORD;
	log->size = log->ascii_start + log->ascii_size;
	log->version = STRINGS_VERSION;
	log->guid[0] = UINT64_C(0x9EA495940057AA44);
	log->guid[1] = UINT64_C(0xB13A83691A8F408B);
}
