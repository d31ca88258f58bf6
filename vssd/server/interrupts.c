/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/server/interrupts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DATA_FLAGS (VFU_IRQ_SET_DATA_NONE | VFU_IRQ_SET_DATA_BOOL | VFU_IRQ_SET_DATA_EVENTFD)
_Static_assert(sizeof(struct pci_msix_entry) == VSSD_MSIX_ENTRY_SIZE, "an entry of the MSI-X table");

#define ACTION_FLAGS (VFU_IRQ_SET_MASK | VFU_IRQ_SET_UNMASK | VFU_IRQ_SET_TRIGGER)

static const struct vssd_eventfd no_eventfd = {.fd = -1};

static void eventfd_close(struct vssd_eventfd *eventfd)
{
	if (eventfd->fd >= 0)
		close(eventfd->fd);
	*eventfd = no_eventfd;
}

/* Signal an eventfd. If the write would block, the reader has not read the last event yet, so this one can be
 * dropped.
 */
static void eventfd_signal(const struct vssd_eventfd *eventfd)
{
	struct pollfd room = {.fd = eventfd->fd, .events = POLLOUT};
	uint64_t one = 1;
	ssize_t ignored;

	if (eventfd->fd < 0 || (eventfd->blocking && poll(&room, 1, 0) != 1))
		return;
	ignored = write(eventfd->fd, &one, sizeof(one));
	(void)ignored;
}

/* Whether fd is an eventfd: a pipe or a terminal could block the writer. */
static bool is_eventfd(int fd)
{
	static const char wanted[] = "anon_inode:[eventfd]";
	char path[32], target[sizeof(wanted)];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target));
	return length == (ssize_t)sizeof(wanted) - 1 && memcmp(target, wanted, sizeof(wanted) - 1) == 0;
}

void vssd_interrupts_reset(struct vssd_interrupts *interrupts)
{
	interrupts->function_masked = false;
	for (unsigned i = 0; i < interrupts->count; i++) {
		interrupts->table[i] = (struct pci_msix_entry){.control = PCI_MSIX_ENTRY_MASK};
		interrupts->vectors[i].written = false;
		interrupts->vectors[i].pending = false;
	}
}

void vssd_interrupts_init(struct vssd_interrupts *interrupts, uint32_t count)
{
	interrupts->count = count;
	interrupts->intx = no_eventfd;
	interrupts->intx_masked = false;
	for (unsigned i = 0; i < VSSD_MSI_VECTORS; i++)
		interrupts->messages[i] = no_eventfd;
	for (unsigned i = 0; i < interrupts->count; i++)
		interrupts->vectors[i].eventfd = no_eventfd;
	vssd_interrupts_reset(interrupts);
}

void vssd_interrupts_release(struct vssd_interrupts *interrupts)
{
	bool function_masked = interrupts->function_masked; /* from configuration space, which outlasts a client */

	eventfd_close(&interrupts->intx);
	interrupts->intx_masked = false;
	for (unsigned i = 0; i < VSSD_MSI_VECTORS; i++)
		eventfd_close(&interrupts->messages[i]);
	for (unsigned i = 0; i < interrupts->count; i++)
		eventfd_close(&interrupts->vectors[i].eventfd);
	vssd_interrupts_reset(interrupts);
	interrupts->function_masked = function_masked;
}

bool vssd_interrupts_is_masked(const struct vssd_interrupts *interrupts, uint32_t vector)
{
	if (vector >= interrupts->count)
		return false;
	if (interrupts->function_masked)
		return true;
	return interrupts->vectors[vector].written && (interrupts->table[vector].control & PCI_MSIX_ENTRY_MASK);
}

static void deliver_pending(struct vssd_interrupts *interrupts, uint32_t vector)
{
	if (!interrupts->vectors[vector].pending || vssd_interrupts_is_masked(interrupts, vector))
		return;
	interrupts->vectors[vector].pending = false;
	eventfd_signal(&interrupts->vectors[vector].eventfd);
}

