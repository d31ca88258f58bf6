/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/mi.h"

#include <string.h>

#include "spec/nvme_mi.h"
#include "spec/pci.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define MESSAGE_TYPE 4u /* MT of NVMe-MI */
#define VERSION_MAJOR 1u
#define VERSION_MINOR 2u
#define UNIT_LEAST 64u /* MCTP transmission unit */
#define UNIT_MOST 4096u
#define FREQUENCY_MOST 3u
#define ANY_PORT 0u
#define ENTRIES_MOST 255u /* MAXRENT + 1 */
#define KELVIN 273

/* CCS. Section 5.6. */
enum {
	CCS_RDY = 0x1,
	CCS_CFS = 0x2,
	CCS_SHST = 0xc,
	CCS_NSSRO = 0x10,
	CCS_CECO = 0x20,
	CCS_NAC = 0x40,
	CCS_FA = 0x80,
	CCS_CSTS = 0x100,
	CCS_CTEMP = 0x200,
	CCS_PDLU = 0x400,
	CCS_SPARE = 0x800,
	CCS_CCWARN = 0x1000,
	CCS_ALL = 0x1fff,
};

/* NSS. Section 5.6. */
enum { NSS_P0LA = 0x8, NSS_RNR = 0x10, NSS_DF = 0x20, NSS_SFM = 0x40 };

#define CLEAR (UINT32_C(1) << 31)       /* NMD1 of both polls */
#define REPORT_ALL (UINT32_C(1) << 31)  /* NMD0 of the poll of controllers */
#define INCLUDE_PCI (UINT32_C(1) << 24) /* NMD0: report functions that are no virtual ones */

static struct vssd_management *state_of(struct vssd_ctrl *ctrl)
{
	return &ctrl->features.management;
}

static void respond(struct vssd_mi_command *command, const void *data, uint32_t length)
{
	memcpy(command->out, data, length);
	command->out_length = length;
}

/* ---- health ---- */

static struct vssd_health_seen look(struct vssd_ctrl *ctrl)
{
	struct nvme_smart_log smart = {0};

	vssd_health_smart(ctrl->subsystem, &smart);
	vssd_thermal_check(ctrl);
	return (struct vssd_health_seen){
		.csts = ctrl->regs.csts,
		.temperature = smart.ctemp,
		.used = smart.pused,
		.spare = smart.avsp,
		.warnings = ctrl->power.thermal.warnings,
	};
}

/* The view of a mechanism. The first look finds nothing changed. */
static struct vssd_health_view *view_of(struct vssd_ctrl *ctrl, enum vssd_mechanism mechanism,
					const struct vssd_health_seen *now)
{
	struct vssd_health_view *view = &state_of(ctrl)->views[mechanism];

	if (!view->is_old)
		view->seen = *now;
	view->is_old = true;
	return view;
}

/* CCS: the status of the controller, and what has changed since the changes were cleared. */
static uint16_t changes(struct vssd_ctrl *ctrl, enum vssd_mechanism mechanism, const struct vssd_health_seen *now)
{
	const struct vssd_health_view *view = view_of(ctrl, mechanism, now);
	const struct vssd_health_seen *before = &view->seen;

	return (uint16_t)((now->csts & (CCS_RDY | CCS_CFS | CCS_SHST | CCS_NSSRO)) | view->changed |
			  (now->csts != before->csts ? CCS_CSTS : 0) |
			  (now->temperature != before->temperature ? CCS_CTEMP : 0) |
			  (now->used != before->used ? CCS_PDLU : 0) | (now->spare != before->spare ? CCS_SPARE : 0) |
			  (now->warnings != before->warnings ? CCS_CCWARN : 0));
}

/* Clear these bits of CCS. */
static void clear(struct vssd_ctrl *ctrl, enum vssd_mechanism mechanism, const struct vssd_health_seen *now,
		  uint32_t bits)
{
	struct vssd_health_view *view = view_of(ctrl, mechanism, now);

	view->changed &= (uint16_t)~bits;
	if (bits & CCS_CSTS)
		view->seen.csts = now->csts;
	if (bits & CCS_CTEMP)
		view->seen.temperature = now->temperature;
	if (bits & CCS_PDLU)
		view->seen.used = now->used;
	if (bits & CCS_SPARE)
		view->seen.spare = now->spare;
	if (bits & CCS_CCWARN)
		view->seen.warnings = now->warnings;
}

