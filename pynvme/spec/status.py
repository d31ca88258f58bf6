# SPDX-License-Identifier: BSD-3-Clause
"""Statuses of completions.

Generated from spec/status.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum


class StatusCodeType(IntEnum):
    """Status code types. Section 4.2.3."""

    GENERIC = 0
    COMMAND = 1  # command specific
    MEDIA = 2  # media and data integrity errors
    PATH = 3  # path related
    VENDOR = 7  # vendor specific


class Status(IntEnum):
    """Status code type << 8 | status code. Section 4.2.3."""

    SUCCESS = 0x000
    INVALID_OPCODE = 0x001  # the drive does not have the command
    INVALID_FIELD = 0x002  # a field has a value that is reserved, or not supported
    CID_CONFLICT = 0x003  # the CID is already in use
    DATA_TRANSFER_ERROR = 0x004  # data or metadata could not be transferred
    ABORTED_POWER_LOSS = 0x005  # a loss of power was announced
    INTERNAL_ERROR = 0x006
    ABORT_REQUESTED = 0x007  # by an Abort command
    ABORTED_SQ_DELETION = 0x008  # its submission queue was deleted
    ABORTED_FAILED_FUSED = 0x009  # the other command of the pair failed
    ABORTED_MISSING_FUSED = 0x00A  # the other command of the pair is not there
    INVALID_NAMESPACE = 0x00B  # no active namespace, or its format is wrong
    COMMAND_SEQUENCE_ERROR = 0x00C  # the command may not come now
    INVALID_SGL_SEGMENT = 0x00D  # the segment descriptor is wrong, or not the last but one
    INVALID_SGL_COUNT = 0x00E  # too many descriptors
    INVALID_SGL_LENGTH = 0x00F  # the descriptors have less than the command transfers
    INVALID_SGL_METADATA_LENGTH = 0x010
    INVALID_SGL_TYPE = 0x011
    INVALID_CMB_USE = 0x012  # the command may not use the controller memory buffer
    INVALID_PRP_OFFSET = 0x013  # a PRP entry does not lie at a page, or at a dword
    ATOMIC_WRITE_UNIT_EXCEEDED = 0x014
    OPERATION_DENIED = 0x015  # the host may not do that
    INVALID_SGL_OFFSET = 0x016
    HOST_ID_INCONSISTENT = 0x018  # another controller has the host identifier in another size
    KEEP_ALIVE_EXPIRED = 0x019
    KEEP_ALIVE_INVALID = 0x01A
    PREEMPT_ABORT = 0x01B  # by a reservation: Preempt and Abort
    SANITIZE_FAILED = 0x01C  # the last sanitize operation failed
    SANITIZE_IN_PROGRESS = 0x01D
    SGL_GRANULARITY_INVALID = 0x01E
    IN_CMB_NOT_SUPPORTED = 0x01F
    NS_WRITE_PROTECTED = 0x020
    COMMAND_INTERRUPTED = 0x021  # send it again
    TRANSIENT_TRANSPORT = 0x022
    PROHIBITED_BY_LOCKDOWN = 0x023  # by a Lockdown command
    ADMIN_COMMAND_MEDIA_NOT_READY = 0x024
    INVALID_KEY_TAG = 0x025
    DISPERSED_NS_NOT_ENABLED = 0x026
    HOST_ID_NOT_INITIALIZED = 0x027
    INCORRECT_KEY = 0x028
    FDP_DISABLED = 0x029  # flexible data placement is off
    INVALID_PLACEMENT_HANDLE_LIST = 0x02A
    LBA_OUT_OF_RANGE = 0x080  # beyond the end of the namespace
    CAPACITY_EXCEEDED = 0x081  # more LBAs are allocated than NCAP
    NAMESPACE_NOT_READY = 0x082
    RESERVATION_CONFLICT = 0x083  # another host has reserved the namespace
    FORMAT_IN_PROGRESS = 0x084
    INVALID_VALUE_SIZE = 0x085  # KV
    INVALID_KEY_SIZE = 0x086  # KV
    KEY_DOES_NOT_EXIST = 0x087  # KV
    UNRECOVERED_ERROR = 0x088  # KV
    KEY_EXISTS = 0x089  # KV
    CQ_INVALID = 0x100  # it does not exist
    INVALID_QID = 0x101
    INVALID_QUEUE_SIZE = 0x102  # 0, or more than CAP.MQES
    ABORT_LIMIT_EXCEEDED = 0x103  # more than ACL
    AER_LIMIT_EXCEEDED = 0x105  # more than AERL
    INVALID_FIRMWARE_SLOT = 0x106  # no such slot, or it is read only
    INVALID_FIRMWARE_IMAGE = 0x107
    INVALID_INTERRUPT_VECTOR = 0x108
    INVALID_LOG_PAGE = 0x109
    INVALID_FORMAT = 0x10A  # no such LBA format, or not with these settings
    FW_NEEDS_CONVENTIONAL_RESET = 0x10B  # committed; activated by that reset
    INVALID_QUEUE_DELETION = 0x10C  # a submission queue still uses the completion queue
    FEATURE_NOT_SAVEABLE = 0x10D
    FEATURE_NOT_CHANGEABLE = 0x10E
    FEATURE_NOT_NS_SPECIFIC = 0x10F  # it has no value for each namespace
    FW_NEEDS_SUBSYSTEM_RESET = 0x110  # committed; activated by that reset
    FW_NEEDS_CONTROLLER_RESET = 0x111  # committed; activated by that reset
    FW_NEEDS_MAX_TIME_VIOLATION = 0x112  # activation at once would take longer than MTFA
    FW_ACTIVATION_PROHIBITED = 0x113
    OVERLAPPING_RANGE = 0x114  # of a firmware image or a range list
    NS_INSUFFICIENT_CAPACITY = 0x115
    NS_ID_UNAVAILABLE = 0x116
    NS_ALREADY_ATTACHED = 0x118
    NS_IS_PRIVATE = 0x119
    NS_NOT_ATTACHED = 0x11A
    THIN_PROVISIONING_NOT_SUPPORTED = 0x11B
    CONTROLLER_LIST_INVALID = 0x11C
    SELF_TEST_IN_PROGRESS = 0x11D
    BOOT_PARTITION_WRITE_PROHIBITED = 0x11E
    INVALID_CONTROLLER_ID = 0x11F
    INVALID_SECONDARY_STATE = 0x120
    INVALID_NUM_RESOURCES = 0x121
    INVALID_RESOURCE_ID = 0x122
    SANITIZE_PROHIBITED_PMR = 0x123
    ANA_GROUP_ID_INVALID = 0x124
    ANA_ATTACH_FAILED = 0x125
    INSUFFICIENT_CAPACITY = 0x126  # by Capacity Management
    NS_ATTACHMENT_LIMIT_EXCEEDED = 0x127
    PROHIBITION_NOT_SUPPORTED = 0x128  # by Lockdown
    COMMAND_SET_NOT_SUPPORTED = 0x129
    COMMAND_SET_NOT_ENABLED = 0x12A
    COMMAND_SET_COMBINATION_REJECTED = 0x12B
    INVALID_COMMAND_SET = 0x12C
    ID_UNAVAILABLE = 0x12D
    NS_IS_DISPERSED = 0x12E
    INVALID_DISCOVERY_INFORMATION = 0x12F
    ZONING_DATA_STRUCTURE_LOCKED = 0x130  # of a discovery controller
    ZONING_DATA_STRUCTURE_NOT_FOUND = 0x131
    INSUFFICIENT_DISCOVERY_RESOURCES = 0x132
    REQUESTED_FUNCTION_DISABLED = 0x133
    ZONEGROUP_ORIGINATOR_INVALID = 0x134
    INVALID_HOST = 0x135
    INVALID_NVM_SUBSYSTEM = 0x136
    INVALID_CONTROLLER_DATA_QUEUE = 0x137
    NOT_ENOUGH_RESOURCES = 0x138
    CONTROLLER_SUSPENDED = 0x139
    CONTROLLER_NOT_SUSPENDED = 0x13A
    CONTROLLER_DATA_QUEUE_FULL = 0x13B
    CONFLICTING_ATTRIBUTES = 0x180  # of Dataset Management
    INVALID_PROTECTION_INFO = 0x181
    WRITE_TO_READ_ONLY = 0x182
    COMMAND_SIZE_LIMIT_EXCEEDED = 0x183
    INVALID_COMMAND_ID = 0x184  # of Cancel
    INCOMPATIBLE_NAMESPACE = 0x185  # of Copy
    FAST_COPY_NOT_POSSIBLE = 0x186
    OVERLAPPING_IO_RANGE = 0x187  # of Copy
    NAMESPACE_NOT_REACHABLE = 0x188
    INSUFFICIENT_RESOURCES = 0x189
    ZRWA_INVALID_ZONE_OPERATION = 0x1B6  # ZNS
    ZRWA_RESOURCES_UNAVAILABLE = 0x1B7  # ZNS
    ZONE_BOUNDARY_ERROR = 0x1B8  # ZNS: the LBAs lie in two zones
    ZONE_IS_FULL = 0x1B9  # ZNS
    ZONE_IS_READ_ONLY = 0x1BA  # ZNS
    ZONE_IS_OFFLINE = 0x1BB  # ZNS
    ZONE_INVALID_WRITE = 0x1BC  # ZNS: not at the write pointer
    TOO_MANY_ACTIVE_ZONES = 0x1BD  # ZNS
    TOO_MANY_OPEN_ZONES = 0x1BE  # ZNS
    INVALID_ZONE_STATE_TRANSITION = 0x1BF  # ZNS
    WRITE_FAULT = 0x280
    UNRECOVERED_READ_ERROR = 0x281
    GUARD_CHECK_ERROR = 0x282
    APPLICATION_TAG_CHECK_ERROR = 0x283
    REFERENCE_TAG_CHECK_ERROR = 0x284
    COMPARE_FAILURE = 0x285  # the data differ
    ACCESS_DENIED = 0x286  # the LBAs are locked
    DEALLOCATED_OR_UNWRITTEN = 0x287  # an error by feature 05h
    STORAGE_TAG_CHECK_ERROR = 0x288
    INTERNAL_PATH_ERROR = 0x300
    ANA_PERSISTENT_LOSS = 0x301
    ANA_INACCESSIBLE = 0x302
    ANA_TRANSITION = 0x303
    CONTROLLER_PATHING_ERROR = 0x360
    HOST_PATHING_ERROR = 0x370
    ABORTED_BY_HOST = 0x371
