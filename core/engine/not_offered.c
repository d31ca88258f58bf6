/* SPDX-License-Identifier: BSD-3-Clause */
/* What an engine does not offer: capabilities that it withholds, and the default tables. */
#include <errno.h>
#include <stddef.h>

#include "core/engine/engine.h"

/* The engine that was selected last. */
static const struct pyn_engine *the_engine;

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
	[PYN_CAN_MEMORY_PAGES] = {"memory-pages", "memory pages of a size that the script chooses"},
	[PYN_CAN_RAW_QUEUES] = {"raw-queues", "queues by raw commands and doorbells"},
	[PYN_CAN_MANY_QUEUES] = {"many-queues", "more than 511 queue pairs"},
	[PYN_CAN_SHADOW_DOORBELLS] = {"shadow-doorbells", "shadow doorbells"},
	[PYN_CAN_CIDS] = {"cids", "command identifiers that the script knows"},
	[PYN_CAN_FULL_RINGS] = {"full-rings", "as many commands in a ring as it holds"},
	[PYN_CAN_LONE_FUSED] = {"lone-fused", "one half of a fused pair alone"},
	[PYN_CAN_SEND_AER] = {"send-aer", "Asynchronous Event Requests sent by the script"},
	[PYN_CAN_ODD_OFFSETS] = {"odd-offsets", "data at any offset in a buffer"},
	[PYN_CAN_LARGE_TRANSFERS] = {"large-transfers", "transfers of more than 2 MiB"},
	[PYN_CAN_SHORT_BUFFERS] = {"short-buffers", "commands that transfer more than their buffer holds"},
	[PYN_CAN_SGLS] = {"sgls", "data by an SGL that the script asks for"},
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

void pyn_engine_use(const struct pyn_engine *engine)
{
	the_engine = engine;
}

int pyn_engine_withholds(enum pyn_capability capability, struct pyn_error *err)
{
	const struct pyn_engine *engine = the_engine;
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

/* ---- pci ---- */

static int no_config_read(struct pyn_ctrlr *ctrlr, uint32_t offset, void *data, uint32_t length,
			  struct pyn_error *err)
{
	(void)ctrlr, (void)offset, (void)data, (void)length;
	return pyn_engine_withholds(PYN_CAN_CONFIG_SPACE, err);
}

static int no_config_write(struct pyn_ctrlr *ctrlr, uint32_t offset, const void *data, uint32_t length,
			   struct pyn_error *err)
{
	(void)ctrlr, (void)offset, (void)data, (void)length;
	return pyn_engine_withholds(PYN_CAN_CONFIG_SPACE, err);
}

static int no_reset(struct pyn_ctrlr *ctrlr, enum pyn_reset kind, struct pyn_error *err)
{
	(void)ctrlr;
	return pyn_engine_withholds(kind == PYN_RESET_HOT ? PYN_CAN_HOT_RESET : PYN_CAN_FUNCTION_RESET, err);
}

static int always_awake(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	(void)ctrlr, (void)err;
	return 0;
}

static int no_release(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	(void)ctrlr;
	return pyn_engine_withholds(PYN_CAN_SLOT_POWER, err);
}

const struct pyn_engine_pci pyn_engine_no_pci = {
	.config_read = no_config_read,
	.config_write = no_config_write,
	.reset = no_reset,
	.wake = always_awake,
	.release = no_release,
	.reattach = no_release,
};

/* ---- interrupts ---- */

static struct pyn_interrupts no_vectors(struct pyn_ctrlr *ctrlr)
{
	(void)ctrlr;
	return (struct pyn_interrupts){0};
}

static bool never_enabled(struct pyn_ctrlr *ctrlr)
{
	(void)ctrlr;
	return false;
}

static int no_vector_set(struct pyn_ctrlr *ctrlr, uint16_t vector, int eventfd, struct pyn_error *err)
{
	(void)ctrlr, (void)vector, (void)eventfd;
	return pyn_engine_withholds(PYN_CAN_INTERRUPTS, err);
}

static int no_vector_mask(struct pyn_ctrlr *ctrlr, uint16_t vector, bool masked, struct pyn_error *err)
{
	(void)ctrlr, (void)vector, (void)masked;
	return pyn_engine_withholds(PYN_CAN_INTERRUPTS, err);
}

static void nothing_to_rearm(struct pyn_ctrlr *ctrlr)
{
	(void)ctrlr;
}

const struct pyn_engine_interrupts pyn_engine_no_interrupts = {
	.info = no_vectors,
	.enabled = never_enabled,
	.set = no_vector_set,
	.mask = no_vector_mask,
	.rearm = nothing_to_rearm,
};

/* ---- controller memory buffer ---- */

static int no_cmb_info(struct pyn_ctrlr *ctrlr, struct pyn_cmb_info *info, struct pyn_error *err)
{
	(void)ctrlr, (void)info;
	return pyn_engine_withholds(PYN_CAN_CMB, err);
}

static int no_cmb_window(struct pyn_ctrlr *ctrlr, struct pyn_window **window, struct pyn_error *err)
{
	(void)ctrlr, (void)window;
	return pyn_engine_withholds(PYN_CAN_CMB, err);
}

static struct pyn_iova no_cmb_address(struct pyn_ctrlr *ctrlr, const void *memory)
{
	(void)ctrlr, (void)memory;
	return (struct pyn_iova){0};
}

const struct pyn_engine_cmb pyn_engine_no_cmb = {
	.info = no_cmb_info,
	.window = no_cmb_window,
	.address = no_cmb_address,
};

/* ---- rings ---- */

struct pyn_rings *pyn_engine_no_rings_of(struct pyn_engine_qpair *queue)
{
	(void)queue;
	return NULL;
}

int pyn_engine_no_shadow(struct pyn_ctrlr *ctrlr, const struct pyn_admin *admin, struct pyn_error *err)
{
	(void)ctrlr, (void)admin;
	return pyn_engine_withholds(PYN_CAN_SHADOW_DOORBELLS, err);
}

int pyn_engine_no_choose_page(struct pyn_ctrlr *ctrlr, uint32_t bytes, struct pyn_error *err)
{
	(void)ctrlr, (void)bytes;
	return pyn_engine_withholds(PYN_CAN_MEMORY_PAGES, err);
}

uint32_t pyn_engine_small_page(const struct pyn_ctrlr *ctrlr)
{
	(void)ctrlr;
	return 4096;
}

static size_t no_list(struct pyn_ctrlr *ctrlr, uint32_t most)
{
	(void)ctrlr, (void)most;
	return 0;
}

void pyn_engine_prepare_nothing(struct pyn_ctrlr *ctrlr, struct pyn_data_template *data, uint32_t most)
{
	(void)ctrlr, (void)data, (void)most;
}

static void describe_nothing(struct pyn_engine_qpair *queue, struct pyn_data_template *data, uint32_t length)
{
	(void)queue;
	data->length = length;
}

const struct pyn_engine_rings pyn_engine_no_rings = {
	.of = pyn_engine_no_rings_of,
	.shadow = pyn_engine_no_shadow,
	.choose_page = pyn_engine_no_choose_page,
	.page = pyn_engine_small_page,
	.list_bytes = no_list,
	.prepare = pyn_engine_prepare_nothing,
	.describe = describe_nothing,
};
