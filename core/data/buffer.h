/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A data buffer in DMA memory, owned by everybody who uses it: the script's object, and each command in flight. So
 * the device never writes into memory that was given to somebody else.
 *
 * A buffer also knows, byte by byte, who disturbs whom: two commands in flight over the same bytes make it impossible
 * to say what was read or written, and verification must not judge what cannot be known.
 */
#ifndef PYN_IO_BUFFER_H
#define PYN_IO_BUFFER_H

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
	_Atomic uint32_t references;
	uint32_t process;           /* pyn_process_number of the process that made it */
	struct pyn_window *window;  /* the device's memory that it is in; NULL: DMA memory */
	struct pyn_iova address;    /* of its first byte for that device */
	struct pyn_spin lock;       /* over pages: several threads submit and reap */
	struct pyn_page_use *pages; /* one for each 4 KiB */
};

struct pyn_buffer_use;

/* The commands in flight that somebody may still disturb, or that may disturb others. */
enum pyn_use_kind {
	PYN_USE_READ,           /* the device writes there */
	PYN_USE_READ_DISTURBED, /* and so did somebody else meanwhile */
	PYN_USE_WRITE,          /* the device reads there */
	PYN_USE_KINDS,
	PYN_USE_NONE = PYN_USE_KINDS, /* neither: a write that somebody has disturbed, or no bytes at all */
};

struct pyn_page_use {
	struct pyn_buffer_use *first[PYN_USE_KINDS]; /* lists of those that begin in this page */
	uint32_t continued;                          /* those that reach into it from an earlier page */
};

/* Zeroed, 4 KiB aligned, contiguous for the device; one reference. NULL: no memory. */
struct pyn_buffer *pyn_buffer_create(uint32_t size, struct pyn_error *err);

/* The same in memory of a device's own. */
struct pyn_buffer *pyn_buffer_create_in(struct pyn_window *window, uint32_t size, struct pyn_error *err);
void pyn_buffer_get(struct pyn_buffer *buffer);
void pyn_buffer_put(struct pyn_buffer *buffer);

/* What one command does to the bytes offset … offset+length-1. It stays where it is from begin to end. */
struct pyn_buffer_use {
	struct pyn_buffer *buffer; /* holds a reference */
	uint32_t offset;
	uint32_t length;
	enum pyn_use_kind kind;
	bool disturbed;               /* somebody else changed these bytes, or was changing them already */
	struct pyn_buffer_use *next;  /* in the list of its page */
	struct pyn_buffer_use **link; /* what points to it */
};

/* A command starts to use these bytes; stamps: the host changes them now, before the device reads them. */
void pyn_buffer_use_begin(struct pyn_buffer_use *use, struct pyn_buffer *buffer, uint32_t offset, uint32_t length,
			  bool to_host, bool stamps);

/* It has ended: whether these bytes were its own all the time. Drops the reference. */
bool pyn_buffer_use_end(struct pyn_buffer_use *use);

/* The script changes these bytes. */
void pyn_buffer_changed(struct pyn_buffer *buffer, uint32_t offset, uint32_t length);

/* The address by which a device reaches a byte of it: the virtual one, and the physical one as soon as a device that
 * needs it has been opened, since a buffer does not know for which it is meant. */
struct pyn_iova pyn_buffer_address(const struct pyn_buffer *buffer, uint32_t offset);

#endif
