/* SPDX-License-Identifier: BSD-3-Clause */
/* The fault rules of a drive, which its controllers share. Resets and power losses do not change them. */
#ifndef VSSD_SUBSYSTEM_FAULT_H
#define VSSD_SUBSYSTEM_FAULT_H

#include "vssd/fault/faults.h"

struct vssd_subsystem;

/* Create an empty set of rules. 0; -1: there is no memory. */
int vssd_subsystem_faults_init(struct vssd_subsystem *subsystem);

/* Lose power: what becomes of the volatile cache, as rules say; without a rule, it is lost. */
void vssd_subsystem_faults_lose(struct vssd_subsystem *subsystem);

/* Plant the rules of the options. 0, or -errno. */
int vssd_subsystem_faults_plant(struct vssd_subsystem *subsystem, struct pyn_error *err);

#endif
