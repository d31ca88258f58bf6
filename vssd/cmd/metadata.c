/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "vssd/cmd/dptr.h"
#include "vssd/cmd/fault.h"
#include "vssd/cmd/mptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define PRACT VSSD_BIT(12, 29, "PRACT")
#define PRCHK (NVME_RW_CHECK_GUARD | NVME_RW_CHECK_APP | NVME_RW_CHECK_REF)

/* The LBAs of a command on their way between host and medium. */
struct transfer {
	struct vssd_request *request;
	struct vssd_pi_task task;
	struct vssd_cursor cursor;
	uint64_t count;
	uint32_t size;     /* bytes of data of an LBA */
	bool separate;     /* metadata are transferred, and lie where MPTR leads */
	bool within;       /* they are transferred behind the data of each LBA */
	uint8_t *data;     /* owned */
	uint8_t *metadata; /* VSSD_METADATA_LBA bytes for each LBA, in the memory of data */
};

static uint8_t *data_of(const struct transfer *transfer, uint64_t i)
{
	return transfer->data + i * transfer->size;
}

static uint8_t *metadata_of(const struct transfer *transfer, uint64_t i)
{
	return transfer->metadata + i * VSSD_METADATA_LBA;
}

static uint16_t no_memory(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_WRITE_FAULT, VSSD_STATE("there is no memory for another block"),
			   VSSD_OWN);
}

static uint16_t map(struct transfer *transfer, uint32_t direction)
{
	struct vssd_request *request = transfer->request;
	uint64_t length = transfer->count * vssd_lba_bytes(request->ns, &request->cmd);
	uint16_t status = NVME_SC_SUCCESS;

	if (request->fault && request->fault->preloaded)
		return vssd_fault_map(request->fault, length, direction);
	if (transfer->separate)
		status = vssd_mptr_check(request, transfer->count, direction);
	if (status)
		return status;
	return vssd_data_map_host(request, length, direction);
}

/* Check the fields of a command, map its data, and allocate memory for them, which the caller frees in any case. */
static uint16_t begin(struct transfer *transfer, struct vssd_request *request, uint32_t direction)
{
	const struct vssd_ns *ns = request->ns;
	bool moves = !vssd_pi_alone(ns, &request->cmd);
	uint16_t status;

	*transfer = (struct transfer){
		.request = request,
		.count = vssd_nlb(&request->cmd),
		.size = 1u << ns->lba_shift,
		.separate = moves && !ns->extended,
		.within = moves && ns->extended,
	};
	status = vssd_pi_begin(request, &transfer->task);
	if (!status)
		status = map(transfer, direction);
	if (status)
		return status;
	transfer->cursor = (struct vssd_cursor){.segment = request->data.segments};
	transfer->data = calloc(transfer->count, transfer->size + VSSD_METADATA_LBA);
	if (!transfer->data)
		return no_memory(request);
	transfer->metadata = data_of(transfer, transfer->count);
	return NVME_SC_SUCCESS;
}

/* ---- reading ---- */

/* Get the LBAs from the medium, and check their protection information. */
static uint16_t load(struct transfer *transfer)
{
	struct vssd_request *request = transfer->request;
	uint64_t slba = vssd_slba(&request->cmd);
	uint16_t status = NVME_SC_SUCCESS;

	vssd_stored_data(request->ctrl, request->ns, slba, transfer->count, transfer->data);
	vssd_metadata_get(request->ctrl, request->ns, slba, transfer->count, transfer->metadata);
	for (uint64_t i = 0; i < transfer->count && !status; i++)
		status = vssd_pi_check(request, &transfer->task, slba + i, data_of(transfer, i),
				       metadata_of(transfer, i));
	return status;
}

static uint16_t send(struct transfer *transfer)
{
	struct vssd_request *request = transfer->request;
	uint16_t status = NVME_SC_SUCCESS;

	for (uint64_t i = 0; i < transfer->count && !status; i++) {
		status = vssd_cursor_put(request, &transfer->cursor, data_of(transfer, i), transfer->size);
		if (!status && transfer->within)
			status = vssd_cursor_put(request, &transfer->cursor, metadata_of(transfer, i),
						 request->ns->metadata);
	}
	return status || !transfer->separate ? status : vssd_mptr_put(request, transfer->count, transfer->metadata);
}

