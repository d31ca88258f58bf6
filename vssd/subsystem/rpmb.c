/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/rpmb.h"

#include <stdlib.h>
#include <string.h>

#include "core/util/sha256.h"
#include "spec/nvme_feature.h"
#include "vssd/subsystem/hidden.h"
#include "vssd/subsystem/subsystem.h"

#define MAGIC 0x424d5052u
#define MAC_AT 223u /* the MAC covers the frame from here on, and the data */
#define HEAD sizeof(struct nvme_rpmb_frame)
#define MOST (HEAD + VSSD_RPMB_ACCESS * VSSD_RPMB_SECTOR)
#define EXPIRED 0x80u
#define BPPE_ENABLED 1u
#define BOOT_LOCKS 3u
#define WPC_BITS 3u
#define CONFIGURATION_TARGET 0u

/* What a target keeps, besides its data. */
struct target {
	uint8_t key[PYN_SHA256_SIZE];
	uint32_t has_key;
	uint32_t counter;
};

/* The first block of the area. */
struct kept {
	uint32_t magic;
	uint32_t configuration_counter;
	struct target targets[VSSD_RPMB_TARGETS];
	struct nvme_rpmb_configuration configuration;
};
_Static_assert(sizeof(struct kept) <= VSSD_BLOCK_SIZE, "one block");

struct response {
	uint32_t length; /* 0: there is none */
	_Alignas(8) uint8_t bytes[MOST];
};

struct vssd_rpmb {
	struct kept kept;
	struct response responses[VSSD_RPMB_TARGETS];
};

/* A request that is being executed. */
struct request {
	struct vssd_subsystem *subsystem;
	struct vssd_rpmb *rpmb;
	struct target *target;
	const struct nvme_rpmb_frame *frame;
	const uint8_t *data; /* behind the frame */
	uint32_t *counter;   /* that the request is about */
	struct response *response;
	struct nvme_rpmb_frame *answer; /* the beginning of the response */
};

static bool is_wrong(const struct request *request, enum vssd_fault_security mistake)
{
	return vssd_security_is_wrong(request->subsystem->security, mistake);
}

static bool save(struct vssd_subsystem *subsystem)
{
	return vssd_hidden_write(subsystem, VSSD_HIDDEN_RPMB, 0, &subsystem->security->rpmb->kept,
				 sizeof(struct kept));
}

struct vssd_rpmb *vssd_rpmb_create(struct vssd_subsystem *subsystem)
{
	struct vssd_rpmb *rpmb = calloc(1, sizeof(*rpmb));

	if (!rpmb)
		return NULL;
	vssd_hidden_read(subsystem, VSSD_HIDDEN_RPMB, 0, &rpmb->kept, sizeof(rpmb->kept));
	if (rpmb->kept.magic != MAGIC)
		rpmb->kept = (struct kept){.magic = MAGIC};
	return rpmb;
}

const struct nvme_rpmb_configuration *vssd_rpmb_configuration(const struct vssd_rpmb *rpmb)
{
	return &rpmb->kept.configuration;
}

void vssd_rpmb_reset(struct vssd_subsystem *subsystem)
{
	struct vssd_rpmb *rpmb = subsystem->security->rpmb;
	struct nvme_rpmb_configuration *configuration = &rpmb->kept.configuration;
	struct nvme_rpmb_configuration before = *configuration;

	for (unsigned i = 0; i < VSSD_RPMB_TARGETS; i++)
		rpmb->responses[i].length = 0;
	configuration->bpl = configuration->bppe ? BOOT_LOCKS : 0;
	configuration->wpc = 0;
	if (memcmp(&before, configuration, sizeof(before)) != 0)
		save(subsystem);
}

/* ---- messages ---- */

static void mac_of(const struct target *target, const void *frame, uint32_t length, uint8_t mac[PYN_SHA256_SIZE])
{
	pyn_hmac_sha256(target->key, sizeof(target->key), (const uint8_t *)frame + MAC_AT, length - MAC_AT, mac);
}

