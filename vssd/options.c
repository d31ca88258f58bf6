/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/nvme_id.h"
#include "spec/nvme_regs.h"

#define NAME_COLUMN 23 /* of --help: the descriptions start here */
#define MOST_CPUS 1024u
#define TIME_MAX_MS 3600000u
#define RETRY_UNIT_MS 100u
#define RETRY_MAX_MS (UINT16_MAX / 4 * RETRY_UNIT_MS) /* CRDT3 is four times as long */
#define BLOCK 4096u

/* The syntax of a value, and its type in struct vssd_arguments. */
enum type {
	NUMBER,     /* uint32_t */
	SIZE,       /* uint64_t, bytes: a whole number, with K, M, G or T or without */
	CHOICE,     /* uint32_t, one of the names in choices */
	TEXT,       /* const char *, least to most characters */
	TEXTS,      /* const char *[], which ends with NULL; the option can be given most times */
	FLAG,       /* bool; takes no value */
	DESCRIPTOR, /* int, an open file descriptor */
};

struct choice {
	const char *name;
	uint32_t value;
};

static const struct choice lba_sizes[] = {
	{"512", 512},     {"1024", 1024},   {"2048", 2048},   {"4096", 4096}, {"8192", 8192},
	{"16384", 16384}, {"32768", 32768}, {"65536", 65536}, {NULL, 0},
};

static const struct choice metadata_sizes[] = {{"0", 0}, {"8", 8}, {"16", 16}, {"64", 64}, {NULL, 0}};

static const struct choice guards[] = {{"16", 16}, {"32", 32}, {"64", 64}, {NULL, 0}};

static const struct choice versions[] = {
	{"1.0", NVME_1_0},     {"1.1", NVME_1_1}, {"1.2", NVME_1_2},
	{"1.2.1", NVME_1_2_1}, {"1.3", NVME_1_3}, {"1.4", NVME_1_4},
	{"2.0", NVME_2_0},     {"2.1", NVME_2_1}, {NULL, 0},
};

static const struct choice sgls[] = {{"none", 0}, {"dword", NVME_SGLS_DWORDS}, {"byte", NVME_SGLS_BYTES}, {NULL, 0}};

static const struct choice managements[] = {
	{"none", VSSD_CAPACITY_NONE},
	{"fixed", VSSD_CAPACITY_FIXED},
	{"variable", VSSD_CAPACITY_VARIABLE},
	{NULL, 0},
};

static const struct choice profiles[] = {
	{"client", VSSD_PROFILE_CLIENT},
	{"datacenter", VSSD_PROFILE_DATACENTER},
	{"everything", VSSD_PROFILE_EVERYTHING},
	{NULL, 0},
};

/* What an option belongs to. */
enum whose { DRIVE, PROCESS, STARTER };

struct entry {
	const char *name;
	enum type type;
	enum whose whose; /* the drive, its process, or the program that starts it: the latter are not for scripts */
	size_t offset;    /* in struct vssd_arguments */
	uint64_t least;
	uint64_t most;
	uint64_t initial;
	const char *takes; /* placeholder of the value in --help; NULL: takes no value */
	const char *help;
	const char *unit;  /* of the value; NULL: not shown */
	const char *shown; /* instead of the default value; NULL: show the default */
	const struct choice *choices;
};

#define AT(member) offsetof(struct vssd_arguments, member)

