/* SPDX-License-Identifier: BSD-3-Clause */
/* The library prints nothing: what it has to say goes to one sink, which Python sets to its logging. */
#ifndef PYN_UTIL_LOG_H
#define PYN_UTIL_LOG_H

#include <stddef.h>

enum pyn_log_level { PYN_LOG_DEBUG = 10, PYN_LOG_INFO = 20, PYN_LOG_WARNING = 30, PYN_LOG_ERROR = 40 };

/* text is valid during the call only. May be called from any thread, with or without Python's lock. */
typedef void (*pyn_log_sink)(int level, const char *text);

/* NULL: what is logged is dropped, which is how it starts. */
void pyn_log_set_sink(pyn_log_sink sink);

/* A text longer than 511 bytes is cut. errno stays as it is. */
void pyn_log(enum pyn_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * What the library logs waits here until somebody takes it: a sink that called Python while a queue is locked could
 * wait for a thread that waits for the queue. At most 64 records; the oldest are dropped.
 */
void pyn_log_keep(void);

/* The oldest record: its level (enum pyn_log_level), or 0 where there is none. */
int pyn_log_take(char *text, size_t size);

#endif
