# SPDX-License-Identifier: BSD-3-Clause
"""Any text of rules is refused with a reason, or reads back as rules that mean the same.

hypothesis draws the rules, so that one that fails is shown in its shortest form.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest
from ctrl_helpers import Start, control
from fault_helpers import PLANT, clear, faults
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from server import EXECUTABLE, Server
from test_random_faults import some_rule

from tools.fault_words import words

KNOWN = words(str(EXECUTABLE))
FUZZ = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # by load
)


@pytest.fixture
def server(start: Start) -> Iterator[Server]:
    yield start("--size", "16M")


def planted(server: Server, text: str) -> list[str]:
    """The rules of a text as they read back, or the reason why it is refused."""
    clear(server)
    answer = control(server, PLANT, data=text.encode())
    count = struct.unpack_from("<QQ", answer)[1]
    listed = [line.split(" ", 3)[3] for line in faults(server)]
    assert len(listed) == count, (text, listed)
    reason = answer[16:].decode()
    assert bool(reason) == (count == 0), (text, answer)
    return listed or [reason]


@FUZZ
@given(dice=st.randoms(use_true_random=False))
def test_rules_read_back_as_the_same_rules(server: Server, dice: random.Random) -> None:
    rule = some_rule(dice, KNOWN)
    once = planted(server, rule)
    if faults(server):
        assert planted(server, once[0]) == once, rule
    else:
        assert len(once[0]) > 10, (rule, once)


@FUZZ
@given(
    dice=st.randoms(use_true_random=False),
    junk=st.text(" \t=!.,:;/#[]-0x9aZé", max_size=12),
    at=st.integers(0, 80),
)
def test_one_wrong_rule_of_several_plants_none(
    server: Server, dice: random.Random, junk: str, at: int
) -> None:
    """A rule with text put into it is refused or not, but the good rule before it is never planted alone."""
    rule = some_rule(dice, KNOWN)
    damaged = (rule[:at] + junk + rule[at:]).replace("\n", " ").replace("\0", "")
    found = planted(server, f"opcode=flush do skip\n{damaged}")
    assert len(faults(server)) in (0, 1, 2), (damaged, found)
    if len(faults(server)) == 1:
        assert not damaged.partition("#")[0].strip(), damaged
