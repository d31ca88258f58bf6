/* SPDX-License-Identifier: BSD-3-Clause */
/* A namespace of an open drive: its geometry, and the verification of its data. Stays valid through every reset. */
#ifndef PYN_IO_NAMESPACE_H
#define PYN_IO_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/drive/device.h"

/* Another namespace to which a command was sent through this one: its metadata. */
struct pyn_other_namespace {
	uint32_t nsid;    /* 0: there was none yet */
	uint32_t changes; /* as of the namespace itself */
	uint16_t separate;
	bool pi_alone;
};

struct pyn_namespace {
	struct pyn_device *device;   /* holds a reference */
	struct pyn_verify *verify;   /* the drive's table for it, a reference */
	struct pyn_buffer *identify; /* 4096 bytes, struct nvme_id_ns; NULL: it was not identified yet */
	uint32_t nsid;
	uint32_t lba_size;    /* bytes */
	uint16_t interleaved; /* bytes of metadata that follow the data of each LBA, in one buffer; 0: none do */
	uint16_t separate;    /* bytes of metadata of each LBA, in a buffer of their own; 0: none are */
	bool pi_alone;        /* the metadata are protection information and nothing else */
	uint64_t nsze;        /* LBAs */
	uint64_t zone_size;   /* LBAs; 0: it is not zoned */
	uint64_t capacity;    /* bytes: NVMCAP, or NSZE × LBA size where that is 0 */
	uint64_t nlba_verify; /* verify the first so many LBAs; 0: all */
	uint32_t changes;     /* pyn_device_identify_changes, when it was identified */
	uint32_t process;
	bool verify_enabled;
	struct pyn_other_namespace other;
};

/* Identify it. Errors: PYN_ERROR_NAMESPACE (inactive, or the drive refuses), those of a command. */
int pyn_namespace_open(struct pyn_device *device, uint32_t nsid, uint64_t nlba_verify, struct pyn_namespace **ns,
		       struct pyn_error *err);
void pyn_namespace_free(struct pyn_namespace *ns);

/* 4096 bytes, struct nvme_id_ns: what the drive said last. */
const void *pyn_namespace_identify(const struct pyn_namespace *ns);

/* Bytes that a read, write or compare with this dword 12 transfers of each LBA. */
uint32_t pyn_namespace_lba_bytes(const struct pyn_namespace *ns, uint32_t cdw12);

/* Whether this command would transfer metadata that are in a buffer of their own, which nobody here can give: its
 * metadata pointer would be 0. */
bool pyn_namespace_lacks_metadata(const struct pyn_namespace *ns, const struct nvme_cmd *cmd);

/* The error of such a command. */
int pyn_namespace_refuse_metadata(const struct pyn_namespace *ns, struct pyn_error *err);

/* The same error for a command that bears the NSID of another namespace than ns; it is sent where the drive does not
 * say that it lacks metadata. Asks the drive once for each such namespace, and waits for the answer. */
int pyn_namespace_check_other(struct pyn_namespace *ns, const struct nvme_cmd *cmd, struct pyn_error *err);

/* What the drive says of a namespace. */
struct pyn_namespace_answer {
	struct pyn_buffer *identify; /* a reference; NULL: taken, or it has said nothing */
	uint64_t zone_size;
	uint32_t changes;
};

/*
 * After a reset, a format and whatever else may change its size or its format it has to be identified again, before
 * anything is transferred. is_current: no; otherwise ask the drive, which waits for it and changes nothing here, and
 * take what it has said, which nobody may do while another thread uses the namespace. Errors: those of
 * pyn_namespace_open; PYN_ERROR_STATE: the drive is closed, and verify points nowhere.
 */
bool pyn_namespace_is_current(const struct pyn_namespace *ns);
int pyn_namespace_ask(struct pyn_namespace *ns, struct pyn_namespace_answer *answer, struct pyn_error *err);
int pyn_namespace_take(struct pyn_namespace *ns, struct pyn_namespace_answer *answer, struct pyn_error *err);

#endif
