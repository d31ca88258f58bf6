/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/drive/device_private.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/env/env.h"
#include "core/verify/tables.h"
#include "core/drive/vector.h"
#include "core/nvme/status.h"
#include "core/util/clock.h"
#include "spec/nvme_id.h"
#include "spec/nvme_regs.h"
#include "spec/pci.h"

#define DEFAULT_TIMEOUT_MS 10000u

/* In a forked process a thread that is not there may hold it for ever, and pyn_device_check lets nothing be done. */
void pyn_device_lock(struct pyn_device *device)
{
	if (device->process == pyn_process_number())
		pthread_mutex_lock(&device->lock);
}

void pyn_device_unlock(struct pyn_device *device)
{
	if (device->process == pyn_process_number())
		pthread_mutex_unlock(&device->lock);
}

int pyn_device_check(const struct pyn_device *device, struct pyn_error *err)
{
	if (device->process != pyn_process_number())
		return pyn_error(err, PYN_ERROR_STATE, ECHILD, "the drive at %s was opened by another process",
				 device->address.text);
	if (!device->ctrlr)
		return pyn_error(err, PYN_ERROR_STATE, EBADF, "the drive at %s is closed", device->address.text);
	return 0;
}

/* -- life ----------------------------------------------------------------------------------------------------- */

