/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/verify_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/crc32c.h"
#include "core/util/log.h"

#define MOST_PIECES (UINT64_C(1) << 20)
#define WORD 64u
#define PER_GRAIN 256u /* records until the next ones are twice as coarse */

struct pyn_verify_file {
	struct pyn_verify_file *next;
	char *path;
	int fd;          /* -1: not written yet */
	uint64_t at;     /* where the next record begins */
	uint64_t count;  /* of records */
	unsigned grain;  /* a record names multiples of 2^grain pieces */
	unsigned equal;  /* records with this grain */
	uint64_t *stale; /* a bit for each piece: a record names it, or will when the file is written */
};

/* ---- pieces ---- */

struct pieces {
	uint64_t first, past;
};

static uint64_t pieces_in_all(const struct pyn_verify_files *files)
{
	return (files->nlba >> files->shift) + 1;
}

static size_t words(const struct pyn_verify_files *files)
{
	return pieces_in_all(files) / WORD + 1;
}

/* The pieces of a range, rounded to multiples of 2^grain. */
static struct pieces pieces_of(const struct pyn_verify_files *files, uint64_t slba, uint64_t nlb, unsigned grain)
{
	uint64_t unit = UINT64_C(1) << grain, all = pieces_in_all(files);
	struct pieces pieces = {0, 0};

	if (slba >= files->nlba || nlb == 0)
		return pieces;
	uint64_t last = nlb < files->nlba - slba ? slba + nlb - 1 : files->nlba - 1;

	pieces.first = (slba >> files->shift) / unit * unit;
	pieces.past = ((last >> files->shift) / unit + 1) * unit;
	if (pieces.past > all)
		pieces.past = all;
	return pieces;
}

static bool bit(const uint64_t *bits, uint64_t i)
{
	return bits[i / WORD] >> i % WORD & 1;
}

/* The bits of pieces in the word of the first of them. Moves on to the next word. */
static uint64_t take_word(struct pieces *pieces)
{
	unsigned low = pieces->first % WORD;
	uint64_t count = WORD - low, left = pieces->past - pieces->first;

	if (left < count)
		count = left;
	pieces->first += count;
	return (count == WORD ? UINT64_MAX : (UINT64_C(1) << count) - 1) << low;
}

static bool all_set(const uint64_t *bits, struct pieces pieces)
{
	while (pieces.first < pieces.past) {
		uint64_t word = bits[pieces.first / WORD];

		if (~word & take_word(&pieces))
			return false;
	}
	return true;
}

static void set_all(uint64_t *bits, struct pieces pieces)
{
	while (pieces.first < pieces.past) {
		uint64_t *word = &bits[pieces.first / WORD];

		*word |= take_word(&pieces);
	}
}

static bool is_settled(const struct pyn_verify_files *files, struct pieces pieces)
{
	while (pieces.first < pieces.past) {
		uint64_t word = atomic_load_explicit(&files->settled[pieces.first / WORD], memory_order_acquire);

		if (~word & take_word(&pieces))
			return false;
	}
	return true;
}

static void settle(struct pyn_verify_files *files, struct pieces pieces)
{
	while (pieces.first < pieces.past) {
		_Atomic uint64_t *word = &files->settled[pieces.first / WORD];

		atomic_fetch_or_explicit(word, take_word(&pieces), memory_order_release);
	}
}

static void unsettle(struct pyn_verify_files *files)
{
	for (size_t i = 0; i < words(files); i++)
		atomic_store(&files->settled[i], 0);
}

/* ---- records ---- */

static int write_at(int fd, const void *data, size_t size, uint64_t offset)
{
	ssize_t done;

	do
		done = pwrite(fd, data, size, (off_t)offset);
	while (done < 0 && errno == EINTR);
	if (done == (ssize_t)size)
		return 0;
	return done < 0 ? -errno : -ENOSPC;
}

static int append(struct pyn_verify_file *file, struct pyn_save_record *record)
{
	const struct pyn_save_count count = {file->count + 1, ~(file->count + 1)};

	record->end = PYN_SAVE_END;
	record->crc = 0;
	record->crc = pyn_crc32c(0, record, sizeof(*record));
	int rc = write_at(file->fd, record, sizeof(*record), file->at);

	if (!rc)
		rc = write_at(file->fd, &count, sizeof(count), PYN_SAVE_COUNT);
	file->at += sizeof(*record);
	file->count++;
	return rc;
}

