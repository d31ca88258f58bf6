/* SPDX-License-Identifier: BSD-3-Clause */
/* Saves and loads what verification knows of a namespace, with what tells this drive and namespace from others. */
#include "core/drive/namespace.h"

#include <string.h>

#include "core/verify/verify_save.h"
#include "spec/nvme_id.h"

static int prepare(struct pyn_namespace *ns, struct pyn_save_identity *identity, struct pyn_save_counts *counts,
		   struct pyn_error *err)
{
	uint8_t data[NVME_IDENTIFY_SIZE];
	const struct nvme_id_ctrl *ctrl = (const struct nvme_id_ctrl *)data;
	const struct nvme_id_ns *id = pyn_namespace_identify(ns);
	int rc = pyn_device_identify_now(ns->device, data, err);

	if (rc)
		return rc;
	*identity = (struct pyn_save_identity){
		.nsid = ns->nsid,
		.nlba = ns->nsze,
		.lba_size = ns->lba_size,
		.metadata = ns->layout.protection.ms,
	};
	memcpy(identity->serial, ctrl->sn, sizeof(identity->serial));
	memcpy(identity->model, ctrl->mn, sizeof(identity->model));
	memcpy(identity->eui64, id->eui64, sizeof(identity->eui64));
	memcpy(identity->nguid, id->nguid, sizeof(identity->nguid));
	pyn_device_counts(ns->device, counts);
	return 0;
}

int pyn_namespace_save(struct pyn_namespace *ns, const char *path, struct pyn_saved *saved, struct pyn_error *err)
{
	struct pyn_save_identity identity;
	struct pyn_save_counts counts;
	int rc = prepare(ns, &identity, &counts, err);

	return rc ? rc : pyn_verify_save(ns->verify, path, &identity, &counts, saved, err);
}

int pyn_namespace_load(struct pyn_namespace *ns, const char *path, bool trust_counts, struct pyn_saved *saved,
		       struct pyn_error *err)
{
	struct pyn_save_identity identity;
	struct pyn_save_counts counts;
	int rc = prepare(ns, &identity, &counts, err);

	return rc ? rc : pyn_verify_load(ns->verify, path, &identity, &counts, trust_counts, saved, err);
}
