# SPDX-License-Identifier: BSD-3-Clause
"""RPMB: the frames of Security Send and Security Receive with protocol EAh, and the Device Configuration Block.

Section numbers are those of Base 2.1.
"""

from __future__ import annotations

from spec.schema import Bits, Enum, Field, Header, Structure, Value

RPMB_MESSAGE = Enum(
    "RpmbMessage",
    "nvme_rpmb_message",
    "NVME_RPMB_",
    (
        Value("program_key", 0x0001, "Authentication Key programming"),
        Value("read_counter", 0x0002, "reading of the Write Counter"),
        Value("write", 0x0003, "Authenticated Data Write"),
        Value("read", 0x0004, "Authenticated Data Read"),
        Value("read_result", 0x0005, "Result read"),
        Value("write_configuration", 0x0006, "Authenticated Device Configuration Block Write"),
        Value("read_configuration", 0x0007, "Authenticated Device Configuration Block Read"),
        Value("key_programmed", 0x0100, "response to 0001h"),
        Value("counter_read", 0x0200, "response to 0002h"),
        Value("written", 0x0300, "response to 0003h"),
        Value("data_read", 0x0400, "response to 0004h"),
        Value("configuration_written", 0x0600, "response to 0006h"),
        Value("configuration_read", 0x0700, "response to 0007h"),
    ),
    text="request and response messages of RPMB",
    section="8.1.21",
    digits=4,
)

RPMB_RESULT = Enum(
    "RpmbResult",
    "nvme_rpmb_result",
    "NVME_RPMB_RESULT_",
    (
        Value("success", 0x00),
        Value("general_failure", 0x01),
        Value("authentication_failure", 0x02, "the MAC does not match"),
        Value("counter_failure", 0x03, "the Write Counter does not match"),
        Value("address_failure", 0x04, "the address is out of range"),
        Value("write_failure", 0x05),
        Value("read_failure", 0x06),
        Value("no_key", 0x07, "the Authentication Key is not programmed yet"),
        Value("invalid_configuration", 0x08, "invalid Device Configuration Block"),
    ),
    text="status of an RPMB operation, bits 6:0 of the result",
    section="8.1.21",
)

RPMB_FRAME = Structure(
    "RpmbFrame",
    "nvme_rpmb_frame",
    256,
    (
        Field("mac", 191, 32, "message authentication code, or the key", kind="bytes"),
        Field("target", 223, 1, "RPMB target"),
        Field("nonce", 224, 16, "random number of the host, which the response repeats", kind="bytes"),
        Field("counter", 240, 4, "Write Counter"),
        Field("address", 244, 4, "first sector", unit="512 bytes"),
        Field("sectors", 248, 4, "sectors", unit="512 bytes"),
        Field(
            "result",
            252,
            2,
            "result",
            bits=(
                Bits("status", 0, 6, "status of the operation", values=RPMB_RESULT),
                Bits("expired", 7, text="the Write Counter has reached its maximum"),
            ),
        ),
        Field("message", 254, 2, "request or response", values=RPMB_MESSAGE),
    ),
    text="RPMB Data Frame, which data may follow",
    section="8.1.21",
    label="RPMB frame",
)

RPMB_CONFIGURATION = Structure(
    "RpmbConfiguration",
    "nvme_rpmb_configuration",
    512,
    (
        Field(
            "bppe",
            0,
            1,
            "boot partition protection by RPMB",
            bits=(Bits("enabled", 0, text="1: enabled, for ever"),),
        ),
        Field(
            "bpl",
            1,
            1,
            "locks of boot partitions",
            bits=(
                Bits("bp0", 0, text="boot partition 0 is write locked"),
                Bits("bp1", 1, text="boot partition 1 is write locked"),
            ),
        ),
        Field(
            "wpc",
            2,
            1,
            "which write protection of namespaces Set Features may set",
            bits=(
                Bits("until_power_cycle", 0, text="Write Protect Until Power Cycle"),
                Bits("permanent", 1, text="Permanent Write Protect"),
            ),
        ),
    ),
    text="RPMB Device Configuration Block",
    section="8.1.21",
    label="RPMB Device Configuration Block",
)

HEADERS = (
    Header(
        "nvme_rpmb.h",
        "RPMB: frames, messages, results and the Device Configuration Block.\n"
        "NVM Express Base Specification 2.1, section 8.1.21.\n"
        "Layout only, no behaviour. Host and virtual SSD both include it.",
        (RPMB_MESSAGE, RPMB_RESULT, RPMB_FRAME, RPMB_CONFIGURATION),
        includes=("stddef.h", "stdint.h"),
    ),
)
