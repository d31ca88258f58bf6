/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The data structures of Identify, and the values of its CNS field.
 * NVM Express Base Specification 2.1, section 5.1.13; NVM Command Set Specification 1.1, section 4.1.5.
 * Fields bear the specification's acronyms. Layout only, no behaviour. Host and virtual SSD both include it.
 * Packed, since a structure may lie at any address in a buffer. Read fields, do not take pointers to them.
 * 128-bit numbers are two little-endian halves, the low one first.
 * Generated from spec/identify.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_ID_H
#define SPEC_NVME_ID_H

#include <stddef.h>
#include <stdint.h>
#include "spec/nvme_id_list.h"

#define NVME_IDENTIFY_SIZE 4096u
#define NVME_NSID_ALL UINT32_C(0xffffffff) /* broadcast */
#define NVME_NSID_LAST UINT32_C(0xfffffffe) /* no list goes beyond */

/* CNS of Identify, command dword 10 bits 7:0. Section 5.1.13.1. */
enum nvme_cns {
	NVME_CNS_NS = 0x00, /* Identify Namespace of the NVM command set */
	NVME_CNS_CTRL = 0x01, /* Identify Controller */
	NVME_CNS_ACTIVE_NS_LIST = 0x02, /* NSIDs above CDW1.NSID, 1024 of 32 bits */
	NVME_CNS_NS_DESCRIPTORS = 0x03, /* list of namespace identification descriptors */
	NVME_CNS_NVM_SET_LIST = 0x04, /* NVM sets from CDW11.NVMSETID on */
	NVME_CNS_CSI_NS = 0x05, /* Identify Namespace of the command set CSI */
	NVME_CNS_CSI_CTRL = 0x06, /* Identify Controller of the command set CSI */
	NVME_CNS_CSI_ACTIVE_NS_LIST = 0x07, /* as 02h, those of the command set CSI */
	NVME_CNS_INDEPENDENT_NS = 0x08, /* Identify Namespace, common to all command sets */
	NVME_CNS_CSI_NS_USER_FORMATS = 0x09, /* Identify Namespace, of a format that CDW11 names */
	NVME_CNS_CSI_NS_FORMATS = 0x0a, /* as 05h, of a format that CDW11 names */
	NVME_CNS_ALLOCATED_NS_LIST = 0x10, /* as 02h, allocated namespaces */
	NVME_CNS_ALLOCATED_NS = 0x11, /* as 00h, an allocated namespace */
	NVME_CNS_NS_CTRL_LIST = 0x12, /* controllers that the namespace is attached to */
	NVME_CNS_CTRL_LIST = 0x13, /* controllers of the subsystem */
	NVME_CNS_PRIMARY_CTRL_CAPS = 0x14, /* resources of a primary controller */
	NVME_CNS_SECONDARY_CTRL_LIST = 0x15, /* secondary controllers of this primary one */
	NVME_CNS_NS_GRANULARITY = 0x16, /* sizes that suit namespaces */
	NVME_CNS_UUID_LIST = 0x17, /* UUIDs that select vendor specific information */
	NVME_CNS_DOMAIN_LIST = 0x18, /* domains of the subsystem */
	NVME_CNS_ENDURANCE_GROUP_LIST = 0x19, /* endurance groups above CDW11.ENDGID */
	NVME_CNS_CSI_ALLOCATED_NS_LIST = 0x1a, /* as 10h, those of the command set CSI */
	NVME_CNS_CSI_ALLOCATED_NS = 0x1b, /* as 05h, an allocated namespace */
	NVME_CNS_COMMAND_SETS = 0x1c, /* 512 vectors of 64 bits, bit = CSI */
	NVME_CNS_UNDERLYING_NS_LIST = 0x1d, /* namespaces that may underlie an exported one */
	NVME_CNS_PORTS_LIST = 0x1e, /* ports of the subsystem */
	NVME_CNS_ALLOCATED_NS_INDEPENDENT = 0x1f, /* as 08h, an allocated namespace */
	NVME_CNS_CONTROLLER_STATE_FORMATS = 0x20, /* formats of Migration Send and Receive */
};

/* I/O command set identifiers (CSI). Section 3.1.3.2. */
enum nvme_csi {
	NVME_CSI_NVM = 0,
	NVME_CSI_KV = 1, /* Key Value */
	NVME_CSI_ZNS = 2, /* Zoned Namespace */
};

