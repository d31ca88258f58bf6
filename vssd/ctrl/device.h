/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The controller's state, and what the files of vssd/ctrl, vssd/cmd and vssd/subsystem offer each other.
 *
 * ctrl/      ctrl.c      life, power, resets          regs.c      registers, CC and CSTS
 *            config.c    PCI configuration space      queue.c     queues and their memory
 *            doorbell.c  what the host stores         arbitration.c which queue is served next
 *            complete.c  completions                  interrupt.c when a vector is raised
 *            power.c     power states                 hmb.c       the host memory buffer       event.c
 * cmd/       dispatch.c  a command from fetching it to its completion; table.c finds it
 *            direct.c    the short way of plain reads and writes
 *            admin.c     the table of admin commands, queue management
 *            abort.c, identify.c, features.c, log.c   an admin command each
 *            nvm.c       the NVM command set
 *            dptr.c      host memory of a command     error.c     commands that fail
 * subsystem/ format.c, sanitize.c, firmware.c, self_test.c, telemetry.c
 *            health.c    what SMART reports
 *
 * A handler takes a struct vssd_request, and returns its status as NVME_SC(sct, sc), or VSSD_LATER.
 */
#ifndef VSSD_CTRL_DEVICE_H
#define VSSD_CTRL_DEVICE_H

#include "spec/nvme_cmd.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"
#include "spec/nvme_regs.h"
#include "vssd/bus/bus.h"
#include "vssd/cmd/request.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/ctrl.h"
#include "vssd/ctrl/function.h"
#include "vssd/ctrl/queue.h"
#include "vssd/store/store.h"
#include "vssd/subsystem/nonvolatile.h"

#define VSSD_NUM_QUEUES (VSSD_MAX_IO_QUEUES + 1)
#define VSSD_ADMIN_MAX_ENTRIES 4096u

#define VSSD_ACL 3u /* these are 0's based, as Identify reports them */
#define VSSD_AERL 3u
#define VSSD_ELPE 63u
#define VSSD_NPSS 4u

#define VSSD_FIRST_NOPS 3u /* the first power state without operation */
#define VSSD_MNTMT 273u    /* Kelvin: what thermal management temperatures may be */
#define VSSD_MXTMT 358u
#define VSSD_HMPRE 1024u /* 4 KiB each: the host memory buffer that it likes best, and the least that is of use */
#define VSSD_HMMIN 16u
#define VSSD_HMB_DESCRIPTORS 128u

#define VSSD_WCTEMP 343u /* Kelvin */
#define VSSD_CCTEMP 353u
#define VSSD_SENSORS 2u
#define VSSD_FIRMWARE "1.0     "   /* of a new drive */
#define VSSD_FWUG 1u               /* as Identify reports it: the size of a piece of firmware */
#define VSSD_FIRMWARE_PIECES 2048u /* of the largest image */

/* ---- queues ---- */

/* Interrupt coalescing: entries of a vector's completion queues that no interrupt has told of. */
struct vssd_coalesced {
	uint32_t entries;
	uint64_t due; /* ticks, from the first of them on */
};

/* ---- namespaces ---- */

struct vssd_ns {
	uint64_t nsze;        /* LBAs of the format in use */
	uint64_t first_block; /* in the store */
	uint64_t blocks;
	uint32_t nsid;
	uint8_t lba_shift; /* 9 or 12 */
	bool dulbe;        /* feature 05h: reading what was never written is an error */
	uint16_t tler;     /* and its limit for error recovery, which is always observed: there is none */
	uint16_t refuse;   /* status of every IO command at the moment; 0: none */
	bool changed;      /* in the changed namespace list */
	uint8_t csi;       /* enum nvme_csi */
	uint8_t plain;     /* a bit for each opcode whose plain commands go the short way: vssd_direct_update() */
};

/* ---- asynchronous events ---- */

/* In the order in which they are reported. */
enum vssd_event {
	VSSD_EVENT_DOORBELL_REGISTER,
	VSSD_EVENT_DOORBELL_VALUE,
	VSSD_EVENT_RELIABILITY,
	VSSD_EVENT_TEMPERATURE,
	VSSD_EVENT_SPARE,
	VSSD_EVENT_NS_CHANGED,
	VSSD_EVENT_SANITIZED,
	VSSD_EVENT_FIRMWARE,
	VSSD_EVENT_TELEMETRY,
	VSSD_NUM_EVENTS,
};

