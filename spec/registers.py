# SPDX-License-Identifier: BSD-3-Clause
"""Registers of an NVMe controller in BAR0.

Section numbers are those of Base 2.1 and of the PCIe Transport Specification 1.1.
"""

from __future__ import annotations

from spec.schema import BitGroup, Bits, Code, Constant, Enum, Header, Table, Value, Word

REGISTER = Enum(
    "Register",
    "nvme_reg",
    "NVME_REG_",
    (
        Value("cap", 0x00, "64 bits: controller capabilities"),
        Value("vs", 0x08, "version"),
        Value("intms", 0x0C, "interrupt mask set"),
        Value("intmc", 0x10, "interrupt mask clear"),
        Value("cc", 0x14, "controller configuration"),
        Value("csts", 0x1C, "controller status"),
        Value("nssr", 0x20, "NVM subsystem reset", since="1.1"),
        Value("aqa", 0x24, "admin queue attributes"),
        Value("asq", 0x28, "64 bits: admin submission queue base address"),
        Value("acq", 0x30, "64 bits: admin completion queue base address"),
        Value("cmbloc", 0x38, "controller memory buffer location", since="1.2"),
        Value("cmbsz", 0x3C, "controller memory buffer size", since="1.2"),
        Value("bpinfo", 0x40, "boot partition information", since="1.3"),
        Value("bprsel", 0x44, "boot partition read select", since="1.3"),
        Value("bpmbl", 0x48, "64 bits: boot partition memory buffer location", since="1.3"),
        Value("cmbmsc", 0x50, "64 bits: controller memory buffer memory space control", since="1.4"),
        Value("cmbsts", 0x58, "controller memory buffer status", since="1.4"),
        Value("cmbebs", 0x5C, "controller memory buffer elasticity buffer size", since="2.0"),
        Value("cmbswtp", 0x60, "controller memory buffer sustained write throughput", since="2.0"),
        Value("nssd", 0x64, "NVM subsystem shutdown", since="2.0"),
        Value("crto", 0x68, "controller ready timeouts", since="2.0"),
        Value("pmrcap", 0xE00, "persistent memory region capabilities", since="1.4"),
        Value("pmrctl", 0xE04, "persistent memory region control", since="1.4"),
        Value("pmrsts", 0xE08, "persistent memory region status", since="1.4"),
        Value("pmrebs", 0xE0C, "persistent memory region elasticity buffer size", since="1.4"),
        Value("pmrswtp", 0xE10, "persistent memory region sustained write throughput", since="1.4"),
        Value("pmrmscl", 0xE14, "persistent memory region memory space control, low", since="1.4"),
        Value("pmrmscu", 0xE18, "persistent memory region memory space control, high", since="1.4"),
        Value("doorbells", 0x1000, "SQ0TDBL; the others follow, (4 << CAP.DSTRD) bytes apart"),
    ),
    text="Offsets in BAR0",
    section="3.1.4",
)

VERSION_NUMBER = Enum(
    "Version",
    "nvme_version",
    "NVME_",
    (
        Value("V1_0", 0x00010000, c="1_0"),
        Value("V1_1", 0x00010100, c="1_1"),
        Value("V1_2", 0x00010200, c="1_2"),
        Value("V1_2_1", 0x00010201, c="1_2_1"),
        Value("V1_3", 0x00010300, c="1_3"),
        Value("V1_4", 0x00010400, c="1_4"),
        Value("V2_0", 0x00020000, c="2_0"),
        Value("V2_1", 0x00020100, c="2_1"),
    ),
    text="VS, and Identify's VER: major << 16 | minor << 8 | tertiary",
    section="3.1.4.2",
    digits=8,
)

CAP_CSS = Enum(
    "CapCommandSets",
    "nvme_cap_css",
    "NVME_CAP_CSS_",
    (Value("nvm", 0x01), Value("all", 0x40, "all that CNS 1Ch lists"), Value("admin", 0x80, "none")),
    text="CAP.CSS: the command sets, one a bit",
    section="3.1.4.1",
)