/* Power State Descriptor. Section 5.1.13.2.1. */
struct nvme_power_state {
	uint16_t mp; /* maximum power, 0.01 W, with MXPS set 0.0001 W */
	uint8_t rsvd2;
	uint8_t flags; /* flags */
	uint32_t enlat; /* entry latency, us */
	uint32_t exlat; /* exit latency, us */
	uint8_t rrt; /* relative read throughput, 0 is best, bits 4:0 RRT */
	uint8_t rrl; /* relative read latency, bits 4:0 RRL */
	uint8_t rwt; /* relative write throughput, bits 4:0 RWT */
	uint8_t rwl; /* relative write latency, bits 4:0 RWL */
	uint16_t idlp; /* idle power, IPS */
	uint8_t ips; /* scale of IDLP, bits 7:6 IPS */
	uint8_t rsvd19;
	uint16_t actp; /* active power, APS */
	uint8_t apws; /* active power: workload and scale, bits 2:0 APW, 7:6 APS */
	uint8_t epfrt; /* emergency power fail recovery time, EPFRTS */
	uint8_t fqvt; /* forced quiescence vault time, FQVTS */
	uint8_t epfvt; /* emergency power fail vault time, EPFVTS */
	uint8_t epfr_fqv_ts; /* scales of two times, bits 3:0 EPFRTS, 7:4 FQVTS */
	uint8_t epfvts; /* scale of EPFVT, bits 3:0 EPFVTS */
	uint8_t rsvd28[4];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_power_state) == 32, "power state descriptor");

#define NVME_PS_MXPS 0x1u /* MP is in units of 0.0001 W instead of 0.01 W */
#define NVME_PS_NOPS 0x2u /* non-operational */

/* CNTRLTYPE of Identify Controller. Section 5.1.13.2.1. */
enum nvme_cntrltype {
	NVME_CNTRLTYPE_NOT_REPORTED = 0,
	NVME_CNTRLTYPE_IO = 1,
	NVME_CNTRLTYPE_DISCOVERY = 2,
	NVME_CNTRLTYPE_ADMIN = 3,
};

