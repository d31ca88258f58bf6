/* SPDX-License-Identifier: BSD-3-Clause */
/* PCIe commands out of band. NVM Express Management Interface Specification 2.0, section 7. The function has no I/O
 * space, and so none of the commands of it. */
#include "vssd/bus/bus.h"
#include "vssd/cmd/lockdown.h"
#include "vssd/cmd/mi_message.h"
#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/layout.h"

#define REQUEST 20u /* header, opcode, CTLID, three dwords */
#define RESPONSE 8u /* header, status */
#define BAR_MASK 7u
#define OFFSET_MASK 0xfffu /* of configuration space */

/* Fields of a request: the byte that an Invalid Parameter Error Response names. */
enum { LENGTH_AT = 8, BAR_AT = 10, OFFSET_AT = 12, UPPER_OFFSET_AT = 16 };

/* What a command accesses. */
struct access {
	bool is_write;
	bool is_config;
	uint8_t bar;
	uint64_t offset;
	uint16_t length;
};

static struct access access_of(const uint8_t *request)
{
	uint8_t opcode = request[VSSD_MI_OPCODE_AT];
	uint32_t nmd0 = vssd_mi_word(request + LENGTH_AT), nmd1 = vssd_mi_word(request + OFFSET_AT);
	bool is_config = opcode == NVME_MI_PCIE_CONFIG_READ || opcode == NVME_MI_PCIE_CONFIG_WRITE;

	return (struct access){
		.is_write = opcode == NVME_MI_PCIE_CONFIG_WRITE || opcode == NVME_MI_PCIE_MEMORY_WRITE,
		.is_config = is_config,
		.bar = nmd0 >> 16 & BAR_MASK,
		.offset = is_config ? nmd1 & OFFSET_MASK
				    : (uint64_t)vssd_mi_word(request + UPPER_OFFSET_AT) << 32 | nmd1,
		.length = (uint16_t)nmd0,
	};
}

static bool fits(const struct access *access, uint64_t size)
{
	return access->offset <= size && access->length <= size - access->offset;
}

/* Data are whole dwords in a message. */
static uint32_t padded(const struct access *access)
{
	return (access->length + 3u) & ~3u;
}

/* Check where a command goes. False: this is its response. */
static bool is_valid(const struct vssd_ctrl *ctrl, const struct access *access, struct vssd_mi_response *response)
{
	bool is_msix = access->bar == VSSD_MSIX_TABLE_BAR || access->bar == VSSD_MSIX_PBA_BAR;

	if (access->length > VSSD_MI_MOST_DATA)
		vssd_mi_fail_at(response, LENGTH_AT);
	else if (!access->is_config && is_msix)
		vssd_mi_fail(response, NVME_MI_STATUS_ACCESS_DENIED);
	else if (!access->is_config && access->bar != 0)
		vssd_mi_fail_at(response, BAR_AT);
	else if (!fits(access, access->is_config ? VSSD_CONFIG_SIZE : vssd_layout_bar0(ctrl->options)))
		vssd_mi_fail_at(response, OFFSET_AT);
	else if (vssd_ctrl_is_gone(ctrl) || (!access->is_config && !vssd_config_in_d0(ctrl)))
		vssd_mi_fail(response, NVME_MI_STATUS_PCIE_INACCESSIBLE);
	else
		return true;
	return false;
}

static void read(struct vssd_ctrl *ctrl, const struct access *access, struct vssd_mi_response *response)
{
	uint8_t *to = response->bytes + RESPONSE;

	memset(to, 0, padded(access));
	if (access->is_config)
		vssd_ctrl_config_read(ctrl, (uint32_t)access->offset, to, access->length);
	else
		vssd_ctrl_registers_read(ctrl, (uint32_t)access->offset, to, access->length);
	response->length += padded(access);
}

static void write(struct vssd_ctrl *ctrl, const struct access *access, const uint8_t *from)
{
	if (access->is_config)
		vssd_ctrl_config_write(ctrl, (uint32_t)access->offset, from, access->length);
	else
		vssd_ctrl_registers_write(ctrl, (uint32_t)access->offset, from, access->length);
}

void vssd_mi_pcie(struct vssd_ctrl *ctrl, const uint8_t *request, uint32_t length, struct vssd_mi_response *response)
{
	struct vssd_ctrl *target;
	struct access access;

	if (length < REQUEST) {
		vssd_mi_fail(response, NVME_MI_STATUS_INVALID_COMMAND_SIZE);
		return;
	}
	access = access_of(request);
	target = vssd_mi_controller(ctrl, vssd_mi_word(request + VSSD_MI_OPCODE_AT) >> 16);
	if (request[VSSD_MI_OPCODE_AT] > NVME_MI_PCIE_MEMORY_WRITE) {
		vssd_mi_fail(response, NVME_MI_STATUS_INVALID_OPCODE);
	} else if (vssd_lockdown_denies(ctrl, NVME_LOCKDOWN_PCIE, request[VSSD_MI_OPCODE_AT])) {
		vssd_mi_fail(response, NVME_MI_STATUS_ACCESS_DENIED);
	} else if (!target) {
		vssd_mi_fail_at(response, VSSD_MI_CTLID_AT);
	} else if (is_valid(target, &access, response)) {
		bool has_data = length - REQUEST == (access.is_write ? padded(&access) : 0);

		vssd_mi_fail(response, has_data ? NVME_MI_STATUS_SUCCESS : NVME_MI_STATUS_INVALID_INPUT_SIZE);
		if (has_data && access.is_write)
			write(target, &access, request + REQUEST);
		else if (has_data)
			read(target, &access, response);
	}
}
