/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What Identify returns, and the values of its CNS field.
 * NVM Express Base Specification 2.0, section 5.17; NVM Command Set Specification 1.0, section 4.1.5.
 * Fields bear the specification's acronyms. Layout only, no behaviour: host and virtual SSD both include it.
 * Packed: a structure may lie at any address in a buffer; read fields, do not take pointers to them.
 */
#ifndef SPEC_NVME_ID_H
#define SPEC_NVME_ID_H

#include <stddef.h>
#include <stdint.h>

#define NVME_IDENTIFY_SIZE 4096u
#define NVME_NSID_ALL UINT32_C(0xffffffff)  /* broadcast */
#define NVME_NSID_LAST UINT32_C(0xfffffffe) /* no list goes beyond */

enum nvme_cns {
	NVME_CNS_NS = 0x00,             /* struct nvme_id_ns */
	NVME_CNS_CTRL = 0x01,           /* struct nvme_id_ctrl */
	NVME_CNS_ACTIVE_NS_LIST = 0x02, /* NSIDs above CDW1.NSID, 1024 of 32 bits */
	NVME_CNS_NS_DESCRIPTORS = 0x03, /* list of struct nvme_ns_id_descriptor */
	NVME_CNS_NVM_SET_LIST = 0x04,
	NVME_CNS_CSI_NS = 0x05,   /* NVM: struct nvme_id_ns_nvm; ZNS: struct nvme_id_ns_zns */
	NVME_CNS_CSI_CTRL = 0x06, /* NVM: struct nvme_id_ctrl_nvm */
	NVME_CNS_CSI_ACTIVE_NS_LIST = 0x07,
	NVME_CNS_INDEPENDENT_NS = 0x08, /* struct nvme_id_ns_independent */
	NVME_CNS_ALLOCATED_NS_LIST = 0x10,
	NVME_CNS_ALLOCATED_NS = 0x11,
	NVME_CNS_NS_CTRL_LIST = 0x12, /* controllers that the namespace is attached to */
	NVME_CNS_CTRL_LIST = 0x13,    /* controllers of the subsystem */
	NVME_CNS_PRIMARY_CTRL_CAPS = 0x14,
	NVME_CNS_SECONDARY_CTRL_LIST = 0x15,
	NVME_CNS_NS_GRANULARITY = 0x16,
	NVME_CNS_UUID_LIST = 0x17,
	NVME_CNS_DOMAIN_LIST = 0x18,
	NVME_CNS_ENDURANCE_GROUP_LIST = 0x19,
	NVME_CNS_CSI_ALLOCATED_NS_LIST = 0x1a,
	NVME_CNS_CSI_ALLOCATED_NS = 0x1b,
	NVME_CNS_COMMAND_SETS = 0x1c, /* 512 vectors of 64 bits, bit = CSI */
};

enum nvme_csi { NVME_CSI_NVM = 0, NVME_CSI_KV = 1, NVME_CSI_ZNS = 2 };

/* Power state descriptor, 32 bytes. */
struct nvme_power_state {
	uint16_t mp; /* maximum power: 0.01 W, with MXPS set 0.0001 W */
	uint8_t rsvd2;
	uint8_t flags;  /* NVME_PS_* */
	uint32_t enlat; /* entry latency, us */
	uint32_t exlat; /* exit latency, us */
	uint8_t rrt;    /* relative read throughput, 0 is best */
	uint8_t rrl;    /* relative read latency */
	uint8_t rwt;    /* relative write throughput */
	uint8_t rwl;    /* relative write latency */
	uint16_t idlp;  /* idle power */
	uint8_t ips;    /* bits 7:6: scale of idlp */
	uint8_t rsvd19;
	uint16_t actp; /* active power */
	uint8_t apws;  /* bits 2:0 workload, 7:6 scale of actp */
	uint8_t rsvd23[9];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_power_state) == 32, "power state descriptor");

#define NVME_PS_MXPS 0x01u
#define NVME_PS_NOPS 0x02u /* non-operational */

