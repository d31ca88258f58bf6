# SPDX-License-Identifier: BSD-3-Clause
"""Enumerations of fields of commands and structures, and of asynchronous events."""

from __future__ import annotations

from spec.schema import Enum, Value

DATA_DIRECTION = Enum(
    "DataDirection",
    "nvme_data_direction",
    "NVME_DATA_",
    (
        Value("NONE", 0),
        Value("TO_DEVICE", 1),
        Value("FROM_DEVICE", 2),
        Value("BOTH", 3),
    ),
    "Bits 1:0 of an opcode: how data move",
    "3.3.3.1",
    digits=0,
)

COMMAND_SET = Enum(
    "CommandSet",
    "nvme_csi",
    "NVME_CSI_",
    (Value("NVM", 0), Value("KV", 1, "Key Value"), Value("ZNS", 2, "Zoned Namespace")),
    "I/O command set identifiers (CSI)",
    "3.1.3.2",
    digits=0,
)

FIRMWARE_ACTION = Enum(
    "FirmwareAction",
    "nvme_fw_action",
    "NVME_FW_",
    (
        Value("REPLACE", 0, "put the downloaded image into the slot"),
        Value("REPLACE_ACTIVATE", 1, "and activate it at the next reset"),
        Value("ACTIVATE", 2, "activate the image in the slot at the next reset"),
        Value("ACTIVATE_NOW", 3, "activate the downloaded image, or else the image in the slot, at once"),
        Value("BOOT_REPLACE", 6, "put the downloaded image into the boot partition"),
        Value("BOOT_ACTIVATE", 7, "make it the active boot partition"),
    ),
    "CA of Firmware Commit",
    "5.1.8",
    digits=0,
)

SELF_TEST = Enum(
    "SelfTest",
    "nvme_self_test",
    "NVME_SELF_TEST_",
    (
        Value("SHORT", 0x1),
        Value("EXTENDED", 0x2),
        Value("HOST_INITIATED_REFRESH", 0x3, since="2.1"),
        Value("VENDOR", 0xE),
        Value("ABORT", 0xF, "the operation that is in progress"),
    ),
    "STC of Device Self-test",
    "5.1.5",
    digits=1,
)

SANITIZE_ACTION = Enum(
    "SanitizeAction",
    "nvme_sanitize_action",
    "NVME_SANITIZE_",
    (
        Value("EXIT_FAILURE", 1, "end the failure mode"),
        Value("BLOCK_ERASE", 2),
        Value("OVERWRITE", 3),
        Value("CRYPTO_ERASE", 4),
        Value("EXIT_MEDIA_VERIFICATION", 5, since="2.1"),
    ),
    "SANACT of Sanitize",
    "5.1.22",
    digits=0,
)

SECURE_ERASE = Enum(
    "SecureErase",
    "nvme_secure_erase",
    "NVME_ERASE_",
    (Value("NONE", 0), Value("USER_DATA", 1), Value("CRYPTO", 2, "erase the key")),
    "SES of Format NVM",
    "5.1.10",
    digits=0,
)

QUEUE_PRIORITY = Enum(
    "QueuePriority",
    "nvme_queue_priority",
    "NVME_QPRIO_",
    (Value("URGENT", 0), Value("HIGH", 1), Value("MEDIUM", 2), Value("LOW", 3)),
    "QPRIO of Create I/O Submission Queue, for weighted round robin",
    "5.2.2",
    digits=0,
)

FEATURE_SELECT = Enum(
    "FeatureSelect",
    "nvme_feature_select",
    "NVME_SEL_",
    (
        Value("CURRENT", 0),
        Value("DEFAULT", 1),
        Value("SAVED", 2),
        Value("SUPPORTED", 3, "capabilities of the feature"),
    ),
    "SEL of Get Features",
    "5.1.11",
    digits=0,
)

NAMESPACE_MANAGEMENT = Enum(
    "NamespaceManagement",
    "nvme_ns_management",
    "NVME_NS_",
    (Value("CREATE", 0), Value("DELETE", 1)),
    "SEL of Namespace Management",
    "5.1.21",
    digits=0,
)