/* Identify Controller. Section 5.1.13.2.1. */
struct nvme_id_ctrl {
	uint16_t vid; /* PCI Vendor ID */
	uint16_t ssvid; /* PCI Subsystem Vendor ID */
	char sn[20]; /* serial number */
	char mn[40]; /* model number */
	char fr[8]; /* firmware revision */
	uint8_t rab; /* recommended arbitration burst, 2^n commands */
	uint8_t ieee[3]; /* IEEE OUI of the vendor */
	uint8_t cmic; /* multi-path I/O and namespace sharing */
	uint8_t mdts; /* maximum data transfer size, 0: no limit, 2^n pages of CAP.MPSMIN */
	uint16_t cntlid; /* controller ID */
	uint32_t ver; /* version, as register VS, bits 7:0 TER, 15:8 MNR, 31:16 MJR */
	uint32_t rtd3r; /* RTD3 resume latency, us */
	uint32_t rtd3e; /* RTD3 entry latency, us */
	uint32_t oaes; /* optional asynchronous events, bits 12 PLEA, 15 NNSS, 16 TTHRY, 17 RGCNS, 31 DLPCN */
	/* controller attributes, bits 5 PLM, 6 TBKAS, 8 SQA, 10 MDS, 16 MEM, 17 HMBR, 18 RHII, 19 FDPS */
	uint32_t ctratt;
	uint16_t rrls; /* read recovery levels, one a bit */
	uint8_t bpcap; /* boot partition capabilities, bits 1:0 RPMBBPWPS, 2 SFBPWPS */
	uint8_t rsvd103;
	uint32_t nssl; /* NVM subsystem shutdown latency, us */
	uint8_t rsvd108[2];
	uint8_t plsi; /* power loss signaling, bits 0 PLSEPF, 1 PLSFQ */
	uint8_t cntrltype; /* controller type, enum nvme_cntrltype */
	uint8_t fguid[16]; /* FRU globally unique identifier */
	uint16_t crdt1; /* command retry delay time 1, 100 ms */
	uint16_t crdt2; /* command retry delay time 2, 100 ms */
	uint16_t crdt3; /* command retry delay time 3, 100 ms */
	uint8_t crcap; /* controller reachability, bits 0 RRSUP, 1 RGIDC */
	uint8_t rsvd135[118];
	uint8_t nvmsr; /* NVM subsystem report, bits 0 NVMESD, 1 NVMEE */
	uint8_t vwci; /* VPD write cycles, bits 6:0 VWCR, 7 VWCRV */
	uint8_t mec; /* management endpoints, bits 0 TWPME, 1 PCIEME */
	uint16_t oacs; /* optional admin commands, bits 11 HMLMS */
	uint8_t acl; /* concurrent Abort commands, 0's based */
	uint8_t aerl; /* concurrent Asynchronous Event Requests, 0's based */
	uint8_t frmw; /* firmware updates */
	uint8_t lpa; /* log pages */
	uint8_t elpe; /* entries of the error log, 0's based */
	uint8_t npss; /* power states, 0's based */
	uint8_t avscc; /* vendor specific admin commands, bits 0 VSCF */
	uint8_t apsta; /* autonomous power state transitions, bits 0 ASPTS */
	uint16_t wctemp; /* warning composite temperature, 0: none, Kelvin */
	uint16_t cctemp; /* critical composite temperature, 0: none, Kelvin */
	uint16_t mtfa; /* maximum time of a firmware activation, 100 ms */
	uint32_t hmpre; /* host memory buffer, preferred size, 4 KiB */
	uint32_t hmmin; /* host memory buffer, smallest size, 4 KiB */
	uint64_t tnvmcap[2]; /* total NVM capacity, bytes */
	uint64_t unvmcap[2]; /* unallocated NVM capacity, bytes */
	uint32_t rpmbs; /* replay protected memory block, bits 2:0 NRPMBU, 5:3 AUTH, 23:16 TSZ, 31:24 ASZ */
	uint16_t edstt; /* time of an extended self-test, minutes */
	uint8_t dsto; /* self-tests, bits 1 HIRS */
	uint8_t fwug; /* firmware update granularity, 0: not reported, FFh: none, 4 KiB */
	uint16_t kas; /* keep alive granularity, 0: no keep alive, 100 ms */
	uint16_t hctma; /* host controlled thermal management, bits 0 HCTMS */
	uint16_t mntmt; /* lowest thermal management temperature, Kelvin */
	uint16_t mxtmt; /* highest thermal management temperature, Kelvin */
	uint32_t sanicap; /* sanitize */
	uint32_t hmminds; /* host memory buffer, smallest descriptor, 4 KiB */
	uint16_t hmmaxd; /* host memory buffer, descriptors at most, 0: no limit */
	uint16_t nsetidmax; /* highest NVM set identifier */
	uint16_t endgidmax; /* highest endurance group identifier */
	uint8_t anatt; /* ANA transition time, s */
	uint8_t anacap; /* asymmetric namespace access */
	uint32_t anagrpmax; /* highest ANA group identifier */
	uint32_t nanagrpid; /* ANA groups */
	uint32_t pels; /* size of the persistent event log at most, 64 KiB */
	uint16_t domainid; /* domain that the controller is in */
	uint8_t kpioc; /* key per I/O, bits 0 KPIOS, 1 KPISC */
	uint8_t rsvd359;
	uint16_t mptfawr; /* time of a firmware activation without reset, 100 ms */
	uint8_t rsvd362[6];
	uint64_t megcap[2]; /* capacity of an endurance group at most, bytes */
	uint8_t tmpthha; /* temperature threshold hysteresis, bits 2:0 TMPTHMH */
	uint8_t mupa; /* scale of MUP, bits 1:0 MUPS */
	uint16_t cqt; /* command quiesce time, ms */
	uint8_t rsvd388[2];
	uint16_t mup; /* most power of power state 0 without a power limit, MUPS */
	uint16_t ipmsr; /* longest time between two samples of the power, bits 7:0 SRV, 15:8 SRS */
	uint16_t msmt; /* longest stop measurement time of feature 25h, minutes */
	uint8_t rsvd396[116];
	uint8_t sqes; /* size of a submission queue entry, log2 of bytes, bits 3:0 MINS, 7:4 MAXS */
	uint8_t cqes; /* size of a completion queue entry, log2 of bytes, bits 3:0 MINS, 7:4 MAXS */
	uint16_t maxcmd; /* outstanding commands of a queue at most, 0: not reported */
	uint32_t nn; /* number of namespaces, the highest NSID */
	uint16_t oncs; /* optional I/O commands, bits 9 NVMCSA, 10 NVMAFC, 11 MAXWZD, 12 NSZS */
	uint16_t fuses; /* fused operations */
	uint8_t fna; /* attributes of Format NVM */
	uint8_t vwc; /* volatile write cache, bits 2:1 FB */
	uint16_t awun; /* atomic write unit, normal, LBAs, 0's based */
	uint16_t awupf; /* atomic write unit, power fail, LBAs, 0's based */
	uint8_t icsvscc; /* vendor specific I/O commands, bits 0 VSCF */
	uint8_t nwpc; /* namespace write protection, bits 0 NWPWPS, 1 WPUPCS, 2 PWPS */
	uint16_t acwu; /* atomic compare and write unit, LBAs, 0's based */
	uint16_t ocfs; /* source range formats of Copy (CDFS), one a bit */
	uint32_t sgls; /* SGLs, bits 1:0 SGLS, 2 KDBDS, 15:8 SDT, 20 SGLOFF, 21 TSGLDS */
	uint32_t mnan; /* allocated namespaces at most, 0: NN */
	uint64_t maxdna[2]; /* attachments in the domain at most */
	uint32_t maxcna; /* namespaces that may be attached to this controller */
	uint32_t oaqd; /* best number of commands in all queues, 0: not reported */
	uint8_t rhiri; /* recommended host-initiated refresh interval, days */
	uint8_t hirt; /* time of a host-initiated refresh, minutes */
	uint16_t cmmrtd; /* memory ranges that this controller can track */
	uint16_t nmmrtd; /* memory ranges that the subsystem can track */
	uint8_t minmrtg; /* smallest tracking granularity, 2^n bytes */
	uint8_t maxmrtg; /* largest tracking granularity, 2^n bytes */
	uint8_t trattr; /* tracking, bits 0 THMCS, 1 TUDCS, 2 MRTLL */
	uint8_t rsvd577;
	uint16_t mcudmq; /* user data migration queues of this controller */
	uint16_t mnsudmq; /* user data migration queues of the subsystem */
	uint16_t mcmr; /* CDQ memory ranges of this controller */
	uint16_t nmcmr; /* CDQ memory ranges of the subsystem */
	uint16_t mcdqpc; /* PRPs of a controller data queue at most */
	uint8_t rsvd588[180];
	char subnqn[256]; /* NVM subsystem NVMe qualified name */
	uint8_t rsvd1024[768];
	uint32_t ioccsz; /* I/O command capsule, 16 bytes */
	uint32_t iorcsz; /* I/O response capsule, 16 bytes */
	uint16_t icdoff; /* offset of data in a capsule, 16 bytes */
	uint8_t fcatt; /* fabrics controller attributes, bits 0 DCM */
	uint8_t msdbd; /* SGL data block descriptors in a capsule at most */
	uint16_t ofcs; /* optional fabrics commands, bits 0 DCS */
	uint8_t dctype; /* discovery controller type */
	uint8_t rsvd1807[241];
	struct nvme_power_state psd[32]; /* power state descriptors */
	uint8_t vs[1024]; /* vendor specific */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ctrl) == 4096, "CNS 01h");
