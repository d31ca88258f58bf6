/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/io/device.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/env/env.h"
#include "core/io/tables.h"
#include "core/nvme/status.h"
#include "core/util/clock.h"
#include "core/util/log.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"
#include "spec/nvme_regs.h"

#define OWN_COMMANDS 32u /* of the driver's own in flight on the admin queue, beside the script's */
#define ADMIN_DEPTH (PYN_ADMIN_CIDS + OWN_COMMANDS + 1u)
#define DEFAULT_TIMEOUT_MS 10000u
#define WORKER_GRACE_MS 500u /* they take 1 ms; a machine with few cores may keep them waiting */

struct pyn_device {
	const struct pyn_engine *engine;
	struct pyn_ctrlr *ctrlr; /* NULL: closed */
	char *address;
	bool keep_tables;
	bool initialised;
	_Atomic uint32_t references;
	uint32_t process;
	uint32_t timeout_ms;
	_Atomic uint32_t format_generation;
	pthread_mutex_t lock; /* recursive: over the engine's controller and what follows */
	struct pyn_device_shared *shared;
	struct pyn_qpair *admin;
	struct pyn_buffer *identify; /* 4096 bytes: Identify Controller */
	uint64_t cap;
	uint64_t power_losses;       /* SMART, as of the last initialisation */
	bool power_losses_known;
	uint32_t max_queues;         /* IO queue pairs that may exist */
	struct pyn_io_queue **queues; /* by QID, PYN_MAX_QID + 1 of them */
};

static void lock(const struct pyn_device *device)
{
	pthread_mutex_lock((pthread_mutex_t *)&device->lock);
}

static void unlock(const struct pyn_device *device)
{
	pthread_mutex_unlock((pthread_mutex_t *)&device->lock);
}

static int closed(const struct pyn_device *device, struct pyn_error *err)
{
	if (device->process != pyn_process_generation())
		return pyn_error(err, PYN_ERROR_STATE, ECHILD, "the drive at %s was opened by another process",
				 device->address);
	if (!device->ctrlr)
		return pyn_error(err, PYN_ERROR_STATE, EBADF, "the drive at %s is closed", device->address);
	return 0;
}

/* -- life ----------------------------------------------------------------------------------------------------- */

static void destroy(struct pyn_device *device)
{
	if (device->process == pyn_process_generation()) {
		pyn_qpair_destroy(device->admin);
		pyn_buffer_put(device->identify);
		pyn_dma_free(device->shared);
	}
	pthread_mutex_destroy(&device->lock);
	free(device->queues);
	free(device->address);
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

static int create(const char *address, bool keep_tables, struct pyn_device **out, struct pyn_error *err)
{
	struct pyn_device *device = calloc(1, sizeof(*device));

	if (!device)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory");
	init_lock(&device->lock);
	atomic_init(&device->references, 1);
	device->process = pyn_process_generation();
	device->timeout_ms = DEFAULT_TIMEOUT_MS;
	device->keep_tables = keep_tables;
	device->address = strdup(address);
	device->queues = calloc(PYN_MAX_QID + 1, sizeof(*device->queues));
	*out = device;
	if (!device->address || !device->queues)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory");
	device->engine = pyn_engine_select(err);
	if (!device->engine)
		return -ENOTSUP;
	int rc = pyn_env_start(err);

	if (rc == 0)
		rc = pyn_token_start(err);
	if (rc < 0)
		return rc;
	pyn_ticks_hz();
	device->shared = pyn_dma_alloc(sizeof(*device->shared), 64, err);
	device->identify = pyn_buffer_create(PYN_PAGE, err);
	return device->shared && device->identify ? 0 : -ENOMEM;
}

static void forget_all(struct pyn_verify *verify)
{
	pyn_verify_forget(verify, 0, UINT64_MAX);
}

/* Which namespaces' data an admin command changes; 0: of none. */
static uint32_t changed_namespaces(const struct pyn_device *device, const struct nvme_cmd *cmd)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);

	switch (cmd->opc) {
	case NVME_ADMIN_FORMAT_NVM:
		return id->fna & (NVME_FNA_FORMAT_ALL | NVME_FNA_ERASE_ALL) ? UINT32_MAX : cmd->nsid;
	case NVME_ADMIN_SANITIZE:
	case NVME_ADMIN_NS_MANAGEMENT:
	case NVME_ADMIN_CAPACITY_MANAGEMENT:
	case NVME_ADMIN_SECURITY_SEND: /* may erase by a change of keys */
		return UINT32_MAX;
	default:
		return 0;
	}
}