/* CNS 01h, 4096 bytes. 128-bit numbers are two little-endian halves, the low one first. */
struct nvme_id_ctrl {
	uint16_t vid;
	uint16_t ssvid;
	char sn[20]; /* ASCII, padded with blanks, as are mn and fr */
	char mn[40];
	char fr[8];
	uint8_t rab;
	uint8_t ieee[3];
	uint8_t cmic;
	uint8_t mdts; /* 2^mdts pages of CAP.MPSMIN; 0: no limit */
	uint16_t cntlid;
	uint32_t ver;
	uint32_t rtd3r; /* us */
	uint32_t rtd3e; /* us */
	uint32_t oaes;  /* NVME_OAES_* */
	uint32_t ctratt;
	uint16_t rrls;
	uint8_t rsvd102[9];
	uint8_t cntrltype; /* 1: I/O controller */
	uint8_t fguid[16];
	uint16_t crdt1;
	uint16_t crdt2;
	uint16_t crdt3;
	uint8_t rsvd134[119];
	uint8_t nvmsr;
	uint8_t vwci;
	uint8_t mec;
	uint16_t oacs; /* NVME_OACS_* */
	uint8_t acl;   /* 0's based, as are aerl and elpe */
	uint8_t aerl;
	uint8_t frmw;
	uint8_t lpa; /* NVME_LPA_* */
	uint8_t elpe;
	uint8_t npss; /* 0's based */
	uint8_t avscc;
	uint8_t apsta;
	uint16_t wctemp; /* Kelvin */
	uint16_t cctemp;
	uint16_t mtfa;
	uint32_t hmpre;
	uint32_t hmmin;
	uint64_t tnvmcap[2];
	uint64_t unvmcap[2];
	uint32_t rpmbs;
	uint16_t edstt;
	uint8_t dsto;
	uint8_t fwug;
	uint16_t kas;
	uint16_t hctma;
	uint16_t mntmt;
	uint16_t mxtmt;
	uint32_t sanicap;
	uint32_t hmminds;
	uint16_t hmmaxd;
	uint16_t nsetidmax;
	uint16_t endgidmax;
	uint8_t anatt;
	uint8_t anacap;
	uint32_t anagrpmax;
	uint32_t nanagrpid;
	uint32_t pels;
	uint16_t domainid;
	uint8_t rsvd358[10];
	uint64_t megcap[2];
	uint8_t rsvd384[128];
	uint8_t sqes; /* bits 3:0 required, 7:4 maximum; log2 of bytes */
	uint8_t cqes;
	uint16_t maxcmd;
	uint32_t nn;
	uint16_t oncs;  /* NVME_ONCS_* */
	uint16_t fuses; /* NVME_FUSES_* */
	uint8_t fna;    /* NVME_FNA_* */
	uint8_t vwc;    /* NVME_VWC_* */
	uint16_t awun;  /* 0's based LBAs, as is awupf */
	uint16_t awupf;
	uint8_t icsvscc;
	uint8_t nwpc;
	uint16_t acwu;
	uint16_t ocfs;
	uint32_t sgls;
	uint32_t mnan;
	uint64_t maxdna[2];
	uint32_t maxcna;
	uint8_t rsvd564[204];
	char subnqn[256]; /* UTF-8, padded with NULs */
	uint8_t rsvd1024[768];
	uint32_t ioccsz;
	uint32_t iorcsz;
	uint16_t icdoff;
	uint8_t fcatt;
	uint8_t msdbd;
	uint16_t ofcs;
	uint8_t dctype;
	uint8_t rsvd1807[241];
	struct nvme_power_state psd[32];
	uint8_t vs[1024];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ctrl) == NVME_IDENTIFY_SIZE, "CNS 01h");
_Static_assert(offsetof(struct nvme_id_ctrl, mdts) == 77, "MDTS");
_Static_assert(offsetof(struct nvme_id_ctrl, oacs) == 256, "OACS");
_Static_assert(offsetof(struct nvme_id_ctrl, sanicap) == 328, "SANICAP");
_Static_assert(offsetof(struct nvme_id_ctrl, sqes) == 512, "SQES");
_Static_assert(offsetof(struct nvme_id_ctrl, vwc) == 525, "VWC");
_Static_assert(offsetof(struct nvme_id_ctrl, subnqn) == 768, "SUBNQN");
_Static_assert(offsetof(struct nvme_id_ctrl, ioccsz) == 1792, "IOCCSZ");
_Static_assert(offsetof(struct nvme_id_ctrl, psd) == 2048, "PSD0");

#define NVME_OAES_NS_ATTRIBUTE (1u << 8)
#define NVME_OAES_FIRMWARE (1u << 9)

#define NVME_FRMW_SLOT1_READ_ONLY 0x01u
#define NVME_FRMW_SLOTS_SHIFT 1    /* bits 3:1: how many there are */
#define NVME_FRMW_NO_RESET 0x10u   /* images can be activated without a reset */
#define NVME_FRMW_OVERLAPPED 0x20u /* overlapping updates by several hosts are detected */

#define NVME_FWUG_UNIT 4096u     /* bytes */
#define NVME_DSTO_ONE_TEST 0x01u /* one self-test at a time in the whole subsystem */

