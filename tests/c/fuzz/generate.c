/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/c/fuzz/generate.h"

#include <string.h>

#include "spec/nvme_id.h"
#include "spec/nvme_log.h"
#include "spec/nvme_ocp.h"
#include "tests/c/fuzz/clock.h"

#define MUTILATE_ONE_IN 4

static uint32_t namespaces(const struct fuzz_host *host)
{
	return host->options->namespaces;
}

/* Mostly one that there is. */
static uint32_t some_nsid(struct fuzz_host *host)
{
	static const uint32_t special[] = {0, UINT32_MAX, UINT32_MAX - 1, 33, 0x80000000};

	if (fuzz_one_in(host->random, 8))
		return FUZZ_PICK(host->random, special);
	return fuzz_one_in(host->random, 4) ? fuzz_between(host->random, 1, namespaces(host) + 1) : 1;
}

static uint32_t most_bytes(const struct fuzz_host *host)
{
	uint64_t mdts = host->options->mdts ? UINT64_C(4096) << host->options->mdts : UINT64_MAX;

	return mdts < FUZZ_TRANSFER ? (uint32_t)mdts : FUZZ_TRANSFER;
}

/* ---- admin ---- */

static void make_identify(struct fuzz_host *host, struct fuzz_command *command)
{
	static const uint8_t cns[] = {
		NVME_CNS_NS,           NVME_CNS_CTRL,           NVME_CNS_CTRL,     NVME_CNS_ACTIVE_NS_LIST,
		NVME_CNS_CSI_NS,       NVME_CNS_NS_DESCRIPTORS, NVME_CNS_CSI_CTRL, NVME_CNS_CSI_ACTIVE_NS_LIST,
		NVME_CNS_COMMAND_SETS, NVME_CNS_INDEPENDENT_NS,
	};
	struct nvme_cmd *cmd = &command->cmd;

	cmd->nsid = some_nsid(host);
	cmd->cdw10 = fuzz_one_in(host->random, 8) ? fuzz_below(host->random, 256) : FUZZ_PICK(host->random, cns);
	if (fuzz_one_in(host->random, 8))
		cmd->cdw10 |= fuzz_below(host->random, 3) << 16;
	if (fuzz_one_in(host->random, 4))
		cmd->cdw11 = fuzz_below(host->random, 4) << 24;
	command->length = NVME_IDENTIFY_SIZE;
	command->must_succeed = cmd->cdw10 == NVME_CNS_CTRL || (cmd->cdw10 == NVME_CNS_NS && cmd->nsid == 1);
}

static uint32_t some_lid(struct fuzz_host *host)
{
	static const uint8_t lids[] = {NVME_LOG_SUPPORTED,
				       NVME_LOG_ERROR,
				       NVME_LOG_ERROR,
				       NVME_LOG_SMART,
				       NVME_LOG_SMART,
				       NVME_LOG_FIRMWARE,
				       NVME_LOG_CHANGED_NS,
				       NVME_LOG_EFFECTS,
				       NVME_LOG_SELF_TEST,
				       NVME_LOG_SANITIZE,
				       NVME_LOG_FEATURE_EFFECTS,
				       NVME_LOG_TELEMETRY_HOST,
				       NVME_LOG_TELEMETRY_CTRL,
				       NVME_LOG_MI_EFFECTS,
				       NVME_LOG_MEDIA_UNIT_STATUS,
				       NVME_LOG_POWER_MEASUREMENT};

	if (fuzz_one_in(host->random, 8))
		return fuzz_below(host->random, 256);
	if (fuzz_one_in(host->random, 8))
		return fuzz_between(host->random, NVME_OCP_LOG_SMART, NVME_OCP_LOG_TELEMETRY_STRINGS);
	return FUZZ_PICK(host->random, lids);
}

