/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* mkostemp */
#include "core/verify/verify_save.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/clock.h"
#include "core/util/crc32c.h"
#include "core/verify/verify_cells.h"

#define BUFFER (UINT32_C(1) << 20) /* bytes read or written at once */
#define NS_PER_SECOND 1000000000u

#define CANNOT_SAVE "the verification data cannot be saved: "
#define CANNOT_LOAD "the verification data cannot be loaded: "

static int system_error(struct pyn_error *err, const char *what, int number)
{
	return pyn_error(err, PYN_ERROR_SYSTEM, number, "%s%s", what, strerror(number));
}

static int no_memory(struct pyn_error *err)
{
	return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the file of the verification data");
}

/* Nobody may change LBAs without a record in the file. */
static int check_idle(const struct pyn_verify *verify, const char *what, struct pyn_error *err)
{
	if (atomic_load(&verify->files->regions))
		return pyn_error(err, PYN_ERROR_STATE, EBUSY,
				 "%san IO worker writes to namespace %u: call this before its start or after its end",
				 what, verify->nsid);
	if (atomic_load(&verify->shared->suspended))
		return pyn_error(err, PYN_ERROR_STATE, EBUSY,
				 "%sa command that changes unknown LBAs of namespace %u is in flight: wait for it",
				 what, verify->nsid);
	return 0;
}

/* ---- writing ---- */

struct output {
	const struct pyn_verify *verify; /* the table that is written now */
	enum pyn_save_table table;
	int fd;
	int error; /* errno of the first write that failed, or 0 */
	uint32_t crc;
	size_t used;
	uint64_t bytes, lbas;
	uint8_t *buffer;
};

static int write_all(int fd, const void *data, size_t size)
{
	for (const uint8_t *from = data; size;) {
		ssize_t done = write(fd, from, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -ENOSPC;
		from += done;
		size -= (size_t)done;
	}
	return 0;
}

static void flush_output(struct output *output)
{
	int rc = output->error ? 0 : write_all(output->fd, output->buffer, output->used);

	if (rc)
		output->error = -rc;
	output->crc = pyn_crc32c(output->crc, output->buffer, output->used);
	output->bytes += output->used;
	output->used = 0;
}

static void put(struct output *output, const void *data, size_t size)
{
	if (output->used + size > BUFFER)
		flush_output(output);
	memcpy(output->buffer + output->used, data, size);
	output->used += size;
}

static void put_run(struct output *output, uint64_t slba, const uint64_t *cells, uint32_t count)
{
	const struct pyn_save_run run = {slba, count, output->table};

	put(output, &run, sizeof(run));
	put(output, cells, count * sizeof(*cells));
	output->lbas += output->table == PYN_SAVE_DATA ? count : 0;
}

/* Write the runs of known cells. */
static void save_cells(void *user, uint64_t slba, const uint64_t *cells, uint32_t count)
{
	struct output *output = user;
	uint64_t run[PYN_BLOCK];
	uint32_t length = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t cell = pyn_verify_saved_cell(output->verify, cells[i]);

		if (cell)
			run[length++] = cell;
		if (length && (!cell || i == count - 1)) {
			put_run(output, slba + i + (cell ? 1 : 0) - length, run, length);
			length = 0;
		}
	}
}

static int write_header(const struct output *output, struct pyn_save_header *header)
{
	const struct pyn_save_count count = {0, ~UINT64_C(0)};
	uint8_t page[PYN_SAVE_HEADER] = {0};

	header->crc = 0;
	header->crc = pyn_crc32c(0, header, sizeof(*header));
	memcpy(page, header, sizeof(*header));
	memcpy(page + PYN_SAVE_COUNT, &count, sizeof(count));
	return pwrite(output->fd, page, sizeof(page), 0) == (ssize_t)sizeof(page) ? 0 : -(errno ? errno : ENOSPC);
}

static int write_file(struct pyn_verify *verify, struct output *output, struct pyn_save_header *header)
{
	int rc = write_header(output, header);

	if (rc || lseek(output->fd, PYN_SAVE_HEADER, SEEK_SET) < 0)
		return rc ? rc : -errno;
	pyn_cells_visit(verify, save_cells, output);
	if (verify->metadata) {
		output->table = PYN_SAVE_METADATA;
		output->verify = verify->metadata;
		pyn_cells_visit(verify->metadata, save_cells, output);
	}
	flush_output(output);
	if (output->error)
		return -output->error;
	header->body_bytes = output->bytes;
	header->body_crc = output->crc;
	header->lbas = output->lbas;
	rc = write_header(output, header);
	return !rc && fchmod(output->fd, 0644) < 0 ? -errno : rc;
}