static const struct entry entries[] = {
	{"dir", TEXT, PROCESS, AT(folder), 1, PATH_MAX, 0, "DIR",
	 "folder for the sockets; created if missing, and kept at the end", "the name of a folder", "", NULL},
	{"temporary", FLAG, STARTER, AT(temporary), 0, 1, 0, NULL,
	 "remove the folder at the end if vssd created it and it is empty", NULL, "", NULL},
	{"size", SIZE, DRIVE, AT(drive.size), BLOCK, UINT64_MAX, UINT64_C(0x801030) * 512, "SIZE",
	 "size of each namespace in bytes, or with K, M, G or T", "a size like 4G, at least 4K", "about 4G", NULL},
	{"file", TEXT, DRIVE, AT(drive.file), 1, PATH_MAX, 0, "FILE", "keep the data in FILE instead of in memory",
	 "the name of a file", "", NULL},
	{"null", FLAG, DRIVE, AT(drive.null_store), 0, 1, 0, NULL, "keep no data, for measurements of speed", NULL,
	 "", NULL},
	{"lba-size", CHOICE, DRIVE, AT(drive.lba_size), 0, 0, 512, "BYTES", "LBA size of a new drive", NULL, NULL,
	 lba_sizes},
	{"namespaces", NUMBER, DRIVE, AT(drive.namespaces), 1, VSSD_MAX_NAMESPACES, 1, "N", "number of namespaces",
	 NULL, NULL, NULL},
	{"controllers", NUMBER, DRIVE, AT(drive.functions.controllers), 1, VSSD_MAX_CONTROLLERS, 1, "N",
	 "number of controllers, which share the namespaces; that of number K from 2 on has its sockets in DIR/K",
	 NULL, NULL, NULL},
	{"private-namespaces", NUMBER, DRIVE, AT(drive.functions.private_ns), 0, VSSD_MAX_NAMESPACES, 0, "N",
	 "the last N namespaces are private: each is attached to one controller, in turn", NULL, NULL, NULL},
	{"virtual-functions", NUMBER, DRIVE, AT(drive.functions.virtual_ones), 0, VSSD_MAX_CONTROLLERS - 1, 0, "N",
	 "have SR-IOV with N virtual functions; that of number K has its sockets in DIR/K+1", NULL, NULL, NULL},
	{"ana", NUMBER, DRIVE, AT(drive.functions.ana), 0, VSSD_MAX_NAMESPACES, 0, "N",
	 "report Asymmetric Namespace Access, with N ANA groups to which the namespaces belong in turn", NULL, NULL,
	 NULL},
	{"namespace-management", FLAG, DRIVE, AT(drive.optional.ns_management), 0, 1, 0, NULL,
	 "let the host create, delete, attach and detach namespaces", NULL, "", NULL},
	{"unallocated", SIZE, DRIVE, AT(drive.optional.unallocated), 0, UINT64_MAX, 0, "SIZE",
	 "capacity beyond that of the first namespaces, for those that the host creates",
	 "a size like 64M, at least 4K, or 0", "0", NULL},
	{"endurance-groups", NUMBER, DRIVE, AT(drive.division.groups), 0, VSSD_MAX_GROUPS, 0, "N",
	 "divide the capacity into N endurance groups, to which the namespaces belong in turn", NULL, NULL, NULL},
	{"nvm-sets", NUMBER, DRIVE, AT(drive.division.sets), 0, VSSD_MAX_SETS, 0, "N",
	 "divide it into N NVM sets, which are in one endurance group or in those of --endurance-groups", NULL, NULL,
	 NULL},
	{"capacity-management", CHOICE, DRIVE, AT(drive.division.management), 0, 0, VSSD_CAPACITY_NONE, "KIND",
	 "let the host select a division (fixed), or create and delete groups and sets (variable)", NULL, NULL,
	 managements},
	{"read-recovery-levels", FLAG, DRIVE, AT(drive.division.recovery_levels), 0, 1, 0, NULL,
	 "have feature 12h, Read Recovery Level, with levels 4 and 15", NULL, "", NULL},
	{"profile", CHOICE, DRIVE, AT(drive.optional.profile), 0, 0, VSSD_PROFILE_CLIENT, "NAME",
	 "have the optional features of this kind of drive", NULL, NULL, profiles},
	{"queues", NUMBER, DRIVE, AT(drive.queues), 1, VSSD_MAX_IO_QUEUES, 16, "N", "number of IO queue pairs", NULL,
	 NULL, NULL},
	{"grant-all", FLAG, DRIVE, AT(drive.grant_all), 0, 1, 0, NULL,
	 "grant all queues, even to hosts that request fewer (Number of Queues)", NULL, "", NULL},
	{"queue-entries", NUMBER, DRIVE, AT(drive.queue_entries), 2, 65536, 4096, "N", "entries in the largest queue",
	 NULL, NULL, NULL},
	{"mpsmax", NUMBER, DRIVE, AT(drive.mpsmax), 0, 15, 4, "N",
	 "largest memory page that the host can choose (CAP.MPSMAX): 2^N * 4 KiB", NULL, "4: 64 KiB", NULL},
	{"mdts", NUMBER, DRIVE, AT(drive.mdts), 0, 15, 5, "N",
	 "largest transfer: 2^N pages of 4 KiB, or no limit if N is 0", NULL, "5: 128 KiB", NULL},
	{"sgls", CHOICE, DRIVE, AT(drive.optional.sgls), 0, 0, 0, "ALIGNMENT",
	 "support SGLs with data blocks of this alignment (byte: also bit buckets, and lists longer than the data)",
	 NULL, NULL, sgls},
	{"cache", SIZE, DRIVE, AT(drive.cache_size), 0, UINT64_MAX, UINT64_C(64) << 20, "SIZE",
	 "size of the volatile write cache, or 0 for none", "a size like 64M, or 0", "64M", NULL},
	{"endurance", SIZE, DRIVE, AT(drive.endurance), 0, UINT64_MAX, 0, "SIZE",
	 "wear the drive out by writing so many bytes, or 0 for no wear", "a size like 4G, at least 64K, or 0", "0",
	 NULL},
	{"metadata", FLAG, DRIVE, AT(drive.optional.metadata), 0, 1, 0, NULL,
	 "have LBA formats with 8, 16 and 64 bytes of metadata", NULL, "", NULL},
	{"protection", FLAG, DRIVE, AT(drive.optional.protection), 0, 1, 0, NULL,
	 "have end-to-end protection information, and with it the LBA formats of --metadata", NULL, "", NULL},
	{"storage-tag", NUMBER, DRIVE, AT(drive.optional.storage_tag), 0, 64, 0, "N",
	 "bits of the storage tag in protection information, as far as its format allows it", NULL, NULL, NULL},
	{"metadata-size", CHOICE, DRIVE, AT(drive.format.metadata), 0, 0, 0, "BYTES",
	 "bytes of metadata that each LBA of a new drive has, with the formats of --metadata", NULL, NULL,
	 metadata_sizes},
	{"extended-lba", FLAG, DRIVE, AT(drive.format.extended), 0, 1, 0, NULL,
	 "let the metadata of a new drive follow the data of each LBA", NULL, "", NULL},
	{"pi", NUMBER, DRIVE, AT(drive.format.pi), 0, 3, 0, "TYPE",
	 "type of protection information that a new drive has, with the formats of --protection, or 0 for none", NULL,
	 NULL, NULL},
	{"guard", CHOICE, DRIVE, AT(drive.format.guard), 0, 0, 16, "BITS", "size of the guard of --pi", NULL, NULL,
	 guards},
	{"fdp", FLAG, DRIVE, AT(drive.optional.fdp), 0, 1, 0, NULL,
	 "have an endurance group with Flexible Data Placement, enabled (NVMe 2.0)", NULL, "", NULL},
	{"streams", FLAG, DRIVE, AT(drive.optional.streams), 0, 1, 0, NULL, "have the Streams directive", NULL, "",
	 NULL},
	{"zoned", NUMBER, DRIVE, AT(drive.zones.namespaces), 0, VSSD_MAX_NAMESPACES, 0, "N",
	 "make the last N namespaces zoned (ZNS)", NULL, NULL, NULL},
	{"zone-size", SIZE, DRIVE, AT(drive.zones.size), BLOCK, UINT64_MAX, UINT64_C(16) << 20, "SIZE",
	 "size of a zone, a multiple of 4K; Linux needs a power of two", "a size like 16M, at least 4K", "16M", NULL},
	{"zone-capacity", SIZE, DRIVE, AT(drive.zones.capacity), 0, UINT64_MAX, 0, "SIZE",
	 "how much of a zone can be written, a multiple of 4K, or 0 for all of it", "a size like 12M, or 0", "0",
	 NULL},
	{"max-open-zones", NUMBER, DRIVE, AT(drive.zones.max_open), 0, VSSD_MAX_ZONES, 16, "N",
	 "most open zones of a namespace, or no limit if N is 0", NULL, NULL, NULL},
	{"max-active-zones", NUMBER, DRIVE, AT(drive.zones.max_active), 0, VSSD_MAX_ZONES, 32, "N",
	 "most active zones of a namespace, or no limit if N is 0", NULL, NULL, NULL},
	{"zasl", NUMBER, DRIVE, AT(drive.zones.zasl), 0, 15, 0, "N",
	 "largest Zone Append: 2^N pages of 4 KiB, or as MDTS if N is 0", NULL, NULL, NULL},
	{"zdes", NUMBER, DRIVE, AT(drive.zones.extension), 0, UINT8_MAX, 1, "N",
	 "size of a zone descriptor extension, in units of 64 bytes", NULL, NULL, NULL},
	{"zrwas", NUMBER, DRIVE, AT(drive.zones.zrwas), 0, VSSD_MAX_ZONES, 0, "N",
	 "zone random write areas of a namespace", NULL, NULL, NULL},
	{"zrwa-size", SIZE, DRIVE, AT(drive.zones.zrwa_size), BLOCK, UINT64_MAX, UINT64_C(128) << 10, "SIZE",
	 "size of a zone random write area, a multiple of its granularity", "a size like 128K, at least 4K", "128K",
	 NULL},
	{"zrwa-granularity", SIZE, DRIVE, AT(drive.zones.zrwa_granularity), BLOCK, UINT64_MAX, UINT64_C(16) << 10,
	 "SIZE", "what a flush of a zone random write area is a multiple of, itself one of 4K",
	 "a size like 16K, at least 4K", "16K", NULL},
	{"variable-capacity", FLAG, DRIVE, AT(drive.zones.variable), 0, 1, 0, NULL,
	 "let the capacity of a zone shrink as it is reset", NULL, "", NULL},
	{"read-across-zones", FLAG, DRIVE, AT(drive.zones.read_across), 0, 1, 0, NULL,
	 "let reads cross the end of a zone", NULL, "", NULL},
	{"read-only-zones", NUMBER, DRIVE, AT(drive.zones.read_only), 0, VSSD_MAX_ZONES, 0, "N",
	 "make so many of the last zones of a new namespace read-only", NULL, NULL, NULL},
	{"offline-zones", NUMBER, DRIVE, AT(drive.zones.offline), 0, VSSD_MAX_ZONES, 0, "N",
	 "take so many of the last zones of a new namespace offline", NULL, NULL, NULL},
	{"key-value", NUMBER, DRIVE, AT(drive.kv.namespaces), 0, VSSD_MAX_NAMESPACES, 0, "N",
	 "make the last N namespaces, or those before the zoned ones, stores of keys and values (KV)", NULL, NULL,
	 NULL},
	{"kv-key-length", NUMBER, DRIVE, AT(drive.kv.key_length), 1, 16, 16, "N", "length of the longest key",
	 "bytes", NULL, NULL},
	{"kv-value-length", SIZE, DRIVE, AT(drive.kv.value_length), 1, UINT64_C(1) << 20, UINT64_C(64) << 10, "SIZE",
	 "length of the longest value, 1M at most", "a size like 64K, from 1 to 1M", "64K", NULL},
	{"kv-keys", NUMBER, DRIVE, AT(drive.kv.keys), 0, UINT32_MAX, 0, "N",
	 "most keys of a namespace, or no limit if N is 0", NULL, NULL, NULL},
	{"vsl", NUMBER, DRIVE, AT(drive.limits.vsl), 0, 15, 0, "N",
	 "largest Verify: 2^N pages of 4 KiB, or no limit if N is 0", NULL, NULL, NULL},
	{"wzsl", NUMBER, DRIVE, AT(drive.limits.wzsl), 0, 15, 0, "N",
	 "largest Write Zeroes: 2^N pages of 4 KiB, or no limit if N is 0", NULL, NULL, NULL},
	{"wusl", NUMBER, DRIVE, AT(drive.limits.wusl), 0, 15, 0, "N",
	 "largest Write Uncorrectable: 2^N pages of 4 KiB, or no limit if N is 0", NULL, NULL, NULL},
	{"dmrl", NUMBER, DRIVE, AT(drive.limits.dmrl), 0, UINT8_MAX, 0, "N",
	 "most ranges of Dataset Management, or no limit if N is 0; needs --dmrsl and --dmsl", NULL, NULL, NULL},
	{"dmrsl", NUMBER, DRIVE, AT(drive.limits.dmrsl), 0, UINT32_MAX, 0, "N",
	 "most LBAs of one range of Dataset Management, or no limit if N is 0", NULL, NULL, NULL},
	{"dmsl", NUMBER, DRIVE, AT(drive.limits.dmsl), 0, UINT32_MAX, 0, "N",
	 "most LBAs of all ranges of Dataset Management, or no limit if N is 0", NULL, NULL, NULL},
	{"write-protection", FLAG, DRIVE, AT(drive.optional.write_protection), 0, 1, 0, NULL,
	 "let the host protect namespaces from writes (feature 84h)", NULL, "", NULL},
	{"boot-partitions", FLAG, DRIVE, AT(drive.optional.boot), 0, 1, 0, NULL, "have two boot partitions", NULL, "",
	 NULL},
	{"boot-protection", FLAG, DRIVE, AT(drive.optional.boot_protection), 0, 1, 0, NULL,
	 "have two boot partitions, locked until the host unlocks them (feature 85h)", NULL, "", NULL},
	{"rpmb", FLAG, DRIVE, AT(drive.optional.rpmb), 0, 1, 0, NULL,
	 "have 4 replay protected memory blocks (RPMB) of 256 KiB", NULL, "", NULL},
	{"lockdown", FLAG, DRIVE, AT(drive.optional.lockdown), 0, 1, 0, NULL,
	 "let the host prohibit commands and features (Lockdown)", NULL, "", NULL},
	{"tcg", FLAG, DRIVE, AT(drive.optional.tcg), 0, 1, 0, NULL, "be a self-encrypting drive (TCG Opal)", NULL, "",
	 NULL},
	{"mi", FLAG, DRIVE, AT(drive.optional.mi), 0, 1, 0, NULL, "have the Management Interface (NVMe-MI), in band",
	 NULL, "", NULL},
	{"copy", FLAG, DRIVE, AT(drive.optional.copy), 0, 1, 0, NULL, "have the Copy command", NULL, "", NULL},
	{"reservations", FLAG, DRIVE, AT(drive.optional.reservations), 0, 1, 0, NULL, "let hosts reserve namespaces",
	 NULL, "", NULL},
	{"ocp", FLAG, DRIVE, AT(drive.optional.ocp), 0, 1, 0, NULL,
	 "have log pages C0h to C7h and C9h and features C1h to C7h of OCP's specification", NULL, "", NULL},
	{"persistent-events", FLAG, DRIVE, AT(drive.optional.persistent_events), 0, 1, 0, NULL,
	 "have the Persistent Event log page (0Dh)", NULL, "", NULL},
	{"lba-status", FLAG, DRIVE, AT(drive.optional.media.lba_status), 0, 1, 0, NULL,
	 "track unreadable LBAs (Get LBA Status, log page 0Eh, feature 15h)", NULL, "", NULL},
	{"media-verification", FLAG, DRIVE, AT(drive.optional.media.verification), 0, 1, 0, NULL,
	 "let the host read the media before a sanitize operation deallocates them", NULL, "", NULL},
	{"rotational", NUMBER, DRIVE, AT(drive.optional.media.rotational), 0, UINT16_MAX - 1, 0, "N",
	 "have media that turn N times a minute (log page 16h, feature 1Ah), or none if N is 0", NULL, NULL, NULL},
	{"migration", FLAG, DRIVE, AT(drive.optional.migration), 0, 1, 0, NULL,
	 "live migration: the first controller logs what the others change, suspends them, and sets their state",
	 NULL, "", NULL},
	{"doorbell-buffer", FLAG, DRIVE, AT(drive.optional.doorbell_buffer), 0, 1, 0, NULL,
	 "have Doorbell Buffer Config, and use shadow doorbells", NULL, "", NULL},
	{"power-measurement", FLAG, DRIVE, AT(drive.optional.features.power_measurement), 0, 1, 0, NULL,
	 "measure and limit the power (features 23h to 25h, log page 25h of NVMe 2.3)", NULL, "", NULL},
	{"keep-alive", FLAG, DRIVE, AT(drive.optional.features.keep_alive), 0, 1, 0, NULL,
	 "have the Keep Alive Timer (feature 0Fh) and the Keep Alive command", NULL, "", NULL},
	{"host-metadata", FLAG, DRIVE, AT(drive.optional.features.host_metadata), 0, 1, 0, NULL,
	 "have Enhanced Controller, Controller and Namespace Metadata (features 7Dh to 7Fh)", NULL, "", NULL},
	{"error-injection", FLAG, DRIVE, AT(drive.optional.error_injection), 0, 1, 0, NULL,
	 "have feature C0h, Error Injection, of OCP's specification", NULL, "", NULL},
	{"serial", TEXT, DRIVE, AT(drive.serial), 0, VSSD_SERIAL_SIZE, 0, "TEXT", "serial number", NULL, "generated",
	 NULL},
	{"nvme-version", CHOICE, DRIVE, AT(drive.version), 0, 0, NVME_2_0, "X.Y",
	 "NVMe version that the drive claims", NULL, NULL, versions},
	{"format-time", NUMBER, DRIVE, AT(drive.times.format_ms), 0, TIME_MAX_MS, 20, "MS",
	 "minimum duration of Format NVM", "milliseconds", NULL, NULL},
	{"sanitize-time", NUMBER, DRIVE, AT(drive.times.sanitize_ms), 0, TIME_MAX_MS, 2000, "MS",
	 "minimum duration of a sanitize operation", "milliseconds", NULL, NULL},
	{"sanitize-failures", NUMBER, DRIVE, AT(drive.sanitize_failures), 0, UINT32_MAX, 0, "N",
	 "make the first N sanitize operations fail half-way", NULL, NULL, NULL},
	{"self-test-time", NUMBER, DRIVE, AT(drive.times.self_test_ms), 0, TIME_MAX_MS, 500, "MS",
	 "duration of a short self-test", "milliseconds", NULL, NULL},
	{"extended-self-test-time", NUMBER, DRIVE, AT(drive.times.extended_self_test_ms), 0, TIME_MAX_MS,
	 VSSD_TIME_DERIVED, "MS", "duration of an extended self-test", "milliseconds",
	 "ten times as long as a short one", NULL},
	{"retry-delay", NUMBER, DRIVE, AT(drive.times.retry_ms), 0, RETRY_MAX_MS, 0, "MS",
	 "Command Retry Delay Time 1, in units of 100 ms; the others are twice and four times as long",
	 "milliseconds, 0 for none", NULL, NULL},
	{"fault", TEXTS, DRIVE, AT(drive.faults), 0, VSSD_MAX_FAULTS, 0, "RULE",
	 "plant a fault rule; can be given several times", "a fault rule", "", NULL},
	{"faults", TEXT, DRIVE, AT(drive.faults_file), 1, PATH_MAX, 0, "FILE", "plant the fault rules of FILE",
	 "the name of a file", "", NULL},
	{"faults-help", FLAG, STARTER, AT(fault_words), 0, 1, 0, NULL, "print the words of fault rules as JSON", NULL,
	 "", NULL},
	{"cpu", NUMBER, PROCESS, AT(cpu), 0, MOST_CPUS - 1, UINT32_MAX, "N", "run on this CPU only", NULL, "any",
	 NULL},
	{"owner-fd", DESCRIPTOR, STARTER, AT(owner_fd), 0, INT_MAX, UINT64_MAX, "N",
	 "end when the other end of this pipe is closed", "an open descriptor", "", NULL},
	{"ready-fd", DESCRIPTOR, STARTER, AT(ready_fd), 0, INT_MAX, UINT64_MAX, "N",
	 "write \"ready\" or an error message to this descriptor", "an open descriptor", "", NULL},
	{"options", FLAG, STARTER, AT(list), 0, 1, 0, NULL, "print the options for scripts as JSON", NULL, "", NULL},
	{"help", FLAG, STARTER, AT(help), 0, 1, 0, NULL, "", NULL, "", NULL},
};