_Static_assert(offsetof(struct nvme_id_ctrl, mdts) == 77, "MDTS");
_Static_assert(offsetof(struct nvme_id_ctrl, oacs) == 256, "OACS");
_Static_assert(offsetof(struct nvme_id_ctrl, sanicap) == 328, "SANICAP");
_Static_assert(offsetof(struct nvme_id_ctrl, sqes) == 512, "SQES");
_Static_assert(offsetof(struct nvme_id_ctrl, vwc) == 525, "VWC");
_Static_assert(offsetof(struct nvme_id_ctrl, subnqn) == 768, "SUBNQN");
_Static_assert(offsetof(struct nvme_id_ctrl, ioccsz) == 1792, "IOCCSZ");
_Static_assert(offsetof(struct nvme_id_ctrl, psd) == 2048, "PSD");

/* CMIC. */
#define NVME_CMIC_PORTS 0x1u /* the subsystem may have more than one port */
#define NVME_CMIC_CTRLS 0x2u /* the subsystem may have more than one controller */
#define NVME_CMIC_VF 0x4u /* this controller belongs to an SR-IOV virtual function */
#define NVME_CMIC_ANA 0x8u /* asymmetric namespace access is reported */

/* ANACAP. */
#define NVME_ANACAP_OPTIMIZED 0x1u /* reports optimized */
#define NVME_ANACAP_NON_OPTIMIZED 0x2u /* reports non-optimized */
#define NVME_ANACAP_INACCESSIBLE 0x4u /* reports inaccessible */
#define NVME_ANACAP_PERSISTENT_LOSS 0x8u /* reports persistent loss */
#define NVME_ANACAP_CHANGE 0x10u /* reports change */
#define NVME_ANACAP_CONSTANT_GROUP 0x40u /* ANAGRPID does not change while attached */
#define NVME_ANACAP_CHOSEN_GROUP 0x80u /* Namespace Management takes an ANAGRPID */

/* OAES. */
#define NVME_OAES_NS_ATTRIBUTE 0x100u /* Attached Namespace Attribute Changed */
#define NVME_OAES_FIRMWARE 0x200u /* Firmware Activation Starting */
#define NVME_OAES_ANA 0x800u /* Asymmetric Namespace Access Change */
#define NVME_OAES_LBA_STATUS 0x2000u /* LBA Status Information Alert */
#define NVME_OAES_ENDURANCE_GROUP 0x4000u /* Endurance Group Event Aggregate Log Page Change */
#define NVME_OAES_ALLOCATED_NS 0x80000u /* Allocated Namespace Attribute Changed */
#define NVME_OAES_ZONE_CHANGED 0x8000000u /* Zone Descriptor Changed */

/* FRMW. */
#define NVME_FRMW_SLOT1_READ_ONLY 0x1u /* slot 1 is read-only */
#define NVME_FRMW_SLOTS_SHIFT 1 /* firmware slots, 1 to 7 */
#define NVME_FRMW_NO_RESET 0x10u /* images can be activated without a reset */
#define NVME_FRMW_OVERLAPPED 0x20u /* overlapping updates by several hosts are detected */

#define NVME_FWUG_UNIT 4096u /* bytes */

/* DSTO. */
#define NVME_DSTO_ONE_TEST 0x1u /* one self-test at a time in the whole subsystem */

/* CTRATT. */
#define NVME_CTRATT_HOST_ID 0x1u /* host identifiers of 128 bits */
#define NVME_CTRATT_NOPSPM 0x2u /* non-operational power state permissive mode */
#define NVME_CTRATT_NSETS 0x4u /* NVM sets */
#define NVME_CTRATT_RRLVLS 0x8u /* read recovery levels */
#define NVME_CTRATT_EGS 0x10u /* endurance groups */
#define NVME_CTRATT_NS_GRANULARITY 0x80u /* namespace granularity */
#define NVME_CTRATT_ULIST 0x200u /* UUID list */
#define NVME_CTRATT_FCM 0x800u /* fixed capacity management */
#define NVME_CTRATT_VCM 0x1000u /* variable capacity management */
#define NVME_CTRATT_DEG 0x2000u /* Delete Endurance Group */
#define NVME_CTRATT_DNVMS 0x4000u /* Delete NVM Set */
#define NVME_CTRATT_ELBAS 0x8000u /* extended LBA formats */
#define NVME_CTRATT_PLS 0x100000u /* power limit, feature 23h */
#define NVME_CTRATT_PMS 0x200000u /* power measurement, features 24h and 25h */