/* Such a command changes data from when it is sent to when it has ended, however it ends. */
static void observe_admin(void *context, const struct nvme_cmd *cmd, bool ended)
{
	struct pyn_device *device = context;
	uint32_t nsid = changed_namespaces(device, cmd);

	if (!nsid && cmd->opc != NVME_ADMIN_FORMAT_NVM)
		return;
	/* All tables are held: which ones are meant may change between the two calls, and the holds must not. */
	if (ended) {
		pyn_tables_each(device->address, nsid, forget_all);
		pyn_tables_each(device->address, UINT32_MAX, pyn_verify_release);
	} else {
		pyn_tables_each(device->address, UINT32_MAX, pyn_verify_hold);
	}
	if (cmd->opc != NVME_ADMIN_SECURITY_SEND)
		atomic_fetch_add(&device->format_generation, 1);
}

static int open_device(struct pyn_device *device, struct pyn_error *err)
{
	struct pyn_qpair_config config = {
		.slots = PYN_ADMIN_CIDS,
		.in_flight = PYN_ADMIN_CIDS - 1,
		.own_slots = OWN_COMMANDS,
		.highest_first = true,
		.timeout_ms = &device->timeout_ms,
		.observe = observe_admin,
		.context = device,
	};
	int rc = device->engine->attach(device->address, &device->ctrlr, err);

	if (rc < 0)
		return rc;
	device->admin = pyn_qpair_create(device->engine, device->ctrlr, &config, err);
	if (device->admin)
		rc = pyn_device_reg_read(device, NVME_REG_CAP, 8, &device->cap, err);
	else
		rc = -ENOMEM;
	if (rc < 0) {
		device->engine->detach(device->ctrlr);
		device->ctrlr = NULL;
	}
	return rc;
}

int pyn_device_open(const char *address, bool keep_tables, struct pyn_device **out, struct pyn_error *err)
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
	return device->ctrlr && device->process == pyn_process_generation();
}

void pyn_device_lock(struct pyn_device *device)
{
	lock(device);
}

void pyn_device_unlock(struct pyn_device *device)
{
	unlock(device);
}

bool pyn_device_alive(struct pyn_device *device)
{
	lock(device);
	bool alive = pyn_device_is_open(device) && device->engine->alive(device->ctrlr);

	unlock(device);
	return alive;
}

/* -- resets --------------------------------------------------------------------------------------------------- */

/* What its owner could not free, once the device does not use it any more. */
static void free_orphan(struct pyn_io_queue *queue)
{
	if (!queue->orphan)
		return;
	pyn_qpair_destroy(queue->qpair);
	free(queue);
}

/* The device writes to no memory of ours any more: everything in flight ends, every queue is gone. */
static void abandon_all(struct pyn_device *device)
{
	pyn_qpair_abandon(device->admin, NVME_SC_ABORTED_SQ_DELETION);
	for (unsigned qid = 1; qid <= PYN_MAX_QID; qid++) {
		struct pyn_io_queue *queue = device->queues[qid];

		if (!queue)
			continue;
		device->queues[qid] = NULL;
		if (queue->qpair)
			pyn_qpair_abandon(queue->qpair, NVME_SC_ABORTED_SQ_DELETION);
		device->engine->queue_free(queue->queue);
		queue->queue = NULL;
		free_orphan(queue);
	}
	device->initialised = false;
}

/* Workers see the word between two batches and leave. What they have in flight stays in flight: that is the test. */
static void stop_workers(struct pyn_device *device)
{
	atomic_fetch_add(&device->shared->generation, 1);
	for (unsigned qid = 1; qid <= PYN_MAX_QID; qid++)
		if (device->queues[qid] && device->queues[qid]->stop)
			device->queues[qid]->stop(device->queues[qid]->user, WORKER_GRACE_MS);
}