#define NUM_ENTRIES (sizeof(entries) / sizeof(entries[0]))

/* ---- texts ---- */

/* A buffer for a text that is built piece by piece, and truncated if it does not fit. */
struct text {
	char *at;
	size_t size;
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	size_t room = text->size - text->length;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text->at + text->length, room, format, args);
	va_end(args);
	text->length += (size_t)length < room ? (size_t)length : room - 1;
}

static const char *choice_name(const struct entry *entry, uint64_t value)
{
	for (const struct choice *choice = entry->choices; choice->name; choice++)
		if (choice->value == value)
			return choice->name;
	return NULL;
}

static void add_choices(struct text *text, const struct entry *entry)
{
	for (const struct choice *choice = entry->choices; choice->name; choice++)
		add(text, "%s%s", choice == entry->choices ? "" : choice[1].name ? ", " : " or ", choice->name);
}

/* Append the range of values of an option, unless its unit already describes it. */
static void add_values(struct text *text, const struct entry *entry)
{
	if (entry->type == CHOICE)
		add_choices(text, entry);
	else if (entry->type == TEXT && !entry->unit)
		add(text, "at most %" PRIu64 " characters of ASCII", entry->most);
	else if (entry->type == NUMBER)
		add(text, "%s%s%" PRIu64 " to %" PRIu64, entry->unit ? entry->unit : "", entry->unit ? ", " : "",
		    entry->least, entry->most);
}

