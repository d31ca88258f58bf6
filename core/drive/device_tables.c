/* SPDX-License-Identifier: BSD-3-Clause */
/* The verification tables of a drive, and changes of all of them at once. */
#include "core/drive/device_private.h"

#include "core/verify/tables.h"
#include "core/verify/verify_save.h"

struct pyn_verify *pyn_device_table(struct pyn_device *device, uint32_t nsid, uint64_t nlba, uint32_t lba_size,
				    struct pyn_error *err)
{
	return pyn_tables_get(device->address.text, nsid, nlba, lba_size, err);
}

struct pyn_tables *pyn_device_all_tables(struct pyn_device *device)
{
	return pyn_tables_all(device->address.text);
}

uint64_t pyn_device_durable_since(const struct pyn_device *device)
{
	return device->durable_since;
}

struct pyn_verify *pyn_device_find_table(struct pyn_device *device, uint32_t nsid)
{
	return pyn_tables_find(device->address.text, nsid);
}

static void forget_all(struct pyn_verify *verify)
{
	pyn_verify_forget(verify, 0, UINT64_MAX);
}

void pyn_device_forget_namespaces(struct pyn_device *device, uint32_t nsid)
{
	pyn_tables_each(device->address.text, nsid, forget_all);
}

void pyn_device_forget(struct pyn_device *device)
{
	pyn_device_forget_namespaces(device, UINT32_MAX);
}

void pyn_device_set_durable_since(struct pyn_device *device, uint64_t ticks)
{
	device->durable_since = ticks;
	pyn_tables_durable_since(device->address.text, ticks);
}

void pyn_device_power_lost(struct pyn_device *device)
{
	pyn_tables_each(device->address.text, UINT32_MAX, pyn_verify_power_lost);
}

bool pyn_device_is_saved(const struct pyn_device *device)
{
	struct pyn_tables *tables = pyn_tables_all(device->address.text);
	bool saved = false;

	for (unsigned i = 0; tables && i < tables->count; i++)
		saved |= pyn_verify_is_saved(tables->table[i].verify);
	pyn_tables_free(tables);
	return saved;
}

void pyn_device_note_close(const struct pyn_device *device, bool durable, const struct pyn_save_counts *counts)
{
	struct pyn_tables *tables = pyn_tables_all(device->address.text);

	for (unsigned i = 0; tables && i < tables->count; i++)
		pyn_verify_note_close(tables->table[i].verify, durable, counts);
	pyn_tables_free(tables);
}
