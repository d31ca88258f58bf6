/* SPDX-License-Identifier: BSD-3-Clause */
/* The virtual SSD: an NVMe drive that any vfio-user client can use. `vssd --help` tells the options. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/error.h"
#include "vssd/server/control.h"
#include "vssd/server/folder.h"
#include "vssd/server/loop.h"
#include "vssd/server/session.h"

struct arguments {
	struct vssd_options drive;
	const char *folder;
	int owner_fd;
	int ready_fd;
	int cpu;
	bool temporary;
	bool help;
};

static const char usage[] =
	"Usage: vssd --dir DIR [options]\n"
	"A virtual NVMe SSD. Its clients connect to DIR (vfio-user): pynvme, SPDK, QEMU 10.1 and later.\n"
	"\n"
	"  --dir DIR            folder of its sockets; made where there is none, and left at the end\n"
	"  --temporary          remove the folder at the end, if it was made and holds nothing else\n"
	"  --size SIZE          of each namespace: bytes, or with K, M, G, T (4G)\n"
	"  --file FILE          keep the data in FILE instead of in memory\n"
	"  --null               keep no data: for measuring\n"
	"  --lba-size BYTES     512 or 4096 (512)\n"
	"  --namespaces N       1 to 32 (1)\n"
	"  --queues N           IO queue pairs, 1 to 64 (16)\n"
	"  --grant-all          grant all queues, also to hosts that ask for fewer (Number of Queues)\n"
	"  --queue-entries N    in the largest queue, 2 to 65536 (4096)\n"
	"  --mdts N             largest transfer: 2^N pages of 4 KiB, 0 to 15, 0: no limit (5: 128 KiB)\n"
	"  --cache SIZE         of the volatile write cache, 0: none (64M)\n"
	"  --serial TEXT        serial number, up to 20 characters\n"
	"  --nvme-version X.Y   that it claims: " VSSD_VERSION_NAMES " (2.0)\n"
	"  --format-time MS     that Format NVM takes at least, milliseconds (20)\n"
	"  --sanitize-time MS   that a sanitize operation takes at least, milliseconds (2000)\n"
	"  --sanitize-failures N  make the first N sanitize operations fail half-way, 0 to 4294967295 (0)\n"
	"  --self-test-time MS  that a short self-test takes (500)\n"
	"  --extended-self-test-time MS  that an extended one takes (ten times as long as a short one)\n"
	"  --cpu N              run on this CPU only\n"
	"  --owner-fd N         end when this pipe is closed at its other end\n"
	"  --ready-fd N         write \"ready\", or what is wrong, to this descriptor\n"
	"  --help\n";

/* A number that ends where the text ends: false where it does not, or is out of range. */
static bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && *number >= least && *number <= most;
}

/* "4096", "512K", "1.5G" is not one: whole numbers with a suffix of one letter. */
static bool parse_size(const char *text, uint64_t *size)
{
	static const char suffixes[] = "KMGT";
	size_t length = strlen(text);
	const char *suffix = length > 0 ? strchr(suffixes, text[length - 1] & ~0x20) : NULL;
	char digits[24];

	if (length == 0 || length >= sizeof(digits))
		return false;
	if (!suffix || *suffix == '\0')
		return parse_number(text, 0, UINT64_MAX, size);
	memcpy(digits, text, length - 1);
	digits[length - 1] = '\0';
	return parse_number(digits, 0, UINT64_MAX, size) &&
	       !__builtin_mul_overflow(*size, UINT64_C(1024) << (10 * (suffix - suffixes)), size);
}

/* "1.4" is 0x00010400. */
static bool parse_version(const char *text, uint32_t *version)
{
	for (unsigned i = 0; i < VSSD_NUM_VERSIONS; i++)
		if (strcmp(text, vssd_known_versions[i].name) == 0) {
			*version = vssd_known_versions[i].value;
			return true;
		}
	return false;
}

enum {
	OPT_DIR = 1,
	OPT_TEMPORARY,
	OPT_SIZE,
	OPT_FILE,
	OPT_NULL,
	OPT_LBA_SIZE,
	OPT_NAMESPACES,
	OPT_QUEUES,
	OPT_GRANT_ALL,
	OPT_QUEUE_ENTRIES,
	OPT_MDTS,
	OPT_CACHE,
	OPT_SERIAL,
	OPT_NVME_VERSION,
	OPT_FORMAT_TIME,
	OPT_SANITIZE_TIME,
	OPT_SANITIZE_FAILURES,
	OPT_SELF_TEST_TIME,
	OPT_EXTENDED_SELF_TEST_TIME,
	OPT_CPU,
	OPT_OWNER_FD,
	OPT_READY_FD,
	OPT_HELP
};

