/* SPDX-License-Identifier: BSD-3-Clause */
/* Data that SPDK does not describe: at odd addresses, longer than its lists, or with less memory than the command
 * transfers. They get PRPs of ours, and SPDK a command without data. */
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

bool pyn_spdk_can_describe(const struct pyn_data *data)
{
	return data->length && data->transfer <= data->length && (uintptr_t)data->address % 4 == 0 &&
	       pages(data) <= SPDK_PAGES;
}

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
	size_t count = pyn_prp_list_pages(data);
	struct pyn_prps prps;
	int rc;

	if (command->queue->forked && count)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
				 "SPDK describes up to %u pages in an IO worker: PYNVME_ENGINE=own describes more",
				 SPDK_PAGES);
	rc = lengthen_list(command, count, err);
	if (rc)
		return rc;
	prps = pyn_prp_build(&ctrlr->pci->view, data, ctrlr->spare, command->list,
			     count > 1 ? command->list + PYN_PRP_ENTRIES : NULL);
	cmd->prp1 = prps.first.value;
	cmd->prp2 = prps.second.value;
	return 0;
}
