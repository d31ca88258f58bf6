/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Zones against a drive that is right: commands of several queues begin, are executed and end in any order, some are
 * lost, the script's own queues write behind everybody's back, and the power fails. Nothing may ever be found.
 */
/* sources: spec/commands.c core/verify/track*.c core/verify/tables.c core/data/buffer.c core/data/protection.c
 * core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include "core/util/random.h"
#include "core/verify/track.h"
#include "spec/nvme_cmd.h"
#include "tests/c/test.h"

#define LBA 512u
#define ZONE 16u
#define ZONES 4u
#define NLBA (ZONE * ZONES)
#define LARGEST 4u /* LBAs of a command */
#define ACTORS 8u
#define STEPS 20000u
#define SEEDS 30u
#define RESET 4u
#define ALL 0x100u
#define REFUSED UINT16_C(0x0102)

enum { IDLE, BEGUN, EXECUTED };

struct drive {
	uint8_t data[NLBA][LBA];
	uint32_t pointer[ZONES]; /* LBAs written in each zone */
};

struct actor {
	int state;
	struct nvme_cmd cmd;
	struct nvme_cpl cpl;
	struct pyn_buffer *buffer;
	struct pyn_track track;
};

static struct drive the_drive, the_media; /* what is read, and what a loss of power leaves */
static struct actor the_actors[ACTORS];
static struct pyn_verify *the_table;
static struct pyn_random the_random;
static struct pyn_error err;

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(pyn_random_next(&the_random) % limit);
}

static uint64_t slba_of(const struct nvme_cmd *cmd)
{
	return cmd->cdw10;
}

static uint32_t nlb_of(const struct nvme_cmd *cmd)
{
	return (cmd->cdw12 & 0xffff) + 1;
}

/* ---- the drive ---- */

static void reset_zone(uint32_t zone)
{
	struct drive *both[] = {&the_drive, &the_media};

	for (unsigned i = 0; i < 2; i++) {
		memset(both[i]->data[zone * ZONE], 0, ZONE * LBA);
		both[i]->pointer[zone] = 0;
	}
}

static bool write_at_pointer(uint32_t zone, const uint8_t *data, uint32_t nlb, bool fua)
{
	uint32_t at = the_drive.pointer[zone];

	if (nlb > ZONE - at)
		return false;
	memcpy(the_drive.data[zone * ZONE + at], data, nlb * LBA);
	the_drive.pointer[zone] += nlb;
	if (fua) {
		memcpy(the_media.data[zone * ZONE + at], data, nlb * LBA);
		the_media.pointer[zone] = the_drive.pointer[zone];
	}
	return true;
}

static void deallocate(const struct nvme_dsm_range *range)
{
	if (below(4))
		memset(the_drive.data[range->slba], 0, range->nlb * LBA);
}

static uint16_t execute(struct actor *actor)
{
	const struct nvme_cmd *cmd = &actor->cmd;
	uint32_t zone = (uint32_t)slba_of(cmd) / ZONE, nlb = nlb_of(cmd);
	bool fua = cmd->cdw12 & NVME_RW_FUA;

	switch (cmd->opc) {
	case NVME_IO_ZONE_APPEND:
		actor->cpl.cdw0 = zone * ZONE + the_drive.pointer[zone];
		return write_at_pointer(zone, actor->buffer->data, nlb, fua) ? 0 : REFUSED;
	case NVME_IO_WRITE:
		if (slba_of(cmd) % ZONE != the_drive.pointer[zone])
			return REFUSED;
		return write_at_pointer(zone, actor->buffer->data, nlb, fua) ? 0 : REFUSED;
	case NVME_IO_ZONE_MGMT_SEND:
		for (uint32_t i = 0; i < ZONES; i++)
			if (cmd->cdw13 & ALL || i == zone)
				reset_zone(i);
		return 0;
	case NVME_IO_DSM:
		deallocate((const struct nvme_dsm_range *)actor->buffer->data);
		return 0;
	case NVME_IO_FLUSH:
		the_media = the_drive;
		return 0;
	default:
		memcpy(actor->buffer->data, the_drive.data[slba_of(cmd)], nlb * LBA);
		return 0;
	}
}

/* ---- the host ---- */