struct vssd_events {
	uint32_t pending;             /* a bit for each vssd_event */
	uint32_t masked;              /* a bit for each nvme_event_type: waits for a log page to be read */
	uint8_t awaited[8];           /* which one, by nvme_event_type */
	uint16_t cids[VSSD_AERL + 1]; /* of outstanding commands, oldest first */
	unsigned count;
};

/* ---- an admin command that takes its time ---- */

struct vssd_format {
	bool running;
	uint16_t cid;
	uint8_t lbaf;
	uint32_t first; /* indexes of namespaces, the last one included */
	uint32_t last;
	uint64_t next; /* block to erase next */
	uint64_t end;
	uint64_t due; /* ticks; no earlier completion */
};

struct vssd_sanitize {
	uint64_t start; /* ticks: when it would have started, had it never been interrupted */
	uint64_t duration;
	uint32_t failures; /* so far */
	bool announce;     /* it is over, and the event is to be raised */
};

struct vssd_power_state {
	uint64_t since;       /* ticks: of the last IO, or of the last change of the state */
	uint64_t io_taken;    /* IO commands until then */
	uint32_t operational; /* the last state with operation */
	bool asleep;          /* in a state without; IO ends that */
	uint64_t apst[VSSD_APST_ENTRIES];
};

struct vssd_hmb_range {
	uint64_t iova;
	uint64_t end; /* bytes of this one and of all before it */
};

struct vssd_hmb {
	bool enabled;
	uint32_t epoch;
	uint32_t entries; /* that there is room for */
	uint32_t count;   /* of ranges */
	uint64_t bytes;
	struct nvme_hmb_attributes attributes;
	struct vssd_hmb_range ranges[VSSD_HMB_DESCRIPTORS];
};

struct vssd_firmware {
	char revision[8];                     /* that runs */
	uint8_t *image;                       /* what was downloaded; NULL: nothing */
	uint8_t pieces[VSSD_FIRMWARE_PIECES]; /* 1: this one was */
	uint32_t count;                       /* of them */
	uint8_t starting;                     /* the slot that is being activated, 0: none */
	bool started;                         /* it was; its commit has not completed yet */
	uint16_t cid;
	uint64_t due; /* ticks; when it runs */
};

/* ---- telemetry ---- */

#define VSSD_TRACE 4096u /* commands that are remembered; a power of two */

struct vssd_trace_entry {
	uint64_t time;    /* ticks; in telemetry data microseconds before they were taken */
	uint64_t command; /* its first eight bytes: opcode, flags, CID, NSID */
	uint64_t slba;    /* cdw11 and cdw10 */
	uint32_t cdw12;
	uint16_t sqid;
	uint16_t status; /* NVME_SC(sct, sc); FFFFh: it had not completed */
};

/* Blocks that each data area adds. */
#define VSSD_TELEMETRY_AREA1 1u
#define VSSD_TELEMETRY_AREA2 5u
#define VSSD_TELEMETRY_AREA3 256u
#define VSSD_TELEMETRY_BLOCKS (VSSD_TELEMETRY_AREA1 + VSSD_TELEMETRY_AREA2 + VSSD_TELEMETRY_AREA3)

struct vssd_telemetry {
	uint8_t bytes[(1 + VSSD_TELEMETRY_BLOCKS) * NVME_TELEMETRY_BLOCK]; /* the log page */
};

struct vssd_health {
	uint64_t busy_ticks;   /* in polls that did work, not yet in busy_ms */
	uint64_t window_ticks; /* the same, in the current window */
	uint64_t window_start; /* ticks */
	double heat;           /* Kelvin above idle */
	uint16_t temperature;  /* Kelvin */
	uint8_t warnings;      /* NVME_SMART_* */
	uint8_t reported;      /* those that were an event since they came up */
	uint8_t thermal;       /* 1, 2: at or above TMT1, TMT2 */
};

struct vssd_ctrl {
	struct vssd_bus *bus;
	volatile uint32_t *doorbells;
	struct vssd_store *store;
	struct vssd_nonvolatile *nv;

