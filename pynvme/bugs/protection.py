# SPDX-License-Identifier: BSD-3-Clause
"""H: metadata and protection information."""

from __future__ import annotations

from pynvme.bugs.bug import Bug

CHECKS = "NVM 1.0, 5.2.2 Control of Protection Information Checking, PRCHK"
ACTION = "NVM 1.0, 5.2.2 The PRACT Bit"
AREA = ("protection",)
ON = {"protection": True}

BUGS = (
    Bug(
        "H1",
        "guard-of-writes-unchecked",
        "A write whose guard is wrong is stored",
        "The drive checks guards of reads only, so that it stores data that were damaged on their way.",
        CHECKS,
        ("opcode=write do set cdw12[28:28]=0",),
        ON,
        areas=AREA,
    ),
    Bug(
        "H2",
        "guard-of-reads-unchecked",
        "A read returns an LBA whose guard is wrong",
        "The drive checks guards when data come in, and trusts its medium afterwards.",
        CHECKS,
        ("opcode=read do set cdw12[28:28]=0",),
        ON,
        areas=AREA,
    ),
    Bug(
        "H3",
        "guard-unchecked-by-verify",
        "Verify finds no wrong guard",
        "Verify reads the LBAs to exercise the error correction, and ignores protection information.",
        "NVM 1.0, 3.2.5 Verify, PRINFO",
        ("opcode=verify do set cdw12[29:26]=0",),
        ON,
        areas=AREA,
    ),
    Bug(
        "H4",
        "application-mask-ignored",
        "All bits of the application tag are checked",
        "The mask is taken to be all ones. A read fails although the bits differ that its mask leaves out.",
        CHECKS,
        ("opcode=read do set cdw15[31:16]=0xffff",),
        ON,
        areas=AREA,
    ),
    Bug(
        "H5",
        "application-tag-unchecked",
        "The application tag is never checked",
        "The bit of PRCHK is ignored, and so are the tag and its mask.",
        CHECKS,
        ("opcode=read do set cdw12[27:27]=0", "opcode=write do set cdw12[27:27]=0"),
        ON,
        areas=AREA,
    ),
    Bug(
        "H6",
        "reference-tag-unchecked",
        "The reference tag is never checked",
        "The bit of PRCHK is ignored. A read returns an LBA that was written to another place.",
        CHECKS,
        ("opcode=read do set cdw12[26:26]=0", "opcode=write do set cdw12[26:26]=0"),
        ON,
        areas=AREA,
        market=True,
    ),
    Bug(
        "H7",
        "inserted-reference-tag-is-0",
        "PRACT inserts reference tags that count from 0",
        "The drive makes protection information with the index of the LBA in the command.",
        ACTION,
        ("opcode=write cdw12[29:29]=1 do set cdw14=0",),
        ON,
        areas=AREA,
    ),
    Bug(
        "H8",
        "inserted-application-tag-is-0",
        "PRACT inserts an application tag of 0",
        "LBAT is ignored when the drive makes protection information.",
        ACTION,
        ("opcode=write cdw12[29:29]=1 do set cdw15[15:0]=0",),
        ON,
        areas=AREA,
    ),
    Bug(
        "H9",
        "zeroes-without-protection",
        "Write Zeroes with PRACT leaves protection information of zeros",
        "The LBAs are zeroed in the map, without tuples. A read that checks reference tags fails.",
        "NVM 1.0, 3.2.8 Write Zeroes, PRINFO",
        ("opcode=write-zeroes do set cdw12[29:29]=0",),
        ON,
        areas=AREA,
    ),
    Bug(
        "H10",
        "metadata-bit-lost",
        "A bit of stored metadata flips now and then",
        "The metadata lie outside of what the error correction covers, and every third write damages them.",
        "NVM 1.0, 5.2.1 Metadata",
        ("opcode=write every=3 do flip byte=3 metadata=1",),
        ON,
        areas=AREA,
    ),
    Bug(
        "H11",
        "metadata-lose-a-bit",
        "The first byte of metadata behind 512 bytes has a wrong bit",
        "The engine that puts metadata behind the data of each LBA writes a bit of its descriptor into the "
        "first byte behind the first sector of larger transfers.",
        "NVM 1.0, 5.1 Metadata Handling",
        ("opcode=read nlb>=8 do flip byte=512",),
        ON,
        areas=("metadata",),
    ),
)