static bool is_authentic(const struct request *request, uint32_t length)
{
	uint8_t mac[PYN_SHA256_SIZE];

	mac_of(request->target, request->frame, length, mac);
	return memcmp(mac, request->frame->mac, sizeof(mac)) == 0 || is_wrong(request, VSSD_FAULT_SECURITY_RPMB_MAC);
}

static bool has_data(const struct nvme_rpmb_frame *frame)
{
	return frame->message == NVME_RPMB_WRITE || frame->message == NVME_RPMB_WRITE_CONFIGURATION;
}

uint32_t vssd_rpmb_request_length(const struct nvme_rpmb_frame *frame)
{
	bool counts = has_data(frame) && frame->sectors <= VSSD_RPMB_ACCESS;

	return (uint32_t)HEAD + (counts ? frame->sectors * VSSD_RPMB_SECTOR : 0);
}

/* Where a sector is in the area. */
static uint64_t place_of(const struct request *request, uint32_t sector)
{
	unsigned index = (unsigned)(request->target - request->rpmb->kept.targets);

	return VSSD_BLOCK_SIZE + (uint64_t)index * VSSD_RPMB_SIZE + (uint64_t)sector * VSSD_RPMB_SECTOR;
}

static bool is_in_range(const struct nvme_rpmb_frame *frame)
{
	uint64_t end = (uint64_t)frame->address + frame->sectors;

	return frame->sectors > 0 && end <= VSSD_RPMB_SIZE / VSSD_RPMB_SECTOR;
}

static uint8_t program_key(struct request *request)
{
	if (request->target->has_key && !is_wrong(request, VSSD_FAULT_SECURITY_RPMB_KEY))
		return NVME_RPMB_RESULT_WRITE_FAILURE;
	memcpy(request->target->key, request->frame->mac, sizeof(request->target->key));
	request->target->has_key = 1;
	return save(request->subsystem) ? NVME_RPMB_RESULT_SUCCESS : NVME_RPMB_RESULT_WRITE_FAILURE;
}

/* Check what all authenticated writes have, in the order of the specification. Returns a result. */
static uint8_t authenticate(const struct request *request, bool has_address)
{
	if (*request->counter == UINT32_MAX)
		return NVME_RPMB_RESULT_WRITE_FAILURE;
	if (has_address && !is_in_range(request->frame))
		return NVME_RPMB_RESULT_ADDRESS_FAILURE;
	if (!is_authentic(request, vssd_rpmb_request_length(request->frame)))
		return NVME_RPMB_RESULT_AUTHENTICATION_FAILURE;
	if (request->frame->counter != *request->counter && !is_wrong(request, VSSD_FAULT_SECURITY_RPMB_REPLAY))
		return NVME_RPMB_RESULT_COUNTER_FAILURE;
	return NVME_RPMB_RESULT_SUCCESS;
}

static void count(struct request *request)
{
	if (!is_wrong(request, VSSD_FAULT_SECURITY_RPMB_COUNTER))
		++*request->counter;
}

static uint8_t write_data(struct request *request)
{
	const struct nvme_rpmb_frame *frame = request->frame;
	uint8_t result = authenticate(request, true);

	request->answer->address = frame->address;
	if (result)
		return result;
	if (!vssd_hidden_write(request->subsystem, VSSD_HIDDEN_RPMB, place_of(request, frame->address), request->data,
			       frame->sectors * VSSD_RPMB_SECTOR))
		return NVME_RPMB_RESULT_WRITE_FAILURE;
	count(request);
	return save(request->subsystem) ? NVME_RPMB_RESULT_SUCCESS : NVME_RPMB_RESULT_WRITE_FAILURE;
}

/* Append data to the response. */
static void add_data(struct request *request, const void *data, uint32_t length)
{
	memcpy(request->response->bytes + HEAD, data, length);
	request->response->length += length;
}

