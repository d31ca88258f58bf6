/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of the Key Value Command Set. Key Value Command Set Specification 1.1, section 3. */
#include "vssd/cmd/key_value.h"

#include <string.h>

#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/reservation.h"
#include "vssd/cmd/table.h"

#define ONLY_IF_EXISTS 1u /* bits of SO */
#define ONLY_IF_NEW 2u
#define ALIGN 4u /* of the entries of List */

/* ---- the key of a command ---- */

/* Get the key, whose bytes are in dwords 2, 3, 14 and 15. least: bytes that it must have. Returns a status. */
static uint16_t key_of(struct vssd_request *request, uint64_t least, struct vssd_key *key)
{
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t length = nvme_get_field(cmd, NVME_FIELD_KV_STORE_KL);

	*key = (struct vssd_key){.length = (uint8_t)length};
	if (length < least || length > request->ctrl->options->kv.key_length)
		return vssd_refuse(request, NVME_SC_INVALID_KEY_SIZE, VSSD_FIELD(NVME_FIELD_KV_STORE_KL, "KL"),
				   VSSD_OWN);
	memcpy(key->bytes, &cmd->cdw2, 8);
	memcpy(key->bytes + 8, &cmd->cdw14, 8);
	memset(key->bytes + length, 0, sizeof(key->bytes) - length);
	return NVME_SC_SUCCESS;
}

static struct vssd_kv *store_of(const struct vssd_request *request)
{
	return vssd_kv_of(request->ctrl->subsystem, request->ns);
}

static uint16_t does_not_exist(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_KEY_DOES_NOT_EXIST, VSSD_STATE("the key does not exist"), VSSD_OWN);
}

/* Get the key and its value. Returns a status. */
static uint16_t find(struct vssd_request *request, const struct vssd_kv_entry **entry)
{
	struct vssd_key key;
	uint16_t status = key_of(request, 1, &key);

	if (status)
		return status;
	*entry = vssd_kv_find(store_of(request), &key);
	return *entry ? NVME_SC_SUCCESS : does_not_exist(request);
}

static uint16_t check_transfer(struct vssd_request *request, uint64_t length, const char *name)
{
	if (length <= request->ctrl->transfers.most)
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_DWORD(10, name), VSSD_OWN);
}

/* Make a change of the key durable if the drive has no volatile write cache. */
static void settle(const struct vssd_request *request, const struct vssd_key *key)
{
	if (request->ctrl->features.write_through)
		vssd_kv_commit(store_of(request), key);
	vssd_sanitize_written(request->ctrl->subsystem);
}

/* ---- Store ---- */

static uint16_t check_options(struct vssd_request *request, const struct vssd_key *key)
{
	uint64_t options = nvme_get_field(&request->cmd, NVME_FIELD_KV_STORE_SO);
	bool exists = vssd_kv_find(store_of(request), key);
	uint32_t most = request->ctrl->options->kv.keys;

	if ((options & (ONLY_IF_EXISTS | ONLY_IF_NEW)) == (ONLY_IF_EXISTS | ONLY_IF_NEW))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_KV_STORE_SO, "SO: bits 0 and 1 exclude each other"),
				   VSSD_OWN);
	if (options & ONLY_IF_EXISTS && !exists)
		return does_not_exist(request);
	if (options & ONLY_IF_NEW && exists)
		return vssd_refuse(request, NVME_SC_KEY_EXISTS, VSSD_STATE("the key exists"), VSSD_OWN);
	if (!exists && most && vssd_kv_count(store_of(request)) >= most)
		return vssd_refuse(request, NVME_SC_CAPACITY_EXCEEDED,
				   VSSD_STATE("the namespace has as many keys as it can (MNK)"), VSSD_OWN);
	return NVME_SC_SUCCESS;
}

static uint16_t check_value(struct vssd_request *request, uint64_t size)
{
	if (size > request->ctrl->options->kv.value_length)
		return vssd_refuse(request, NVME_SC_INVALID_VALUE_SIZE, VSSD_FIELD(NVME_FIELD_KV_STORE_VS, "VS"),
				   VSSD_OWN);
	return check_transfer(request, size, "VS, above MDTS");
}

