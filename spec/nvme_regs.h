/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offsets and fields of the registers of an NVMe controller in BAR0.
 * NVM Express Base Specification 2.1, section 3.1.4; PCIe Transport Specification 1.1, section 3.1.2 (doorbells).
 * Layout only, no behaviour. Host and virtual SSD both include it.
 * Generated from spec/registers.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_NVME_REGS_H
#define SPEC_NVME_REGS_H

#include <stdint.h>

/* Offsets in BAR0. Section 3.1.4. */
enum nvme_reg {
	NVME_REG_CAP = 0x00, /* 64 bits: controller capabilities */
	NVME_REG_VS = 0x08, /* version */
	NVME_REG_INTMS = 0x0c, /* interrupt mask set */
	NVME_REG_INTMC = 0x10, /* interrupt mask clear */
	NVME_REG_CC = 0x14, /* controller configuration */
	NVME_REG_CSTS = 0x1c, /* controller status */
	NVME_REG_NSSR = 0x20, /* NVM subsystem reset */
	NVME_REG_AQA = 0x24, /* admin queue attributes */
	NVME_REG_ASQ = 0x28, /* 64 bits: admin submission queue base address */
	NVME_REG_ACQ = 0x30, /* 64 bits: admin completion queue base address */
	NVME_REG_CMBLOC = 0x38, /* controller memory buffer location */
	NVME_REG_CMBSZ = 0x3c, /* controller memory buffer size */
	NVME_REG_BPINFO = 0x40, /* boot partition information */
	NVME_REG_BPRSEL = 0x44, /* boot partition read select */
	NVME_REG_BPMBL = 0x48, /* 64 bits: boot partition memory buffer location */
	NVME_REG_CMBMSC = 0x50, /* 64 bits: controller memory buffer memory space control */
	NVME_REG_CMBSTS = 0x58, /* controller memory buffer status */
	NVME_REG_CMBEBS = 0x5c, /* controller memory buffer elasticity buffer size */
	NVME_REG_CMBSWTP = 0x60, /* controller memory buffer sustained write throughput */
	NVME_REG_NSSD = 0x64, /* NVM subsystem shutdown */
	NVME_REG_CRTO = 0x68, /* controller ready timeouts */
	NVME_REG_PMRCAP = 0xe00, /* persistent memory region capabilities */
	NVME_REG_PMRCTL = 0xe04, /* persistent memory region control */
	NVME_REG_PMRSTS = 0xe08, /* persistent memory region status */
	NVME_REG_PMREBS = 0xe0c, /* persistent memory region elasticity buffer size */
	NVME_REG_PMRSWTP = 0xe10, /* persistent memory region sustained write throughput */
	NVME_REG_PMRMSCL = 0xe14, /* persistent memory region memory space control, low */
	NVME_REG_PMRMSCU = 0xe18, /* persistent memory region memory space control, high */
	NVME_REG_DOORBELLS = 0x1000, /* SQ0TDBL; the others follow, (4 << CAP.DSTRD) bytes apart */
};

/* VS, and Identify's VER: major << 16 | minor << 8 | tertiary. Section 3.1.4.2. */
enum nvme_version {
	NVME_1_0 = 0x00010000,
	NVME_1_1 = 0x00010100,
	NVME_1_2 = 0x00010200,
	NVME_1_2_1 = 0x00010201,
	NVME_1_3 = 0x00010300,
	NVME_1_4 = 0x00010400,
	NVME_2_0 = 0x00020000,
	NVME_2_1 = 0x00020100,
};

/* CAP.CSS: the command sets, one a bit. Section 3.1.4.1. */
enum nvme_cap_css {
	NVME_CAP_CSS_NVM = 0x01,
	NVME_CAP_CSS_ALL = 0x40, /* all that CNS 1Ch lists */
	NVME_CAP_CSS_ADMIN = 0x80, /* none */
};

/* CC.CSS. Section 3.1.4.5. */
enum nvme_cc_css {
	NVME_CSS_NVM = 0,
	NVME_CSS_ALL = 6, /* all that feature 19h selects */
	NVME_CSS_ADMIN = 7, /* none */
};

/* A field of a register: its lowest bit and its width. NVME_GET and NVME_SET take its name. */
#define NVME_GET(value, field) (((uint64_t)(value) >> field##_SHIFT) & ((UINT64_C(1) << field##_WIDTH) - 1))
#define NVME_SET(v, field) (((uint64_t)(v) & ((UINT64_C(1) << field##_WIDTH) - 1)) << field##_SHIFT)

