/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/util/clock.c core/util/error.c core/util/log.c core/util/process.c */
#include "core/util/cleanup.h"
#include "core/util/clock.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/util/process.h"
#include "tests/c/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- error ---- */

TEST(an_error_is_returned_as_negative_errno_and_told)
{
	struct pyn_error err = {0};

	CHECK_EQ(pyn_error(&err, PYN_ERROR_ENUMERATE, ENOENT, "no socket at %s", "/tmp/x"), -ENOENT);
	CHECK_EQ(err.kind, PYN_ERROR_ENUMERATE);
	CHECK_EQ(err.number, ENOENT);
	CHECK_STR(err.text, "no socket at /tmp/x");
}

TEST(an_error_needs_nobody_who_wants_to_know)
{
	CHECK_EQ(pyn_error(NULL, PYN_ERROR_MEMORY, ENOMEM, "%d bytes", 5), -ENOMEM);
}

TEST(an_error_without_a_number_is_still_an_error)
{
	struct pyn_error err = {0};

	CHECK(pyn_error(&err, PYN_ERROR_CREATE, 0, "refused") < 0);
	CHECK(pyn_error(NULL, PYN_ERROR_CREATE, 0, "refused") < 0);
	CHECK_EQ(err.kind, PYN_ERROR_CREATE);
	CHECK_EQ(err.number, 0);
}

TEST(a_long_error_is_cut_and_ends)
{
	struct pyn_error err;
	char text[2 * PYN_ERROR_TEXT];

	memset(&err, 0xff, sizeof(err));
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	pyn_error(&err, PYN_ERROR_SYSTEM, EIO, "%s", text);
	CHECK_EQ(strnlen(err.text, sizeof(err.text)), sizeof(err.text) - 1);
}

TEST(an_error_can_be_told_again_with_more)
{
	struct pyn_error err = {0};

	pyn_error(&err, PYN_ERROR_GONE, ENODEV, "the socket was closed");
	pyn_error(&err, PYN_ERROR_CREATE, err.number, "queue %d: %s", 3, err.text);
	CHECK_STR(err.text, "queue 3: the socket was closed");
	CHECK_EQ(err.number, ENODEV);
}

/* ---- log ---- */

static struct {
	int calls, level;
	char text[1024];
} the_log;

static void keep(int level, const char *text)
{
	the_log.calls++;
	the_log.level = level;
	snprintf(the_log.text, sizeof(the_log.text), "%s", text);
	errno = ENOTTY;
}

TEST(what_is_logged_reaches_the_sink_and_nothing_else)
{
	pyn_log(PYN_LOG_ERROR, "before there is a sink");
	pyn_log_set_sink(keep);
	CHECK_EQ(the_log.calls, 0);
	pyn_log(PYN_LOG_WARNING, "queue %d of %s", 7, "nvme0");
	CHECK_EQ(the_log.calls, 1);
	CHECK_EQ(the_log.level, 30); /* what Python's logging calls WARNING */
	CHECK_STR(the_log.text, "queue 7 of nvme0");
	pyn_log_set_sink(NULL);
	pyn_log(PYN_LOG_ERROR, "after it");
	CHECK_EQ(the_log.calls, 1);
}

TEST(a_log_text_of_any_length_is_cut_and_ends)
{
	static char text[2000];

	memset(text, 'b', sizeof(text) - 1);
	pyn_log_set_sink(keep);
	pyn_log(PYN_LOG_DEBUG, "%s", text);
	pyn_log_set_sink(NULL);
	CHECK_EQ(strlen(the_log.text), 511);
}

TEST(logging_keeps_errno)
{
	pyn_log_set_sink(keep);
	errno = ESRCH;
	pyn_log(PYN_LOG_INFO, "x");
	CHECK_EQ(errno, ESRCH);
	pyn_log_set_sink(NULL);
}

/* ---- clock ---- */

static volatile sig_atomic_t the_alarms;

static void count_alarm(int signal)
{
	(void)signal;
	the_alarms++;
}

/* The first of the clock's tests, since only the first call calibrates. */
TEST(signals_do_not_shorten_the_calibration)
{
	struct sigaction action = {.sa_handler = count_alarm}, before;
	struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};

	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &often, NULL);
	uint64_t start = pyn_monotonic_ns();
	uint64_t hz = pyn_ticks_hz();
	uint64_t ns = pyn_monotonic_ns() - start;
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	alarm(TEST_SECONDS);

	CHECK(the_alarms > 0);
	CHECK(ns >= 10 * 1000 * 1000);
	CHECK(hz > 100 * 1000 * 1000);
}

TEST(ticks_follow_the_monotonic_clock)
{
	struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
	uint64_t error = UINT64_MAX;

	/* The best of some: the machine may be busy between the readings of the two clocks. */
	for (int i = 0; i < 5; i++) {
		uint64_t ns = pyn_monotonic_ns(), ticks = pyn_ticks();

		nanosleep(&pause, NULL);
		ticks = pyn_ticks() - ticks;
		ns = pyn_monotonic_ns() - ns;
		uint64_t found = pyn_ticks_to_ns(ticks);
		uint64_t difference = found > ns ? found - ns : ns - found;

		error = difference < error ? difference : error;
	}
	CHECK(error < 50 * 1000 * 1000 / 1000);
}