static int do_reset(struct pyn_device *device, enum pyn_device_reset kind, struct pyn_error *err)
{
	int rc = 0;

	if (kind == PYN_DEVICE_RESET_FUNCTION || kind == PYN_DEVICE_RESET_HOT) {
		if (!device->engine->pci_reset)
			return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP, "the %s engine has no PCI reset",
					 device->engine->name);
		rc = device->engine->pci_reset(device->ctrlr,
					       kind == PYN_DEVICE_RESET_HOT ? PYN_RESET_HOT : PYN_RESET_FUNCTION, err);
	} else if (kind == PYN_DEVICE_RESET_CONTROLLER) {
		rc = device->engine->disable(device->ctrlr, err);
	}
	return rc;
}

int pyn_device_reset(struct pyn_device *device, enum pyn_device_reset kind, struct pyn_error *err)
{
	lock(device);
	int rc = closed(device, err);

	if (rc == 0) {
		stop_workers(device);
		rc = do_reset(device, kind, err);
		/* A controller that did not confirm may still write: its queues stay, unless it is gone. */
		if (rc == 0 || !device->engine->alive(device->ctrlr))
			abandon_all(device);
	}
	unlock(device);
	return rc;
}

static void flushed(struct pyn_verify *verify)
{
	pyn_verify_flush_end(verify, pyn_verify_flush_begin(verify));
}

int pyn_device_shutdown(struct pyn_device *device, bool abrupt, struct pyn_error *err)
{
	lock(device);
	int rc = closed(device, err);

	if (rc == 0)
		rc = device->engine->shutdown(device->ctrlr, abrupt, device->timeout_ms, err);
	if (rc == 0 && !abrupt)
		pyn_tables_each(device->address, UINT32_MAX, flushed);
	unlock(device);
	return rc;
}

void pyn_device_power_lost(struct pyn_device *device)
{
	pyn_tables_each(device->address, UINT32_MAX, pyn_verify_power_lost);
}

static void delete_queues(struct pyn_device *device)
{
	for (unsigned qid = PYN_MAX_QID; qid >= 1; qid--) {
		struct pyn_io_queue *queue = device->queues[qid];
		struct pyn_error ignored;

		if (queue && pyn_io_queue_delete(queue, &ignored) == 0)
			free_orphan(queue);
	}
}

/* The controller is told first, then memory is taken away from it. */
static void say_goodbye(struct pyn_device *device)
{
	struct pyn_error ignored;

	if (!device->engine->alive(device->ctrlr))
		return;
	if (device->initialised) {
		delete_queues(device);
		if (device->engine->shutdown(device->ctrlr, false, device->timeout_ms, &ignored) == 0)
			pyn_tables_each(device->address, UINT32_MAX, flushed);
	}
	if (pyn_qpair_queue(device->admin))
		device->engine->disable(device->ctrlr, &ignored);
}

static void close_device(struct pyn_device *device)
{
	bool alive = device->engine->alive(device->ctrlr);

	stop_workers(device);
	say_goodbye(device);
	abandon_all(device);
	device->engine->detach(device->ctrlr);
	device->ctrlr = NULL;
	if (!device->keep_tables || !alive)
		pyn_tables_drop(device->address);
}

void pyn_device_close(struct pyn_device *device)
{
	if (device->process != pyn_process_generation())
		return; /* a copy's lock may be held for ever, by a thread that was not copied */
	lock(device);
	if (device->ctrlr)
		close_device(device);
	unlock(device);
}

/* -- initialisation ------------------------------------------------------------------------------------------- */

/* enable: as far as CSTS.RDY = 1; otherwise CC is the script's to write. */
static int init_adminq(struct pyn_device *device, bool enable, struct pyn_error *err)
{
	int rc = device->engine->disable(device->ctrlr, err);

	if (rc < 0)
		return rc;
	abandon_all(device);
	rc = enable ? device->engine->enable(device->ctrlr, ADMIN_DEPTH, err)
		    : device->engine->admin_setup(device->ctrlr, ADMIN_DEPTH, err);
	if (rc < 0)
		return rc;
	pyn_qpair_attach(device->admin, device->engine->admin_queue(device->ctrlr));
	device->initialised = true;
	device->max_queues = PYN_MAX_QID; /* until init_queues knows better; the drive refuses what it has not */
	return pyn_device_reg_read(device, NVME_REG_CAP, 8, &device->cap, err);
}

