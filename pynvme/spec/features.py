# SPDX-License-Identifier: BSD-3-Clause
"""Features: their command dword 11 and their data, by FID.

Made from spec/features.py by `python -m tools.specgen`: change it there.
"""

from enum import IntEnum


class FeatureId(IntEnum):
    """features. Section 5.1.25.1."""

    ARBITRATION = 0x01  # Arbitration
    POWER = 0x02  # Power Management
    LBA_RANGE = 0x03  # LBA Range Type
    TEMPERATURE = 0x04  # Temperature Threshold
    ERROR_RECOVERY = 0x05  # Error Recovery
    VWC = 0x06  # Volatile Write Cache
    QUEUES = 0x07  # Number of Queues
    COALESCING = 0x08  # Interrupt Coalescing
    VECTOR = 0x09  # Interrupt Vector Configuration
    ATOMICITY = 0x0A  # Write Atomicity Normal
    ASYNC_EVENT = 0x0B  # Asynchronous Event Configuration
    APST = 0x0C  # Autonomous Power State Transition
    HMB = 0x0D  # Host Memory Buffer
    TIMESTAMP = 0x0E  # Timestamp
    KATO = 0x0F  # Keep Alive Timer
    HCTM = 0x10  # Host Controlled Thermal Management
    NOPSC = 0x11  # Non-Operational Power State Config
    READ_RECOVERY = 0x12  # Read Recovery Level Config
    PREDICTABLE_LATENCY = 0x13  # Predictable Latency Mode Config
    PREDICTABLE_LATENCY_WINDOW = 0x14  # Predictable Latency Mode Window
    LBA_STATUS = 0x15  # LBA Status Information Report Interval
    HOST_BEHAVIOR = 0x16  # Host Behavior Support
    SANITIZE = 0x17  # Sanitize Config
    ENDURANCE_GROUP = 0x18  # Endurance Group Event Configuration
    COMMAND_SET_PROFILE = 0x19  # I/O Command Set Profile
    SPINUP = 0x1A  # Spinup Control
    POWER_LOSS_SIGNALING = 0x1B  # Power Loss Signaling Config
    FDP = 0x1D  # Flexible Data Placement
    FDP_EVENTS = 0x1E  # Flexible Data Placement Events
    NS_ADMIN_LABEL = 0x1F  # Namespace Admin Label
    EMBEDDED_MGMT_ADDRESS = 0x78  # Embedded Management Controller Address
    HOST_MGMT_ADDRESS = 0x79  # Host Management Agent Address
    ENHANCED_CTRL_METADATA = 0x7D  # Enhanced Controller Metadata
    CTRL_METADATA = 0x7E  # Controller Metadata
    NS_METADATA = 0x7F  # Namespace Metadata
    SOFTWARE_PROGRESS = 0x80  # Software Progress Marker
    HOST_ID = 0x81  # Host Identifier
    RESERVATION_MASK = 0x82  # Reservation Notification Mask
    RESERVATION_PERSISTENCE = 0x83  # Reservation Persistence
    WRITE_PROTECTION = 0x84  # Namespace Write Protection Config
    BOOT_WRITE_PROTECTION = 0x85  # Boot Partition Write Protection Config


class WriteProtectionState(IntEnum):
    """WPS of feature 84h. Section 8.1.16."""

    NONE = 0
    PROTECTED = 1
    UNTIL_POWER_CYCLE = 2
    PERMANENT = 3
