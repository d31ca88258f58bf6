/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of the virtual SSD. One table (options.c) defines the command line, its checks, `--help`, the reply of
 * the control socket, and the options of pynvme.vssd, which reads them with `--options`.
 */
#ifndef VSSD_OPTIONS_H
#define VSSD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"

#define VSSD_MAX_IO_QUEUES 65535u
#define VSSD_MAX_NAMESPACES 32u
#define VSSD_MAX_CONTROLLERS 16u
#define VSSD_MAX_ZONES (1u << 20) /* of a drive */
#define VSSD_MAX_GROUPS 8u        /* endurance groups */
#define VSSD_MAX_SETS 16u         /* NVM sets */
#define VSSD_SERIAL_SIZE 20u
#define VSSD_TIME_DERIVED UINT32_MAX
#define VSSD_MAX_FAULTS 64u /* --fault options */

/* Maximum bytes of the texts that vssd_options_list() and vssd_options_values() write. */
#define VSSD_OPTIONS_TEXT 16384u

/* Kinds of drives, which differ in their optional features. */
enum vssd_profile {
	VSSD_PROFILE_CLIENT,     /* what client drives have */
	VSSD_PROFILE_DATACENTER, /* and what OCP requires */
	VSSD_PROFILE_EVERYTHING, /* all that the virtual SSD has */
};

/* What the drive tells about its medium. */
struct vssd_media_options {
	bool lba_status;     /* Get LBA Status, log page 0Eh and feature 15h */
	bool verification;   /* of the media after a sanitize operation */
	uint32_t rotational; /* revolutions a minute; 0: the medium does not turn */
};

/* Features that client drives lack. */
struct vssd_feature_options {
	bool power_measurement; /* features 23h to 25h and log page 25h */
	bool keep_alive;        /* feature 0Fh and the Keep Alive command */
	bool host_metadata;     /* features 7Dh to 7Fh */
};

/* How long operations take, at least. */
struct vssd_time_options {
	uint32_t format_ms;
	uint32_t sanitize_ms;
	uint32_t self_test_ms;          /* a short self-test */
	uint32_t extended_self_test_ms; /* VSSD_TIME_DERIVED: ten times self_test_ms */
	uint32_t retry_ms;              /* the first Command Retry Delay Time; 0: none */
};

/* The controllers of the subsystem, each a PCI function. */
struct vssd_function_options {
	uint32_t controllers;
	uint32_t ana;          /* ANA groups; 0: the drive does not report ANA */
	uint32_t virtual_ones; /* virtual functions of the only controller, which is then a primary one */
	uint32_t private_ns;   /* how many namespaces, the last ones, have one controller each */
};

/* Optional features of the drive. */
struct vssd_optional {
	bool mi;                /* the Management Interface */
	bool copy;              /* the Copy command */
	bool ocp;               /* log pages of OCP, which a UUID selects */
	bool error_injection;   /* feature C0h of OCP */
	bool ns_management;     /* let the host create and delete namespaces */
	uint64_t unallocated;   /* bytes that no namespace of a new drive has; needs ns_management */
	bool metadata;          /* LBA formats with metadata */
	bool protection;        /* and with protection information; needs metadata */
	uint32_t storage_tag;   /* wanted bits of the storage tag in protection information */
	bool fdp;               /* an endurance group with Flexible Data Placement */
	bool streams;           /* the Streams directive */
	bool write_protection;  /* of namespaces, by feature 84h */
	bool boot;              /* boot partitions */
	bool boot_protection;   /* of boot partitions, by feature 85h */
	bool rpmb;              /* replay protected memory blocks */
	bool lockdown;          /* the Lockdown command */
	bool tcg;               /* security protocols of TCG, with the Opal SSC */
	bool reservations;      /* the commands of reservations */
	bool persistent_events; /* log page 0Dh */
	bool doorbell_buffer;   /* Doorbell Buffer Config */
	bool migration;         /* the first controller manages the migration of the others */
	uint32_t sgls;          /* SGLS of Identify Controller: NVME_SGLS_BYTES, NVME_SGLS_DWORDS, or 0 for no SGLs */
	uint32_t profile;       /* enum vssd_profile: what it has is switched on by vssd_options_parse() */
	struct vssd_media_options media;
	struct vssd_feature_options features;
};

/* The LBA format of a new drive, besides the size of its LBAs. */
struct vssd_format_options {
	uint32_t metadata; /* bytes of each LBA */
	bool extended;     /* they follow the data of each LBA */
	uint32_t pi;       /* type of the protection information; 0: none */
	uint32_t guard;    /* its bits */
};

/* Zoned namespaces. Sizes are in bytes. */
struct vssd_zone_options {
	uint32_t namespaces; /* the last so many namespaces are zoned */
	uint32_t max_open;   /* 0: no limit; so is max_active */
	uint32_t max_active;
	uint32_t zasl;      /* largest Zone Append, 2^zasl pages of 4 KiB; 0: as MDTS */
	uint32_t extension; /* of a zone descriptor, in units of 64 bytes; 0: none */
	uint32_t zrwas;     /* random write areas; 0: none */
	uint32_t read_only; /* so many zones, and offline ones behind them, at the end of a new namespace */
	uint32_t offline;
	uint64_t size;     /* of a zone */
	uint64_t capacity; /* of a zone; 0: its size */
	uint64_t zrwa_size;
	uint64_t zrwa_granularity;
	bool variable;    /* the capacity of a zone may change when it is reset */
	bool read_across; /* a read may cross the end of a zone */
};