int pyn_device_init_adminq(struct pyn_device *device, struct pyn_error *err)
{
	lock(device);
	int rc = closed(device, err);

	if (rc == 0)
		rc = init_adminq(device, false, err);
	unlock(device);
	return rc;
}

static int active_namespaces(struct pyn_device *device, struct pyn_error *err)
{
	struct nvme_cmd cmd = {.opc = NVME_ADMIN_IDENTIFY, .cdw10 = NVME_CNS_ACTIVE_NS_LIST};
	struct pyn_buffer *buffer = pyn_buffer_create(PYN_PAGE, err);
	int count = 0;

	if (!buffer)
		return -ENOMEM;
	/* A controller of before 1.1 does not know this list: then the controller data say how many there are. */
	if (pyn_device_admin_execute(device, &cmd, buffer, PYN_ERROR_ENUMERATE, NULL, err) == 0) {
		const uint32_t *list = (const uint32_t *)buffer->data;

		while (count < (int)(PYN_PAGE / sizeof(*list)) && list[count])
			count++;
	} else {
		uint32_t nn = ((const struct nvme_id_ctrl *)device->identify->data)->nn;

		count = nn < INT_MAX ? (int)nn : INT_MAX;
	}
	pyn_buffer_put(buffer);
	return count;
}

/* A drive counts the times that its power went without a shutdown, whoever cut it: then what was not flushed is unknown. */
static void look_for_power_loss(struct pyn_device *device)
{
	struct nvme_cmd cmd = {
		.opc = NVME_ADMIN_GET_LOG_PAGE,
		.nsid = UINT32_MAX,
		.cdw10 = NVME_LOG_SMART | (sizeof(struct nvme_smart_log) / 4 - 1) << 16,
	};
	struct pyn_error ignored;
	struct pyn_buffer *buffer = pyn_buffer_create(sizeof(struct nvme_smart_log), &ignored);

	if (!buffer)
		return;
	if (pyn_device_admin_execute(device, &cmd, buffer, PYN_ERROR_ENUMERATE, NULL, &ignored) == 0) {
		uint64_t losses = ((const struct nvme_smart_log *)buffer->data)->upl[0];

		if (device->power_losses_known && losses != device->power_losses)
			pyn_device_power_lost(device);
		device->power_losses = losses;
		device->power_losses_known = true;
	}
	pyn_buffer_put(buffer);
}

int pyn_device_init_ns(struct pyn_device *device, struct pyn_error *err)
{
	struct nvme_cmd cmd = {.opc = NVME_ADMIN_IDENTIFY, .cdw10 = NVME_CNS_CTRL};

	lock(device);
	int rc = closed(device, err);

	if (rc == 0)
		rc = pyn_device_admin_execute(device, &cmd, device->identify, PYN_ERROR_ENUMERATE, NULL, err);
	if (rc == 0) {
		look_for_power_loss(device);
		rc = active_namespaces(device, err);
	}
	unlock(device);
	return rc;
}

void pyn_device_init_queues(struct pyn_device *device, uint32_t cdw0)
{
	uint32_t sq = (cdw0 & 0xffff) + 1, cq = (cdw0 >> 16) + 1;

	lock(device);
	device->max_queues = sq < cq ? sq : cq;
	if (device->max_queues > PYN_MAX_QID)
		device->max_queues = PYN_MAX_QID;
	unlock(device);
}

static int init(struct pyn_device *device, struct pyn_error *err)
{
	struct nvme_cmd cmd = {
		.opc = NVME_ADMIN_SET_FEATURES,
		.cdw10 = NVME_FEAT_QUEUES,
		.cdw11 = 0xfffe | 0xfffeu << 16, /* as many as there are; FFFFh is not allowed */
	};
	uint32_t cdw0 = 0;
	int rc = closed(device, err);

	if (rc == 0)
		rc = init_adminq(device, true, err);
	if (rc == 0)
		rc = pyn_device_init_ns(device, err);
	if (rc >= 0)
		rc = pyn_device_admin_execute(device, &cmd, NULL, PYN_ERROR_ENUMERATE, &cdw0, err);
	if (rc == 0)
		pyn_device_init_queues(device, cdw0);
	return rc;
}

