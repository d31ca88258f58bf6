/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/tables.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/env/env.h"

struct entry {
	struct entry *next;
	char *key;
	uint32_t own; /* of the controller that has the namespace alone; 0: all mean the same one by its NSID */
	uint32_t nsid;
	struct pyn_verify *verify; /* a reference */
};

struct pyn_tables_user {
	struct pyn_tables_user *next;
	char *key;
	uint32_t own;
	uint32_t process;       /* a forked process has copies of the users, which mean nothing there */
	uint64_t durable_since; /* as pyn_verify_set_durable_since() */
	_Atomic uint32_t *changes;
};

static struct entry *the_tables;
static struct pyn_tables_user *the_users;
static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_of(const struct entry *entry, const struct pyn_tables_user *user)
{
	return (!entry->own || entry->own == user->own) && strcmp(entry->key, user->key) == 0;
}

/* ---- users ---- */

static bool has_key(const struct pyn_tables_user *user, const char *key)
{
	return user->process == pyn_process_number() && strcmp(user->key, key) == 0;
}

static unsigned users_of(const char *key)
{
	unsigned count = 0;

	for (const struct pyn_tables_user *user = the_users; user; user = user->next)
		count += has_key(user, key);
	return count;
}

/* The latest time of all controllers of the subsystem. */
static uint64_t durable_since(const struct pyn_tables_user *user)
{
	uint64_t ticks = user->durable_since;

	for (const struct pyn_tables_user *one = the_users; one; one = one->next)
		if (one->durable_since > ticks && has_key(one, user->key))
			ticks = one->durable_since;
	return ticks;
}

/* Tell the tables of a key whether several controllers use them, and since when their writes need no flush. */
static void update(const struct pyn_tables_user *user)
{
	bool several = users_of(user->key) > 1;
	uint64_t ticks = durable_since(user);

	for (struct entry *entry = the_tables; entry; entry = entry->next) {
		if (!is_of(entry, user))
			continue;
		pyn_verify_set_several(entry->verify, several);
		pyn_verify_set_durable_since(entry->verify, ticks);
	}
}

static struct pyn_tables_user **link_of(const struct pyn_tables_user *user)
{
	struct pyn_tables_user **link = &the_users;

	while (*link && *link != user)
		link = &(*link)->next;
	return link;
}

/* only_own: those of private namespaces. */
static void drop(const struct pyn_tables_user *user, bool only_own)
{
	for (struct entry **link = &the_tables; *link;) {
		struct entry *entry = *link;

		if (!is_of(entry, user) || (only_own && !entry->own)) {
			link = &entry->next;
			continue;
		}
		*link = entry->next;
		pyn_verify_put(entry->verify);
		free(entry->key);
		free(entry);
	}
}

/* Take a user out of the list, in which it need not be. */
static void take_out(struct pyn_tables_user *user, bool keep)
{
	struct pyn_tables_user **link = link_of(user);

	if (!*link)
		return;
	*link = user->next;
	user->durable_since = 0;
	if (!keep)
		drop(user, users_of(user->key) > 0);
	update(user);
}

static void put_in(struct pyn_tables_user *user)
{
	user->next = the_users;
	the_users = user;
	update(user);
}

struct pyn_tables_user *pyn_tables_join(const char *key, _Atomic uint32_t *changes)
{
	struct pyn_tables_user *user = calloc(1, sizeof(*user));

	if (user)
		user->key = strdup(key);
	if (!user || !user->key) {
		free(user);
		return NULL;
	}
	user->process = pyn_process_number();
	user->changes = changes;
	user->durable_since = UINT64_MAX;
	pthread_mutex_lock(&the_lock);
	put_in(user);
	pthread_mutex_unlock(&the_lock);
	return user;
}

static void rename_to(struct pyn_tables_user *user, char *key, uint32_t own)
{
	uint64_t ticks = user->durable_since;

	take_out(user, false);
	free(user->key);
	user->key = key;
	user->own = own;
	user->durable_since = ticks;
	put_in(user);
}

void pyn_tables_rename(struct pyn_tables_user *user, const char *key, uint32_t own)
{
	char *copy = strdup(key);

	pthread_mutex_lock(&the_lock);
	if (copy && (strcmp(user->key, key) != 0 || user->own != own)) {
		rename_to(user, copy, own);
		copy = NULL;
	}
	pthread_mutex_unlock(&the_lock);
	free(copy);
}

void pyn_tables_leave(struct pyn_tables_user *user, bool keep)
{
	if (!user)
		return;
	pthread_mutex_lock(&the_lock);
	take_out(user, keep);
	pthread_mutex_unlock(&the_lock);
}

void pyn_tables_free_user(struct pyn_tables_user *user)
{
	if (user)
		free(user->key);
	free(user);
}

