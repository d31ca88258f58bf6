/* SPDX-License-Identifier: BSD-3-Clause */
/* The verification tables of a drive, and changes of all of them at once. */
#include "core/drive/device_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/verify/tables.h"
#include "core/verify/verify_save.h"

/* ---- several controllers of a subsystem ---- */

/* Whether the last part of a path is a number, which pynvme's virtual SSD gives all controllers but the first. */
static bool has_number(const char *path)
{
	const char *last = strrchr(path, '/');
	size_t digits = last ? strspn(last + 1, "0123456789") : 0;

	return digits > 0 && last[1 + digits] == '\0';
}

/* Write the folder of the virtual SSD at a vfio-user address to place, and nothing for other devices. It tells apart
 * virtual SSDs to which a script gave the same serial number. */
static void place_of(const struct pyn_address *address, char place[PYN_ADDRESS_TEXT])
{
	char control[PYN_ADDRESS_TEXT + 16];

	place[0] = '\0';
	if (address->kind != PYN_ADDRESS_SOCKET)
		return;
	snprintf(control, sizeof(control), "%s/control", address->text);
	if (access(control, F_OK) != 0)
		return;
	snprintf(place, PYN_ADDRESS_TEXT, "%s", address->text);
	if (has_number(place))
		*strrchr(place, '/') = '\0';
	snprintf(control, sizeof(control), "%s/control", place);
	if (access(control, F_OK) != 0)
		snprintf(place, PYN_ADDRESS_TEXT, "%s", address->text);
}

void pyn_device_share_tables(struct pyn_device *device)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);
	char key[PYN_ADDRESS_TEXT + 200], place[PYN_ADDRESS_TEXT];

	if (!(id->cmic & NVME_CMIC_CTRLS)) {
		pyn_tables_rename(device->tables, device->address.text, 0);
		return;
	}
	place_of(&device->address, place);
	snprintf(key, sizeof(key), "%04x %.20s %.160s %s", id->vid, id->sn, id->subnqn, place);
	pyn_tables_rename(device->tables, key, id->cntlid + 1u);
}

/* Whether all controllers of the subsystem mean the same namespace by an NSID, even a private one
 * (Base 2.1, 3.2.1.6).
 */
static bool has_unique_nsids(const struct pyn_device *device)
{
	const struct nvme_id_ctrl *id = pyn_device_identify(device);

	return id->oacs & NVME_OACS_NS_MANAGEMENT || id->cmic & NVME_CMIC_ANA;
}

/* ---- tables ---- */

struct pyn_verify *pyn_device_table(struct pyn_device *device, uint32_t nsid, bool shared, uint64_t nlba,
				    uint32_t lba_size, struct pyn_error *err)
{
	return pyn_tables_get(device->tables, nsid, shared || has_unique_nsids(device), nlba, lba_size, err);
}

struct pyn_tables *pyn_device_all_tables(struct pyn_device *device)
{
	return pyn_tables_all(device->tables);
}

uint64_t pyn_device_durable_since(const struct pyn_device *device)
{
	return pyn_tables_durable(device->tables);
}

struct pyn_verify *pyn_device_find_table(struct pyn_device *device, uint32_t nsid)
{
	return pyn_tables_find(device->tables, nsid);
}

static void forget_all(struct pyn_verify *verify)
{
	pyn_verify_forget(verify, 0, UINT64_MAX);
}

void pyn_device_forget_namespaces(struct pyn_device *device, uint32_t nsid)
{
	pyn_tables_each(device->tables, nsid, forget_all);
}

void pyn_device_forget(struct pyn_device *device)
{
	pyn_device_forget_namespaces(device, UINT32_MAX);
}

void pyn_device_set_durable_since(struct pyn_device *device, uint64_t ticks)
{
	pyn_tables_durable_since(device->tables, ticks);
}

void pyn_device_power_lost(struct pyn_device *device)
{
	pyn_tables_each(device->tables, UINT32_MAX, pyn_verify_power_lost);
}

bool pyn_device_is_saved(const struct pyn_device *device)
{
	struct pyn_tables *tables = pyn_tables_all(device->tables);
	bool saved = false;

	for (unsigned i = 0; tables && i < tables->count; i++)
		saved |= pyn_verify_is_saved(tables->table[i].verify);
	pyn_tables_free(tables);
	return saved;
}

void pyn_device_note_close(const struct pyn_device *device, bool durable, const struct pyn_save_counts *counts)
{
	struct pyn_tables *tables = pyn_tables_all(device->tables);

	for (unsigned i = 0; tables && i < tables->count; i++)
		pyn_verify_note_close(tables->table[i].verify, durable, counts);
	pyn_tables_free(tables);
}