static const struct option options[] = {
	{"dir", required_argument, NULL, OPT_DIR},
	{"temporary", no_argument, NULL, OPT_TEMPORARY},
	{"size", required_argument, NULL, OPT_SIZE},
	{"file", required_argument, NULL, OPT_FILE},
	{"null", no_argument, NULL, OPT_NULL},
	{"lba-size", required_argument, NULL, OPT_LBA_SIZE},
	{"namespaces", required_argument, NULL, OPT_NAMESPACES},
	{"queues", required_argument, NULL, OPT_QUEUES},
	{"grant-all", no_argument, NULL, OPT_GRANT_ALL},
	{"queue-entries", required_argument, NULL, OPT_QUEUE_ENTRIES},
	{"mdts", required_argument, NULL, OPT_MDTS},
	{"cache", required_argument, NULL, OPT_CACHE},
	{"serial", required_argument, NULL, OPT_SERIAL},
	{"nvme-version", required_argument, NULL, OPT_NVME_VERSION},
	{"format-time", required_argument, NULL, OPT_FORMAT_TIME},
	{"sanitize-time", required_argument, NULL, OPT_SANITIZE_TIME},
	{"sanitize-failures", required_argument, NULL, OPT_SANITIZE_FAILURES},
	{"self-test-time", required_argument, NULL, OPT_SELF_TEST_TIME},
	{"extended-self-test-time", required_argument, NULL, OPT_EXTENDED_SELF_TEST_TIME},
	{"cpu", required_argument, NULL, OPT_CPU},
	{"owner-fd", required_argument, NULL, OPT_OWNER_FD},
	{"ready-fd", required_argument, NULL, OPT_READY_FD},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* How long something takes: NULL, or what it should have been. */
static const char *take_time(uint32_t *ms, const char *value)
{
	uint64_t number;

	if (!parse_number(value, 0, VSSD_TIME_MAX_MS, &number))
		return "milliseconds, 0 to 3600000";
	*ms = (uint32_t)number;
	return NULL;
}

/* One option: NULL, or what it should have been. */
static const char *take_option(struct arguments *arguments, int option, const char *value)
{
	struct vssd_options *drive = &arguments->drive;
	uint64_t number;

	switch (option) {
	case OPT_DIR:
		arguments->folder = value;
		return *value ? NULL : "a folder's name";
	case OPT_SIZE:
		return parse_size(value, &drive->size) && drive->size >= 4096 ? NULL : "a size like 4G, at least 4K";
	case OPT_FILE:
		drive->file = value;
		return *value ? NULL : "a file's name";
	case OPT_NULL:
		drive->null_store = true;
		return NULL;
	case OPT_LBA_SIZE:
		if (!parse_number(value, 512, 4096, &number) || (number != 512 && number != 4096))
			return "512 or 4096";
		drive->lba_size = (uint32_t)number;
		return NULL;
	case OPT_NAMESPACES:
		if (!parse_number(value, 1, 32, &number))
			return "1 to 32";
		drive->namespaces = (uint32_t)number;
		return NULL;
	case OPT_QUEUES:
		if (!parse_number(value, 1, VSSD_MSIX_VECTORS - 1, &number))
			return "1 to 64";
		drive->queues = (uint16_t)number;
		return NULL;
	case OPT_GRANT_ALL:
		drive->grant_all = true;
		return NULL;
	case OPT_QUEUE_ENTRIES:
		if (!parse_number(value, 2, 65536, &number))
			return "2 to 65536";
		drive->queue_entries = (uint32_t)number;
		return NULL;
	case OPT_MDTS:
		if (!parse_number(value, 0, VSSD_MDTS_MAX, &number))
			return "0 to 15";
		drive->mdts = (uint8_t)number;
		return NULL;
	case OPT_CACHE:
		return parse_size(value, &drive->cache_size) ? NULL : "a size like 64M, or 0";
	case OPT_SERIAL:
		drive->serial = value;
		return strlen(value) <= 20 ? NULL : "at most 20 characters";
	case OPT_NVME_VERSION:
		return parse_version(value, &drive->version) ? NULL : VSSD_VERSION_NAMES;
	case OPT_FORMAT_TIME:
		return take_time(&drive->format_ms, value);
	case OPT_SANITIZE_TIME:
		return take_time(&drive->sanitize_ms, value);
	case OPT_SANITIZE_FAILURES:
		if (!parse_number(value, 0, UINT32_MAX, &number))
			return "0 to 4294967295";
		drive->sanitize_failures = (uint32_t)number;
		return NULL;
	case OPT_SELF_TEST_TIME:
		return take_time(&drive->self_test_ms, value);
	case OPT_EXTENDED_SELF_TEST_TIME:
		return take_time(&drive->extended_self_test_ms, value);
	case OPT_CPU:
		if (!parse_number(value, 0, CPU_SETSIZE - 1, &number))
			return "a CPU's number";
		arguments->cpu = (int)number;
		return NULL;
	case OPT_OWNER_FD:
	case OPT_READY_FD:
		if (!parse_number(value, 0, INT_MAX, &number) || fcntl((int)number, F_SETFD, FD_CLOEXEC) != 0)
			return "an open descriptor";
		*(option == OPT_OWNER_FD ? &arguments->owner_fd : &arguments->ready_fd) = (int)number;
		return NULL;
	case OPT_TEMPORARY:
		arguments->temporary = true;
		return NULL;
	case OPT_HELP:
		arguments->help = true;
		return NULL;
	default:
		return "an option that there is; --help lists them";
	}
}

static int parse(int argc, char **argv, struct arguments *arguments, struct pyn_error *err)
{
	int option, index = 0;

	*arguments = (struct arguments){.owner_fd = -1, .ready_fd = -1, .cpu = -1};
	vssd_options_default(&arguments->drive);
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
		const char *wanted;

		if (option == '?')
			return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
					 "%s is unknown, ambiguous or lacks its value; --help lists the options",
					 argv[optind - 1]);
		wanted = take_option(arguments, option, optarg);
		if (wanted)
			return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "--%s takes %s, not \"%s\"",
					 options[index].name, wanted, optarg);
	}
	if (optind < argc)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "\"%s\" is no option; --help lists them",
				 argv[optind]);
	if (!arguments->folder && !arguments->help)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "--dir is missing: the folder of the drive's sockets");
	return 0;
}

