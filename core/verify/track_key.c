/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/track_key.h"

#include <string.h>

#include "core/util/crc32c.h"
#include "core/verify/verify_table.h"
#include "spec/commands.h"
#include "spec/nvme_field.h"

/* Opcodes that all command sets share (Base 2.1, section 7). */
static const struct spec_command *known_as(uint8_t opcode)
{
	const struct spec_command *own = &spec_commands[SPEC_KV][opcode];

	switch (opcode) {
	case NVME_IO_FLUSH:
	case NVME_IO_RESERVATION_REGISTER:
	case NVME_IO_RESERVATION_REPORT:
	case NVME_IO_RESERVATION_ACQUIRE:
	case NVME_IO_RESERVATION_RELEASE:
		return &spec_commands[SPEC_IO][opcode];
	default:
		return own;
	}
}

bool pyn_track_key_changes(uint8_t opcode)
{
	return known_as(opcode)->changes != SPEC_CHANGES_NONE;
}

bool pyn_track_key_is_unknown(uint8_t opcode)
{
	return !known_as(opcode)->name;
}

/* ---- submission ---- */

static uint64_t cell_of(const struct pyn_verify *verify, uint64_t number)
{
	uint64_t cell = 0;

	pyn_verify_read_begin(verify, number, 1, &cell);
	return cell;
}

static bool is_change(const struct pyn_track_key *track)
{
	return track->opcode == NVME_KV_STORE || track->opcode == NVME_KV_DELETE;
}

/* The digest of the first bytes of the data. False: the buffer has fewer. */
static bool digest_of(const struct pyn_buffer_use *use, uint64_t length, struct pyn_digest *digest)
{
	*digest = (struct pyn_digest){.length = (uint32_t)length};
	if (length == 0)
		return true;
	if (!use->buffer || length > use->length)
		return false;
	digest->crc = pyn_crc32c(0, use->buffer->data + use->offset, length);
	return true;
}

static void begin_change(struct pyn_track_key *track, struct pyn_verify *verify, const struct pyn_buffer_use *use)
{
	track->noted = pyn_keys_add(verify->keys, &track->key, &track->number);
	track->known = track->noted && pyn_verify_note_begin(verify, track->number, 1);
	track->digest = pyn_digest_of_none();
	track->whole = true;
	if (track->opcode == NVME_KV_STORE)
		track->whole = digest_of(use, track->length, &track->digest);
	if (!track->known)
		return;
	track->before = cell_of(verify, track->number);
	pyn_verify_write_begin(verify, track->number, 1, &track->digest, false, 0);
	track->begun = cell_of(verify, track->number);
}

void pyn_track_key_begin(struct pyn_track_key *track, struct pyn_verify *verify, const struct nvme_cmd *cmd,
			 const struct pyn_buffer_use *use, bool check)
{
	*track = (struct pyn_track_key){.length = cmd->cdw10, .opcode = cmd->opc, .compare = check};
	if (!pyn_key_of(cmd, &track->key))
		return;
	if (is_change(track)) {
		begin_change(track, verify, use);
	} else if (track->opcode == NVME_KV_RETRIEVE || track->opcode == NVME_KV_EXIST) {
		track->known = pyn_keys_find(verify->keys, &track->key, &track->number);
		if (track->known)
			track->before = cell_of(verify, track->number);
	}
}

/* ---- completion ---- */

static uint16_t status_of(const struct nvme_cpl *cpl)
{
	return (uint16_t)NVME_SC(NVME_STATUS_SCT(cpl->status), NVME_STATUS_SC(cpl->status));
}

/* Whether a command that failed like this has changed nothing. */
static bool is_refusal(uint16_t status)
{
	switch (status) {
	case NVME_SC_INVALID_OPCODE:
	case NVME_SC_INVALID_FIELD:
	case NVME_SC_INVALID_VALUE_SIZE:
	case NVME_SC_INVALID_KEY_SIZE:
	case NVME_SC_KEY_DOES_NOT_EXIST:
	case NVME_SC_KEY_EXISTS:
	case NVME_SC_CAPACITY_EXCEEDED:
	case NVME_SC_NS_WRITE_PROTECTED:
	case NVME_SC_RESERVATION_CONFLICT:
		return true;
	default:
		return false;
	}
}

/* Class of a value that is not what was stored last. */
static enum pyn_mismatch_class classify(const struct pyn_track_key *track, struct pyn_verify *verify,
					struct pyn_digest expected, struct pyn_digest found,
					struct pyn_mismatch *mismatch)
{
	if (pyn_digest_equals(found, pyn_digest_of_none()))
		return PYN_MISMATCH_LOST;
	if (pyn_digest_equals(expected, pyn_digest_of_none()) || pyn_keys_had(verify->keys, track->number, found))
		return PYN_MISMATCH_STALE;
	/* Values without bytes are all alike. */
	if (found.length && pyn_keys_swapped(verify->keys, track->number, found, &mismatch->other))
		return PYN_MISMATCH_MISDIRECTED;
	return PYN_MISMATCH_CORRUPT;
}

/* Compare what the drive says of a key with its cell at the submission. */
static bool judge(const struct pyn_track_key *track, struct pyn_verify *verify, struct pyn_digest found,
		  struct pyn_verify_counts *counts, struct pyn_mismatch *mismatch)
{
	uint64_t cell = track->before;
	struct pyn_digest expected = pyn_keys_expected(verify->keys, track->number, (uint32_t)cell);

