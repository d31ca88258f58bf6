/* SPDX-License-Identifier: BSD-3-Clause */
/* The shadow MBR of a self-encrypting drive. TCG Storage Architecture Core Specification 2.01, section 3.3.6. */
#include "core/drive/device_private.h"

#include "spec/nvme_field.h"
#include "spec/nvme_id.h"

#define LEVEL0_SIZE 512u
#define TCG_PROTOCOL 1u
#define LEVEL0_COMID 1u
#define FIRST_FEATURE 48u
#define FEATURE_HEADER 4u
#define LOCKING_FEATURE 0x0002u
#define MBR_ENABLED 0x10u
#define MBR_DONE 0x20u

/* The first byte of the feature Locking, or 0 if the data have none. */
static uint8_t locking_flags(const uint8_t *data)
{
	unsigned at = FIRST_FEATURE;

	while (at + FEATURE_HEADER < LEVEL0_SIZE && (data[at] || data[at + 1])) {
		if ((data[at] << 8 | data[at + 1]) == LOCKING_FEATURE)
			return data[at + FEATURE_HEADER];
		at += FEATURE_HEADER + data[at + 3];
	}
	return 0;
}

void pyn_device_check_shadow(struct pyn_device *device)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);
	struct nvme_cmd cmd = {.opc = NVME_ADMIN_SECURITY_RECEIVE};
	struct pyn_buffer *buffer;
	struct pyn_error ignored;

	if (!(id->oacs & NVME_OACS_SECURITY))
		return;
	buffer = pyn_buffer_create(LEVEL0_SIZE, &ignored);
	if (!buffer)
		return;
	nvme_set_field(&cmd, NVME_FIELD_SECURITY_RECEIVE_SECP, TCG_PROTOCOL);
	nvme_set_field(&cmd, NVME_FIELD_SECURITY_RECEIVE_SPSP, LEVEL0_COMID);
	nvme_set_field(&cmd, NVME_FIELD_SECURITY_RECEIVE_AL, LEVEL0_SIZE);
	if (pyn_device_admin_execute(device, &cmd, buffer, PYN_ERROR_ENUMERATE, NULL, &ignored) == 0 &&
	    (locking_flags(buffer->data) & (MBR_ENABLED | MBR_DONE)) == MBR_ENABLED)
		pyn_device_forget(device);
	pyn_buffer_put(buffer);
}