	/* What polling looks at. */
	bool running; /* enabled, not shut down, powered, in D0, may master the bus */
	bool null_store;
	bool write_through; /* writes are durable when they complete */
	uint16_t num_active;
	uint16_t turn;                    /* where the next round over active starts */
	bool weighted;                    /* CC.AMS: weighted round robin with urgent priority class */
	uint16_t num_coalesced;           /* vectors with an interrupt that waits */
	uint16_t active[VSSD_NUM_QUEUES]; /* QIDs with a submission or a completion queue; never the admin queue's */
	uint64_t seen[VSSD_NUM_QUEUES];   /* both doorbells of a QID as they were: tail below, head above */
	uint64_t generation;              /* of the DMA map that the queues' pointers come from */
	uint64_t now;                     /* ticks, at the start of this poll */
	uint64_t next_scan;               /* when doorbells of no queue are looked at again */
	uint64_t next_tick;               /* when health is looked at again */
	uint64_t medium_ticks;            /* a write that skips the cache takes so long */
	uint32_t page_size;               /* CC.MPS, bytes */
	uint64_t max_transfer;            /* bytes; MDTS */
	uint64_t data_moved;              /* bytes, in this poll */
	struct vssd_commands commands;
	uint64_t blocks; /* of all namespaces; those of a null drive are in no store */
	struct vssd_counters counters;
	uint64_t traced; /* commands, ever */
	struct vssd_trace_entry trace[VSSD_TRACE];
	struct vssd_segment *segments; /* room for those of the request in hand */
	uint32_t num_segments;
	struct vssd_sq sq[VSSD_NUM_QUEUES];
	struct vssd_cq cq[VSSD_NUM_QUEUES];
	struct vssd_ns ns[VSSD_MAX_NAMESPACES];
	uint16_t turns[VSSD_NUM_PRIORITIES];  /* with weighted round robin: as turn, of each class */
	uint32_t credit[VSSD_NUM_PRIORITIES]; /* commands that a class may still begin in this round */
	struct vssd_coalesced coalesced[VSSD_MSIX_VECTORS];

	struct vssd_options options;
	bool power;
	bool host_gone;      /* what is in the queues belongs to a client that left */
	bool shut_down;      /* CC.SHN has been obeyed: everything is durable */
	bool io_queues_made; /* since the last reset, as is what follows */
	bool queues_granted; /* the number of queues, by feature 07h: it stays as it is then */
	uint32_t num_sqs;    /* that the host may make; at first all there are */
	uint32_t num_cqs;

	/* Registers. */
	uint64_t cap;
	uint32_t cc;
	uint32_t csts;
	uint32_t aqa;
	uint64_t asq;
	uint64_t acq;

	uint8_t config[VSSD_CONFIG_SIZE];
	uint8_t config_writable[VSSD_CONFIG_SIZE]; /* bits that take what is written */
	uint8_t config_clear[VSSD_CONFIG_SIZE];    /* bits that a written 1 clears */
	bool msix_decided;                         /* the host has written MSI-X Enable, with whatever value */
	uint32_t intms; /* what INTMS and INTMC say: a bit for each MSI message, bit 0 for the pin */

	uint32_t feature[256];                   /* current values, by FID */
	uint16_t threshold[VSSD_SENSORS + 1][2]; /* temperature, Kelvin: by sensor (0: composite), over and under */
	bool coalescing_off[VSSD_MSIX_VECTORS];
	uint64_t timestamp;     /* ms since 1970, at timestamp_set */
	uint64_t timestamp_set; /* ns, CLOCK_MONOTONIC */
	uint8_t timestamp_origin;

	struct vssd_events events;
	struct vssd_format format;
	struct vssd_sanitize sanitize;
	struct vssd_power_state power_state;
	struct vssd_hmb hmb;
	uint8_t host_id[16];
	struct nvme_host_behavior behavior;
	struct vssd_firmware firmware;
	uint64_t self_test_due;   /* ticks; when the one that runs is done */
	uint64_t self_test_share; /* ticks that a 10000th of it takes */
	struct vssd_telemetry telemetry_host;
	struct vssd_telemetry telemetry_ctrl;
	bool telemetry_available;                          /* those of the controller, which nobody has read yet */
	struct nvme_error_log_entry errors[VSSD_ELPE + 1]; /* a ring */
	struct vssd_health health;
	uint64_t power_on_ns; /* CLOCK_MONOTONIC, up to which power_on_ms counts */
};

