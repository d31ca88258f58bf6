/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lists of Identify: of namespaces, controllers, NVM sets, endurance groups and command sets.
 * NVM Express Base Specification 2.1, section 5.1.13. Layout only, no behaviour.
 * Generated from spec/identify.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_ID_LIST_H
#define SPEC_NVME_ID_LIST_H

#include <stdint.h>

/* Namespace List: CNS 02h, 07h, 10h and 1Ah, and log page 04h. Section 4.4.2. */
struct nvme_ns_list {
	uint32_t nsid[1024]; /* NSIDs, ascending; 0: the list ends here */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ns_list) == 4096, "namespace list");

/* Controller List: CNS 12h and 13h, and the data of Namespace Attachment. Section 4.4.1. */
struct nvme_ctrl_list {
	uint16_t numids; /* identifiers */
	uint16_t cntlid[2047]; /* controllers, ascending */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ctrl_list) == 4096, "controller list");

/* NVM Set Attributes Entry. Section 5.1.13.2.4. */
struct nvme_nvm_set {
	uint16_t nvmsetid; /* NVM set */
	uint16_t endgid; /* endurance group */
	uint8_t rsvd4[4];
	uint32_t rr4kt; /* time of a random read of 4 KiB, 100 ns */
	uint32_t ows; /* optimal write size, bytes */
	uint64_t tnvmsetcap[2]; /* total capacity, bytes */
	uint64_t unvmsetcap[2]; /* unallocated capacity, bytes */
	uint8_t rsvd48[80];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_nvm_set) == 128, "NVM set attributes entry");

/* NVM Set List. Section 5.1.13.2.4. */
struct nvme_nvm_set_list {
	uint8_t nid; /* entries */
	uint8_t rsvd1[127];
	struct nvme_nvm_set entry[31]; /* NVM sets */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_nvm_set_list) == 4096, "CNS 04h");

/* Primary Controller Capabilities. Section 5.1.13.3.1. */
struct nvme_primary_ctrl_caps {
	uint16_t cntlid; /* controller ID */
	uint16_t portid; /* port */
	uint8_t crt; /* resources, bits 0 VQRS, 1 VIRS */
	uint8_t rsvd5[27];
	uint32_t vqfrt; /* VQ flexible resources, total */
	uint32_t vqrfa; /* VQ flexible resources, assigned to secondary controllers */
	uint16_t vqrfap; /* VQ flexible resources, of the primary controller */
	uint16_t vqprt; /* VQ private resources, total */
	uint16_t vqfrsm; /* VQ flexible resources of a secondary controller at most */
	uint16_t vqgran; /* VQ granularity */
	uint8_t rsvd48[16];
	uint32_t vifrt; /* VI flexible resources, total */
	uint32_t virfa; /* VI flexible resources, assigned to secondary controllers */
	uint16_t virfap; /* VI flexible resources, of the primary controller */
	uint16_t viprt; /* VI private resources, total */
	uint16_t vifrsm; /* VI flexible resources of a secondary controller at most */
	uint16_t vigran; /* VI granularity */
	uint8_t rsvd80[4016];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_primary_ctrl_caps) == 4096, "CNS 14h");

/* Secondary Controller Entry. Section 5.1.13.3.2. */
struct nvme_secondary_ctrl {
	uint16_t scid; /* secondary controller */
	uint16_t pcid; /* its primary controller */
	uint8_t scs; /* state, bits 0 SCST */
	uint8_t rsvd5[3];
	uint16_t vfn; /* virtual function */
	uint16_t nvq; /* VQ flexible resources */
	uint16_t nvi; /* VI flexible resources */
	uint8_t rsvd14[18];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_secondary_ctrl) == 32, "secondary controller entry");

/* Secondary Controller List. Section 5.1.13.3.2. */
struct nvme_secondary_ctrl_list {
	uint8_t num; /* entries */
	uint8_t rsvd1[31];
	struct nvme_secondary_ctrl entry[127]; /* secondary controllers */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_secondary_ctrl_list) == 4096, "CNS 15h");

/* Namespace Granularity Descriptor. Section NVM 4.1.5.6. */
struct nvme_ns_granularity {
	uint64_t nszegran; /* granularity of NSZE, bytes */
	uint64_t ncapgran; /* granularity of NCAP, bytes */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ns_granularity) == 16, "namespace granularity descriptor");