/* Limits of commands that the NVM Command Set's Identify Controller reports; 0: none. */
struct vssd_limit_options {
	uint32_t vsl; /* the largest Verify, 2^vsl pages of 4 KiB; so is wzsl of Write Zeroes */
	uint32_t wzsl;
	uint32_t wusl;  /* the same of Write Uncorrectable */
	uint32_t dmrl;  /* ranges of Dataset Management */
	uint32_t dmrsl; /* LBAs of one range */
	uint32_t dmsl;  /* LBAs of all ranges */
};

/* Key Value namespaces. */
struct vssd_kv_options {
	uint32_t namespaces;   /* the last so many namespaces before the zoned ones */
	uint32_t key_length;   /* of the longest key, bytes (KML) */
	uint64_t value_length; /* of the longest value, bytes (VML) */
	uint32_t keys;         /* that a namespace can have (MNK); 0: no limit */
};

/* How the host can change the division of the capacity. */
enum vssd_capacity_management { VSSD_CAPACITY_NONE, VSSD_CAPACITY_FIXED, VSSD_CAPACITY_VARIABLE };

/* How the capacity of a new drive is divided. */
struct vssd_division_options {
	uint32_t groups;      /* endurance groups; 0: none, unless there are sets */
	uint32_t sets;        /* NVM sets; 0: none */
	uint32_t management;  /* enum vssd_capacity_management */
	bool recovery_levels; /* feature 12h */
};

/* The options of the drive; the table describes each. */
struct vssd_options {
	uint64_t size;          /* bytes of each namespace, which uses only whole blocks of 4 KiB */
	const char *file;       /* keep the data in this file beyond the process; NULL: in memory */
	bool null_store;        /* keep no data, to measure the path without the store */
	bool grant_all;         /* feature 07h grants all queues even if the host requests fewer */
	uint32_t lba_size;      /* bytes, of a new drive's LBA format */
	uint32_t queues;        /* IO queue pairs */
	uint32_t queue_entries; /* of the largest queue (CAP.MQES + 1) */
	uint32_t namespaces;
	uint32_t mpsmax;                         /* largest memory page, 2^mpsmax * 4 KiB (CAP.MPSMAX) */
	uint32_t mdts;                           /* largest transfer, 2^mdts pages of 4 KiB; 0: no limit */
	uint32_t version;                        /* NVMe version, as in register VS */
	uint64_t cache_size;                     /* volatile write cache, bytes; 0: none */
	uint64_t endurance;                      /* bytes whose writing wears the drive out; 0: nothing does */
	const char *serial;                      /* NULL: generated from the process and the time */
	uint32_t sanitize_failures;              /* how many sanitize operations fail before one succeeds */
	const char *faults[VSSD_MAX_FAULTS + 1]; /* fault rules; ends with NULL */
	const char *faults_file;                 /* a file of fault rules, or NULL */
	struct vssd_time_options times;
	struct vssd_optional optional;
	struct vssd_function_options functions;
	struct vssd_format_options format;
	struct vssd_zone_options zones;
	struct vssd_kv_options kv;
	struct vssd_division_options division;
	struct vssd_limit_options limits;
};

/* The command line: options of the drive and of its process. */
struct vssd_arguments {
	struct vssd_options drive;
	const char *folder;
	uint32_t cpu; /* UINT32_MAX: any */
	int owner_fd; /* -1: none; so is ready_fd */
	int ready_fd;
	bool temporary; /* remove the folder at the end */
	bool help;
	bool list;        /* --options */
	bool fault_words; /* --faults-help */
};

/* Set the documented defaults. */
void vssd_options_default(struct vssd_options *options);

/* Bytes of all namespaces of a new drive, and of its capacity that none of them has. */
uint64_t vssd_options_capacity(const struct vssd_options *options);

/* Check the options. 0, or -EINVAL: a value is invalid, or values contradict each other. */
int vssd_options_check(const struct vssd_options *options, struct pyn_error *err);

/* The part of vssd_options_check() about values that are right alone, and wrong together; and its part about zones,
 * Key Value namespaces, and the division of the capacity. */
int vssd_options_check_together(const struct vssd_options *options, struct pyn_error *err);
int vssd_options_check_namespaces(const struct vssd_options *options, struct pyn_error *err);

/* Parse a command line. 0, or -EINVAL. The strings in arguments point into argv. */
int vssd_options_parse(int argc, char **argv, struct vssd_arguments *arguments, struct pyn_error *err);

/* Print the text of --help. */
void vssd_options_help(void);

/* Write the options that scripts can set to text, as JSON: an array of objects with name, takes (the placeholder of
 * the value in the help, empty for a flag) and help. text has room for VSSD_OPTIONS_TEXT bytes. Returns the length.
 */
size_t vssd_options_list(char *text);

/* Write the values of the drive's options: an object with a string for each, as the command line accepts it. */
size_t vssd_options_values(const struct vssd_options *options, char *text);

#endif