static int append_pieces(const struct pyn_verify_files *files, struct pyn_verify_file *file, struct pieces pieces)
{
	struct pyn_save_record record = {
		.kind = PYN_SAVE_CHANGE,
		.slba = pieces.first << files->shift,
		.nlb = (pieces.past - pieces.first) << files->shift,
	};

	return append(file, &record);
}

static int force(int fd, int rc)
{
	return !rc && fdatasync(fd) < 0 ? -errno : rc;
}

void pyn_verify_file_free(struct pyn_verify_file *file)
{
	if (!file)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file->stale);
	free(file->path);
	free(file);
}

/* A file that cannot be kept true must not be loaded any more. Making it empty needs no space on the disk. */
static void spoil(const struct pyn_verify_file *file, int rc)
{
	bool empty = ftruncate(file->fd, 0) == 0;

	pyn_log(PYN_LOG_ERROR, "the verification data cannot be kept up to date (%s), so %s: %s", strerror(-rc),
		empty ? "their file is empty now" : "delete their file", file->path);
}

static void drop(struct pyn_verify_file **link)
{
	struct pyn_verify_file *file = *link;

	*link = file->next;
	pyn_verify_file_free(file);
}

/* With the lock: append a record to each file, by a function that may leave some out. */
typedef int append_to(struct pyn_verify_files *files, struct pyn_verify_file *file, const void *user);

static void to_each(struct pyn_verify_files *files, append_to *add, const void *user)
{
	for (struct pyn_verify_file **link = &files->first; *link;) {
		int rc = add(files, *link, user);

		if (!rc) {
			link = &(*link)->next;
			continue;
		}
		spoil(*link, rc);
		drop(link);
	}
}

struct range {
	uint64_t slba, nlb;
};

static int add_change(struct pyn_verify_files *files, struct pyn_verify_file *file, const void *user)
{
	const struct range *range = user;
	struct pieces pieces = pieces_of(files, range->slba, range->nlb, file->grain);

	if (all_set(file->stale, pieces_of(files, range->slba, range->nlb, 0)))
		return 0;
	set_all(file->stale, pieces);
	if (file->fd < 0)
		return 0;
	if (++file->equal == PER_GRAIN) {
		file->equal = 0;
		file->grain += file->grain < 20;
	}
	return force(file->fd, append_pieces(files, file, pieces));
}

void pyn_verify_files_record(struct pyn_verify_files *files, uint64_t slba, uint64_t nlb)
{
	const struct range range = {slba, nlb};
	struct pieces pieces = pieces_of(files, slba, nlb, 0);

	if (is_settled(files, pieces))
		return;
	pthread_mutex_lock(&files->lock);
	set_all(files->changed, pieces);
	to_each(files, add_change, &range);
	settle(files, pieces);
	pthread_mutex_unlock(&files->lock);
}

static int add_record(struct pyn_verify_files *files, struct pyn_verify_file *file, const void *user)
{
	struct pyn_save_record record = *(const struct pyn_save_record *)user;

	(void)files;
	return file->fd < 0 ? 0 : force(file->fd, append(file, &record));
}

static void record_event(struct pyn_verify_files *files, const struct pyn_save_record *record)
{
	pthread_mutex_lock(&files->lock);
	to_each(files, add_record, record);
	pthread_mutex_unlock(&files->lock);
}

void pyn_verify_files_lost(struct pyn_verify_files *files)
{
	const struct pyn_save_record record = {.kind = PYN_SAVE_LOSS};

	record_event(files, &record);
}

void pyn_verify_files_closed(struct pyn_verify_files *files, bool durable, const struct pyn_save_counts *counts)
{
	const struct pyn_save_record record = {.kind = PYN_SAVE_CLOSE, .durable = durable, .counts = *counts};

	record_event(files, &record);
}

void pyn_verify_region_begin(struct pyn_verify_files *files, uint64_t slba, uint64_t nlb)
{
	atomic_fetch_add(&files->regions, 1);
	pyn_verify_intend(files, slba, nlb);
}

void pyn_verify_region_end(struct pyn_verify_files *files)
{
	atomic_fetch_sub(&files->regions, 1);
}

bool pyn_verify_has_files(struct pyn_verify_files *files)
{
	pthread_mutex_lock(&files->lock);
	bool any = files->first;

	pthread_mutex_unlock(&files->lock);
	return any;
}

bool pyn_verify_files_changed(const struct pyn_verify_files *files, uint64_t lba)
{
	return bit(files->changed, lba >> files->shift);
}

/* ---- life ---- */