static void make_log(struct fuzz_host *host, struct fuzz_command *command)
{
	uint32_t lid = some_lid(host);
	uint32_t dwords = fuzz_one_in(host->random, 4) ? fuzz_between(host->random, 1, most_bytes(host) / 4)
						       : fuzz_between(host->random, 1, 1024);
	struct nvme_cmd *cmd = &command->cmd;

	cmd->nsid = fuzz_one_in(host->random, 4) ? some_nsid(host) : UINT32_MAX;
	cmd->cdw10 = lid | (fuzz_one_in(host->random, 2) ? NVME_LOG_RAE : 0) | (dwords - 1) << 16;
	cmd->cdw11 = (dwords - 1) >> 16;
	if (lid == NVME_LOG_TELEMETRY_HOST && fuzz_one_in(host->random, 2))
		cmd->cdw10 |= NVME_LOG_CREATE;
	if (fuzz_one_in(host->random, 16))
		cmd->cdw14 = fuzz_below(host->random, 4) << 24;
	if (lid >= NVME_OCP_LOG_SMART && lid <= NVME_OCP_LOG_TELEMETRY_STRINGS)
		cmd->cdw14 |= fuzz_below(host->random, 3); /* the UUID index */
	command->must_succeed =
		lid >= NVME_LOG_ERROR && lid <= NVME_LOG_TELEMETRY_CTRL && cmd->nsid == UINT32_MAX && cmd->cdw14 == 0;
	if (fuzz_one_in(host->random, 3) && lid >= NVME_LOG_TELEMETRY_HOST && lid <= NVME_LOG_TELEMETRY_CTRL) {
		cmd->cdw12 = fuzz_below(host->random, 16) * NVME_TELEMETRY_BLOCK;
	} else if (fuzz_one_in(host->random, 3)) {
		cmd->cdw12 = fuzz_below(host->random, 1100) * 4;
		command->must_succeed = false;
	}
	command->length = dwords * 4;
}

static const uint8_t fids[] = {
	NVME_FEAT_ARBITRATION,
	NVME_FEAT_POWER,
	NVME_FEAT_LBA_RANGE,
	NVME_FEAT_TEMPERATURE,
	NVME_FEAT_TEMPERATURE,
	NVME_FEAT_VWC,
	NVME_FEAT_QUEUES,
	NVME_FEAT_COALESCING,
	NVME_FEAT_VECTOR,
	NVME_FEAT_VECTOR,
	NVME_FEAT_ATOMICITY,
	NVME_FEAT_ASYNC_EVENT,
	NVME_FEAT_ASYNC_EVENT,
	NVME_FEAT_TIMESTAMP,
	NVME_FEAT_APST,
	NVME_FEAT_HMB,
	NVME_FEAT_HCTM,
	NVME_FEAT_NOPSC,
	NVME_FEAT_KATO,
	NVME_FEAT_COMMAND_SET_PROFILE,
	NVME_FEAT_HOST_ID,
	NVME_FEAT_SOFTWARE_PROGRESS,
	NVME_FEAT_SANITIZE,
	NVME_FEAT_POWER,
	NVME_FEAT_HOST_BEHAVIOR,
	NVME_FEAT_ENHANCED_CTRL_METADATA,
	NVME_FEAT_CTRL_METADATA,
	NVME_FEAT_NS_METADATA,
	NVME_FEAT_POWER_LIMIT,
	NVME_FEAT_POWER_MEASUREMENT,
	NVME_FEAT_POWER_THRESHOLD,
};

static uint32_t some_fid(struct fuzz_host *host)
{
	if (fuzz_one_in(host->random, 12))
		return fuzz_below(host->random, 256);
	/* What was never written becomes an error: not too often, it keeps reads from being judged. */
	if (fuzz_one_in(host->random, 64))
		return NVME_FEAT_ERROR_RECOVERY;
	return FUZZ_PICK(host->random, fids);
}

static uint32_t some_value(struct fuzz_host *host, uint32_t fid)
{
	if (fuzz_one_in(host->random, 8))
		return (uint32_t)fuzz_edge(host->random);
	switch (fid) {
	case NVME_FEAT_TEMPERATURE:
		return fuzz_between(host->random, 280, 360) | fuzz_below(host->random, 4) << 16 |
		       fuzz_below(host->random, 2) << 20;
	case NVME_FEAT_ERROR_RECOVERY:
		return fuzz_below(host->random, 2) << 16 | fuzz_below(host->random, 16);
	case NVME_FEAT_VECTOR:
		return fuzz_below(host->random, 70) | fuzz_below(host->random, 2) << 16;
	case NVME_FEAT_ASYNC_EVENT:
		return fuzz_below(host->random, 0x400);
	case NVME_FEAT_ARBITRATION:
		return fuzz_below(host->random, 8) | fuzz_below(host->random, 16) << 8 |
		       fuzz_below(host->random, 16) << 16 | fuzz_below(host->random, 16) << 24;
	case NVME_FEAT_COALESCING:
		return fuzz_below(host->random, 8) | fuzz_below(host->random, 3) << 8;
	case NVME_FEAT_HCTM:
		return fuzz_between(host->random, 270, 360) << 16 | fuzz_between(host->random, 270, 360);
	case NVME_FEAT_QUEUES:
		/* What is granted stays until the next reset: not too often, only a few queues. */
		if (!fuzz_one_in(host->random, 8))
			return 0x003f003f;
		return fuzz_below(host->random, 70) << 16 | fuzz_below(host->random, 70);
	default:
		return fuzz_below(host->random, 8);
	}
}

