/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a user can choose: one table (options.c), from which come the command line, its checks, `--help`, what the
 * control socket tells, and the options of pynvme.vssd, which asks with `--options`.
 */
#ifndef VSSD_OPTIONS_H
#define VSSD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"

#define VSSD_MAX_IO_QUEUES 64u
#define VSSD_MAX_NAMESPACES 32u
#define VSSD_SERIAL_SIZE 20u
#define VSSD_TIME_DERIVED UINT32_MAX

/* Bytes of the text that vssd_options_list() and vssd_options_values() make, at most. */
#define VSSD_OPTIONS_TEXT 16384u

/* What the drive is like. Each is described by its entry in the table. */
struct vssd_options {
	uint64_t size;          /* bytes of each namespace, which has whole blocks of 4 KiB of them */
	const char *file;       /* data live in this file and outlast the process; NULL: in memory */
	bool null_store;        /* keep no data at all: for measuring the path itself */
	bool grant_all;         /* feature 07h grants all queues, however few the host asks for */
	uint32_t lba_size;      /* bytes, of the LBA format at first */
	uint32_t queues;        /* IO queue pairs */
	uint32_t queue_entries; /* of the largest queue (CAP.MQES + 1) */
	uint32_t namespaces;
	uint32_t mdts;       /* largest transfer, 2^mdts pages of 4 KiB; 0: no limit */
	uint32_t version;    /* as in register VS */
	uint64_t cache_size; /* volatile write cache, bytes; 0: none */
	const char *serial;  /* NULL: made up from the process and the time */
	uint32_t format_ms;  /* Format NVM and a sanitize operation take so long at least */
	uint32_t sanitize_ms;
	uint32_t sanitize_failures;     /* the first so many sanitize operations fail */
	uint32_t self_test_ms;          /* a short self-test takes so long */
	uint32_t extended_self_test_ms; /* an extended one; VSSD_TIME_DERIVED: ten times as long as a short one */
};

/* The command line: the drive, and how its process is run. */
struct vssd_arguments {
	struct vssd_options drive;
	const char *folder;
	uint32_t cpu; /* UINT32_MAX: any */
	int owner_fd; /* -1: none, as ready_fd */
	int ready_fd;
	bool temporary; /* the folder is removed at the end */
	bool help;
	bool list; /* --options */
};

/* The drive of the documentation. */
void vssd_options_default(struct vssd_options *options);

/* 0, or -EINVAL: a value that its option does not take, or values that contradict each other. */
int vssd_options_check(const struct vssd_options *options, struct pyn_error *err);

/* Read a command line. 0, or -EINVAL. Texts in arguments are those in argv. */
int vssd_options_parse(int argc, char **argv, struct vssd_arguments *arguments, struct pyn_error *err);

/* Print what --help says. */
void vssd_options_help(void);

/* The options that scripts can give, as JSON: an array of objects with name, takes (what stands for its value in the
 * help, empty for a flag) and help. The length of the text; text has VSSD_OPTIONS_TEXT bytes. */
size_t vssd_options_list(char *text);

/* The same with the values that options has: an object with a member each, strings as the command line takes them. */
size_t vssd_options_values(const struct vssd_options *options, char *text);

#endif
