/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/reservation.h"

#include <string.h>

#include "spec/nvme_data.h"
#include "vssd/subsystem/subsystem.h"

static struct vssd_reservation *table(struct vssd_subsystem *subsystem)
{
	return subsystem->annex->reservations.of;
}

struct vssd_reservation *vssd_reservation_of(struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	return &table(subsystem)[ns - subsystem->ns];
}

/* ---- registrants ---- */

bool vssd_host_is(const struct vssd_host *a, const struct vssd_host *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

struct vssd_registrant *vssd_registrant_find(struct vssd_reservation *reservation, const struct vssd_host *host)
{
	for (uint32_t i = 0; i < reservation->count; i++)
		if (vssd_host_is(&reservation->registrants[i].host, host))
			return &reservation->registrants[i];
	return NULL;
}

static bool all_hold(const struct vssd_reservation *reservation)
{
	return reservation->type == NVME_RESERVATION_WRITE_EXCLUSIVE_ALL ||
	       reservation->type == NVME_RESERVATION_EXCLUSIVE_ACCESS_ALL;
}

/* Whether registrants other than the holder may access the namespace. */
static bool is_of_registrants(uint8_t type)
{
	return type >= NVME_RESERVATION_WRITE_EXCLUSIVE_REGISTRANTS;
}

bool vssd_registrant_holds(const struct vssd_reservation *reservation, const struct vssd_registrant *registrant)
{
	if (!reservation->type)
		return false;
	return all_hold(reservation) || registrant == &reservation->registrants[reservation->holder];
}

unsigned vssd_reservation_forbids(struct vssd_subsystem *subsystem, const struct vssd_ns *ns,
				  const struct vssd_host *host)
{
	struct vssd_reservation *reservation = vssd_reservation_of(subsystem, ns);
	const struct vssd_registrant *registrant;

	if (!reservation->type)
		return 0;
	registrant = vssd_registrant_find(reservation, host);
	if (registrant && (is_of_registrants(reservation->type) || vssd_registrant_holds(reservation, registrant)))
		return 0;
	switch (reservation->type) {
	case NVME_RESERVATION_EXCLUSIVE_ACCESS:
	case NVME_RESERVATION_EXCLUSIVE_ACCESS_REGISTRANTS:
	case NVME_RESERVATION_EXCLUSIVE_ACCESS_ALL:
		return VSSD_ACCESS_READ | VSSD_ACCESS_WRITE;
	default:
		return VSSD_ACCESS_WRITE;
	}
}

bool vssd_reservation_register(struct vssd_reservation *reservation, const struct vssd_host *host, uint64_t key)
{
	if (reservation->count == VSSD_REGISTRANTS)
		return false;
	reservation->registrants[reservation->count++] = (struct vssd_registrant){.host = *host, .key = key};
	return true;
}

/* ---- notices ---- */

static void tell_host(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, const struct vssd_host *host,
		      enum vssd_reservation_notice notice)
{
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next) {
		struct vssd_host its;

		one->ops->host(one, &its);
		if (ns->attached >> one->index & 1 && vssd_host_is(&its, host))
			one->ops->reserved(one, ns->nsid, (uint8_t)notice);
	}
}

/* Tell all registrants but the host that caused it. */
static void tell_others(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, const struct vssd_host *host,
			enum vssd_reservation_notice notice)
{
	const struct vssd_reservation *reservation = vssd_reservation_of(subsystem, ns);

	for (uint32_t i = 0; i < reservation->count; i++)
		if (!vssd_host_is(&reservation->registrants[i].host, host))
			tell_host(subsystem, ns, &reservation->registrants[i].host, notice);
}

/* ---- changes ---- */

/* Remove a registrant, and the reservation if no registrant holds it any more. */
static void take_out(struct vssd_reservation *reservation, struct vssd_registrant *registrant)
{
	uint32_t index = (uint32_t)(registrant - reservation->registrants);
	bool held = vssd_registrant_holds(reservation, registrant);

	reservation->count--;
	memmove(registrant, registrant + 1, (reservation->count - index) * sizeof(*registrant));
	memset(&reservation->registrants[reservation->count], 0, sizeof(*registrant));
	if (held && (!all_hold(reservation) || reservation->count == 0))
		reservation->type = reservation->holder = 0;
	else if (reservation->holder > index)
		reservation->holder--;
}

static void changed(struct vssd_subsystem *subsystem)
{
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
}

void vssd_reservation_unregister(struct vssd_subsystem *subsystem, const struct vssd_ns *ns,
				 struct vssd_registrant *registrant)
{
	struct vssd_reservation *reservation = vssd_reservation_of(subsystem, ns);
	struct vssd_host host = registrant->host;
	uint8_t type = reservation->type;

	take_out(reservation, registrant);
	if (type && !reservation->type && is_of_registrants(type))
		tell_others(subsystem, ns, &host, VSSD_RESERVATION_RELEASED);
	changed(subsystem);
}

void vssd_reservation_acquire(struct vssd_reservation *reservation, struct vssd_registrant *registrant, uint8_t type)
{
	reservation->type = type;
	reservation->holder = (uint16_t)(registrant - reservation->registrants);
}

/* The hosts that a command preempts. */
struct preempted {
	struct vssd_host hosts[VSSD_REGISTRANTS + 1];
	unsigned count;
};