/* OACS. */
#define NVME_OACS_SECURITY 0x1u /* Security Send and Receive */
#define NVME_OACS_FORMAT 0x2u /* Format NVM */
#define NVME_OACS_FIRMWARE 0x4u /* Firmware Commit and Firmware Image Download */
#define NVME_OACS_NS_MANAGEMENT 0x8u /* Namespace Management and Attachment */
#define NVME_OACS_SELF_TEST 0x10u /* Device Self-test */
#define NVME_OACS_DIRECTIVES 0x20u /* Directive Send and Receive */
#define NVME_OACS_MI 0x40u /* NVMe-MI Send and Receive */
#define NVME_OACS_VIRTUALIZATION 0x80u /* Virtualization Management */
#define NVME_OACS_DOORBELL_BUFFER 0x100u /* Doorbell Buffer Config */
#define NVME_OACS_LBA_STATUS 0x200u /* Get LBA Status */
#define NVME_OACS_LOCKDOWN 0x400u /* Lockdown */

/* SANICAP. */
#define NVME_SANICAP_CES 0x1u /* Crypto Erase */
#define NVME_SANICAP_BES 0x2u /* Block Erase */
#define NVME_SANICAP_OWS 0x4u /* Overwrite */
#define NVME_SANICAP_VERS 0x8u /* the media verification state */
#define NVME_SANICAP_NDI (UINT32_C(1) << 29) /* No-Deallocate is inhibited */
#define NVME_SANICAP_NODMMAS_SHIFT 30 /* 1: after No-Deallocate the media is not modified further, 2: it is */

/* LPA. */
#define NVME_LPA_SMART_PER_NS 0x1u /* log page 02h for each namespace */
#define NVME_LPA_EFFECTS 0x2u /* log page 05h */
#define NVME_LPA_EXTENDED 0x4u /* NUMDU and LPO of Get Log Page */
#define NVME_LPA_TELEMETRY 0x8u /* log pages 07h and 08h */
#define NVME_LPA_PERSISTENT 0x10u /* log page 0Dh */
#define NVME_LPA_SUPPORTED 0x20u /* log pages 00h, 12h and 13h, and the scopes in 05h */
#define NVME_LPA_AREA_4 0x40u /* telemetry data area 4 */

/* ONCS. */
#define NVME_ONCS_COMPARE 0x1u /* Compare */
#define NVME_ONCS_WRITE_UNCORRECTABLE 0x2u /* Write Uncorrectable */
#define NVME_ONCS_DSM 0x4u /* Dataset Management */
#define NVME_ONCS_WRITE_ZEROES 0x8u /* Write Zeroes */
#define NVME_ONCS_SAVE_SELECT 0x10u /* SV of Set Features and SEL of Get Features */
#define NVME_ONCS_RESERVATIONS 0x20u /* reservations */
#define NVME_ONCS_TIMESTAMP 0x40u /* feature 0Eh, Timestamp */
#define NVME_ONCS_VERIFY 0x80u /* Verify */
#define NVME_ONCS_COPY 0x100u /* Copy */

/* FUSES. */
#define NVME_FUSES_COMPARE_WRITE 0x1u /* Compare and Write */

/* FNA. */
#define NVME_FNA_FORMAT_ALL 0x1u /* a format goes to all namespaces */
#define NVME_FNA_ERASE_ALL 0x2u /* so does a secure erase */
#define NVME_FNA_CRYPTO 0x4u /* Cryptographic Erase */
#define NVME_FNA_NO_BROADCAST 0x8u /* Format NVM refuses NSID FFFFFFFFh */

/* VWC. */
#define NVME_VWC_PRESENT 0x1u /* there is a volatile write cache */
#define NVME_VWC_FLUSH_ALL 0x6u /* Flush takes NSID FFFFFFFFh */
#define NVME_VWC_FLUSH_NOT_ALL 0x4u

/* SGLS. */
#define NVME_SGLS_BYTES 0x1u /* no alignment */
#define NVME_SGLS_DWORDS 0x2u /* aligned to dwords */
#define NVME_SGLS_BIT_BUCKET (UINT32_C(1) << 16) /* bit bucket descriptors */
#define NVME_SGLS_MPTR_BYTES (UINT32_C(1) << 17) /* MPTR may be a contiguous buffer at any byte */
#define NVME_SGLS_LONGER (UINT32_C(1) << 18) /* data may be longer than the command's */
#define NVME_SGLS_MPTR (UINT32_C(1) << 19) /* MPTR may be an SGL segment */

/* LBA Format. Section NVM 4.1.5.1. */
struct nvme_lbaf {
	uint16_t ms; /* metadata of an LBA, bytes */
	uint8_t lbads; /* size of an LBA, 0: not in use, 2^n bytes */
	uint8_t rp; /* relative performance, bits 1:0 RP */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_lbaf) == 4, "LBA format");