static void destroy(struct pyn_device *device)
{
	if (device->process == pyn_process_number()) {
		pyn_tables_free(device->shutting_down);
		pyn_qpair_destroy(device->admin);
		pyn_buffer_put(device->identify);
		pyn_dma_free(device->shared);
	}
	pthread_mutex_destroy(&device->lock);
	free(device->queues);
	free((void *)device->by_script);
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

static int create(const struct pyn_address *address, bool keep_tables, struct pyn_device **out, struct pyn_error *err)
{
	struct pyn_device *device = calloc(1, sizeof(*device));

	if (!device)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory");
	init_lock(&device->lock);
	atomic_init(&device->references, 1);
	device->process = pyn_process_number();
	device->timeout_ms = DEFAULT_TIMEOUT_MS;
	device->durable_since = UINT64_MAX;
	device->keep_tables = keep_tables;
	device->address = *address;
	device->queues = calloc(PYN_MAX_QID + 1, sizeof(*device->queues));
	*out = device;
	device->by_script = calloc(PYN_MAX_QID + 1, sizeof(*device->by_script));
	if (!device->queues || !device->by_script)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory");
	device->engine = pyn_engine_select(err);
	if (!device->engine)
		return -ENOTSUP;
	/* For a function of this machine the memory gets locked. */
	int rc = address->kind == PYN_ADDRESS_FUNCTION ? pyn_env_start_locked(err) : pyn_env_start(err);

	if (rc == 0)
		rc = pyn_token_start(err);
	if (rc < 0)
		return rc;
	pyn_ticks_hz();
	device->shared = pyn_dma_alloc(sizeof(*device->shared), 64, err);
	device->identify = pyn_buffer_create(PYN_PAGE, err);
	return device->shared && device->identify ? 0 : -ENOMEM;
}

static int open_device(struct pyn_device *device, struct pyn_error *err)
{
	struct pyn_qpair_config config = {
		.slots = PYN_ADMIN_CIDS,
		.in_flight = PYN_ADMIN_CIDS - 1,
		.own_slots = PYN_OWN_COMMANDS,
		.highest_first = true,
		.timeout_ms = &device->timeout_ms,
		.on_command = pyn_device_on_command,
		.context = device,
	};
	int rc = device->engine->attach(&device->address, &device->ctrlr, err);

	if (rc < 0)
		return rc;
	/* A script may have left it in D3hot. */
	rc = device->engine->pci->wake(device->ctrlr, err);
	if (rc == 0)
		device->admin = pyn_qpair_create(device->engine, device->ctrlr, &config, err);
	if (rc == 0 && device->admin)
		rc = pyn_device_reg_read(device, NVME_REG_CAP, 8, &device->cap, err);
	else if (rc == 0)
		rc = -ENOMEM;
	if (rc < 0) {
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

	if (rc == 0)
		rc = open_device(device, err);
	if (rc < 0 && device)
		destroy(device);
	else
		*out = device;
	return rc;
}

void pyn_device_get(struct pyn_device *device)
{
	atomic_fetch_add(&device->references, 1);
}

void pyn_device_put(struct pyn_device *device)
{
	if (!device || atomic_fetch_sub(&device->references, 1) != 1)
		return;
	pyn_device_close(device);
	destroy(device);
}

bool pyn_device_is_open(const struct pyn_device *device)
{
	return device->ctrlr && device->process == pyn_process_number();
}

bool pyn_device_alive(struct pyn_device *device)
{
	pyn_device_lock(device);
	bool alive = pyn_device_is_open(device) && device->engine->alive(device->ctrlr);

	pyn_device_unlock(device);
	return alive;
}

/* -- registers ------------------------------------------------------------------------------------------------ */

/* A script may shut the controller down by itself: what had completed by then is durable once CSTS says so. */
static void begin_shutdown(struct pyn_device *device, uint64_t cc)
{
	if (!NVME_GET(cc, NVME_CC_EN) || NVME_GET(cc, NVME_CC_SHN) != NVME_SHN_NORMAL)
		return;
	pyn_tables_free(device->shutting_down);
	device->shutting_down = pyn_tables_all(device->address.text);
	pyn_tables_flush_begin(device->shutting_down);
}

static void see_shutdown(struct pyn_device *device, uint64_t csts)
{
	if (!device->shutting_down || csts == UINT32_MAX || NVME_GET(csts, NVME_CSTS_SHST) != NVME_SHST_COMPLETE)
		return;
	pyn_tables_flush_end(device->shutting_down);
	pyn_tables_free(device->shutting_down);
	device->shutting_down = NULL;
}

int pyn_device_reg_read(struct pyn_device *device, uint32_t offset, uint32_t size, uint64_t *value,
			struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (rc == 0)
		rc = device->engine->reg_read(device->ctrlr, offset, size, value, err);
	if (rc == 0 && offset == NVME_REG_CSTS)
		see_shutdown(device, *value);
	pyn_device_unlock(device);
	return rc;
}

/* A doorbell of an IO queue that a script made itself: nobody here sees which LBAs its commands write. */
static bool rings_foreign_queue(const struct pyn_device *device, uint32_t offset)
{
	if (offset < NVME_REG_DOORBELLS)
		return false;
	uint64_t qid = (offset - NVME_REG_DOORBELLS) / (UINT64_C(8) << NVME_GET(device->cap, NVME_CAP_DSTRD));

	return qid > 0 && qid <= PYN_MAX_QID &&
	       (!device->queues[qid] || atomic_load(&device->by_script[qid]) & PYN_SCRIPT_MADE_SQ);
}

/* A script may reset the controller by itself: its workers end then as with any other reset. */
static bool resets_controller(uint32_t offset, uint64_t value)
{
	return (offset == NVME_REG_CC && !NVME_GET(value, NVME_CC_EN)) ||
	       (offset == NVME_REG_NSSR && value == NVME_NSSR_RESET);
}

int pyn_device_reg_write(struct pyn_device *device, uint32_t offset, uint32_t size, uint64_t value,
			 struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (rc == 0 && rings_foreign_queue(device, offset))
		pyn_device_forget(device);
	if (rc == 0 && offset == NVME_REG_CC)
		begin_shutdown(device, value);
	if (rc == 0)
		rc = device->engine->reg_write(device->ctrlr, offset, size, value, err);
	if (rc == 0 && resets_controller(offset, value))
		pyn_device_cut_off_workers(device, PYN_END_RESET);
	pyn_device_unlock(device);
	return rc;
}

int pyn_device_config_read(struct pyn_device *device, uint32_t offset, void *data, uint32_t length,
			   struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (rc == 0)
		rc = device->engine->pci->config_read(device->ctrlr, offset, data, length, err);
	pyn_device_unlock(device);
	return rc;
}

/* Whether a write touches capabilities, the interrupts' among them, and not only the header. */
static bool reaches_capabilities(uint32_t offset, uint32_t length)
{
	return offset + length > PCI_CFG_HEADER_SIZE;
}

static int config_write(struct pyn_device *device, uint32_t offset, const void *data, uint32_t length,
			struct pyn_error *err)
{
	bool disabled = reaches_capabilities(offset, length) && pyn_vectors_disabled(device->vectors);
	int rc = device->engine->pci->config_write(device->ctrlr, offset, data, length, err);

	return rc == 0 && disabled ? pyn_vectors_enable(device->vectors, err) : rc;
}

int pyn_device_config_write(struct pyn_device *device, uint32_t offset, const void *data, uint32_t length,
			    struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (rc == 0)
		rc = config_write(device, offset, data, length, err);
	pyn_device_unlock(device);
	return rc;
}

/* -- what is known -------------------------------------------------------------------------------------------- */

uint32_t pyn_device_process(const struct pyn_device *device)
{
	return device->process;
}

const char *pyn_device_address(const struct pyn_device *device)
{
	return device->address.text;
}

const struct pyn_engine *pyn_device_engine(const struct pyn_device *device)
{
	return device->engine;
}

int pyn_device_cmb_info(struct pyn_device *device, struct pyn_cmb_info *info, struct pyn_error *err)
{
	int rc;

	pyn_device_lock(device);
	rc = pyn_device_check(device, err);
	if (rc == 0)
		rc = device->engine->cmb->info(device->ctrlr, info, err);
	pyn_device_unlock(device);
	return rc;
}

struct pyn_buffer *pyn_device_cmb_buffer(struct pyn_device *device, uint32_t size, struct pyn_error *err)
{
	struct pyn_buffer *buffer = NULL;
	struct pyn_window *window;
	int rc;

	pyn_device_lock(device);
	rc = pyn_device_check(device, err);
	if (rc == 0)
		rc = device->engine->cmb->window(device->ctrlr, &window, err);
	if (rc == 0)
		buffer = pyn_buffer_create_in(window, size, err);
	if (buffer)
		buffer->address = device->engine->cmb->address(device->ctrlr, buffer->data);
	pyn_device_unlock(device);
	return buffer;
}

int pyn_device_prepare_template(struct pyn_device *device, struct pyn_data_template *data, uint32_t most,
				struct pyn_error *err)
{
	int rc;

	pyn_device_lock(device);
	rc = pyn_device_check(device, err);
	if (rc == 0)
		device->engine->rings->prepare(device->ctrlr, data, most);
	pyn_device_unlock(device);
	return rc;
}

struct pyn_device_shared *pyn_device_shared(const struct pyn_device *device)
{
	return device->shared;
}

struct pyn_qpair *pyn_device_admin(const struct pyn_device *device)
{
	return device->admin;
}

uint64_t pyn_device_cap(const struct pyn_device *device)
{
	return device->cap;
}

uint64_t pyn_device_mdts(const struct pyn_device *device)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);
	uint64_t power =
		12 + NVME_GET(device->cap, NVME_CAP_MPSMIN) + id->mdts; /* a number of smallest memory pages */

	/* What does not fit into 64 bits is no limit either. */
	return id->mdts && power < 64 ? UINT64_C(1) << power : 0;
}

