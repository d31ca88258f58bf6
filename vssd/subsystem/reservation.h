/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reservations: which hosts are registrants of a namespace, and which of them may access it. NVM Express Base
 * Specification 2.1, section 8.1.22. The state lies in the annex of the store.
 */
#ifndef VSSD_SUBSYSTEM_RESERVATION_H
#define VSSD_SUBSYSTEM_RESERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/subsystem/part.h"

/* Registrants of a namespace at most. There can be more of them than controllers, since a host stays a registrant
 * when its controller gets another host identifier. */
#define VSSD_REGISTRANTS 800u
#define VSSD_RESERVATION_ALL_TYPES 6u

struct vssd_ns;
struct vssd_subsystem;

/* A host. Controllers with the same identifier belong to the same host, unless it is 0. */
struct vssd_host {
	uint8_t id[16];
	uint8_t is_wide;  /* the identifier has 128 bits, else 64 */
	uint8_t is_alone; /* the identifier is 0, and the host has one controller; its index + 1 */
	uint8_t reserved[6];
};

struct vssd_registrant {
	struct vssd_host host;
	uint64_t key;
};

/* The state of a namespace, as the store keeps it. */
struct vssd_reservation {
	uint32_t generation;
	uint32_t count;  /* of registrants */
	uint8_t type;    /* enum nvme_reservation_type; 0: none */
	uint8_t ptpl;    /* persist through power loss */
	uint16_t holder; /* index of the registrant; of no use if all registrants hold the reservation */
	uint8_t reserved[4];
	struct vssd_registrant registrants[VSSD_REGISTRANTS];
};

/* What log page 80h reports. */
enum vssd_reservation_notice {
	VSSD_REGISTRATION_PREEMPTED = 1,
	VSSD_RESERVATION_RELEASED = 2,
	VSSD_RESERVATION_PREEMPTED = 3,
};

/* Kinds of access, a bit each. */
#define VSSD_ACCESS_READ 1u
#define VSSD_ACCESS_WRITE 2u

extern const struct vssd_subsystem_part vssd_reservation_part;

struct vssd_reservation *vssd_reservation_of(struct vssd_subsystem *subsystem, const struct vssd_ns *ns);

/* Which kinds of access the reservation of a namespace forbids to a host. */
unsigned vssd_reservation_forbids(struct vssd_subsystem *subsystem, const struct vssd_ns *ns,
				  const struct vssd_host *host);

bool vssd_host_is(const struct vssd_host *a, const struct vssd_host *b);

/* The registrant that is this host; NULL: it is none. */
struct vssd_registrant *vssd_registrant_find(struct vssd_reservation *reservation, const struct vssd_host *host);

/* Whether a registrant holds the reservation. */
bool vssd_registrant_holds(const struct vssd_reservation *reservation, const struct vssd_registrant *registrant);

/* Register a host. False: there are too many registrants. */
bool vssd_reservation_register(struct vssd_reservation *reservation, const struct vssd_host *host, uint64_t key);

/* Remove a registrant, and release the reservation if nobody holds it any more. */
void vssd_reservation_unregister(struct vssd_subsystem *subsystem, const struct vssd_ns *ns,
				 struct vssd_registrant *registrant);

void vssd_reservation_acquire(struct vssd_reservation *reservation, struct vssd_registrant *registrant, uint8_t type);

/* What a host asks for that preempts others. */
struct vssd_preemption {
	uint64_t key;
	uint8_t type; /* of the reservation that it acquires */
	bool aborts;  /* the commands of those that it preempts */
};

/* Remove all other registrants that have the key (0, if all registrants hold the reservation: whatever their key),
 * and let the host hold the reservation if its holder was among them, or if it was the host itself. False: there is
 * no such registrant. */
bool vssd_reservation_preempt(struct vssd_subsystem *subsystem, const struct vssd_ns *ns,
			      const struct vssd_host *host, const struct vssd_preemption *preemption);

/* Release the reservation, by this host. */
void vssd_reservation_release(struct vssd_subsystem *subsystem, const struct vssd_ns *ns,
			      const struct vssd_host *host);

/* Remove the reservation and all registrants, by this host. */
void vssd_reservation_clear(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, const struct vssd_host *host);

/* Forget the state of a namespace that is deleted. */
void vssd_reservation_forget(struct vssd_subsystem *subsystem, const struct vssd_ns *ns);

#endif
