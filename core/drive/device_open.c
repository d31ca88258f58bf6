/* SPDX-License-Identifier: BSD-3-Clause */
/* Opens and closes a drive. */
#include "core/drive/device_private.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/data/capture.h"
#include "core/env/env.h"
#include "core/verify/tables.h"
#include "core/util/clock.h"
#include "spec/nvme_regs.h"

#define DEFAULT_TIMEOUT_MS 10000u
#define KEPT_BYTES 4096u /* of the data of an admin command, for traces */
#define KEPT_COMMANDS 64u
#define KEPT_COMMANDS_CAPTURED 1024u /* until the thread of a capture has seen them */

static void destroy(struct pyn_device *device)
{
	if (device->process == pyn_process_number()) {
		pyn_tables_free(device->shutting_down);
		pyn_tables_leave(device->tables, true);
		pyn_tables_free_user(device->tables);
		pyn_inflight_destroy(device->admin);
		pyn_buffer_put(device->answers.identify);
		free(device->answers.effects);
		pyn_dma_free(device->shared);
	}
	pthread_mutex_destroy(&device->lock);
	free(device->io.qpairs);
	free((void *)device->io.by_script);
	free(device);
}

static void init_lock(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

/* Called with the last reference. */
static void close_and_destroy(struct pyn_device *device)
{
	pyn_device_close(device);
	destroy(device);
}

static int create(const struct pyn_address *address, bool keep_tables, struct pyn_device **out, struct pyn_error *err)
{
	struct pyn_device *device = calloc(1, sizeof(*device));

	if (!device)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory");
	init_lock(&device->lock);
	atomic_init(&device->references, 1);
	device->process = pyn_process_number();
	device->last_put = close_and_destroy;
	device->timeout_ms = DEFAULT_TIMEOUT_MS;
	device->keep_tables = keep_tables;
	device->address = *address;
	atomic_init(&device->io.page, PYN_PAGE);
	device->io.qpairs = calloc(PYN_MAX_QID + 1, sizeof(*device->io.qpairs));
	*out = device;
	device->io.by_script = calloc(PYN_MAX_QID + 1, sizeof(*device->io.by_script));
	device->tables = pyn_tables_join(address->text, &device->identify_changes);
	if (!device->io.qpairs || !device->io.by_script || !device->tables)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory");
	device->engine = pyn_engine_select(err);
	if (!device->engine)
		return -ENOTSUP;
	/* A function of this machine locks the DMA memory. */
	int rc = address->kind == PYN_ADDRESS_FUNCTION ? pyn_env_start_locked(err) : pyn_env_start(err);

	if (!rc)
		rc = pyn_token_start(err);
	if (rc)
		return rc;
	pyn_ticks_hz();
	device->shared = pyn_dma_alloc(sizeof(*device->shared), 64, err);
	device->answers.identify = pyn_buffer_create(PYN_PAGE, err);
	return device->shared && device->answers.identify ? 0 : -ENOMEM;
}

static int open_device(struct pyn_device *device, struct pyn_error *err)
{
	struct pyn_inflight_config config = {
		.slots = PYN_ADMIN_CIDS,
		.in_flight = PYN_ADMIN_CIDS - 1,
		.own_slots = PYN_OWN_COMMANDS,
		.highest_first = true,
		.drive = device->address.text,
		.timeout_ms = &device->timeout_ms,
		.on_command = pyn_device_on_command,
		.context = device,
	};
	int rc = device->engine->attach(&device->address, &device->ctrlr, err);

	if (rc)
		return rc;
	/* A script may have left the function in D3hot. */
	rc = device->engine->pci->wake(device->ctrlr, err);
	if (!rc)
		device->admin = pyn_inflight_create(device->engine, device->ctrlr, &config, err);
	if (!rc && device->admin)
		rc = pyn_inflight_keep(device->admin, KEPT_BYTES,
				       pyn_capture_runs() ? KEPT_COMMANDS_CAPTURED : KEPT_COMMANDS, err);
	if (!rc && device->admin)
		rc = pyn_device_reg_read(device, NVME_REG_CAP, 8, &device->cap, err);
	else if (!rc)
		rc = -ENOMEM;
	if (rc) {
		device->engine->detach(device->ctrlr);
		device->ctrlr = NULL;
	}
	return rc;
}

int pyn_device_open(const struct pyn_address *address, bool keep_tables, struct pyn_device **out,
		    struct pyn_error *err)
{
	struct pyn_device *device = NULL;
	int rc = create(address, keep_tables, &device, err);

	if (!rc)
		rc = open_device(device, err);
	if (rc && device)
		destroy(device);
	else
		*out = device;
	return rc;
}