/* Bytes of data that belong to a feature. */
static uint32_t feature_length(uint32_t fid, uint32_t cdw11, bool get)
{
	switch (fid) {
	case NVME_FEAT_APST:
		return 256;
	case NVME_FEAT_HMB:
		return get ? sizeof(struct nvme_hmb_attributes) : 0;
	case NVME_FEAT_TIMESTAMP:
		return sizeof(uint64_t);
	case NVME_FEAT_HOST_BEHAVIOR:
		return sizeof(struct nvme_host_behavior);
	case NVME_FEAT_HOST_ID:
		return cdw11 & NVME_EXHID ? 16 : 8;
	default:
		return 0;
	}
}

/* A table of power state transitions that is, mostly, right. */
static void fill_transitions(struct fuzz_host *host, struct fuzz_command *command)
{
	uint64_t table[32] = {0};

	for (uint32_t state = 0; state < 4; state++)
		table[state] = (uint64_t)fuzz_below(host->random, 3) << 8 |
			       (fuzz_one_in(host->random, 16) ? fuzz_below(host->random, 8) : 4) << 3;
	memcpy(command->data, table, sizeof(table));
	command->data_length = sizeof(table);
}

static void make_get_features(struct fuzz_host *host, struct fuzz_command *command)
{
	struct nvme_cmd *cmd = &command->cmd;
	uint32_t fid = some_fid(host);

	cmd->nsid = fuzz_one_in(host->random, 2) ? some_nsid(host) : 0;
	cmd->cdw10 = fid | fuzz_below(host->random, 5) << 8;
	cmd->cdw11 = some_value(host, fid);
	command->length = feature_length(fid, cmd->cdw11, true);
	command->must_succeed = cmd->cdw10 == NVME_FEAT_POWER || cmd->cdw10 == NVME_FEAT_QUEUES;
}

static void make_set_features(struct fuzz_host *host, struct fuzz_command *command)
{
	struct nvme_cmd *cmd = &command->cmd;
	uint32_t fid = some_fid(host);

	cmd->nsid = fuzz_one_in(host->random, 4) ? some_nsid(host) : 0;
	if (fid == NVME_FEAT_ERROR_RECOVERY)
		cmd->nsid = UINT32_MAX;
	cmd->cdw10 = fid | (fuzz_one_in(host->random, 4) ? NVME_SET_FEATURES_SV : 0);
	cmd->cdw11 = some_value(host, fid);
	command->length = feature_length(fid, cmd->cdw11, false);
	if (fid == NVME_FEAT_APST && fuzz_one_in(host->random, 2))
		fill_transitions(host, command);
}

static uint32_t some_queue_size(struct fuzz_host *host)
{
	if (fuzz_one_in(host->random, 32))
		return fuzz_between(host->random, 2, host->options->queue_entries + 1);
	return fuzz_one_in(host->random, 2) ? fuzz_between(host->random, 2, 8) : fuzz_between(host->random, 2, 100);
}

static uint32_t some_cqid(struct fuzz_host *host, uint32_t qid)
{
	if (fuzz_one_in(host->random, 4))
		return fuzz_below(host->random, host->options->queues + 2u);
	return qid;
}