/* CTEMP of the subsystem: degrees Celsius, in a range of 8 bits. Section 5.6. */
static uint8_t celsius(uint16_t kelvin)
{
	int degrees = kelvin - KELVIN;

	if (degrees > 126)
		return 0x7f;
	return (uint8_t)(int8_t)(degrees < -59 ? -60 : degrees);
}

/* CCS of all controllers of the subsystem. Clear these bits, in each of them. */
static uint16_t composite(struct vssd_ctrl *ctrl, enum vssd_mechanism mechanism, uint32_t clears)
{
	uint16_t found = 0;

	for (struct vssd_listener *one = ctrl->subsystem->listeners; one; one = one->next) {
		struct vssd_ctrl *each = (struct vssd_ctrl *)one;
		struct vssd_health_seen now = look(each);

		found |= changes(each, mechanism, &now);
		clear(each, mechanism, &now, clears);
	}
	return found;
}

static uint8_t subsystem_health(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	struct vssd_health_seen now = look(ctrl);
	struct nvme_mi_subsystem_health health = {
		.nss = NSS_P0LA | NSS_RNR,
		.sw = (uint8_t)~now.warnings,
		.ctemp = celsius(now.temperature),
		.pdlu = now.used,
		.ccs = composite(ctrl, command->mechanism, command->nmd1 & CLEAR ? CCS_ALL : 0),
	};

	if (!(health.ccs & CCS_CFS))
		health.nss |= NSS_DF;
	if (vssd_sanitize_refuses(ctrl->subsystem) == NVME_SC_SANITIZE_FAILED)
		health.nss |= NSS_SFM;
	respond(command, &health, sizeof(health));
	return NVME_MI_STATUS_SUCCESS;
}

/* The bits of CCS that a poll of controllers asks for, by the selection bits 4:0 of NMD1. */
static uint16_t selected(uint32_t nmd1)
{
	static const uint16_t bits[] = {CCS_RDY | CCS_CFS | CCS_SHST | CCS_NSSRO | CCS_CECO | CCS_NAC | CCS_FA |
						CCS_CSTS,
					CCS_CTEMP, CCS_PDLU, CCS_SPARE, CCS_CCWARN};
	uint16_t found = 0;

	for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (nmd1 >> i & 1)
			found |= bits[i];
	return found;
}

struct vssd_ctrl *vssd_mi_controller(const struct vssd_ctrl *ctrl, uint32_t cntlid)
{
	return (struct vssd_ctrl *)vssd_subsystem_listener(ctrl->subsystem, cntlid);
}

/* Add the health of a controller to the response, if the poll wants it. */
static void add_health(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	struct vssd_health_seen now = look(ctrl);
	uint16_t ccs = changes(ctrl, command->mechanism, &now);
	const uint16_t events =
		CCS_CECO | CCS_NAC | CCS_FA | CCS_CSTS | CCS_CTEMP | CCS_PDLU | CCS_SPARE | CCS_CCWARN;
	struct nvme_mi_controller_health health = {
		.ctlid = vssd_cntlid(&ctrl->listener),
		.csts = ccs & 0xff,
		.ctemp = now.temperature,
		.pdlu = now.used,
		.spare = now.spare,
		.cwarn = now.warnings,
	};

	if (!(command->nmd0 & REPORT_ALL) && !(ccs & events & selected(command->nmd1)))
		return;
	if (command->nmd1 & CLEAR)
		clear(ctrl, command->mechanism, &now, CCS_ALL);
	memcpy(command->out + command->out_length, &health, sizeof(health));
	command->out_length += (uint32_t)sizeof(health);
	command->response += 1u << 16; /* RENT */
}

static uint8_t controller_health(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	uint32_t most = (command->nmd0 >> 16 & 0xff) + 1;

	if (most > ENTRIES_MOST)
		return vssd_mi_refuse(command, VSSD_MI_NMD0_AT + 2);
	for (uint32_t id = (uint16_t)command->nmd0; id <= VSSD_MAX_CONTROLLERS && command->nmd0 & INCLUDE_PCI; id++)
		if (vssd_mi_controller(ctrl, id) && command->response >> 16 < most)
			add_health(vssd_mi_controller(ctrl, id), command);
	return NVME_MI_STATUS_SUCCESS;
}

/* ---- data structures ---- */

