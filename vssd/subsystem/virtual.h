/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual functions: which controllers are secondary ones, their states, and the flexible resources of each
 * controller. NVM Express Base Specification 2.1, section 8.2.6. The first controller is the primary one.
 */
#ifndef VSSD_SUBSYSTEM_VIRTUAL_H
#define VSSD_SUBSYSTEM_VIRTUAL_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/fault/value.h"

struct vssd_listener;
struct vssd_options;
struct vssd_subsystem;

/* Flexible resources of each type for each virtual function that the drive can have, and the most of one. */
#define VSSD_FLEXIBLE_PER_VF 4u
#define VSSD_FLEXIBLE_MOST 16u
#define VSSD_LEAST_QUEUES 2u /* with which a controller can be online: the admin queue and one more */

enum vssd_resource { VSSD_RESOURCE_VQ, VSSD_RESOURCE_VI, VSSD_RESOURCES };

/* Of a controller. */
struct vssd_virtual {
	uint16_t flexible[VSSD_RESOURCES]; /* assigned to it */
	uint8_t mistakes; /* of the primary controller: by fault rules, see vssd_virtual_is_wrong() */
	bool is_there;    /* its function is enabled by the SR-IOV capability */
	bool is_online;
};

/* How many controllers the drive has: those of the option controllers, and those of virtual functions. */
unsigned vssd_virtual_ctrls(const struct vssd_options *options);

/* Whether a controller belongs to a virtual function. */
bool vssd_is_secondary(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener);

/* Whether a controller has secondary ones, which it manages. */
bool vssd_is_primary(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener);

/* Whether the host can use a controller: secondary ones must be online. */
bool vssd_virtual_is_usable(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener);

/* Whether the function of a controller is on the bus. */
bool vssd_virtual_is_there(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener);

/* Flexible resources in total, and how many of them secondary controllers have. */
uint32_t vssd_virtual_total(const struct vssd_options *options);
uint32_t vssd_virtual_assigned(const struct vssd_subsystem *subsystem, enum vssd_resource type);

/* I/O queue pairs that a controller can have. */
uint32_t vssd_virtual_queues(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener);

/* Interrupt vectors of a controller, at most those given. */
uint32_t vssd_virtual_vectors(const struct vssd_subsystem *subsystem, const struct vssd_listener *listener,
			      uint32_t most);

/* Bring a secondary controller online, or take it offline, which resets it and removes its resources. */
void vssd_virtual_set_online(struct vssd_subsystem *subsystem, struct vssd_listener *listener, bool online);

/* Reset the secondary controllers along with the primary one, which takes them offline. Its own resources are those
 * of the share from then on; a Controller Reset (by CC.EN) does not change them. */
void vssd_virtual_primary_reset(struct vssd_subsystem *subsystem, struct vssd_listener *primary, bool by_cc_en);

/* A controller has had a function level reset, which is its own, unless a fault rule makes it that of all. */
void vssd_virtual_function_reset(struct vssd_subsystem *subsystem, const struct vssd_listener *listener);

/* The SR-IOV capability enables the first count virtual functions. */
void vssd_virtual_enable(struct vssd_subsystem *subsystem, unsigned count);

/* At power-up a controller is offline and has no flexible resources, but for the share of the primary one. */
void vssd_virtual_begin(const struct vssd_subsystem *subsystem, struct vssd_listener *listener);

/* Have the drive make a mistake from now on, and whether it makes one. */
void vssd_virtual_fault(struct vssd_subsystem *subsystem, enum vssd_fault_functions mistake);
bool vssd_virtual_is_wrong(const struct vssd_subsystem *subsystem, enum vssd_fault_functions mistake);

#endif