/* Append the kind of value that the option expects, for an error message. */
static void add_wanted(struct text *text, const struct entry *entry)
{
	size_t before = text->length;

	add_values(text, entry);
	if (text->length == before)
		add(text, "%s", entry->unit ? entry->unit : "no value");
}

/* Append the help of an option with its range and default: "number of namespaces; 1 to 32 (1)". */
static void add_help(struct text *text, const struct entry *entry)
{
	size_t before;

	add(text, "%s", entry->help);
	before = text->length;
	add(text, "; ");
	add_values(text, entry);
	if (text->length == before + 2)
		text->length = before;
	text->at[text->length] = '\0';
	if (entry->shown && *entry->shown)
		add(text, " (%s)", entry->shown);
	else if (!entry->shown && entry->type == CHOICE)
		add(text, " (%s)", choice_name(entry, entry->initial));
	else if (!entry->shown)
		add(text, " (%" PRIu64 ")", entry->initial);
}

/* ---- values ---- */

static void *member(struct vssd_arguments *arguments, const struct entry *entry)
{
	return (char *)arguments + entry->offset;
}

static void set_number(struct vssd_arguments *arguments, const struct entry *entry, uint64_t value)
{
	switch (entry->type) {
	case NUMBER:
	case CHOICE:
		*(uint32_t *)member(arguments, entry) = (uint32_t)value;
		return;
	case SIZE:
		*(uint64_t *)member(arguments, entry) = value;
		return;
	case FLAG:
		*(bool *)member(arguments, entry) = value;
		return;
	case DESCRIPTOR:
		*(int *)member(arguments, entry) = (int)value;
		return;
	case TEXT:
	case TEXTS:
		*(const char **)member(arguments, entry) = NULL;
		return;
	}
}

