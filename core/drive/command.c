/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/drive/command.h"

#include <errno.h>

#include "core/data/transfer.h"
#include "core/env/env.h"
#include "core/verify/tables.h"
#include "core/verify/track.h"

/* Whether the data lie in their buffer. The arithmetic has 64 bits, so neither sum can wrap. */
static bool data_fit(const struct pyn_command *command)
{
	return !command->buffer ? command->length == 0
				: (uint64_t)command->offset + command->length <= command->buffer->size;
}

/*
 * Describe a transfer that is, or may be, longer than the memory that the script gave. The device also reaches the
 * rest of the last page, which belongs to the buffer, so the use covers it. Data beyond go to the spare page.
 */
static int describe_more(struct pyn_device *device, struct pyn_command *command, uint64_t transfer,
			 struct pyn_error *err)
{
	uint64_t page = pyn_device_page(device), end = command->offset + (uint64_t)command->length;
	uint64_t reach = (end + page - 1) / page * page - command->offset;

	if (command->buffer->page < page)
		return pyn_error(
			err, PYN_ERROR_ARGUMENT, EINVAL,
			"the command may transfer more than the %u bytes of its buffer, which is in pages of "
			"%u KiB: the drive's memory pages have %u KiB (CC.MPS). Create the buffer after the "
			"controller was initialised, or let it have room for the transfer",
			command->length, command->buffer->page >> 10, (uint32_t)page >> 10);
	command->transfer = transfer;
	command->stamp = false; /* a stamp would change bytes that the script did not name */
	if (command->length)
		command->length = (uint32_t)(reach < transfer ? reach : transfer);
	return 0;
}

/* Check and describe the data. transfer: bytes that the command transfers. A test may give less memory than that. */
static int check_data(struct pyn_device *device, struct pyn_command *command, uint64_t transfer,
		      struct pyn_error *err)
{
	command->transfer = 0;
	if (data_fit(command)) {
		/* An SGL describes what the script has said, even if that is too long or too short. */
		if (command->sgl && command->meant)
			return 0;
		if (command->length > transfer)
			command->length = (uint32_t)transfer;
		/* With an unknown length believe the script, unless no IOMMU keeps the device from our memory. */
		else if (command->buffer && !command->sgl && command->length < transfer &&
			 (transfer != PYN_TRANSFER_ANY || command->meant || pyn_dma_physical_known()))
			return describe_more(device, command, transfer, err);
		return 0;
	}
	return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
			 "the command transfers %u bytes from byte %u of a buffer of %u bytes", command->length,
			 command->offset, command->buffer ? command->buffer->size : 0);
}

static int check_device(struct pyn_device *device, struct pyn_error *err)
{
	if (!pyn_device_is_open(device))
		return pyn_error(err, PYN_ERROR_STATE, EBADF, "the drive at %s is closed",
				 pyn_device_address(device));
	return 0;
}

int pyn_admin_submit(struct pyn_device *device, struct pyn_command *command, uint16_t *cid, struct pyn_error *err)
{
	int rc = check_device(device, err);

	if (!rc)
		rc = check_data(device, command, pyn_transfer_admin(&command->cmd), err);
	if (rc)
		return rc;
	command->verify = NULL;
	command->all = NULL;
	if (!pyn_inflight_queue(pyn_device_admin(device)))
		return pyn_error(err, PYN_ERROR_STATE, ENODEV, "the controller at %s is not enabled",
				 pyn_device_address(device));
	return pyn_inflight_submit(pyn_device_admin(device), command, cid, err);
}

/* Choose the verification table of a command. The caller puts *reference. */
static void choose_tables(struct pyn_namespace *ns, struct pyn_command *command, struct pyn_verify **reference)
{
	const struct nvme_cmd *cmd = &command->cmd;

	command->verify = NULL;
	command->all = NULL;
	if (!ns || (!ns->keys && pyn_track_is_unknown(cmd->opc) && pyn_device_keeps_data(ns->device, cmd->opc, true)))
		return;
	if (cmd->nsid == UINT32_MAX)
		command->all = pyn_device_all_tables(ns->device);
	else if (cmd->nsid == ns->nsid)
		command->verify = ns->verify;
	else
		/* send_cmd may send a command to another namespace. */
		command->verify = *reference = pyn_device_find_table(ns->device, cmd->nsid);
}

static int check_queue(const struct pyn_io_qpair *queue, const struct pyn_namespace *ns, struct pyn_error *err)
{
	if (queue->process != pyn_process_number())
		return pyn_error(err, PYN_ERROR_STATE, ECHILD, "Qpair %u belongs to another process", queue->qid);
	if (!queue->queue)
		return pyn_error(err, PYN_ERROR_STATE, ENODEV, "Qpair %u is deleted", queue->qid);
	if (ns && ns->device != queue->device)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EXDEV,
				 "Qpair %u belongs to the drive at %s, the namespace to %s", queue->qid,
				 pyn_device_address(queue->device), pyn_device_address(ns->device));
	return 0;
}

/* Whether the script's own protection information is transferred, whose guards a stamp would make wrong. */
static bool has_own_tuples(const struct pyn_namespace *ns, const struct pyn_command *command)
{
	const struct pyn_protection *protection = &ns->layout.protection;

	return protection->type && !command->metadata.protects &&
	       pyn_metadata_bytes(protection, command->cmd.cdw12) > 0;
}

int pyn_io_submit(struct pyn_io_qpair *queue, struct pyn_namespace *ns, struct pyn_command *command, uint16_t *cid,
		  struct pyn_error *err)
{
	int rc = check_queue(queue, ns, err);

	if (rc)
		return rc;
	bool known = ns && command->cmd.nsid == ns->nsid;

	if (known)
		rc = pyn_namespace_check_metadata(ns, &command->cmd, &command->metadata, err);
	if (rc)
		return rc;
	if (command->metadata.buffer)
		command->cmd.mptr = pyn_buffer_address(command->metadata.buffer, command->metadata.offset).value;
	uint32_t lba_bytes = known ? pyn_namespace_lba_bytes(ns, command->cmd.cdw12) : 0;

	rc = check_data(
		queue->device, command,
		known && ns->keys ? pyn_transfer_key(&command->cmd) : pyn_transfer_io(&command->cmd, lba_bytes), err);
	if (rc)
		return rc;
	struct pyn_verify *reference = NULL;

	command->check = ns && ns->verify_enabled;
	if (known && has_own_tuples(ns, command))
		command->stamp = false;
	choose_tables(ns, command, &reference);
	rc = pyn_inflight_submit(queue->inflight, command, cid, err);
	pyn_verify_put(reference);
	command->verify = NULL;
	command->all = NULL;
	return rc;
}

unsigned pyn_admin_wait(struct pyn_device *device, struct pyn_completed *completed, unsigned max, uint64_t budget_us)
{
	if (pyn_device_process(device) != pyn_process_number())
		return 0;
	return pyn_inflight_wait(pyn_device_admin(device), completed, max, budget_us);
}

bool pyn_admin_wait_event(struct pyn_device *device, struct pyn_completed *completed, uint64_t budget_us)
{
	return pyn_device_process(device) == pyn_process_number() &&
	       pyn_inflight_wait_event(pyn_device_admin(device), completed, budget_us);
}

unsigned pyn_io_wait(struct pyn_io_qpair *queue, struct pyn_completed *completed, unsigned max, uint64_t budget_us)
{
	if (queue->process != pyn_process_number())
		return 0;
	return pyn_inflight_wait(queue->inflight, completed, max, budget_us);
}