/* ---- regs.c ---- */

void vssd_regs_init(struct vssd_ctrl *ctrl);

/* A Controller Level Reset: queues are gone, features are as saved, CSTS and CC are 0 (NSSRO stays). CC.EN leaves
 * AQA, ASQ and ACQ as they are. */
void vssd_regs_reset(struct vssd_ctrl *ctrl, enum vssd_reset kind);

/* Decide anew whether commands are taken. */
void vssd_update_running(struct vssd_ctrl *ctrl);

/* CSTS.CFS: something that no completion can tell. Nothing is taken until the next reset. */
void vssd_fatal(struct vssd_ctrl *ctrl);

/* ---- arbitration.c ---- */

/* Look at doorbells, execute commands; how many. */
unsigned vssd_queues_poll(struct vssd_ctrl *ctrl);

/* The end of a poll: interrupt for what timers and events have posted. */
void vssd_queues_settle(struct vssd_ctrl *ctrl);

/* ---- doorbell.c ---- */

/* A doorbell of BAR 0 was written by message: index counts 32-bit words. */
void vssd_doorbell_write(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value);
uint32_t vssd_doorbell_read(const struct vssd_ctrl *ctrl, uint32_t index);

/* The doorbells of a QID are not what was seen last, but now: tail below, head above. */
void vssd_doorbells_changed(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t now);

/* Doorbells that belong to no queue are shared memory as well: whoever stores into one is told, some time later. */
void vssd_doorbells_scan(struct vssd_ctrl *ctrl);

/* One doorbell, or all, as after a reset. */
void vssd_doorbell_clear(struct vssd_ctrl *ctrl, uint32_t index);
void vssd_doorbells_clear(struct vssd_ctrl *ctrl);

/* ---- what Identify announces: the tables of log pages and features ---- */

bool vssd_log_supported(const struct vssd_ctrl *ctrl, uint8_t lid);
bool vssd_feature_supported(const struct vssd_ctrl *ctrl, uint8_t fid);

/* IEEE OUI, the least significant byte first. */
void vssd_identify_oui(uint8_t ieee[3]);

/* The EUI-64 of a namespace, or of the device (nsid 0), the most significant byte first. */
void vssd_identify_eui64(const struct vssd_ctrl *ctrl, uint32_t nsid, uint8_t eui64[8]);

uint16_t vssd_async_event(struct vssd_request *request);
uint16_t vssd_format_nvm(struct vssd_request *request);
uint16_t vssd_sanitize(struct vssd_request *request);

/* Dword 0 of a feature whose value is nothing else. */
uint32_t vssd_feature_value(const struct vssd_ctrl *ctrl, uint8_t fid, enum nvme_feature_select select);
void vssd_features_reset(struct vssd_ctrl *ctrl);

/* The bits of feature 0Bh that the host can set: OAES announces the notices among them. */
uint32_t vssd_features_events(const struct vssd_ctrl *ctrl);

/* Whether reading deallocated LBAs can be made an error: feature 05h, and NSFEAT. */
bool vssd_features_dulbe(const struct vssd_ctrl *ctrl);

/* How many power states there are, 0's based: those without operation came with 1.1. */
uint8_t vssd_power_npss(const struct vssd_ctrl *ctrl);
void vssd_features_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256]);

/* ---- power.c: features 02h, 0Ch, 10h ---- */

uint16_t vssd_power_set(struct vssd_request *request);
uint16_t vssd_apst_set(struct vssd_request *request);
uint16_t vssd_apst_get(struct vssd_request *request, enum nvme_feature_select select);
uint16_t vssd_thermal_set(struct vssd_request *request);

/* IO has come while the power state was one without operation. */
void vssd_power_wake(struct vssd_ctrl *ctrl);

/* Go to another power state, if it is time. Only where the host has enabled that. */
void vssd_power_poll(struct vssd_ctrl *ctrl);
void vssd_power_reset(struct vssd_ctrl *ctrl);

