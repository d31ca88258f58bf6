/* SPDX-License-Identifier: BSD-3-Clause */
/* The security functions of a subsystem: its TPer, RPMB, which LBAs and boot partitions are locked, and what Lockdown
 * prohibits. */
#ifndef VSSD_SUBSYSTEM_SECURITY_H
#define VSSD_SUBSYSTEM_SECURITY_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/fault/value.h"
#include "vssd/options.h"
#include "vssd/subsystem/boot.h"
#include "vssd/subsystem/lockdown.h"
#include "vssd/subsystem/part.h"
#include "vssd/subsystem/rpmb.h"
#include "vssd/tcg/tcg.h"

struct vssd_ns;

/* Write protection of a namespace, as feature 84h counts it. */
enum vssd_protection {
	VSSD_UNPROTECTED,
	VSSD_PROTECTED,
	VSSD_PROTECTED_UNTIL_POWER_CYCLE,
	VSSD_PROTECTED_PERMANENTLY,
};

struct vssd_security {
	uint8_t protection[VSSD_MAX_NAMESPACES]; /* enum vssd_protection, by NSID - 1 */
	uint8_t boot[VSSD_BOOT_PARTITIONS];      /* enum nvme_boot_protection of feature 85h */
	uint32_t mistakes;                       /* by fault rules: a bit for each enum vssd_fault_security */
	struct vssd_lockdown lockdown;
	struct vssd_tcg *tcg;                             /* NULL: the drive has none */
	struct vssd_rpmb *rpmb;                           /* NULL: the drive has none */
	_Alignas(8) uint8_t boot_log[VSSD_BOOT_LOG_SIZE]; /* where log page 15h is made */
};

extern const struct vssd_subsystem_part vssd_security_part;

/* Create what the options ask for. 0, or -ENOMEM. */
int vssd_security_create(struct vssd_subsystem *subsystem);

/* Whether a fault rule has the drive make this mistake. */
static inline bool vssd_security_is_wrong(const struct vssd_security *security, enum vssd_fault_security mistake)
{
	return security->mistakes >> mistake & 1;
}

/* Set vssd_ns.guarded of all namespaces: whether vssd_security_refuses() must be asked. Tells the controllers. */
void vssd_security_changed(struct vssd_subsystem *subsystem);

/* The write protection of a namespace, and set it durably. */
enum vssd_protection vssd_security_protection(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns);
void vssd_security_protect(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, enum vssd_protection state);

/* Whether a host may set this protection: RPMB must have enabled those that the host cannot end. */
bool vssd_security_may_protect(const struct vssd_subsystem *subsystem, enum vssd_protection state);

/* Whether access to these LBAs is locked, or not allowed while reads return the table MBR. */
bool vssd_security_refuses(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint64_t lba,
			   uint64_t count, bool write);

/* Whether reads of these LBAs return the table MBR: *offset is then that of the first byte in the store. */
bool vssd_security_shadows(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint64_t lba,
			   uint64_t count, uint64_t *offset);

/* Whether locks keep a namespace from being formatted, and the subsystem from being sanitized (NULL). */
bool vssd_security_keeps(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns);

#endif
