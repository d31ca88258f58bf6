/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/env/*.c core/util/*.c */
/* dpdk */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/env/arena.h"
#include "core/env/eal.h"
#include "core/env/env.h"
#include "core/env/guest.h"
#include "core/util/fork.h"
#include "core/util/log.h"
#include "tests/c/test.h"

#define NOBODY 65534
#define MIB (UINT64_C(1024) * 1024)

/* In a build with SPDK, the EAL asks for this; the others have no guest. */
static bool the_guest_is_wanted;

static bool guest_is_wanted(void)
{
	return the_guest_is_wanted;
}

extern const struct pyn_env_guest pyn_env_guest;
const struct pyn_env_guest pyn_env_guest = {.is_wanted = guest_is_wanted, .mib = 256};

/* What function returns in a process of its own, which starts the environment anew; -1: it did not end by itself. */
static int in_child(int (*function)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(function());
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static bool address_in(const struct pyn_dma_region *regions, size_t count, const void *memory, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		const char *start = regions[i].address;

		if ((const char *)memory >= start && (const char *)memory + length <= start + regions[i].length)
			return true;
	}
	return false;
}

/* The tests of the first group need a process in which nothing has started yet: they come first and start in
 * children. */

static int start_as_nobody(void)
{
	struct pyn_error err = {0};
	void *memory;

	/* The folder of files that EAL would like for this user: none that it could use. */
	unsetenv("XDG_RUNTIME_DIR");
	if (setgid(NOBODY) || setuid(NOBODY))
		return 10;
	memory = pyn_dma_alloc(4096, 4096, &err);
	if (!memory)
		printf("    %s\n", err.text);
	return memory ? 0 : 1;
}

TEST(an_ordinary_user_can_start_it)
{
	if (geteuid() != 0)
		SKIP("only root can become another user");
	CHECK_EQ(in_child(start_as_nobody), 0);
}

static int start_and_leave_no_trace(void)
{
	struct sigaction before[NSIG] = {0};
	sigset_t mask_before, mask_after;
	cpu_set_t one, cpus;
	mode_t mask = umask(0027);

	umask(0027);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &cpus)) {
			CPU_ZERO(&one);
			CPU_SET(cpu, &one); /* the last that is allowed */
		}
	sched_setaffinity(0, sizeof(one), &one);
	for (int i = 1; i < NSIG; i++)
		sigaction(i, NULL, &before[i]);
	pthread_sigmask(SIG_SETMASK, NULL, &mask_before);

	if (pyn_env_start(NULL))
		return 1;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	if (!CPU_EQUAL(&cpus, &one))
		return 2;
	for (int i = 1; i < NSIG; i++) {
		struct sigaction after = {0};

		sigaction(i, NULL, &after); /* the C library keeps two for itself */
		if (after.sa_handler != before[i].sa_handler)
			return 3;
	}
	pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
	if (memcmp(&mask_before, &mask_after, sizeof(mask_before)) != 0)
		return 4;
	return umask(mask) == 0027 ? 0 : 5;
}

TEST(affinity_signals_and_umask_are_afterwards_what_they_were)
{
	CHECK_EQ(in_child(start_and_leave_no_trace), 0);
}

/* How many bytes function wrote to stdout and stderr; its result must be expected. */
static long noise_of(int (*function)(void), int expected)
{
	int file = memfd_create("output", MFD_CLOEXEC), out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), rc;
	struct stat status;

	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	dup2(file, STDERR_FILENO);
	rc = in_child(function);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	fstat(file, &status);
	close(file);
	close(out);
	close(err);
	CHECK_EQ(rc, expected);
	return status.st_size;
}

static int start_quietly(void)
{
	int rc = pyn_env_start(NULL) != 0;

	fflush(NULL);
	return rc;
}

TEST(a_start_writes_nothing_to_stdout_and_stderr)
{
	CHECK_EQ(noise_of(start_quietly, 0), 0);
}