static uint16_t config16(const struct vssd_ctrl *ctrl, uint32_t offset)
{
	uint16_t value;

	memcpy(&value, &ctrl->config.bytes[offset], sizeof(value));
	return value;
}

/* Where the PCI Express capability is. */
static uint32_t express(const struct vssd_ctrl *ctrl)
{
	uint32_t at = ctrl->config.bytes[PCI_CFG_CAPABILITIES];

	while (ctrl->config.bytes[at] != PCI_CAP_EXP)
		at = ctrl->config.bytes[at + 1];
	return at;
}

static struct nvme_mi_port describe_port(struct vssd_ctrl *ctrl)
{
	uint32_t at = express(ctrl);
	uint16_t link = config16(ctrl, at + PCI_EXP_LINK_STATUS);

	return (struct nvme_mi_port){
		.prttyp = 1,
		.mmctptus = UNIT_MOST,
		.meb = VSSD_MI_BUFFER,
		.mps = config16(ctrl, at + PCI_EXP_DEVICE_CAP) & 7,
		.slsv = (uint8_t)(config16(ctrl, at + PCI_EXP_LINK_CAP2) >> 1),
		.cls = link & 0xf,
		.mlw = (uint8_t)(config16(ctrl, at + PCI_EXP_LINK_CAP) >> 4 & 0x3f),
		.nlw = (uint8_t)(link >> 4 & 0x3f),
	};
}

static struct nvme_mi_controller describe_controller(const struct vssd_ctrl *ctrl)
{
	return (struct nvme_mi_controller){
		.prii = 1,
		.vid = config16(ctrl, PCI_CFG_VENDOR),
		.did = config16(ctrl, PCI_CFG_DEVICE),
		.ssvid = config16(ctrl, PCI_CFG_SUBSYSTEM_VENDOR),
		.ssid = config16(ctrl, PCI_CFG_SUBSYSTEM),
	};
}

/* The controllers from CTRLID on. */
static void list_controllers(const struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	struct nvme_ctrl_list list = {0};

	for (uint32_t id = (uint16_t)command->nmd0; id <= VSSD_MAX_CONTROLLERS; id++)
		if (vssd_mi_controller(ctrl, id))
			list.cntlid[list.numids++] = (uint16_t)id;
	respond(command, &list, 2u + 2u * list.numids);
}

static bool has(const struct vssd_ctrl *ctrl, uint8_t opcode, bool in_band);

/* Add a command to a list. */
static void list(struct vssd_mi_command *command, enum nvme_mi_message_type type, unsigned opcode)
{
	const struct nvme_mi_command entry = {.cmdt = (uint8_t)(type << 3), .opc = (uint8_t)opcode};
	uint16_t count;

	memcpy(&count, command->out, sizeof(count));
	memcpy(command->out + sizeof(count) + count * sizeof(entry), &entry, sizeof(entry));
	count++;
	memcpy(command->out, &count, sizeof(count));
	command->out_length = (uint32_t)(sizeof(count) + count * sizeof(entry));
}

/* The optional commands, or those that can use the Management Endpoint Buffer. */
static void list_commands(const struct vssd_ctrl *ctrl, struct vssd_mi_command *command, bool of_buffer)
{
	static const uint8_t optional[] = {NVME_MI_VPD_READ,
					   NVME_MI_VPD_WRITE,
					   NVME_MI_RESET,
					   NVME_MI_ENDPOINT_BUFFER_READ,
					   NVME_MI_ENDPOINT_BUFFER_WRITE,
					   NVME_MI_SHUTDOWN};
	bool in_band = command->mechanism == VSSD_IN_BAND;

	command->out_length = sizeof(uint16_t);
	for (unsigned i = 0; i < sizeof(optional) && !of_buffer; i++)
		if (has(ctrl, optional[i], in_band))
			list(command, NVME_MI_TYPE_COMMAND, optional[i]);
	for (unsigned opcode = 0; opcode < 256 && (of_buffer || !in_band); opcode++)
		if (vssd_mi_has_admin(ctrl, (uint8_t)opcode, of_buffer))
			list(command, NVME_MI_TYPE_ADMIN, opcode);
	for (unsigned opcode = 0; opcode <= NVME_MI_PCIE_MEMORY_WRITE && !in_band && !of_buffer; opcode++)
		list(command, NVME_MI_TYPE_PCIE, opcode);
}

