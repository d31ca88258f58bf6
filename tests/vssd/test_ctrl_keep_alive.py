# SPDX-License-Identifier: BSD-3-Clause
"""The Keep Alive Timer (feature 0Fh) and the Keep Alive command: what happens when the host is silent."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    INVALID_FIELD,
    INVALID_OPCODE,
    NOT_SAVEABLE,
    OK,
    READ,
    Host,
    Start,
    get_feature,
    identify,
    log_page,
    set_feature,
)

from tests.fix_load import loaded

KATO, KEEP_ALIVE, CSTS, CFS = 0x0F, 0x18, 0x1C, 2


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "1M", "--keep-alive"))
    yield host
    host.close()


def is_fatal(host: Host) -> bool:
    return bool(host.client.read32(CSTS) & CFS)


def test_a_drive_has_it_by_an_option_only(start: Start) -> None:
    for options, there in (
        ((), 0),
        (("--keep-alive",), 1),
        (("--keep-alive", "--nvme-version", "1.2"), 0),
        (("--keep-alive", "--nvme-version", "1.2.1"), 1),
    ):
        with Client(start("--size", "1M", *options).folder) as client:
            nvme = Nvme(client)
            nvme.enable()
            assert struct.unpack_from("<H", identify(nvme, 1), 320)[0] == there, "KAS"
            assert nvme.admin.execute(KEEP_ALIVE)[1] == (OK if there else INVALID_OPCODE)
            assert set_feature(nvme, KATO, 60000) == (OK if there else INVALID_FIELD)
            effects = struct.unpack_from("<I", log_page(nvme, 5, 4096), 4 * KEEP_ALIVE)[0]
            assert effects & 1 == there, "log page 05h"
            nvme.close()


def test_values_are_rounded_up_to_100_ms(host: Host) -> None:
    nvme = host.nvme
    assert [get_feature(nvme, KATO, select) for select in range(4)] == [0, 0, 0, 4]
    for value, kept in ((60000, 60000), (59901, 60000), (0xFFFFFFFF, 0xFFFFFFFF // 100 * 100), (0, 0)):
        assert set_feature(nvme, KATO, value) == OK and get_feature(nvme, KATO) == kept
    assert set_feature(nvme, KATO, 60000, save=True) == NOT_SAVEABLE


def test_a_silent_host_is_a_fatal_status(host: Host) -> None:
    nvme = host.nvme
    assert set_feature(nvme, KATO, 400) == OK
    for _ in range(8):
        time.sleep(0.1)
        if is_fatal(host) and loaded():
            return
        assert nvme.admin.execute(KEEP_ALIVE)[1] == OK and not is_fatal(host)
    begin = time.monotonic()
    while not is_fatal(host):
        if time.monotonic() < begin + 0.3:
            assert host.disk.command(READ, 0) == OK, "other commands do not keep it alive"
        assert time.monotonic() < begin + 5 or loaded()
    assert time.monotonic() - begin >= 0.39
    nvme.disable()
    nvme.enable()
    assert not is_fatal(host) and get_feature(nvme, KATO) == 0
    assert set_feature(nvme, KATO, 200) == OK and set_feature(nvme, KATO, 0) == OK
    time.sleep(0.4)
    assert not is_fatal(host), "0 disables it"