static uint64_t number_of(const struct vssd_options *options, const struct entry *entry)
{
	const char *at = (const char *)options + entry->offset - AT(drive);

	switch (entry->type) {
	case NUMBER:
	case CHOICE:
		return *(const uint32_t *)at;
	case SIZE:
		return *(const uint64_t *)at;
	case FLAG:
		return *(const bool *)at;
	default:
		return 0;
	}
}

static const char *text_of(const struct vssd_options *options, const struct entry *entry)
{
	return *(const char *const *)((const char *)options + entry->offset - AT(drive));
}

static void set_defaults(struct vssd_arguments *arguments)
{
	memset(arguments, 0, sizeof(*arguments));
	for (size_t i = 0; i < NUM_ENTRIES; i++)
		set_number(arguments, &entries[i], entries[i].initial);
}

void vssd_options_default(struct vssd_options *options)
{
	struct vssd_arguments arguments;

	set_defaults(&arguments);
	*options = arguments.drive;
}

/* ---- parsing ---- */

/* Parse a text that is a decimal number and nothing else. */
static bool parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

/* Parse a size: a whole number, with or without a suffix of one letter, such as "512K". "1.5G" is invalid. */
static bool parse_size(const char *text, uint64_t *size)
{
	static const char suffixes[] = "KMGT";
	size_t length = strlen(text);
	const char *suffix = length > 0 ? strchr(suffixes, text[length - 1] & ~0x20) : NULL;
	char digits[24];

	if (length == 0 || length >= sizeof(digits))
		return false;
	if (!suffix || *suffix == '\0')
		return parse_number(text, size);
	memcpy(digits, text, length - 1);
	digits[length - 1] = '\0';
	return parse_number(digits, size) &&
	       !__builtin_mul_overflow(*size, UINT64_C(1024) << (10 * (suffix - suffixes)), size);
}

