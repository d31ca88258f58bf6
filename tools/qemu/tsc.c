/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints the frequency of this machine's time stamp counter in kHz, for the guest's kernel: software emulation passes
 * the counter on as it is, and what a busy machine lets the guest measure by itself is wrong by factors. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int main(void)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	int64_t start = now_ns();
	uint64_t ticks = __rdtsc();

	nanosleep(&pause, NULL);
	ticks = __rdtsc() - ticks;
	printf("%llu\n", (unsigned long long)ticks * 1000000 / (unsigned long long)(now_ns() - start));
	return 0;
}
