/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket of a virtual SSD, for actions that a test needs and a host cannot do. It is `control` in the
 * drive's folder, AF_UNIX, SOCK_SEQPACKET, in host byte order.
 *
 * A request is one packet: a struct vssd_control_request and request.length bytes of data. The reply is also one
 * packet: a struct vssd_control_reply and reply.length bytes of data. The drive executes requests one after the
 * other, between its commands. If the size, magic or version of a packet is wrong, the drive replies with EPROTO, and
 * the connection stays usable. pynvme/control.py has the same layouts.
 */
#ifndef VSSD_CONTROL_PROTOCOL_H
#define VSSD_CONTROL_PROTOCOL_H

#include <stdint.h>

#define VSSD_CONTROL_MAGIC UINT32_C(0x44535356) /* the bytes "VSSD" */
#define VSSD_CONTROL_VERSION 1u
#define VSSD_CONTROL_DATA_MAX 65536u /* bytes of data in a packet */

enum vssd_control_command {
	VSSD_CONTROL_INFO = 1,      /* returns a struct vssd_control_info */
	VSSD_CONTROL_GEOMETRY = 2,  /* of nsid; returns a struct vssd_control_geometry */
	VSSD_CONTROL_COUNTERS = 3,  /* returns a struct vssd_control_counters. argument 1: sums of all controllers */
	VSSD_CONTROL_POWER = 4,     /* argument 0: power off; 1: power on. No effect if it is so already */
	VSSD_CONTROL_PEEK = 5,      /* returns the stored data of nsid's lba */
	VSSD_CONTROL_POKE = 6,      /* replaces the stored data of nsid's lba; the data have the LBA size */
	VSSD_CONTROL_QUIT = 7,      /* replies, then ends the process as SIGTERM does */
	VSSD_CONTROL_OPTIONS = 8,   /* returns JSON: an object with a string for each option of the drive */
	VSSD_CONTROL_TRACE = 10,    /* argument 1: start an empty trace of refusals; 0: stop. ENOMEM */
	VSSD_CONTROL_REFUSALS = 11, /* returns structs vssd_control_refusal, the oldest first. EINVAL: no trace */
	VSSD_CONTROL_PLANT = 12, /* fault rules, the data are their text: a struct vssd_control_planted; error text */
	VSSD_CONTROL_FAULTS = 13,   /* the rules from index argument on: a line for each, see control_faults.c */
	VSSD_CONTROL_REMOVE = 14,   /* the rule with number argument, or whose name is the data. EINVAL: none */
	VSSD_CONTROL_CLEAR = 15,    /* all rules */
	VSSD_CONTROL_RELEASE = 16,  /* what a rule holds; the rule as for VSSD_CONTROL_REMOVE */
	VSSD_CONTROL_FIRED = 17,    /* the log of rules from entry argument on: structs vssd_control_fired */
	VSSD_CONTROL_AGE = 18,      /* the data are a struct vssd_control_age. EINVAL: out of range */
	VSSD_CONTROL_ANSWER = 20,   /* plant an answer for a vendor specific opcode: see below. EINVAL, ENOMEM */
	VSSD_CONTROL_ANSWERED = 21, /* returns a struct vssd_control_answered and data. EINVAL: no answer planted */
	VSSD_CONTROL_ANA = 19, /* ANA group nsid, or 0 for all, gets the state argument at this controller. EINVAL */
};

struct vssd_control_request {
	uint32_t magic;
	uint16_t version;
	uint16_t command;
	uint32_t nsid;
	uint32_t length; /* bytes of data after this struct */
	uint64_t lba;
	uint64_t argument;
};
_Static_assert(sizeof(struct vssd_control_request) == 32, "control request");

struct vssd_control_reply {
	uint32_t magic;
	uint16_t version;
	uint16_t command; /* of the request; 0 if the packet was no request */
	uint32_t error;   /* 0, or an errno: EINVAL (wrong namespace, LBA or argument), EPROTO, ENOTSUP */
	uint32_t length;  /* bytes of data after this struct; 0 with an error */
};
_Static_assert(sizeof(struct vssd_control_reply) == 16, "control reply");

#define VSSD_CONTROL_INFO_NULL 1u    /* the drive keeps no data */
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

/* Counts since the process started; struct vssd_counters (vssd/ctrl/ctrl.h) describes them. */
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

/* A failed command and the reason. Texts end with a NUL. The trace keeps the last 256. */
struct vssd_control_refusal {
	uint16_t qid;
	uint16_t cid;
	uint16_t status; /* SCT << 8 | SC */
	uint16_t reserved;
	char command[40];  /* its name */
	char field[96];    /* the wrong field, such as "CDW10 bits 11:9 (SES)", or the wrong state */
	char section[112]; /* of the specification, such as "Base 2.1, 5.1.10" */
};
_Static_assert(sizeof(struct vssd_control_refusal) == 256, "control refusal");

/* Planted rules: the number of the first one. number 0: the text after this struct says why none was planted. */
struct vssd_control_planted {
	uint64_t first;
	uint64_t count;
};
_Static_assert(sizeof(struct vssd_control_planted) == 16, "control planted");

/* Let the drive grow old. UINT32_MAX: leave the member as it is. */
struct vssd_control_age {
	uint64_t hours;         /* to add to the power-on hours */
	uint32_t used;          /* percent of the life */
	uint32_t spare;         /* percent that is left */
	uint32_t read_only;     /* 0 or 1 */
	uint32_t backup_failed; /* 0 or 1 */
	uint32_t temperature;   /* Kelvin, of the idle drive */
	uint32_t throttle;      /* 0 or 1 */
};
_Static_assert(sizeof(struct vssd_control_age) == 32, "control age");

/* argument of VSSD_CONTROL_ANSWER and VSSD_CONTROL_ANSWERED: the opcode in bits 7:0, bit 8 for an admin command. Of
 * the first also: bit 9 removes the answer, bits 31:16 are the status (SCT << 8 | SC), bits 63:32 the bytes that it
 * fetches from the host. lba is the result, dwords 0 and 1 of the completion; the data are what the drive sends. */
#define VSSD_CONTROL_ANSWER_ADMIN 0x100u
#define VSSD_CONTROL_ANSWER_REMOVE 0x200u

/* How many commands an answer has had, and the last one. What was fetched with it follows. */
struct vssd_control_answered {
	uint64_t count;
	uint32_t sqe[16];
};
_Static_assert(sizeof(struct vssd_control_answered) == 72, "control answered");

/* A rule that fired. index counts from the first one ever; the log keeps the last 4096. */
struct vssd_control_fired {
	uint64_t index;
	uint64_t time; /* ns since 1970 */
	uint64_t number;
	uint64_t slba;
	uint32_t nsid;
	uint16_t queue;
	uint16_t cid;
	uint8_t opcode;
	uint8_t has_command; /* 0: there is none */
	uint8_t place;       /* enum vssd_fault_place */
	uint8_t reserved[5];
	uint64_t ticks; /* the TSC at that time, which orders it among the commands of a host on this machine */
};
_Static_assert(sizeof(struct vssd_control_fired) == 56, "control fired");

#endif