static bool parse_choice(const struct entry *entry, const char *text, uint64_t *value)
{
	for (const struct choice *choice = entry->choices; choice->name; choice++)
		if (strcmp(choice->name, text) == 0) {
			*value = choice->value;
			return true;
		}
	return false;
}

/* Append a text to those of an option. False: there are too many. */
static bool take_text(struct vssd_arguments *arguments, const struct entry *entry, const char *value)
{
	const char **texts = member(arguments, entry);
	uint64_t count = 0;

	while (texts[count])
		count++;
	if (count == entry->most)
		return false;
	texts[count] = value;
	return true;
}

/* Whether a text fits the option. A text without a unit is a field of Identify, which consists of printable ASCII. */
static bool fits_text(const struct entry *entry, const char *text)
{
	size_t length = strlen(text);

	for (const char *at = text; !entry->unit && *at; at++)
		if (*at < ' ' || *at > '~')
			return false;
	return length >= entry->least && length <= entry->most;
}

/* Store the value of an option. False: the value is invalid. */
static bool take(struct vssd_arguments *arguments, const struct entry *entry, const char *value)
{
	uint64_t number = 1;
	bool is_right = true;

	switch (entry->type) {
	case TEXT:
		*(const char **)member(arguments, entry) = value;
		return fits_text(entry, value);
	case TEXTS:
		return take_text(arguments, entry, value);
	case CHOICE:
		is_right = parse_choice(entry, value, &number);
		break;
	case SIZE:
		is_right = parse_size(value, &number) && number >= entry->least;
		break;
	case NUMBER:
	case DESCRIPTOR:
		is_right = parse_number(value, &number) && number >= entry->least && number <= entry->most;
		break;
	case FLAG:
		break;
	}
	if (entry->type == DESCRIPTOR && is_right)
		is_right = fcntl((int)number, F_SETFD, FD_CLOEXEC) == 0;
	if (is_right)
		set_number(arguments, entry, number);
	return is_right;
}

