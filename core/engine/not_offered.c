/* SPDX-License-Identifier: BSD-3-Clause */
/* The defaults of engine.h, for engines that lack a feature. */
#include "core/engine/engine.h"

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

static struct pyn_rings *no_rings_of(struct pyn_engine_qpair *queue)
{
	(void)queue;
	return NULL;
}

static size_t no_list(uint32_t most)
{
	(void)most;
	return 0;
}

static void prepare_nothing(struct pyn_ctrlr *ctrlr, struct pyn_data_template *data, uint32_t most)
{
	(void)ctrlr, (void)data, (void)most;
}

static void describe_nothing(struct pyn_engine_qpair *queue, struct pyn_data_template *data, uint32_t length)
{
	(void)queue;
	data->length = length;
}

const struct pyn_engine_rings pyn_engine_no_rings = {
	.of = no_rings_of,
	.list_bytes = no_list,
	.prepare = prepare_nothing,
	.describe = describe_nothing,
};