/* Identify Namespace of the NVM command set. Section NVM 4.1.5.1. */
struct nvme_id_ns {
	uint64_t nsze; /* size, LBAs */
	uint64_t ncap; /* capacity, LBAs */
	uint64_t nuse; /* utilization, LBAs */
	uint8_t nsfeat; /* features, bits 5 OPTRPERF, 6 MAM */
	uint8_t nlbaf; /* LBA formats, 0's based */
	uint8_t flbas; /* LBA format that is in use */
	uint8_t mc; /* metadata, bits 0 MTELBA, 1 MTSMP */
	uint8_t dpc; /* protection that it can have */
	uint8_t dps; /* protection that it has */
	uint8_t nmic; /* sharing, bits 0 SHRNS, 1 DISNS */
	uint8_t rescap; /* reservations, bits 1 WES, 2 EAS, 3 WERO, 4 EARO, 5 WEAR, 6 EAAR */
	uint8_t fpi; /* format progress, bits 6:0 REMAINING, 7 SUPPORTED */
	uint8_t dlfeat; /* deallocated LBAs, bits 2:0 RDB, 4 GDSR */
	uint16_t nawun; /* atomic write unit, normal, LBAs, 0's based */
	uint16_t nawupf; /* atomic write unit, power fail, LBAs, 0's based */
	uint16_t nacwu; /* atomic compare and write unit, LBAs, 0's based */
	uint16_t nabsn; /* atomic boundary size, normal, LBAs, 0's based */
	uint16_t nabo; /* atomic boundary offset, LBAs */
	uint16_t nabspf; /* atomic boundary size, power fail, LBAs, 0's based */
	uint16_t noiob; /* optimal I/O boundary, 0: none, LBAs */
	uint64_t nvmcap[2]; /* NVM capacity, bytes */
	uint16_t npwg; /* preferred write granularity, LBAs, 0's based */
	uint16_t npwa; /* preferred write alignment, LBAs, 0's based */
	uint16_t npdg; /* preferred deallocate granularity, LBAs, 0's based */
	uint16_t npda; /* preferred deallocate alignment, LBAs, 0's based */
	uint16_t nows; /* optimal write size, LBAs, 0's based */
	uint16_t mssrl; /* Copy: LBAs of one source range, LBAs */
	uint32_t mcl; /* Copy: LBAs of all source ranges, LBAs */
	uint8_t msrc; /* Copy: source ranges, 0's based */
	uint8_t kpios; /* key per I/O, bits 0 KPIOENS, 1 KPIOSNS */
	uint8_t nulbaf; /* LBA formats whose attributes are unique */
	uint8_t rsvd83;
	uint32_t kpiodaag; /* key per I/O granularity, LBAs, 0's based */
	uint8_t rsvd88[4];
	uint32_t anagrpid; /* ANA group */
	uint8_t rsvd96[3];
	uint8_t nsattr; /* attributes, bits 0 WPS */
	uint16_t nvmsetid; /* NVM set */
	uint16_t endgid; /* endurance group */
	uint8_t nguid[16]; /* namespace globally unique identifier */
	uint8_t eui64[8]; /* IEEE extended unique identifier */
	struct nvme_lbaf lbaf[64]; /* LBA formats */
	uint8_t vs[3712]; /* vendor specific */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ns) == 4096, "CNS 00h");
_Static_assert(offsetof(struct nvme_id_ns, nvmcap) == 48, "NVMCAP");
_Static_assert(offsetof(struct nvme_id_ns, anagrpid) == 92, "ANAGRPID");
_Static_assert(offsetof(struct nvme_id_ns, nguid) == 104, "NGUID");
_Static_assert(offsetof(struct nvme_id_ns, lbaf) == 128, "LBAF");

/* NSFEAT. */
#define NVME_NSFEAT_THINP 0x1u /* thin provisioning */
#define NVME_NSFEAT_NSABP 0x2u /* NAWUN, NAWUPF and NACWU are this namespace's */
#define NVME_NSFEAT_DAE 0x4u /* reading a deallocated LBA may give an error (feature 05h) */
#define NVME_NSFEAT_UIDREUSE 0x8u /* NGUID and EUI64 are never used again */
#define NVME_NSFEAT_OPTPERF 0x10u /* NPWG, NPWA, NPDG, NPDA and NOWS are there */

/* FLBAS. */
#define NVME_FLBAS_INDEX 0xfu /* bits 3:0 of the index of the LBA format */
#define NVME_FLBAS_EXTENDED 0x10u /* metadata follow the data of each LBA */
#define NVME_FLBAS_INDEX_HIGH_SHIFT 5 /* bits 5:4 of the index, used with more than 16 formats */

/* DPC. */
#define NVME_DPC_TYPE_1 0x1u /* type 1 */
#define NVME_DPC_TYPE_2 0x2u /* type 2 */
#define NVME_DPC_TYPE_3 0x4u /* type 3 */
#define NVME_DPC_FIRST 0x8u /* in the first bytes of metadata */
#define NVME_DPC_LAST 0x10u /* in the last bytes of metadata */

/* DPS. */
#define NVME_DPS_TYPE 0x7u /* type, 0: none */
#define NVME_DPS_FIRST 0x8u /* in the first bytes of metadata */