/* Remove all registrants with a key but this host. any: whatever their key. */
static void remove_key(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, const struct vssd_host *host,
		       uint64_t key, bool any, struct preempted *preempted)
{
	struct vssd_reservation *reservation = vssd_reservation_of(subsystem, ns);

	for (uint32_t i = reservation->count; i-- > 0;) {
		struct vssd_registrant *one = &reservation->registrants[i];

		if (vssd_host_is(&one->host, host) || (!any && one->key != key))
			continue;
		preempted->hosts[preempted->count++] = one->host;
		take_out(reservation, one);
		tell_host(subsystem, ns, &preempted->hosts[preempted->count - 1], VSSD_REGISTRATION_PREEMPTED);
	}
}

/* Abort the commands to the namespace of these hosts, at all their controllers. */
static void abort_commands(struct vssd_subsystem *subsystem, const struct vssd_ns *ns,
			   const struct preempted *preempted)
{
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next) {
		struct vssd_host its;
		bool is_preempted = false;

		one->ops->host(one, &its);
		for (unsigned i = 0; i < preempted->count; i++)
			is_preempted |= vssd_host_is(&its, &preempted->hosts[i]);
		if (is_preempted)
			one->ops->preempt(one, ns->nsid);
	}
}

bool vssd_reservation_preempt(struct vssd_subsystem *subsystem, const struct vssd_ns *ns,
			      const struct vssd_host *host, const struct vssd_preemption *preemption)
{
	struct vssd_reservation *reservation = vssd_reservation_of(subsystem, ns);
	const struct vssd_registrant *own = vssd_registrant_find(reservation, host);
	uint8_t before = reservation->type;
	uint64_t key = preemption->key;
	bool all = before && all_hold(reservation);
	bool is_holder = before && !all && vssd_registrant_holds(reservation, own);
	bool own_key = is_holder && own->key == key;
	bool takes = own_key || (all && key == 0) ||
		     (before && !all && reservation->registrants[reservation->holder].key == key);
	struct preempted preempted = {.count = 0};

	remove_key(subsystem, ns, host, key, all && key == 0, &preempted);
	if (preempted.count == 0 && !takes)
		return false;
	if (own_key)
		preempted.hosts[preempted.count++] = *host;
	if (takes) {
		vssd_reservation_acquire(reservation, vssd_registrant_find(reservation, host), preemption->type);
		if (before != preemption->type)
			tell_others(subsystem, ns, host, VSSD_RESERVATION_RELEASED);
	}
	reservation->generation++;
	changed(subsystem);
	if (preemption->aborts)
		abort_commands(subsystem, ns, &preempted);
	return true;
}

void vssd_reservation_release(struct vssd_subsystem *subsystem, const struct vssd_ns *ns,
			      const struct vssd_host *host)
{
	struct vssd_reservation *reservation = vssd_reservation_of(subsystem, ns);
	uint8_t type = reservation->type;

	reservation->type = reservation->holder = 0;
	if (is_of_registrants(type))
		tell_others(subsystem, ns, host, VSSD_RESERVATION_RELEASED);
	changed(subsystem);
}

void vssd_reservation_clear(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, const struct vssd_host *host)
{
	struct vssd_reservation *reservation = vssd_reservation_of(subsystem, ns);

	tell_others(subsystem, ns, host, VSSD_RESERVATION_PREEMPTED);
	memset(reservation->registrants, 0, reservation->count * sizeof(reservation->registrants[0]));
	reservation->count = 0;
	reservation->type = reservation->holder = 0;
	reservation->generation++;
	changed(subsystem);
}

void vssd_reservation_forget(struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	*vssd_reservation_of(subsystem, ns) = (struct vssd_reservation){0};
}

/* ---- the part ---- */

/* Check the state, which may come from a file with any contents. */
static void init(struct vssd_subsystem *subsystem)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		struct vssd_reservation *one = &table(subsystem)[i];

		if (one->count > VSSD_REGISTRANTS || one->type > VSSD_RESERVATION_ALL_TYPES ||
		    (one->type && one->holder >= one->count))
			memset(one, 0, sizeof(*one));
	}
}

/* A host with the identifier 0 is another one after a power loss. */
static void forget_alone(struct vssd_subsystem *subsystem, struct vssd_reservation *reservation, uint8_t is_alone)
{
	for (uint32_t i = reservation->count; i-- > 0;) {
		const struct vssd_host *host = &reservation->registrants[i].host;

		if (host->is_alone && (!is_alone || host->is_alone == is_alone))
			vssd_reservation_unregister(subsystem, &subsystem->ns[reservation - table(subsystem)],
						    &reservation->registrants[i]);
	}
}

static void power(struct vssd_subsystem *subsystem, bool on)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES && on; i++) {
		struct vssd_reservation *one = &table(subsystem)[i];

		if (!one->ptpl)
			memset(one, 0, sizeof(*one));
	}
}

static void reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by)
{
	(void)kind;
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (table(subsystem)[i].count)
			forget_alone(subsystem, &table(subsystem)[i], by ? (uint8_t)(by->index + 1) : 0);
}

const struct vssd_subsystem_part vssd_reservation_part = {.init = init, .power = power, .reset = reset};