NAMESPACE_ATTACHMENT = Enum(
    "NamespaceAttachment",
    "nvme_ns_attachment",
    "NVME_NS_",
    (Value("ATTACH", 0), Value("DETACH", 1)),
    "SEL of Namespace Attachment",
    "5.1.20",
    digits=0,
)

LOCKDOWN_SCOPE = Enum(
    "LockdownScope",
    "nvme_lockdown_scope",
    "NVME_LOCKDOWN_",
    (
        Value("ADMIN", 0, "an admin command by its opcode"),
        Value("FEATURE", 2, "a feature by its FID"),
        Value("MI", 3, "a command of the Management Interface by its opcode"),
        Value("PCIE", 4, "a PCIe command of the Management Interface by its opcode"),
    ),
    "SCP of Lockdown: the kind of OFI",
    "5.1.15",
    digits=0,
)

LOCKDOWN_INTERFACE = Enum(
    "LockdownInterface",
    "nvme_lockdown_interface",
    "NVME_LOCKDOWN_BY_",
    (
        Value("ADMIN_QUEUE", 0, "the admin submission queue"),
        Value("ADMIN_QUEUE_AND_OUT_OF_BAND", 1, "it, and out of band on a management endpoint"),
        Value("OUT_OF_BAND", 2, "out of band on a management endpoint"),
    ),
    "IFC of Lockdown: by which interface the command is prohibited",
    "5.1.15",
    digits=0,
)

CAPACITY_OPERATION = Enum(
    "CapacityOperation",
    "nvme_capacity_operation",
    "NVME_CAPACITY_",
    (
        Value("SELECT_CONFIGURATION", 0),
        Value("CREATE_ENDURANCE_GROUP", 1),
        Value("DELETE_ENDURANCE_GROUP", 2),
        Value("CREATE_NVM_SET", 3),
        Value("DELETE_NVM_SET", 4),
    ),
    "OPER of Capacity Management",
    "5.1.3",
    digits=0,
)

VIRTUALIZATION_ACTION = Enum(
    "VirtualizationAction",
    "nvme_virtualization_action",
    "NVME_VIRTUALIZATION_",
    (
        Value("PRIMARY_FLEXIBLE", 1, "set the flexible resources of the primary controller"),
        Value("SECONDARY_OFFLINE", 7),
        Value("SECONDARY_ASSIGN", 8, "assign resources to a secondary controller"),
        Value("SECONDARY_ONLINE", 9),
    ),
    "ACT of Virtualization Management",
    "5.2.6",
    digits=0,
)

DIRECTIVE_TYPE = Enum(
    "DirectiveType",
    "nvme_directive",
    "NVME_DIRECTIVE_",
    (
        Value("IDENTIFY", 0),
        Value("STREAMS", 1),
        Value("DATA_PLACEMENT", 2, since="2.1"),
    ),
    "DTYPE of directives",
    "8.1.8",
    digits=0,
)

RESERVATION_TYPE = Enum(
    "ReservationType",
    "nvme_reservation_type",
    "NVME_RESERVATION_",
    (
        Value("WRITE_EXCLUSIVE", 1),
        Value("EXCLUSIVE_ACCESS", 2),
        Value("WRITE_EXCLUSIVE_REGISTRANTS", 3),
        Value("EXCLUSIVE_ACCESS_REGISTRANTS", 4),
        Value("WRITE_EXCLUSIVE_ALL", 5),
        Value("EXCLUSIVE_ACCESS_ALL", 6),
    ),
    "RTYPE of reservations",
    "8.1.22",
    digits=0,
)

RESERVATION_ACQUIRE = Enum(
    "ReservationAcquire",
    "nvme_reservation_acquire",
    "NVME_RESERVATION_",
    (Value("ACQUIRE", 0), Value("PREEMPT", 1), Value("PREEMPT_ABORT", 2)),
    "RACQA of Reservation Acquire",
    "7.5",
    digits=0,
)

RESERVATION_REGISTER = Enum(
    "ReservationRegister",
    "nvme_reservation_register",
    "NVME_RESERVATION_",
    (Value("REGISTER", 0), Value("UNREGISTER", 1), Value("REPLACE", 2)),
    "RREGA of Reservation Register",
    "7.6",
    digits=0,
)