TEST(conversions_are_each_others_inverse)
{
	static const uint64_t times[] = {0, 1000, 1000000, UINT64_C(1000000000), UINT64_C(86400) * 1000000000};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		uint64_t back = pyn_ticks_to_ns(pyn_ns_to_ticks(times[i]));
		uint64_t difference = back > times[i] ? back - times[i] : times[i] - back;

		CHECK(difference <= 2 + times[i] / 1000000);
	}
	CHECK_EQ(pyn_ns_to_ticks(1000000000) / 1000, pyn_ticks_hz() / 1000);
}

TEST(a_time_without_end_stays_one)
{
	/* One of both has more units a second; it must not wrap. */
	CHECK(pyn_ns_to_ticks(UINT64_MAX) >= UINT64_MAX / 100);
	CHECK(pyn_ticks_to_ns(UINT64_MAX) >= UINT64_MAX / 100);
	uint64_t larger = pyn_ticks_hz() > 1000000000 ? pyn_ns_to_ticks(UINT64_MAX) : pyn_ticks_to_ns(UINT64_MAX);
	CHECK(larger == UINT64_MAX);
}

TEST(a_tick_is_a_moment_of_the_wall_clock)
{
	uint64_t ticks = pyn_ticks();
	uint64_t second = pyn_ns_to_ticks(1000000000);
	uint64_t seconds = pyn_ticks_to_realtime_ns(ticks) / 1000000000;
	uint64_t wall = (uint64_t)time(NULL);

	CHECK(seconds >= wall - 2 && seconds <= wall + 2);
	uint64_t first = pyn_ticks_to_realtime_ns(ticks);

	for (int i = 0; i < 1000; i++)
		CHECK_EQ(pyn_ticks_to_realtime_ns(ticks), first);
	CHECK(pyn_ticks_to_realtime_ns(ticks - second) / 1000000000 + 3 >= wall);
	CHECK(pyn_ticks_to_realtime_ns(ticks - 10 * second) <
	      pyn_ticks_to_realtime_ns(ticks) - 9 * UINT64_C(1000000000));
	CHECK(pyn_ticks_to_realtime_ns(ticks + 10 * second) >
	      pyn_ticks_to_realtime_ns(ticks) + 9 * UINT64_C(1000000000));
}

/* ---- cleanup ---- */

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int open_one(bool take)
{
	int fd PYN_CLOSE = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	errno = ECHILD;
	return take ? PYN_TAKE_FD(fd) : fd;
}

TEST(a_scope_closes_its_descriptor_and_keeps_errno)
{
	int fd = open_one(false);

	CHECK_EQ(errno, ECHILD);
	CHECK(!is_open(fd));
}

TEST(a_descriptor_that_is_taken_stays_open)
{
	int fd = open_one(true);

	CHECK(is_open(fd));
	close(fd);
}

static char *duplicate(const char *text, bool take)
{
	char *copy PYN_FREE = strdup(text);

	return take ? PYN_TAKE(copy) : NULL;
}

/* That the other one is freed is for the leak checker to say. */
TEST(memory_that_is_taken_stays)
{
	char *text = duplicate("hello", true);

	CHECK_STR(text, "hello");
	free(text);
	CHECK(!duplicate("world", false));
}

/* Run a child that waits, or that spins, and tell whether it is busy, and how long it has run meanwhile. */
static bool child_is_busy(bool spins, uint64_t *ran)
{
	uint64_t before = 0, until = test_now() + 5000000000u;
	pid_t pid = fork();
	bool busy;

	if (pid == 0)
		for (;;)
			if (!spins)
				pause();
	do {
		busy = pyn_process_is_busy(pid, ran);
		before = before ? before : *ran;
		usleep(1000);
	} while ((busy != spins || (spins && *ran - before < 1000000)) && test_now() < until);
	*ran -= before;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return busy;
}

TEST(a_process_is_busy_if_it_wants_a_cpu)
{
	uint64_t ran = 0;

	CHECK(child_is_busy(true, &ran));
	CHECK(ran >= 1000000);
	CHECK(!child_is_busy(false, &ran));
	CHECK(!pyn_process_is_busy(-1, &ran));
}

/* How much of a CPU some calls take, in percent. */
static uint64_t share(uint64_t since, unsigned calls)
{
	struct timespec before, after;
	uint64_t start = pyn_monotonic_ns();

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	for (unsigned i = 0; i < calls; i++)
		pyn_give_way(since);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	int64_t cpu = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;

	return 100 * (uint64_t)cpu / (pyn_monotonic_ns() - start);
}

TEST(a_poll_sleeps_if_nothing_has_moved_for_long)
{
	uint64_t long_ago = pyn_ticks() - 2 * pyn_ns_to_ticks(100000000);
	uint64_t start = pyn_monotonic_ns();

	CHECK(share(long_ago, 200) < 70);
	CHECK(pyn_monotonic_ns() - start >= 200 * UINT64_C(50000));
}

TEST(a_poll_does_not_sleep_if_something_has_just_moved_or_moves_in_a_moment)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < 200; i++) {
		uint64_t start = pyn_monotonic_ns();

		pyn_give_way(pyn_ticks() + (i % 2 ? pyn_ns_to_ticks(1000000) : 0));
		uint64_t took = pyn_monotonic_ns() - start;

		best = took < best ? took : best;
	}
	CHECK(best < 50000);
}
