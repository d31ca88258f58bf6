/* SPDX-License-Identifier: BSD-3-Clause */
/* Asymmetric Namespace Access: the state of each ANA group at a controller. NVM Express Base Specification 2.1,
 * section 8.1.1. Resets and losses of power do not change states, since they belong to the way to the medium. */
#ifndef VSSD_CTRL_ANA_H
#define VSSD_CTRL_ANA_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/options.h"

struct vssd_ctrl;
struct vssd_ns;

#define VSSD_ANATT 10u /* s: the longest time in the state change */

/* A group whose member state is 0 is optimized. */
struct vssd_ana_group {
	uint64_t changes; /* of its descriptor, since the last reset of the controller */
	uint8_t state;    /* enum nvme_ana_state */
};

struct vssd_ana {
	uint64_t changes; /* of the log page */
	uint32_t listed;  /* the namespaces in the log page: a bit for each, by NSID - 1 */
	bool refuses;     /* commands to the namespaces of some group fail */
	struct vssd_ana_group groups[VSSD_MAX_NAMESPACES]; /* by ANAGRPID - 1 */
};

/* Most bytes of log page 0Ch. */
#define VSSD_ANA_LOG_SIZE                                                                                            \
	(sizeof(struct nvme_ana_log) + VSSD_MAX_NAMESPACES * (sizeof(struct nvme_ana_group) + sizeof(uint32_t)))

static inline enum nvme_ana_state vssd_ana_group_state(const struct vssd_ana_group *group)
{
	return group->state ? (enum nvme_ana_state)group->state : NVME_ANA_OPTIMIZED;
}

/* The status with which commands fail in this state; 0: they do not. */
uint16_t vssd_ana_status_of(enum nvme_ana_state state);

/* Whether the drive reports ANA. */
bool vssd_has_ana(const struct vssd_ctrl *ctrl);

/* Change the state of a group, 0 for all, and tell the host. False: there is no such group or state. */
bool vssd_ana_set(struct vssd_ctrl *ctrl, uint32_t group, uint8_t state);

/* The state of the group of a namespace. Only if vssd_has_ana(). */
enum nvme_ana_state vssd_ana_state(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns);

/* The status with which commands to a namespace fail; 0: they do not. */
uint16_t vssd_ana_status(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns);

/* Call when a namespace has been attached or detached: log page 0Ch may change. */
void vssd_ana_ns_changed(struct vssd_ctrl *ctrl, uint32_t nsid);

/* Call at a reset of the controller: count from 0 again. */
void vssd_ana_reset(struct vssd_ctrl *ctrl);

/* Fill in log page 0Ch. only_groups: leave out the namespaces (RGO). */
void vssd_ana_log(const struct vssd_ctrl *ctrl, bool only_groups, uint8_t page[VSSD_ANA_LOG_SIZE]);

#endif
