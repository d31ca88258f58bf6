/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/nvme/status.h"

#include "spec/commands.h"
#include "spec/nvme_cmd.h"
#include "spec/nvme_id.h"

#define VENDOR "VENDOR SPECIFIC"
#define UNKNOWN "UNKNOWN"

#define VERIFICATION_FAILED                                                                                          \
	NVME_SC(NVME_SCT_VENDOR, 0x81) /* set by the driver: data differ from what was written                       \
					*/
#define VENDOR_STATUS 0xc0u            /* the first vendor specific status code of each status code type */
#define VENDOR_ADMIN 0xc0u             /* the first vendor specific opcode */
#define VENDOR_IO 0x80u

const char *pyn_status_name(uint16_t status)
{
	uint16_t number = NVME_SC(NVME_STATUS_SCT(status), NVME_STATUS_SC(status));

	if (number == VERIFICATION_FAILED)
		return "DATA VERIFICATION FAILED";
	if (number < SPEC_STATUSES && spec_status_names[number])
		return spec_status_names[number];
	return number >> 8 == NVME_SCT_VENDOR || (number & 0xffu) >= VENDOR_STATUS ? VENDOR : UNKNOWN;
}

static const char *opcode_name(enum spec_table table, uint8_t opcode, uint8_t vendor)
{
	const char *name = spec_commands[table][opcode].name;

	if (name)
		return name;
	return opcode >= vendor ? VENDOR : UNKNOWN;
}

const char *pyn_admin_opcode_name(uint8_t opcode)
{
	return opcode_name(SPEC_ADMIN, opcode, VENDOR_ADMIN);
}

const char *pyn_io_opcode_name(uint8_t csi, uint8_t opcode)
{
	if (csi == NVME_CSI_KV && spec_commands[SPEC_KV][opcode].name)
		return spec_commands[SPEC_KV][opcode].name;
	return opcode_name(SPEC_IO, opcode, VENDOR_IO);
}
