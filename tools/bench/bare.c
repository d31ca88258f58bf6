/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Measures what the machine can do without a driver. `make bench` shows these limits beside its figures.
 *
 *     bare copy MIB BLOCK random|sequential read|write SECONDS
 *         Prints copies per second of one thread that copies blocks from MIB of memory into 32 buffers (read), or
 *         from the buffers into the memory (write). The memory is mapped as the virtual SSD maps its store.
 *     bare pipeline MIB SECONDS [touch]
 *         Prints blocks per second, when one CPU copies random blocks of 4 KiB into 32 buffers, and another CPU takes
 *         them. With touch, that CPU loads each cache line of them, so that every line crosses from one CPU to the
 *         other. Verification of data that another CPU has copied cannot be faster than this.
 *     bare pingpong
 *         Prints nanoseconds of the round trip of a cache line between two CPUs.
 *     bare crc
 *         Prints a line. Then, until it is killed or its parent ends, it computes the CRC-32C of 8 blocks of 512
 *         bytes after each rdtsc, so that a stepper can count the instructions from one rdtsc to the next.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <x86intrin.h>

#include "core/util/crc32c.h"

#define BUFFERS 32
#define PAGE 4096
#define LINE 64

static const char USAGE[] = "usage: bare copy MIB BLOCK random|sequential read|write SECONDS\n"
			    "       bare pipeline MIB SECONDS [touch]\n"
			    "       bare pingpong\n"
			    "       bare crc\n";

static void stop(const char *text)
{
	fprintf(stderr, "bare: %s\n", text);
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* xorshift64 (Marsaglia), which takes a few cycles only, so that it does not slow the copying down. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Allocate memory as the virtual SSD's store does (vssd/store/medium.c), and touch every page of it. */
static uint8_t *store(size_t size)
{
	uint8_t *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		stop("no memory");
	madvise(memory, size, MADV_HUGEPAGE);
	memset(memory, 0x5a, size);
	return memory;
}

static uint8_t *buffers(size_t block)
{
	uint8_t *memory = aligned_alloc(PAGE, BUFFERS * block);

	if (!memory)
		stop("no memory");
	memset(memory, 0xa5, BUFFERS * block);
	return memory;
}

/* Stay on the first or the last of the CPUs that this process may use. */
static void pin(bool last)
{
	static cpu_set_t allowed; /* the affinity at the start */
	cpu_set_t one;
	int chosen = -1;

	if (CPU_COUNT(&allowed) == 0)
		sched_getaffinity(0, sizeof(allowed), &allowed);
	if (CPU_COUNT(&allowed) < 2)
		stop("this needs two CPUs");
	for (int cpu = 0; cpu < CPU_SETSIZE && (last || chosen < 0); cpu++)
		if (CPU_ISSET(cpu, &allowed))
			chosen = cpu;
	CPU_ZERO(&one);
	CPU_SET(chosen, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static pthread_t start(void *(*run)(void *), void *context)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, context))
		stop("no thread");
	return thread;
}

/* ---- copy ---- */

static double copy(size_t size, size_t block, bool random, bool write, double seconds)
{
	uint8_t *memory = store(size), *buffer = buffers(block);
	uint64_t blocks = size / block, place = 0, done = 0, state = 88172645463325252u;
	double begun = now(), taken;

	do {
		for (unsigned i = 0; i < BUFFERS; i++) {
			uint8_t *inside = buffer + i * block;
			uint8_t *outside = memory + place * block;

			memcpy(write ? outside : inside, write ? inside : outside, block);
			place = random ? next_random(&state) % blocks : (place + 1) % blocks;
		}
		done += BUFFERS;
		taken = now() - begun;
	} while (taken < seconds);
	return (double)done / taken;
}

/* ---- pipeline ---- */

struct pipeline {
	_Alignas(LINE) _Atomic uint64_t filled; /* blocks that were copied into buffers */
	_Alignas(LINE) _Atomic uint64_t taken;  /* of these, the blocks whose buffers are free again */
	_Alignas(LINE) _Atomic bool stop;
	uint8_t *memory, *buffer;
	uint64_t blocks;
};

