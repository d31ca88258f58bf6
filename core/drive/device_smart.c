/* SPDX-License-Identifier: BSD-3-Clause */
/* SMART / Health Information, by an admin command of the driver's own. */
#include "core/drive/device_private.h"

#include <string.h>

#include "core/verify/verify_format.h"
#include "spec/nvme_field.h"
#include "spec/nvme_log.h"

bool pyn_device_smart(struct pyn_device *device, struct nvme_smart_log *log)
{
	struct nvme_cmd cmd = {
		.opc = NVME_ADMIN_GET_LOG_PAGE,
		.nsid = UINT32_MAX,
	};
	struct pyn_error ignored;
	struct pyn_buffer *buffer = pyn_buffer_create(sizeof(*log), &ignored);

	if (!buffer)
		return false;
	nvme_set_field(&cmd, NVME_FIELD_GET_LOG_PAGE_LID, NVME_LOG_SMART);
	nvme_set_field(&cmd, NVME_FIELD_GET_LOG_PAGE_NUMDL, sizeof(*log) / 4 - 1);
	bool answered = pyn_device_admin_execute(device, &cmd, buffer, PYN_ERROR_ENUMERATE, NULL, &ignored) == 0;

	if (answered)
		memcpy(log, buffer->data, sizeof(*log));
	pyn_buffer_put(buffer);
	return answered;
}

void pyn_device_counts(struct pyn_device *device, struct pyn_save_counts *counts)
{
	struct nvme_smart_log log;

	*counts = (struct pyn_save_counts){0};
	if (pyn_device_smart(device, &log))
		*counts = (struct pyn_save_counts){1, log.upl[0], log.pwrc[0], log.hwc[0], log.duw[0]};
}