/* Let fault rules change what the host gets. A rule may leave metadata in the host's memory as they are. */
static uint16_t change_read(struct transfer *transfer)
{
	struct vssd_request *request = transfer->request;
	uint8_t *theirs = calloc(transfer->count, VSSD_METADATA_LBA);
	uint16_t status = theirs ? NVME_SC_SUCCESS : no_memory(request);

	if (!status && transfer->separate)
		status = vssd_mptr_get(request, transfer->count, theirs);
	if (!status)
		status = vssd_fault_lbas_to_host(request->fault, transfer->data, transfer->metadata, theirs);
	free(theirs);
	return status;
}

uint16_t vssd_metadata_read(struct vssd_request *request, uint16_t (*readable)(struct vssd_request *request))
{
	struct transfer transfer;
	uint16_t status = begin(&transfer, request, VSSD_DMA_WRITE);

	if (!status)
		status = readable(request);
	if (!status)
		status = load(&transfer);
	if (!status && request->fault && !request->is_trial)
		status = change_read(&transfer);
	if (!status && !request->is_trial)
		status = send(&transfer);
	free(transfer.data);
	return status;
}

/* PRACT has no meaning for a command that transfers no data to the host and stores none. */
static uint16_t refuse_action(struct vssd_request *request)
{
	if (!request->ns->pi || !(request->cmd.cdw12 & NVME_RW_PRACT))
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_PROTECTION_INFO, PRACT, VSSD_OWN);
}

uint16_t vssd_metadata_verify(struct vssd_request *request)
{
	uint64_t slba = vssd_slba(&request->cmd), nlb = vssd_nlb(&request->cmd);
	uint8_t data[VSSD_LBA_MOST], metadata[VSSD_METADATA_LBA];
	struct vssd_pi_task task;
	uint16_t status = refuse_action(request);

	if (!status)
		status = vssd_pi_begin(request, &task);
	for (uint64_t i = 0; i < nlb && !status; i++) {
		vssd_stored_data(request->ctrl, request->ns, slba + i, 1, data);
		vssd_metadata_get(request->ctrl, request->ns, slba + i, 1, metadata);
		status = vssd_pi_check(request, &task, slba + i, data, metadata);
	}
	return status;
}

/* ---- from the host ---- */

/* Get the LBAs of a command from the host. */
static uint16_t receive(struct transfer *transfer)
{
	struct vssd_request *request = transfer->request;
	const uint8_t *preloaded = request->fault ? request->fault->preloaded_metadata : NULL;
	uint16_t status = NVME_SC_SUCCESS;

	for (uint64_t i = 0; i < transfer->count && !status; i++) {
		status = vssd_cursor_get(request, &transfer->cursor, data_of(transfer, i), transfer->size);
		if (!status && transfer->within)
			status = vssd_cursor_get(request, &transfer->cursor, metadata_of(transfer, i),
						 request->ns->metadata);
	}
	if (status || !transfer->separate)
		return status;
	if (!preloaded)
		return vssd_mptr_get(request, transfer->count, transfer->metadata);
	memcpy(transfer->metadata, preloaded, transfer->count * VSSD_METADATA_LBA);
	return NVME_SC_SUCCESS;
}