static int pin(int cpu, struct pyn_error *err)
{
	cpu_set_t set;

	if (cpu < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		return 0;
	return pyn_error(err, PYN_ERROR_ARGUMENT, errno, "cannot run on CPU %d: %s", cpu, strerror(errno));
}

/* The signals that end the process arrive at a descriptor, so that the drive ends between two commands. */
static int catch_signals(struct pyn_error *err)
{
	sigset_t signals;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return pyn_error(err, PYN_ERROR_SYSTEM, errno, "cannot catch signals: %s", strerror(errno));
	return fd;
}

/* Tell whoever started us, once: "ready", or a sentence. */
static void report(struct arguments *arguments, const char *text)
{
	if (arguments->ready_fd < 0)
		return;
	dprintf(arguments->ready_fd, "%s\n", text);
	close(arguments->ready_fd);
	arguments->ready_fd = -1;
}

static int serve(struct arguments *arguments, struct pyn_error *err)
{
	struct vssd_folder folder;
	struct vssd_session session;
	struct vssd_control control;
	struct vssd_loop loop = {&session, &control, &folder, catch_signals(err), arguments->owner_fd};
	int result = loop.signal_fd < 0 ? loop.signal_fd : pin(arguments->cpu, err);

	if (result)
		return result;
	result = vssd_folder_open(&folder, arguments->folder, err);
	if (result)
		return result;
	result = vssd_session_init(&session, &arguments->drive, err);
	if (!result) {
		vssd_control_init(&control, &session, &arguments->drive);
		report(arguments, "ready");
		vssd_loop_run(&loop);
		vssd_control_deinit(&control);
		vssd_session_deinit(&session);
	}
	if (arguments->temporary || result)
		vssd_folder_remove(&folder);
	else
		vssd_folder_close(&folder);
	close(loop.signal_fd);
	return result;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	struct pyn_error err;
	int result;

	umask(0077);
	result = parse(argc, argv, &arguments, &err);
	if (!result && arguments.help) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (!result)
		result = serve(&arguments, &err);
	if (!result)
		return EXIT_SUCCESS;
	report(&arguments, err.text);
	fprintf(stderr, "vssd: %s\n", err.text);
	return EXIT_FAILURE;
}