/* The next step in the life of some queue pair, or, sometimes, the wrong one. */
static void make_queue_command(struct fuzz_host *host, struct fuzz_command *command)
{
	uint32_t qid = fuzz_between(host->random, 1, host->options->queues + (fuzz_one_in(host->random, 16) ? 1 : 0));
	struct nvme_cmd *cmd = &command->cmd;

	if (qid > 4 && !fuzz_one_in(host->random, 4))
		qid = fuzz_between(host->random, 1, 4);
	cmd->opc = NVME_ADMIN_DELETE_SQ;
	if (!host->cq[qid % FUZZ_QUEUES_MAX].exists)
		cmd->opc = NVME_ADMIN_CREATE_CQ;
	else if (!host->sq[qid % FUZZ_QUEUES_MAX].exists)
		cmd->opc = fuzz_one_in(host->random, 4) ? NVME_ADMIN_DELETE_CQ : NVME_ADMIN_CREATE_SQ;
	if (fuzz_one_in(host->random, 12))
		cmd->opc = (uint8_t)fuzz_below(host->random, 6);
	cmd->cdw10 = qid;
	cmd->cdw11 = 1;
	if (cmd->opc == NVME_ADMIN_CREATE_CQ)
		cmd->cdw11 |= 2 | fuzz_below(host->random, fuzz_one_in(host->random, 8) ? 70 : VSSD_MSIX_VECTORS)
					  << 16;
	if (cmd->opc == NVME_ADMIN_CREATE_SQ)
		cmd->cdw11 |= some_cqid(host, qid) << 16 | fuzz_below(host->random, 4) << 1;
	if (cmd->opc == NVME_ADMIN_CREATE_CQ || cmd->opc == NVME_ADMIN_CREATE_SQ)
		cmd->cdw10 |= (some_queue_size(host) - 1) << 16;
}

/* What may be there for long enough to be aborted. */
static bool is_lasting(const struct fuzz_slot *slot)
{
	if (!slot->used)
		return false;
	if (slot->sqid != 0)
		return slot->cmd.opc == NVME_IO_WRITE;
	return slot->cmd.opc == NVME_ADMIN_ASYNC_EVENT || slot->cmd.opc == NVME_ADMIN_FORMAT_NVM;
}

static void make_abort(struct fuzz_host *host, struct fuzz_command *command)
{
	const struct fuzz_slot *slot = &host->slots[fuzz_below(host->random, FUZZ_SLOTS)];
	bool any = fuzz_one_in(host->random, 2);

	for (int i = 0; i < 16 && !(any ? slot->used : is_lasting(slot)); i++)
		slot = &host->slots[fuzz_below(host->random, FUZZ_SLOTS)];
	command->cmd.cdw10 = slot->sqid | (uint32_t)slot->cmd.cid << 16;
}

static void make_format(struct fuzz_host *host, struct fuzz_command *command)
{
	struct nvme_cmd *cmd = &command->cmd;

	cmd->nsid = some_nsid(host);
	cmd->cdw10 = fuzz_below(host->random, fuzz_one_in(host->random, 4) ? 4 : 2);
	cmd->cdw10 |= fuzz_below(host->random, fuzz_one_in(host->random, 4) ? 8 : 3) << 9;
	if (fuzz_one_in(host->random, 8))
		cmd->cdw10 |= fuzz_below(host->random, 8) << 5;
}

static uint32_t crc32c(const uint8_t *data, uint32_t length)
{
	uint32_t crc = UINT32_MAX;

	for (uint32_t i = 0; i < 8 * length; i++)
		crc = crc >> 1 ^ (((crc ^ data[i / 8] >> i % 8) & 1) ? 0x82f63b78 : 0);
	return ~crc;
}

/* An image of one piece that the drive must take, whatever it needs to become active. */
static void make_image(struct fuzz_host *host, uint8_t *image)
{
	const uint32_t length = NVME_FWUG_UNIT;
	uint32_t crc;

	memset(image, (int)fuzz_next(host->random), length);
	memset(image + 16, 0, 16);
	memcpy(image, "PYNVMEFW2.0     ", 16);
	memcpy(image + 16, &length, sizeof(length));
	image[8] = (uint8_t)fuzz_between(host->random, '1', '9');
	image[24] = fuzz_one_in(host->random, 2) ? 0 : (uint8_t)fuzz_between(host->random, 1, 3);
	crc = crc32c(image, length);
	memcpy(image + 20, &crc, sizeof(crc));
}

static void make_download(struct fuzz_host *host, struct fuzz_command *command)
{
	uint32_t pieces = fuzz_one_in(host->random, 4) ? fuzz_between(host->random, 1, 8) : 1;

	command->length = pieces * NVME_FWUG_UNIT;
	if (command->length > most_bytes(host))
		command->length = most_bytes(host);
	if (fuzz_one_in(host->random, 2)) {
		make_image(host, command->data);
		command->data_length = NVME_FWUG_UNIT;
		command->length = NVME_FWUG_UNIT;
	} else {
		command->cmd.cdw11 = fuzz_below(host->random, 2050) * (NVME_FWUG_UNIT / 4);
	}
	if (fuzz_one_in(host->random, 16))
		command->length -= 4;
	if (fuzz_one_in(host->random, 16))
		command->cmd.cdw11 = (uint32_t)fuzz_edge(host->random);
	command->cmd.cdw10 = command->length / 4 - 1;
}

