/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine/capability.h"

#include <errno.h>
#include <stddef.h>

#include "core/engine/engine.h"

static const struct {
	const char *name;
	const char *title;
} the_capabilities[PYN_CAPABILITIES] = {
	[PYN_CAN_READ_REGISTERS] = {"read-registers", "reads of controller registers"},
	[PYN_CAN_WRITE_REGISTERS] = {"write-registers", "writes of controller registers"},
	[PYN_CAN_BRING_UP] = {"bring-up", "initialisation of the controller by the script"},
	[PYN_CAN_CONFIG_SPACE] = {"config-space", "PCI configuration space"},
	[PYN_CAN_FUNCTION_RESET] = {"function-reset", "function level reset"},
	[PYN_CAN_HOT_RESET] = {"hot-reset", "hot reset"},
	[PYN_CAN_SUBSYSTEM_RESET] = {"subsystem-reset", "NVM subsystem reset"},
	[PYN_CAN_SLOT_POWER] = {"slot-power", "power cycles of the slot"},
	[PYN_CAN_INTERRUPTS] = {"interrupts", "interrupts"},
	[PYN_CAN_CMB] = {"cmb", "the controller memory buffer"},
	[PYN_CAN_RAW_QUEUES] = {"raw-queues", "queues by raw commands and doorbells"},
	[PYN_CAN_CIDS] = {"cids", "command identifiers that the script knows"},
	[PYN_CAN_FULL_RINGS] = {"full-rings", "as many commands in a ring as it holds"},
	[PYN_CAN_LONE_FUSED] = {"lone-fused", "one half of a fused pair alone"},
	[PYN_CAN_SEND_AER] = {"send-aer", "Asynchronous Event Requests sent by the script"},
	[PYN_CAN_POINTERS] = {"pointers", "data pointers made by the script"},
	[PYN_CAN_ODD_OFFSETS] = {"odd-offsets", "data at any offset in a buffer"},
	[PYN_CAN_LARGE_TRANSFERS] = {"large-transfers", "transfers of more than 2 MiB"},
	[PYN_CAN_SHORT_BUFFERS] = {"short-buffers", "commands that transfer more than their buffer holds"},
	[PYN_CAN_CHECK_COMPLETIONS] = {"check-completions", "the check of what a hostile drive completes"},
	[PYN_CAN_FORKED_WORKERS] = {"forked-workers", "IO workers"},
	[PYN_CAN_REMOVAL] = {"removal", "removal of the drive while it is open"},
};

const char *pyn_capability_name(unsigned capability)
{
	return capability < PYN_CAPABILITIES ? the_capabilities[capability].name : NULL;
}

const char *pyn_capability_title(unsigned capability)
{
	return capability < PYN_CAPABILITIES ? the_capabilities[capability].title : NULL;
}

const char *pyn_engine_name(const struct pyn_engine *engine)
{
	return engine->name;
}

const char *pyn_engine_version(const struct pyn_engine *engine)
{
	return engine->about->version();
}

const char *pyn_engine_dpdk(const struct pyn_engine *engine)
{
	return engine->about->dpdk();
}

/* The reason that follows from a default table. */
static const char *lacks_table(const struct pyn_engine *engine, unsigned capability)
{
	switch (capability) {
	case PYN_CAN_CONFIG_SPACE:
	case PYN_CAN_FUNCTION_RESET:
	case PYN_CAN_HOT_RESET:
	case PYN_CAN_SLOT_POWER:
		return engine->pci == &pyn_engine_no_pci ? "it has no access to the PCI function" : NULL;
	case PYN_CAN_INTERRUPTS:
		return engine->interrupts == &pyn_engine_no_interrupts ? "it only polls" : NULL;
	case PYN_CAN_CMB:
		return engine->cmb == &pyn_engine_no_cmb ? "it does not map it" : NULL;
	default:
		return NULL;
	}
}

const char *pyn_engine_withheld(const struct pyn_engine *engine, unsigned capability, enum pyn_address_kind kind)
{
	const struct pyn_withheld *withheld = &engine->about->withheld[capability];
	const char *reason = kind == PYN_ADDRESS_FUNCTION ? withheld->pcie : withheld->vfio_user;

	return reason ? reason : lacks_table(engine, capability);
}

int pyn_engine_withholds(enum pyn_capability capability, struct pyn_error *err)
{
	const struct pyn_engine *engine = pyn_engine_select(NULL);
	const char *reason = NULL;

	if (engine)
		reason = pyn_engine_withheld(engine, capability, PYN_ADDRESS_FUNCTION);
	if (engine && !reason)
		reason = pyn_engine_withheld(engine, capability, PYN_ADDRESS_SOCKET);
	pyn_error(err, PYN_ERROR_WITHHELD, ENOTSUP,
		  "the engine %s has no %s, since %s; set PYNVME_ENGINE=own for pynvme's own, which has",
		  engine ? engine->name : "in use", pyn_capability_title(capability),
		  reason ? reason : "it does not offer it");
	if (err)
		err->capability = (int)capability;
	return -ENOTSUP;
}
