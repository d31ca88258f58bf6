# SPDX-License-Identifier: BSD-3-Clause
"""NVMe-MI in band (NVMe-MI Send and Receive): commands and data structures.

Made from spec/mi.py by `python -m tools.specgen`: change it there.
"""

from enum import IntEnum


class MiOpcode(IntEnum):
    """opcodes of the Management Interface Command Set. Section 5."""

    READ_DATA_STRUCTURE = 0x00
    SUBSYSTEM_HEALTH_STATUS_POLL = 0x01
    CONTROLLER_HEALTH_STATUS_POLL = 0x02
    CONFIGURATION_SET = 0x03
    CONFIGURATION_GET = 0x04
    VPD_READ = 0x05
    VPD_WRITE = 0x06
    RESET = 0x07
    SES_RECEIVE = 0x08
    SES_SEND = 0x09
    ENDPOINT_BUFFER_READ = 0x0A
    ENDPOINT_BUFFER_WRITE = 0x0B
    SHUTDOWN = 0x0C


class MiDataType(IntEnum):
    """DTYP of Read NVMe-MI Data Structure. Section 5.7."""

    SUBSYSTEM = 0x00
    PORT = 0x01
    CONTROLLER_LIST = 0x02
    CONTROLLER = 0x03
    OPTIONAL_COMMANDS = 0x04
    ENDPOINT_COMMANDS = 0x05


class MiStatus(IntEnum):
    """status of a response. Section 4.1.2."""

    SUCCESS = 0x00
    MORE_PROCESSING_REQUIRED = 0x01
    INTERNAL_ERROR = 0x02
    INVALID_OPCODE = 0x03
    INVALID_PARAMETER = 0x04
    INVALID_COMMAND_SIZE = 0x05
    INVALID_INPUT_SIZE = 0x06
    ACCESS_DENIED = 0x07
    VPD_UPDATES_EXCEEDED = 0x20
    PCIE_INACCESSIBLE = 0x21
    SANITIZED_DATA = 0x22
    ENCLOSURE_SERVICES_FAILURE = 0x23
    ENCLOSURE_TRANSFER_FAILURE = 0x24
    ENCLOSURE_FAILURE = 0x25
    ENCLOSURE_REFUSED = 0x26
    ENCLOSURE_UNSUPPORTED = 0x27
    ENCLOSURE_UNAVAILABLE = 0x28
    ENCLOSURE_DEGRADED = 0x29
    SANITIZE_IN_PROGRESS = 0x2A