#define NVME_CTRATT_HOST_ID 0x1u /* of 128 bits */
#define NVME_CTRATT_NOPSPM 0x2u  /* non-operational power state permissive mode */

#define NVME_OACS_SECURITY 0x001u
#define NVME_OACS_FORMAT 0x002u
#define NVME_OACS_FIRMWARE 0x004u
#define NVME_OACS_NS_MANAGEMENT 0x008u
#define NVME_OACS_SELF_TEST 0x010u
#define NVME_OACS_DIRECTIVES 0x020u
#define NVME_OACS_MI 0x040u
#define NVME_OACS_VIRTUALIZATION 0x080u
#define NVME_OACS_DOORBELL_BUFFER 0x100u
#define NVME_OACS_LBA_STATUS 0x200u
#define NVME_OACS_LOCKDOWN 0x400u

#define NVME_SANICAP_CES 0x1u
#define NVME_SANICAP_BES 0x2u
#define NVME_SANICAP_OWS 0x4u
#define NVME_SANICAP_NDI (UINT32_C(1) << 29)
#define NVME_SANICAP_NODMMAS_SHIFT                                                                                   \
	30 /* 2 bits; 1: No-Deallocate leaves the media as the operation did, 2: it does not */

#define NVME_LPA_SMART_PER_NS 0x01u
#define NVME_LPA_EFFECTS 0x02u
#define NVME_LPA_EXTENDED 0x04u /* NUMDU and LPO of Get Log Page */
#define NVME_LPA_TELEMETRY 0x08u
#define NVME_LPA_PERSISTENT 0x10u
#define NVME_LPA_SUPPORTED 0x20u /* log pages 00h, 12h and 13h, and the scopes in 05h */

#define NVME_ONCS_COMPARE 0x001u
#define NVME_ONCS_WRITE_UNCORRECTABLE 0x002u
#define NVME_ONCS_DSM 0x004u
#define NVME_ONCS_WRITE_ZEROES 0x008u
#define NVME_ONCS_SAVE_SELECT 0x010u /* SV of Set Features and SEL of Get Features */
#define NVME_ONCS_RESERVATIONS 0x020u
#define NVME_ONCS_TIMESTAMP 0x040u
#define NVME_ONCS_VERIFY 0x080u
#define NVME_ONCS_COPY 0x100u

#define NVME_FUSES_COMPARE_WRITE 0x1u

#define NVME_FNA_FORMAT_ALL 0x01u /* a format goes to all namespaces */
#define NVME_FNA_ERASE_ALL 0x02u  /* so does a secure erase */
#define NVME_FNA_CRYPTO 0x04u
#define NVME_FNA_NO_BROADCAST 0x08u

#define NVME_VWC_PRESENT 0x01u
#define NVME_VWC_FLUSH_ALL (3u << 1) /* Flush takes NSID FFFFFFFFh */
#define NVME_VWC_FLUSH_NOT_ALL (2u << 1)

/* LBA format, 4 bytes. */
struct nvme_lbaf {
	uint16_t ms;   /* metadata, bytes */
	uint8_t lbads; /* log2 of bytes; 0: not in use */
	uint8_t rp;    /* bits 1:0 relative performance, 0 is best */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_lbaf) == 4, "LBA format");

/* CNS 00h and 11h of the NVM command set, 4096 bytes. */
struct nvme_id_ns {
	uint64_t nsze; /* LBAs, as are ncap and nuse */
	uint64_t ncap;
	uint64_t nuse;
	uint8_t nsfeat; /* NVME_NSFEAT_* */
	uint8_t nlbaf;  /* 0's based */
	uint8_t flbas;  /* bits 3:0 format index, 4 extended LBAs, 6:5 index bits 5:4 */
	uint8_t mc;
	uint8_t dpc;
	uint8_t dps;
	uint8_t nmic;
	uint8_t rescap;
	uint8_t fpi;    /* bit 7 supported, 6:0 percent of a format that remains */
	uint8_t dlfeat; /* NVME_DLFEAT_* */
	uint16_t nawun;
	uint16_t nawupf;
	uint16_t nacwu;
	uint16_t nabsn;
	uint16_t nabo;
	uint16_t nabspf;
	uint16_t noiob;
	uint64_t nvmcap[2]; /* bytes */
	uint16_t npwg;
	uint16_t npwa;
	uint16_t npdg;
	uint16_t npda;
	uint16_t nows;
	uint16_t mssrl;
	uint32_t mcl;
	uint8_t msrc;
	uint8_t rsvd81[11];
	uint32_t anagrpid;
	uint8_t rsvd96[3];
	uint8_t nsattr;
	uint16_t nvmsetid;
	uint16_t endgid;
	uint8_t nguid[16];
	uint8_t eui64[8];
	struct nvme_lbaf lbaf[64];
	uint8_t vs[3712];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ns) == NVME_IDENTIFY_SIZE, "CNS 00h");
