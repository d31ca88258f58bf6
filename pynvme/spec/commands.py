# SPDX-License-Identifier: BSD-3-Clause
"""Commands, with their names, fields, lengths of data, and effects.

Generated from spec/commands.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum
from pynvme.structure import Alias, Bit, Elements, Field, Kelvin, Nested, Number
from pynvme.structure import Raw, Rest, Text, WordAt
from pynvme.structure import Structure as _Structure
from pynvme.structure import Word as _Word


class AdminOpcode(IntEnum):
    """Opcodes of admin commands."""

    DELETE_SQ = 0x00
    CREATE_SQ = 0x01
    GET_LOG_PAGE = 0x02
    DELETE_CQ = 0x04
    CREATE_CQ = 0x05
    IDENTIFY = 0x06
    ABORT = 0x08
    SET_FEATURES = 0x09
    GET_FEATURES = 0x0A
    ASYNC_EVENT = 0x0C
    NS_MANAGEMENT = 0x0D
    FW_COMMIT = 0x10
    FW_DOWNLOAD = 0x11
    SELF_TEST = 0x14
    NS_ATTACHMENT = 0x15
    KEEP_ALIVE = 0x18
    DIRECTIVE_SEND = 0x19
    DIRECTIVE_RECEIVE = 0x1A
    VIRTUALIZATION = 0x1C
    MI_SEND = 0x1D  # carries a command of another interface, which may change any data
    MI_RECEIVE = 0x1E
    CAPACITY_MANAGEMENT = 0x20
    LOCKDOWN = 0x24
    TRACK_SEND = 0x3D
    TRACK_RECEIVE = 0x3E
    MIGRATION_SEND = 0x41  # may load another state into a controller
    MIGRATION_RECEIVE = 0x42
    CONTROLLER_DATA_QUEUE = 0x45
    DOORBELL_BUFFER_CONFIG = 0x7C
    FORMAT_NVM = 0x80
    SECURITY_SEND = 0x81  # may erase by a change of keys
    SECURITY_RECEIVE = 0x82
    SANITIZE = 0x84
    GET_LBA_STATUS = 0x86


class IoOpcode(IntEnum):
    """Opcodes of the NVM and the Zoned Namespace Command Set."""

    FLUSH = 0x00
    WRITE = 0x01
    READ = 0x02
    WRITE_UNCORRECTABLE = 0x04
    COMPARE = 0x05
    WRITE_ZEROES = 0x08
    DSM = 0x09
    VERIFY = 0x0C
    RESERVATION_REGISTER = 0x0D
    RESERVATION_REPORT = 0x0E
    RESERVATION_ACQUIRE = 0x11
    MANAGEMENT_RECEIVE = 0x12
    RESERVATION_RELEASE = 0x15
    CANCEL = 0x18
    COPY = 0x19  # source ranges of formats 1h and 3h are 40 bytes long
    MANAGEMENT_SEND = 0x1D
    ZONE_MGMT_SEND = 0x79
    ZONE_MGMT_RECEIVE = 0x7A
    ZONE_APPEND = 0x7D


class KvOpcode(IntEnum):
    """Opcodes of the Key Value Command Set."""

    STORE = 0x01
    RETRIEVE = 0x02
    LIST = 0x06
    DELETE = 0x10
    EXIST = 0x14


class SubmissionQueueEntry(_Structure):
    """Submission queue entry, 64 bytes. Section 3.3.3.1. 64 bytes.

    opc        0  dword 0 bits 7:0
    flags      1  dword 0 bits 15:8: FUSE in bits 1:0, PSDT in bits 7:6
    cid      3:2  dword 0 bits 31:16
    nsid     7:4
    cdw2    11:8
    cdw3   15:12
    mptr   23:16  metadata pointer
    prp1   31:24
    prp2   39:32
    cdw10  43:40
    cdw11  47:44
    cdw12  51:48
    cdw13  55:52
    cdw14  59:56
    cdw15  63:60
    """

    SIZE = 64
    TEXT = "Submission queue entry, 64 bytes"

    opc = Field(0, Number(1), "dword 0 bits 7:0")
    flags = Field(1, Number(1), "dword 0 bits 15:8: FUSE in bits 1:0, PSDT in bits 7:6")
    cid = Field(2, Number(2), "dword 0 bits 31:16")
    nsid = Field(4, Number(4))
    cdw2 = Field(8, Number(4))
    cdw3 = Field(12, Number(4))
    mptr = Field(16, Number(8), "metadata pointer", hex=True)
    prp1 = Field(24, Number(8), hex=True)
    prp2 = Field(32, Number(8), hex=True)
    cdw10 = Field(40, Number(4))
    cdw11 = Field(44, Number(4))
    cdw12 = Field(48, Number(4))
    cdw13 = Field(52, Number(4))
    cdw14 = Field(56, Number(4))
    cdw15 = Field(60, Number(4))


class CompletionQueueEntry(_Structure):
    """Completion queue entry, 16 bytes. Section 3.3.3.2. 16 bytes.

    cdw0      3:0  command specific
    cdw1      7:4
    sqhd      9:8  SQ head pointer
    sqid    11:10
    cid     13:12
    status  15:14  dword 3 bits 31:16: P, SC, SCT, CRD, M, DNR, see NVME_STATUS_*
    """

    SIZE = 16
    TEXT = "Completion queue entry, 16 bytes"

    cdw0 = Field(0, Number(4), "command specific")
    cdw1 = Field(4, Number(4))
    sqhd = Field(8, Number(2), "SQ head pointer")
    sqid = Field(10, Number(2))
    cid = Field(12, Number(2))
    status = Field(14, Number(2), "dword 3 bits 31:16: P, SC, SCT, CRD, M, DNR, see NVME_STATUS_*")


class DsmRange(_Structure):
    """Dataset Management: one range, 16 bytes. 16 bytes.

    attr   3:0  context attributes
    nlb    7:4  length in LBAs, not 0's based
    slba  15:8
    """

    SIZE = 16
    TEXT = "Dataset Management: one range, 16 bytes"

    attr = Field(0, Number(4), "context attributes")
    nlb = Field(4, Number(4), "length in LBAs, not 0's based")
    slba = Field(8, Number(8))


class CopyRange(_Structure):
    """Copy: a source range of format 0h. Section NVM 3.3.2. 32 bytes.

    slba     15:8
    nlb     17:16  how many LBAs, 0's based
    elbt    27:24  expected initial reference tag
    elbat   29:28  expected application tag
    elbatm  31:30  its mask
    """

    SIZE = 32
    TEXT = "Copy: a source range of format 0h"

    slba = Field(8, Number(8))
    nlb = Field(16, Number(2), "how many LBAs", zeroes_based=True)
    elbt = Field(24, Number(4), "expected initial reference tag")
    elbat = Field(28, Number(2), "expected application tag")
    elbatm = Field(30, Number(2), "its mask")