CC_CSS = Enum(
    "CcCommandSet",
    "nvme_cc_css",
    "NVME_CSS_",
    (Value("nvm", 0), Value("all", 6, "all that feature 19h selects"), Value("admin", 7, "none")),
    text="CC.CSS",
    section="3.1.4.5",
    digits=0,
)

AMS = Enum(
    "ArbitrationMechanism",
    "nvme_ams",
    "NVME_AMS_",
    (
        Value("round_robin", 0),
        Value("weighted_round_robin", 1, "with an urgent priority class"),
        Value("vendor", 7, "vendor specific"),
    ),
    text="CC.AMS",
    section="3.1.4.5",
    digits=0,
)

SHN = Enum(
    "ShutdownNotification",
    "nvme_shn",
    "NVME_SHN_",
    (Value("none", 0), Value("normal", 1), Value("abrupt", 2)),
    text="CC.SHN",
    section="3.1.4.5",
    digits=0,
)

SHST = Enum(
    "ShutdownStatus",
    "nvme_shst",
    "NVME_SHST_",
    (Value("normal", 0, "no shutdown was asked for"), Value("occurring", 1), Value("complete", 2)),
    text="CSTS.SHST",
    section="3.1.4.6",
    digits=0,
)

CAP = Word(
    "Cap",
    8,
    (
        Bits("mqes", 0, 15, "largest queue, entries", c="NVME_CAP_MQES", style="field", zeroes_based=True),
        Bits("cqr", 16, text="queues must be physically contiguous", c="NVME_CAP_CQR", style="field"),
        Bits("ams", 17, 18, "arbitration: bit 0 WRR, bit 1 vendor", c="NVME_CAP_AMS", style="field"),
        Bits("to", 24, 31, "ready timeout", unit="500 ms", c="NVME_CAP_TO", style="field"),
        Bits("dstrd", 32, 35, "doorbell stride: 4 << DSTRD bytes", c="NVME_CAP_DSTRD", style="field"),
        Bits("nssrs", 36, text="NVM subsystem reset supported", c="NVME_CAP_NSSRS", style="field"),
        Bits("css", 37, 44, "command sets: bit 0 NVM, 6 I/O sets, 7 admin only", c="NVME_CAP_CSS", style="field"),
        Bits("bps", 45, text="boot partitions", c="NVME_CAP_BPS", style="field", since="1.3"),
        Bits("cps", 46, 47, "power scope of the controller", c="NVME_CAP_CPS", style="field", since="2.0"),
        Bits("mpsmin", 48, 51, "smallest memory page: 2^(12+MPSMIN)", c="NVME_CAP_MPSMIN", style="field"),
        Bits("mpsmax", 52, 55, "largest memory page: 2^(12+MPSMAX)", c="NVME_CAP_MPSMAX", style="field"),
        Bits("pmrs", 56, text="persistent memory region", c="NVME_CAP_PMRS", style="field", since="1.4"),
        Bits("cmbs", 57, text="controller memory buffer", c="NVME_CAP_CMBS", style="field", since="1.4"),
        Bits("nsss", 58, text="NVM subsystem shutdown", c="NVME_CAP_NSSS", style="field", since="2.0"),
        Bits(
            "crms",
            59,
            60,
            "bit 0 with media (CRWMS), bit 1 independent (CRIMS)",
            c="NVME_CAP_CRMS",
            style="field",
            since="2.0",
        ),
        Bits("nsses", 61, text="NVM subsystem shutdown enhancements", since="2.1"),
    ),
    text="CAP, controller capabilities",
    section="3.1.4.1",
)

VS = Word(
    "Vs",
    4,
    (Bits("ter", 0, 7, "tertiary"), Bits("mnr", 8, 15, "minor"), Bits("mjr", 16, 31, "major")),
    text="VS, version",
    section="3.1.4.2",
)