_Static_assert(offsetof(struct nvme_id_ns, nvmcap) == 48, "NVMCAP");
_Static_assert(offsetof(struct nvme_id_ns, anagrpid) == 92, "ANAGRPID");
_Static_assert(offsetof(struct nvme_id_ns, nguid) == 104, "NGUID");
_Static_assert(offsetof(struct nvme_id_ns, lbaf) == 128, "LBAF0");

#define NVME_NSFEAT_THINP 0x01u
#define NVME_NSFEAT_NSABP 0x02u
#define NVME_NSFEAT_DAE 0x04u /* reading a deallocated LBA may give an error (feature 05h) */
#define NVME_NSFEAT_UIDREUSE 0x08u
#define NVME_NSFEAT_OPTPERF 0x10u

#define NVME_DLFEAT_ZEROES 0x01u       /* deallocated LBAs read zeroes */
#define NVME_DLFEAT_WRITE_ZEROES 0x08u /* Write Zeroes takes DEAC */

/* An entry of CNS 03h; the list ends with a NIDT of 0. */
struct nvme_ns_id_descriptor {
	uint8_t nidt;
	uint8_t nidl; /* bytes in nid */
	uint8_t rsvd2[2];
	uint8_t nid[];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ns_id_descriptor) == 4, "namespace identification descriptor");

enum nvme_nidt { NVME_NIDT_EUI64 = 1, NVME_NIDT_NGUID = 2, NVME_NIDT_UUID = 3, NVME_NIDT_CSI = 4 };

/* CNS 05h, NVM command set. */
struct nvme_id_ns_nvm {
	uint64_t lbstm;
	uint8_t pic;
	uint8_t rsvd9[3];
	uint32_t elbaf[64];
	uint8_t rsvd268[3828];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ns_nvm) == NVME_IDENTIFY_SIZE, "CNS 05h");

/* An LBA format extension of CNS 05h, Zoned Namespace Command Set, 16 bytes. */
struct nvme_zns_lbafe {
	uint64_t zsze; /* LBAs in a zone */
	uint8_t zdes;  /* zone descriptor extension, units of 64 bytes */
	uint8_t rsvd9[7];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_zns_lbafe) == 16, "LBA format extension");

/* CNS 05h, Zoned Namespace Command Set. */
struct nvme_id_ns_zns {
	uint16_t zoc;
	uint16_t ozcs;
	uint32_t mar; /* zones, 0's based; FFFFFFFFh: no limit */
	uint32_t mor;
	uint32_t rrl;
	uint32_t frl;
	uint32_t rrl1;
	uint32_t rrl2;
	uint32_t rrl3;
	uint32_t frl1;
	uint32_t frl2;
	uint32_t frl3;
	uint32_t numzrwa;
	uint16_t zrwafg;
	uint16_t zrwasz;
	uint8_t zrwacap;
	uint8_t rsvd53[2763];
	struct nvme_zns_lbafe lbafe[64];
	uint8_t vs[256];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ns_zns) == NVME_IDENTIFY_SIZE, "CNS 05h");
_Static_assert(offsetof(struct nvme_id_ns_zns, lbafe) == 2816, "LBAFE0");

/* CNS 06h, NVM command set. Limits of 0: MDTS, or none. */
struct nvme_id_ctrl_nvm {
	uint8_t vsl;    /* Verify: 2^vsl pages */
	uint8_t wzsl;   /* Write Zeroes */
	uint8_t wusl;   /* Write Uncorrectable */
	uint8_t dmrl;   /* ranges of a Dataset Management */
	uint32_t dmrsl; /* LBAs in one range */
	uint64_t dmsl;  /* LBAs in all ranges */
	uint8_t rsvd16[4080];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ctrl_nvm) == NVME_IDENTIFY_SIZE, "CNS 06h");

/* CNS 08h. */
struct nvme_id_ns_independent {
	uint8_t nsfeat;
	uint8_t nmic;
	uint8_t rescap;
	uint8_t fpi;
	uint32_t anagrpid;
	uint8_t nsattr;
	uint8_t rsvd9;
	uint16_t nvmsetid;
	uint16_t endgid;
	uint8_t nstat; /* bit 0: ready */
	uint8_t rsvd15[4081];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ns_independent) == NVME_IDENTIFY_SIZE, "CNS 08h");

#endif
