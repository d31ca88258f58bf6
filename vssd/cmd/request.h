/* SPDX-License-Identifier: BSD-3-Clause */
/* A command, from the moment it is fetched until it completes. */
#ifndef VSSD_CMD_REQUEST_H
#define VSSD_CMD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_cmd.h"
#include "spec/nvme_field.h"

struct vssd_ctrl;
struct vssd_fault_plan;
struct vssd_listener;
struct vssd_ns;
struct vssd_sq;

/* The controller completes the request later, with vssd_complete_later(). */
#define VSSD_LATER ((uint16_t)0xffff)

/* Host memory that a command reads or writes. */
struct vssd_segment {
	uint8_t *memory; /* NULL: accessed by messages to the client */
	uint64_t iova;
	uint32_t length;
	bool is_bucket; /* no memory: what the controller writes here is discarded, and it reads zeros */
};

struct vssd_data {
	struct vssd_segment *segments;
	uint32_t count;
};

/* What a command that comes in a message of the Management Interface has instead of host memory and a queue. */
struct vssd_local {
	uint8_t *memory;             /* takes the place of PRPs */
	uint32_t length;             /* bytes */
	struct vssd_listener *owner; /* gets a completion that comes later */
};

/* A field of a command, in one or two of its dwords: see vssd/cmd/refuse.h. */
struct vssd_field {
	const char *name;
	uint8_t dword;
	uint8_t high; /* the highest bit; 63: the field has two dwords */
	uint8_t low;
};

/* The reason of a failure, besides its status. */
struct vssd_failure {
	struct vssd_field field;
	const char *section; /* of the specification; NULL: that of the command */
	bool has_lba;
	uint64_t lba;
	uint64_t information; /* command specific information, for the error log */
};

/* A handler executes a request and returns the status of the command as NVME_SC(sct, sc), or VSSD_LATER. If is_trial
 * is set, it checks the command, fetches the data from the host, and returns success before it changes anything. */
struct vssd_request {
	struct nvme_cmd cmd; /* a copy: the host may change the entry at any time */
	struct vssd_ctrl *ctrl;
	struct vssd_sq *sq;
	struct vssd_ns *ns;             /* NULL: NSID names no namespace */
	uint8_t csi;                    /* the command set of that namespace */
	bool is_fused;                  /* executed as half of a pair */
	bool is_trial;                  /* only check it: see vssd_defer() */
	struct vssd_data data;          /* valid after vssd_data_map() */
	const struct vssd_local *local; /* NULL: it comes from a queue */
	uint64_t result;                /* dwords 0 and 1 of the completion */
	uint64_t due;                   /* ticks: a successful command completes no earlier; 0: at once */
	uint32_t bytes;                 /* how much of the medium it has read or written */
	uint64_t moved;                 /* SLBA of the host, less that in cmd, which a fault rule has changed */
	uint64_t appended;              /* SLBA in cmd, less the start of the zone, to which a Zone Append appends */
	struct vssd_failure failure;
	struct vssd_fault_plan *fault; /* what fault rules do to its data; NULL: nothing */
};

/* Initialise all members but cmd, which the caller has fetched. */
void vssd_request_init(struct vssd_request *request, struct vssd_ctrl *ctrl, struct vssd_sq *sq);

/* Who gets the completion of an operation that ends later: the controller, or the endpoint that has the command. */
struct vssd_listener *vssd_request_owner(const struct vssd_request *request);

/* The LBAs that an I/O command names: these fields are the same in each. */
static inline uint64_t vssd_slba(const struct nvme_cmd *cmd)
{
	return nvme_get_field(cmd, NVME_FIELD_WRITE_SLBA);
}

static inline uint64_t vssd_nlb(const struct nvme_cmd *cmd)
{
	return nvme_get_field(cmd, NVME_FIELD_WRITE_NLB) + 1;
}

static inline void vssd_set_range(struct nvme_cmd *cmd, uint64_t slba, uint64_t count)
{
	nvme_set_field(cmd, NVME_FIELD_WRITE_SLBA, slba);
	nvme_set_field(cmd, NVME_FIELD_WRITE_NLB, count - 1);
}

/* How many bytes a Get Log Page transfers. */
static inline uint64_t vssd_log_length(const struct nvme_cmd *cmd)
{
	return ((nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_NUMDU) << 16 |
		 nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_NUMDL)) +
		1) *
	       4;
}

/* ---- error.c ---- */

/* Enter a failed command in the error log. */
void vssd_command_failed(const struct vssd_request *request, uint16_t status);

#endif
