# SPDX-License-Identifier: BSD-3-Clause
"""Enumerations of fields of commands and structures, and of asynchronous events.

Generated from spec/enums.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum


class DataDirection(IntEnum):
    """Bits 1:0 of an opcode: how data move. Section 3.3.3.1."""

    NONE = 0
    TO_DEVICE = 1
    FROM_DEVICE = 2
    BOTH = 3


class CommandSet(IntEnum):
    """I/O command set identifiers (CSI). Section 3.1.3.2."""

    NVM = 0
    KV = 1  # Key Value
    ZNS = 2  # Zoned Namespace


class FirmwareAction(IntEnum):
    """CA of Firmware Commit. Section 5.1.8."""

    REPLACE = 0  # put the downloaded image into the slot
    REPLACE_ACTIVATE = 1  # and activate it at the next reset
    ACTIVATE = 2  # activate the image in the slot at the next reset
    ACTIVATE_NOW = 3  # activate the downloaded image, or else the image in the slot, at once
    BOOT_REPLACE = 6  # put the downloaded image into the boot partition
    BOOT_ACTIVATE = 7  # make it the active boot partition


class SelfTest(IntEnum):
    """STC of Device Self-test. Section 5.1.5."""

    SHORT = 0x1
    EXTENDED = 0x2
    HOST_INITIATED_REFRESH = 0x3
    VENDOR = 0xE
    ABORT = 0xF  # the operation that is in progress


class SanitizeAction(IntEnum):
    """SANACT of Sanitize. Section 5.1.22."""

    EXIT_FAILURE = 1  # end the failure mode
    BLOCK_ERASE = 2
    OVERWRITE = 3
    CRYPTO_ERASE = 4
    EXIT_MEDIA_VERIFICATION = 5


class SecureErase(IntEnum):
    """SES of Format NVM. Section 5.1.10."""

    NONE = 0
    USER_DATA = 1
    CRYPTO = 2  # erase the key


class QueuePriority(IntEnum):
    """QPRIO of Create I/O Submission Queue, for weighted round robin. Section 5.2.2."""

    URGENT = 0
    HIGH = 1
    MEDIUM = 2
    LOW = 3


class FeatureSelect(IntEnum):
    """SEL of Get Features. Section 5.1.11."""

    CURRENT = 0
    DEFAULT = 1
    SAVED = 2
    SUPPORTED = 3  # capabilities of the feature


class NamespaceManagement(IntEnum):
    """SEL of Namespace Management. Section 5.1.21."""

    CREATE = 0
    DELETE = 1


class NamespaceAttachment(IntEnum):
    """SEL of Namespace Attachment. Section 5.1.20."""

    ATTACH = 0
    DETACH = 1


class LockdownScope(IntEnum):
    """SCP of Lockdown: the kind of OFI. Section 5.1.15."""

    ADMIN = 0  # an admin command by its opcode
    FEATURE = 2  # a feature by its FID
    MI = 3  # a command of the Management Interface by its opcode
    PCIE = 4  # a PCIe command of the Management Interface by its opcode


class LockdownInterface(IntEnum):
    """IFC of Lockdown: by which interface the command is prohibited. Section 5.1.15."""

    ADMIN_QUEUE = 0  # the admin submission queue
    ADMIN_QUEUE_AND_OUT_OF_BAND = 1  # it, and out of band on a management endpoint
    OUT_OF_BAND = 2  # out of band on a management endpoint


class CapacityOperation(IntEnum):
    """OPER of Capacity Management. Section 5.1.3."""

    SELECT_CONFIGURATION = 0
    CREATE_ENDURANCE_GROUP = 1
    DELETE_ENDURANCE_GROUP = 2
    CREATE_NVM_SET = 3
    DELETE_NVM_SET = 4


class VirtualizationAction(IntEnum):
    """ACT of Virtualization Management. Section 5.2.6."""

    PRIMARY_FLEXIBLE = 1  # set the flexible resources of the primary controller
    SECONDARY_OFFLINE = 7
    SECONDARY_ASSIGN = 8  # assign resources to a secondary controller
    SECONDARY_ONLINE = 9


class DirectiveType(IntEnum):
    """DTYPE of directives. Section 8.1.8."""

    IDENTIFY = 0
    STREAMS = 1
    DATA_PLACEMENT = 2


class ReservationType(IntEnum):
    """RTYPE of reservations. Section 8.1.22."""

    WRITE_EXCLUSIVE = 1
    EXCLUSIVE_ACCESS = 2
    WRITE_EXCLUSIVE_REGISTRANTS = 3
    EXCLUSIVE_ACCESS_REGISTRANTS = 4
    WRITE_EXCLUSIVE_ALL = 5
    EXCLUSIVE_ACCESS_ALL = 6


class ReservationAcquire(IntEnum):
    """RACQA of Reservation Acquire. Section 7.5."""

    ACQUIRE = 0
    PREEMPT = 1
    PREEMPT_ABORT = 2


class ReservationRegister(IntEnum):
    """RREGA of Reservation Register. Section 7.6."""

    REGISTER = 0
    UNREGISTER = 1
    REPLACE = 2


class ReservationRelease(IntEnum):
    """RRELA of Reservation Release. Section 7.7."""

    RELEASE = 0
    CLEAR = 1


class ZoneSendAction(IntEnum):
    """ZSA of Zone Management Send. Section ZNS 3.4.3."""

    CLOSE = 0x01
    FINISH = 0x02
    OPEN = 0x03
    RESET = 0x04
    OFFLINE = 0x05
    SET_DESCRIPTOR_EXTENSION = 0x10
    FLUSH = 0x11  # of a random write area, explicitly


class ZoneReceiveAction(IntEnum):
    """ZRA of Zone Management Receive. Section ZNS 3.4.2."""

    REPORT = 0x00
    REPORT_EXTENDED = 0x01


class ZoneState(IntEnum):
    """ZS of a zone descriptor. Section ZNS 3.4.2."""

    EMPTY = 0x1
    IMPLICITLY_OPENED = 0x2
    EXPLICITLY_OPENED = 0x3
    CLOSED = 0x4
    READ_ONLY = 0xD
    FULL = 0xE
    OFFLINE = 0xF


class PowerScale(IntEnum):
    """scale of a power, which is a value of 16 bits. Section 5.1.13.2.1."""

    NOT_REPORTED = 0
    UNITS_0_0001_W = 1
    UNITS_0_01_W = 2


class EventType(IntEnum):
    """Asynchronous events: dword 0 of the completion is type, information << 8, log page << 16. Section 5.1.2."""

    ERROR = 0
    SMART = 1  # health
    NOTICE = 2
    IMMEDIATE = 3
    ONE_SHOT = 4  # once, and without a log page
    IO_COMMAND_SET = 6  # specific to an I/O command set
    VENDOR = 7


class ErrorEvent(IntEnum):
    """Information of events of type 0. Section 5.1.2."""

    INVALID_DOORBELL = 0  # a doorbell of a queue that does not exist was written
    INVALID_DOORBELL_VALUE = 1
    DIAGNOSTIC_FAILURE = 2
    PERSISTENT_ERROR = 3  # internal, and not transient
    TRANSIENT_ERROR = 4  # internal
    FIRMWARE_LOAD_ERROR = 5


class SmartEvent(IntEnum):
    """Information of events of type 1. Section 5.1.2."""

    RELIABILITY = 0  # of the subsystem is degraded
    TEMPERATURE = 1  # a threshold was reached
    SPARE = 2  # spare is below its threshold


class NoticeEvent(IntEnum):
    """Information of events of type 2. Section 5.1.2."""

    NS_CHANGED = 0  # log page 04h
    FIRMWARE = 1  # an activation is starting
    TELEMETRY = 2  # log page 08h has changed
    ANA_CHANGED = 3
    PREDICTABLE_LATENCY = 4  # aggregate log has changed
    LBA_STATUS = 5  # LBAs may be unrecoverable
    ENDURANCE_GROUP = 6  # aggregate log has changed
    REACHABILITY_GROUP = 7
    REACHABILITY_ASSOCIATION = 8
    ALLOCATED_NS_CHANGED = 9
    ZONE_CHANGED = 239  # a zone descriptor has changed


class IoEvent(IntEnum):
    """Information of events of type 6. Section 5.1.2."""

    RESERVATION = 0  # log page 80h is available
    SANITIZE_COMPLETED = 1
    SANITIZE_DEALLOCATED = 2  # completed, with unexpected deallocation
    MEDIA_VERIFICATION = 3  # a sanitize operation has entered the media verification state


class OneShotEvent(IntEnum):
    """Information of events of type 4; dword 1 of the completion bits 15:0 are the data queue. Section 5.1.2."""

    DATA_QUEUE_TAIL = 0  # an entry of a controller data queue is posted
    DATA_QUEUE_FULL = 1  # a controller data queue has become full
    POWER_THRESHOLD = 2  # a power threshold is exceeded


class DataQueueOperation(IntEnum):
    """SEL of Controller Data Queue. Section 5.1.4."""

    CREATE = 0
    DELETE = 1


class Tracking(IntEnum):
    """SEL of Track Send. Section 5.1.27."""

    USER_DATA = 0  # log changes of user data
    MEMORY = 1  # track changes of host memory


class MigrationSend(IntEnum):
    """SEL of Migration Send. Section 5.1.17."""

    SUSPEND = 0
    RESUME = 1
    SET_STATE = 2  # set the controller's state


class MigrationSequence(IntEnum):
    """SEQIND of Migration Send: which part of the state a command has. Section 5.1.17.1.3."""

    MIDDLE = 0
    FIRST = 1
    LAST = 2
    ENTIRE = 3  # the first and the last


class MigrationEntry(IntEnum):
    """ESA of an LBA Migration Queue entry. Section NVM 5.6."""

    BETWEEN = 0  # neither first nor last
    FIRST = 1  # since logging started, or the controller was resumed
    STOPPED = 2  # the last: the host has stopped logging
    SUSPENDED = 3  # the last: the controller is suspended
    FULL = 7  # the last: the queue has become full, and logging has stopped


class MigrationChange(IntEnum):
    """LBACIR of an LBA Migration Queue entry: what has changed. Section NVM 5.6."""

    RANGE = 0  # the LBAs that the entry names
    NAMESPACE = 1  # all LBAs of the namespace
    NONE = 2