CC = Word(
    "Cc",
    4,
    (
        Bits("en", 0, text="enable", c="NVME_CC_EN", style="field"),
        Bits("css", 4, 6, "command set", c="NVME_CC_CSS", style="field", values=CC_CSS),
        Bits("mps", 7, 10, "memory page: 2^(12+MPS) bytes", c="NVME_CC_MPS", style="field"),
        Bits("ams", 11, 13, "arbitration", c="NVME_CC_AMS", style="field", values=AMS),
        Bits("shn", 14, 15, "01b normal, 10b abrupt shutdown", c="NVME_CC_SHN", style="field", values=SHN),
        Bits("iosqes", 16, 19, "6: entries of 64 bytes", c="NVME_CC_IOSQES", style="field"),
        Bits("iocqes", 20, 23, "4: entries of 16 bytes", c="NVME_CC_IOCQES", style="field"),
        Bits(
            "crime",
            24,
            text="ready independent of media",
            c="NVME_CC_CRIME",
            style="field",
            since="2.0",
        ),
    ),
    text="CC, controller configuration",
    section="3.1.4.5",
)

CSTS = Word(
    "Csts",
    4,
    (
        Bits("rdy", 0, text="ready", c="NVME_CSTS_RDY", style="field"),
        Bits("cfs", 1, text="controller fatal status", c="NVME_CSTS_CFS", style="field"),
        Bits(
            "shst",
            2,
            3,
            "00b none, 01b in progress, 10b complete",
            c="NVME_CSTS_SHST",
            style="field",
            values=SHST,
        ),
        Bits(
            "nssro",
            4,
            text="subsystem reset occurred, write 1 to clear",
            c="NVME_CSTS_NSSRO",
            style="field",
        ),
        Bits("pp", 5, text="processing is paused", c="NVME_CSTS_PP", style="field", since="1.2"),
        Bits(
            "st",
            6,
            text="SHST is of a shutdown of the subsystem",
            c="NVME_CSTS_ST",
            style="field",
            since="2.0",
        ),
    ),
    text="CSTS, controller status",
    section="3.1.4.6",
)

AQA = Word(
    "Aqa",
    4,
    (
        Bits("asqs", 0, 11, "submission queue, entries", c="NVME_AQA_ASQS", style="field", zeroes_based=True),
        Bits("acqs", 16, 27, "completion queue, entries", c="NVME_AQA_ACQS", style="field", zeroes_based=True),
    ),
    text="AQA, admin queue attributes",
    section="3.1.4.8",
)

CMBLOC = Word(
    "Cmbloc",
    4,
    (
        Bits("bir", 0, 2, "which BAR", c="NVME_CMBLOC_BIR", style="field"),
        Bits("cqmms", 3, text="queues may mix memory"),
        Bits("cqpds", 4, text="queues may be discontiguous"),
        Bits("cdpmls", 5, text="data pointers may mix locations"),
        Bits("cdpcils", 6, text="data pointers and commands are independent"),
        Bits("cdmmms", 7, text="data may mix memory"),
        Bits("cqda", 8, text="queues need no alignment to dwords"),
        Bits("ofst", 12, 31, "offset", unit="CMBSZ.SZU", c="NVME_CMBLOC_OFST", style="field"),
    ),
    text="CMBLOC, controller memory buffer location",
    section="3.1.4.11",
)

CMBSZ = Word(
    "Cmbsz",
    4,
    (
        Bits("sqs", 0, text="submission queues may be there", c="NVME_CMBSZ_SQS", style="field"),
        Bits("cqs", 1, text="completion queues may be there", c="NVME_CMBSZ_CQS", style="field"),
        Bits("lists", 2, text="PRP and SGL lists", c="NVME_CMBSZ_LISTS", style="field"),
        Bits("rds", 3, text="data from the controller", c="NVME_CMBSZ_RDS", style="field"),
        Bits("wds", 4, text="data to the controller", c="NVME_CMBSZ_WDS", style="field"),
        Bits("szu", 8, 11, "units of 4 KiB × 16^SZU, up to 6", c="NVME_CMBSZ_SZU", style="field"),
        Bits("sz", 12, 31, "size", unit="SZU", c="NVME_CMBSZ_SZ", style="field"),
    ),
    text="CMBSZ, controller memory buffer size",
    section="3.1.4.12",
)

BPINFO = Word(
    "Bpinfo",
    4,
    (
        Bits("bpsz", 0, 14, "size", unit="128 KiB"),
        Bits("brs", 24, 25, "read: 0 none, 1 in progress, 2 done, 3 failed"),
        Bits("abpid", 31, text="active boot partition"),
    ),
    text="BPINFO, boot partition information",
    section="3.1.4.13",
)