/* RESCAP. */
#define NVME_RESCAP_PTPL 0x1u /* persist through power loss */
#define NVME_RESCAP_IEKEY 0x80u /* IEKEY of version 1.3 and later */

/* DLFEAT. */
#define NVME_DLFEAT_ZEROES 0x1u /* deallocated LBAs read zeroes */
#define NVME_DLFEAT_WRITE_ZEROES 0x8u /* Write Zeroes takes DEAC */

/* Namespace Identification Descriptor. Section 5.1.13.2.3. */
struct nvme_ns_id_descriptor {
	uint8_t nidt; /* kind of identifier, 0: the list ends here, enum nvme_nidt */
	uint8_t nidl; /* length of NID, bytes */
	uint8_t rsvd2[2];
	uint8_t nid[]; /* identifier */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_ns_id_descriptor) == 4, "namespace identification descriptor");

/* kinds of namespace identifiers. Section 5.1.13.2.3. */
enum nvme_nidt {
	NVME_NIDT_EUI64 = 1, /* IEEE Extended Unique Identifier, 8 bytes */
	NVME_NIDT_NGUID = 2, /* Namespace Globally Unique Identifier, 16 bytes */
	NVME_NIDT_UUID = 3, /* Namespace UUID, 16 bytes */
	NVME_NIDT_CSI = 4, /* Command Set Identifier, 1 byte */
};

/* formats of protection information. Section NVM 4.1.5.3. */
enum nvme_pif {
	NVME_PIF_GUARD16 = 0,
	NVME_PIF_GUARD32 = 1,
	NVME_PIF_GUARD64 = 2,
	NVME_PIF_QUALIFIED = 3,
};

/* Identify Namespace, NVM command set specific. Section NVM 4.1.5.3. */
struct nvme_id_ns_nvm {
	uint64_t lbstm; /* mask of the storage tag */
	uint8_t pic; /* protection information, bits 1 B16GPISTM */
	uint8_t pifa; /* protection information attributes */
	uint8_t rsvd10[2];
	uint32_t elbaf[64]; /* extended LBA formats, bits 6:0 STS, 12:9 QPIF */
	uint32_t npdgl; /* preferred deallocate granularity, large, LBAs */
	uint32_t nprg; /* preferred read granularity, LBAs */
	uint32_t npra; /* preferred read alignment, LBAs */
	uint32_t nors; /* optimal read size, LBAs */
	uint32_t npdal; /* preferred deallocate alignment, large, LBAs */
	uint32_t lbapss; /* LBA format placement shard size, LBAs */
	uint32_t tlbaag; /* tracked LBA allocation granularity, LBAs */
	uint8_t rsvd296[3800];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ns_nvm) == 4096, "CNS 05h");

/* PIC. */
#define NVME_PIC_STORAGE_TAG_16 0x1u /* storage tags of 16-bit guards */
#define NVME_PIC_CHECK_READ 0x4u /* the storage tag may be checked in reads */

/* ELBAF. */
#define NVME_ELBAF_PIF_SHIFT 7 /* protection information format, enum nvme_pif */

/* LBA Format Extension. Section ZNS 4.1.5.1. */
struct nvme_zns_lbafe {
	uint64_t zsze; /* zone size, LBAs */
	uint8_t zdes; /* zone descriptor extension, 64 bytes */
	uint8_t rsvd9[7];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_zns_lbafe) == 16, "LBA format extension");

/* Identify Namespace, Zoned Namespace Command Set specific. Section ZNS 4.1.5.1. */
struct nvme_id_ns_zns {
	uint16_t zoc; /* zone operations, bits 1 ZAE */
	uint16_t ozcs; /* optional capabilities */
	uint32_t mar; /* active zones at most, FFFFFFFFh: no limit, 0's based */
	uint32_t mor; /* open zones at most, FFFFFFFFh: no limit, 0's based */
	uint32_t rrl; /* reset recommended limit, s */
	uint32_t frl; /* finish recommended limit, s */
	uint32_t rrl1; /* reset recommended limit 1, s */
	uint32_t rrl2; /* reset recommended limit 2, s */
	uint32_t rrl3; /* reset recommended limit 3, s */
	uint32_t frl1; /* finish recommended limit 1, s */
	uint32_t frl2; /* finish recommended limit 2, s */
	uint32_t frl3; /* finish recommended limit 3, s */
	uint32_t numzrwa; /* zone random write areas, 0's based */
	uint16_t zrwafg; /* ZRWA flush granularity, LBAs */
	uint16_t zrwasz; /* ZRWA size, LBAs */
	uint8_t zrwacap; /* ZRWA */
	uint8_t rsvd53[2763];
	struct nvme_zns_lbafe lbafe[64]; /* LBA format extensions */
	uint8_t vs[256]; /* vendor specific */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ns_zns) == 4096, "CNS 05h");
_Static_assert(offsetof(struct nvme_id_ns_zns, lbafe) == 2816, "LBAFE");

/* ZOC. */
#define NVME_ZOC_VARIABLE_CAPACITY 0x1u /* zone capacities may change */

