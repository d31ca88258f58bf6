# SPDX-License-Identifier: BSD-3-Clause
"""Log pages and features of the OCP Datacenter NVMe SSD specification, which a UUID index selects.

Made from spec/ocp.py by `python -m tools.specgen`: change it there.
"""

from enum import IntEnum


class OcpLogId(IntEnum):
    """log pages of OCP."""

    SMART = 0xC0  # SMART / Health Information Extended
    ERROR_RECOVERY = 0xC1  # Error Recovery
    FIRMWARE_HISTORY = 0xC2  # Firmware Activation History
    LATENCY = 0xC3  # Latency Monitor
    CAPABILITIES = 0xC4  # Device Capabilities
    UNSUPPORTED = 0xC5  # Unsupported Requirements
    HARDWARE = 0xC6  # Hardware Component
    TCG = 0xC7  # TCG Configuration
    TELEMETRY_STRINGS = 0xC9  # Telemetry String
    LATENCY_DEBUG = 0xCA  # debug telemetry of the latency monitor


class OcpFeatureId(IntEnum):
    """features of OCP."""

    ERROR_INJECTION = 0xC0  # Error Injection
    CLEAR_FIRMWARE_HISTORY = 0xC1  # Clear Firmware Update History
    READ_ONLY_WRITE_THROUGH = 0xC2  # EOL/PLP Failure Mode
    CLEAR_PCIE_ERRORS = 0xC3  # Clear PCIe Correctable Error Counters
    IEEE1667 = 0xC4  # Enable IEEE1667 Silo
    LATENCY_MONITOR = 0xC5  # Latency Monitor
    PLP_HEALTH_CHECK = 0xC6  # PLP Health Check Interval
    POWER_STATE = 0xC7  # DSSD Power State
    TELEMETRY_PROFILE = 0xC8  # Telemetry Profile
    ASYNC_EVENT = 0xC9  # DSSD Asynchronous Event Configuration
    IDLE_WAKE_UP = 0xCA  # Idle Wake Up Time Configuration


class OcpError(IntEnum):
    """errors that feature C0h injects."""

    CONTROLLER_HANG = 1
    NAND_HANG = 2
    PLP_DEFECT = 3
    FIRMWARE_ERROR = 4
    DRAM_CRITICAL = 5
    DRAM_NON_CRITICAL = 6
    NAND_CORRUPTION = 7
    SRAM_CORRUPTION = 8
    HARDWARE_MALFUNCTION = 9
    NO_SPARES = 10
    INCOMPLETE_SHUTDOWN = 11
    METADATA_CORRUPTION = 12
    CRITICAL_GARBAGE_COLLECTION = 13
    LATENCY_SPIKE = 14
    IO_FAILURE = 15
    IO_TIMEOUT = 16
    ADMIN_FAILURE = 17
    ADMIN_TIMEOUT = 18
    THROTTLING_ON = 19
    THROTTLING_OFF = 20
    CRITICAL_TEMPERATURE = 21
    DIE_OFFLINE = 22