static void make_commit(struct fuzz_host *host, struct fuzz_command *command)
{
	uint32_t slot = fuzz_below(host->random, fuzz_one_in(host->random, 4) ? 8 : 4);
	uint32_t action = fuzz_below(host->random, fuzz_one_in(host->random, 4) ? 8 : 4);

	/* Where time stands new firmware never starts: no command is taken any more. */
	if (action == NVME_FW_ACTIVATE_NOW && fuzz_time_stands && !fuzz_one_in(host->random, 32))
		action = NVME_FW_REPLACE;
	command->cmd.cdw10 = action << NVME_FW_ACTION_SHIFT | slot;
}

static void make_self_test(struct fuzz_host *host, struct fuzz_command *command)
{
	static const uint8_t codes[] = {NVME_SELF_TEST_SHORT, NVME_SELF_TEST_EXTENDED, NVME_SELF_TEST_ABORT};

	command->cmd.nsid = some_nsid(host);
	command->cmd.cdw10 =
		fuzz_one_in(host->random, 8) ? fuzz_below(host->random, 16) : FUZZ_PICK(host->random, codes);
	command->must_succeed = command->cmd.cdw10 == NVME_SELF_TEST_ABORT;
}

static void make_sanitize(struct fuzz_host *host, struct fuzz_command *command)
{
	uint32_t action =
		fuzz_one_in(host->random, 8) ? fuzz_below(host->random, 8) : fuzz_between(host->random, 1, 4);

	command->cmd.cdw10 = action | fuzz_below(host->random, 2) << 3 | fuzz_below(host->random, 64) << 4;
	command->cmd.cdw11 = (uint32_t)fuzz_next(host->random);
}

/* Nobody knows how many bytes it moves, so its pages count for nothing. */
static void make_any(struct fuzz_host *host, struct fuzz_command *command)
{
	command->mutilate = true;
	command->cmd.nsid = some_nsid(host);
	command->cmd.cdw10 = (uint32_t)fuzz_edge(host->random);
	command->cmd.cdw11 = (uint32_t)fuzz_edge(host->random);
	command->cmd.cdw12 = fuzz_below(host->random, 16);
	if (command->cmd.opc & NVME_DATA_BOTH)
		command->length = fuzz_between(host->random, 1, 1024) * 4;
}

static void make_nothing(struct fuzz_host *host, struct fuzz_command *command)
{
	(void)host;
	(void)command;
}

static void choose_rare(struct fuzz_host *host, struct fuzz_command *command)
{
	static const uint8_t opcodes[] = {
		NVME_ADMIN_NS_MANAGEMENT,  NVME_ADMIN_NS_ATTACHMENT,     NVME_ADMIN_KEEP_ALIVE,
		NVME_ADMIN_DIRECTIVE_SEND, NVME_ADMIN_DIRECTIVE_RECEIVE, NVME_ADMIN_MI_SEND,
		NVME_ADMIN_MI_RECEIVE,     NVME_ADMIN_LOCKDOWN,          NVME_ADMIN_DOORBELL_BUFFER_CONFIG,
		NVME_ADMIN_SECURITY_SEND,  NVME_ADMIN_SECURITY_RECEIVE,  NVME_ADMIN_GET_LBA_STATUS,
	};

	command->cmd.opc =
		fuzz_one_in(host->random, 4) ? (uint8_t)fuzz_next(host->random) : FUZZ_PICK(host->random, opcodes);
	make_any(host, command);
}

struct kind {
	uint32_t weight;
	uint8_t opcode;
	void (*make)(struct fuzz_host *host, struct fuzz_command *command);
};