static void fill_header(const struct pyn_verify *verify, const struct pyn_save_identity *identity,
			const struct pyn_save_counts *counts, struct pyn_save_header *header)
{
	*header = (struct pyn_save_header){
		.magic = PYN_SAVE_MAGIC,
		.version = identity->metadata ? PYN_SAVE_VERSION : PYN_SAVE_PLAIN,
		.identity = *identity,
		.counts = *counts,
		.saved = pyn_ticks_to_realtime_ns(pyn_ticks()) / NS_PER_SECOND,
		.quiet = !atomic_load(&verify->changers),
	};
}

/* Write the temporary file, and give it its name. */
static int save(struct pyn_verify *verify, struct pyn_verify_file *file, struct output *output, char *temporary,
		struct pyn_save_header *header, struct pyn_error *err)
{
	int rc = check_idle(verify, CANNOT_SAVE, err);

	if (rc)
		return rc;
	output->fd = mkostemp(temporary, O_CLOEXEC);
	if (output->fd < 0)
		return system_error(err, CANNOT_SAVE, errno);
	rc = write_file(verify, output, header);
	if (rc)
		rc = system_error(err, CANNOT_SAVE, -rc);
	else
		rc = pyn_verify_file_finish(verify->files, file, output->fd, PYN_SAVE_HEADER + output->bytes,
					    temporary, err);
	if (!rc)
		return 0;
	/* It may have its name already, and nobody would keep it true. */
	if (ftruncate(output->fd, 0) == 0)
		unlink(temporary);
	close(output->fd);
	return rc;
}

int pyn_verify_save(struct pyn_verify *verify, const char *path, const struct pyn_save_identity *identity,
		    const struct pyn_save_counts *counts, struct pyn_saved *saved, struct pyn_error *err)
{
	struct pyn_verify_file *file = pyn_verify_file_create(verify->files, path);
	uint8_t *buffer PYN_FREE = malloc(BUFFER);
	char *temporary PYN_FREE = malloc(strlen(path) + sizeof(".XXXXXX"));
	struct output output = {.verify = verify, .buffer = buffer, .fd = -1};
	struct pyn_save_header header;

	if (!file || !buffer || !temporary) {
		pyn_verify_file_free(file);
		return no_memory(err);
	}
	strcat(strcpy(temporary, path), ".XXXXXX");
	/* From here on changes are remembered. So a worker that starts later, or a command, is in the file. */
	pyn_verify_file_follow(verify->files, file, -1, 0, 0);
	fill_header(verify, identity, counts, &header);
	int rc = save(verify, file, &output, temporary, &header, err);

	if (rc)
		pyn_verify_file_abandon(verify->files, file);
	*saved = (struct pyn_saved){.known = output.lbas};
	return rc;
}

/* ---- reading ---- */

/* What the records of a file tell. */
struct history {
	struct pyn_save_counts counts; /* the latest */
	bool quiet;                    /* they include all writes of the sessions that the file knows */
	bool lost;                     /* the power was lost before what was volatile became durable */
	bool durable;                  /* what was volatile has become durable */
};

struct input {
	int fd;
	struct pyn_save_header header;
	struct history history;
	uint64_t records, end; /* how many there are, and where they end */
	uint8_t *buffer;
};

static int damaged(struct pyn_error *err, const char *where)
{
	return pyn_error(err, PYN_ERROR_CONTENT, EINVAL,
			 "%sits %s damaged, so it says nothing for certain; save it again", CANNOT_LOAD, where);
}

