# SPDX-License-Identifier: BSD-3-Clause
"""Commands: what each of them is called, transfers and changes, and which fields it has.

Made from spec/commands.py by `python -m tools.specgen`: change it there.
"""

from enum import IntEnum


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