static int start_without_descriptors(void)
{
	struct rlimit none = {.rlim_cur = 3, .rlim_max = 3};
	struct pyn_error err = {0};
	int rc;

	setrlimit(RLIMIT_NOFILE, &none);
	rc = pyn_env_start(&err);
	fflush(NULL);
	if (!rc || !err.kind || !err.text[0])
		return 1;
	/* What came of it is what everybody gets who asks again. */
	return pyn_env_start(NULL) == rc ? 0 : 2;
}

TEST(a_start_that_fails_says_why_and_writes_nothing_either)
{
	CHECK_EQ(noise_of(start_without_descriptors, 0), 0);
}

static int start_without_files(void)
{
	struct rlimit small = {.rlim_cur = 4096, .rlim_max = 4096};
	struct pyn_error err = {0};

	signal(SIGXFSZ, SIG_IGN); /* as Python does */
	setrlimit(RLIMIT_FSIZE, &small);
	if (!pyn_env_start(&err) || err.kind != PYN_ERROR_MEMORY)
		return 1;
	return strstr(err.text, "ulimit -f") ? 0 : 2;
}

TEST(memory_that_lies_in_no_file_is_not_offered_to_devices)
{
	CHECK_EQ(in_child(start_without_files), 0);
}

static char the_message[512];

static void keep_message(int level, const char *text)
{
	if (level == PYN_LOG_DEBUG && strstr(text, "EAL"))
		snprintf(the_message, sizeof(the_message), "%s", text);
}

static int start_with_sink(void)
{
	pyn_log_set_sink(keep_message);
	return pyn_env_start(NULL) || !the_message[0];
}

TEST(what_the_eal_says_reaches_the_log)
{
	CHECK_EQ(in_child(start_with_sink), 0);
}

static int start_with_malformed_size(void)
{
	struct pyn_error err = {0};

	setenv("PYNVME_MEM", "4G", 1);
	if (pyn_env_start(&err) != -EINVAL || err.kind != PYN_ERROR_ARGUMENT || !strstr(err.text, "PYNVME_MEM=4G"))
		return 1;
	/* A mistake that was found before anything was started can be mended. */
	setenv("PYNVME_MEM", "64", 1);
	return pyn_env_start(&err) ? 2 : 0;
}

TEST(a_malformed_size_is_told_and_can_be_mended)
{
	CHECK_EQ(in_child(start_with_malformed_size), 0);
}

static int start_small(void)
{
	const struct pyn_dma_region *regions;
	size_t count, total = 0;

	setenv("PYNVME_HUGE", "0", 1);
	setenv("PYNVME_MEM", "64", 1);
	if (pyn_env_start(NULL))
		return 1;
	count = pyn_dma_regions(&regions);
	for (size_t i = 0; i < count; i++)
		total += regions[i].length;
	if (total != 64 * MIB)
		return 2;
	return pyn_dma_alloc(65 * MIB, 4096, NULL) ? 3 : 0;
}

TEST(the_arena_has_the_size_that_was_asked_for)
{
	CHECK_EQ(in_child(start_small), 0);
}

static unsigned long long anonymous_kib(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	unsigned long long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %llu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

/* What a fork would copy: under ASan the sanitizer's own memory counts, too, on both sides. */
static int start_and_look_at_own_memory(void)
{
	unsigned long long before = anonymous_kib();

	setenv("PYNVME_HUGE", "0", 1);
	setenv("PYNVME_MEM", "16384", 1);
	if (pyn_env_start(NULL))
		return 1;
	return anonymous_kib() < before + 8 * 1024 ? 0 : 2;
}

static size_t arena_mib(void)
{
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions), length = 0;

	for (size_t i = 0; i < count; i++)
		length += regions[i].length;
	return length / MIB;
}

static int start_what_gets_locked(void)
{
	size_t available = pyn_env_available_mib();
	struct pyn_error err = {0};

	setenv("PYNVME_HUGE", "0", 1);
	unsetenv("PYNVME_MEM");
	if (pyn_env_start_locked(&err))
		return 10;
	/* Of what is available something may have changed in between. */
	return arena_mib() >= 64 && arena_mib() <= available / 4 + 64 ? 0 : 11;
}