static int refuse(const struct entry *entry, const char *value, struct pyn_error *err)
{
	char wanted[PYN_ERROR_TEXT];
	struct text text = {wanted, sizeof(wanted), 0};

	add_wanted(&text, entry);
	return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "--%s takes %s, not \"%s\"", entry->name, wanted, value);
}

/* Switch on what drives of this profile have. */
static void apply_profile(struct vssd_options *options)
{
	bool all = options->optional.profile == VSSD_PROFILE_EVERYTHING;
	bool datacenter = all || options->optional.profile == VSSD_PROFILE_DATACENTER;

	options->optional.ocp |= datacenter;
	options->optional.error_injection |= datacenter;
	options->optional.ns_management |= datacenter;
	options->optional.persistent_events |= datacenter;
	options->optional.copy |= all;
	options->optional.reservations |= all;
	options->optional.doorbell_buffer |= all;
	options->optional.streams |= all;
	options->optional.features.power_measurement |= all;
	options->optional.migration |= all && options->version >= NVME_2_0 &&
				       options->functions.controllers + options->functions.virtual_ones > 1;
	options->optional.features.keep_alive |= all;
	options->optional.features.host_metadata |= all;
	options->optional.mi |= all;
	options->optional.media.lba_status |= all && !options->null_store;
	options->optional.media.verification |= all && !options->null_store;
	options->optional.tcg |= all && !options->null_store;
	options->optional.boot |= (all && !options->null_store) || options->optional.boot_protection;
	options->optional.rpmb |= all && !options->null_store;
	options->optional.lockdown |= all;
	if (all && !options->times.retry_ms && options->version >= NVME_1_4)
		options->times.retry_ms = RETRY_UNIT_MS;
	options->optional.write_protection |= all && !options->null_store;
	options->optional.protection |= all && !options->null_store;
	options->optional.metadata |= options->optional.protection;
	options->optional.fdp |= all && !options->file && !options->null_store && options->lba_size <= BLOCK &&
				 !options->division.groups && !options->division.sets;
	options->division.recovery_levels |= all && options->version >= NVME_1_4;
	if (all && !options->functions.ana && options->functions.controllers > 1)
		options->functions.ana = options->namespaces;
	if (all && !options->optional.sgls)
		options->optional.sgls = NVME_SGLS_BYTES;
}

/* Switch on what the LBA format of a new drive needs. */
static void apply_format(struct vssd_options *options)
{
	struct vssd_format_options *format = &options->format;

	if (format->pi && !format->metadata)
		format->metadata = format->guard == 16 ? 8 : 16;
	options->optional.protection |= format->pi != 0;
	options->optional.metadata |= format->metadata != 0 || options->optional.protection;
}

/* Rotational media are those of an endurance group. */
static void apply_media(struct vssd_options *options)
{
	struct vssd_division_options *division = &options->division;

	if (options->optional.media.rotational && options->version >= NVME_2_0 && !options->optional.fdp &&
	    !division->groups && !division->sets)
		division->groups = 1;
}