static void *fill(void *context)
{
	struct pipeline *pipeline = context;
	uint64_t state = 88172645463325252u, filled = 0;
	const uint8_t *next = pipeline->memory;

	pin(true);
	while (!atomic_load_explicit(&pipeline->stop, memory_order_relaxed)) {
		uint64_t room = atomic_load_explicit(&pipeline->taken, memory_order_acquire) + BUFFERS;

		while (filled < room) {
			const uint8_t *block = next;

			next = pipeline->memory + next_random(&state) % pipeline->blocks * PAGE;
			for (unsigned line = 0; line < 8; line++)
				__builtin_prefetch(next + line * LINE);
			memcpy(pipeline->buffer + filled++ % BUFFERS * PAGE, block, PAGE);
			/* Take a few at once, like completions, so that the line of the index crosses less often. */
			if (filled % 4 == 0 || filled == room)
				atomic_store_explicit(&pipeline->filled, filled, memory_order_release);
		}
	}
	return NULL;
}

static double take(struct pipeline *pipeline, bool touch, double seconds)
{
	uint64_t taken = 0;
	double begun = now(), spent;

	do {
		for (unsigned i = 0; i < 1000; i++) {
			uint64_t filled = atomic_load_explicit(&pipeline->filled, memory_order_acquire);

			for (; taken < filled; taken++) {
				const uint8_t *block = pipeline->buffer + taken % BUFFERS * PAGE;

				for (unsigned at = 0; touch && at < PAGE; at += LINE)
					(void)*(const volatile uint64_t *)(block + at);
			}
			atomic_store_explicit(&pipeline->taken, taken, memory_order_release);
		}
		spent = now() - begun;
	} while (spent < seconds);
	return (double)taken / spent;
}

static double pipeline(size_t size, double seconds, bool touch)
{
	static struct pipeline shared;
	pthread_t thread;
	double rate;

	shared.memory = store(size);
	shared.buffer = buffers(PAGE);
	shared.blocks = size / PAGE;
	pin(false);
	thread = start(fill, &shared);
	rate = take(&shared, touch, seconds);
	atomic_store(&shared.stop, true);
	pthread_join(thread, NULL);
	return rate;
}

/* ---- pingpong ---- */

#define ROUND_TRIPS 200000

struct table {
	_Alignas(LINE) _Atomic uint32_t ball;
};

static void *answer(void *context)
{
	struct table *table = context;

	pin(true);
	for (uint32_t i = 1; i < 2 * ROUND_TRIPS; i += 2) {
		while (atomic_load_explicit(&table->ball, memory_order_acquire) != i)
			;
		atomic_store_explicit(&table->ball, i + 1, memory_order_release);
	}
	return NULL;
}

static double pingpong(void)
{
	static struct table table;
	pthread_t thread;
	double begun;

	pin(false);
	thread = start(answer, &table);
	begun = now();
	for (uint32_t i = 0; i < 2 * ROUND_TRIPS; i += 2) {
		atomic_store_explicit(&table.ball, i + 1, memory_order_release);
		while (atomic_load_explicit(&table.ball, memory_order_acquire) != i + 2)
			;
	}
	begun = now() - begun;
	pthread_join(thread, NULL);
	return begun / ROUND_TRIPS * 1e9;
}

/* ---- crc ---- */

static void crc(void)
{
	uint8_t *data = buffers(PAGE);
	uint32_t crcs[8];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	puts("ready");
	fflush(stdout);
	for (;;) {
		__rdtsc();
		pyn_crc32c_blocks(data, 512, 8, crcs);
	}
}

/* ---- the command line ---- */

static double number(const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= least && value <= most))
		stop("a number is missing, or out of range");
	return value;
}

/* Whether a word is the first of two options. A word that is neither is an error. */
static bool first_of(const char *word, const char *first, const char *second)
{
	if (strcmp(word, first) != 0 && strcmp(word, second) != 0)
		stop(USAGE);
	return strcmp(word, first) == 0;
}

int main(int count, char **words)
{
	const char *what = count > 1 ? words[1] : "";
	double result;

	if (strcmp(what, "copy") == 0 && count == 7) {
		size_t size = (size_t)number(words[2], 1, 1 << 24) << 20;
		size_t block = (size_t)number(words[3], LINE, 1 << 20) & ~(size_t)(LINE - 1);

		result = copy(size, block, first_of(words[4], "random", "sequential"),
			      first_of(words[5], "write", "read"), number(words[6], 0, 3600));
	} else if (strcmp(what, "pipeline") == 0 && (count == 4 || count == 5)) {
		result = pipeline((size_t)number(words[2], 1, 1 << 24) << 20, number(words[3], 0, 3600),
				  count == 5 && first_of(words[4], "touch", "touch"));
	} else if (strcmp(what, "pingpong") == 0 && count == 2) {
		result = pingpong();
	} else if (strcmp(what, "crc") == 0 && count == 2) {
		crc();
		result = 0;
	} else {
		fputs(USAGE, stderr);
		return 2;
	}
	printf("%.1f\n", result);
	return 0;
}
