/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/identity.h"

#include <stdio.h>
#include <string.h>

#include "vssd/subsystem/subsystem.h"

/* A locally administered OUI: that bit is set in the first byte sent. */
static const uint8_t oui[3] = {0x02, 0x56, 0x53};

#define MODEL "pynvme virtual SSD"
#define NUMBERED 0x100000u /* salts of numbered namespaces are a multiple of this, and the NSID */

/* FNV-1a, 64 bits. */
static uint64_t hash(const struct vssd_subsystem *subsystem, uint32_t salt)
{
	const char *serial = subsystem->nv->identity.serial;
	uint64_t value = UINT64_C(0xcbf29ce484222325) ^ salt;

	for (unsigned i = 0; i < VSSD_SERIAL_SIZE; i++)
		value = (value ^ (uint8_t)serial[i]) * UINT64_C(0x100000001b3);
	return value;
}

void vssd_identity_oui(uint8_t ieee[3])
{
	for (unsigned i = 0; i < sizeof(oui); i++)
		ieee[i] = oui[sizeof(oui) - 1 - i];
}

/* A namespace that the host has created has identifiers of its own, even if its NSID is not new. */
static uint32_t salt_of(const struct vssd_ns *ns)
{
	return ns ? ns->nsid + ns->number * NUMBERED : 0;
}

void vssd_identity_eui64(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint8_t eui64[8])
{
	uint64_t id = hash(subsystem, salt_of(ns));

	memcpy(eui64, oui, sizeof(oui));
	memcpy(eui64 + sizeof(oui), &id, 8 - sizeof(oui));
}

void vssd_identity_nguid(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint8_t nguid[16])
{
	uint64_t id = hash(subsystem, ~salt_of(ns));

	memcpy(nguid, &id, sizeof(id));
	vssd_identity_eui64(subsystem, ns, nguid + 8);
}

void vssd_identity_subnqn(const struct vssd_subsystem *subsystem, char *subnqn, size_t size)
{
	uint64_t a = hash(subsystem, 0x10000), b = hash(subsystem, 0x20000);

	/* Format a version 4 UUID, whose version and variant fields are fixed. */
	snprintf(subnqn, size, "nqn.2014-08.org.nvmexpress:uuid:%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
		 (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff), (unsigned)(0x8000 | (b >> 48 & 0x3fff)),
		 (unsigned long long)(b & UINT64_C(0xffffffffffff)));
}

void vssd_identity_model(char mn[40])
{
	memset(mn, ' ', 40);
	memcpy(mn, MODEL, sizeof(MODEL) - 1);
}