static void begin(struct actor *actor)
{
	static const uint8_t opcodes[] = {NVME_IO_ZONE_APPEND, NVME_IO_ZONE_APPEND,   NVME_IO_ZONE_APPEND,
					  NVME_IO_READ,        NVME_IO_READ,          NVME_IO_READ,
					  NVME_IO_READ,        NVME_IO_WRITE,         NVME_IO_FLUSH,
					  NVME_IO_DSM,         NVME_IO_ZONE_MGMT_SEND};
	uint8_t opcode = opcodes[below(sizeof(opcodes))];
	uint32_t nlb = 1 + below(LARGEST), zone = below(ZONES);
	struct nvme_cmd cmd = {.opc = opcode, .nsid = 1, .cdw12 = nlb - 1, .cdw10 = zone * ZONE};

	if (opcode == NVME_IO_READ)
		cmd.cdw10 = below(NLBA - LARGEST);
	else if (opcode == NVME_IO_WRITE)
		cmd.cdw10 += the_drive.pointer[zone] % ZONE;
	for (uint32_t i = 0; i < nlb * LBA && opcode != NVME_IO_READ; i += 4)
		*(uint32_t *)(actor->buffer->data + i) = below(UINT32_MAX);
	if (opcode == NVME_IO_ZONE_APPEND || opcode == NVME_IO_WRITE)
		cmd.cdw12 |= below(4) ? 0 : NVME_RW_FUA;
	if (opcode == NVME_IO_ZONE_MGMT_SEND)
		cmd.cdw13 = below(8) ? RESET : RESET | ALL;
	if (opcode == NVME_IO_DSM) {
		*(struct nvme_dsm_range *)actor->buffer->data =
			(struct nvme_dsm_range){.slba = below(NLBA - LARGEST), .nlb = nlb};
		cmd.cdw10 = 0;
		cmd.cdw11 = NVME_DSM_AD;
	}
	actor->cmd = cmd;
	actor->cpl = (struct nvme_cpl){0};
	actor->state = BEGUN;
	pyn_track_begin(&actor->track, the_table, &cmd, actor->buffer, 0, LARGEST * LBA, opcode == NVME_IO_WRITE,
			true);
}

static bool end(struct actor *actor)
{
	struct pyn_mismatch found;

	actor->state = IDLE;
	if (pyn_track_end(&actor->track, &actor->cpl, &found))
		return true;
	printf("    LBA %llu of a read of %u from %u on\n", (unsigned long long)found.lba, nlb_of(&actor->cmd),
	       actor->cmd.cdw10);
	return false;
}

static void lose_in_flight(struct actor *actor)
{
	if (actor->state != IDLE)
		pyn_track_cancel(&actor->track);
	actor->state = IDLE;
}

static void lose_power(void)
{
	for (unsigned i = 0; i < ACTORS; i++)
		lose_in_flight(&the_actors[i]);
	the_drive = the_media;
	pyn_verify_power_lost(the_table);
}

/* A queue of the script's own: all is forgotten at its doorbell, and its commands are done at once. */
static void write_behind_the_back(void)
{
	uint8_t data[LBA];
	uint32_t zone = below(ZONES);

	pyn_verify_forget(the_table, 0, UINT64_MAX);
	memset(data, (int)below(256), sizeof(data));
	reset_zone(zone);
	write_at_pointer(zone, data, 1, false);
}

static bool step(void)
{
	struct actor *actor = &the_actors[below(ACTORS)];

	if (below(500) == 0) {
		lose_power();
	} else if (below(500) == 0) {
		write_behind_the_back();
	} else if (below(200) == 0) {
		lose_in_flight(actor);
	} else if (actor->state == IDLE) {
		begin(actor);
	} else if (actor->state == BEGUN) {
		actor->cpl.status = (uint16_t)(execute(actor) << 1);
		actor->state = EXECUTED;
	} else {
		return end(actor);
	}
	return true;
}

static void run(uint64_t seed, struct pyn_verify_counts *counts)
{
	the_random = pyn_random_stream(seed, 0);
	memset(&the_drive, 0, sizeof(the_drive));
	the_media = the_drive;
	the_table = pyn_verify_create(1, NLBA, LBA, &err);
	pyn_verify_set_dlfeat(the_table, seed % 2);
	pyn_verify_set_zone_size(the_table, seed % 8 ? ZONE : 0);
	for (unsigned i = 0; i < ACTORS; i++)
		the_actors[i].buffer = pyn_buffer_create(LARGEST * LBA, &err);
	unsigned done = 0;

	while (done < STEPS && CHECK(step()))
		done++;
	if (done < STEPS)
		printf("    seed %llu, step %u\n", (unsigned long long)seed, done);
	for (unsigned i = 0; i < ACTORS; i++) {
		lose_in_flight(&the_actors[i]);
		pyn_buffer_put(the_actors[i].buffer);
	}
	pyn_verify_get_counts(the_table, counts);
	pyn_verify_put(the_table);
}

TEST(nothing_is_found_in_the_zones_of_a_drive_that_is_right)
{
	pyn_token_start(&err);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct pyn_verify_counts counts;

		run(seed, &counts);
		CHECK_EQ(counts.mismatch, 0);
		/* A model in which nothing is ever known would find nothing, either. */
		if (seed % 8)
			CHECK(counts.checked > 100);
	}
}