int pyn_device_init(struct pyn_device *device, struct pyn_error *err)
{
	lock(device);
	int rc = init(device, err);

	unlock(device);
	return rc;
}

bool pyn_device_initialised(const struct pyn_device *device)
{
	return device->initialised;
}

/* -- registers ------------------------------------------------------------------------------------------------ */

int pyn_device_reg_read(struct pyn_device *device, uint32_t offset, uint32_t size, uint64_t *value,
			struct pyn_error *err)
{
	lock(device);
	int rc = closed(device, err);

	if (rc == 0)
		rc = device->engine->reg_read(device->ctrlr, offset, size, value, err);
	unlock(device);
	return rc;
}

/* A doorbell of an IO queue that a script made itself: nobody here sees which LBAs its commands write. */
static bool rings_foreign_queue(const struct pyn_device *device, uint32_t offset)
{
	if (offset < NVME_REG_DOORBELLS)
		return false;
	uint64_t qid = (offset - NVME_REG_DOORBELLS) / (UINT64_C(8) << NVME_GET(device->cap, NVME_CAP_DSTRD));

	return qid > 0 && qid <= PYN_MAX_QID && !device->queues[qid];
}

int pyn_device_reg_write(struct pyn_device *device, uint32_t offset, uint32_t size, uint64_t value,
			 struct pyn_error *err)
{
	lock(device);
	int rc = closed(device, err);

	if (rc == 0 && rings_foreign_queue(device, offset))
		pyn_tables_each(device->address, UINT32_MAX, forget_all);
	if (rc == 0)
		rc = device->engine->reg_write(device->ctrlr, offset, size, value, err);
	unlock(device);
	return rc;
}

static int no_config(const struct pyn_device *device, struct pyn_error *err)
{
	return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP, "the %s engine reaches no configuration space",
			 device->engine->name);
}

int pyn_device_config_read(struct pyn_device *device, uint32_t offset, void *data, uint32_t length,
			   struct pyn_error *err)
{
	lock(device);
	int rc = closed(device, err);

	if (rc == 0)
		rc = device->engine->config_read
			     ? device->engine->config_read(device->ctrlr, offset, data, length, err)
			     : no_config(device, err);
	unlock(device);
	return rc;
}

int pyn_device_config_write(struct pyn_device *device, uint32_t offset, const void *data, uint32_t length,
			    struct pyn_error *err)
{
	lock(device);
	int rc = closed(device, err);

	if (rc == 0)
		rc = device->engine->config_write
			     ? device->engine->config_write(device->ctrlr, offset, data, length, err)
			     : no_config(device, err);
	unlock(device);
	return rc;
}

/* -- what is known -------------------------------------------------------------------------------------------- */

uint32_t pyn_device_process(const struct pyn_device *device)
{
	return device->process;
}

const char *pyn_device_address(const struct pyn_device *device)
{
	return device->address;
}

const struct pyn_engine *pyn_device_engine(const struct pyn_device *device)
{
	return device->engine;
}

struct pyn_ctrlr *pyn_device_ctrlr(const struct pyn_device *device)
{
	return device->ctrlr;
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
	uint64_t power = 12 + NVME_GET(device->cap, NVME_CAP_MPSMIN) + id->mdts; /* a number of smallest memory pages */

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

uint32_t pyn_device_format_generation(const struct pyn_device *device)
{
	return device->format_generation;
}

struct pyn_verify *pyn_device_table(struct pyn_device *device, uint32_t nsid, uint64_t nlba, uint32_t lba_size,
				    struct pyn_error *err)
{
	return pyn_tables_get(device->address, nsid, nlba, lba_size, err);
}

struct pyn_verify *pyn_device_find_table(struct pyn_device *device, uint32_t nsid)
{
	return pyn_tables_find(device->address, nsid);
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

/* -- IO queues ------------------------------------------------------------------------------------------------ */

static int execute_for_engine(void *context, const struct nvme_cmd *cmd, struct pyn_data data, struct nvme_cpl *cpl,
			      struct pyn_error *err)
{
	struct pyn_device *device = context;

