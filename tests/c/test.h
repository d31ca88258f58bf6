/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The framework of the C tests. A test program is one file, tests/c/test_NAME.c (or one folder deeper). Separate
 * comments at its top say how it is built:
 *
 *     sources: core/nvme/prp.c core/util/{*}.c   the files to link, from the root, on one or several lines; a star
 *                                                (written without the braces) stands for all files
 *     dpdk                                       it needs DPDK
 *     flags: -Wno-address                        more compiler flags, for this file alone
 *     libs: -lm                                  more libraries
 *
 *     TEST(an_error_is_returned_as_negative_errno)
 *     {
 *         CHECK_EQ(pyn_error(NULL, PYN_ERROR_MEMORY, ENOMEM, "x"), -ENOMEM);
 *     }
 *
 * `make test` builds each program with ASan and UBSan and runs it. build/asan/tests/c/test_NAME runs it by hand; its
 * arguments name the tests to run. The name of a test says what must hold. This header defines main, so only one file
 * of a program includes it.
 *
 * A failed check is printed and counted, and the test continues. A check returns a bool, so that
 * `if (!CHECK(pointer)) return;` ends the test.
 */
#ifndef TESTS_C_TEST_H
#define TESTS_C_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds after which a program counts as hung and is ended. Define it before the include if it needs longer. */
#ifndef TEST_SECONDS
#define TEST_SECONDS 300
#endif

#define TEST_FAILURES_SHOWN 10

struct test {
	const char *name;
	void (*function)(void);
	struct test *next;
};

static struct {
	struct test *first, **last;
	unsigned failures;   /* of the running test */
	uint64_t began;      /* when the running test began, ns */
	uint64_t waited;     /* how long the process had waited for a CPU until then, ns */
	const char *skipped; /* why the running test skipped itself; NULL: it did not */
} the_tests;