BPRSEL = Word(
    "Bprsel",
    4,
    (
        Bits("bprsz", 0, 9, "bytes to read", unit="4 KiB"),
        Bits("bprof", 10, 29, "offset", unit="4 KiB"),
        Bits("bpid", 31, text="boot partition"),
    ),
    text="BPRSEL, boot partition read select",
    section="3.1.4.14",
)

CMBMSC = Word(
    "Cmbmsc",
    8,
    (
        Bits("cre", 0, text="capability registers enabled", c="NVME_CMBMSC_CRE"),
        Bits("cmse", 1, text="memory space enabled", c="NVME_CMBMSC_CMSE"),
        Bits("cba", 12, 63, "address", unit="4 KiB"),
    ),
    text="CMBMSC, controller memory buffer memory space control",
    section="3.1.4.16",
)

CMBSTS = Word(
    "Cmbsts",
    4,
    (Bits("cbai", 0, text="the address of CMBMSC is invalid", c="NVME_CMBSTS_CBAI"),),
    text="CMBSTS, controller memory buffer status",
    section="3.1.4.17",
)

THROUGHPUT_UNITS = (
    Bits("swtu", 0, 3, "unit: 0 bytes, 1 KiB, 2 MiB, 3 GiB a second"),
    Bits("swtv", 8, 31, "throughput"),
)

CMBEBS = Word(
    "Cmbebs",
    4,
    (
        Bits("cmbszu", 0, 3, "unit: 0 bytes, 1 KiB, 2 MiB, 3 GiB"),
        Bits("rbb", 4, text="reads of the buffer do not wait"),
        Bits("cmbwbz", 8, 31, "size"),
    ),
    text="CMBEBS, controller memory buffer elasticity buffer size",
    section="3.1.4.18",
)

CMBSWTP = Word(
    "Cmbswtp",
    4,
    THROUGHPUT_UNITS,
    text="CMBSWTP, controller memory buffer sustained write throughput",
    section="3.1.4.19",
)

CRTO = Word(
    "Crto",
    4,
    (
        Bits("crwmt", 0, 15, "ready with media timeout", unit="500 ms", c="NVME_CRTO_CRWMT", style="field"),
        Bits("crimt", 16, 31, "ready independent of media timeout", unit="500 ms", c="NVME_CRTO_CRIMT", style="field"),
    ),
    text="CRTO, controller ready timeouts",
    section="3.1.4.21",
)

PMRCAP = Word(
    "Pmrcap",
    4,
    (
        Bits("rds", 3, text="data from the controller"),
        Bits("wds", 4, text="data to the controller"),
        Bits("bir", 5, 7, "which BAR"),
        Bits("pmrtu", 8, 9, "unit of PMRTO: 0 500 ms, 1 minutes"),
        Bits("pmrwbm", 10, 13, "write barrier: bit 0 a read of memory, bit 1 a read of PMRSTS"),
        Bits("pmrto", 16, 23, "timeout", unit="PMRTU"),
        Bits("cmss", 24, text="controller memory space"),
    ),
    text="PMRCAP, persistent memory region capabilities",
    section="3.1.4.22",
)

PMRCTL = Word(
    "Pmrctl",
    4,
    (Bits("en", 0, text="enable"),),
    text="PMRCTL, persistent memory region control",
    section="3.1.4.23",
)

PMRSTS = Word(
    "Pmrsts",
    4,
    (
        Bits("err", 0, 7, "errors of the latest write"),
        Bits("nrdy", 8, text="not ready"),
        Bits("hsts", 9, 11, "health: 0 normal, 1 restore error, 2 read-only, 3 unreliable"),
        Bits("cbai", 12, text="the address of PMRMSC is invalid"),
    ),
    text="PMRSTS, persistent memory region status",
    section="3.1.4.24",
)