/* CAP, controller capabilities. Section 3.1.4.1. */
enum {
	NVME_CAP_MQES_SHIFT = 0,
	NVME_CAP_MQES_WIDTH = 16, /* largest queue, entries, 0's based */
	NVME_CAP_CQR_SHIFT = 16,
	NVME_CAP_CQR_WIDTH = 1, /* queues must be physically contiguous */
	NVME_CAP_AMS_SHIFT = 17,
	NVME_CAP_AMS_WIDTH = 2, /* arbitration: bit 0 WRR, bit 1 vendor */
	NVME_CAP_TO_SHIFT = 24,
	NVME_CAP_TO_WIDTH = 8, /* ready timeout, 500 ms */
	NVME_CAP_DSTRD_SHIFT = 32,
	NVME_CAP_DSTRD_WIDTH = 4, /* doorbell stride: 4 << DSTRD bytes */
	NVME_CAP_NSSRS_SHIFT = 36,
	NVME_CAP_NSSRS_WIDTH = 1, /* NVM subsystem reset supported */
	NVME_CAP_CSS_SHIFT = 37,
	NVME_CAP_CSS_WIDTH = 8, /* command sets: bit 0 NVM, 6 I/O sets, 7 admin only */
	NVME_CAP_BPS_SHIFT = 45,
	NVME_CAP_BPS_WIDTH = 1, /* boot partitions */
	NVME_CAP_CPS_SHIFT = 46,
	NVME_CAP_CPS_WIDTH = 2, /* power scope of the controller */
	NVME_CAP_MPSMIN_SHIFT = 48,
	NVME_CAP_MPSMIN_WIDTH = 4, /* smallest memory page: 2^(12+MPSMIN) */
	NVME_CAP_MPSMAX_SHIFT = 52,
	NVME_CAP_MPSMAX_WIDTH = 4, /* largest memory page: 2^(12+MPSMAX) */
	NVME_CAP_PMRS_SHIFT = 56,
	NVME_CAP_PMRS_WIDTH = 1, /* persistent memory region */
	NVME_CAP_CMBS_SHIFT = 57,
	NVME_CAP_CMBS_WIDTH = 1, /* controller memory buffer */
	NVME_CAP_NSSS_SHIFT = 58,
	NVME_CAP_NSSS_WIDTH = 1, /* NVM subsystem shutdown */
	NVME_CAP_CRMS_SHIFT = 59,
	NVME_CAP_CRMS_WIDTH = 2, /* bit 0 with media (CRWMS), bit 1 independent (CRIMS) */
};

/* CC, controller configuration. Section 3.1.4.5. */
enum {
	NVME_CC_EN_SHIFT = 0,
	NVME_CC_EN_WIDTH = 1, /* enable */
	NVME_CC_CSS_SHIFT = 4,
	NVME_CC_CSS_WIDTH = 3, /* command set, enum nvme_cc_css */
	NVME_CC_MPS_SHIFT = 7,
	NVME_CC_MPS_WIDTH = 4, /* memory page: 2^(12+MPS) bytes */
	NVME_CC_AMS_SHIFT = 11,
	NVME_CC_AMS_WIDTH = 3, /* arbitration, enum nvme_ams */
	NVME_CC_SHN_SHIFT = 14,
	NVME_CC_SHN_WIDTH = 2, /* 01b normal, 10b abrupt shutdown, enum nvme_shn */
	NVME_CC_IOSQES_SHIFT = 16,
	NVME_CC_IOSQES_WIDTH = 4, /* 6: entries of 64 bytes */
	NVME_CC_IOCQES_SHIFT = 20,
	NVME_CC_IOCQES_WIDTH = 4, /* 4: entries of 16 bytes */
	NVME_CC_CRIME_SHIFT = 24,
	NVME_CC_CRIME_WIDTH = 1, /* ready independent of media */
};

/* CSTS, controller status. Section 3.1.4.6. */
enum {
	NVME_CSTS_RDY_SHIFT = 0,
	NVME_CSTS_RDY_WIDTH = 1, /* ready */
	NVME_CSTS_CFS_SHIFT = 1,
	NVME_CSTS_CFS_WIDTH = 1, /* controller fatal status */
	NVME_CSTS_SHST_SHIFT = 2,
	NVME_CSTS_SHST_WIDTH = 2, /* 00b none, 01b in progress, 10b complete, enum nvme_shst */
	NVME_CSTS_NSSRO_SHIFT = 4,
	NVME_CSTS_NSSRO_WIDTH = 1, /* subsystem reset occurred, write 1 to clear */
	NVME_CSTS_PP_SHIFT = 5,
	NVME_CSTS_PP_WIDTH = 1, /* processing is paused */
	NVME_CSTS_ST_SHIFT = 6,
	NVME_CSTS_ST_WIDTH = 1, /* SHST is of a shutdown of the subsystem */
};

