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
    INVALID_POWER_LIMIT = 0x13E  # it prohibits all operational power states
    STREAM_ALLOCATION_FAILED = 0x17F
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


STATUS_NAMES: dict[int, str] = {
    0x000: "Success",
    0x001: "Invalid Command Opcode",
    0x002: "Invalid Field in Command",
    0x003: "Command ID Conflict",
    0x004: "Data Transfer Error",
    0x005: "Commands Aborted due to Power Loss Notification",
    0x006: "Internal Error",
    0x007: "Command Abort Requested",
    0x008: "Command Aborted due to SQ Deletion",
    0x009: "Command Aborted due to Failed Fused Command",
    0x00A: "Command Aborted due to Missing Fused Command",
    0x00B: "Invalid Namespace or Format",
    0x00C: "Command Sequence Error",
    0x00D: "Invalid SGL Segment Descriptor",
    0x00E: "Invalid Number of SGL Descriptors",
    0x00F: "Data SGL Length Invalid",
    0x010: "Metadata SGL Length Invalid",
    0x011: "SGL Descriptor Type Invalid",
    0x012: "Invalid Use of Controller Memory Buffer",
    0x013: "PRP Offset Invalid",
    0x014: "Atomic Write Unit Exceeded",
    0x015: "Operation Denied",
    0x016: "SGL Offset Invalid",
    0x018: "Host Identifier Inconsistent Format",
    0x019: "Keep Alive Timer Expired",
    0x01A: "Keep Alive Timeout Invalid",
    0x01B: "Command Aborted due to Preempt and Abort",
    0x01C: "Sanitize Failed",
    0x01D: "Sanitize in Progress",
    0x01E: "SGL Data Block Granularity Invalid",
    0x01F: "Command Not Supported for Queue in CMB",
    0x020: "Namespace Is Write Protected",
    0x021: "Command Interrupted",
    0x022: "Transient Transport Error",
    0x023: "Command Prohibited by Command and Feature Lockdown",
    0x024: "Admin Command Media Not Ready",
    0x025: "Invalid Key Tag",
    0x026: "Host Dispersed Namespace Support Not Enabled",
    0x027: "Host Identifier Not Initialized",
    0x028: "Incorrect Key",
    0x029: "FDP Disabled",
    0x02A: "Invalid Placement Handle List",
    0x080: "LBA Out of Range",
    0x081: "Capacity Exceeded",
    0x082: "Namespace Not Ready",
    0x083: "Reservation Conflict",
    0x084: "Format in Progress",
    0x085: "Invalid Value Size",
    0x086: "Invalid Key Size",
    0x087: "Key Does Not Exist",
    0x088: "Unrecovered Error",
    0x089: "Key Exists",
    0x100: "Completion Queue Invalid",
    0x101: "Invalid Queue Identifier",
    0x102: "Invalid Queue Size",
    0x103: "Abort Command Limit Exceeded",
    0x105: "Asynchronous Event Request Limit Exceeded",
    0x106: "Invalid Firmware Slot",
    0x107: "Invalid Firmware Image",
    0x108: "Invalid Interrupt Vector",
    0x109: "Invalid Log Page",
    0x10A: "Invalid Format",
    0x10B: "Firmware Activation Requires Conventional Reset",
    0x10C: "Invalid Queue Deletion",
    0x10D: "Feature Identifier Not Saveable",
    0x10E: "Feature Not Changeable",
    0x10F: "Feature Not Namespace Specific",
    0x110: "Firmware Activation Requires NVM Subsystem Reset",
    0x111: "Firmware Activation Requires Controller Level Reset",
    0x112: "Firmware Activation Requires Maximum Time Violation",
    0x113: "Firmware Activation Prohibited",
    0x114: "Overlapping Range",
    0x115: "Namespace Insufficient Capacity",
    0x116: "Namespace Identifier Unavailable",
    0x118: "Namespace Already Attached",
    0x119: "Namespace Is Private",
    0x11A: "Namespace Not Attached",
    0x11B: "Thin Provisioning Not Supported",
    0x11C: "Controller List Invalid",
    0x11D: "Device Self-test in Progress",
    0x11E: "Boot Partition Write Prohibited",
    0x11F: "Invalid Controller Identifier",
    0x120: "Invalid Secondary Controller State",
    0x121: "Invalid Number of Controller Resources",
    0x122: "Invalid Resource Identifier",
    0x123: "Sanitize Prohibited While Persistent Memory Region is Enabled",
    0x124: "ANA Group Identifier Invalid",
    0x125: "ANA Attach Failed",
    0x126: "Insufficient Capacity",
    0x127: "Namespace Attachment Limit Exceeded",
    0x128: "Prohibition of Command Execution Not Supported",
    0x129: "I/O Command Set Not Supported",
    0x12A: "I/O Command Set Not Enabled",
    0x12B: "I/O Command Set Combination Rejected",
    0x12C: "Invalid I/O Command Set",
    0x12D: "Identifier Unavailable",
    0x12E: "Namespace Is Dispersed",
    0x12F: "Invalid Discovery Information",
    0x130: "Zoning Data Structure Locked",
    0x131: "Zoning Data Structure Not Found",
    0x132: "Insufficient Discovery Resources",
    0x133: "Requested Function Disabled",
    0x134: "ZoneGroup Originator Invalid",
    0x135: "Invalid Host",
    0x136: "Invalid NVM Subsystem",
    0x137: "Invalid Controller Data Queue",
    0x138: "Not Enough Resources",
    0x139: "Controller Suspended",
    0x13A: "Controller Not Suspended",
    0x13B: "Controller Data Queue Full",
    0x13E: "Invalid Power Limit",
    0x17F: "Stream Resource Allocation Failed",
    0x180: "Conflicting Attributes",
    0x181: "Invalid Protection Information",
    0x182: "Attempted Write to Read Only Range",
    0x183: "Command Size Limit Exceeded",
    0x184: "Invalid Command ID",
    0x185: "Incompatible Namespace or Format",
    0x186: "Fast Copy Not Possible",
    0x187: "Overlapping IO Range",
    0x188: "Namespace Not Reachable",
    0x189: "Insufficient Resources",
    0x1B6: "Invalid Zone Operation Request",
    0x1B7: "ZRWA Resources Unavailable",
    0x1B8: "Zone Boundary Error",
    0x1B9: "Zone Is Full",
    0x1BA: "Zone Is Read Only",
    0x1BB: "Zone Is Offline",
    0x1BC: "Zone Invalid Write",
    0x1BD: "Too Many Active Zones",
    0x1BE: "Too Many Open Zones",
    0x1BF: "Invalid Zone State Transition",
    0x280: "Write Fault",
    0x281: "Unrecovered Read Error",
    0x282: "End-to-end Guard Check Error",
    0x283: "End-to-end Application Tag Check Error",
    0x284: "End-to-end Reference Tag Check Error",
    0x285: "Compare Failure",
    0x286: "Access Denied",
    0x287: "Deallocated or Unwritten Logical Block",
    0x288: "End-to-end Storage Tag Check Error",
    0x300: "Internal Path Error",
    0x301: "Asymmetric Access Persistent Loss",
    0x302: "Asymmetric Access Inaccessible",
    0x303: "Asymmetric Access Transition",
    0x360: "Controller Pathing Error",
    0x370: "Host Pathing Error",
    0x371: "Command Aborted by Host",
}
"""The specification's name of each status, by SCT << 8 | SC."""

