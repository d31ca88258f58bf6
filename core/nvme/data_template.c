/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/nvme/data_template.h"

#include "core/nvme/ctrlr.h"
#include "core/nvme/prp.h"
#include "core/nvme/queue.h"
#include "core/nvme/sgl.h"

size_t pyn_data_template_list_bytes(struct pyn_ctrlr *ctrlr, uint32_t most)
{
	const struct pyn_data data = {.address = NULL, .length = most};
	size_t page = pyn_dma_view_page(&ctrlr->pci->view), pages = pyn_prp_list_pages(&ctrlr->pci->view, &data);

	/* The list also keeps the address of the second of two pages of data, and the segment of an SGL. */
	if (most > PYN_PRP_PAGE && pages == 0)
		pages = 1;
	return pages * page;
}

/* Fill the list with the pages after the first one, as far as one page of list holds them. */
static void fill_list(const struct pyn_dma_view *view, const struct pyn_data_template *data, uint32_t length)
{
	const uint8_t *memory = data->memory;
	struct pyn_iova *list = data->list;
	size_t page = pyn_dma_view_page(view);

	for (size_t i = 1; i < (length + page - 1) / page && i <= PYN_PRP_ENTRIES(page); i++)
		list[i - 1] = pyn_dma_address(view, memory + i * page);
}

/* Build the list of the largest transfer. A shorter transfer uses its beginning. */
void pyn_data_template_prepare(struct pyn_ctrlr *ctrlr, struct pyn_data_template *data, uint32_t most)
{
	const struct pyn_dma_view *view = &ctrlr->pci->view;

	data->pointer[0] = pyn_dma_address(view, data->memory).value;
	fill_list(view, data, most);
}

/* NVM Express Base Specification 2.0, section 4.1.1: PRP 2 is reserved, the second page, or a list. */
static void describe_by_prps(const struct pyn_dma_view *view, struct pyn_data_template *data,
			     const struct pyn_data *described)
{
	struct pyn_iova *list = data->list;
	uint64_t page = pyn_dma_view_page(view);

	if (data->held_segment)
		fill_list(view, data, described->length);
	data->pointer[0] = pyn_dma_address(view, data->memory).value;
	if (described->length <= page)
		data->pointer[1] = 0;
	else if (described->length <= 2 * page)
		data->pointer[1] = list[0].value;
	else
		data->pointer[1] = pyn_dma_address(view, list).value;
	/* In a list of several pages, the length decides which entry is a link and which names data. */
	if (described->length >= PYN_PRP_ENTRIES(page) * page)
		pyn_prp_build(view, described, NULL, list, list + PYN_PRP_ENTRIES(page));
}

void pyn_data_template_describe(struct pyn_engine_qpair *queue, struct pyn_data_template *data, uint32_t length)
{
	const struct pyn_dma_view *view = &queue->ctrlr->pci->view;
	const struct pyn_data described = {.address = data->memory, .length = length};

	data->length = length;
	if (!data->psdt) {
		describe_by_prps(view, data, &described);
		return;
	}
	if (!pyn_sgl_build(view, &described, data->list, data->pointer))
		data->pointer[0] = data->pointer[1] = 0; /* the device refuses it: it describes nothing */
	data->held_segment = true;
}
