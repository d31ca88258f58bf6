/* SPDX-License-Identifier: BSD-3-Clause */
/* Doorbells: what the host stores, by message or into the shared page. */
#ifndef VSSD_CTRL_DOORBELL_H
#define VSSD_CTRL_DOORBELL_H

#include <stdint.h>

struct vssd_ctrl;

/* A doorbell of BAR 0 was written by message: index counts 32-bit words. */
void vssd_doorbell_write(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value);
uint32_t vssd_doorbell_read(const struct vssd_ctrl *ctrl, uint32_t index);

/* Look at the doorbells of a QID, or of all, and post the completions of it that have fallen due. */
void vssd_queue_look(struct vssd_ctrl *ctrl, uint16_t qid);
void vssd_queues_look(struct vssd_ctrl *ctrl);

/* Doorbells that belong to no queue are shared memory as well: whoever stores into one is told, some time later. */
void vssd_doorbells_scan(struct vssd_ctrl *ctrl);

#endif