struct pyn_verify_files *pyn_verify_files_create(uint64_t nlba)
{
	struct pyn_verify_files *files = calloc(1, sizeof(*files));

	if (!files)
		return NULL;
	pthread_mutex_init(&files->lock, NULL);
	files->nlba = nlba;
	while (nlba >> files->shift > MOST_PIECES)
		files->shift++;
	files->settled = calloc(words(files), sizeof(*files->settled));
	files->changed = calloc(words(files), sizeof(*files->changed));
	if (!files->settled || !files->changed) {
		pyn_verify_files_free(files);
		return NULL;
	}
	return files;
}

void pyn_verify_files_free(struct pyn_verify_files *files)
{
	if (!files)
		return;
	while (files->first)
		drop(&files->first);
	pthread_mutex_destroy(&files->lock);
	free((void *)files->settled);
	free(files->changed);
	free(files);
}

struct pyn_verify_file *pyn_verify_file_create(const struct pyn_verify_files *files, const char *path)
{
	struct pyn_verify_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->fd = -1;
	file->path = strdup(path);
	file->stale = calloc(words(files), sizeof(*file->stale));
	if (file->path && file->stale)
		return file;
	pyn_verify_file_free(file);
	return NULL;
}

void pyn_verify_file_set_stale(const struct pyn_verify_files *files, struct pyn_verify_file *file, uint64_t slba,
			       uint64_t nlb)
{
	set_all(file->stale, pieces_of(files, slba, nlb, 0));
}

bool pyn_verify_file_is_stale(const struct pyn_verify_files *files, const struct pyn_verify_file *file, uint64_t lba)
{
	return bit(file->stale, lba >> files->shift);
}

void pyn_verify_file_follow(struct pyn_verify_files *files, struct pyn_verify_file *file, int fd, uint64_t at,
			    uint64_t count)
{
	pthread_mutex_lock(&files->lock);
	file->fd = fd;
	file->at = at;
	file->count = count;
	file->next = files->first;
	files->first = file;
	unsettle(files);
	pthread_mutex_unlock(&files->lock);
}

static void remove_file(struct pyn_verify_files *files, const struct pyn_verify_file *file)
{
	struct pyn_verify_file **link = &files->first;

	while (*link && *link != file)
		link = &(*link)->next;
	if (*link)
		drop(link);
}

void pyn_verify_file_abandon(struct pyn_verify_files *files, struct pyn_verify_file *file)
{
	pthread_mutex_lock(&files->lock);
	remove_file(files, file);
	pthread_mutex_unlock(&files->lock);
}

/* A file that was replaced or deleted has no name any more, so nobody can load it. */
static void drop_nameless(struct pyn_verify_files *files)
{
	for (struct pyn_verify_file **link = &files->first; *link;) {
		struct stat status;

		if ((*link)->fd >= 0 && fstat((*link)->fd, &status) == 0 && status.st_nlink == 0)
			drop(link);
		else
			link = &(*link)->next;
	}
}

static int append_remembered(const struct pyn_verify_files *files, struct pyn_verify_file *file)
{
	uint64_t all = pieces_in_all(files);

	for (uint64_t i = 0; i < all; i++) {
		struct pieces pieces = {i, i};

		while (pieces.past < all && bit(file->stale, pieces.past))
			pieces.past++;
		if (pieces.past == i)
			continue;
		int rc = append_pieces(files, file, pieces);

		if (rc)
			return rc;
		i = pieces.past;
	}
	return 0;
}

/* Force the name of a file to the disk, which lies in its folder. */
static int force_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder PYN_FREE = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd PYN_CLOSE = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	/* Some file systems have nothing to force there. */
	return fd < 0 || (fsync(fd) < 0 && errno != EINVAL) ? -errno : 0;
}

int pyn_verify_file_finish(struct pyn_verify_files *files, struct pyn_verify_file *file, int fd, uint64_t at,
			   const char *temporary, struct pyn_error *err)
{
	pthread_mutex_lock(&files->lock);
	file->fd = fd;
	file->at = at;
	int rc = force(fd, append_remembered(files, file));

	if (!rc && rename(temporary, file->path) < 0)
		rc = -errno;
	/* A file that this one replaces is followed until a loss of power cannot bring it back. */
	if (!rc)
		rc = force_name(file->path);
	if (!rc)
		drop_nameless(files);
	else
		file->fd = -1;
	pthread_mutex_unlock(&files->lock);
	return rc ? pyn_error(err, PYN_ERROR_SYSTEM, -rc, "the verification data cannot be saved: %s", strerror(-rc))
		  : 0;
}