/* 0, or which of the two thermal management temperatures is reached. */
unsigned vssd_thermal_level(const struct vssd_ctrl *ctrl);

/* ---- hmb.c: feature 0Dh ---- */

uint16_t vssd_hmb_set(struct vssd_request *request);
uint16_t vssd_hmb_get(struct vssd_request *request, enum nvme_feature_select select);

/* The memory is the host's again. */
void vssd_hmb_disable(struct vssd_ctrl *ctrl);

/* What it holds is void. */
void vssd_hmb_forget(struct vssd_ctrl *ctrl);

/* Blocks first to last are read, or have changed. Only where it is enabled. */
void vssd_hmb_use(struct vssd_ctrl *ctrl, uint64_t first, uint64_t last, bool changed);

/* ---- event.c ---- */

void vssd_event_raise(struct vssd_ctrl *ctrl, enum vssd_event event);

/* It is not to be reported any more, and may be raised anew. */
void vssd_event_forget(struct vssd_ctrl *ctrl, enum vssd_event event);

/* A log page was read: the type of the event that named it may be reported again. */
void vssd_event_acknowledge(struct vssd_ctrl *ctrl, uint8_t lid);

/* Complete the outstanding command cid with Abort Requested; false: there is none. */
bool vssd_event_abort(struct vssd_ctrl *ctrl, uint16_t cid);

/* ---- format.c ---- */

/* Erase some more, and complete. */
void vssd_format_poll(struct vssd_ctrl *ctrl);

/* Stop it, if this is its command, and complete that with Abort Requested: the LBA format stays, data may be gone. */
bool vssd_format_abort(struct vssd_ctrl *ctrl, uint16_t cid);

/* Be done with it now, without a completion: a reset does not stop what has begun. */
void vssd_format_finish(struct vssd_ctrl *ctrl);

/* The drive is started: do what it was at when it was killed. */
void vssd_format_resume(struct vssd_ctrl *ctrl);

/* ---- sanitize.c ---- */

/* Go on, and tell the host when it is over. */
void vssd_sanitize_poll(struct vssd_ctrl *ctrl);

/* Power is there again: so is what had begun. */
void vssd_sanitize_resume(struct vssd_ctrl *ctrl);

/* The status of what may not be done at the moment, 0: everything may be. */
uint16_t vssd_sanitize_refuses(const struct vssd_ctrl *ctrl);

/* The host has written to the medium. */
void vssd_sanitize_written(struct vssd_ctrl *ctrl);

void vssd_sanitize_log(const struct vssd_ctrl *ctrl, struct nvme_sanitize_log *log);

/* ---- firmware.c ---- */

uint16_t vssd_firmware_download(struct vssd_request *request);
uint16_t vssd_firmware_commit(struct vssd_request *request);

/* Of a drive that is new, or comes from a file. */
void vssd_firmware_init(struct vssd_ctrl *ctrl);
void vssd_firmware_deinit(struct vssd_ctrl *ctrl);

/* An activation goes on: call it as long as firmware.starting or firmware.started. */
void vssd_firmware_poll(struct vssd_ctrl *ctrl);

/* What was downloaded is gone, and the image that waits for such a reset becomes active. */
void vssd_firmware_reset(struct vssd_ctrl *ctrl, enum vssd_reset kind);

/* The status that names the reset which an image waits for; 0: none does. */
uint16_t vssd_firmware_pending(const struct vssd_ctrl *ctrl);
void vssd_firmware_log(const struct vssd_ctrl *ctrl, struct nvme_firmware_log *log);

/* ---- self_test.c ---- */

uint16_t vssd_self_test(struct vssd_request *request);

/* Of a drive that is new, or comes from a file. */
void vssd_self_test_init(struct vssd_ctrl *ctrl);

/* Call it as long as there is an operation in nv->self_test. */
void vssd_self_test_poll(struct vssd_ctrl *ctrl);
void vssd_self_test_reset(struct vssd_ctrl *ctrl, enum vssd_reset kind);