STATUS_TEXTS: dict[int, str] = {
    0x001: "the drive does not have the command",
    0x002: "a field has a value that is reserved, or not supported",
    0x003: "the CID is already in use",
    0x004: "data or metadata could not be transferred",
    0x005: "a loss of power was announced",
    0x007: "by an Abort command",
    0x008: "its submission queue was deleted",
    0x009: "the other command of the pair failed",
    0x00A: "the other command of the pair is not there",
    0x00B: "no active namespace, or its format is wrong",
    0x00C: "the command may not come now",
    0x00D: "the segment descriptor is wrong, or not the last but one",
    0x00E: "too many descriptors",
    0x00F: "the descriptors have less than the command transfers",
    0x012: "the command may not use the controller memory buffer",
    0x013: "a PRP entry does not lie at a page, or at a dword",
    0x015: "the host may not do that",
    0x018: "another controller has the host identifier in another size",
    0x01B: "by a reservation: Preempt and Abort",
    0x01C: "the last sanitize operation failed",
    0x021: "send it again",
    0x023: "by a Lockdown command",
    0x029: "flexible data placement is off",
    0x080: "beyond the end of the namespace",
    0x081: "more LBAs are allocated than NCAP",
    0x083: "another host has reserved the namespace",
    0x085: "KV",
    0x086: "KV",
    0x087: "KV",
    0x088: "KV",
    0x089: "KV",
    0x100: "it does not exist",
    0x102: "0, or more than CAP.MQES",
    0x103: "more than ACL",
    0x105: "more than AERL",
    0x106: "no such slot, or it is read only",
    0x10A: "no such LBA format, or not with these settings",
    0x10B: "committed; activated by that reset",
    0x10C: "a submission queue still uses the completion queue",
    0x10F: "it has no value for each namespace",
    0x110: "committed; activated by that reset",
    0x111: "committed; activated by that reset",
    0x112: "activation at once would take longer than MTFA",
    0x114: "of a firmware image or a range list",
    0x126: "by Capacity Management",
    0x128: "by Lockdown",
    0x130: "of a discovery controller",
    0x13E: "it prohibits all operational power states",
    0x180: "of Dataset Management",
    0x184: "of Cancel",
    0x185: "of Copy",
    0x187: "of Copy",
    0x1B6: "ZNS",
    0x1B7: "ZNS",
    0x1B8: "ZNS: the LBAs lie in two zones",
    0x1B9: "ZNS",
    0x1BA: "ZNS",
    0x1BB: "ZNS",
    0x1BC: "ZNS: not at the write pointer",
    0x1BD: "ZNS",
    0x1BE: "ZNS",
    0x1BF: "ZNS",
    0x285: "the data differ",
    0x286: "the LBAs are locked",
    0x287: "an error by feature 05h",
}
"""What they mean, if the name does not say it."""