static int start_what_nobody_may_lock(void)
{
	struct rlimit limit = {.rlim_cur = 96 * MIB, .rlim_max = 96 * MIB};
	struct pyn_error err = {0};
	size_t expected = 96;

	/* Where this machine does not grant so much, nothing: the least that is of use remains, for the error. */
	if (setrlimit(RLIMIT_MEMLOCK, &limit)) {
		limit.rlim_cur = limit.rlim_max = 0;
		expected = PYN_ARENA_LOCKED_LEAST_MIB;
		if (setrlimit(RLIMIT_MEMLOCK, &limit))
			return 12;
	}
	if (setgid(NOBODY) || setuid(NOBODY))
		return 13;
	unsetenv("XDG_RUNTIME_DIR");
	setenv("PYNVME_HUGE", "0", 1);
	unsetenv("PYNVME_MEM");
	if (pyn_env_start_locked(&err))
		return 10;
	/* The memory of a guest is locked as well. */
	return arena_mib() == (expected > PYN_ARENA_LOCKED_LEAST_MIB ? expected - pyn_eal_guest_mib() : expected)
		       ? 0
		       : 11;
}

static int start_what_nobody_may_lock_with_a_guest(void)
{
	the_guest_is_wanted = true;
	return start_what_nobody_may_lock() ? 1 : pyn_eal_guest_mib() <= 24 ? 0 : 2;
}

TEST(memory_that_a_device_has_locked_is_no_more_than_this_machine_and_this_user_can_lock)
{
	CHECK_EQ(in_child(start_what_gets_locked), 0);
	if (!geteuid())
		CHECK_EQ(in_child(start_what_nobody_may_lock), 0);
	if (!geteuid())
		CHECK_EQ(in_child(start_what_nobody_may_lock_with_a_guest), 0);
}

TEST(a_large_arena_costs_only_what_is_used_of_it)
{
	CHECK_EQ(in_child(start_and_look_at_own_memory), 0);
}

static int start_with_few_descriptors(void)
{
	struct rlimit few, limit;
	struct pyn_error err = {0};

	getrlimit(RLIMIT_NOFILE, &limit);
	for (few = limit, few.rlim_cur = 3; few.rlim_cur < 24; few.rlim_cur++) {
		setrlimit(RLIMIT_NOFILE, &few);
		if (!pyn_env_start(&err))
			break;
		if (err.kind != PYN_ERROR_MEMORY || !strstr(err.text, "ulimit -n"))
			return 1;
	}
	if (few.rlim_cur < 6 || few.rlim_cur == 24)
		return 2;
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur == few.rlim_cur ? 0 : 3;
}

TEST(a_start_without_descriptors_fails_and_can_be_tried_again)
{
	CHECK_EQ(in_child(start_with_few_descriptors), 0);
}

/* Address space that is used by now, and so much more. */
static bool limit_address_space(size_t mib)
{
	struct rlimit limit = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file || fscanf(file, "%lu", &pages) != 1)
		return false;
	fclose(file);
	limit.rlim_cur = pages * 4096 + mib * MIB;
	return !setrlimit(RLIMIT_AS, &limit);
}

static int start_with_little_address_space(void)
{
	unsetenv("PYNVME_MEM");
	if (!limit_address_space(200))
		return 10;
	if (pyn_env_start(NULL))
		return 1;
	return arena_mib() >= 16 && arena_mib() <= 100 ? 0 : 2;
}

static int start_with_more_than_the_address_space(void)
{
	struct pyn_error err = {0};

	setenv("PYNVME_MEM", "1024", 1);
	if (!limit_address_space(200))
		return 10;
	if (!pyn_env_start(&err) || err.kind != PYN_ERROR_MEMORY || !strstr(err.text, "ulimit -v"))
		return 1;
	setenv("PYNVME_MEM", "32", 1);
	return pyn_env_start(&err) || arena_mib() != 32 ? 2 : 0;
}