const void *pyn_device_identify(const struct pyn_device *device)
{
	return device->identify->data;
}

uint32_t *pyn_device_timeout_ms(struct pyn_device *device)
{
	return &device->timeout_ms;
}

uint32_t pyn_device_namespace_changes(const struct pyn_device *device)
{
	return device->namespace_changes;
}

struct pyn_verify *pyn_device_table(struct pyn_device *device, uint32_t nsid, uint64_t nlba, uint32_t lba_size,
				    struct pyn_error *err)
{
	return pyn_tables_get(device->address.text, nsid, nlba, lba_size, err);
}

struct pyn_tables *pyn_device_all_tables(struct pyn_device *device)
{
	return pyn_tables_all(device->address.text);
}

uint64_t pyn_device_durable_since(const struct pyn_device *device)
{
	return device->durable_since;
}

struct pyn_verify *pyn_device_find_table(struct pyn_device *device, uint32_t nsid)
{
	return pyn_tables_find(device->address.text, nsid);
}

int pyn_device_admin_execute(struct pyn_device *device, const struct nvme_cmd *cmd, struct pyn_buffer *buffer,
			     enum pyn_error_kind refused, uint32_t *cdw0, struct pyn_error *err)
{
	struct nvme_cpl cpl;
	int rc = pyn_qpair_execute(device->admin, cmd, buffer, &cpl, err);

	if (rc < 0)
		return rc;
	if (NVME_STATUS_SC(cpl.status) || NVME_STATUS_SCT(cpl.status))
		return pyn_error(err, refused, EIO, "the drive answered %s with status %02x/%02x (%s)",
				 pyn_admin_opcode_name(cmd->opc), NVME_STATUS_SCT(cpl.status),
				 NVME_STATUS_SC(cpl.status), pyn_status_name(cpl.status));
	if (cdw0)
		*cdw0 = cpl.cdw0;
	return 0;
}
