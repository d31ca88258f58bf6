# SPDX-License-Identifier: BSD-3-Clause
"""Bugs by name: each one can be planted, listed and explained."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from server import EXECUTABLE

from pynvme import vssd
from pynvme.bugs import BUGS, GROUPS, Bug, find, listing, plant
from pynvme.suite import AREAS
from pynvme.vssd import VirtualSsd

ROOT = Path(__file__).parents[2]
PLANTABLE = [bug for bug in BUGS.values() if bug.plantable]


@pytest.fixture(autouse=True)
def chosen_executable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYNVME_VSSD", str(EXECUTABLE))


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pynvme", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_there_are_a_hundred_bugs_that_can_be_planted() -> None:
    assert len(PLANTABLE) >= 100
    numbers = [bug.number for bug in BUGS.values()]
    assert len(set(numbers)) == len(numbers)
    for letter in GROUPS:
        mine = [int(number[1:]) for number in numbers if number[0] == letter]
        assert mine == list(range(1, len(mine) + 1)), f"group {letter} is numbered from 1 on"


@pytest.mark.parametrize("bug", BUGS.values(), ids=list(BUGS))
def test_a_bug_is_described(bug: Bug) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", bug.name)
    assert re.match(r"(Base 2\.[013]|NVM 1\.[01]|(ZNS|KV) 1\.1|PCIe 5\.0|NVMe-MI 2\.0|OCP|TCG) ?", bug.clause)
    assert bug.inside.endswith(".") and not bug.title.endswith(".")
    assert bool(bug.rules) == bug.plantable == bool(bug.areas)
    assert set(bug.areas) <= set(AREAS)


def test_each_rule_can_be_planted() -> None:
    with VirtualSsd(size="16M") as ssd:
        for bug in PLANTABLE:
            with ssd.fault(*bug.rules) as fault:
                assert len(fault.rules()) == len(bug.rules), bug.name


def test_a_bug_brings_its_rules_and_options() -> None:
    with VirtualSsd(size="16M", bug="b3", fault="opcode=read do status=02/81") as ssd:
        texts = [rule.text for rule in ssd.faults()]
        assert texts == ["opcode=read do status=02/81", *BUGS["flush-of-all-takes-none"].rules]
        assert ssd.options()["namespaces"] == "2"
    with VirtualSsd(size="16M", bug=["B3", "B1"], namespaces=3) as ssd:
        assert len(ssd.faults()) == 2
        assert ssd.options()["namespaces"] == "3"


def test_a_bug_in_an_address() -> None:
    address = "vssd:bug=flush-does-nothing,size=16M"
    vssd.private(address)
    try:
        assert [rule.text for rule in VirtualSsd.attach(address).faults()] == ["opcode=flush do skip"]
    finally:
        vssd.discard(address)


@pytest.mark.parametrize("name", ["", "flush", "Z0"])
def test_an_unknown_bug_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="there is no bug"):
        VirtualSsd(bug=name)
    with pytest.raises(ValueError, match="there is no bug"):
        vssd.check(f"vssd:bug={name}")


def test_a_bug_that_waits_for_a_feature_says_so() -> None:
    waiting = next(bug for bug in BUGS.values() if not bug.plantable)
    with pytest.raises(ValueError, match=re.escape(waiting.waits_for)):
        plant([waiting.name])
    assert waiting.waits_for in listing.text(waiting.name, False)


def test_the_list_names_each_bug() -> None:
    done = run("bugs")
    assert done.returncode == 0, done.stderr
    for bug in BUGS.values():
        assert re.search(rf"{bug.number} +{bug.name} ", done.stdout)
    assert f"{len(BUGS)} bugs" in done.stdout


def test_a_bug_is_explained_by_its_name_or_its_number() -> None:
    bug = find("identity-lost")
    for word in (bug.name, bug.number, bug.number.lower()):
        done = run("bugs", word)
        for part in (bug.title, bug.clause, *bug.rules):
            assert part in done.stdout
    assert "there is no bug" in run("bugs", "x").stderr


def test_bugs_as_json() -> None:
    records = json.loads(run("bugs", "--json").stdout)["bugs"]
    assert [record["name"] for record in records] == list(BUGS)
    assert json.loads(run("bugs", "B8", "--json").stdout)["rules"] == ["on=power-loss do cache pair=8"]


def test_a_virtual_ssd_of_the_command_line_has_the_bugs(tmp_path: Path) -> None:
    done = run("vssd", "run", "--help")
    assert "--bug NAME" in done.stdout
    assert "there is no bug 'nothing'" in run("vssd", "--bug", "nothing").stderr