TEST(a_limited_address_space_makes_the_arena_smaller_unless_its_size_was_asked_for)
{
	CHECK_EQ(in_child(start_with_little_address_space), 0);
	CHECK_EQ(in_child(start_with_more_than_the_address_space), 0);
}

static int start_with_small_files(void)
{
	struct rlimit small = {.rlim_cur = 40 * MIB, .rlim_max = 40 * MIB};

	unsetenv("PYNVME_MEM");
	setrlimit(RLIMIT_FSIZE, &small); /* a file beyond it would be a signal */
	return pyn_env_start(NULL) || arena_mib() != 40 ? 1 : 0;
}

TEST(a_limited_size_of_files_makes_the_arena_smaller)
{
	CHECK_EQ(in_child(start_with_small_files), 0);
}

static int start_with_more_hugepages_than_there_are(void)
{
	struct pyn_error err = {0};

	setenv("PYNVME_HUGE", "1", 1);
	setenv("PYNVME_MEM", "65536", 1);
	if (!pyn_env_start(&err) || err.kind != PYN_ERROR_MEMORY || !strstr(err.text, "nr_hugepages"))
		return 1;
	unsetenv("PYNVME_HUGE");
	return pyn_env_start(&err) || arena_mib() != 65536 ? 2 : 0;
}

TEST(hugepages_that_are_asked_for_and_missing_are_an_error_and_others_are_replaced)
{
	CHECK_EQ(in_child(start_with_more_hugepages_than_there_are), 0);
}

TEST(several_sessions_start_at_once)
{
	pid_t pids[6];
	int status;

	for (int i = 0; i < 6; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(pyn_dma_alloc(4096, 64, NULL) ? 0 : 1);
	}
	for (int i = 0; i < 6; i++) {
		waitpid(pids[i], &status, 0);
		CHECK_EQ(status, 0);
	}
}

static void *start_in_thread(void *context)
{
	*(int *)context = pyn_env_start(NULL);
	return NULL;
}

static int start_from_many_threads(void)
{
	int results[8];
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, start_in_thread, &results[i]);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		if (results[i])
			return 1;
	}
	return 0;
}

TEST(threads_that_start_it_at_once_all_find_it_started)
{
	CHECK_EQ(in_child(start_from_many_threads), 0);
}

/* From here on it runs in this process. */

TEST(dma_memory_is_zeroed_aligned_and_counted)
{
	size_t before = pyn_dma_in_use();

	for (size_t align = 1; align <= 4096; align *= 2) {
		static const char zeros[5000];
		char *memory = pyn_dma_alloc(sizeof(zeros), align, NULL);

		if (!CHECK(memory))
			return;
		CHECK_EQ((uintptr_t)memory % (align < 64 ? 64 : align), 0);
		CHECK_MEM(memory, zeros, sizeof(zeros));
		CHECK(pyn_dma_in_use() >= before + sizeof(zeros));
		memset(memory, 0xa5, sizeof(zeros));
		pyn_dma_free(memory);
		CHECK_EQ(pyn_dma_in_use(), before);
	}
}

/* What a device does that writes where it must not, all around what it was given. */
TEST(no_write_into_dma_memory_breaks_the_allocator)
{
	enum { PIECES = 64 };
	/* Before the first byte of all DMA memory is nothing that a device reaches. */
	char *first = pyn_dma_alloc(4096, 4096, NULL), *pieces[PIECES];
	size_t before = pyn_dma_in_use();

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < PIECES; i++)
			pieces[i] = pyn_dma_alloc((size_t)(1 + i * 7919 % 20000), i % 5 ? 64 : 65536, NULL);
		for (int i = 0; i < PIECES; i++)
			if (CHECK(pieces[i]))
				memset(pieces[i] - 128, 0xee, 65536 + 128);
		for (int i = 0; i < PIECES; i++)
			pyn_dma_free(pieces[(i * 29 + round) % PIECES]);
		CHECK_EQ(pyn_dma_in_use(), before);
	}
	pyn_dma_free(first);
}

