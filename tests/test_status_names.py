# SPDX-License-Identifier: BSD-3-Clause
"""The names of statuses are those of libnvme, which takes them from the specification, too."""

from __future__ import annotations

import ctypes
import ctypes.util

import pytest

from pynvme import spec, status

LIBRARY = ctypes.util.find_library("nvme")

SHORTER = {0x000: "Success"}
"""Where pynvme is shorter on purpose."""

SENTENCES = {*range(0x129, 0x12D), *range(0x12F, 0x135)}
"""libnvme has sentences for these, and not names."""

TYPING = {0x1B8: "Zone Boundary Error"}
"""libnvme 1.3 says Zoned Boundary Error."""


@pytest.mark.skipif(LIBRARY is None, reason="libnvme is not installed")
def test_names_are_those_of_libnvme() -> None:
    text_of = ctypes.CDLL(LIBRARY).nvme_status_to_string
    text_of.restype = ctypes.c_char_p
    differ, known = {}, 0
    for number in spec.Status:
        theirs = text_of(int(number), False).decode().split(": ")[0]
        ours = {**SHORTER, **TYPING}.get(number, theirs)
        known += theirs != "unrecognized"
        if (
            theirs != "unrecognized"
            and number not in SENTENCES
            and status.name(number).lower() != ours.lower()
        ):
            differ[f"{int(number):03x}"] = (status.name(number), theirs)
    assert differ == {}
    assert known > 100


def test_each_status_has_a_name() -> None:
    assert spec.STATUS_NAMES.keys() == {int(number) for number in spec.Status}
    assert all(name and name[0].isupper() for name in spec.STATUS_NAMES.values())


def test_others_are_named_by_their_range() -> None:
    assert status.describe(0x7C0) == "Vendor Specific (07/c0)"
    assert status.name(0x0C0) == status.name(0x2FF) == status.name(0x701) == "Vendor Specific"
    assert status.name(0x07F) == status.name(0x400) == "Reserved"