/* Fetch the value into its blocks. Returns a status. */
static uint16_t fetch(struct vssd_request *request, uint32_t handle, uint32_t size)
{
	struct vssd_cursor cursor = {.segment = request->data.segments};
	uint16_t status = NVME_SC_SUCCESS;

	for (uint32_t done = 0, piece; done < size && !status; done += piece) {
		uint8_t *room;

		piece = size - done;
		room = vssd_kv_room(store_of(request), handle, done, &piece);
		status = vssd_cursor_get(request, &cursor, room, piece);
	}
	return status;
}

static uint16_t put(struct vssd_request *request, const struct vssd_key *key, uint32_t size)
{
	struct vssd_kv *kv = store_of(request);
	uint32_t handle = vssd_kv_begin(kv, key, size);
	uint16_t status;

	if (!handle)
		return vssd_refuse(request, NVME_SC_CAPACITY_EXCEEDED,
				   VSSD_STATE("the namespace has no room for the value"), VSSD_OWN);
	status = fetch(request, handle, size);
	if (status) {
		vssd_kv_abandon(kv, handle);
		return status;
	}
	if (!vssd_kv_end(kv, handle))
		return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("no memory for another key"),
				   VSSD_OWN);
	settle(request, key);
	request->bytes = size;
	return NVME_SC_SUCCESS;
}

static uint16_t kv_store(struct vssd_request *request)
{
	uint64_t size = nvme_get_field(&request->cmd, NVME_FIELD_KV_STORE_VS);
	struct vssd_key key;
	uint16_t status = key_of(request, 1, &key);

	if (!status)
		status = check_value(request, size);
	if (!status)
		status = check_options(request, &key);
	if (!status && size)
		status = vssd_data_map(request, size, VSSD_DMA_READ);
	return status || request->is_trial ? status : put(request, &key, (uint32_t)size);
}

/* ---- Retrieve, Exist, Delete ---- */

static uint16_t kv_retrieve(struct vssd_request *request)
{
	uint64_t room = nvme_get_field(&request->cmd, NVME_FIELD_KV_RETRIEVE_HBS);
	const struct vssd_kv_entry *entry;
	struct vssd_cursor cursor;
	uint16_t status = find(request, &entry);
	uint32_t length;

	if (!status)
		status = check_transfer(request, room, "HBS, above MDTS");
	if (status)
		return status;
	length = vssd_kv_size(entry) < room ? vssd_kv_size(entry) : (uint32_t)room;
	if (room) /* PRP 2 is a list or not by the length of the host's buffer */
		status = vssd_data_map(request, room, VSSD_DMA_WRITE);
	if (status || request->is_trial)
		return status;
	cursor = (struct vssd_cursor){.segment = request->data.segments};
	for (uint32_t done = 0, piece; done < length && !status; done += piece) {
		const uint8_t *bytes;

		piece = length - done;
		bytes = vssd_kv_read(store_of(request), entry, done, &piece);
		status = vssd_cursor_put(request, &cursor, bytes, piece);
	}
	request->result = vssd_kv_size(entry);
	request->bytes = length;
	return status;
}

static uint16_t kv_exist(struct vssd_request *request)
{
	const struct vssd_kv_entry *entry;

	return find(request, &entry);
}

static uint16_t kv_delete(struct vssd_request *request)
{
	const struct vssd_kv_entry *entry;
	struct vssd_key key;
	uint16_t status = find(request, &entry);

	if (status || request->is_trial)
		return status;
	key = *vssd_kv_key(entry);
	vssd_kv_delete(store_of(request), &key);
	settle(request, &key);
	return NVME_SC_SUCCESS;
}

/* ---- List ---- */

/* Bytes of a key in a list: its length in two bytes, the key, and zeros up to a multiple of four. */
static uint32_t entry_size(const struct vssd_key *key)
{
	return (2u + key->length + ALIGN - 1) / ALIGN * ALIGN;
}

