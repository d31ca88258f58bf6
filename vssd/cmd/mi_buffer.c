/* SPDX-License-Identifier: BSD-3-Clause */
/* The Management Endpoint Buffer. NVM Express Management Interface Specification 2.0, sections 5.4, 5.5 and 8.5. */
#include <string.h>

#include "spec/nvme_mi.h"
#include "vssd/cmd/mi.h"

void vssd_mi_buffer_begin(struct vssd_mi_buffer *buffer, uint32_t sanitizes)
{
	bool was_sanitized = buffer->sanitizes != sanitizes;

	buffer->sanitizes = sanitizes;
	if (!was_sanitized || !buffer->is_used)
		return;
	memset(buffer->bytes, 0, sizeof(buffer->bytes));
	buffer->is_sanitized = true;
}

void vssd_mi_buffer_clear(struct vssd_mi_buffer *buffer)
{
	memset(buffer->bytes, 0, sizeof(buffer->bytes));
	buffer->is_used = buffer->is_sanitized = false;
}

void vssd_mi_buffer_fill(struct vssd_mi_buffer *buffer, const uint8_t *data, uint32_t length)
{
	vssd_mi_buffer_clear(buffer);
	memcpy(buffer->bytes, data, length);
	buffer->is_used = true;
}

/* Check the range of a command. Both of its dwords count bytes. */
static uint8_t check(struct vssd_mi_command *command)
{
	uint32_t offset = command->nmd0, length = command->nmd1;

	if (offset >= VSSD_MI_BUFFER)
		return vssd_mi_refuse(command, VSSD_MI_NMD0_AT);
	if (length > VSSD_MI_MOST_DATA || length > VSSD_MI_BUFFER - offset)
		return vssd_mi_refuse(command, VSSD_MI_NMD1_AT);
	return NVME_MI_STATUS_SUCCESS;
}

uint8_t vssd_mi_buffer_read(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	uint8_t status = check(command);

	(void)ctrl;
	if (!status && command->nmd1 && command->buffer->is_sanitized)
		return NVME_MI_STATUS_SANITIZED_DATA;
	if (status)
		return status;
	memcpy(command->out, command->buffer->bytes + command->nmd0, command->nmd1);
	command->out_length = command->nmd1;
	return NVME_MI_STATUS_SUCCESS;
}

uint8_t vssd_mi_buffer_write(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	uint8_t status = check(command);

	(void)ctrl;
	if (!status && command->in_length != command->nmd1)
		return NVME_MI_STATUS_INVALID_INPUT_SIZE;
	if (status || !command->nmd1)
		return status;
	memcpy(command->buffer->bytes + command->nmd0, command->in, command->nmd1);
	command->buffer->is_used = true;
	command->buffer->is_sanitized = false;
	return NVME_MI_STATUS_SUCCESS;
}
