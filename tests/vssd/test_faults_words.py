# SPDX-License-Identifier: BSD-3-Clause
"""docs/faults.md says of the language of fault rules what the virtual SSD says."""

from __future__ import annotations

import re

import pytest
from fault_helpers import clear, faults, plant
from server import EXECUTABLE, Server

from tools.fault_words import PAGE, page, words

TEXT = PAGE.read_text()
RULES = [
    line
    for block in re.findall(r"```faults\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line and not line.startswith("#")
]


def test_the_tables_are_those_of_the_program() -> None:
    assert page(TEXT, words(str(EXECUTABLE))) == TEXT, "run: python -m tools.fault_words"


def test_each_word_has_a_help() -> None:
    for kind, found in words(str(EXECUTABLE)).items():
        assert len(found) > 10, kind
        for word in found:
            assert word["help"] or word["name"].startswith("cdw"), word["name"]


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_of_the_page_can_be_planted(rule: str, server: Server) -> None:
    number = plant(server, rule)
    printed = faults(server)[0].split(" ", 3)
    assert printed[:3] == [str(number), "0", "0"]
    clear(server)
    plant(server, printed[3])
    assert faults(server)[0].split(" ", 3)[3] == printed[3], "the canonical text reads back"