/* Compare an LBA with what the host has sent; protection information is checked instead. */
static uint16_t compare_lba(struct transfer *transfer, uint64_t i)
{
	struct vssd_request *request = transfer->request;
	const struct vssd_ns *ns = request->ns;
	uint64_t lba = vssd_slba(&request->cmd) + i;
	uint8_t data[VSSD_LBA_MOST], ours[VSSD_METADATA_LBA], *theirs = metadata_of(transfer, i);
	uint16_t status;

	vssd_stored_data(request->ctrl, ns, lba, 1, data);
	vssd_metadata_get(request->ctrl, ns, lba, 1, ours);
	status = vssd_pi_check(request, &transfer->task, lba, data, ours);
	if (status)
		return status;
	vssd_pi_blank(ns, ours);
	vssd_pi_blank(ns, theirs);
	if (memcmp(data, data_of(transfer, i), transfer->size) != 0)
		return vssd_fail_at(request, NVME_SC_COMPARE_FAILURE, lba, "the data differ", VSSD_OWN);
	if (memcmp(ours, theirs, ns->metadata) != 0)
		return vssd_fail_at(request, NVME_SC_COMPARE_FAILURE, lba, "the metadata differ", VSSD_OWN);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_metadata_compare(struct vssd_request *request, uint16_t (*readable)(struct vssd_request *request))
{
	struct transfer transfer = {0};
	uint16_t status = refuse_action(request);

	if (!status)
		status = begin(&transfer, request, VSSD_DMA_READ);
	if (!status)
		status = readable(request);
	if (!status)
		status = receive(&transfer);
	if (!status && request->fault)
		status = vssd_fault_lbas_from_host(request->fault, transfer.data, transfer.metadata);
	for (uint64_t i = 0; i < transfer.count && !status; i++)
		status = compare_lba(&transfer, i);
	free(transfer.data);
	return status;
}

/* ---- writing ---- */

/* Check the protection information of the LBAs, or make it. */
static uint16_t protect(struct transfer *transfer)
{
	struct vssd_request *request = transfer->request;
	bool make = request->ns->pi && request->cmd.cdw12 & NVME_RW_PRACT;
	uint16_t status = NVME_SC_SUCCESS;

	for (uint64_t i = 0; i < transfer->count && !status; i++) {
		if (make) {
			vssd_pi_make(&transfer->task, data_of(transfer, i), metadata_of(transfer, i));
			continue;
		}
		status = vssd_pi_check(request, &transfer->task, vssd_slba(&request->cmd) + i, data_of(transfer, i),
				       metadata_of(transfer, i));
		vssd_pi_remap(&transfer->task, metadata_of(transfer, i));
	}
	return status;
}

static uint16_t store(struct transfer *transfer)
{
	struct vssd_request *request = transfer->request;

	for (uint64_t i = 0; i < transfer->count; i++)
		if (!vssd_stored_write(request->ctrl, request->ns, vssd_slba(&request->cmd) + i, data_of(transfer, i),
				       metadata_of(transfer, i)))
			return no_memory(request);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_metadata_write(struct vssd_request *request)
{
	struct transfer transfer;
	uint16_t status = begin(&transfer, request, VSSD_DMA_READ);

	if (!status)
		status = receive(&transfer);
	if (!status)
		status = protect(&transfer);
	if (!status && request->fault)
		status = vssd_fault_lbas_from_host(request->fault, transfer.data, transfer.metadata);
	if (!status && !request->is_trial)
		status = store(&transfer);
	free(transfer.data);
	return status;
}

bool vssd_metadata_makes_zeroes(const struct vssd_request *request)
{
	return request->ns->pi && request->cmd.cdw12 & NVME_RW_PRACT;
}

uint16_t vssd_metadata_check_zeroes(struct vssd_request *request, struct vssd_pi_task *task)
{
	if (request->ns->pi && request->cmd.cdw12 & PRCHK)
		return vssd_refuse(request, NVME_SC_INVALID_PROTECTION_INFO,
				   VSSD_FIELD(NVME_FIELD_WRITE_ZEROES_PRINFO, "PRCHK"), VSSD_OWN);
	return vssd_pi_begin(request, task);
}

uint16_t vssd_metadata_zero(struct vssd_request *request, struct vssd_pi_task *task)
{
	static const uint8_t zeroes[VSSD_LBA_MOST];
	uint64_t slba = vssd_slba(&request->cmd), nlb = vssd_nlb(&request->cmd);
	uint16_t status = NVME_SC_SUCCESS;

	for (uint64_t i = 0; i < nlb && !status; i++) {
		uint8_t metadata[VSSD_METADATA_LBA] = {0};

		vssd_pi_make(task, zeroes, metadata);
		if (!vssd_stored_write(request->ctrl, request->ns, slba + i, zeroes, metadata))
			status = no_memory(request);
	}
	return status;
}
