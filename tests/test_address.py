# SPDX-License-Identifier: BSD-3-Clause
"""Python code without the driver classifies an address as the driver does."""

from __future__ import annotations

import random

import nvme
import pytest

from pynvme import address

FUNCTION, SOCKET, TCP, PRIVATE = range(4)
TEXTS = {
    "01:00.0": FUNCTION,
    "0000:01:00.0": FUNCTION,
    "FE:1F.7": FUNCTION,
    "10000:e1:00.0": FUNCTION,
    "1:0.0": FUNCTION,
    "/run/vssd": SOCKET,
    "./01:00.0": SOCKET,
    "a/vssd": SOCKET,
    "tcp://10.1.2.3:4420": TCP,
    "10.1.2.3": TCP,
    "drive:4420": TCP,
    "vssd": PRIVATE,
    "vssd:": PRIVATE,
    "vssd:size=1G,store=/tmp/a": PRIVATE,
    "vssd:name=" + "a" * 300: PRIVATE,
}


def driver_says(text: str) -> tuple[int, str] | None:
    """Kind and text of an address, or None if it is invalid."""
    try:
        return nvme._kind_of_address(text)  # type: ignore[attr-defined, no-any-return]
    except nvme.NvmeEnumerateError:
        return None


def check(text: str) -> None:
    found = driver_says(text)
    function = found[1] if found and found[0] == FUNCTION else None
    assert address.normal(text) == function, text
    assert address.is_private(text) == (found is not None and found[0] == PRIVATE), text


@pytest.mark.parametrize("text", TEXTS)
def test_each_kind_is_known(text: str) -> None:
    found = driver_says(text)
    assert found is not None and found[0] == TEXTS[text]
    check(text)


@pytest.mark.parametrize(
    "text", ["", "vssdx", "VSSD", "01:20.0", "01:00.8", "100:00.0", "01:00.0 ", " 01:00.0"]
)
def test_what_is_no_address_is_none_for_both(text: str) -> None:
    assert driver_says(text) is None
    check(text)


def test_both_agree_on_texts_that_nobody_chose() -> None:
    generator = random.Random(1)
    for _ in range(20_000):
        text = generator.choice(list(TEXTS))
        at = generator.randrange(len(text))
        check(text[:at] + generator.choice("0179afAFg:./ vs-[]@") + text[at + generator.randrange(3) :])


def test_a_target_of_nvme_over_tcp_is_refused_as_such() -> None:
    with pytest.raises(nvme.NvmeEnumerateError, match="4420 is the address of an NVMe/TCP target"):
        nvme.Controller("tcp://10.1.2.3:4420")