	if (data.address)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, EINVAL, "an engine's own command has no data");
	return pyn_qpair_execute(device->admin, cmd, NULL, cpl, err);
}

static uint16_t free_qid(const struct pyn_device *device)
{
	for (unsigned qid = 1; qid <= device->max_queues; qid++)
		if (!device->queues[qid])
			return (uint16_t)qid;
	return 0;
}

static int create_queue(struct pyn_device *device, const struct pyn_io_queue_config *config,
			struct pyn_io_queue *queue, struct pyn_error *err)
{
	struct pyn_admin admin = {execute_for_engine, device};
	struct pyn_queue_config wanted = {
		.qid = free_qid(device),
		.depth = config->depth,
		.priority = config->priority,
		.interrupts = config->interrupts,
		.vector = config->vector,
		.forked = config->for_worker,
	};
	int rc;

	if (wanted.qid == 0)
		return pyn_error(err, PYN_ERROR_CREATE, ENOSPC, "all %u IO queues of the drive are in use",
				 device->max_queues);
	if (wanted.vector == 0xffff)
		wanted.vector = wanted.qid;
	queue->qid = wanted.qid;
	queue->depth = wanted.depth;
	if (!config->for_worker) {
		struct pyn_qpair_config qpair = {
			.qid = wanted.qid,
			.slots = (uint16_t)(wanted.depth - 1),
			.in_flight = (uint16_t)(wanted.depth - 1),
			.timeout_ms = &device->timeout_ms,
		};
		queue->qpair = pyn_qpair_create(device->engine, device->ctrlr, &qpair, err);
		if (!queue->qpair)
			return -ENOMEM;
	}
	rc = device->engine->queue_create(device->ctrlr, &wanted, &admin, &queue->queue, err);
	if (rc < 0)
		return rc;
	device->queues[wanted.qid] = queue;
	if (queue->qpair)
		pyn_qpair_attach(queue->qpair, queue->queue);
	return 0;
}

int pyn_io_queue_create(struct pyn_device *device, const struct pyn_io_queue_config *config,
			struct pyn_io_queue **out, struct pyn_error *err)
{
	struct pyn_io_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a queue pair");
	queue->device = device;
	queue->process = pyn_process_generation();
	lock(device);
	int rc = closed(device, err);

	if (rc == 0)
		rc = create_queue(device, config, queue, err);
	unlock(device);
	if (rc < 0) {
		pyn_qpair_destroy(queue->qpair);
		free(queue);
		return rc;
	}
	pyn_device_get(device);
	*out = queue;
	return 0;
}

static int delete_queue(struct pyn_io_queue *queue, struct pyn_error *err)
{
	struct pyn_device *device = queue->device;
	struct pyn_admin admin = {execute_for_engine, device};

	if (!queue->queue)
		return 0;
	int rc = device->engine->alive(device->ctrlr) ? device->engine->queue_delete(queue->queue, &admin, err) : 0;

	if (rc < 0)
		return rc;
	if (queue->qpair)
		pyn_qpair_abandon(queue->qpair, NVME_SC_ABORTED_SQ_DELETION);
	device->engine->queue_free(queue->queue);
	device->queues[queue->qid] = NULL;
	queue->queue = NULL;
	return 0;
}

int pyn_io_queue_delete(struct pyn_io_queue *queue, struct pyn_error *err)
{
	if (queue->process != pyn_process_generation())
		return 0;
	lock(queue->device);
	int rc = delete_queue(queue, err);

	unlock(queue->device);
	return rc;
}

void pyn_io_queue_free(struct pyn_io_queue *queue)
{
	struct pyn_device *device;
	struct pyn_error err;

	if (!queue || queue->process != pyn_process_generation())
		return;
	device = queue->device;
	if (pyn_io_queue_delete(queue, &err) < 0) {
		/* The device may still write to its memory: it is kept, reachable by QID, until a reset frees it. */
		pyn_log(PYN_LOG_WARNING, "queue %u could not be deleted: %s", queue->qid, err.text);
		lock(device);
		queue->stop = NULL;
		queue->orphan = true;
		unlock(device);
		pyn_device_put(device);
		return;
	}
	pyn_qpair_destroy(queue->qpair);
	pyn_device_put(device);
	free(queue);
}