int vssd_options_parse(int argc, char **argv, struct vssd_arguments *arguments, struct pyn_error *err)
{
	struct option options[NUM_ENTRIES + 1] = {{0}};
	int option, index = 0;

	for (size_t i = 0; i < NUM_ENTRIES; i++)
		options[i] = (struct option){
			.name = entries[i].name,
			.has_arg = entries[i].takes ? required_argument : no_argument,
			.val = 1,
		};
	set_defaults(arguments);
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
		if (option == '?')
			return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
					 "%s is unknown, ambiguous or lacks its value; --help lists the options",
					 argv[optind - 1]);
		if (!take(arguments, &entries[index], optarg))
			return refuse(&entries[index], optarg, err);
	}
	apply_profile(&arguments->drive);
	apply_format(&arguments->drive);
	apply_media(&arguments->drive);
	if (optind < argc)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "\"%s\" is not an option; --help lists the options",
				 argv[optind]);
	if (!arguments->folder && !arguments->help && !arguments->list && !arguments->fault_words)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "--dir is missing: the folder of the drive's sockets");
	return 0;
}

/* ---- checking ---- */

static bool is_taken(const struct vssd_options *options, const struct entry *entry)
{
	uint64_t number = number_of(options, entry);

	if (entry->type == CHOICE)
		return choice_name(entry, number);
	if (entry->type == TEXTS)
		return true;
	if (entry->type == TEXT)
		return !text_of(options, entry) || fits_text(entry, text_of(options, entry));
	return (number >= entry->least && number <= entry->most) || number == entry->initial;
}

static void add_value(struct text *text, const struct vssd_options *options, const struct entry *entry)
{
	uint64_t number = number_of(options, entry);

	if (entry->type == TEXT)
		add(text, "%s", text_of(options, entry) ? text_of(options, entry) : "");
	else if (entry->choices && number >= NVME_1_0)
		add(text, "%" PRIu64 ".%" PRIu64 "%s", number >> 16, number >> 8 & 0xff, number & 0xff ? ".1" : "");
	else
		add(text, "%" PRIu64, number);
}

int vssd_options_check(const struct vssd_options *options, struct pyn_error *err)
{
	for (size_t i = 0; i < NUM_ENTRIES; i++) {
		char value[PYN_ERROR_TEXT];
		struct text text = {value, sizeof(value), 0};

		if (entries[i].whose != DRIVE || is_taken(options, &entries[i]))
			continue;
		add_value(&text, options, &entries[i]);
		return refuse(&entries[i], value, err);
	}
	return vssd_options_check_together(options, err);
}

/* ---- telling ---- */

void vssd_options_help(void)
{
	printf("Usage: vssd --dir DIR [options]\n"
	       "A virtual NVMe SSD. Its clients connect to DIR (vfio-user): pynvme, SPDK, QEMU 10.1 and later.\n\n");
	for (size_t i = 0; i < NUM_ENTRIES; i++) {
		const struct entry *entry = &entries[i];
		char says[256];
		struct text text = {says, sizeof(says), 0};
		int width;

		add_help(&text, entry);
		width = printf("  --%s%s%s", entry->name, entry->takes ? " " : "", entry->takes ? entry->takes : "");
		printf("%*s%s\n", !*says ? 0 : width < NAME_COLUMN - 1 ? NAME_COLUMN - width : 2, "", says);
	}
}

/* Append a JSON string. Bytes above 7Fh are passed on, so names that are not UTF-8 are not valid JSON. */
static void add_string(struct text *text, const char *string)
{
	add(text, "\"");
	for (; *string; string++) {
		if (*string == '"' || *string == '\\')
			add(text, "\\%c", *string);
		else if ((unsigned char)*string < ' ')
			add(text, "\\u%04x", (unsigned char)*string);
		else
			add(text, "%c", *string);
	}
	add(text, "\"");
}

size_t vssd_options_list(char *to)
{
	struct text text = {to, VSSD_OPTIONS_TEXT, 0};

	add(&text, "[");
	for (size_t i = 0; i < NUM_ENTRIES; i++) {
		char says[256];
		struct text help = {says, sizeof(says), 0};

		if (entries[i].whose == STARTER)
			continue;
		add_help(&help, &entries[i]);
		add(&text, "%s\n {\"name\": \"%s\", \"takes\": \"%s\", \"help\": ", text.length > 1 ? "," : "",
		    entries[i].name, entries[i].takes ? entries[i].takes : "");
		add_string(&text, says);
		add(&text, "}");
	}
	add(&text, "\n]\n");
	return text.length;
}

size_t vssd_options_values(const struct vssd_options *options, char *to)
{
	struct text text = {to, VSSD_OPTIONS_TEXT, 0};

	add(&text, "{");
	for (size_t i = 0; i < NUM_ENTRIES; i++) {
		char value[PATH_MAX];
		struct text one = {value, sizeof(value), 0};

		if (entries[i].whose != DRIVE || entries[i].type == TEXTS ||
		    (entries[i].type == TEXT && !text_of(options, &entries[i])))
			continue;
		add_value(&one, options, &entries[i]);
		add(&text, "%s\"%s\": ", text.length > 1 ? ", " : "", entries[i].name);
		add_string(&text, value);
	}
	add(&text, "}");
	return text.length;
}