static uint8_t read_data(struct request *request)
{
	const struct nvme_rpmb_frame *frame = request->frame;
	uint8_t data[VSSD_RPMB_ACCESS * VSSD_RPMB_SECTOR];
	uint32_t length = frame->sectors * VSSD_RPMB_SECTOR;

	request->answer->address = frame->address;
	request->answer->sectors = frame->sectors;
	if (!is_in_range(frame))
		return NVME_RPMB_RESULT_ADDRESS_FAILURE;
	if (frame->sectors > VSSD_RPMB_ACCESS)
		return NVME_RPMB_RESULT_GENERAL_FAILURE;
	vssd_hidden_read(request->subsystem, VSSD_HIDDEN_RPMB, place_of(request, frame->address), data, length);
	add_data(request, data, length);
	return NVME_RPMB_RESULT_SUCCESS;
}

/* Whether feature 85h locks any boot partition until the next power cycle. */
static bool is_fixed(const struct vssd_subsystem *subsystem)
{
	for (unsigned i = 0; i < VSSD_BOOT_PARTITIONS; i++)
		if (subsystem->options.optional.boot_protection &&
		    subsystem->security->boot[i] == NVME_BOOT_LOCKED_UNTIL_POWER_CYCLE)
			return true;
	return false;
}

/* Whether the drive can do what a Device Configuration Block asks for. It can never undo the protection of boot
 * partitions, nor begin it while feature 85h locks one until the next power cycle. */
static bool is_possible(const struct request *request, const struct nvme_rpmb_configuration *wanted)
{
	const struct vssd_subsystem *subsystem = request->subsystem;
	bool was = request->rpmb->kept.configuration.bppe & BPPE_ENABLED, will = wanted->bppe & BPPE_ENABLED;

	if (!subsystem->options.optional.write_protection && wanted->wpc & WPC_BITS)
		return false;
	if (was || !will)
		return was == will;
	return subsystem->options.optional.boot && !is_fixed(subsystem);
}

static uint8_t write_configuration(struct request *request)
{
	struct nvme_rpmb_configuration wanted, *configuration = &request->rpmb->kept.configuration;
	uint8_t result = authenticate(request, false);

	if (result)
		return result;
	memcpy(&wanted, request->data, sizeof(wanted));
	if (!is_possible(request, &wanted))
		return NVME_RPMB_RESULT_INVALID_CONFIGURATION;
	*configuration = (struct nvme_rpmb_configuration){
		.bppe = wanted.bppe & BPPE_ENABLED,
		.bpl = wanted.bppe & BPPE_ENABLED ? wanted.bpl & BOOT_LOCKS : 0,
		.wpc = wanted.wpc & WPC_BITS,
	};
	count(request);
	return save(request->subsystem) ? NVME_RPMB_RESULT_SUCCESS : NVME_RPMB_RESULT_WRITE_FAILURE;
}

static uint8_t read_configuration(struct request *request)
{
	request->answer->sectors = 1;
	add_data(request, &request->rpmb->kept.configuration, sizeof(request->rpmb->kept.configuration));
	return NVME_RPMB_RESULT_SUCCESS;
}

static uint8_t read_counter(struct request *request)
{
	(void)request;
	return NVME_RPMB_RESULT_SUCCESS;
}

/* The requests by their messages. */
static const struct message {
	uint8_t (*execute)(struct request *request); /* returns a result */
	bool shows_nonce;
	bool shows_counter;
	bool of_configuration; /* of target 0 only, and with a counter of its own */
} messages[] = {
	[NVME_RPMB_PROGRAM_KEY] = {program_key, false, false, false},
	[NVME_RPMB_READ_COUNTER] = {read_counter, true, true, false},
	[NVME_RPMB_WRITE] = {write_data, false, true, false},
	[NVME_RPMB_READ] = {read_data, true, false, false},
	[NVME_RPMB_WRITE_CONFIGURATION] = {write_configuration, false, true, true},
	[NVME_RPMB_READ_CONFIGURATION] = {read_configuration, true, true, true},
};

#define NUM_MESSAGES (sizeof(messages) / sizeof(messages[0]))