bool pyn_tables_are_shared(const struct pyn_tables_user *user)
{
	pthread_mutex_lock(&the_lock);
	bool shared = users_of(user->key) > 1;

	pthread_mutex_unlock(&the_lock);
	return shared;
}

void pyn_tables_changed(const struct pyn_tables_user *user)
{
	pthread_mutex_lock(&the_lock);
	for (struct pyn_tables_user *one = the_users; one; one = one->next)
		if (has_key(one, user->key))
			atomic_fetch_add(one->changes, 1);
	pthread_mutex_unlock(&the_lock);
}

/* ---- tables ---- */

static struct entry *find(const struct pyn_tables_user *user, uint32_t nsid)
{
	struct entry *entry = the_tables;

	while (entry && (entry->nsid != nsid || !is_of(entry, user)))
		entry = entry->next;
	return entry;
}

static struct entry *add(const struct pyn_tables_user *user, uint32_t nsid, bool shared, uint64_t nlba,
			 uint32_t lba_size, struct pyn_error *err)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (entry)
		entry->key = strdup(user->key);
	if (!entry || !entry->key) {
		free(entry);
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the verification of namespace %u", nsid);
		return NULL;
	}
	entry->verify = pyn_verify_create(nsid, nlba, lba_size, err);
	if (!entry->verify) {
		free(entry->key);
		free(entry);
		return NULL;
	}
	entry->nsid = nsid;
	entry->own = shared ? 0 : user->own;
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

static struct pyn_verify *get(const struct pyn_tables_user *user, uint32_t nsid, bool shared, uint64_t nlba,
			      uint32_t lba_size, struct pyn_error *err)
{
	struct entry *entry = find(user, nsid);

	if (!entry)
		entry = add(user, nsid, shared, nlba, lba_size, err);
	if (!entry)
		return NULL;
	if ((pyn_verify_nlba(entry->verify) != nlba || pyn_verify_lba_size(entry->verify) != lba_size) &&
	    replace(entry, nlba, lba_size, err))
		return NULL;
	pyn_verify_set_several(entry->verify, users_of(user->key) > 1);
	pyn_verify_get(entry->verify);
	return entry->verify;
}

struct pyn_verify *pyn_tables_get(const struct pyn_tables_user *user, uint32_t nsid, bool shared, uint64_t nlba,
				  uint32_t lba_size, struct pyn_error *err)
{
	pthread_mutex_lock(&the_lock);
	struct pyn_verify *verify = get(user, nsid, shared, nlba, lba_size, err);

	pthread_mutex_unlock(&the_lock);
	return verify;
}

struct pyn_verify *pyn_tables_find(const struct pyn_tables_user *user, uint32_t nsid)
{
	pthread_mutex_lock(&the_lock);
	struct entry *entry = find(user, nsid);
	struct pyn_verify *verify = entry ? entry->verify : NULL;

	pyn_verify_get(verify);
	pthread_mutex_unlock(&the_lock);
	return verify;
}

static unsigned count_of(const struct pyn_tables_user *user)
{
	unsigned count = 0;

	for (const struct entry *entry = the_tables; entry; entry = entry->next)
		count += is_of(entry, user);
	return count;
}

struct pyn_tables *pyn_tables_all(const struct pyn_tables_user *user)
{
	struct pyn_tables *tables = NULL;

	pthread_mutex_lock(&the_lock);
	unsigned count = count_of(user);

	if (count)
		tables = calloc(1, sizeof(*tables) + count * sizeof(tables->table[0]));
	for (struct entry *entry = the_tables; tables && entry; entry = entry->next) {
		if (!is_of(entry, user))
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

void pyn_tables_each(const struct pyn_tables_user *user, uint32_t nsid, void (*change)(struct pyn_verify *verify))
{
	pthread_mutex_lock(&the_lock);
	for (struct entry *entry = the_tables; entry; entry = entry->next)
		if ((nsid == UINT32_MAX || nsid == entry->nsid) && is_of(entry, user))
			change(entry->verify);
	pthread_mutex_unlock(&the_lock);
}

void pyn_tables_durable_since(struct pyn_tables_user *user, uint64_t ticks)
{
	pthread_mutex_lock(&the_lock);
	user->durable_since = ticks;
	update(user);
	pthread_mutex_unlock(&the_lock);
}

uint64_t pyn_tables_own_durable(const struct pyn_tables_user *user)
{
	return user->durable_since;
}

uint64_t pyn_tables_durable(const struct pyn_tables_user *user)
{
	pthread_mutex_lock(&the_lock);
	uint64_t ticks = durable_since(user);

	pthread_mutex_unlock(&the_lock);
	return ticks;
}

void pyn_tables_drop(const struct pyn_tables_user *user)
{
	pthread_mutex_lock(&the_lock);
	drop(user, false);
	pthread_mutex_unlock(&the_lock);
}