static void generate(struct fuzz_host *host, struct fuzz_command *command, const struct kind *kinds, uint32_t count)
{
	uint32_t total = 0, chosen;

	memset(command, 0, sizeof(*command));
	for (uint32_t i = 0; i < count; i++)
		total += kinds[i].weight;
	chosen = fuzz_below(host->random, total);
	for (; chosen >= kinds->weight; kinds++)
		chosen -= kinds->weight;
	command->cmd.opc = kinds->opcode;
	kinds->make(host, command);
	if (fuzz_one_in(host->random, 64))
		command->cmd.flags = (uint8_t)fuzz_between(host->random, 1, 3);
	command->must_succeed = command->must_succeed && command->cmd.flags == 0;
	command->mutilate = command->mutilate || fuzz_one_in(host->random, MUTILATE_ONE_IN);
}

void fuzz_generate_admin(struct fuzz_host *host, struct fuzz_command *command)
{
	static const struct kind kinds[] = {
		{200, NVME_ADMIN_IDENTIFY, make_identify},
		{200, NVME_ADMIN_GET_LOG_PAGE, make_log},
		{120, NVME_ADMIN_GET_FEATURES, make_get_features},
		{120, NVME_ADMIN_SET_FEATURES, make_set_features},
		{160, NVME_ADMIN_CREATE_CQ, make_queue_command},
		{60, NVME_ADMIN_ABORT, make_abort},
		{80, NVME_ADMIN_ASYNC_EVENT, make_nothing},
		{10, NVME_ADMIN_FORMAT_NVM, make_format},
		{40, NVME_ADMIN_FW_DOWNLOAD, make_download},
		{20, NVME_ADMIN_FW_COMMIT, make_commit},
		{20, NVME_ADMIN_SELF_TEST, make_self_test},
		/* After it nothing is judged before the next reset. */
		{2, NVME_ADMIN_SANITIZE, make_sanitize},
		{30, 0, choose_rare},
	};

	generate(host, command, kinds, sizeof(kinds) / sizeof(kinds[0]));
}

/* ---- IO ---- */

static uint32_t lba_count(const struct fuzz_host *host)
{
	return host->model.count >> (host->lba_shift ? host->lba_shift - 9 : 0);
}

/* LBAs that there are, few of them mostly. most: bytes. */
static void choose_lbas(struct fuzz_host *host, struct nvme_cmd *cmd, uint32_t most)
{
	uint32_t count = lba_count(host), shift = host->lba_shift ? host->lba_shift : 12;
	uint32_t largest = most >> shift < count ? most >> shift : count;
	uint32_t nlb = fuzz_between(host->random, 1,
				    fuzz_one_in(host->random, 8) ? largest
				    : largest < 8                ? largest
								 : 8);
	uint32_t slba = fuzz_below(host->random, count - nlb + 1);

	if (fuzz_one_in(host->random, 8))
		slba = count - nlb;
	cmd->nsid = fuzz_one_in(host->random, 8) ? some_nsid(host) : 1;
	cmd->cdw10 = slba;
	cmd->cdw12 = nlb - 1;
}

static void choose_flags(struct fuzz_host *host, struct nvme_cmd *cmd)
{
	if (fuzz_one_in(host->random, 4))
		cmd->cdw12 |= NVME_RW_FUA;
	if (fuzz_one_in(host->random, 16))
		cmd->cdw12 |= NVME_RW_LR;
}

static uint32_t bytes_of(const struct fuzz_host *host, const struct nvme_cmd *cmd)
{
	return ((cmd->cdw12 & 0xffff) + 1) << (host->lba_shift ? host->lba_shift : 12);
}

static void make_transfer(struct fuzz_host *host, struct fuzz_command *command)
{
	choose_lbas(host, &command->cmd, most_bytes(host));
	choose_flags(host, &command->cmd);
	command->length = bytes_of(host, &command->cmd);
	command->must_succeed = command->cmd.nsid == 1;
}

static void make_compare(struct fuzz_host *host, struct fuzz_command *command)
{
	make_transfer(host, command);
	command->fill = !fuzz_one_in(host->random, 4);
}

/* The first half of a fused operation: what is made next for a queue of IO is its second. */
static void make_first(struct fuzz_host *host, struct fuzz_command *command)
{
	make_compare(host, command);
	command->cmd.flags = NVME_FUSE_FIRST;
	host->first = command->cmd;
	host->wants_second = true;
}