/* How many keys from this one on a list of so many bytes can have. */
static uint32_t fit(const struct vssd_kv *kv, const struct vssd_kv_entry *entry, uint64_t room)
{
	uint32_t count = 0, length = sizeof(count);

	for (; entry && length + entry_size(vssd_kv_key(entry)) <= room; entry = vssd_kv_next(kv, entry)) {
		length += entry_size(vssd_kv_key(entry));
		count++;
	}
	return count;
}

static uint16_t send_list(struct vssd_request *request, const struct vssd_kv_entry *entry, uint32_t count)
{
	struct vssd_cursor cursor = {.segment = request->data.segments};
	uint16_t status = vssd_cursor_put(request, &cursor, (const uint8_t *)&count, sizeof(count));

	for (; count > 0 && !status; count--, entry = vssd_kv_next(store_of(request), entry)) {
		const struct vssd_key *key = vssd_kv_key(entry);
		uint8_t bytes[2 + VSSD_KEY_MAX + ALIGN] = {key->length};

		memcpy(bytes + 2, key->bytes, key->length);
		status = vssd_cursor_put(request, &cursor, bytes, entry_size(key));
	}
	return status;
}

static uint16_t kv_list(struct vssd_request *request)
{
	uint64_t room = nvme_get_field(&request->cmd, NVME_FIELD_KV_LIST_HBS);
	const struct vssd_kv_entry *entry;
	struct vssd_key key;
	uint32_t count;
	uint16_t status = key_of(request, 0, &key);

	if (!status && room < sizeof(count))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_KV_LIST_HBS, "HBS"),
				   VSSD_OWN);
	if (!status)
		status = check_transfer(request, room, "HBS, above MDTS");
	if (status)
		return status;
	entry = vssd_kv_from(store_of(request), &key);
	count = fit(store_of(request), entry, room);
	status = vssd_data_map(request, room, VSSD_DMA_WRITE);
	return status || request->is_trial ? status : send_list(request, entry, count);
}

/* ---- the table, and Identify ---- */

#define ON_NS (VSSD_NEEDS_NS | VSSD_NEEDS_MEDIA)
#define RESERVES (VSSD_NEEDS_NS | VSSD_NEEDS_RESERVATIONS)

const struct vssd_command vssd_kv_commands[256] = {
	[NVME_KV_STORE] = {kv_store, ON_NS},
	[NVME_KV_RETRIEVE] = {kv_retrieve, ON_NS},
	[NVME_KV_LIST] = {kv_list, ON_NS},
	[NVME_KV_DELETE] = {kv_delete, ON_NS},
	[NVME_KV_EXIST] = {kv_exist, ON_NS},
	[NVME_IO_CANCEL] = {vssd_cancel, VSSD_NEEDS_NS_OR_ALL},
	[NVME_IO_FLUSH] = {vssd_flush, ON_NS | VSSD_NEEDS_NS_OR_ALL},
	[NVME_IO_RESERVATION_REGISTER] = {vssd_reservation_register_cmd, RESERVES},
	[NVME_IO_RESERVATION_REPORT] = {vssd_reservation_report, RESERVES},
	[NVME_IO_RESERVATION_ACQUIRE] = {vssd_reservation_acquire_cmd, RESERVES},
	[NVME_IO_RESERVATION_RELEASE] = {vssd_reservation_release_cmd, RESERVES},
};

void vssd_kv_identify(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, struct nvme_id_ns_kv *id)
{
	const struct vssd_kv_options *options = &ctrl->options->kv;

	id->nsze = ns->bytes;
	id->nuse = vssd_kv_used(vssd_kv_of(ctrl->subsystem, ns));
	id->novg = VSSD_BLOCK_SIZE;
	id->kvf[0].kml = (uint16_t)options->key_length;
	id->kvf[0].vml = (uint32_t)options->value_length;
	id->kvf[0].mnk = options->keys;
}
