/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Data that SPDK does not describe: at odd addresses, longer than its lists, with less memory than the command
 * transfers, or by an SGL where the script wants one. They get PRPs or an SGL of ours, and SPDK a command without
 * data. An IO worker allocates nothing, so its templates have the lists for long transfers.
 */
#include "spdk/private.h"

#include <errno.h>

#include "core/env/env.h"
#include "core/nvme/prp.h"

#define SPDK_PAGES 504u /* the most that SPDK describes by PRPs */

static uint32_t pages(const struct pyn_data *data)
{
	uintptr_t offset = (uintptr_t)data->address % PYN_PRP_PAGE;

	return (uint32_t)((offset + data->length + PYN_PRP_PAGE - 1) / PYN_PRP_PAGE);
}

static bool is_long(uint32_t length)
{
	return length > (SPDK_PAGES - 1) * PYN_PRP_PAGE;
}

bool pyn_spdk_can_describe(const struct pyn_data *data)
{
	return data->length && data->transfer <= data->length && (uintptr_t)data->address % 4 == 0 &&
	       pages(data) <= SPDK_PAGES && !is_long(data->length);
}

/* ---- templates of IO workers ---- */

size_t pyn_spdk_list_bytes(struct pyn_ctrlr *ctrlr, uint32_t most)
{
	const struct pyn_data data = {.length = most};

	return is_long(most) ? pyn_prp_list_pages(&ctrlr->pci->view, &data) * PYN_PRP_PAGE : 0;
}

void pyn_spdk_describe_template(struct pyn_engine_qpair *queue, struct pyn_data_template *template, uint32_t length)
{
	const struct pyn_data data = {.address = template->memory, .length = length};
	struct pyn_iova *list = template->list;
	struct pyn_prps prps = {{0}, {0}};

	template->length = length;
	if (is_long(length))
		prps = pyn_prp_build(&queue->ctrlr->pci->view, &data, NULL, list,
				     list + PYN_PRP_ENTRIES(PYN_PRP_PAGE));
	template->pointer[0] = prps.first.value;
	template->pointer[1] = prps.second.value;
}

/* ---- other commands ---- */

static int lengthen_list(struct pyn_spdk_command *command, size_t count, struct pyn_error *err)
{
	struct pyn_iova *list;

	if (command->list_pages >= count)
		return 0;
	list = pyn_dma_alloc(count * PYN_PRP_PAGE, PYN_PRP_PAGE, err);
	if (!list)
		return -ENOMEM;
	pyn_dma_free(command->list);
	command->list = list;
	command->list_pages = count;
	return 0;
}

int pyn_spdk_describe(struct pyn_ctrlr *ctrlr, struct pyn_spdk_command *command, struct nvme_cmd *cmd,
		      const struct pyn_data *data, struct pyn_error *err)
{
	size_t count = pyn_prp_list_pages(&ctrlr->pci->view, data);
	struct pyn_prps prps;
	int rc;

	if (command->queue->forked && cmd->prp1)
		return 0;
	if (command->queue->forked && count)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP, "an IO worker has no list for this transfer");
	rc = lengthen_list(command, count, err);
	if (rc)
		return rc;
	prps = pyn_prp_build(&ctrlr->pci->view, data, ctrlr->spare, command->list,
			     count > 1 ? command->list + PYN_PRP_ENTRIES(PYN_PRP_PAGE) : NULL);
	cmd->prp1 = prps.first.value;
	cmd->prp2 = prps.second.value;
	return 0;
}