/* Execute a request but for what all of them have in common. Returns a result. */
static uint8_t execute(struct request *request, const struct message *message)
{
	if (message->of_configuration && request->frame->target != CONFIGURATION_TARGET)
		return NVME_RPMB_RESULT_INVALID_CONFIGURATION;
	if (!request->target->has_key && message->execute != program_key)
		return NVME_RPMB_RESULT_NO_KEY;
	return message->execute(request);
}

/* Complete the response: the result, the counter, and the MAC if there is a key. */
static void conclude(const struct request *request, const struct message *message, uint8_t result)
{
	struct nvme_rpmb_frame *answer = request->answer;

	answer->target = request->frame->target;
	answer->message = (uint16_t)(request->frame->message << 8);
	answer->result = (uint16_t)(result | (*request->counter == UINT32_MAX ? EXPIRED : 0));
	if (message->shows_counter)
		answer->counter = *request->counter;
	if (message->shows_nonce)
		memcpy(answer->nonce, request->frame->nonce, sizeof(answer->nonce));
	if (request->target->has_key && message->execute != program_key)
		mac_of(request->target, answer, request->response->length, answer->mac);
}

static bool is_whole(const struct nvme_rpmb_frame *frame, uint32_t length)
{
	if (has_data(frame) && frame->sectors > VSSD_RPMB_ACCESS)
		return false;
	if (frame->message == NVME_RPMB_WRITE_CONFIGURATION && frame->sectors != 1)
		return false;
	return length >= vssd_rpmb_request_length(frame);
}

static bool is_request(uint16_t message)
{
	return message == NVME_RPMB_READ_RESULT || (message < NUM_MESSAGES && messages[message].execute);
}

enum vssd_rpmb_end vssd_rpmb_send(struct vssd_subsystem *subsystem, uint8_t target, const uint8_t *data,
				  uint32_t length)
{
	struct vssd_rpmb *rpmb = subsystem->security->rpmb;
	const struct nvme_rpmb_frame *frame = (const struct nvme_rpmb_frame *)data;
	struct request request = {.subsystem = subsystem, .rpmb = rpmb, .frame = frame, .data = data + HEAD};
	const struct message *message;

	if (target >= VSSD_RPMB_TARGETS || (length >= HEAD && frame->target != target))
		return VSSD_RPMB_BAD_TARGET;
	if (length < HEAD || !is_request(frame->message) || !is_whole(frame, length))
		return VSSD_RPMB_BAD_FRAME;
	request.response = &rpmb->responses[target];
	if (frame->message == NVME_RPMB_READ_RESULT)
		return request.response->length ? VSSD_RPMB_DONE : VSSD_RPMB_BAD_SEQUENCE;
	message = &messages[frame->message];
	memset(request.response->bytes, 0, HEAD);
	request.response->length = HEAD;
	request.target = &rpmb->kept.targets[target];
	request.answer = (struct nvme_rpmb_frame *)request.response->bytes;
	request.counter = message->of_configuration ? &rpmb->kept.configuration_counter : &request.target->counter;
	conclude(&request, message, execute(&request, message));
	return VSSD_RPMB_DONE;
}

uint32_t vssd_rpmb_response_length(const struct vssd_subsystem *subsystem, uint8_t target)
{
	return target < VSSD_RPMB_TARGETS ? subsystem->security->rpmb->responses[target].length : 0;
}

enum vssd_rpmb_end vssd_rpmb_receive(struct vssd_subsystem *subsystem, uint8_t target, uint8_t *buffer,
				     uint32_t length)
{
	const struct response *response;

	if (target >= VSSD_RPMB_TARGETS)
		return VSSD_RPMB_BAD_TARGET;
	response = &subsystem->security->rpmb->responses[target];
	if (!response->length)
		return VSSD_RPMB_BAD_SEQUENCE;
	memcpy(buffer, response->bytes, response->length < length ? response->length : length);
	return VSSD_RPMB_DONE;
}
