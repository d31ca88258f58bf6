/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An NVMe controller as the server uses it: configuration space, BAR 0, doorbells. The server knows nothing about
 * NVMe, and the controller nothing about sockets. All functions must be called by one thread.
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
#define VSSD_BAR0_LEAST 16384u     /* bytes; more with many queues: see vssd_layout_bar0() */
#define VSSD_DOORBELL_OFFSET 4096u /* in BAR 0; page-aligned, so that clients can map it */
#define VSSD_DOORBELL_PAGE 4096u

struct vssd_ctrl;
struct vssd_subsystem;

/* Create a disabled controller (CC.EN is 0) of a subsystem. 0, or -errno. doorbells: vssd_layout_doorbells() bytes
 * that the client can map; the controller polls them. */
int vssd_ctrl_create(struct vssd_subsystem *subsystem, struct vssd_bus *bus, volatile uint32_t *doorbells,
		     struct vssd_ctrl **ctrl, struct pyn_error *err);
void vssd_ctrl_destroy(struct vssd_ctrl *ctrl);

/* Access PCI configuration space. The caller has checked offset and length against VSSD_CONFIG_SIZE. As with the
 * kernel's VFIO, power-up enables memory space but not bus mastering, without which the controller fetches no
 * commands. Function level and conventional resets return to that state; NSSR does not touch it. */
void vssd_ctrl_config_read(struct vssd_ctrl *ctrl, uint32_t offset, void *data, uint32_t length);
void vssd_ctrl_config_write(struct vssd_ctrl *ctrl, uint32_t offset, const void *data, uint32_t length);

/* Vectors of the MSI-X table. A virtual function has those that it was given, but one at least. */
uint32_t vssd_ctrl_vectors(const struct vssd_ctrl *ctrl);

/* Access BAR 0, including the doorbells, where a write acts as a store to the shared page does. The caller has
 * checked offset and length against vssd_layout_bar0(); they may have any width and alignment. While memory space is
 * disabled or the power is off, reads return all ones and writes do nothing. */
void vssd_ctrl_bar_read(struct vssd_ctrl *ctrl, uint32_t offset, void *data, uint32_t length);
void vssd_ctrl_bar_write(struct vssd_ctrl *ctrl, uint32_t offset, const void *data, uint32_t length);

/* The same for a command that comes out of band, which memory space enable does not concern. */
void vssd_ctrl_registers_read(struct vssd_ctrl *ctrl, uint32_t offset, void *data, uint32_t length);
void vssd_ctrl_registers_write(struct vssd_ctrl *ctrl, uint32_t offset, const void *data, uint32_t length);

void vssd_ctrl_reset(struct vssd_ctrl *ctrl, enum vssd_reset kind);

/* Shut the controller down as a part of its subsystem: only a reset of that, or a loss of power, starts it again. */
void vssd_ctrl_shut_down(struct vssd_ctrl *ctrl, bool is_abrupt);

/* Signal the pin if it is asserted. Call when the client unmasks it or sets a new eventfd for it. */
void vssd_ctrl_pin_again(struct vssd_ctrl *ctrl);

/* The client has disconnected: drop all pointers to host memory. The drive keeps its state, but fetches no commands
 * until the next client enables the controller again, because the memory of its queues is gone. */
void vssd_ctrl_host_gone(struct vssd_ctrl *ctrl);

/* Execute new commands, and serve the timers of the controller and the subsystem. Returns the number of commands; 0:
 * it executed none. The work is bounded, so that the caller can check its sockets in between. */
unsigned vssd_ctrl_poll(struct vssd_ctrl *ctrl);

/* When vssd_ctrl_poll() has to be called next for a timer, in ticks. A time in the past: as soon as possible. */
uint64_t vssd_ctrl_next_due(const struct vssd_ctrl *ctrl);

struct vssd_counters {
	uint64_t commands_admin;
	uint64_t commands_read;
	uint64_t commands_write;
	uint64_t commands_other;
	uint64_t bytes_read;
	uint64_t bytes_written;
	uint64_t errors; /* commands that completed with a status other than 0 */
	uint64_t power_cycles;
	uint64_t hmb_hits;   /* map entries found in the host memory buffer */
	uint64_t hmb_misses; /* map entries that were absent or outdated */
	uint64_t hmb_errors; /* map entries that were corrupt, or whose memory was gone */
};

/* Get the counts of a controller, or of all of its subsystem. */
void vssd_ctrl_counters(const struct vssd_ctrl *ctrl, bool of_all, struct vssd_counters *counters);

/* ---- the trace of refusals ---- */

#define VSSD_REFUSALS 256u

/* A failed command and the reason. */
struct vssd_refusal {
	uint16_t qid;
	uint16_t cid;
	uint16_t status;   /* SCT << 8 | SC */
	char command[40];  /* its name */
	char field[96];    /* the wrong field, such as "CDW10 bits 11:9 (SES)", or the wrong state */
	char section[104]; /* of the specification, such as "Base 2.1, 5.1.10" */
};

/* Start an empty trace, or stop tracing. 0, or -ENOMEM. */
int vssd_ctrl_trace(struct vssd_ctrl *ctrl, bool on);

/* Get the last refusals, the oldest first. 0, or -EINVAL: the trace is off. */
int vssd_ctrl_refusals(const struct vssd_ctrl *ctrl, struct vssd_refusal refusals[VSSD_REFUSALS], unsigned *count);

#endif
