/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket of a virtual SSD: what a test can do to the drive that no host can. `control` in the drive's
 * folder, AF_UNIX, SOCK_SEQPACKET, host byte order.
 *
 * A packet to the drive is a struct vssd_control_request and request.length bytes of data; the answer is one packet,
 * a struct vssd_control_reply and reply.length bytes of data. Requests are executed one after the other, between the
 * drive's commands. A packet that is no request (its size, magic or version is wrong) is answered with EPROTO, and
 * the connection stays usable. pynvme/control.py has the same layouts.
 */
#ifndef VSSD_CONTROL_PROTOCOL_H
#define VSSD_CONTROL_PROTOCOL_H

#include <stdint.h>

#define VSSD_CONTROL_MAGIC UINT32_C(0x44535356) /* the bytes "VSSD" */
#define VSSD_CONTROL_VERSION 1u
#define VSSD_CONTROL_DATA_MAX 65536u /* bytes of data in a packet */

enum vssd_control_command {
	VSSD_CONTROL_INFO = 1,     /* answers a struct vssd_control_info */
	VSSD_CONTROL_GEOMETRY = 2, /* of nsid; answers a struct vssd_control_geometry */
	VSSD_CONTROL_COUNTERS = 3, /* answers a struct vssd_control_counters */
	VSSD_CONTROL_POWER = 4,    /* argument 0: cut the power; 1: turn it on. Doing it again does nothing */
	VSSD_CONTROL_PEEK = 5,     /* answers the data of nsid's lba, as stored */
	VSSD_CONTROL_POKE = 6,     /* the data, one LBA's, replace those of nsid's lba; its commands do not notice */
	VSSD_CONTROL_QUIT = 7,     /* answers, then the process ends as after SIGTERM */
	VSSD_CONTROL_OPTIONS = 8,  /* answers JSON: an object with the value of each option of the drive, a string */
	VSSD_CONTROL_TRACE = 10,   /* argument 1: trace refusals, anew; 0: no more. ENOMEM */
	VSSD_CONTROL_REFUSALS =
		11, /* answers a struct vssd_control_refusal each, the oldest first. EINVAL: no trace */
};

struct vssd_control_request {
	uint32_t magic;
	uint16_t version;
	uint16_t command;
	uint32_t nsid;
	uint32_t length; /* bytes of data behind this record */
	uint64_t lba;
	uint64_t argument;
};
_Static_assert(sizeof(struct vssd_control_request) == 32, "control request");

struct vssd_control_reply {
	uint32_t magic;
	uint16_t version;
	uint16_t command; /* of the request; 0 where it was none */
	uint32_t error;   /* 0, or an errno: EINVAL (no such namespace, LBA, argument), EPROTO, ENOTSUP */
	uint32_t length;  /* bytes of data behind this record; 0 with an error */
};
_Static_assert(sizeof(struct vssd_control_reply) == 16, "control reply");

#define VSSD_CONTROL_INFO_NULL 1u    /* no data are kept */
#define VSSD_CONTROL_INFO_FILE 2u    /* data are kept in a file */
#define VSSD_CONTROL_INFO_POWERED 4u /* the power is on */
#define VSSD_CONTROL_INFO_CLIENT 8u  /* a client is connected */

/* The process, and the options that it was started with. */
struct vssd_control_info {
	uint32_t pid;
	uint32_t flags; /* VSSD_CONTROL_INFO_… */
	uint64_t size;  /* bytes of each namespace */
	uint64_t cache_size;
	uint32_t namespaces;
	uint32_t lba_size;
	uint32_t queues;
	uint32_t queue_entries;
	uint32_t mdts;         /* as in Identify: 2^mdts pages of 4 KiB, 0: no limit */
	uint32_t nvme_version; /* as in the register VS */
};
_Static_assert(sizeof(struct vssd_control_info) == 48, "control info");

struct vssd_control_geometry {
	uint32_t lba_size; /* bytes */
	uint32_t reserved;
	uint64_t nsze; /* LBAs */
};
_Static_assert(sizeof(struct vssd_control_geometry) == 16, "control geometry");

/* Since the process started; struct vssd_counters (vssd/ctrl/ctrl.h) tells what is counted. */
struct vssd_control_counters {
	uint64_t commands_admin;
	uint64_t commands_read;
	uint64_t commands_write;
	uint64_t commands_other;
	uint64_t bytes_read;
	uint64_t bytes_written;
	uint64_t errors;
	uint64_t power_cycles;
	uint64_t hmb_hits;
	uint64_t hmb_misses;
	uint64_t hmb_errors;
};
_Static_assert(sizeof(struct vssd_control_counters) == 88, "control counters");

/* A command that failed, and why; texts end with a NUL. The trace keeps the last 256. */
struct vssd_control_refusal {
	uint16_t qid;
	uint16_t cid;
	uint16_t status; /* SCT << 8 | SC */
	uint16_t reserved;
	char command[40];  /* its name */
	char field[96];    /* of the command that is wrong, "CDW10 bits 11:9 (SES)", or what else is */
	char section[112]; /* of the specification that says so, "Base 2.1, 5.1.10" */
};
_Static_assert(sizeof(struct vssd_control_refusal) == 256, "control refusal");

#endif
