/* SPDX-License-Identifier: BSD-3-Clause */
/* Which commands a drive supports, and their effects: from Identify Controller and log page 05h. */
#include "core/drive/device_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spec/commands.h"
#include "spec/nvme_field.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"

static void take_effects(struct pyn_device *device, const struct nvme_effects_log *log)
{
	const uint32_t both = NVME_EFFECT_CSUPP | NVME_EFFECT_LBCC;

	for (unsigned opcode = 0; opcode < 256; opcode++) {
		device->keeps_data[0][opcode] = (log->acs[opcode] & both) == NVME_EFFECT_CSUPP;
		device->keeps_data[1][opcode] = (log->iocs[opcode] & both) == NVME_EFFECT_CSUPP;
	}
}

/* Read log page 05h into *out, a buffer that the caller puts. */
static int read_effects(struct pyn_device *device, struct pyn_buffer **out, struct pyn_error *err)
{
	struct nvme_cmd cmd = {
		.opc = NVME_ADMIN_GET_LOG_PAGE,
		.nsid = UINT32_MAX,
	};
	struct pyn_buffer *buffer = pyn_buffer_create(sizeof(struct nvme_effects_log), err);

	if (!buffer)
		return -ENOMEM;
	nvme_set_field(&cmd, NVME_FIELD_GET_LOG_PAGE_LID, NVME_LOG_EFFECTS);
	nvme_set_field(&cmd, NVME_FIELD_GET_LOG_PAGE_NUMDL, sizeof(struct nvme_effects_log) / 4 - 1);
	int rc = pyn_device_admin_execute(device, &cmd, buffer, PYN_ERROR_SYSTEM, NULL, err);

	if (rc)
		pyn_buffer_put(buffer);
	else
		*out = buffer;
	return rc;
}

static void ask_for_effects(struct pyn_device *device)
{
	struct pyn_buffer *buffer;
	struct pyn_error ignored;

	if (read_effects(device, &buffer, &ignored))
		return;
	take_effects(device, (const struct nvme_effects_log *)buffer->data);
	pyn_buffer_put(buffer);
}

void pyn_device_ask_effects(struct pyn_device *device)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);
	struct pyn_error ignored;

	pyn_device_lock(device);
	/* Ask only once: a command must have the same effects at its end as when it was sent. */
	if (!device->asked_effects && pyn_device_check(device, &ignored) == 0) {
		device->asked_effects = true;
		if (id->lpa & NVME_LPA_EFFECTS)
			ask_for_effects(device);
	}
	pyn_device_unlock(device);
}

bool pyn_device_keeps_data(const struct pyn_device *device, uint8_t opcode, bool io)
{
	return device->keeps_data[io][opcode];
}

bool pyn_device_admin_is_unknown(uint8_t opcode)
{
	return spec_commands[SPEC_ADMIN][opcode].changes == SPEC_CHANGES_UNKNOWN;
}

/* Whether Identify Controller announces a command. */
static bool announces(const struct nvme_id_ctrl *id, const struct spec_command *command)
{
	uint32_t field = 0;

	if (!command->announced)
		return command->flags & SPEC_MANDATORY;
	memcpy(&field, (const uint8_t *)id + command->announced_by, sizeof(field));
	return field & command->announced;
}

/* Read log page 05h again, if it may have changed. */
static int refresh_effects(struct pyn_device *device, struct pyn_error *err)
{
	uint32_t changes = device->identify_changes;
	struct pyn_buffer *buffer;

	if (device->answers.effects && device->answers.effects_as_of == changes)
		return 0;
	int rc = read_effects(device, &buffer, err);

	if (rc)
		return rc;
	if (!device->answers.effects)
		device->answers.effects = malloc(sizeof(*device->answers.effects));
	if (device->answers.effects)
		memcpy(device->answers.effects, buffer->data, sizeof(*device->answers.effects));
	pyn_buffer_put(buffer);
	device->answers.effects_as_of = changes;
	return device->answers.effects ? 0 : pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for log page 05h");
}

static int ask_whether_supported(struct pyn_device *device, uint8_t opcode, bool io, struct pyn_error *err)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);

	if (!(id->lpa & NVME_LPA_EFFECTS))
		return announces(id, &spec_commands[io ? SPEC_IO : SPEC_ADMIN][opcode]);
	int rc = refresh_effects(device, err);

	if (rc)
		return rc;
	return !!((io ? device->answers.effects->iocs : device->answers.effects->acs)[opcode] & NVME_EFFECT_CSUPP);
}

int pyn_device_supports(struct pyn_device *device, uint8_t opcode, bool io, struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_identify_now(device, NULL, err);

	if (!rc)
		rc = ask_whether_supported(device, opcode, io, err);
	pyn_device_unlock(device);
	return rc;
}
