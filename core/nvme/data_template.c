/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/nvme/data_template.h"

#include "core/nvme/ctrlr.h"
#include "core/nvme/prp.h"
#include "core/nvme/queue.h"

#define PAGE PYN_PRP_PAGE
#define PLAIN_LIST_MAX (PYN_PRP_ENTRIES * PAGE) /* bytes; a shorter transfer has one page of list, without a link */

size_t pyn_data_template_list_bytes(uint32_t most)
{
	const struct pyn_data data = {.address = NULL, .length = most};
	size_t pages = pyn_prp_list_pages(&data);

	/* The list also keeps the address of the second of two pages of data. */
	if (most > PAGE && pages == 0)
		pages = 1;
	return pages * PAGE;
}

/* Build the list of the largest transfer. A shorter transfer uses its beginning. */
void pyn_data_template_prepare(struct pyn_ctrlr *ctrlr, struct pyn_data_template *data, uint32_t most)
{
	const struct pyn_dma_view *view = &ctrlr->pci->view;
	const uint8_t *memory = data->memory;
	struct pyn_iova *list = data->list;

	data->pointer[0] = pyn_dma_address(view, memory).value;
	for (size_t page = 1; page < (most + PAGE - 1) / PAGE && page <= PYN_PRP_ENTRIES; page++)
		list[page - 1] = pyn_dma_address(view, memory + page * PAGE);
}

/* NVM Express Base Specification 2.0, section 4.1.1: PRP 2 is reserved, the second page, or a list. */
void pyn_data_template_describe(struct pyn_engine_qpair *queue, struct pyn_data_template *data, uint32_t length)
{
	const struct pyn_dma_view *view = &queue->ctrlr->pci->view;
	const struct pyn_data described = {.address = data->memory, .length = length};
	struct pyn_iova *list = data->list;

	data->length = length;
	if (length <= PAGE)
		data->pointer[1] = 0;
	else if (length <= 2 * PAGE)
		data->pointer[1] = list[0].value;
	else
		data->pointer[1] = pyn_dma_address(view, list).value;
	/* In a list of several pages, the length decides which entry is a link and which names data. */
	if (length >= PLAIN_LIST_MAX)
		pyn_prp_build(view, &described, NULL, list, list + PYN_PRP_ENTRIES);
}