/* TEST(name) { … } defines and registers a test. */
#define TEST(name)                                                                                                   \
	static void name(void);                                                                                      \
	__attribute__((constructor)) static void test_register_##name(void)                                          \
	{                                                                                                            \
		static struct test test = {#name, name, NULL};                                                       \
		test_register(&test);                                                                                \
	}                                                                                                            \
	static void name(void)

/* Check that the condition holds. */
#define CHECK(condition) test_check((condition), __FILE__, __LINE__, #condition)

/* Check that two integers (or enums, bools, pointers) are equal. Prints both if they differ. */
#define CHECK_EQ(actual, expected)                                                                                   \
	test_check_eq((long long)(actual), (long long)(expected), __FILE__, __LINE__, #actual, #expected)

/* Check that two strings are equal. NULL equals only NULL. */
#define CHECK_STR(actual, expected) test_check_str((actual), (expected), __FILE__, __LINE__, #actual)

/* Check that text contains part. */
#define CHECK_HAS(text, part) test_check_has((text), (part), __FILE__, __LINE__, #text)

/* Check that size bytes are equal. Prints the first one that differs. */
#define CHECK_MEM(actual, expected, size) test_check_mem((actual), (expected), (size), __FILE__, __LINE__, #actual)

/*
 * CHECK for a time, which other processes may make longer. If it does not hold, and this program waited for a CPU for
 * a twentieth of the test's time, the test is skipped with the reason load. tests/fix_load.py has the same rule for
 * Python.
 */
#define CHECK_TIME(condition) test_check_time((condition), __FILE__, __LINE__, #condition)

/* Skip this test, because this machine cannot run it. why says what is missing. */
#define SKIP(why)                                                                                                    \
	do {                                                                                                         \
		the_tests.skipped = (why);                                                                           \
		return;                                                                                              \
	} while (0)

static inline void test_register(struct test *test)
{
	if (!the_tests.last)
		the_tests.last = &the_tests.first;
	*the_tests.last = test;
	the_tests.last = &test->next;
}

/* Count a failure. Returns whether to print it. */
static inline bool test_failed(const char *file, int line)
{
	if (++the_tests.failures > TEST_FAILURES_SHOWN)
		return false;
	printf("    %s:%d: ", file, line);
	return true;
}

static inline bool test_check(bool condition, const char *file, int line, const char *text)
{
	if (!condition && test_failed(file, line))
		printf("%s is false\n", text);
	return condition;
}

static inline uint64_t test_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* How long this process was ready to run and had no CPU, in ns; 0 if the kernel does not count that. */
static inline uint64_t test_waited(void)
{
	FILE *file = fopen("/proc/self/schedstat", "re");
	unsigned long long ran, waited = 0;

	if (file && fscanf(file, "%llu %llu", &ran, &waited) != 2)
		waited = 0;
	if (file)
		fclose(file);
	return waited;
}

static inline bool test_check_time(bool condition, const char *file, int line, const char *text)
{
	uint64_t waited = condition ? 0 : test_waited() - the_tests.waited;

	if (condition || waited < 5000000 || waited * 20 < test_now() - the_tests.began)
		return test_check(condition, file, line, text);
	the_tests.skipped = "load";
	return false;
}

static inline bool test_check_eq(long long actual, long long expected, const char *file, int line,
				 const char *actual_text, const char *expected_text)
{
	if (actual != expected && test_failed(file, line))
		printf("%s is %lld (0x%llx), not %s = %lld (0x%llx)\n", actual_text, actual, actual, expected_text,
		       expected, expected);
	return actual == expected;
}

static inline bool test_check_str(const char *actual, const char *expected, const char *file, int line,
				  const char *text)
{
	bool equal = actual && expected ? !strcmp(actual, expected) : actual == expected;

	if (!equal && test_failed(file, line))
		printf("%s is \"%s\", not \"%s\"\n", text, actual ? actual : "(null)",
		       expected ? expected : "(null)");
	return equal;
}

static inline bool test_check_has(const char *actual, const char *part, const char *file, int line, const char *text)
{
	bool has = actual && strstr(actual, part);

	if (!has && test_failed(file, line))
		printf("%s is \"%s\", which does not contain \"%s\"\n", text, actual ? actual : "(null)", part);
	return has;
}

static inline bool test_check_mem(const void *actual, const void *expected, size_t size, const char *file, int line,
				  const char *text)
{
	const uint8_t *a = actual, *e = expected;
	size_t i = 0;

	while (i < size && a[i] == e[i])
		i++;
	if (i < size && test_failed(file, line))
		printf("%s: byte %zu of %zu is 0x%02x, not 0x%02x\n", text, i, size, a[i], e[i]);
	return i == size;
}

static inline bool test_wanted(const struct test *test, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], test->name))
			return true;
	return argc < 2;
}

static inline bool test_run(const struct test *test)
{
	the_tests.failures = 0;
	the_tests.skipped = NULL;
	the_tests.began = test_now();
	the_tests.waited = test_waited();
	test->function();
	if (the_tests.failures > TEST_FAILURES_SHOWN)
		printf("    and %u more\n", the_tests.failures - TEST_FAILURES_SHOWN);
	if (the_tests.failures)
		printf("FAIL %s\n", test->name);
	else if (the_tests.skipped)
		printf("skip %s: %s\n", test->name, the_tests.skipped);
	else
		printf("ok   %s\n", test->name);
	return !the_tests.failures;
}

/* Print a line for each test. Returns 0: all passed, 1: some failed, 2: no test was run. */
int main(int argc, char **argv)
{
	unsigned run = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(TEST_SECONDS);
	for (const struct test *test = the_tests.first; test; test = test->next) {
		if (!test_wanted(test, argc, argv))
			continue;
		run++;
		failed += !test_run(test);
	}
	if (!run)
		fprintf(stderr, "no test was run: this program has none, or none of these names\n");
	return !run ? 2 : failed ? 1 : 0;
}

#endif
