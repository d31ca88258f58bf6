# SPDX-License-Identifier: BSD-3-Clause
"""Firmware Image Download and Firmware Commit: every action, what activates an image, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from client import Nvme, sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    IDENTIFY,
    INVALID_FIELD,
    OK,
    POWER,
    SANITIZE,
    Host,
    Start,
    control,
    firmware_image,
    get_feature,
    identify,
    log_page,
    set_feature,
)
from server import Server

FW_COMMIT, FW_DOWNLOAD = 0x10, 0x11
INVALID_SLOT, INVALID_IMAGE, OVERLAPPING = 0x106, 0x107, 0x114
NEEDS_CONVENTIONAL, NEEDS_SUBSYSTEM, NEEDS_CONTROLLER = 0x10B, 0x110, 0x111
REPLACE, ON_RESET, EXISTING_ON_RESET, NOW = 0, 1, 2, 3
ACTIVATION_STARTING = 0x30102
PIECE = 4096


def download(nvme: Nvme, data: bytes, offset: int = 0) -> int:
    """Send data in one command; its status."""
    buffer = nvme.memory.alloc(8192)
    nvme.memory.write(buffer, data)
    second = buffer + PIECE if len(data) > PIECE else 0
    fields = {"cdw10": len(data) // 4 - 1, "cdw11": offset // 4}
    return nvme.admin.execute(FW_DOWNLOAD, prp1=buffer, prp2=second, **fields)[1]


def commit(nvme: Nvme, slot: int, action: int) -> int:
    return nvme.admin.execute(FW_COMMIT, cdw10=action << 3 | slot)[1]


def running(nvme: Nvme) -> str:
    return identify(nvme, cns=1)[64:72].decode().rstrip()


def slots(nvme: Nvme) -> tuple[int, int, list[str]]:
    """Active and next slot, and the revisions in all of them."""
    data = log_page(nvme, 3)
    assert data[1:8] == bytes(7) and data[64:] == bytes(448) and data[0] & 0x88 == 0
    revisions = [data[8 * slot : 8 * slot + 8].rstrip(b"\0").decode().rstrip() for slot in range(1, 8)]
    return data[0] & 7, data[0] >> 4 & 7, revisions


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "16M"))
    yield host
    host.close()


def test_identify_tells_what_there_is(nvme: Nvme) -> None:
    data = identify(nvme, cns=1)
    assert data[256] & 4, "OACS"
    assert data[260] == 3 << 1 | 1 << 4, "FRMW: three slots, all writable, activation without reset"
    assert data[319] == 1, "FWUG: pieces of 4 KiB"
    assert int.from_bytes(data[270:272], "little") == 1, "MTFA: 100 ms"
    assert int.from_bytes(data[92:96], "little") & 1 << 9, "OAES"
    assert slots(nvme) == (1, 0, ["1.0"] + [""] * 6)


def test_a_good_image_goes_into_a_slot_and_does_not_run(nvme: Nvme) -> None:
    assert download(nvme, firmware_image("2.0")) == OK
    assert commit(nvme, 2, REPLACE) == OK
    assert slots(nvme) == (1, 0, ["1.0", "2.0"] + [""] * 5)
    nvme.disable()
    nvme.enable()
    assert running(nvme) == "1.0" and slots(nvme)[:2] == (1, 0)


def test_a_reset_activates_what_was_committed_for_it(nvme: Nvme) -> None:
    assert download(nvme, firmware_image("2.0")) == OK
    assert commit(nvme, 3, ON_RESET) == OK
    assert slots(nvme) == (1, 3, ["1.0", "", "2.0"] + [""] * 4)
    assert running(nvme) == "1.0"
    nvme.disable()
    nvme.enable()
    assert running(nvme) == "2.0" and slots(nvme)[:2] == (3, 0)


def test_what_is_in_a_slot_can_be_activated_later(nvme: Nvme) -> None:
    assert download(nvme, firmware_image("2.0")) == OK and commit(nvme, 2, REPLACE) == OK
    assert commit(nvme, 2, EXISTING_ON_RESET) == OK
    assert slots(nvme)[:2] == (1, 2) and running(nvme) == "1.0"
    nvme.disable()
    nvme.enable()
    assert slots(nvme)[:2] == (2, 0) and running(nvme) == "2.0"
    assert commit(nvme, 1, EXISTING_ON_RESET) == OK
    nvme.client.write32(0x20, 0x4E564D65)
    nvme.enable()
    assert slots(nvme)[:2] == (1, 0) and running(nvme) == "1.0"


@pytest.mark.parametrize("slot", [1, 2])
def test_an_image_can_run_at_once(nvme: Nvme, slot: int) -> None:
    assert download(nvme, firmware_image("2.0")) == OK
    assert commit(nvme, slot, NOW) == OK
    assert running(nvme) == "2.0" and slots(nvme)[:2] == (slot, 0)
    assert commit(nvme, slot, NOW) == OK, "the image that is there, again"


def test_while_it_starts_processing_is_paused(nvme: Nvme) -> None:
    assert set_feature(nvme, 0x0B, 0x200) == OK
    request = nvme.admin.submit(sqe(ASYNC_EVENT))
    assert download(nvme, firmware_image("2.0")) == OK
    committing = nvme.admin.submit(sqe(FW_COMMIT, cdw10=NOW << 3 | 2))
    event = nvme.admin.wait()
    assert (event.cid, event.cdw0) == (request, ACTIVATION_STARTING)
    assert nvme.client.read32(0x1C) == 1 | 1 << 5, "CSTS: ready, processing paused"
    late = nvme.admin.submit(sqe(IDENTIFY, prp1=nvme.memory.alloc(PIECE), cdw10=1))
    found = [nvme.admin.wait() for _ in range(2)]
    assert [(entry.cid, entry.status) for entry in found] == [(committing, OK), (late, OK)]
    assert nvme.client.read32(0x1C) == 1


def test_the_event_comes_again_after_the_slots_were_read(nvme: Nvme) -> None:
    assert set_feature(nvme, 0x0B, 0x200) == OK
    assert get_feature(nvme, 0x0B) == 0x200
    for read in (True, False):
        request = nvme.admin.submit(sqe(ASYNC_EVENT))
        committing = nvme.admin.submit(sqe(FW_COMMIT, cdw10=NOW << 3 | 1))
        found = {entry.cid: entry.cdw0 for entry in (nvme.admin.wait(), nvme.admin.wait())}
        assert found == {request: ACTIVATION_STARTING, committing: 0}
        log_page(nvme, 4, retain=not read)
        if read:
            log_page(nvme, 3)
    masked = nvme.admin.submit(sqe(ASYNC_EVENT))
    assert commit(nvme, 1, NOW) == OK, "no event: nobody has read log page 03h"
    reading = nvme.admin.submit(sqe(0x02, prp1=nvme.memory.alloc(PIECE), cdw10=127 << 16 | 3))
    found = {entry.cid: entry.cdw0 for entry in (nvme.admin.wait(), nvme.admin.wait())}
    assert found == {masked: ACTIVATION_STARTING, reading: 0}


def test_without_its_notice_enabled_there_is_no_event(nvme: Nvme) -> None:
    nvme.admin.submit(sqe(ASYNC_EVENT))
    assert commit(nvme, 1, NOW) == OK
    assert running(nvme) == "1.0"


def test_a_reset_in_the_middle_finishes_the_activation(nvme: Nvme) -> None:
    assert download(nvme, firmware_image("2.0")) == OK
    nvme.admin.submit(sqe(FW_COMMIT, cdw10=NOW << 3 | 2))
    while nvme.client.read32(0x1C) != 1 | 1 << 5:
        pass
    nvme.disable()
    assert nvme.client.read32(0x1C) == 0
    nvme.enable()
    assert running(nvme) == "2.0" and slots(nvme)[:2] == (2, 0)
    assert nvme.admin.poll() is None, "its completion was for the queue that is gone"


def test_without_bus_mastering_its_completion_waits(nvme: Nvme) -> None:
    committing = nvme.admin.submit(sqe(FW_COMMIT, cdw10=NOW << 3 | 1))
    while nvme.client.read32(0x1C) != 1 | 1 << 5:
        pass
    nvme.client.config_write(4, b"\x02\x00")
    while nvme.client.read32(0x1C) != 1:
        pass
    assert nvme.admin.poll() is None
    nvme.client.config_write(4, b"\x06\x00")
    assert nvme.admin.wait().cid == committing


@pytest.mark.parametrize(
    "needs, refusal, way",
    [
        (1, NEEDS_CONTROLLER, "controller"),
        (2, NEEDS_CONVENTIONAL, "conventional"),
        (3, NEEDS_SUBSYSTEM, "subsystem"),
        (3, NEEDS_SUBSYSTEM, "power"),
    ],
)
def test_an_image_may_need_a_reset_of_its_own(host: Host, needs: int, refusal: int, way: str) -> None:
    nvme = host.nvme
    assert download(nvme, firmware_image("2.0", needs=needs)) == OK
    assert commit(nvme, 2, NOW) == refusal
    assert slots(nvme)[:2] == (1, 2) and running(nvme) == "1.0"
    if needs > 1:
        assert commit(nvme, 2, EXISTING_ON_RESET) == refusal
        nvme.disable()
        nvme.enable()
        assert running(nvme) == "1.0", "a controller reset is not enough"
    if needs > 2:
        nvme.client.ok(13)
        nvme.enable()
        assert running(nvme) == "1.0", "nor is a conventional one"
    if way == "controller":
        nvme.disable()
    elif way == "conventional":
        nvme.client.ok(13)
    elif way == "subsystem":
        nvme.client.write32(0x20, 0x4E564D65)
    else:
        control(host.server, POWER, 0)
        control(host.server, POWER, 1)
    nvme.enable()
    assert running(nvme) == "2.0" and slots(nvme)[:2] == (2, 0)


@pytest.mark.parametrize(
    "needs, refusal",
    [(0, NEEDS_CONTROLLER), (1, NEEDS_CONTROLLER), (2, NEEDS_CONVENTIONAL), (3, NEEDS_SUBSYSTEM)],
)
def test_an_image_that_waits_keeps_a_sanitize_operation_from_starting(
    nvme: Nvme, needs: int, refusal: int
) -> None:
    assert download(nvme, firmware_image("2.0", needs=needs)) == OK
    commit(nvme, 2, ON_RESET)
    assert nvme.admin.execute(SANITIZE, cdw10=2)[1] == refusal
    nvme.client.write32(0x20, 0x4E564D65)
    nvme.enable()
    assert running(nvme) == "2.0"
    assert nvme.admin.execute(SANITIZE, cdw10=2)[1] == OK


def test_pieces_may_come_in_any_order(nvme: Nvme) -> None:
    data = firmware_image("2.0", 5)
    for offset in (3, 0, 4, 1, 2):
        assert download(nvme, data[offset * PIECE : (offset + 1) * PIECE], offset * PIECE) == OK
    assert commit(nvme, 2, NOW) == OK
    assert running(nvme) == "2.0"


def test_ranges_must_not_overlap(nvme: Nvme) -> None:
    data = firmware_image("2.0", 3)
    assert download(nvme, data[:PIECE]) == OK
    assert download(nvme, data[PIECE:], PIECE) == OK
    for offset, length in (
        *((0, PIECE), (0, 8192), (PIECE, 8192), (2 * PIECE, PIECE), (2 * PIECE, 8192)),
        *((2048, PIECE), (3 * PIECE - 4, 4), (3 * PIECE - 4, 8)),  # misaligned as well
    ):
        assert download(nvme, bytes(length), offset) == OVERLAPPING
    assert download(nvme, bytes(PIECE), 3 * PIECE + 4) == INVALID_FIELD
    assert commit(nvme, 2, REPLACE) == OK, "what was refused has changed nothing"


def test_pieces_that_are_refused(nvme: Nvme) -> None:
    buffer = nvme.memory.alloc(PIECE)
    for cdw10, cdw11 in (
        (1022, 0),  # half of a piece, or half a piece too far
        (1024, 0),
        (511, 0),
        (1023, 512),
        (1023, 1),
        (1023, 1 << 31 | 3),
        (1023, 8 << 20 >> 2),  # behind the largest image
        (1023, 0xFFFFFC00),
        (0xFFFFFFFF, 0),  # longer than MDTS
        (0xFFFFFFFF, 0xFFFFFC00),
        (33 * 1024 - 1, 0),
    ):
        assert nvme.admin.execute(FW_DOWNLOAD, prp1=buffer, cdw10=cdw10, cdw11=cdw11)[1] == INVALID_FIELD
    assert commit(nvme, 2, REPLACE) == INVALID_IMAGE, "nothing was taken"


def damaged(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]


def test_garbage_is_refused(nvme: Nvme) -> None:
    good = firmware_image("2.0")
    places = (0, 7, 8, 15, 17, 20, 23, 24, 25, 32, 4096, 8191)
    for data in (
        bytes(8192),
        bytes(range(256)) * 32,
        *(damaged(good, at) for at in places),
        firmware_image("2.0", needs=4),
        firmware_image(" 2.0"),
        firmware_image("2\n0"),
        firmware_image("2.0", 3)[:8192],
    ):
        assert download(nvme, data) == OK, "a commit takes what was downloaded, good or bad"
        assert commit(nvme, 2, NOW) == INVALID_IMAGE
    assert slots(nvme) == (1, 0, ["1.0"] + [""] * 6)
    assert download(nvme, good) == OK
    assert commit(nvme, 2, NOW) == OK


def test_an_image_with_a_gap_is_refused(nvme: Nvme) -> None:
    data = firmware_image("2.0", 3)
    assert download(nvme, data[:PIECE]) == OK
    assert download(nvme, data[2 * PIECE :], 2 * PIECE) == OK
    assert commit(nvme, 2, REPLACE) == INVALID_IMAGE


def test_a_commit_without_an_image_is_refused(nvme: Nvme) -> None:
    for action in (REPLACE, ON_RESET):
        assert commit(nvme, 1, action) == INVALID_IMAGE
    assert slots(nvme) == (1, 0, ["1.0"] + [""] * 6)


def test_an_empty_slot_cannot_be_activated(nvme: Nvme) -> None:
    for action in (EXISTING_ON_RESET, NOW):
        assert commit(nvme, 3, action) == INVALID_IMAGE
    assert slots(nvme)[:2] == (1, 0)


def test_slots_that_are_not_there(nvme: Nvme) -> None:
    assert download(nvme, firmware_image("2.0")) == OK
    for action in (REPLACE, ON_RESET, EXISTING_ON_RESET, NOW):
        assert [commit(nvme, slot, action) for slot in (4, 5, 6, 7)] == [INVALID_SLOT] * 4
    assert commit(nvme, 2, REPLACE) == OK, "the image is still there"


def test_actions_that_are_not_there(nvme: Nvme) -> None:
    assert download(nvme, firmware_image("2.0")) == OK
    for action in (4, 5, 6, 7):
        assert commit(nvme, 2, action) == INVALID_FIELD
    assert commit(nvme, 2, REPLACE) == OK, "the image is still there"


def test_slot_0_is_the_controllers_choice(nvme: Nvme) -> None:
    for revision in ("2", "3", "4", "5"):
        assert download(nvme, firmware_image(revision)) == OK
        assert commit(nvme, 0, REPLACE) == OK
    assert slots(nvme) == (1, 0, ["1.0", "5", "3"] + [""] * 4), "first empty ones, then not the active one"
    assert commit(nvme, 0, EXISTING_ON_RESET) == OK
    assert slots(nvme)[:2] == (1, 2)
    assert download(nvme, firmware_image("6")) == OK
    assert commit(nvme, 0, REPLACE) == OK
    assert slots(nvme) == (1, 2, ["1.0", "5", "6"] + [""] * 4), "nor the one that is to come"


def test_a_reset_discards_what_was_downloaded(nvme: Nvme) -> None:
    assert download(nvme, firmware_image("2.0")) == OK
    nvme.disable()
    nvme.enable()
    assert commit(nvme, 2, REPLACE) == INVALID_IMAGE
    assert download(nvme, firmware_image("2.0")) == OK


def test_the_slots_last(host: Host) -> None:
    nvme = host.nvme
    assert download(nvme, firmware_image("2.0")) == OK and commit(nvme, 2, NOW) == OK
    assert download(nvme, firmware_image("3.0")) == OK and commit(nvme, 3, ON_RESET) == OK
    host.power_cycle()
    assert running(nvme) == "3.0"
    assert slots(nvme) == (3, 0, ["1.0", "2.0", "3.0"] + [""] * 4)


def test_a_new_image_in_the_active_slot_runs_after_the_power_was_off(host: Host) -> None:
    assert download(host.nvme, firmware_image("2.0")) == OK and commit(host.nvme, 1, REPLACE) == OK
    host.nvme.disable()
    host.nvme.enable()
    assert running(host.nvme) == "1.0" and slots(host.nvme)[2][0] == "2.0"
    host.power_cycle()
    assert running(host.nvme) == "2.0"


def test_a_file_keeps_the_slots(start: Start, folder: str) -> None:
    options = ("--size", "1M", "--file", os.path.join(folder, "drive"))
    server = Server(os.path.join(folder, "first"), *options)
    host = Host(server)
    assert download(host.nvme, firmware_image("2.0")) == OK and commit(host.nvme, 2, NOW) == OK
    host.close()
    server.check_end()
    host = Host(start(*options))
    assert running(host.nvme) == "2.0" and slots(host.nvme) == (2, 0, ["1.0", "2.0"] + [""] * 5)
    host.close()