static void make_second(struct fuzz_host *host, struct fuzz_command *command)
{
	struct nvme_cmd *cmd = &command->cmd;

	memset(command, 0, sizeof(*command));
	*cmd = (struct nvme_cmd){
		.opc = NVME_IO_WRITE,
		.flags = NVME_FUSE_SECOND,
		.nsid = host->first.nsid,
		.cdw10 = host->first.cdw10,
		.cdw12 = host->first.cdw12 & 0xffff,
	};
	choose_flags(host, cmd);
	if (fuzz_one_in(host->random, 16))
		cmd->cdw10 ^= 1;
	command->length = bytes_of(host, cmd);
	command->mutilate = fuzz_one_in(host->random, 16);
	host->wants_second = false;
}

static void make_without_data(struct fuzz_host *host, struct fuzz_command *command)
{
	/* Too much that is uncorrectable keeps reads from being judged. */
	choose_lbas(host, &command->cmd,
		    command->cmd.opc == NVME_IO_WRITE_UNCORRECTABLE ? 8192 : host->model.count * FUZZ_SECTOR);
	choose_flags(host, &command->cmd);
	if (command->cmd.opc == NVME_IO_WRITE_ZEROES && fuzz_one_in(host->random, 2))
		command->cmd.cdw12 |= NVME_RW_DEAC;
	command->must_succeed = command->cmd.nsid == 1;
}

static void make_flush(struct fuzz_host *host, struct fuzz_command *command)
{
	command->cmd.nsid = some_nsid(host);
	command->must_succeed = command->cmd.nsid == 1 || command->cmd.nsid == UINT32_MAX;
}

static void make_dsm(struct fuzz_host *host, struct fuzz_command *command)
{
	uint32_t count = fuzz_between(host->random, 1, fuzz_one_in(host->random, 8) ? 256 : 8);

	for (uint32_t i = 0; i < count; i++) {
		struct nvme_cmd lbas = {0};
		struct nvme_dsm_range range;

		choose_lbas(host, &lbas, 16384);
		range = (struct nvme_dsm_range){.slba = lbas.cdw10, .nlb = lbas.cdw12 + fuzz_below(host->random, 2)};
		if (fuzz_one_in(host->random, 256))
			range.slba = fuzz_edge(host->random);
		if (fuzz_one_in(host->random, 256))
			range.nlb = (uint32_t)fuzz_edge(host->random);
		memcpy(command->data + i * sizeof(range), &range, sizeof(range));
	}
	command->cmd.nsid = fuzz_one_in(host->random, 8) ? some_nsid(host) : 1;
	command->cmd.cdw10 = count - 1;
	command->cmd.cdw11 = fuzz_one_in(host->random, 8) ? fuzz_below(host->random, 8) : NVME_DSM_AD;
	command->length = count * sizeof(struct nvme_dsm_range);
	command->data_length = command->length;
	command->must_succeed = command->cmd.nsid == 1;
}

static void choose_rare_io(struct fuzz_host *host, struct fuzz_command *command)
{
	static const uint8_t opcodes[] = {NVME_IO_RESERVATION_REGISTER,
					  NVME_IO_RESERVATION_REPORT,
					  NVME_IO_RESERVATION_ACQUIRE,
					  NVME_IO_RESERVATION_RELEASE,
					  NVME_IO_COPY,
					  NVME_IO_ZONE_MGMT_SEND,
					  NVME_IO_ZONE_MGMT_RECEIVE,
					  NVME_IO_ZONE_APPEND};

	command->cmd.opc =
		fuzz_one_in(host->random, 2) ? (uint8_t)fuzz_next(host->random) : FUZZ_PICK(host->random, opcodes);
	make_any(host, command);
}

void fuzz_generate_io(struct fuzz_host *host, struct fuzz_command *command)
{
	static const struct kind kinds[] = {
		{300, NVME_IO_WRITE, make_transfer},
		{300, NVME_IO_READ, make_transfer},
		{50, NVME_IO_COMPARE, make_compare},
		{60, NVME_IO_COMPARE, make_first},
		{30, NVME_IO_WRITE_ZEROES, make_without_data},
		{15, NVME_IO_WRITE_UNCORRECTABLE, make_without_data},
		{40, NVME_IO_VERIFY, make_without_data},
		{40, NVME_IO_DSM, make_dsm},
		{40, NVME_IO_FLUSH, make_flush},
		{20, 0, choose_rare_io},
	};

	if (host->wants_second && !fuzz_one_in(host->random, 16)) {
		make_second(host, command);
		return;
	}
	host->wants_second = false;
	generate(host, command, kinds, sizeof(kinds) / sizeof(kinds[0]));
}
