# SPDX-License-Identifier: BSD-3-Clause
"""VERSION and what comes over the socket in general: a device that does not speak as it should is refused in
bounded time, with a text that says what was found, and nothing of the attempt stays."""

from __future__ import annotations

import struct
from typing import Callable

import nvme
import pytest
from drive import Drive
from fake import (
    DMA_READ,
    DMA_WRITE,
    ERROR,
    HEADER,
    NO_REPLY,
    REGION_READ,
    REPLY,
    VERSION,
    Message,
    lasts_at_most,
    message,
)


def refused(drive: Drive, match: str, seconds: float = 1.5) -> None:
    """Opening the drive raises the exception for it, in time."""
    address = drive.start()
    with lasts_at_most(seconds), pytest.raises(nvme.NvmeEnumerateError, match=match):
        nvme.Controller(address)


def works(drive: Drive) -> None:
    """The drive can be opened, used and closed."""
    pcie = nvme.Pcie(drive.start())
    assert nvme.Controller(pcie).id_data(23, 4, str) == "FAKE0001"
    pcie.close()


def version(drive: Drive, payload: bytes) -> None:
    drive.on_message[VERSION] = lambda message: drive.reply(message, payload)


def test_version_is_proposed_as_0_1_with_capabilities(drive: Drive) -> None:
    works(drive)
    assert drive.version == (0, 1)
    assert drive.messages[0].command == VERSION
    assert not drive.messages[0].fds


@pytest.mark.parametrize(
    "json",
    [
        b"",
        b"{}\0",
        b'{"capabilities":{}}\0',
        b'{"capabilities":{"max_msg_fds":1,"max_data_xfer_size":4096,"twin_socket":{"supported":false}}}\0',
        b'{"unknown":[1,{"deep":[[]]}],"capabilities":{"new":"thing","max_msg_fds":8}}\0',
        b'{ "capabilities" : { "max_data_xfer_size" : 99999999999999999999999 } }\0',
        b'{"capabilities":{"max_data_xfer_size":"many","max_msg_fds":null}}\0',
        b"\xff\xfe no JSON at all, and no NUL",
        b'{"capabilities":{"max_data_xfer_size":',
    ],
    ids=["none", "empty", "no capabilities", "small", "unknown", "huge", "wrong types", "garbage", "cut off"],
)
def test_version_reply_may_carry_any_json(drive: Drive, json: bytes) -> None:
    version(drive, struct.pack("<HH", 0, 1) + json)
    works(drive)


def test_version_reply_with_a_smaller_minor_is_accepted(drive: Drive) -> None:
    version(drive, struct.pack("<HH", 0, 0))
    works(drive)


@pytest.mark.parametrize(("major", "minor"), [(1, 0), (0, 2), (0xFFFF, 0xFFFF)])
def test_another_version_is_refused_and_named(drive: Drive, major: int, minor: int) -> None:
    version(drive, struct.pack("<HH", major, minor))
    refused(drive, rf"version {major}\.{minor} of vfio-user, this build 0\.1")


@pytest.mark.parametrize("limits", ['"max_data_xfer_size":4', '"max_msg_fds":0'])
def test_limits_below_what_a_driver_needs_are_refused(drive: Drive, limits: str) -> None:
    version(drive, struct.pack("<HH", 0, 1) + b'{"capabilities":{%s}}\0' % limits.encode())
    refused(drive, "too few")


def test_small_transfer_limit_is_kept(drive: Drive) -> None:
    drive.capabilities["max_data_xfer_size"] = 8
    pcie = nvme.Pcie(drive.start())
    drive.config[0x80:0xA0] = bytes(range(32))
    assert pcie[0x80:0xA0] == list(range(32))
    pcie.close()
    reads = [m for m in drive.messages if m.command == REGION_READ]
    assert max(struct.unpack_from("<I", m.payload, 12)[0] for m in reads) == 8


def test_version_refused_by_the_device_tells_its_errno(drive: Drive) -> None:
    drive.on_message[VERSION] = lambda message: drive.refuse(message, 13, b"and a payload that nobody wants")
    refused(drive, "refused VERSION: Permission denied")


@pytest.mark.parametrize("error", [0, 0xFFFFFFFF, 99999])
def test_error_reply_without_an_errno_is_still_a_refusal(drive: Drive, error: int) -> None:
    drive.on_message[VERSION] = lambda message: drive.refuse(message, error)
    refused(drive, "refused VERSION: Invalid argument")


def test_garbage_is_not_vfio_user(drive: Drive) -> None:
    drive.on_message[VERSION] = lambda message: drive.send_raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    refused(drive, "does not speak vfio-user")


NO_ANSWER = {
    "a reply to another command": lambda to: message(REGION_READ, struct.pack("<HH", 0, 1), id=to.id),
    "a reply to another message": lambda to: message(VERSION, struct.pack("<HH", 0, 1), id=to.id ^ 1),
    "a reply without a payload": lambda to: message(VERSION, id=to.id),
    "a size below the header's": lambda to: message(VERSION, b"\0\0\1\0", id=to.id, size=15),
    "a size of 0": lambda to: message(VERSION, b"\0\0\1\0", id=to.id, size=0),
    "a size of 2 MiB": lambda to: message(VERSION, b"\0\0\1\0", id=to.id, size=2 << 20),
    "a size of 4 GiB - 1": lambda to: message(VERSION, b"\0\0\1\0", id=to.id, size=0xFFFFFFFF),
    "neither command nor reply": lambda to: message(VERSION, b"\0\0\1\0", id=to.id, flags=2),
}