static uint8_t read_data_structure(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	const struct nvme_mi_subsystem subsystem = {.mjr = VERSION_MAJOR, .mnr = VERSION_MINOR};
	const struct vssd_ctrl *other = vssd_mi_controller(ctrl, (uint16_t)command->nmd0);
	struct nvme_mi_controller controller = describe_controller(other ? other : ctrl);
	struct nvme_mi_port port = describe_port(ctrl);
	uint8_t portid = (uint8_t)(command->nmd0 >> 16);

	switch (command->nmd0 >> 24) {
	case NVME_MI_DATA_SUBSYSTEM:
		respond(command, &subsystem, sizeof(subsystem));
		break;
	case NVME_MI_DATA_PORT:
		if (portid != ANY_PORT)
			return vssd_mi_refuse(command, VSSD_MI_NMD0_AT + 2);
		respond(command, &port, sizeof(port));
		break;
	case NVME_MI_DATA_CONTROLLER_LIST:
		list_controllers(ctrl, command);
		break;
	case NVME_MI_DATA_CONTROLLER:
		if (!other)
			return vssd_mi_refuse(command, VSSD_MI_NMD0_AT);
		respond(command, &controller, sizeof(controller));
		break;
	case NVME_MI_DATA_OPTIONAL_COMMANDS:
		list_commands(other ? other : ctrl, command, false);
		break;
	case NVME_MI_DATA_ENDPOINT_COMMANDS:
		list_commands(ctrl, command, true);
		break;
	default:
		return vssd_mi_refuse(command, VSSD_MI_NMD0_AT + 3);
	}
	command->response = command->out_length;
	return NVME_MI_STATUS_SUCCESS;
}

/* ---- configuration: section 5.1, figure 61 ---- */

/* Whether the mechanism has this configuration: in band there is nothing to say of MCTP. */
static bool has_configuration(const struct vssd_mi_command *command)
{
	return command->mechanism == VSSD_OUT_OF_BAND ||
	       (command->nmd0 & 0xff) == NVME_MI_CONFIG_HEALTH_STATUS_CHANGE;
}

static uint8_t configuration_get(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	const struct vssd_management *state = state_of(vssd_mi_controller(ctrl, VSSD_MI_FIRST));

	if (command->nmd0 >> 24 != ANY_PORT)
		return vssd_mi_refuse(command, VSSD_MI_NMD0_AT + 3);
	if (!has_configuration(command))
		return vssd_mi_refuse(command, VSSD_MI_NMD0_AT);
	switch (command->nmd0 & 0xff) {
	case NVME_MI_CONFIG_SMBUS_FREQUENCY:
		command->response = state->frequency;
		break;
	case NVME_MI_CONFIG_HEALTH_STATUS_CHANGE:
		break;
	case NVME_MI_CONFIG_TRANSMISSION_UNIT:
		command->response = state->transmission;
		break;
	default:
		return vssd_mi_refuse(command, VSSD_MI_NMD0_AT);
	}
	return NVME_MI_STATUS_SUCCESS;
}

static uint8_t configuration_set(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	struct vssd_management *state = state_of(vssd_mi_controller(ctrl, VSSD_MI_FIRST));
	uint8_t frequency = command->nmd0 >> 8 & 0xf;
	uint16_t unit = (uint16_t)command->nmd1;

	if (command->nmd0 >> 24 != ANY_PORT)
		return vssd_mi_refuse(command, VSSD_MI_NMD0_AT + 3);
	if (!has_configuration(command))
		return vssd_mi_refuse(command, VSSD_MI_NMD0_AT);
	switch (command->nmd0 & 0xff) {
	case NVME_MI_CONFIG_SMBUS_FREQUENCY:
		if (frequency == 0 || frequency > FREQUENCY_MOST)
			return vssd_mi_refuse(command, VSSD_MI_NMD0_AT + 1);
		state->frequency = frequency;
		return NVME_MI_STATUS_SUCCESS;
	case NVME_MI_CONFIG_HEALTH_STATUS_CHANGE:
		composite(ctrl, command->mechanism, command->nmd1);
		return NVME_MI_STATUS_SUCCESS;
	case NVME_MI_CONFIG_TRANSMISSION_UNIT:
		if (unit < UNIT_LEAST || unit > UNIT_MOST)
			return vssd_mi_refuse(command, VSSD_MI_NMD1_AT);
		state->transmission = unit;
		return NVME_MI_STATUS_SUCCESS;
	default:
		return vssd_mi_refuse(command, VSSD_MI_NMD0_AT);
	}
}