TEST(what_is_given_back_is_one_piece_again)
{
	size_t before = pyn_dma_in_use();
	char *first = pyn_dma_alloc(4096, 4096, NULL), *pieces[3];

	pyn_dma_free(first);
	for (int i = 0; i < 3; i++)
		pieces[i] = pyn_dma_alloc(8192, 4096, NULL);
	CHECK_EQ(pieces[0], first);
	pyn_dma_free(pieces[1] + 4096);
	CHECK_EQ(pyn_dma_in_use(), before + sizeof(pieces) / sizeof(pieces[0]) * 8192);
	for (int i = 2; i >= 0; i--)
		pyn_dma_free(pieces[i]);
	pieces[0] = pyn_dma_alloc(3 * 8192, 4096, NULL);
	CHECK_EQ(pieces[0], first);
	pyn_dma_free(pieces[0]);
	CHECK_EQ(pyn_dma_in_use(), before);
}

TEST(memory_that_is_kept_is_never_allocated_again)
{
	size_t before = pyn_dma_in_use(), lost = pyn_dma_lost();
	char *kept = pyn_dma_alloc(8192, 4096, NULL), *later;

	CHECK_EQ(pyn_dma_keep_all(), before + 8192);
	CHECK_EQ(pyn_dma_keep_all(), 0);
	later = pyn_dma_alloc(4096, 4096, NULL);
	pyn_dma_free(kept);
	pyn_dma_free(kept);
	CHECK_EQ(pyn_dma_in_use(), before + 4096);
	CHECK_EQ(pyn_dma_lost(), lost + 8192);
	pyn_dma_free(later);
	CHECK_EQ(pyn_dma_alloc(4096, 4096, NULL), later);
	for (int i = 0; i < 3; i++)
		CHECK(pyn_dma_alloc(8192, 4096, NULL) != kept);
	CHECK_EQ(pyn_dma_lost(), lost + 8192);
}

TEST(impossible_sizes_are_errors)
{
	static const size_t sizes[] = {0, SIZE_MAX, SIZE_MAX / 2, SIZE_MAX - 4096, (size_t)1 << 46};
	struct pyn_error err;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		err.kind = PYN_ERROR_NONE;
		CHECK_EQ(pyn_dma_alloc(sizes[i], 64, &err), NULL);
		CHECK(err.kind == PYN_ERROR_ARGUMENT || err.kind == PYN_ERROR_MEMORY);
	}
	CHECK_EQ(pyn_dma_alloc(64, 3, &err), NULL);
	CHECK_EQ(err.kind, PYN_ERROR_ARGUMENT);
	pyn_dma_free(NULL);
}

TEST(a_large_piece_lies_in_one_region)
{
	const struct pyn_dma_region *regions;
	size_t count, size = 256 * MIB;
	struct pyn_error err;
	char *memory = pyn_dma_alloc(size, 4096, &err);

	if (!CHECK(memory))
		return;
	count = pyn_dma_regions(&regions);
	CHECK(address_in(regions, count, memory, size));
	CHECK_EQ(pyn_dma_iova(memory).value, (uintptr_t)memory);
	pyn_dma_free(memory);
}

TEST(regions_ascend_do_not_overlap_and_stay_the_same)
{
	const struct pyn_dma_region *regions, *again;
	size_t count = pyn_dma_regions(&regions);

	CHECK(count > 0);
	for (size_t i = 0; i < count; i++) {
		CHECK_EQ((uintptr_t)regions[i].address % 4096, 0);
		CHECK_EQ(regions[i].length % 4096, 0);
		CHECK(fcntl(regions[i].fd, F_GETFD) & FD_CLOEXEC);
		if (i)
			CHECK((char *)regions[i - 1].address + regions[i - 1].length <= (char *)regions[i].address);
	}
	CHECK_EQ(pyn_dma_regions(&again), count);
	CHECK_EQ(again, regions);
}

