/* SPDX-License-Identifier: BSD-3-Clause */
/* Starts a virtual SSD for a test, as a process that ends with the test and removes its folder. */
#ifndef TESTS_C_RUN_VSSD_H
#define TESTS_C_RUN_VSSD_H

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct vssd_process {
	char folder[64];
	int owner; /* the virtual SSD ends when this is closed */
	pid_t pid;
};

/* Find the program: $PYNVME_VSSD, or the one built like this test, or the one in the package. False: there is none.
 */
static inline bool vssd_program(char *path, size_t size)
{
	char self[PATH_MAX] = "";
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (getenv("PYNVME_VSSD")) {
		snprintf(path, size, "%s", getenv("PYNVME_VSSD"));
	} else {
		self[length > 0 ? length : 0] = '\0';
		snprintf(path, size, "%s/../../vssd", dirname(self));
		if (access(path, X_OK))
			snprintf(path, size, "pynvme/bin/vssd");
	}
	return access(path, X_OK) == 0;
}

/* Start it with these further options (NULL at the end), and wait until it accepts clients. False: it did not start.
 */
static inline bool vssd_start(struct vssd_process *vssd, const char *const *options)
{
	char program[PATH_MAX], owner_fd[16], ready_fd[16], answer[256] = "";
	const char *arguments[32] = {"vssd", "--dir", vssd->folder, "--owner-fd", owner_fd, "--ready-fd", ready_fd};
	int owner[2], ready[2], count = 7;

	if (!vssd_program(program, sizeof(program)))
		return false;
	strcpy(vssd->folder, "/tmp/pynvme-test-XXXXXX");
	if (!mkdtemp(vssd->folder) || pipe2(owner, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		return false;
	while (*options && count < 31)
		arguments[count++] = *options++;
	snprintf(owner_fd, sizeof(owner_fd), "%d", owner[0]);
	snprintf(ready_fd, sizeof(ready_fd), "%d", ready[1]);
	vssd->pid = fork();
	if (vssd->pid == 0) {
		fcntl(owner[0], F_SETFD, 0);
		fcntl(ready[1], F_SETFD, 0);
		execv(program, (char *const *)arguments);
		_exit(127);
	}
	close(owner[0]);
	close(ready[1]);
	vssd->owner = owner[1];
	if (read(ready[0], answer, sizeof(answer) - 1) < 0 || strncmp(answer, "ready", 5) != 0)
		printf("    %s: \"%s\"\n", program, answer);
	close(ready[0]);
	return strncmp(answer, "ready", 5) == 0;
}

/* Kill it, as if it had crashed. */
static inline void vssd_kill(struct vssd_process *vssd)
{
	kill(vssd->pid, SIGKILL);
	waitpid(vssd->pid, NULL, 0);
	vssd->pid = 0;
}

static inline void vssd_stop(struct vssd_process *vssd)
{
	char path[128];

	close(vssd->owner);
	if (vssd->pid > 0)
		waitpid(vssd->pid, NULL, 0);
	/* A killed virtual SSD leaves its files, and it never removes a folder that it did not make. */
	for (const char *const *name = (const char *const[]){"cntrl", "control", "lock", NULL}; *name; name++) {
		snprintf(path, sizeof(path), "%s/%s", vssd->folder, *name);
		unlink(path);
	}
	rmdir(vssd->folder);
}

#endif