@pytest.mark.parametrize("wrong", NO_ANSWER.values(), ids=NO_ANSWER)
def test_no_proper_answer_is_refused_at_once(drive: Drive, wrong: Callable[[Message], bytes]) -> None:
    drive.on_message[VERSION] = lambda to: drive.send_raw(wrong(to))
    refused(drive, "does not speak vfio-user")


@pytest.mark.parametrize("length", [0, 1, HEADER.size - 1, HEADER.size, HEADER.size + 3])
def test_connection_closed_within_the_reply_is_told(drive: Drive, length: int) -> None:
    def cut(to: Message) -> None:
        if length:
            drive.send_raw(message(VERSION, struct.pack("<HH", 0, 1), id=to.id)[:length])
        drive.hang_up()

    drive.on_message[VERSION] = cut
    refused(drive, "closed the connection")


def test_silence_is_given_up_after_two_seconds(drive: Drive) -> None:
    drive.on_message[VERSION] = lambda message: None
    refused(drive, "did not answer within 2000 ms", seconds=3.5)


def test_reply_that_comes_byte_by_byte_is_read(drive: Drive) -> None:
    def drip(to: Message) -> None:
        for byte in message(VERSION, struct.pack("<HH", 0, 1), id=to.id):
            drive.send_raw(bytes([byte]))

    drive.on_message[VERSION] = drip
    works(drive)


def test_device_that_only_asks_and_never_answers_is_given_up(drive: Drive) -> None:
    """The wait for a reply is bounded even while other messages keep arriving."""

    def flood(to: Message) -> None:
        while True:
            drive.send_raw(message(DMA_READ, bytes(16), flags=NO_REPLY) * 4096)

    drive.on_message[VERSION] = flood
    refused(drive, "did not answer within 2000 ms", seconds=4.0)


def test_descriptors_that_nobody_wants_are_closed(drive: Drive) -> None:
    def generous(to: Message) -> None:
        drive.reply(to, struct.pack("<HH", 0, 1), fds=[drive.doorbell_fd] * 8)

    drive.on_message[VERSION] = generous
    works(drive)  # that no descriptor stays is checked behind every test


def test_device_may_read_and_write_mapped_memory_by_message(drive: Drive) -> None:
    done = []

    def interrupt(to: Message) -> None:
        if drive.memory and not done:
            done.append(True)
            address = drive.memory[0].address + drive.memory[0].size - 4096
            drive.ask(DMA_WRITE, struct.pack("<QQ", address, 5) + b"hello")
            found = drive.ask(DMA_READ, struct.pack("<QQ", address, 5))
            assert found.payload == struct.pack("<QQ", address, 5) + b"hello"
            assert drive.dma_read(address, 5) == b"hello"
        drive.answer(to)

    drive.on_message[REGION_READ] = interrupt
    works(drive)
    assert [answer.flags for answer in drive.answers_to_us] == [REPLY, REPLY]


@pytest.mark.parametrize(
    ("address", "count"),
    [(0, 4096), (0xFFFFFFFFFFFFF000, 4096), (0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF), (0x10000, 1 << 40)],
)
def test_device_may_not_read_or_write_other_memory(drive: Drive, address: int, count: int) -> None:
    def interrupt(to: Message) -> None:
        if drive.memory and not drive.answers_to_us:
            for command, data in ((DMA_READ, b""), (DMA_WRITE, bytes(min(count, 4096)))):
                found = drive.ask(command, struct.pack("<QQ", address, count) + data)
                assert found.flags == REPLY | ERROR
                assert found.error
                assert not found.payload
        drive.answer(to)

    drive.on_message[REGION_READ] = interrupt
    works(drive)
    assert len(drive.answers_to_us) == 2


def test_device_may_not_reach_over_the_end_of_mapped_memory(drive: Drive) -> None:
    def interrupt(to: Message) -> None:
        if drive.memory and not drive.answers_to_us:
            end = drive.memory[0].address + drive.memory[0].size
            assert drive.ask(DMA_READ, struct.pack("<QQ", end - 4, 8)).flags == REPLY | ERROR
        drive.answer(to)

    drive.on_message[REGION_READ] = interrupt
    works(drive)
    assert len(drive.answers_to_us) == 1


def test_requests_that_are_none_of_a_devices_are_refused(drive: Drive) -> None:
    def interrupt(to: Message) -> None:
        if not drive.answers_to_us:
            for command in (REGION_READ, 0, 0xFFFF):
                assert drive.ask(command, bytes(16)).flags == REPLY | ERROR
        drive.answer(to)

    drive.on_message[VERSION] = interrupt
    works(drive)
    assert len(drive.answers_to_us) == 3


def test_refused_device_can_be_opened_when_it_has_learnt_to_speak(drive: Drive) -> None:
    version(drive, struct.pack("<HH", 7, 0))
    refused(drive, r"version 7\.0")
    drive.on_message.clear()
    pcie = nvme.Pcie(drive.address)
    assert nvme.Controller(pcie).mdts == 128 * 1024
    pcie.close()
