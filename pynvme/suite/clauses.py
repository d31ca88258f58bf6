# SPDX-License-Identifier: BSD-3-Clause
"""The clause of each command: the specification, the section, and its title there."""

from __future__ import annotations

from pynvme.spec import AdminOpcode, IoOpcode

IO = {
    IoOpcode.FLUSH: "Base 2.0, 7.1 Flush",
    IoOpcode.COMPARE: "NVM 1.0, 3.2.1 Compare",
    IoOpcode.COPY: "NVM 1.0, 3.2.2 Copy",
    IoOpcode.DSM: "NVM 1.0, 3.2.3 Dataset Management",
    IoOpcode.RESERVATION_ACQUIRE: "Base 2.0, 7.2 Reservation Acquire",
    IoOpcode.RESERVATION_REGISTER: "Base 2.0, 7.3 Reservation Register",
    IoOpcode.RESERVATION_RELEASE: "Base 2.0, 7.4 Reservation Release",
    IoOpcode.RESERVATION_REPORT: "Base 2.0, 7.5 Reservation Report",
    IoOpcode.READ: "NVM 1.0, 3.2.4 Read",
    IoOpcode.VERIFY: "NVM 1.0, 3.2.5 Verify",
    IoOpcode.WRITE: "NVM 1.0, 3.2.6 Write",
    IoOpcode.WRITE_UNCORRECTABLE: "NVM 1.0, 3.2.7 Write Uncorrectable",
    IoOpcode.WRITE_ZEROES: "NVM 1.0, 3.2.8 Write Zeroes",
}

ADMIN = {
    AdminOpcode.ABORT: "Base 2.0, 5.1 Abort",
    AdminOpcode.ASYNC_EVENT: "Base 2.0, 5.2 Asynchronous Event Request",
    AdminOpcode.CAPACITY_MANAGEMENT: "Base 2.0, 5.3 Capacity Management",
    AdminOpcode.CREATE_CQ: "Base 2.0, 5.4 Create I/O Completion Queue",
    AdminOpcode.CREATE_SQ: "Base 2.0, 5.5 Create I/O Submission Queue",
    AdminOpcode.DELETE_CQ: "Base 2.0, 5.6 Delete I/O Completion Queue",
    AdminOpcode.DELETE_SQ: "Base 2.0, 5.7 Delete I/O Submission Queue",
    AdminOpcode.SELF_TEST: "Base 2.0, 5.9 Device Self-test",
    AdminOpcode.FW_COMMIT: "Base 2.0, 5.12 Firmware Commit",
    AdminOpcode.FW_DOWNLOAD: "Base 2.0, 5.13 Firmware Image Download",
    AdminOpcode.GET_LBA_STATUS: "NVM 1.0, 4.2.1 Get LBA Status",
    AdminOpcode.FORMAT_NVM: "Base 2.0, 5.14 Format NVM",
    AdminOpcode.GET_FEATURES: "Base 2.0, 5.15 Get Features",
    AdminOpcode.GET_LOG_PAGE: "Base 2.0, 5.16 Get Log Page",
    AdminOpcode.IDENTIFY: "Base 2.0, 5.17 Identify",
    AdminOpcode.NS_ATTACHMENT: "Base 2.0, 5.22 Namespace Attachment",
    AdminOpcode.NS_MANAGEMENT: "Base 2.0, 5.23 Namespace Management",
    AdminOpcode.LOCKDOWN: "Base 2.0, 5.19 Lockdown",
    AdminOpcode.SANITIZE: "Base 2.0, 5.24 Sanitize",
    AdminOpcode.SECURITY_RECEIVE: "Base 2.0, 5.25 Security Receive",
    AdminOpcode.SECURITY_SEND: "Base 2.0, 5.26 Security Send",
    AdminOpcode.SET_FEATURES: "Base 2.0, 5.27 Set Features",
}


def of_io(opcode: int) -> str:
    """The clause of an IO command."""
    return next((text for known, text in IO.items() if known == opcode), "NVM 1.0, 3.2 Commands")


def of_admin(opcode: int) -> str:
    """The clause of an admin command."""
    return next((text for known, text in ADMIN.items() if known == opcode), "Base 2.0, 5 Admin Command Set")
