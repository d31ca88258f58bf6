# SPDX-License-Identifier: BSD-3-Clause
"""Findings of one bug have one signature, and findings of different bugs have different ones."""

from __future__ import annotations

from pathlib import Path

import pytest

import pynvme
from pynvme.lab import signature
from pynvme.report.run import Test
from pynvme.suite.finding import place_of


def of(expected: str, seen: str, clause: str = "NVM 1.0, 3.2.4 Read", **more) -> str:
    found = {"expected": expected, "seen": seen, "clause": clause, "place": "traffic.judge", **more}
    return str(signature.of(Test("test_data.py::test_a[x]", "failed", finding=found)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("LBA 0x12 holds data", "zeros"), ("LBA 0xfe holds data", "zeros")),
        (("3 completions", "none"), ("17 completions", "none")),
        (("data within 10 s", "12.3 s"), ("data within 2.5 s", "9 s")),
        (("keys 1, 2 and 3", "4"), ("keys 7 and 8", "5")),
        (("bytes 0123456789abcdef", "0"), ("bytes fedcba9876543210", "1")),
        (
            ("WRITE of 05:20:42.568991 by queue 1 (cid 3)", ""),
            ("WRITE of 06:21:00.1 by queue 2 (cid 9, late)", ""),
        ),
        (("opcode 0Ch is refused", ""), ("opcode 7Fh is refused", "")),
    ],
)
def test_numbers_do_not_tell_bugs_apart(one, other):
    assert of(*one) == of(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ("READ: 00/00 SUCCESS", "02/81 UNRECOVERED_READ_ERROR"),
            ("READ: 00/00 SUCCESS", "00/04 DATA_TRANSFER_ERROR"),
        ),
        (("READ: 00/00 SUCCESS", "00/04 X"), ("WRITE: 00/00 SUCCESS", "00/04 X")),
        (("DUW grows by 3", "0"), ("DUR grows by 3", "0")),
        (("CSTS.RDY within 3 s", ""), ("CSTS.SHST is 10b", "")),
    ],
)
def test_commands_fields_and_statuses_tell_bugs_apart(one, other):
    assert of(*one) != of(*other)


def test_wrong_data_are_told_apart_by_what_was_read():
    old = of("LBA 0x1 holds write 7", "an older write of this LBA, that of 05:00", lbas=[1])
    assert old == of("LBA 0x9 holds zeros", "an older write of this LBA, that of 06:00", lbas=[9])
    assert old != of("LBA 0x1 holds write 7", "zeros", lbas=[1])


def test_a_signature_can_be_read():
    found = of("SET_FEATURES: 00/00 SUCCESS", "01/0d FEATURE_NOT_SAVEABLE", "Base 2.0, 5.27 Set Features")
    assert found == "Base 5.27 · SET_FEATURES · SUCCESS, not FEATURE_NOT_SAVEABLE · traffic.judge"
    assert signature.section("NVMe-MI 2.0, 5.9 VPD Read") == "NVMe-MI 5.9"
    assert signature.section("nothing of the kind") == "nothing of the kind"


LONG = """nvme0 = <nvme.Controller>

    def test_own(nvme0):
        value = 3
>       assert value == {value}

test_own.py:{line}: AssertionError"""


def exception(
    line: int, value: int, message: str = "AssertionError: assert 3 == 4", file: str = "test_own.py"
) -> str:
    test = Test(f"{file}::test_own", "failed", message=message, details=LONG.format(line=line, value=value))
    return str(signature.of(test))


def test_an_exception_has_its_type_and_the_line_of_the_test():
    assert exception(5, 4) == "AssertionError · test_own.py: assert value == 4"
    assert exception(5, 4) == exception(99, 4), "lines above were added"
    assert exception(5, 4) != exception(5, 6)
    assert exception(5, 4) != exception(5, 4, "nvme.QpairCreationError: no")
    assert exception(5, 4, file="test_other.py") == "AssertionError · test_other.py: test_own"


def _raise_in(name: str) -> list:
    """The frames of a function of this name in a file of the suite, the innermost one first."""
    place = Path(pynvme.__file__).parent / "suite" / "traffic.py"
    scope: dict = {}
    code = f"def check(deep):\n raise ValueError\ndef {name}():\n [check(1) for _ in (1,)]\n"
    exec(compile(code, str(place), "exec"), scope)
    try:
        scope[name]()
    except ValueError as error:
        trace = error.__traceback__
    frames = []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    return frames[::-1]


def test_the_place_is_the_function_of_the_suite_that_judged():
    assert place_of(_raise_in("must_be_whole")) == "traffic.must_be_whole"
    assert place_of([]) == ""