	if (pyn_verify_read_end(verify, track->number, 1, &found, &cell, counts, mismatch))
		return true;
	mismatch->key = track->key;
	mismatch->kind = classify(track, verify, expected, found, mismatch);
	mismatch->expected_crc = expected.crc;
	mismatch->found_crc = found.crc;
	mismatch->lba = expected.length;
	mismatch->found_lba = found.length;
	return false;
}

/* What a Retrieve or an Exist says of the key. False: nothing that can be compared. */
static bool found_by(const struct pyn_track_key *track, struct pyn_verify *verify, const struct pyn_buffer_use *use,
		     const struct nvme_cpl *cpl, struct pyn_digest *found)
{
	struct pyn_digest expected = pyn_keys_expected(verify->keys, track->number, (uint32_t)track->before);
	uint16_t status = status_of(cpl);

	*found = pyn_digest_of_none();
	if (status == NVME_SC_KEY_DOES_NOT_EXIST)
		return true;
	if (status)
		return false;
	if (track->opcode == NVME_KV_EXIST) {
		*found = pyn_digest_equals(expected, pyn_digest_of_none()) ? (struct pyn_digest){0} : expected;
		return true;
	}
	if (cpl->cdw0 <= track->length)
		return digest_of(use, cpl->cdw0, found);
	/* The value was truncated: only its length can be wrong. */
	*found = (struct pyn_digest){.length = cpl->cdw0};
	return cpl->cdw0 != expected.length;
}

static bool end_look(struct pyn_track_key *track, struct pyn_verify *verify, struct pyn_buffer_use *use,
		     const struct nvme_cpl *cpl, struct pyn_mismatch *mismatch)
{
	struct pyn_verify_counts counts = {0};
	struct pyn_digest found;
	bool right = true;
	bool judged = track->known && track->compare && found_by(track, verify, use, cpl, &found);

	if (judged)
		right = judge(track, verify, found, &counts, mismatch);
	else if (!status_of(cpl))
		counts.unverified = 1;
	if (use->buffer && !pyn_buffer_use_end(use)) {
		/* Another command or the script has changed the buffer meanwhile. */
		counts = (struct pyn_verify_counts){.unverified = 1};
		right = true;
	}
	pyn_verify_count(verify, &counts);
	return right;
}

/* Give a key that a refused command has not changed its old value again: as if it had been stored anew. */
static void restore(const struct pyn_track_key *track, struct pyn_verify *verify)
{
	struct pyn_digest old = pyn_keys_expected(verify->keys, track->number, (uint32_t)track->before);

	if (track->before & PYN_CELL_BUSY || pyn_cell_state_of(track->before) != PYN_CELL_RAW)
		return;
	pyn_verify_write_begin(verify, track->number, 1, &old, false, 0);
	pyn_verify_write_end(verify, track->number, 1, PYN_WRITE_DONE);
}

/* Whether a refused Store or Delete contradicts what is known of the key, which nothing else has changed. */
static bool end_refused(const struct pyn_track_key *track, struct pyn_verify *verify, uint16_t status,
			struct pyn_mismatch *mismatch)
{
	struct pyn_verify_counts counts = {0};
	struct pyn_track_key now = *track;
	struct pyn_digest old = pyn_keys_expected(verify->keys, track->number, (uint32_t)track->before);
	bool exists = !pyn_digest_equals(old, pyn_digest_of_none());
	bool says = status == NVME_SC_KEY_EXISTS;

	restore(track, verify);
	if (!track->compare || (status != NVME_SC_KEY_EXISTS && status != NVME_SC_KEY_DOES_NOT_EXIST) ||
	    pyn_cell_state_of(track->before) != PYN_CELL_RAW || track->before & PYN_CELL_BUSY || exists == says)
		return true;
	now.before = cell_of(verify, track->number);
	bool right = judge(&now, verify, says ? (struct pyn_digest){0} : pyn_digest_of_none(), &counts, mismatch);

	pyn_verify_count(verify, &counts);
	return right;
}

static bool end_change(struct pyn_track_key *track, struct pyn_verify *verify, struct pyn_buffer_use *use,
		       const struct nvme_cpl *cpl, uint64_t submitted, struct pyn_mismatch *mismatch)
{
	uint16_t status = status_of(cpl);
	struct pyn_digest now = track->digest;
	bool same = track->whole;

	if (track->opcode == NVME_KV_STORE && same)
		same = digest_of(use, track->length, &now) && pyn_digest_equals(now, track->digest);
	if (use->buffer && !pyn_buffer_use_end(use))
		same = false;
	if (!track->known) {
		if (track->noted)
			pyn_verify_note_end(verify, track->number, 1, 0);
		return true;
	}
	bool alone = cell_of(verify, track->number) == track->begun && !(track->before & PYN_CELL_BUSY);
	bool known = same && !status;

	if (known)
		pyn_keys_note(verify->keys, track->number, track->digest);
	pyn_verify_write_end(verify, track->number, 1, pyn_verify_outcome(verify, known, submitted));
	pyn_verify_note_end(verify, track->number, 1, 1);
	return !alone || !is_refusal(status) || end_refused(track, verify, status, mismatch);
}

bool pyn_track_key_end(struct pyn_track_key *track, struct pyn_verify *verify, struct pyn_buffer_use *use,
		       const struct nvme_cpl *cpl, uint64_t submitted, struct pyn_mismatch *mismatch)
{
	if (is_change(track))
		return end_change(track, verify, use, cpl, submitted, mismatch);
	if (track->opcode == NVME_KV_RETRIEVE || track->opcode == NVME_KV_EXIST)
		return end_look(track, verify, use, cpl, mismatch);
	if (use->buffer)
		pyn_buffer_use_end(use);
	return true;
}
