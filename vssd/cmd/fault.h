/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What fault rules do to one command: before it executes (fault.c), to its data (fault_data.c, with older data from
 * fault_old.c), and after it was completed too early (deferred.c).
 */
#ifndef VSSD_CMD_FAULT_H
#define VSSD_CMD_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/cmd/request.h"
#include "vssd/ctrl/controller.h"

/* Rules have ended the command: it gets no completion now. */
#define VSSD_FAULT_GONE_STATUS ((uint16_t)0xfffe)

/* The rules that fire for one command, and what they have decided. */
struct vssd_fault_plan {
	struct vssd_request *request;
	uint32_t sqe[16]; /* the command as the host sent it; occasion.sqe points here */
	struct vssd_fault_occasion occasion;
	struct nvme_dsm_range *ranges;                     /* of a Dataset Management command; owned */
	struct vssd_fault_rule *data[VSSD_FAULTS_AT_ONCE]; /* rules of its data */
	unsigned num_data;
	bool decided;    /* do not execute it: status is its status */
	uint16_t status; /* a status, or VSSD_FAULT_GONE_STATUS */
	struct vssd_edits edits;
	struct vssd_edits addresses; /* changes of the addresses of its data */
	const struct vssd_fault_rule *round;
	struct vssd_fault_rule *early; /* complete the command now, and execute it later */
	struct vssd_fault_rule *split;
	struct vssd_fault_rule *sudden; /* the power fails after some bytes of the command */
	uint8_t sgl;                    /* what is wrong with its SGL: a bit for each enum vssd_fault_sgl */
	const uint8_t *preloaded;       /* the data of a deferred command, which it does not read from the host */
	uint64_t num_preloaded;
	const uint8_t *preloaded_metadata; /* and its metadata, VSSD_METADATA_LBA bytes for each LBA; NULL: none */
	uint8_t *bounce; /* the data between host and medium, with the metadata behind each LBA; owned */
	uint64_t num_bounce;
	uint8_t *metadata; /* of the LBAs in the bounce, VSSD_METADATA_LBA bytes for each; owned; NULL: none */
	uint8_t *old;      /* what the target of the transfer holds, in the form of the bounce; owned */
	uint8_t *old_metadata;
	uint32_t direction;
	struct vssd_data host; /* where the data are in the host's memory; owned */
};

/* Whether rules of commands are planted, or rules that refer to commands. */
static inline bool vssd_fault_of_commands(const struct vssd_ctrl *ctrl)
{
	return __builtin_expect(ctrl->subsystem->faults->places & VSSD_FAULT_OF_COMMANDS, 0);
}

/* Whether rules may match this command. Of reads and writes, the index knows the LBAs. */
bool vssd_fault_may_match(const struct vssd_request *request);

/* Match the rules of a command, and change the command as they say. */
void vssd_fault_begin(struct vssd_fault_plan *plan, struct vssd_request *request);

/* Finish what rules do to the data and to the power, after the command was executed. Returns its status, or
 * VSSD_FAULT_GONE_STATUS. */
uint16_t vssd_fault_end(struct vssd_fault_plan *plan, uint16_t status);

/* Complete the command of a plan with the status that its execution had. */
void vssd_fault_complete(struct vssd_fault_plan *plan, uint16_t status);

/* Free what the plan of a command holds that does not complete now. */
void vssd_fault_forget_ranges(struct vssd_fault_plan *plan);

/* Complete a command that is not executed, as the rules of its completion say. */
void vssd_fault_complete_unexecuted(struct vssd_request *request, uint16_t status);

/* ---- fault_data.c ---- */

/* Whether rules need the data of the command. */
static inline bool vssd_fault_has_data(const struct vssd_fault_plan *plan)
{
	return plan->num_data || plan->addresses.count || plan->preloaded || plan->round || plan->sudden || plan->sgl;
}

/* Change an address of the data as rules say. */
uint64_t vssd_fault_address(const struct vssd_fault_plan *plan, uint64_t iova);

/* Remember what a Write Zeroes replaces, if rules are to change its zeros. */
void vssd_fault_zeroes_begin(struct vssd_fault_plan *plan);

/* Let the command use a buffer instead of the host memory of request->data. Data from the host are changed here.
 * Returns a status. */
uint16_t vssd_fault_map(struct vssd_fault_plan *plan, uint64_t length, uint32_t direction);

/* Change the LBAs of a command whose namespace has metadata: after those from the host were checked, and after those
 * of the medium were. theirs: metadata that lie in the host's memory. metadata and theirs have VSSD_METADATA_LBA
 * bytes for each LBA. Both return a status. */
uint16_t vssd_fault_lbas_from_host(struct vssd_fault_plan *plan, uint8_t *data, uint8_t *metadata);
uint16_t vssd_fault_lbas_to_host(struct vssd_fault_plan *plan, uint8_t *data, uint8_t *metadata,
				 const uint8_t *theirs);

/* The command has executed: change data for the host and pass them on, and change the medium. Returns its status. */
uint16_t vssd_fault_data_end(struct vssd_fault_plan *plan, uint16_t status);

/* Free the buffers of a plan. */
void vssd_fault_free(struct vssd_fault_plan *plan);

/* ---- fault_old.c ---- */

/* Bytes of each LBA in the transfer of a command. */
uint64_t vssd_fault_lba_bytes(const struct vssd_request *request);

/* Put data and metadata of LBAs into the form in which they are transferred, and back. */
void vssd_fault_gather(const struct vssd_fault_plan *plan, const uint8_t *data, const uint8_t *metadata, uint8_t *to);
void vssd_fault_scatter(const struct vssd_fault_plan *plan, const uint8_t *from, uint8_t *data, uint8_t *metadata);

/* Fill plan->old with what the LBAs hold now, or from the host's memory that a read goes to. False: it cannot. */
bool vssd_fault_look_at_medium(struct vssd_fault_plan *plan);
bool vssd_fault_look_at_host(struct vssd_fault_plan *plan, const struct vssd_data *data);

/* Take length bytes of the bounce, from start on, from plan->old, with the metadata of LBAs that end there. */
void vssd_fault_keep(struct vssd_fault_plan *plan, uint64_t start, uint64_t length);

/* Replace bytes of the bounce, which come from the medium, by what they were so many writes ago. */
void vssd_fault_bring_back(struct vssd_fault_plan *plan, uint64_t start, uint64_t length, uint64_t back);

/* Whole LBAs at two places of the bounce were exchanged: exchange their metadata. */
void vssd_fault_swap_metadata(struct vssd_fault_plan *plan, uint64_t a, uint64_t b, uint64_t length);

/* ---- fault_history.c ---- */

/* Fill in what is known of the first LBA of the command. */
void vssd_fault_recall(struct vssd_fault_plan *plan);

/* Whether the command replaces what its LBAs hold. */
bool vssd_fault_changes_range(const struct vssd_request *request);

/* Note what a Write replaces, before it executes. */
void vssd_fault_note_write(struct vssd_fault_plan *plan);

/* Note that a Flush has succeeded. */
void vssd_fault_note_flush(const struct vssd_request *request);

/* The byte of the store where the command's range starts. False: it has no range, or it exceeds the namespace. */
bool vssd_fault_range(const struct vssd_request *request, uint64_t *offset, uint64_t *length);

/* Replace a stored sector, which becomes readable. metadata: VSSD_METADATA_LBA bytes; NULL: it keeps those it has. */
void vssd_fault_write_sector(struct vssd_ctrl *ctrl, uint64_t offset, const uint8_t *data, const uint8_t *metadata);

#endif
