/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Error Injection, feature C0h of OCP's Datacenter NVMe SSD specification, by which a host makes a drive fail. Each
 * entry becomes a fault rule. A reset of the controller ends them, as that of any feature that is not saved.
 */
#include <stdio.h>
#include <string.h>

#include "vssd/cmd/dptr.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define OCP "OCP Datacenter NVMe SSD 2.0, Error Injection"

/* When an error happens: at the nth read, at the nth I/O or admin command, or at once. */
enum trigger { AT_READ, AT_IO, AT_ADMIN, AT_SHUTDOWN };

static const struct {
	enum trigger trigger;
	const char *action; /* of a fault rule; NULL: there is no such type */
} errors[] = {
	[NVME_OCP_ERROR_CONTROLLER_HANG] = {AT_READ, "fatal"},
	[NVME_OCP_ERROR_NAND_HANG] = {AT_READ, "never"},
	[NVME_OCP_ERROR_PLP_DEFECT] = {AT_READ, "defect=capacitor"},
	[NVME_OCP_ERROR_FIRMWARE_ERROR] = {AT_READ, "fatal"},
	[NVME_OCP_ERROR_DRAM_CRITICAL] = {AT_READ, "fatal"},
	[NVME_OCP_ERROR_DRAM_NON_CRITICAL] = {AT_READ, "status=00/06 dnr=0"},
	[NVME_OCP_ERROR_NAND_CORRUPTION] = {AT_READ, "status=02/81"},
	[NVME_OCP_ERROR_SRAM_CORRUPTION] = {AT_READ, "fatal"},
	[NVME_OCP_ERROR_HARDWARE_MALFUNCTION] = {AT_READ, "fatal"},
	[NVME_OCP_ERROR_NO_SPARES] = {AT_READ, "defect=spare"},
	[NVME_OCP_ERROR_INCOMPLETE_SHUTDOWN] = {AT_SHUTDOWN, "hang"},
	[NVME_OCP_ERROR_METADATA_CORRUPTION] = {AT_READ, "status=02/81"},
	[NVME_OCP_ERROR_CRITICAL_GARBAGE_COLLECTION] = {AT_IO, "late=200..1500"},
	[NVME_OCP_ERROR_LATENCY_SPIKE] = {AT_IO, "late=3s"},
	[NVME_OCP_ERROR_IO_FAILURE] = {AT_IO, "status=00/06"},
	[NVME_OCP_ERROR_IO_TIMEOUT] = {AT_IO, "never"},
	[NVME_OCP_ERROR_ADMIN_FAILURE] = {AT_ADMIN, "status=00/06"},
	[NVME_OCP_ERROR_ADMIN_TIMEOUT] = {AT_ADMIN, "never"},
	[NVME_OCP_ERROR_THROTTLING_ON] = {AT_READ, "defect=throttle"},
	[NVME_OCP_ERROR_THROTTLING_OFF] = {AT_READ, "defect=cool"},
	[NVME_OCP_ERROR_CRITICAL_TEMPERATURE] = {AT_READ, "defect=heat"},
	[NVME_OCP_ERROR_DIE_OFFLINE] = {AT_READ, "defect=die"},
};

#define NUM_ERRORS (sizeof(errors) / sizeof(errors[0]))

/* Admin commands by which the host can still see and end what it has injected. */
#define NOT_THESE "opcode!=set-features opcode!=get-features opcode!=asynchronous-event-request "

static const char *const conditions[] = {
	[AT_READ] = "opcode=read ",
	[AT_IO] = "queue=io ",
	[AT_ADMIN] = "queue=admin " NOT_THESE,
	[AT_SHUTDOWN] = "on=shutdown ",
};

static bool is_enabled(const struct nvme_ocp_error_injection *entry)
{
	return entry->flags & NVME_OCP_INJECTION_ENABLE;
}

/* The fault rule of an entry. NRTDP counts the commands up to the error; without a count, the next one triggers it.
 */