static void set_mask(struct vssd_interrupts *interrupts, uint32_t vector, bool masked)
{
	interrupts->table[vector].control = masked ? PCI_MSIX_ENTRY_MASK : 0;
	interrupts->vectors[vector].written = true;
	deliver_pending(interrupts, vector);
}

void vssd_interrupts_mask_function(struct vssd_interrupts *interrupts, bool masked)
{
	if (interrupts->function_masked == masked)
		return;
	interrupts->function_masked = masked;
	for (uint32_t i = 0; i < interrupts->count; i++)
		deliver_pending(interrupts, i);
}

bool vssd_interrupts_raise(struct vssd_interrupts *interrupts, uint16_t vector)
{
	bool named = vector < interrupts->count && interrupts->vectors[vector].eventfd.fd >= 0;

	if (vector >= interrupts->count)
		return false;
	if (!named && (interrupts->intx.fd >= 0 || !interrupts->vectors[vector].written))
		return false;
	interrupts->vectors[vector].pending = true;
	deliver_pending(interrupts, vector);
	return true;
}

void vssd_interrupts_message(const struct vssd_interrupts *interrupts, uint16_t message)
{
	if (message < VSSD_MSI_VECTORS)
		eventfd_signal(&interrupts->messages[message]);
}

void vssd_interrupts_pin(const struct vssd_interrupts *interrupts)
{
	if (!interrupts->intx_masked)
		eventfd_signal(&interrupts->intx);
}

uint32_t vssd_interrupts_count(const struct vssd_interrupts *interrupts, uint32_t index)
{
	switch (index) {
	case VFU_IRQ_INTX:
		return 1;
	case VFU_IRQ_MSI:
		return VSSD_MSI_VECTORS;
	case VFU_IRQ_MSIX:
		return interrupts->count;
	default:
		return 0;
	}
}