TEST(a_device_sees_through_the_descriptor_what_is_in_memory)
{
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions);
	char *memory = pyn_dma_alloc(8192, 4096, NULL);

	if (!CHECK(memory))
		return;
	strcpy(memory, "from the host");
	for (size_t i = 0; i < count; i++) {
		uint64_t at = (uint64_t)(memory - (char *)regions[i].address);
		char *seen;

		if (!address_in(&regions[i], 1, memory, 8192))
			continue;
		seen = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, regions[i].fd,
			    (off_t)(regions[i].offset + at));
		if (!CHECK(seen != MAP_FAILED))
			continue;
		CHECK_STR(seen, "from the host");
		strcpy(seen + 4096, "from the device");
		munmap(seen, 8192);
	}
	CHECK_STR(memory + 4096, "from the device");
	pyn_dma_free(memory);
}

TEST(physical_addresses_of_hugepages_are_known_also_of_those_that_nobody_used)
{
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions);
	struct pyn_error err;
	uint64_t last = 0;

	CHECK_EQ(count, 1);
	if (!regions->huge) {
		CHECK(pyn_dma_physical_learn(&err) < 0);
		CHECK_EQ(err.kind, PYN_ERROR_MEMORY);
		SKIP("no hugepages are free");
	}
	if (geteuid())
		SKIP("only root may know them");
	if (!CHECK_EQ(pyn_dma_physical_learn(&err), 0))
		return;
	for (size_t at = 0; at < regions->length; at += PYN_DMA_HUGE_PAGE) {
		uint64_t physical = pyn_dma_physical((char *)regions->address + at).value;

		CHECK(physical && physical != last);
		CHECK_EQ(physical % PYN_DMA_HUGE_PAGE, 0);
		CHECK_EQ(pyn_dma_physical((char *)regions->address + at + 12345).value, physical + 12345);
		last = physical;
	}
}

static char *the_buffer;
static uint32_t the_generation;

static int use_in_child(void)
{
	size_t in_use = pyn_dma_in_use();
	struct pyn_error err = {0};

	if (pyn_process_number() != the_generation + 1)
		return 1;
	pyn_dma_free(the_buffer);
	if (pyn_dma_in_use() != in_use)
		return 2;
	if (pyn_dma_alloc(64, 64, &err) || err.kind != PYN_ERROR_STATE)
		return 3;
	/* Memory itself is shared. */
	strcpy(the_buffer, "written by the child");
	return 0;
}

TEST(a_forked_process_shares_the_memory_but_cannot_free_or_allocate)
{
	the_buffer = pyn_dma_alloc(4096, 4096, NULL);
	the_generation = pyn_process_number();
	if (!CHECK(the_buffer))
		return;
	strcpy(the_buffer, "written by the parent");
	CHECK_EQ(in_child(use_in_child), 0);
	CHECK_STR(the_buffer, "written by the child");
	CHECK_EQ(pyn_process_number(), the_generation);
	pyn_dma_free(the_buffer);
}

TEST(a_worker_forked_without_handlers_cannot_free_or_allocate_either)
{
	int status;
	pid_t pid;

	the_buffer = pyn_dma_alloc(4096, 4096, NULL);
	pid = pyn_fork();
	if (pid == 0) {
		size_t in_use = pyn_dma_in_use();

		pyn_dma_free(the_buffer);
		_exit(pyn_dma_in_use() != in_use || pyn_dma_alloc(64, 64, NULL));
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	pyn_dma_free(the_buffer);
}

TEST(shared_memory_is_zero_and_shared_with_children)
{
	size_t size = (size_t)64 * 1024 * MIB;
	struct pyn_error err;
	char *memory = pyn_shared_map(size, &err);
	pid_t pid;

	if (!CHECK(memory))
		return;
	CHECK_EQ(memory[size - 1], 0);
	pid = fork();
	if (pid == 0) {
		memory[size - 1] = 7;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	CHECK_EQ(memory[size - 1], 7);
	pyn_shared_unmap(memory, size);
	CHECK_EQ(pyn_shared_map(0, &err), NULL);
	CHECK_EQ(err.kind, PYN_ERROR_MEMORY);
}