static void describe(const struct nvme_ocp_error_injection *entry, char *text, size_t size)
{
	bool once = entry->flags & NVME_OCP_INJECTION_SINGLE;

	snprintf(text, size, "%s%s=%u do %s%s", conditions[errors[entry->type].trigger], once ? "nth" : "every",
		 entry->nrtdp ? entry->nrtdp : 1u, errors[entry->type].action, once ? " count=1" : "");
}

void vssd_injection_clear(struct vssd_ctrl *ctrl)
{
	struct vssd_injection *injection = &ctrl->features.injection;

	for (uint32_t i = 0; i < injection->count; i++)
		if (injection->at[i].rule)
			vssd_faults_remove(ctrl->subsystem->faults, injection->at[i].rule, NULL);
	injection->count = 0;
}

/* Plant the rules of the entries. False: there is no room for so many rules. */
static bool plant(struct vssd_ctrl *ctrl)
{
	struct vssd_injection *injection = &ctrl->features.injection;
	char text[VSSD_FAULT_TEXT];

	for (uint32_t i = 0; i < injection->count; i++) {
		struct pyn_error err = {0};

		if (!is_enabled(&injection->at[i].entry))
			continue;
		describe(&injection->at[i].entry, text, sizeof(text));
		if (vssd_faults_plant(ctrl->subsystem->faults, text, &injection->at[i].rule, &err)) {
			injection->at[i].rule = 0;
			return false;
		}
	}
	return true;
}

static bool is_known(const struct nvme_ocp_error_injection *entry)
{
	return entry->type < NUM_ERRORS && errors[entry->type].action;
}

uint16_t vssd_injection_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t count = request->cmd.cdw11 & NVME_OCP_INJECTIONS;
	struct nvme_ocp_error_injection entries[VSSD_INJECTIONS];
	uint16_t status = NVME_SC_SUCCESS;

	if (count)
		status = vssd_data_receive(request, entries, count * (uint32_t)sizeof(entries[0]));
	for (uint32_t i = 0; i < count && !status; i++)
		if (is_enabled(&entries[i]) && !is_known(&entries[i]))
			status = vssd_refuse(request, NVME_SC_INVALID_FIELD,
					     VSSD_STATE("the type of an entry is not one of the 22"), OCP);
	if (status || request->is_trial)
		return status;
	vssd_injection_clear(ctrl);
	ctrl->features.injection.count = count;
	for (uint32_t i = 0; i < count; i++)
		ctrl->features.injection.at[i] = (struct vssd_injected){.entry = entries[i]};
	if (plant(ctrl))
		return NVME_SC_SUCCESS;
	vssd_injection_clear(ctrl);
	return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("there are too many fault rules"), OCP);
}

/* Whether the rule of an entry that is injected once has fired. */
static bool is_over(const struct vssd_ctrl *ctrl, const struct vssd_injected *injected)
{
	const struct vssd_fault_rule *rule =
		injected->rule ? vssd_faults_find(ctrl->subsystem->faults, injected->rule, NULL) : NULL;

	return !rule || (injected->entry.flags & NVME_OCP_INJECTION_SINGLE && rule->fired);
}

uint16_t vssd_injection_get(struct vssd_request *request, enum nvme_feature_select select)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	const struct vssd_injection *injection = &ctrl->features.injection;
	struct nvme_ocp_error_injection entries[VSSD_INJECTIONS] = {0};
	uint32_t count = select == NVME_SEL_CURRENT ? injection->count : 0;

	for (uint32_t i = 0; i < count; i++) {
		entries[i] = injection->at[i].entry;
		if (is_over(ctrl, &injection->at[i]))
			entries[i].flags &= (uint8_t)~NVME_OCP_INJECTION_ENABLE;
	}
	request->result = count;
	return count ? vssd_data_send(request, entries, count * (uint32_t)sizeof(entries[0])) : NVME_SC_SUCCESS;
}
