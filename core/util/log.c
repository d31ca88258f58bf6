/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/util/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

static _Atomic(pyn_log_sink) the_sink;

void pyn_log_set_sink(pyn_log_sink sink)
{
	atomic_store(&the_sink, sink);
}

void pyn_log(enum pyn_log_level level, const char *format, ...)
{
	pyn_log_sink sink = atomic_load(&the_sink);
	int saved = errno;
	char text[512];
	va_list args;

	if (!sink)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sink(level, text);
	errno = saved;
}

/* ---- records kept for pyn_log_take ---- */

#define LOG_RECORDS 64u

static struct {
	pthread_mutex_t lock;
	unsigned first, count;
	struct {
		int level;
		char text[512];
	} records[LOG_RECORDS];
} the_log = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep(int level, const char *text)
{
	pthread_mutex_lock(&the_log.lock);
	if (the_log.count == LOG_RECORDS) {
		the_log.first = (the_log.first + 1) % LOG_RECORDS;
		the_log.count--;
	}
	unsigned slot = (the_log.first + the_log.count++) % LOG_RECORDS;

	the_log.records[slot].level = level;
	snprintf(the_log.records[slot].text, sizeof(the_log.records[slot].text), "%s", text);
	pthread_mutex_unlock(&the_log.lock);
}

void pyn_log_keep(void)
{
	pyn_log_set_sink(keep);
}

int pyn_log_take(char *text, size_t size)
{
	int level = 0;

	pthread_mutex_lock(&the_log.lock);
	if (the_log.count) {
		level = the_log.records[the_log.first].level;
		snprintf(text, size, "%s", the_log.records[the_log.first].text);
		the_log.first = (the_log.first + 1) % LOG_RECORDS;
		the_log.count--;
	}
	pthread_mutex_unlock(&the_log.lock);
	return level;
}
