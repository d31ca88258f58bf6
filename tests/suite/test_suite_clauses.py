# SPDX-License-Identifier: BSD-3-Clause
"""Each command has the clause of its own, with the title that the book of commands gives it."""

from __future__ import annotations

import re

import pytest

from pynvme.spec import AdminOpcode, IoOpcode
from pynvme.suite import clauses
from spec.commands import ADMIN, NVM

TITLES = {(command.set, command.opcode): command.name for command in (*ADMIN, *NVM)}


@pytest.mark.parametrize("opcode", clauses.IO, ids=lambda opcode: opcode.name)
def test_io(opcode: IoOpcode) -> None:
    found = re.fullmatch(r"(Base 2.0|NVM 1.0), [\d.]+ (.+)", clauses.of_io(opcode))
    assert found is not None
    specification, title = found.groups()
    assert title == TITLES["nvm", opcode]
    is_of_base = opcode is IoOpcode.FLUSH or opcode.name.startswith("RESERVATION")
    assert (specification == "Base 2.0") == is_of_base


@pytest.mark.parametrize("opcode", clauses.ADMIN, ids=lambda opcode: opcode.name)
def test_admin(opcode: AdminOpcode) -> None:
    found = re.fullmatch(r"(Base 2.0, 5|NVM 1.0, 4)[\d.]+ (.+)", clauses.of_admin(opcode))
    assert found is not None and found[2] == TITLES["admin", opcode]


def test_sections_are_unique() -> None:
    known = [text.rpartition(",")[2].split()[0] for text in (*clauses.IO.values(), *clauses.ADMIN.values())]
    assert len(set(known)) == len(known)


def test_other_commands_have_the_chapter() -> None:
    assert clauses.of_io(0xC0) == "NVM 1.0, 3.2 Commands"
    assert clauses.of_admin(0xC0) == "Base 2.0, 5 Admin Command Set"