static bool is_one_bit(uint32_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static bool set_is_valid(const struct vssd_interrupts *interrupts, const struct vfu_irq_set *request,
			 size_t bools_length, unsigned num_fds)
{
	uint32_t data = request->flags & DATA_FLAGS, action = request->flags & ACTION_FLAGS;
	uint32_t vectors = vssd_interrupts_count(interrupts, request->index);

	if (request->argsz < sizeof(*request) || request->flags & ~(DATA_FLAGS | ACTION_FLAGS))
		return false;
	if (!is_one_bit(data) || !is_one_bit(action))
		return false;
	if (request->start >= vectors || request->count > vectors - request->start)
		return false;
	if (request->count == 0 &&
	    (request->flags != (VFU_IRQ_SET_DATA_NONE | VFU_IRQ_SET_TRIGGER) || request->start))
		return false;
	/* The client masks MSI in configuration space, not by SET_IRQS. */
	if (request->index == VFU_IRQ_MSI && action != VFU_IRQ_SET_TRIGGER)
		return false;
	if (data == VFU_IRQ_SET_DATA_EVENTFD)
		return action == VFU_IRQ_SET_TRIGGER && (num_fds == 0 || num_fds == request->count);
	return num_fds == 0 && (data != VFU_IRQ_SET_DATA_BOOL || bools_length >= request->count);
}

static struct vssd_eventfd *eventfd_of(struct vssd_interrupts *interrupts, uint32_t index, uint32_t vector)
{
	switch (index) {
	case VFU_IRQ_INTX:
		return &interrupts->intx;
	case VFU_IRQ_MSI:
		return &interrupts->messages[vector];
	default:
		return &interrupts->vectors[vector].eventfd;
	}
}

static bool has_eventfd(struct vssd_interrupts *interrupts, uint32_t index)
{
	for (uint32_t i = 0; i < vssd_interrupts_count(interrupts, index); i++)
		if (eventfd_of(interrupts, index, i)->fd >= 0)
			return true;
	return false;
}

/* Whether eventfds are set for the other kind of messages. */
static bool excludes(struct vssd_interrupts *interrupts, uint32_t index)
{
	return (index == VFU_IRQ_MSI && has_eventfd(interrupts, VFU_IRQ_MSIX)) ||
	       (index == VFU_IRQ_MSIX && has_eventfd(interrupts, VFU_IRQ_MSI));
}

static int assign(struct vssd_interrupts *interrupts, const struct vfu_irq_set *request, int *fds, unsigned num_fds)
{
	for (unsigned i = 0; i < num_fds; i++)
		if (!is_eventfd(fds[i]) || excludes(interrupts, request->index))
			return -EINVAL;
	for (uint32_t i = 0; i < request->count; i++) {
		struct vssd_eventfd *eventfd = eventfd_of(interrupts, request->index, request->start + i);

		eventfd_close(eventfd);
		if (num_fds == 0)
			continue;
		eventfd->fd = fds[i];
		eventfd->blocking = !(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
		fds[i] = -1;
	}
	return 0;
}

static void disable(struct vssd_interrupts *interrupts, uint32_t index)
{
	for (uint32_t i = 0; i < vssd_interrupts_count(interrupts, index); i++)
		eventfd_close(eventfd_of(interrupts, index, i));
}

static void act(struct vssd_interrupts *interrupts, uint32_t index, uint32_t vector, uint32_t action)
{
	bool triggers = action == VFU_IRQ_SET_TRIGGER;

	if (index == VFU_IRQ_INTX && !triggers)
		interrupts->intx_masked = action == VFU_IRQ_SET_MASK;
	else if (index == VFU_IRQ_INTX)
		eventfd_signal(&interrupts->intx);
	else if (index == VFU_IRQ_MSI)
		vssd_interrupts_message(interrupts, (uint16_t)vector);
	else if (!triggers)
		set_mask(interrupts, vector, action == VFU_IRQ_SET_MASK);
	else if (!vssd_interrupts_raise(interrupts, (uint16_t)vector))
		eventfd_signal(&interrupts->intx);
}

int vssd_interrupts_set(struct vssd_interrupts *interrupts, const struct vfu_irq_set *request, const uint8_t *bools,
			size_t bools_length, int *fds, unsigned num_fds)
{
	if (!set_is_valid(interrupts, request, bools_length, num_fds))
		return -EINVAL;
	if (request->flags & VFU_IRQ_SET_DATA_EVENTFD)
		return assign(interrupts, request, fds, num_fds);
	if (request->count == 0)
		disable(interrupts, request->index);
	for (uint32_t i = 0; i < request->count; i++)
		if (request->flags & VFU_IRQ_SET_DATA_NONE || bools[i])
			act(interrupts, request->index, request->start + i, request->flags & ACTION_FLAGS);
	return 0;
}

void vssd_interrupts_table_read(const struct vssd_interrupts *interrupts, uint32_t offset, void *data,
				uint32_t length)
{
	uint32_t size = interrupts->count * (uint32_t)sizeof(struct pci_msix_entry);
	uint32_t inside = offset >= size ? 0 : length < size - offset ? length : size - offset;

	memcpy(data, (const uint8_t *)interrupts->table + offset, inside);
	memset((uint8_t *)data + inside, 0, length - inside);
}

void vssd_interrupts_table_write(struct vssd_interrupts *interrupts, uint32_t offset, const void *data,
				 uint32_t length)
{
	uint32_t size = interrupts->count * (uint32_t)sizeof(struct pci_msix_entry);

	if (offset >= size || length == 0)
		return;
	if (length > size - offset)
		length = size - offset;
	memcpy((uint8_t *)interrupts->table + offset, data, length);
	for (uint32_t i = offset / sizeof(struct pci_msix_entry);
	     i <= (offset + length - 1) / sizeof(struct pci_msix_entry); i++)
		set_mask(interrupts, i, interrupts->table[i].control & PCI_MSIX_ENTRY_MASK);
}

void vssd_interrupts_pending_read(const struct vssd_interrupts *interrupts, uint32_t offset, void *data,
				  uint32_t length)
{
	uint8_t bar[VSSD_MSIX_BAR_SIZE] = {0};

	for (uint32_t i = 0; i < interrupts->count; i++)
		if (interrupts->vectors[i].pending)
			bar[i / 8] |= (uint8_t)(1u << i % 8);
	memcpy(data, bar + offset, length);
}
