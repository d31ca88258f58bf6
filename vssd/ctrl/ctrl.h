/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An NVMe controller, seen from its PCI side: configuration space, BAR 0, doorbells. The server above knows
 * nothing of NVMe, the controller nothing of sockets. One thread calls everything here.
 */
#ifndef VSSD_CTRL_CTRL_H
#define VSSD_CTRL_CTRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"
#include "vssd/bus/bus.h"
#include "vssd/subsystem/listener.h"

#define VSSD_CONFIG_SIZE 4096u
#define VSSD_BAR0_SIZE 16384u
#define VSSD_DOORBELL_OFFSET 4096u /* in BAR 0; page-aligned, so that clients can map it */
#define VSSD_DOORBELL_SIZE 4096u

struct vssd_ctrl;
struct vssd_subsystem;

/* A controller of a subsystem, which waits for CC.EN. 0, or -errno. doorbells: VSSD_DOORBELL_SIZE bytes that the
 * client may map; the controller polls them. */
int vssd_ctrl_create(struct vssd_subsystem *subsystem, struct vssd_bus *bus, volatile uint32_t *doorbells,
		     struct vssd_ctrl **ctrl, struct pyn_error *err);
void vssd_ctrl_destroy(struct vssd_ctrl *ctrl);

/* PCI configuration space. Offsets and lengths have been checked against VSSD_CONFIG_SIZE. As behind the kernel's
 * VFIO, memory space is enabled at power-up and bus mastering is not (no command is taken without). Function level
 * and conventional resets bring it back to that; NSSR leaves it to whoever sits between the host and the function. */
void vssd_ctrl_config_read(struct vssd_ctrl *ctrl, uint32_t offset, void *data, uint32_t length);
void vssd_ctrl_config_write(struct vssd_ctrl *ctrl, uint32_t offset, const void *data, uint32_t length);

/* BAR 0, doorbells included (a write there acts as the host's store into the shared page). Offsets and lengths have
 * been checked against VSSD_BAR0_SIZE; any width and alignment may come. While memory space is disabled or power is
 * off, reads give all ones and writes do nothing. */
void vssd_ctrl_bar_read(struct vssd_ctrl *ctrl, uint32_t offset, void *data, uint32_t length);
void vssd_ctrl_bar_write(struct vssd_ctrl *ctrl, uint32_t offset, const void *data, uint32_t length);

void vssd_ctrl_reset(struct vssd_ctrl *ctrl, enum vssd_reset kind);

/* The client listens to the pin again, which may be asserted. */
void vssd_ctrl_pin_again(struct vssd_ctrl *ctrl);

/* The client is gone: no pointer into host memory may be kept. The device keeps its state, but takes no command
 * before it has been enabled anew: what is in the queues belongs to somebody whose memory is not there any more. */
void vssd_ctrl_host_gone(struct vssd_ctrl *ctrl);

/* Do what there is to do, also in the subsystem: new commands, timers. Returns the number of commands that were
 * taken; 0: nothing was done. Does a bounded amount of work, so that the caller can look at its sockets in between.
 */
unsigned vssd_ctrl_poll(struct vssd_ctrl *ctrl);

struct vssd_counters {
	uint64_t commands_admin;
	uint64_t commands_read;
	uint64_t commands_write;
	uint64_t commands_other;
	uint64_t bytes_read;
	uint64_t bytes_written;
	uint64_t errors; /* commands completed with a status that is not 0 */
	uint64_t power_cycles;
	uint64_t hmb_hits;   /* of map entries that were looked for in the host memory buffer */
	uint64_t hmb_misses; /* they were not there, or of no use */
	uint64_t hmb_errors; /* their check did not fit, or the memory was gone */
};
void vssd_ctrl_counters(const struct vssd_ctrl *ctrl, struct vssd_counters *counters);

/* ---- the trace of refusals ---- */

#define VSSD_REFUSALS 256u

/* A command that failed, and why. */
struct vssd_refusal {
	uint16_t qid;
	uint16_t cid;
	uint16_t status;   /* SCT << 8 | SC */
	char command[40];  /* its name */
	char field[96];    /* that is wrong, "CDW10 bits 11:9 (SES)", or what else is */
	char section[104]; /* of the specification: "Base 2.1, 5.1.10" */
};

/* Switch the trace on, empty, or off. 0 or -ENOMEM. */
int vssd_ctrl_trace(struct vssd_ctrl *ctrl, bool on);

/* The last refusals, the oldest first. -EINVAL: the trace is off. */
int vssd_ctrl_refusals(const struct vssd_ctrl *ctrl, struct vssd_refusal refusals[VSSD_REFUSALS], unsigned *count);

#endif
