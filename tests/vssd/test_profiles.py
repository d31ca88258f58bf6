# SPDX-License-Identifier: BSD-3-Clause
"""Profiles: which optional features a drive has."""

from __future__ import annotations

import struct

import pytest
from client import Client, Nvme
from ctrl_helpers import Start, identify, log_page

COPY, MANAGEMENT, SGLS, UUIDS = "copy", "namespace management", "sgls", "uuid list"


def offered(start: Start, *words: str) -> set[str]:
    with Client(start("--size", "1M", *words).folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        ctrl, lids = identify(nvme, 1), struct.unpack("<256I", log_page(nvme, 0, 1024))
        nvme.close()
    assert (lids[0xC0] & 1) == (ctrl[97] >> 1 & 1), "the UUID list, and OCP's log pages"
    found = {
        COPY: ctrl[521] & 1,
        MANAGEMENT: ctrl[256] & 8,
        SGLS: ctrl[536] & 3,
        UUIDS: ctrl[97] & 2,
    }
    return {name for name, bits in found.items() if bits}


@pytest.mark.parametrize(
    "words, expected",
    [
        ((), set()),
        (("--profile", "client"), set()),
        (("--profile", "datacenter"), {MANAGEMENT, UUIDS}),
        (("--profile", "everything"), {COPY, MANAGEMENT, SGLS, UUIDS}),
        (("--copy", "--profile", "datacenter"), {COPY, MANAGEMENT, UUIDS}),
        (("--profile", "client", "--ocp"), {UUIDS}),
    ],
)
def test_what_a_profile_has(start: Start, words: tuple[str, ...], expected: set[str]) -> None:
    assert offered(start, *words) == expected
