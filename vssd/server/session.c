/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "vssd/server/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vssd/ctrl/layout.h"
#include "vssd/server/dispatch.h"
#include "vssd/subsystem/subsystem.h"

#define MESSAGES_AT_ONCE 64

static struct vssd_session *session_of(struct vssd_bus *bus)
{
	return (struct vssd_session *)((char *)bus - offsetof(struct vssd_session, bus));
}

static bool bus_interrupt(struct vssd_bus *bus, uint16_t vector)
{
	return vssd_interrupts_raise(&session_of(bus)->interrupts, vector);
}

static bool bus_is_masked(struct vssd_bus *bus, uint16_t vector)
{
	return vssd_interrupts_is_masked(&session_of(bus)->interrupts, vector);
}

static void bus_message(struct vssd_bus *bus, uint16_t message)
{
	vssd_interrupts_message(&session_of(bus)->interrupts, message);
}

static void bus_pin(struct vssd_bus *bus)
{
	vssd_interrupts_pin(&session_of(bus)->interrupts);
}

static void bus_mask(struct vssd_bus *bus, bool masked)
{
	vssd_interrupts_mask_function(&session_of(bus)->interrupts, masked);
}

static void bus_reset(struct vssd_bus *bus)
{
	vssd_interrupts_reset(&session_of(bus)->interrupts);
}

static int bus_read(struct vssd_bus *bus, uint64_t iova, void *data, size_t length)
{
	return vssd_remote_read(&session_of(bus)->remote, iova, data, length);
}

static int bus_write(struct vssd_bus *bus, uint64_t iova, const void *data, size_t length)
{
	return vssd_remote_write(&session_of(bus)->remote, iova, data, length);
}

static const struct vssd_bus_ops bus_ops = {
	.interrupt = bus_interrupt,
	.is_masked = bus_is_masked,
	.message = bus_message,
	.pin = bus_pin,
	.mask = bus_mask,
	.reset = bus_reset,
	.read = bus_read,
	.write = bus_write,
};

static void doorbells_deinit(struct vssd_doorbells *doorbells)
{
	if (doorbells->mapping)
		munmap(doorbells->mapping, doorbells->size);
	if (doorbells->fd >= 0)
		close(doorbells->fd);
	*doorbells = (struct vssd_doorbells){.fd = -1};
}

/* Create the file of the doorbells. Seal it, so that no client can take the page away by truncating it. */
static int doorbells_init(struct vssd_doorbells *doorbells, const struct vssd_options *options, struct pyn_error *err)
{
	void *mapping;

	doorbells->mapping = NULL;
	doorbells->size = VSSD_DOORBELL_OFFSET + vssd_layout_doorbells(options);
	doorbells->fd = memfd_create("vssd doorbells", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (doorbells->fd < 0 || ftruncate(doorbells->fd, doorbells->size) != 0 ||
	    fcntl(doorbells->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		goto failed;
	mapping = mmap(NULL, doorbells->size, PROT_READ | PROT_WRITE, MAP_SHARED, doorbells->fd, 0);
	if (mapping == MAP_FAILED)
		goto failed;
	doorbells->mapping = mapping;
	return 0;
failed:
	pyn_error(err, PYN_ERROR_SYSTEM, errno, "cannot make the doorbells' shared memory: %s", strerror(errno));
	doorbells_deinit(doorbells);
	return -err->number;
}

int vssd_session_init(struct vssd_session *session, struct vssd_subsystem *subsystem, struct pyn_error *err)
{
	int result;

	memset(session, 0, sizeof(*session));
	session->bus.ops = &bus_ops;
	session->subsystem = subsystem;
	vssd_connection_open(&session->connection, -1);
	vssd_remote_init(&session->remote, &session->connection);
	vssd_interrupts_init(&session->interrupts, vssd_layout_vectors(&subsystem->options));
	result = doorbells_init(&session->doorbells, &subsystem->options, err);
	if (result)
		return result;
	result = vssd_ctrl_create(subsystem, &session->bus,
				  (uint32_t *)((char *)session->doorbells.mapping + VSSD_DOORBELL_OFFSET),
				  &session->ctrl, err);
	if (result) {
		doorbells_deinit(&session->doorbells);
		return result;
	}
	vssd_memory_init(&session->memory, &session->bus.dma);
	return 0;
}

void vssd_session_accept(struct vssd_session *session, int fd)
{
	vssd_connection_open(&session->connection, fd);
	vssd_remote_init(&session->remote, &session->connection);
	session->negotiated = false;
}

/* Release what belongs to the client. Unmap its memory only after the controller has dropped its pointers to it. */
static void drop_client(struct vssd_session *session)
{
	vssd_ctrl_host_gone(session->ctrl);
	vssd_memory_unmap_all(&session->memory);
	vssd_interrupts_release(&session->interrupts);
	vssd_remote_clear(&session->remote);
	vssd_connection_close(&session->connection);
	session->negotiated = false;
}

void vssd_session_deinit(struct vssd_session *session)
{
	drop_client(session);
	vssd_memory_deinit(&session->memory);
	vssd_ctrl_destroy(session->ctrl);
	doorbells_deinit(&session->doorbells);
}

/* Get the next message. Those that arrived while the controller waited for a reply come first. */
static bool next_message(struct vssd_session *session, struct vssd_message *message)
{
	bool refused;

	if (vssd_remote_take(&session->remote, message))
		return true;
	switch (vssd_connection_receive(&session->connection, message, &refused)) {
	case VSSD_RECEIVE_MESSAGE:
		return true;
	case VSSD_RECEIVE_BROKEN:
		if (refused)
			vssd_dispatch_refuse(session, message, EINVAL);
		return false;
	default:
		return false;
	}
}

bool vssd_session_has_backlog(const struct vssd_session *session)
{
	return session->connection.broken || session->remote.queued > 0 ||
	       vssd_memory_was_taken_away(&session->memory);
}

bool vssd_session_serve(struct vssd_session *session)
{
	struct vssd_connection *connection = &session->connection;
	struct vssd_message message;
	bool worked = false;

	for (int i = 0; i < MESSAGES_AT_ONCE && !connection->broken; i++) {
		if (!vssd_connection_flush(connection) || !next_message(session, &message))
			break;
		vssd_dispatch(session, &message);
		worked = true;
	}
	if (vssd_memory_was_taken_away(&session->memory))
		connection->broken = true;
	if (!connection->broken)
		return worked;
	drop_client(session);
	return true;
}
