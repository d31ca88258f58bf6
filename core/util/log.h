/* SPDX-License-Identifier: BSD-3-Clause */
/* The library prints nothing. It passes its messages to one sink; the binding forwards them to Python's logging. */
#ifndef PYN_UTIL_LOG_H
#define PYN_UTIL_LOG_H

#include <stddef.h>

enum pyn_log_level { PYN_LOG_DEBUG = 10, PYN_LOG_INFO = 20, PYN_LOG_WARNING = 30, PYN_LOG_ERROR = 40 };

/* text is valid only during the call. The sink may be called by any thread, with or without Python's lock. */
typedef void (*pyn_log_sink)(int level, const char *text);

/* Set the sink. With NULL, the initial state, messages are dropped. */
void pyn_log_set_sink(pyn_log_sink sink);

/* Pass a message to the sink, cut to 511 bytes. Preserves errno. */
void pyn_log(enum pyn_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Keep messages until pyn_log_take fetches them. A sink that called Python while a queue is locked could wait for a
 * thread that waits for that queue. At most 64 records are kept; then the oldest is dropped.
 */
void pyn_log_keep(void);

/* Take the oldest record: returns its level (enum pyn_log_level), or 0 if there is no record. */
int pyn_log_take(char *text, size_t size);

#endif