/* OZCS. */
#define NVME_OZCS_READ_ACROSS 0x1u /* reads may cross zone boundaries */
#define NVME_OZCS_ZRWA 0x2u /* zone random write area */

/* ZRWACAP. */
#define NVME_ZRWACAP_EXPLICIT_FLUSH 0x1u /* explicit flush */

/* KV Format. Section KV 4.1.5.1. */
struct nvme_kvf {
	uint16_t kml; /* key length at most, bytes */
	uint8_t rsvd2;
	uint8_t fopt; /* additional options */
	uint32_t vml; /* value length at most, bytes */
	uint32_t mnk; /* keys at most, 0: no limit */
	uint8_t rsvd12[4];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_kvf) == 16, "KV format");

/* Identify Namespace, Key Value Command Set specific. Section KV 4.1.5.1. */
struct nvme_id_ns_kv {
	uint64_t nsze; /* size, bytes */
	uint8_t rsvd8[8];
	uint64_t nuse; /* utilization, bytes */
	uint8_t nsfeat; /* features, bits 3 UIDREUSE */
	uint8_t nkvf; /* KV formats, 0's based */
	uint8_t nmic; /* sharing, bits 0 SHRNS, 1 DISNS */
	uint8_t rescap; /* reservations, bits 1 WES, 2 EAS, 3 WERO, 4 EARO, 5 WEAR, 6 EAAR */
	uint8_t fpi; /* format progress, bits 6:0 REMAINING, 7 SUPPORTED */
	uint8_t rsvd29[3];
	uint32_t novg; /* optimal value granularity, 0: not reported, bytes */
	uint32_t anagrpid; /* ANA group */
	uint8_t rsvd40[3];
	uint8_t nsattr; /* attributes, bits 0 WPS */
	uint16_t nvmsetid; /* NVM set */
	uint16_t endgid; /* endurance group */
	uint8_t nguid[16]; /* namespace globally unique identifier */
	uint8_t eui64[8]; /* IEEE extended unique identifier */
	struct nvme_kvf kvf[16]; /* KV formats */
	uint8_t rsvd328[3512];
	uint8_t vs[256]; /* vendor specific */
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ns_kv) == 4096, "CNS 05h");

/* Identify Controller, NVM command set specific. Section NVM 4.1.5.4. */
struct nvme_id_ctrl_nvm {
	uint8_t vsl; /* Verify, 0: MDTS, 2^n pages of CAP.MPSMIN */
	uint8_t wzsl; /* Write Zeroes, 0: MDTS, 2^n pages of CAP.MPSMIN */
	uint8_t wusl; /* Write Uncorrectable, 0: MDTS, 2^n pages of CAP.MPSMIN */
	uint8_t dmrl; /* ranges of a Dataset Management, 0: no limit */
	uint32_t dmrsl; /* LBAs of one range, 0: no limit, LBAs */
	uint64_t dmsl; /* LBAs of all ranges, 0: no limit, LBAs */
	uint8_t kpiocap; /* key per I/O */
	uint8_t wzdsl; /* Write Zeroes with DEAC, 2^n pages of CAP.MPSMIN */
	uint16_t aocs; /* admin commands */
	uint32_t ver; /* version of the NVM Command Set Specification, bits 7:0 TER, 15:8 MNR, 31:16 MJR */
	uint8_t lbamqf; /* format of entries of an LBA migration queue */
	uint8_t rsvd25[4071];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ctrl_nvm) == 4096, "CNS 06h");

/* Identify Controller, Zoned Namespace Command Set specific. Section ZNS 4.1.5.2. */
struct nvme_id_ctrl_zns {
	uint8_t zasl; /* Zone Append, 0: MDTS, 2^n pages of CAP.MPSMIN */
	uint8_t rsvd1[4095];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ctrl_zns) == 4096, "CNS 06h");

/* Identify Namespace, independent of the command set. Section 5.1.13.2.8. */
struct nvme_id_ns_independent {
	uint8_t nsfeat; /* features, bits 3 UIDREUSE, 5 VWCNP */
	uint8_t nmic; /* sharing, bits 0 SHRNS, 1 DISNS */
	uint8_t rescap; /* reservations, bits 1 WES, 2 EAS, 3 WERO, 4 EARO, 5 WEAR, 6 EAAR */
	uint8_t fpi; /* format progress, bits 6:0 REMAINING, 7 SUPPORTED */
	uint32_t anagrpid; /* ANA group */
	uint8_t nsattr; /* attributes, bits 0 WPS */
	uint8_t rsvd9;
	uint16_t nvmsetid; /* NVM set */
	uint16_t endgid; /* endurance group */
	uint8_t nstat; /* status, bits 0 NRDY */
	uint8_t kpios; /* key per I/O */
	uint16_t maxkt; /* key tags at most, 0's based */
	uint8_t rsvd18[2];
	uint32_t rgrpid; /* reachability group */
	uint8_t rsvd24[4072];
} __attribute__((packed));
_Static_assert(sizeof(struct nvme_id_ns_independent) == 4096, "CNS 08h");

/* NSFEAT of CNS 08h. */
#define NVME_NSFEAT_RMEDIA 0x10u /* rotational media */

#endif
