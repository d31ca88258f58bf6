/* SPDX-License-Identifier: BSD-3-Clause */
/* Variables whose memory or file descriptor is released whenever their scope is left, by return or otherwise. */
#ifndef PYN_UTIL_CLEANUP_H
#define PYN_UTIL_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void pyn_cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void pyn_cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

/* char *text PYN_FREE = strdup(…);  int fd PYN_CLOSE = open(…); */
#define PYN_FREE __attribute__((cleanup(pyn_cleanup_free)))
#define PYN_CLOSE __attribute__((cleanup(pyn_cleanup_close)))

/* Take ownership out of a PYN_FREE or PYN_CLOSE variable: return PYN_TAKE(pointer); */
#define PYN_TAKE(pointer)                                                                                            \
	({                                                                                                           \
		__typeof__(pointer) pyn_taken = (pointer);                                                           \
		(pointer) = NULL;                                                                                    \
		pyn_taken;                                                                                           \
	})
#define PYN_TAKE_FD(fd)                                                                                              \
	({                                                                                                           \
		int pyn_taken = (fd);                                                                                \
		(fd) = -1;                                                                                           \
		pyn_taken;                                                                                           \
	})

#endif