PMREBS = Word(
    "Pmrebs",
    4,
    (
        Bits("pmrszu", 0, 3, "unit: 0 bytes, 1 KiB, 2 MiB, 3 GiB"),
        Bits("rbb", 4, text="reads of the region do not wait"),
        Bits("pmrwbz", 8, 31, "size"),
    ),
    text="PMREBS, persistent memory region elasticity buffer size",
    section="3.1.4.25",
)

PMRSWTP = Word(
    "Pmrswtp",
    4,
    THROUGHPUT_UNITS,
    text="PMRSWTP, persistent memory region sustained write throughput",
    section="3.1.4.26",
)

PMRMSCL = Word(
    "Pmrmscl",
    4,
    (Bits("cmse", 1, text="memory space enabled"), Bits("cba", 12, 31, "address, low", unit="4 KiB")),
    text="PMRMSCL, persistent memory region memory space control, low",
    section="3.1.4.27",
)

WORDS_AT = Table(
    "REGISTERS",
    "What is in a register, by its offset in BAR0.",
    {
        0x00: CAP,
        0x08: VS,
        0x14: CC,
        0x1C: CSTS,
        0x24: AQA,
        0x38: CMBLOC,
        0x3C: CMBSZ,
        0x40: BPINFO,
        0x44: BPRSEL,
        0x50: CMBMSC,
        0x58: CMBSTS,
        0x5C: CMBEBS,
        0x60: CMBSWTP,
        0x68: CRTO,
        0xE00: PMRCAP,
        0xE04: PMRCTL,
        0xE08: PMRSTS,
        0xE0C: PMREBS,
        0xE10: PMRSWTP,
        0xE14: PMRMSCL,
    },
)


def _in_c(word: Word) -> BitGroup:
    """The bits that have a name in C."""
    return BitGroup(tuple(bits for bits in word.bits if bits.c), word.text, word.section)


HEADERS = (
    Header(
        "nvme_regs.h",
        "Offsets and fields of the registers of an NVMe controller in BAR0.\n"
        "NVM Express Base Specification 2.1, section 3.1.4; PCIe Transport Specification 1.1, section 3.1.2 "
        "(doorbells).\n"
        "Layout only, no behaviour. Host and virtual SSD both include it.",
        (
            REGISTER,
            VERSION_NUMBER,
            CAP_CSS,
            CC_CSS,
            Code(
                "/* A field of a register: its lowest bit and its width. NVME_GET and NVME_SET take its name. */\n"
                "#define NVME_GET(value, field) "
                "(((uint64_t)(value) >> field##_SHIFT) & ((UINT64_C(1) << field##_WIDTH) - 1))\n"
                "#define NVME_SET(v, field) "
                "(((uint64_t)(v) & ((UINT64_C(1) << field##_WIDTH) - 1)) << field##_SHIFT)"
            ),
            *(_in_c(word) for word in (CAP, CC, CSTS, AQA, CMBLOC, CMBSZ, CMBMSC, CMBSTS, CRTO)),
            AMS,
            SHN,
            SHST,
            Constant(
                "NVME_NSSR_RESET",
                0x4E564D65,
                '"NVMe": the value that resets the subsystem',
                form="UINT32_C({:#x})",
            ),
            Constant(
                "NVME_NSSD_NORMAL",
                0x4E726D6C,
                '"Nrml": the value that shuts the subsystem down',
                form="UINT32_C({:#x})",
            ),
            Constant(
                "NVME_NSSD_ABRUPT",
                0x41627074,
                '"Abpt": the value that shuts the subsystem down abruptly',
                form="UINT32_C({:#x})",
            ),
            Code(
                "/* Byte offset in BAR0 of the tail doorbell of an SQ and the head doorbell of a CQ. */\n"
                "static inline uint32_t nvme_sq_doorbell(uint16_t qid, uint8_t dstrd)\n"
                "{\n"
                "\treturn NVME_REG_DOORBELLS + (uint32_t)(2 * qid) * (4u << dstrd);\n"
                "}\n"
                "\n"
                "static inline uint32_t nvme_cq_doorbell(uint16_t qid, uint8_t dstrd)\n"
                "{\n"
                "\treturn NVME_REG_DOORBELLS + (uint32_t)(2 * qid + 1) * (4u << dstrd);\n"
                "}"
            ),
        ),
    ),
)