/* AQA, admin queue attributes. Section 3.1.4.8. */
enum {
	NVME_AQA_ASQS_SHIFT = 0,
	NVME_AQA_ASQS_WIDTH = 12, /* submission queue, entries, 0's based */
	NVME_AQA_ACQS_SHIFT = 16,
	NVME_AQA_ACQS_WIDTH = 12, /* completion queue, entries, 0's based */
};

/* CMBLOC, controller memory buffer location. Section 3.1.4.11. */
enum {
	NVME_CMBLOC_BIR_SHIFT = 0,
	NVME_CMBLOC_BIR_WIDTH = 3, /* which BAR */
	NVME_CMBLOC_OFST_SHIFT = 12,
	NVME_CMBLOC_OFST_WIDTH = 20, /* offset, CMBSZ.SZU */
};

/* CMBSZ, controller memory buffer size. Section 3.1.4.12. */
enum {
	NVME_CMBSZ_SQS_SHIFT = 0,
	NVME_CMBSZ_SQS_WIDTH = 1, /* submission queues may be there */
	NVME_CMBSZ_CQS_SHIFT = 1,
	NVME_CMBSZ_CQS_WIDTH = 1, /* completion queues may be there */
	NVME_CMBSZ_LISTS_SHIFT = 2,
	NVME_CMBSZ_LISTS_WIDTH = 1, /* PRP and SGL lists */
	NVME_CMBSZ_RDS_SHIFT = 3,
	NVME_CMBSZ_RDS_WIDTH = 1, /* data from the controller */
	NVME_CMBSZ_WDS_SHIFT = 4,
	NVME_CMBSZ_WDS_WIDTH = 1, /* data to the controller */
	NVME_CMBSZ_SZU_SHIFT = 8,
	NVME_CMBSZ_SZU_WIDTH = 4, /* units of 4 KiB × 16^SZU, up to 6 */
	NVME_CMBSZ_SZ_SHIFT = 12,
	NVME_CMBSZ_SZ_WIDTH = 20, /* size, SZU */
};

/* CMBMSC, controller memory buffer memory space control. Section 3.1.4.16. */
#define NVME_CMBMSC_CRE 0x1u /* capability registers enabled */
#define NVME_CMBMSC_CMSE 0x2u /* memory space enabled */

/* CMBSTS, controller memory buffer status. Section 3.1.4.17. */
#define NVME_CMBSTS_CBAI 0x1u /* the address of CMBMSC is invalid */

/* CRTO, controller ready timeouts. Section 3.1.4.21. */
enum {
	NVME_CRTO_CRWMT_SHIFT = 0,
	NVME_CRTO_CRWMT_WIDTH = 16, /* ready with media timeout, 500 ms */
	NVME_CRTO_CRIMT_SHIFT = 16,
	NVME_CRTO_CRIMT_WIDTH = 16, /* ready independent of media timeout, 500 ms */
};

/* CC.AMS. Section 3.1.4.5. */
enum nvme_ams {
	NVME_AMS_ROUND_ROBIN = 0,
	NVME_AMS_WEIGHTED_ROUND_ROBIN = 1, /* with an urgent priority class */
	NVME_AMS_VENDOR = 7, /* vendor specific */
};

/* CC.SHN. Section 3.1.4.5. */
enum nvme_shn {
	NVME_SHN_NONE = 0,
	NVME_SHN_NORMAL = 1,
	NVME_SHN_ABRUPT = 2,
};

/* CSTS.SHST. Section 3.1.4.6. */
enum nvme_shst {
	NVME_SHST_NORMAL = 0, /* no shutdown was asked for */
	NVME_SHST_OCCURRING = 1,
	NVME_SHST_COMPLETE = 2,
};

#define NVME_NSSR_RESET UINT32_C(0x4e564d65) /* "NVMe": the value that resets the subsystem */
#define NVME_NSSD_NORMAL UINT32_C(0x4e726d6c) /* "Nrml": the value that shuts the subsystem down */
#define NVME_NSSD_ABRUPT UINT32_C(0x41627074) /* "Abpt": the value that shuts the subsystem down abruptly */

/* Byte offset in BAR0 of the tail doorbell of an SQ and the head doorbell of a CQ. */
static inline uint32_t nvme_sq_doorbell(uint16_t qid, uint8_t dstrd)
{
	return NVME_REG_DOORBELLS + (uint32_t)(2 * qid) * (4u << dstrd);
}

static inline uint32_t nvme_cq_doorbell(uint16_t qid, uint8_t dstrd)
{
	return NVME_REG_DOORBELLS + (uint32_t)(2 * qid + 1) * (4u << dstrd);
}

#endif
