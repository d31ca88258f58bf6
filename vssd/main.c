/* SPDX-License-Identifier: BSD-3-Clause */
/* The virtual SSD: an NVMe drive that any vfio-user client can use. `vssd --help` lists the options. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/error.h"
#include "vssd/fault/parse.h"
#include "vssd/options.h"
#include "vssd/server/loop.h"
#include "vssd/server/port.h"

static int pin(uint32_t cpu, struct pyn_error *err)
{
	cpu_set_t set;

	if (cpu == UINT32_MAX)
		return 0;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		return 0;
	return pyn_error(err, PYN_ERROR_ARGUMENT, errno, "cannot run on CPU %u: %s", cpu, strerror(errno));
}

/* Allow as many open files as the system lets this process have: a client may send an eventfd for each vector. */
static void allow_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* Receive the signals that end the process by a descriptor, so that the drive ends between two commands. */
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

/* Report "ready", or an error message, to the program that started this one, once. */
static void report(struct vssd_arguments *arguments, const char *text)
{
	if (arguments->ready_fd < 0)
		return;
	dprintf(arguments->ready_fd, "%s\n", text);
	close(arguments->ready_fd);
	arguments->ready_fd = -1;
}

static int serve(struct vssd_arguments *arguments, struct pyn_error *err)
{
	struct vssd_ports ports;
	struct vssd_loop loop = {&ports, catch_signals(err), arguments->owner_fd};
	int result = loop.signal_fd < 0 ? loop.signal_fd : pin(arguments->cpu, err);

	if (result)
		return result;
	result = vssd_ports_open(&ports, &arguments->drive, arguments->folder, err);
	if (!result) {
		report(arguments, "ready");
		vssd_loop_run(&loop);
		vssd_ports_close(&ports, arguments->temporary);
	}
	close(loop.signal_fd);
	return result;
}

int main(int argc, char **argv)
{
	struct vssd_arguments arguments;
	struct pyn_error err;
	int result;

	umask(0077);
	allow_files();
	result = vssd_options_parse(argc, argv, &arguments, &err);
	if (!result && arguments.help) {
		vssd_options_help();
		return EXIT_SUCCESS;
	}
	if (!result && arguments.fault_words) {
		vssd_fault_print_words(stdout);
		return EXIT_SUCCESS;
	}
	if (!result && arguments.list)
		result = vssd_options_check(&arguments.drive, &err);
	if (!result && arguments.list) {
		char text[VSSD_OPTIONS_TEXT];

		fwrite(text, 1, vssd_options_list(text), stdout);
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