/* Read exactly size bytes at an offset. Returns 0, -errno, or -ENODATA if the file is shorter. */
static int read_at(int fd, void *data, size_t size, uint64_t offset)
{
	for (uint8_t *to = data; size;) {
		ssize_t done = pread(fd, to, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -ENODATA;
		to += done;
		size -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

static int is_other(struct pyn_error *err, const char *what, const char *theirs, const char *ours)
{
	return pyn_error(err, PYN_ERROR_CONTENT, EINVAL, "%sit describes %s %s, and this is %s", CANNOT_LOAD, what,
			 theirs, ours);
}

static int is_other_number(struct pyn_error *err, const char *what, uint64_t theirs, uint64_t ours)
{
	char text[2][32];

	snprintf(text[0], sizeof(text[0]), "%llu", (unsigned long long)theirs);
	snprintf(text[1], sizeof(text[1]), "%llu", (unsigned long long)ours);
	return is_other(err, what, text[0], text[1]);
}

/* A field of Identify as text: its bytes up to the spaces at its end, between quotes. */
static void field_text(const char *field, size_t size, char text[64])
{
	while (size && (field[size - 1] == ' ' || field[size - 1] == '\0'))
		size--;
	text[0] = '"';
	for (size_t i = 0; i < size; i++)
		text[1 + i] = field[i] >= ' ' && field[i] < 0x7f ? field[i] : '?';
	text[1 + size] = '"';
	text[2 + size] = '\0';
}

static int is_other_text(struct pyn_error *err, const char *what, const char *theirs, const char *ours, size_t size)
{
	char text[2][64];

	field_text(theirs, size, text[0]);
	field_text(ours, size, text[1]);
	return is_other(err, what, text[0], text[1]);
}

static int check_identity(const struct input *input, const struct pyn_save_identity *ours, struct pyn_error *err)
{
	const struct pyn_save_identity *theirs = &input->header.identity;

	if (memcmp(theirs->serial, ours->serial, sizeof(ours->serial)) != 0)
		return is_other_text(err, "the drive with serial number", theirs->serial, ours->serial,
				     sizeof(ours->serial));
	if (memcmp(theirs->model, ours->model, sizeof(ours->model)) != 0)
		return is_other_text(err, "the drive of model", theirs->model, ours->model, sizeof(ours->model));
	if (theirs->nsid != ours->nsid)
		return is_other_number(err, "namespace", theirs->nsid, ours->nsid);
	if (theirs->lba_size != ours->lba_size)
		return is_other_number(err, "LBAs of so many bytes:", theirs->lba_size, ours->lba_size);
	if (theirs->metadata != ours->metadata)
		return is_other_number(err, "LBAs with so many bytes of metadata:", theirs->metadata, ours->metadata);
	if (theirs->nlba != ours->nlba)
		return is_other_number(err, "a namespace of so many LBAs:", theirs->nlba, ours->nlba);
	if (memcmp(theirs->eui64, ours->eui64, sizeof(ours->eui64)) != 0 ||
	    memcmp(theirs->nguid, ours->nguid, sizeof(ours->nguid)) != 0)
		return is_other(err, "a namespace with", "another EUI64 or NGUID", "one created later");
	return 0;
}

static int read_header(struct input *input, const struct pyn_save_identity *identity, struct pyn_error *err)
{
	struct pyn_save_header *header = &input->header;
	int rc = read_at(input->fd, header, sizeof(*header), 0);

	if (rc && rc != -ENODATA)
		return system_error(err, CANNOT_LOAD, -rc);
	if (rc || memcmp(header->magic, PYN_SAVE_MAGIC, sizeof(PYN_SAVE_MAGIC)) != 0)
		return pyn_error(err, PYN_ERROR_CONTENT, EINVAL, "%sthis is no file of verify_save()", CANNOT_LOAD);
	if (header->version < PYN_SAVE_PLAIN || header->version > PYN_SAVE_VERSION)
		return pyn_error(err, PYN_ERROR_CONTENT, EINVAL,
				 "%sit has version %u of the format, and this pynvme reads versions %u to %u",
				 CANNOT_LOAD, header->version, PYN_SAVE_PLAIN, PYN_SAVE_VERSION);
	uint32_t crc = header->crc;

	header->crc = 0;
	if (pyn_crc32c(0, header, sizeof(*header)) != crc)
		return damaged(err, "header is");
	return check_identity(input, identity, err);
}

/* Called for each run of the body, in parts. */
typedef void take_run(void *user, const struct pyn_save_run *run, uint64_t *cells, uint32_t count);

static bool run_is_good(const struct pyn_save_header *header, const struct pyn_save_run *run, uint64_t left)
{
	uint64_t nlba = header->identity.nlba;

	return run->count > 0 && run->count <= left / sizeof(uint64_t) && run->slba < nlba &&
	       run->count <= nlba - run->slba && run->table < PYN_SAVE_TABLES;
}

/* Read the body in parts of the buffer. Returns its CRC by *crc; take may be NULL. */
static int read_body(struct input *input, take_run *take, void *user, uint32_t *crc)
{
	uint64_t at = PYN_SAVE_HEADER, left = input->header.body_bytes;

	*crc = 0;
	while (left) {
		struct pyn_save_run run;
		int rc = left < sizeof(run) ? -ENODATA : read_at(input->fd, &run, sizeof(run), at);

		if (rc)
			return rc;
		left -= sizeof(run);
		at += sizeof(run);
		if (!run_is_good(&input->header, &run, left))
			return -ENODATA;
		*crc = pyn_crc32c(*crc, &run, sizeof(run));
		while (run.count) {
			uint32_t count =
				run.count < BUFFER / sizeof(uint64_t) ? run.count : BUFFER / sizeof(uint64_t);
			size_t size = count * sizeof(uint64_t);

			rc = read_at(input->fd, input->buffer, size, at);
			if (rc)
				return rc;
			*crc = pyn_crc32c(*crc, input->buffer, size);
			if (take)
				take(user, &run, (uint64_t *)(void *)input->buffer, count);
			run.slba += count;
			run.count -= count;
			at += size;
			left -= size;
		}
	}
	return 0;
}

static int check_body(struct input *input, struct pyn_error *err)
{
	uint32_t crc;
	int rc = read_body(input, NULL, NULL, &crc);

	if (rc && rc != -ENODATA)
		return system_error(err, CANNOT_LOAD, -rc);
	return rc || crc != input->header.body_crc ? damaged(err, "body is") : 0;
}

static bool record_is_good(struct pyn_save_record *record)
{
	uint32_t crc = record->crc;

	record->crc = 0;
	return pyn_crc32c(0, record, sizeof(*record)) == crc && record->end == PYN_SAVE_END;
}

static void take_record(const struct pyn_verify *verify, struct pyn_verify_file *file, struct history *history,
			const struct pyn_save_record *record)
{
	switch (record->kind) {
	case PYN_SAVE_CHANGE:
		pyn_verify_file_set_stale(verify->files, file, record->slba, record->nlb);
		history->quiet = false;
		break;
	case PYN_SAVE_LOSS:
		history->lost |= !history->durable;
		break;
	case PYN_SAVE_CLOSE:
		history->durable |= !history->lost && record->durable;
		history->counts = record->counts;
		history->quiet = true;
		break;
	default:
		break;
	}
}

/* Whether the rest of a file, behind its complete records, is what the death of the machine leaves of one. */
static bool is_cut_off(const struct input *input, uint64_t size)
{
	struct pyn_save_record record = {0};
	uint64_t rest = size - input->end;

	if (rest < sizeof(record))
		return true;
	return rest == sizeof(record) && read_at(input->fd, &record, sizeof(record), input->end) == 0 &&
	       record.end == 0;
}

/* Whether the number of records is right. If the last one was cut off, it may have been counted. */
static bool count_is_right(const struct input *input, const struct pyn_save_count *count, uint64_t size)
{
	return count->inverse == ~count->records && is_cut_off(input, size) &&
	       count->records <= input->records + (size > input->end);
}

static int read_records(const struct pyn_verify *verify, struct input *input, struct pyn_verify_file *file,
			struct pyn_error *err)
{
	struct pyn_save_record record;
	struct pyn_save_count count;
	struct stat status;
	int rc = read_at(input->fd, &count, sizeof(count), PYN_SAVE_COUNT);

	input->history = (struct history){.counts = input->header.counts, .quiet = input->header.quiet};
	input->end = PYN_SAVE_HEADER + input->header.body_bytes;
	while (!rc && read_at(input->fd, &record, sizeof(record), input->end) == 0 && record_is_good(&record)) {
		take_record(verify, file, &input->history, &record);
		input->end += sizeof(record);
		input->records++;
	}
	if (!rc && fstat(input->fd, &status) < 0)
		rc = -errno;
	if (rc && rc != -ENODATA)
		return system_error(err, CANNOT_LOAD, -rc);
	if (rc || !count_is_right(input, &count, (uint64_t)status.st_size))
		return damaged(err, "list of changes is");
	return 0;
}

/* Whether the drive has counted writes that no session of the file has sent. Without a clean end of the last session
 * nobody knows. */
static int check_writes(const struct input *input, const struct pyn_save_counts *now, struct pyn_error *err)
{
	const struct history *history = &input->history;

	if (!history->quiet || !history->counts.known || !now->known ||
	    (now->writes <= history->counts.writes && now->units <= history->counts.units))
		return 0;
	return pyn_error(
		err, PYN_ERROR_CONTENT, EINVAL,
		"%sthe drive has executed %llu write commands that it does not know (Host Write Commands, Data "
		"Units Written); save it again",
		CANNOT_LOAD, (unsigned long long)(now->writes - history->counts.writes));
}

static bool lost_power(const struct history *history, const struct pyn_save_counts *now)
{
	const struct pyn_save_counts *then = &history->counts;

	if (history->lost || history->durable)
		return history->lost;
	return !now->known || !then->known || now->losses != then->losses || now->cycles != then->cycles;
}

struct loading {
	struct pyn_verify *verify;
	const struct pyn_verify_file *file;
	bool lost, durable;
	struct pyn_saved saved[PYN_SAVE_TABLES];
};

/* The value of a cell to restore; 0: it is not restored. */
static uint64_t judge_cell(const struct loading *loading, struct pyn_saved *saved, uint64_t lba, uint64_t cell)
{
	const struct pyn_verify_files *files = loading->verify->files;
	bool is_volatile = cell >> PYN_CELL_EPOCH_SHIFT & PYN_CELL_EPOCH;

	cell = pyn_verify_saved_cell(loading->verify, cell & ~(PYN_CELL_EPOCH << PYN_CELL_EPOCH_SHIFT));
	if (!cell)
		return 0;
	if (pyn_verify_file_is_stale(files, loading->file, lba) || pyn_verify_files_changed(files, lba)) {
		saved->stale++;
		return 0;
	}
	if (is_volatile && loading->lost) {
		saved->lost++;
		return 0;
	}
	saved->known++;
	return is_volatile && !loading->durable ? cell | UINT64_C(1) << PYN_CELL_EPOCH_SHIFT : cell;
}

static void load_cells(void *user, const struct pyn_save_run *run, uint64_t *cells, uint32_t count)
{
	struct loading *loading = user;
	struct pyn_verify *verify = run->table == PYN_SAVE_DATA ? loading->verify : loading->verify->metadata;
	uint32_t first = 0;

	if (!verify)
		return;
	for (uint32_t i = 0; i < count; i++)
		cells[i] = judge_cell(loading, &loading->saved[run->table], run->slba + i, cells[i]);
	for (uint32_t i = 0; i <= count; i++) {
		if (i < count && cells[i])
			continue;
		if (i > first)
			pyn_verify_restore(verify, run->slba + first, i - first, &cells[first]);
		first = i + 1;
	}
}

static int check_file(const struct pyn_verify *verify, struct input *input, struct pyn_verify_file *file,
		      const struct pyn_save_identity *identity, const struct pyn_save_counts *counts,
		      bool trust_counts, struct pyn_error *err)
{
	int rc = read_header(input, identity, err);

	if (!rc)
		rc = check_body(input, err);
	if (!rc)
		rc = read_records(verify, input, file, err);
	if (!rc && !trust_counts)
		rc = check_writes(input, counts, err);
	return rc;
}

int pyn_verify_load(struct pyn_verify *verify, const char *path, const struct pyn_save_identity *identity,
		    const struct pyn_save_counts *counts, bool trust_counts, struct pyn_saved *saved,
		    struct pyn_error *err)
{
	struct pyn_verify_file *file = pyn_verify_file_create(verify->files, path);
	uint8_t *buffer PYN_FREE = malloc(BUFFER);
	int fd PYN_CLOSE = open(path, O_RDWR | O_CLOEXEC);
	struct input input = {.fd = fd, .buffer = buffer};
	int rc = check_idle(verify, CANNOT_LOAD, err);

	if (!rc && (!file || !buffer))
		rc = no_memory(err);
	else if (!rc && fd < 0)
		rc = system_error(err, CANNOT_LOAD, errno);
	else if (!rc)
		rc = check_file(verify, &input, file, identity, counts, trust_counts, err);
	if (rc) {
		pyn_verify_file_free(file);
		return rc;
	}
	struct loading loading = {.verify = verify,
				  .file = file,
				  .lost = lost_power(&input.history, counts),
				  .durable = input.history.durable};
	uint32_t crc;

	rc = read_body(&input, load_cells, &loading, &crc);
	*saved = loading.saved[PYN_SAVE_DATA];
	if (rc || crc != input.header.body_crc) {
		/* It has changed since it was checked. */
		pyn_verify_file_free(file);
		pyn_verify_forget(verify, 0, UINT64_MAX);
		return damaged(err, "body is");
	}
	pyn_verify_file_follow(verify->files, file, PYN_TAKE_FD(fd), input.end, input.records);
	return 0;
}

/* ---- the end of a session ---- */

bool pyn_verify_is_saved(struct pyn_verify *verify)
{
	return pyn_verify_has_files(verify->files);
}

void pyn_verify_note_close(struct pyn_verify *verify, bool durable, const struct pyn_save_counts *counts)
{
	pyn_verify_files_closed(verify->files, durable, counts);
}