/* Something else needs the namespace, or all of them: the test of it ends with this status. */
void vssd_self_test_end(struct vssd_ctrl *ctrl, uint32_t nsid, enum nvme_self_test_status status);
void vssd_self_test_log(const struct vssd_ctrl *ctrl, struct nvme_self_test_log *log);

/* EDSTT: how long an extended one takes, minutes. */
uint16_t vssd_self_test_minutes(const struct vssd_ctrl *ctrl);

/* ---- telemetry.c ---- */

/* Log pages 07h and 08h, sizeof(struct vssd_telemetry) bytes. create: take the host's anew. */
const uint8_t *vssd_telemetry_host(struct vssd_ctrl *ctrl, bool create);
const uint8_t *vssd_telemetry_ctrl(struct vssd_ctrl *ctrl);

/* Something went wrong: keep the state for log page 08h, unless there is one that nobody has read. */
void vssd_telemetry_capture(struct vssd_ctrl *ctrl, const char *reason);

/* ---- ctrl.c ---- */

/* Whether the version that the drive claims has what came with this one. */
static inline bool vssd_since(const struct vssd_ctrl *ctrl, enum nvme_version version)
{
	return ctrl->options.version >= (uint32_t)version;
}

/* The namespace of a valid NSID, else NULL. */
static inline struct vssd_ns *vssd_ns_find(struct vssd_ctrl *ctrl, uint32_t nsid)
{
	return nsid - 1 < ctrl->options.namespaces ? &ctrl->ns[nsid - 1] : NULL;
}

/* Whether a namespace has so many LBAs from slba on. */
static inline bool vssd_range_fits(const struct vssd_ns *ns, uint64_t slba, uint64_t nlb)
{
	return slba <= ns->nsze && nlb <= ns->nsze - slba;
}

/* Blocks lose what they held, as vssd_store_erase says. */
static inline void vssd_erase(struct vssd_ctrl *ctrl, uint64_t block, uint64_t count, enum vssd_pool_shared content)
{
	if (!ctrl->null_store)
		vssd_store_erase(ctrl->store, block, count, content);
}

void vssd_ns_set_format(struct vssd_ctrl *ctrl, struct vssd_ns *ns, uint8_t lbaf);

/* LBA size of a format as log2; formats are 0 … VSSD_NLBAF. */
#define VSSD_NLBAF 1u
uint8_t vssd_lbaf_shift(uint8_t lbaf);

/* ---- health.c ---- */

void vssd_health_reset(struct vssd_ctrl *ctrl);
void vssd_health_poll(struct vssd_ctrl *ctrl);

/* Judge thresholds now: one of them was changed. */
void vssd_health_check(struct vssd_ctrl *ctrl);
void vssd_health_smart(struct vssd_ctrl *ctrl, struct nvme_smart_log *log);
uint16_t vssd_health_sensor(const struct vssd_ctrl *ctrl, unsigned sensor);

/* Bring power on time and busy time up to date. */
void vssd_health_account(struct vssd_ctrl *ctrl);

/* ---- error.c ---- */

/* Where a command is wrong: its byte, and the bit in it. */
#define VSSD_FIELD_OPCODE 0u
#define VSSD_FIELD_FLAGS 1u
#define VSSD_FIELD_NSID 4u
#define VSSD_FIELD_CDW10 40u
#define VSSD_FIELD_CDW11 44u
#define VSSD_FIELD_CDW12 48u
#define VSSD_FIELD_CDW13 52u
#define VSSD_FIELD_CDW14 56u
#define VSSD_FIELD_CDW15 60u
#define VSSD_FIELD_BIT_SHIFT 8
#define VSSD_FIELD_NONE UINT16_MAX

/* Bits 15:1 of a completion's status, in their place. */
uint16_t vssd_status_field(uint16_t status);

/* Tell the error log of a command that failed, or of an error that belongs to none. */
void vssd_command_failed(const struct vssd_request *request, uint16_t status);
void vssd_error_of_none(struct vssd_ctrl *ctrl);

/* Invalid Field in Command, and which: VSSD_FIELD_*, but for the opcode. */
uint16_t vssd_invalid_field(struct vssd_request *request, uint16_t field);

/* The first LBA at which the command fails. */
void vssd_failed_lba(struct vssd_request *request, uint64_t lba);

#endif
