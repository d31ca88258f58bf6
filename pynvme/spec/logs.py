# SPDX-License-Identifier: BSD-3-Clause
"""Log pages, by LID.

Made from spec/logs.py by `python -m tools.specgen`: change it there.
"""

from enum import IntEnum


class LogId(IntEnum):
    """log pages. Section 5.1.12.1."""

    SUPPORTED = 0x00  # Supported Log Pages
    ERROR = 0x01  # Error Information
    SMART = 0x02  # SMART / Health Information
    FIRMWARE = 0x03  # Firmware Slot Information
    CHANGED_NS = 0x04  # Changed Attached Namespace List
    EFFECTS = 0x05  # Commands Supported and Effects
    SELF_TEST = 0x06  # Device Self-test
    TELEMETRY_HOST = 0x07  # Telemetry Host-Initiated
    TELEMETRY_CTRL = 0x08  # Telemetry Controller-Initiated
    ENDURANCE_GROUP = 0x09  # Endurance Group Information
    PREDICTABLE_LATENCY = 0x0A  # Predictable Latency Per NVM Set
    PREDICTABLE_LATENCY_EVENTS = 0x0B  # Predictable Latency Event Aggregate
    ANA = 0x0C  # Asymmetric Namespace Access
    PERSISTENT_EVENT = 0x0D  # Persistent Event
    LBA_STATUS = 0x0E  # LBA Status Information
    ENDURANCE_GROUP_EVENTS = 0x0F  # Endurance Group Event Aggregate
    MEDIA_UNIT_STATUS = 0x10  # Media Unit Status
    CAPACITY_CONFIGURATIONS = 0x11  # Supported Capacity Configuration List
    FEATURE_EFFECTS = 0x12  # Feature Identifiers Supported and Effects
    MI_EFFECTS = 0x13  # NVMe-MI Commands Supported and Effects
    LOCKDOWN = 0x14  # Command and Feature Lockdown
    BOOT_PARTITION = 0x15  # Boot Partition
    ROTATIONAL_MEDIA = 0x16  # Rotational Media Information
    DISPERSED_NS = 0x17  # Dispersed Namespace Participating NVM Subsystems
    MANAGEMENT_ADDRESSES = 0x18  # Management Address List
    REACHABILITY_GROUPS = 0x1A  # Reachability Groups
    REACHABILITY_ASSOCIATIONS = 0x1B  # Reachability Associations
    CHANGED_ALLOCATED_NS = 0x1C  # Changed Allocated Namespace List
    FDP_CONFIGURATIONS = 0x20  # FDP Configurations
    FDP_RUH_USAGE = 0x21  # Reclaim Unit Handle Usage
    FDP_STATISTICS = 0x22  # FDP Statistics
    FDP_EVENTS = 0x23  # FDP Events
    DISCOVERY = 0x70  # Discovery
    RESERVATION = 0x80  # Reservation Notification
    SANITIZE = 0x81  # Sanitize Status
    CHANGED_ZONES = 0xBF  # Changed Zone List


class SelfTestStatus(IntEnum):
    """result of a self-test. Section 5.1.12.1.7."""

    PASSED = 0x0
    ABORTED = 0x1  # by a Device Self-test command
    RESET = 0x2  # ended by a Controller Level Reset
    NS_REMOVED = 0x3  # a namespace was removed
    FORMAT = 0x4  # a Format NVM was processed
    FATAL = 0x5  # a fatal or unknown error
    UNKNOWN_SEGMENT = 0x6  # failed, as the next one did
    SEGMENT = 0x7  # failed in the segment that SEGN names
    UNKNOWN = 0x8  # aborted for an unknown reason
    SANITIZE = 0x9  # a sanitize operation was started
    UNUSED = 0xF  # no such entry


class AnaState(IntEnum):
    """asymmetric namespace access states. Section 8.1.1.3."""

    OPTIMIZED = 0x1
    NON_OPTIMIZED = 0x2
    INACCESSIBLE = 0x3
    PERSISTENT_LOSS = 0x4
    CHANGE = 0xF


class PersistentEventType(IntEnum):
    """types of persistent events. Section 5.1.12.1.14."""

    SMART = 0x01  # SMART / Health Log Snapshot
    FIRMWARE_COMMIT = 0x02  # Firmware Commit
    TIMESTAMP = 0x03  # Timestamp Change
    POWER_ON = 0x04  # Power-on or Reset
    HARDWARE_ERROR = 0x05  # NVM Subsystem Hardware Error
    CHANGE_NS = 0x06  # Change Namespace
    FORMAT_START = 0x07  # Format NVM Start
    FORMAT_COMPLETION = 0x08  # Format NVM Completion
    SANITIZE_START = 0x09  # Sanitize Start
    SANITIZE_COMPLETION = 0x0A  # Sanitize Completion
    SET_FEATURE = 0x0B  # Set Feature
    TELEMETRY = 0x0C  # Telemetry Log Created
    THERMAL = 0x0D  # Thermal Excursion
    VERIFICATION = 0x0E  # Sanitize Media Verification
    VENDOR = 0xDE  # vendor specific
    TCG = 0xDF  # TCG defined


class ReclaimUnitHandleType(IntEnum):
    """types of reclaim unit handles. Section 5.1.12.1.28."""

    INITIALLY_ISOLATED = 1
    PERSISTENTLY_ISOLATED = 2


class FdpEventType(IntEnum):
    """types of FDP events. Section 5.1.12.1.31."""

    RU_NOT_FULLY_WRITTEN = 0x00  # a reclaim unit was not written to capacity
    RU_TIME_LIMIT = 0x01  # the time limit of a reclaim unit was exceeded
    RESET = 0x02  # a reset modified reclaim unit handles
    INVALID_PID = 0x03  # invalid placement identifier
    MEDIA_REALLOCATED = 0x80  # by the controller
    RUH_CHANGED = 0x81  # implicitly, by the controller


class SanitizeStatus(IntEnum):
    """SOS of the sanitize log page. Section 5.1.12.1.33."""

    NEVER = 0  # since the drive was made
    SUCCESS = 1
    IN_PROGRESS = 2
    FAILED = 3
    DEALLOCATED = 4  # successfully, but for No-Deallocate After Sanitize


class SanitizeState(IntEnum):
    """states of the sanitize operation. Section 8.1.24.3."""

    IDLE = 0
    RESTRICTED_PROCESSING = 1
    RESTRICTED_FAILURE = 2
    UNRESTRICTED_PROCESSING = 3
    UNRESTRICTED_FAILURE = 4
    MEDIA_VERIFICATION = 5
    POST_VERIFICATION_DEALLOCATION = 6