/* ---- Vital Product Data ---- */

static bool fits_vpd(const struct vssd_mi_command *command)
{
	return (uint16_t)command->nmd0 + (uint32_t)(uint16_t)command->nmd1 <= VSSD_VPD_SIZE;
}

static uint8_t refuse_vpd(struct vssd_mi_command *command)
{
	return vssd_mi_refuse(command, (uint16_t)command->nmd0 > VSSD_VPD_SIZE ? VSSD_MI_NMD0_AT : VSSD_MI_NMD1_AT);
}

static uint8_t vpd_read(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	if (!fits_vpd(command))
		return refuse_vpd(command);
	command->out_length = (uint16_t)command->nmd1;
	vssd_vpd_read(ctrl, (uint16_t)command->nmd0, command->out, command->out_length);
	return NVME_MI_STATUS_SUCCESS;
}

static uint8_t vpd_write(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	if (!fits_vpd(command))
		return refuse_vpd(command);
	if (command->in_length != (uint16_t)command->nmd1)
		return NVME_MI_STATUS_INVALID_INPUT_SIZE;
	if (command->in_length && !vssd_vpd_write(ctrl, (uint16_t)command->nmd0, command->in, command->in_length))
		return NVME_MI_STATUS_VPD_UPDATES_EXCEEDED;
	return NVME_MI_STATUS_SUCCESS;
}

/* ---- reset and shutdown ---- */

#define TYPE_SHIFT 24u /* of NMD0: RSTTYP, SHDNTYP */
#define RESET_SUBSYSTEM 0u
enum { SHUT_DOWN_NORMALLY, SHUT_DOWN_ABRUPTLY };

static uint8_t reset(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	if (command->nmd0 >> TYPE_SHIFT != RESET_SUBSYSTEM)
		return vssd_mi_refuse(command, VSSD_MI_NMD0_AT + 3);
	vssd_subsystem_reset_all(ctrl->subsystem);
	command->is_silent = true;
	return NVME_MI_STATUS_SUCCESS;
}

static uint8_t shut_down(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	uint32_t type = command->nmd0 >> TYPE_SHIFT;

	if (type > SHUT_DOWN_ABRUPTLY)
		return vssd_mi_refuse(command, VSSD_MI_NMD0_AT + 3);
	vssd_subsystem_shut_down_all(ctrl->subsystem, type == SHUT_DOWN_ABRUPTLY);
	return NVME_MI_STATUS_SUCCESS;
}

/* ---- the command set ---- */

/* What a command needs, and what it does. */
enum { RETURNS_DATA = 1, OUT_OF_BAND_ONLY = 2, NEEDS_RESET = 4, NEEDS_SHUTDOWN = 8 };

static const struct {
	uint8_t (*execute)(struct vssd_ctrl *ctrl, struct vssd_mi_command *command);
	uint8_t flags;
} commands[256] = {
	[NVME_MI_READ_DATA_STRUCTURE] = {read_data_structure, RETURNS_DATA},
	[NVME_MI_SUBSYSTEM_HEALTH_STATUS_POLL] = {subsystem_health, RETURNS_DATA},
	[NVME_MI_CONTROLLER_HEALTH_STATUS_POLL] = {controller_health, RETURNS_DATA},
	[NVME_MI_CONFIGURATION_SET] = {configuration_set, 0},
	[NVME_MI_CONFIGURATION_GET] = {configuration_get, RETURNS_DATA},
	[NVME_MI_VPD_READ] = {vpd_read, RETURNS_DATA},
	[NVME_MI_VPD_WRITE] = {vpd_write, 0},
	[NVME_MI_RESET] = {reset, OUT_OF_BAND_ONLY | NEEDS_RESET},
	[NVME_MI_ENDPOINT_BUFFER_READ] = {vssd_mi_buffer_read, OUT_OF_BAND_ONLY},
	[NVME_MI_ENDPOINT_BUFFER_WRITE] = {vssd_mi_buffer_write, OUT_OF_BAND_ONLY},
	[NVME_MI_SHUTDOWN] = {shut_down, OUT_OF_BAND_ONLY | NEEDS_SHUTDOWN},
};

