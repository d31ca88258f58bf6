/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/tables.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *next;
	char *address;
	uint32_t nsid;
	struct pyn_verify *verify; /* a reference */
};

static struct entry *the_tables;
static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;

static struct entry *find(const char *address, uint32_t nsid)
{
	struct entry *entry = the_tables;

	while (entry && (entry->nsid != nsid || strcmp(entry->address, address) != 0))
		entry = entry->next;
	return entry;
}

static struct entry *add(const char *address, uint32_t nsid, uint64_t nlba, uint32_t lba_size, struct pyn_error *err)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (entry)
		entry->address = strdup(address);
	if (!entry || !entry->address) {
		free(entry);
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the verification of namespace %u", nsid);
		return NULL;
	}
	entry->verify = pyn_verify_create(nsid, nlba, lba_size, err);
	if (!entry->verify) {
		free(entry->address);
		free(entry);
		return NULL;
	}
	entry->nsid = nsid;
	entry->next = the_tables;
	the_tables = entry;
	return entry;
}

/* Replace a table. Users of the old one, workers among them, must not judge their reads by it any more. */
static int replace(struct entry *entry, uint64_t nlba, uint32_t lba_size, struct pyn_error *err)
{
	struct pyn_verify *verify = pyn_verify_create(entry->nsid, nlba, lba_size, err);

	if (!verify)
		return -ENOMEM;
	pyn_verify_suspend(entry->verify);
	pyn_verify_put(entry->verify);
	entry->verify = verify;
	return 0;
}

static struct pyn_verify *get(const char *address, uint32_t nsid, uint64_t nlba, uint32_t lba_size,
			      struct pyn_error *err)
{
	struct entry *entry = find(address, nsid);

	if (!entry)
		entry = add(address, nsid, nlba, lba_size, err);
	if (!entry)
		return NULL;
	if ((pyn_verify_nlba(entry->verify) != nlba || pyn_verify_lba_size(entry->verify) != lba_size) &&
	    replace(entry, nlba, lba_size, err))
		return NULL;
	pyn_verify_get(entry->verify);
	return entry->verify;
}

struct pyn_verify *pyn_tables_get(const char *address, uint32_t nsid, uint64_t nlba, uint32_t lba_size,
				  struct pyn_error *err)
{
	pthread_mutex_lock(&the_lock);
	struct pyn_verify *verify = get(address, nsid, nlba, lba_size, err);

	pthread_mutex_unlock(&the_lock);
	return verify;
}

struct pyn_verify *pyn_tables_find(const char *address, uint32_t nsid)
{
	pthread_mutex_lock(&the_lock);
	struct entry *entry = find(address, nsid);
	struct pyn_verify *verify = entry ? entry->verify : NULL;

	pyn_verify_get(verify);
	pthread_mutex_unlock(&the_lock);
	return verify;
}

static unsigned count_of(const char *address)
{
	unsigned count = 0;

	for (const struct entry *entry = the_tables; entry; entry = entry->next)
		count += strcmp(entry->address, address) == 0;
	return count;
}

struct pyn_tables *pyn_tables_all(const char *address)
{
	struct pyn_tables *tables = NULL;

	pthread_mutex_lock(&the_lock);
	unsigned count = count_of(address);

	if (count)
		tables = calloc(1, sizeof(*tables) + count * sizeof(tables->table[0]));
	for (struct entry *entry = the_tables; tables && entry; entry = entry->next) {
		if (strcmp(entry->address, address) != 0)
			continue;
		pyn_verify_get(entry->verify);
		tables->table[tables->count++].verify = entry->verify;
	}
	pthread_mutex_unlock(&the_lock);
	return tables;
}

void pyn_tables_free(struct pyn_tables *tables)
{
	for (unsigned i = 0; tables && i < tables->count; i++)
		pyn_verify_put(tables->table[i].verify);
	free(tables);
}

void pyn_tables_flush_begin(struct pyn_tables *tables)
{
	for (unsigned i = 0; tables && i < tables->count; i++)
		tables->table[i].epoch = pyn_verify_flush_begin(tables->table[i].verify);
}

void pyn_tables_flush_end(const struct pyn_tables *tables)
{
	for (unsigned i = 0; tables && i < tables->count; i++)
		pyn_verify_flush_end(tables->table[i].verify, tables->table[i].epoch);
}

void pyn_tables_each(const char *address, uint32_t nsid, void (*change)(struct pyn_verify *verify))
{
	pthread_mutex_lock(&the_lock);
	for (struct entry *entry = the_tables; entry; entry = entry->next)
		if ((nsid == UINT32_MAX || nsid == entry->nsid) && strcmp(entry->address, address) == 0)
			change(entry->verify);
	pthread_mutex_unlock(&the_lock);
}

void pyn_tables_durable_since(const char *address, uint64_t ticks)
{
	pthread_mutex_lock(&the_lock);
	for (struct entry *entry = the_tables; entry; entry = entry->next)
		if (strcmp(entry->address, address) == 0)
			pyn_verify_set_durable_since(entry->verify, ticks);
	pthread_mutex_unlock(&the_lock);
}

void pyn_tables_drop(const char *address)
{
	pthread_mutex_lock(&the_lock);
	for (struct entry **link = &the_tables; *link;) {
		struct entry *entry = *link;

		if (strcmp(entry->address, address) != 0) {
			link = &entry->next;
			continue;
		}
		*link = entry->next;
		pyn_verify_put(entry->verify);
		free(entry->address);
		free(entry);
	}
	pthread_mutex_unlock(&the_lock);
}
