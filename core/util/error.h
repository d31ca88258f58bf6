/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Errors: a function returns 0 or -errno and fills a struct pyn_error. That is plain data of a fixed size, so that a
 * worker process can pass it in shared memory.
 * The status of an NVMe command is never an errno; it is data in a completion.
 */
#ifndef PYN_UTIL_ERROR_H
#define PYN_UTIL_ERROR_H

/* What failed. binding/errors.pyx maps each kind to an exception. */
enum pyn_error_kind {
	PYN_ERROR_NONE = 0,
	PYN_ERROR_ARGUMENT,    /* the caller's value fits no field or no buffer */
	PYN_ERROR_MEMORY,      /* no memory, or no DMA memory */
	PYN_ERROR_ENUMERATE,   /* no such device, or it does not become ready */
	PYN_ERROR_GONE,        /* the device was there and has disappeared */
	PYN_ERROR_TIMEOUT,     /* the device did not answer in time */
	PYN_ERROR_CREATE,      /* the device refused to create a queue, or has no free one */
	PYN_ERROR_DELETE,      /* the device refused to delete a queue */
	PYN_ERROR_SHUTDOWN,    /* CSTS.SHST did not become 10b in time */
	PYN_ERROR_NAMESPACE,   /* no such namespace */
	PYN_ERROR_STATE,       /* the object is closed, deleted, or belongs to another process */
	PYN_ERROR_UNSUPPORTED, /* this device or this build cannot do it */
	PYN_ERROR_WITHHELD,    /* the engine in use cannot do it, and pynvme's own can */
	PYN_ERROR_SYSTEM,      /* a system call failed */
	PYN_ERROR_CONTENT,     /* a file holds something else than it should */
};

#define PYN_ERROR_TEXT 232

struct pyn_error {
	int kind;                  /* enum pyn_error_kind */
	int number;                /* errno, positive; 0 if there is none */
	int capability;            /* of PYN_ERROR_WITHHELD: enum pyn_capability; otherwise 0 */
	char text[PYN_ERROR_TEXT]; /* what was wrong, what was found, what to do; NUL-terminated */
};

/*
 * Fill *err (which may be NULL) and return -number, so that a function can end with
 *     return pyn_error(err, PYN_ERROR_ENUMERATE, ENOENT, "no socket at %s", path);
 * If number is 0, this returns -EIO, since 0 would mean success. A text that is too long is cut. err->text may be
 * among the arguments, so that a caller can add to the error of a function that it called.
 */
int pyn_error(struct pyn_error *err, enum pyn_error_kind kind, int number, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