static bool has(const struct vssd_ctrl *ctrl, uint8_t opcode, bool in_band)
{
	uint8_t flags = commands[opcode].flags;

	return commands[opcode].execute && !(in_band && flags & OUT_OF_BAND_ONLY) &&
	       !(flags & NEEDS_RESET && !NVME_GET(ctrl->regs.cap, NVME_CAP_NSSRS)) &&
	       !(flags & NEEDS_SHUTDOWN && !NVME_GET(ctrl->regs.cap, NVME_CAP_NSSS));
}

uint8_t vssd_mi_execute(struct vssd_ctrl *ctrl, struct vssd_mi_command *command)
{
	if (!has(ctrl, command->opcode, command->mechanism == VSSD_IN_BAND))
		return NVME_MI_STATUS_INVALID_OPCODE;
	return commands[command->opcode].execute(ctrl, command);
}

bool vssd_mi_returns_data(uint8_t opcode)
{
	return commands[opcode].flags & RETURNS_DATA;
}

bool vssd_mi_has(const struct vssd_ctrl *ctrl, uint8_t opcode)
{
	return has(ctrl, opcode, false);
}

void vssd_mi_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256])
{
	for (unsigned i = 0; i < 256 && ctrl->options->optional.mi; i++)
		if (has(ctrl, (uint8_t)i, true))
			effects[i] = NVME_EFFECT_CSUPP | NVME_EFFECT_SCOPE_SUBSYSTEM;
}

/* ---- in band ---- */

/* Check the header of the message, and get the command. Returns a status. */
static uint16_t take(struct vssd_request *request, struct vssd_mi_command *command)
{
	const struct nvme_cmd *cmd = &request->cmd;

	if (nvme_get_field(cmd, NVME_FIELD_MI_SEND_MT) != MESSAGE_TYPE)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_MI_SEND_MT, "MT"), VSSD_OWN);
	if (nvme_get_field(cmd, NVME_FIELD_MI_SEND_NMIMT) != NVME_MI_TYPE_COMMAND)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_MI_SEND_NMIMT, "NMIMT"),
				   VSSD_OWN);
	if (nvme_get_field(cmd, NVME_FIELD_MI_SEND_IC) || nvme_get_field(cmd, NVME_FIELD_MI_SEND_ROR))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_MI_SEND_ROR, "IC or ROR"),
				   VSSD_OWN);
	command->opcode = (uint8_t)nvme_get_field(cmd, NVME_FIELD_MI_SEND_OPC);
	command->nmd0 = cmd->cdw12;
	command->nmd1 = cmd->cdw13;
	return NVME_SC_SUCCESS;
}

/* Dword 0 of the completion: the response, and the status of the Management Interface. */
static void conclude(struct vssd_request *request, const struct vssd_mi_command *command, uint8_t status)
{
	request->result = command->response << 8 | status;
}

uint16_t vssd_mi_send(struct vssd_request *request)
{
	uint8_t in[VSSD_VPD_SIZE], out[VSSD_MI_MOST_DATA] = {0};
	struct vssd_mi_command command = {.mechanism = VSSD_IN_BAND, .in = in, .out = out};
	uint16_t status = take(request, &command);

	if (!status && command.opcode == NVME_MI_VPD_WRITE && fits_vpd(&command) && (uint16_t)command.nmd1) {
		command.in_length = (uint16_t)command.nmd1;
		status = vssd_data_receive(request, in, command.in_length);
	}
	if (status || request->is_trial)
		return status;
	if (vssd_mi_returns_data(command.opcode))
		conclude(request, &command, NVME_MI_STATUS_INVALID_OPCODE);
	else
		conclude(request, &command, vssd_mi_execute(request->ctrl, &command));
	return NVME_SC_SUCCESS;
}

uint16_t vssd_mi_receive(struct vssd_request *request)
{
	uint8_t out[VSSD_MI_MOST_DATA] = {0};
	struct vssd_mi_command command = {.mechanism = VSSD_IN_BAND, .out = out};
	uint16_t status = take(request, &command);
	uint8_t result = NVME_MI_STATUS_INVALID_OPCODE;

	if (status || request->is_trial)
		return status;
	if (vssd_mi_returns_data(command.opcode))
		result = vssd_mi_execute(request->ctrl, &command);
	conclude(request, &command, result);
	return command.out_length ? vssd_data_send(request, out, command.out_length) : NVME_SC_SUCCESS;
}