RESERVATION_RELEASE = Enum(
    "ReservationRelease",
    "nvme_reservation_release",
    "NVME_RESERVATION_",
    (Value("RELEASE", 0), Value("CLEAR", 1)),
    "RRELA of Reservation Release",
    "7.7",
    digits=0,
)

ZONE_SEND_ACTION = Enum(
    "ZoneSendAction",
    "nvme_zone_send",
    "NVME_ZONE_",
    (
        Value("CLOSE", 0x01),
        Value("FINISH", 0x02),
        Value("OPEN", 0x03),
        Value("RESET", 0x04),
        Value("OFFLINE", 0x05),
        Value("SET_DESCRIPTOR_EXTENSION", 0x10),
        Value("FLUSH", 0x11, "of a random write area, explicitly"),
    ),
    "ZSA of Zone Management Send",
    "ZNS 3.4.3",
)

ZONE_RECEIVE_ACTION = Enum(
    "ZoneReceiveAction",
    "nvme_zone_receive",
    "NVME_ZONE_",
    (Value("REPORT", 0x00), Value("REPORT_EXTENDED", 0x01)),
    "ZRA of Zone Management Receive",
    "ZNS 3.4.2",
)

ZONE_STATE = Enum(
    "ZoneState",
    "nvme_zone_state",
    "NVME_ZONE_STATE_",
    (
        Value("EMPTY", 0x1),
        Value("IMPLICITLY_OPENED", 0x2),
        Value("EXPLICITLY_OPENED", 0x3),
        Value("CLOSED", 0x4),
        Value("READ_ONLY", 0xD),
        Value("FULL", 0xE),
        Value("OFFLINE", 0xF),
    ),
    "ZS of a zone descriptor",
    "ZNS 3.4.2",
    digits=1,
)

POWER_SCALE = Enum(
    "PowerScale",
    "nvme_power_scale",
    "NVME_POWER_SCALE_",
    (Value("not_reported", 0), Value("units_0_0001_w", 1), Value("units_0_01_w", 2)),
    text="scale of a power, which is a value of 16 bits",
    section="5.1.13.2.1",
    digits=0,
)

EVENT_TYPE = Enum(
    "EventType",
    "nvme_event_type",
    "NVME_EVENT_",
    (
        Value("ERROR", 0),
        Value("SMART", 1, "health"),
        Value("NOTICE", 2),
        Value("IMMEDIATE", 3, since="2.0"),
        Value("ONE_SHOT", 4, "once, and without a log page", since="2.1"),
        Value("IO_COMMAND_SET", 6, "specific to an I/O command set"),
        Value("VENDOR", 7),
    ),
    "Asynchronous events: dword 0 of the completion is type, information << 8, log page << 16",
    "5.1.2",
    digits=0,
)

EVENT_ERROR = Enum(
    "ErrorEvent",
    "nvme_event_error",
    "NVME_EVENT_",
    (
        Value("INVALID_DOORBELL", 0, "a doorbell of a queue that does not exist was written"),
        Value("INVALID_DOORBELL_VALUE", 1),
        Value("DIAGNOSTIC_FAILURE", 2),
        Value("PERSISTENT_ERROR", 3, "internal, and not transient"),
        Value("TRANSIENT_ERROR", 4, "internal"),
        Value("FIRMWARE_LOAD_ERROR", 5),
    ),
    "Information of events of type 0",
    "5.1.2",
    digits=0,
)

EVENT_SMART = Enum(
    "SmartEvent",
    "nvme_event_smart",
    "NVME_EVENT_",
    (
        Value("RELIABILITY", 0, "of the subsystem is degraded"),
        Value("TEMPERATURE", 1, "a threshold was reached"),
        Value("SPARE", 2, "spare is below its threshold"),
    ),
    "Information of events of type 1",
    "5.1.2",
    digits=0,
)

