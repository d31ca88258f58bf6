/* SPDX-License-Identifier: BSD-3-Clause */
/* A namespace of an open drive: its geometry, and the verification of its data. It stays valid across resets. */
#ifndef PYN_DRIVE_NAMESPACE_H
#define PYN_DRIVE_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/data/protection.h"
#include "core/drive/device.h"

struct pyn_saved;
struct pyn_metadata;

/* The metadata format of another namespace to which a command was sent through this one. */
struct pyn_other_namespace {
	uint32_t nsid;    /* 0: none yet */
	uint32_t changes; /* as of the namespace itself */
	struct pyn_layout layout;
};

struct pyn_namespace {
	struct pyn_device *device;   /* holds a reference */
	struct pyn_verify *verify;   /* a reference to its table */
	struct pyn_buffer *identify; /* 4096 bytes, struct nvme_id_ns or nvme_id_ns_kv; NULL: none yet */
	uint32_t nsid;
	uint32_t lba_size; /* bytes */
	struct pyn_layout layout;
	uint64_t nsze;        /* LBAs */
	uint64_t zone_size;   /* LBAs; 0: not zoned */
	uint64_t capacity;    /* bytes: NVMCAP, or NSZE × LBA size where that is 0 */
	uint64_t nlba_verify; /* number of first LBAs to verify; 0: all */
	uint32_t changes;     /* pyn_device_identify_changes when it was identified */
	uint32_t process;
	bool verify_enabled;
	bool keys; /* of the Key Value Command Set: it has keys, and none of the members that describe LBAs */
	struct pyn_other_namespace other;
};

/* Open and identify a namespace. Errors: PYN_ERROR_NAMESPACE (inactive, or the drive refuses), those of a command. */
int pyn_namespace_open(struct pyn_device *device, uint32_t nsid, uint64_t nlba_verify, struct pyn_namespace **ns,
		       struct pyn_error *err);

/* The same for a namespace of the Key Value Command Set, whose Identify data are struct nvme_id_ns_kv. */
int pyn_namespace_open_keys(struct pyn_device *device, uint32_t nsid, struct pyn_namespace **ns,
			    struct pyn_error *err);
void pyn_namespace_free(struct pyn_namespace *ns);

/* The latest Identify Namespace data: 4096 bytes, struct nvme_id_ns. */
const void *pyn_namespace_identify(const struct pyn_namespace *ns);

/* Bytes per LBA that a read, write or compare with this dword 12 transfers. */
uint32_t pyn_namespace_lba_bytes(const struct pyn_namespace *ns, uint32_t cdw12);

/* Bytes of metadata that this command transfers at MPTR. */
uint64_t pyn_namespace_metadata_bytes(const struct pyn_namespace *ns, const struct nvme_cmd *cmd);

/* Check that a command has the buffer at MPTR that it transfers metadata with, and set its length to that transfer.
 * Errors: PYN_ERROR_UNSUPPORTED, it has none; PYN_ERROR_ARGUMENT, it is too short, or not contiguous. */
int pyn_namespace_check_metadata(const struct pyn_namespace *ns, const struct nvme_cmd *cmd,
				 struct pyn_metadata *metadata, struct pyn_error *err);

/* Check the same for a command with the NSID of a namespace other than ns; the command is allowed if the drive does
 * not describe that namespace. Identifies each such namespace once, and waits for the answer. */
int pyn_namespace_check_other(struct pyn_namespace *ns, const struct nvme_cmd *cmd, struct pyn_metadata *metadata,
			      struct pyn_error *err);

/* pyn_verify_save and pyn_verify_load with the identity and the counts of the drive. The namespace is current.
 * Errors: also those of pyn_device_admin_execute. */
int pyn_namespace_save(struct pyn_namespace *ns, const char *path, struct pyn_saved *saved, struct pyn_error *err);
int pyn_namespace_load(struct pyn_namespace *ns, const char *path, bool trust_counts, struct pyn_saved *saved,
		       struct pyn_error *err);

/* How the drive describes a namespace. */
struct pyn_namespace_answer {
	struct pyn_buffer *identify; /* a reference; NULL: already taken, or no answer */
	uint64_t zone_size;
	uint32_t elbaf; /* of the LBA format in use, NVM Command Set 1.0, 4.1.5.3; 0 if the drive reports none */
	uint32_t changes;
};

/*
 * A namespace must be identified again before the next transfer, after a reset, a format, and anything else that may
 * change its size or format. is_current tells whether that has been done. If not, ask waits for an answer of the
 * drive and changes nothing here; take applies that answer, and must not run while another thread uses the namespace.
 * Errors: those of pyn_namespace_open; PYN_ERROR_STATE, the drive is closed, and verify is not valid.
 */
bool pyn_namespace_is_current(const struct pyn_namespace *ns);
int pyn_namespace_ask(struct pyn_namespace *ns, struct pyn_namespace_answer *answer, struct pyn_error *err);
int pyn_namespace_take(struct pyn_namespace *ns, struct pyn_namespace_answer *answer, struct pyn_error *err);

#endif
