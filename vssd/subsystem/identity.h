/* SPDX-License-Identifier: BSD-3-Clause */
/* Unique and persistent identifiers of a drive. */
#ifndef VSSD_SUBSYSTEM_IDENTITY_H
#define VSSD_SUBSYSTEM_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

struct vssd_ns;
struct vssd_subsystem;

/* IEEE OUI, the least significant byte first. */
void vssd_identity_oui(uint8_t ieee[3]);

/* The model number, filled with spaces. */
void vssd_identity_model(char mn[40]);

/* The EUI-64 of a namespace, or of the subsystem (NULL), and the NGUID; the most significant byte first. */
void vssd_identity_eui64(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint8_t eui64[8]);
void vssd_identity_nguid(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint8_t nguid[16]);

/* The NQN of the subsystem. */
void vssd_identity_subnqn(const struct vssd_subsystem *subsystem, char *subnqn, size_t size);

#endif