/* Namespace Granularity List. Section NVM 4.1.5.6. */
struct nvme_ns_granularity_list {
	uint32_t attributes; /* attributes, bits 0 GDV */
	uint8_t num; /* descriptors, 0's based */
	uint8_t rsvd5[27];
	struct nvme_ns_granularity entry[16]; /* descriptors */
	uint8_t rsvd288[3808];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ns_granularity_list) == 4096, "CNS 16h");

/* UUID List Entry. Section 5.1.13.2.15. */
struct nvme_uuid_entry {
	uint8_t header; /* header, bits 1:0 IDASSOC */
	uint8_t rsvd1[15];
	uint8_t uuid[16]; /* UUID, 0: the list ends here */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_uuid_entry) == 32, "UUID list entry");

/* UUID List. Section 5.1.13.2.15. */
struct nvme_uuid_list {
	uint8_t rsvd0[32];
	struct nvme_uuid_entry entry[127]; /* UUIDs; entry 0 is UUID index 1 */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_uuid_list) == 4096, "CNS 17h");

/* Domain Attributes Entry. Section 5.1.13.2.16. */
struct nvme_domain {
	uint16_t domainid; /* domain */
	uint8_t rsvd2[14];
	uint64_t tdomaincap[2]; /* total capacity, bytes */
	uint64_t udomaincap[2]; /* unallocated capacity, bytes */
	uint64_t mdegcap[2]; /* capacity of an endurance group at most, bytes */
	uint8_t rsvd64[64];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_domain) == 128, "domain attributes entry");

/* Domain List. Section 5.1.13.2.16. */
struct nvme_domain_list {
	uint8_t num; /* entries */
	uint8_t rsvd1[127];
	struct nvme_domain entry[31]; /* domains */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_domain_list) == 4096, "CNS 18h");

/* Endurance Group List. Section 5.1.13.2.17. */
struct nvme_endurance_group_list {
	uint16_t num; /* identifiers */
	uint16_t endgid[2047]; /* endurance groups, ascending */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_endurance_group_list) == 4096, "CNS 19h");

/* I/O Command Set Vectors. Section 5.1.13.2.20. */
struct nvme_command_sets {
	/*
	 * combinations of command sets that feature 19h selects, bit = CSI, bits 0 NVMCS, 1 KVCS, 2 ZNCS, 3 SLMCS, 4
	 * CPNCS
	 */
	uint64_t iocsc[512];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_command_sets) == 4096, "CNS 1Ch");

/* Underlying Namespace Entry. Section 5.1.13.4.1. */
struct nvme_underlying_ns {
	char unsnqn[256]; /* NQN of the subsystem that has the namespace */
	uint32_t nsid; /* namespace there */
	uint16_t cntlid; /* controller there */
	uint8_t rsvd262[58];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_underlying_ns) == 320, "underlying namespace entry");

/* Underlying Namespace List. Section 5.1.13.4.1. */
struct nvme_underlying_ns_list {
	uint64_t genctr; /* generation counter */
	uint64_t nument; /* entries */
	struct nvme_underlying_ns entry[]; /* namespaces */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_underlying_ns_list) == 16, "CNS 1Dh");

/* Port Entry. Section 5.1.13.4.2. */
struct nvme_port {
	char traddr[256]; /* transport address */
	uint8_t tsas[256]; /* transport specific address subtype */
	uint16_t pid; /* port */
	uint8_t trtype; /* transport type */
	uint8_t adrfam; /* address family */
	uint8_t treq; /* transport requirements */
	uint8_t rsvd517[59];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_port) == 576, "port entry");

/* Ports List. Section 5.1.13.4.2. */
struct nvme_ports_list {
	uint64_t genctr; /* generation counter */
	uint64_t nument; /* entries */
	struct nvme_port entry[]; /* ports */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ports_list) == 16, "CNS 1Eh");

/* Supported Controller State Formats. Section 5.1.13.2.21. */
struct nvme_controller_state_formats {
	uint8_t nv; /* versions of the NVMe controller state */
	uint8_t nuuid; /* UUIDs of vendor specific states */
	uint8_t formats[]; /* the versions, 2 bytes each, then the UUIDs */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_controller_state_formats) == 2, "CNS 20h");

#endif
