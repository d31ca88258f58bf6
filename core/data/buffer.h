/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A data buffer in DMA memory. The script's object and each command in flight hold a reference, so the device never
 * writes into memory that has been reused.
 *
 * A buffer also records which bytes each command in flight uses. If two commands use the same bytes, nobody can say
 * what was read or written, and verification must not judge it: they disturb each other.
 */
#ifndef PYN_DATA_BUFFER_H
#define PYN_DATA_BUFFER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/env/env.h"
#include "core/util/error.h"
#include "core/util/spin.h"

#define PYN_PAGE 4096u

struct pyn_window;

struct pyn_buffer {
	uint8_t *data;
	uint32_t size; /* bytes allocated, as asked for */
	uint32_t page; /* bytes: nothing else is in the last page of this size, from the beginning on */
	_Atomic uint32_t references;
	uint32_t process;           /* pyn_process_number of the process that created it */
	struct pyn_window *window;  /* the device memory that holds it; NULL: DMA memory */
	struct pyn_iova address;    /* of its first byte, for the device of that window */
	struct pyn_spin lock;       /* protects pages: several threads submit and reap */
	struct pyn_page_use *pages; /* one for each 4 KiB */
};

struct pyn_buffer_use;

/* Commands in flight that may still be disturbed, or may disturb others. */
enum pyn_use_kind {
	PYN_USE_READ,           /* the device writes these bytes */
	PYN_USE_READ_DISTURBED, /* and another command or the script has changed them meanwhile */
	PYN_USE_WRITE,          /* the device reads these bytes */
	PYN_USE_KINDS,
	PYN_USE_NONE = PYN_USE_KINDS, /* neither: a disturbed write, or no bytes */
};

struct pyn_page_use {
	struct pyn_buffer_use *first[PYN_USE_KINDS]; /* lists of the uses that begin in this page */
	uint32_t continued;                          /* number of uses that reach into it from an earlier page */
};

/* Create a buffer: zeroed, aligned to 4 KiB, contiguous for the device. The caller gets one reference. NULL: no
 * memory. */
struct pyn_buffer *pyn_buffer_create(uint32_t size, struct pyn_error *err);

/* The same in a device's own memory. */
struct pyn_buffer *pyn_buffer_create_in(struct pyn_window *window, uint32_t size, struct pyn_error *err);
void pyn_buffer_get(struct pyn_buffer *buffer);
void pyn_buffer_put(struct pyn_buffer *buffer);

/* The use of the bytes offset … offset+length-1 by one command. Do not move it between begin and end. */
struct pyn_buffer_use {
	struct pyn_buffer *buffer; /* holds a reference */
	uint32_t offset;
	uint32_t length;
	enum pyn_use_kind kind;
	bool disturbed;               /* something else changed these bytes, or was already changing them */
	struct pyn_buffer_use *next;  /* in the list of its page */
	struct pyn_buffer_use **link; /* the pointer that points to it */
};

/* Note that a command starts to use these bytes. stamps: the host changes them now, before the device reads them. */
void pyn_buffer_use_begin(struct pyn_buffer_use *use, struct pyn_buffer *buffer, uint32_t offset, uint32_t length,
			  bool to_host, bool stamps);

/* Note that the command has ended, and drop the reference. Returns whether nothing disturbed it. */
bool pyn_buffer_use_end(struct pyn_buffer_use *use);

/* Note that the script changes these bytes. */
void pyn_buffer_changed(struct pyn_buffer *buffer, uint32_t offset, uint32_t length);

/* The address by which a device reaches a byte of the buffer. This is the virtual address until a device that needs
 * physical ones is opened, then the physical address: a buffer does not know which device will use it. */
struct pyn_iova pyn_buffer_address(const struct pyn_buffer *buffer, uint32_t offset);

#endif