EVENT_NOTICE = Enum(
    "NoticeEvent",
    "nvme_event_notice",
    "NVME_EVENT_",
    (
        Value("NS_CHANGED", 0, "log page 04h"),
        Value("FIRMWARE", 1, "an activation is starting"),
        Value("TELEMETRY", 2, "log page 08h has changed"),
        Value("ANA_CHANGED", 3, since="1.4"),
        Value("PREDICTABLE_LATENCY", 4, "aggregate log has changed", since="1.4"),
        Value("LBA_STATUS", 5, "LBAs may be unrecoverable", since="1.4"),
        Value("ENDURANCE_GROUP", 6, "aggregate log has changed", since="1.4"),
        Value("REACHABILITY_GROUP", 7, since="2.1"),
        Value("REACHABILITY_ASSOCIATION", 8, since="2.1"),
        Value("ALLOCATED_NS_CHANGED", 9, since="2.1"),
        Value("ZONE_CHANGED", 0xEF, "a zone descriptor has changed", since="2.0"),
    ),
    "Information of events of type 2",
    "5.1.2",
    digits=0,
)

EVENT_IO = Enum(
    "IoEvent",
    "nvme_event_io",
    "NVME_EVENT_",
    (
        Value("RESERVATION", 0, "log page 80h is available"),
        Value("SANITIZE_COMPLETED", 1),
        Value("SANITIZE_DEALLOCATED", 2, "completed, with unexpected deallocation"),
        Value("MEDIA_VERIFICATION", 3, "a sanitize operation has entered the media verification state", since="2.1"),
    ),
    "Information of events of type 6",
    "5.1.2",
    digits=0,
)

EVENT_ONE_SHOT = Enum(
    "OneShotEvent",
    "nvme_event_one_shot",
    "NVME_EVENT_",
    (
        Value("DATA_QUEUE_TAIL", 0, "an entry of a controller data queue is posted", since="2.1"),
        Value("DATA_QUEUE_FULL", 1, "a controller data queue has become full", since="2.1"),
        Value("POWER_THRESHOLD", 2, "a power threshold is exceeded", since="2.3"),
    ),
    "Information of events of type 4; dword 1 of the completion bits 15:0 are the data queue",
    "5.1.2",
    digits=0,
)

DATA_QUEUE_OPERATION = Enum(
    "DataQueueOperation",
    "nvme_data_queue_operation",
    "NVME_DATA_QUEUE_",
    (Value("CREATE", 0), Value("DELETE", 1)),
    "SEL of Controller Data Queue",
    "5.1.4",
    digits=0,
)

TRACKING = Enum(
    "Tracking",
    "nvme_tracking",
    "NVME_TRACK_",
    (Value("USER_DATA", 0, "log changes of user data"), Value("MEMORY", 1, "track changes of host memory")),
    "SEL of Track Send",
    "5.1.27",
    digits=0,
)

MIGRATION_SEND = Enum(
    "MigrationSend",
    "nvme_migration_send",
    "NVME_MIGRATION_",
    (Value("SUSPEND", 0), Value("RESUME", 1), Value("SET_STATE", 2, "set the controller's state")),
    "SEL of Migration Send",
    "5.1.17",
    digits=0,
)

MIGRATION_SEQUENCE = Enum(
    "MigrationSequence",
    "nvme_migration_sequence",
    "NVME_SEQUENCE_",
    (Value("MIDDLE", 0), Value("FIRST", 1), Value("LAST", 2), Value("ENTIRE", 3, "the first and the last")),
    "SEQIND of Migration Send: which part of the state a command has",
    "5.1.17.1.3",
    digits=0,
)

MIGRATION_ENTRY = Enum(
    "MigrationEntry",
    "nvme_migration_entry_kind",
    "NVME_ENTRY_",
    (
        Value("BETWEEN", 0, "neither first nor last"),
        Value("FIRST", 1, "since logging started, or the controller was resumed"),
        Value("STOPPED", 2, "the last: the host has stopped logging"),
        Value("SUSPENDED", 3, "the last: the controller is suspended"),
        Value("FULL", 7, "the last: the queue has become full, and logging has stopped"),
    ),
    "ESA of an LBA Migration Queue entry",
    "NVM 5.6",
    digits=0,
)

MIGRATION_CHANGE = Enum(
    "MigrationChange",
    "nvme_migration_change",
    "NVME_CHANGE_",
    (
        Value("RANGE", 0, "the LBAs that the entry names"),
        Value("NAMESPACE", 1, "all LBAs of the namespace"),
        Value("NONE", 2),
    ),
    "LBACIR of an LBA Migration Queue entry: what has changed",
    "NVM 5.6",
    digits=0,
)
