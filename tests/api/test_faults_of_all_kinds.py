# SPDX-License-Identifier: BSD-3-Clause
"""Every fault of the virtual SSD, a script and four workers: no crash, no hang, no memory reused too early.

The rules are made from the table of words, so that a new action is tried at once. `make test` tries a few
random rules, and `make soak` many (PYNVME_SOAK_RULES).
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fault_rules import actions, examples, language_examples, random_rule

HERE = Path(__file__).parent
RULES = int(os.environ.get("PYNVME_SOAK_RULES", "4"))
LONG = "PYNVME_SOAK_RULES" in os.environ
PARTS = 2
SEED = int(os.environ.get("PYNVME_SEED", "1"), 0)


def play(rules: Sequence[str], environment: dict[str, str], full: bool) -> list[dict[str, Any]]:
    """What became of each rule that is valid. The process that plays them must survive."""
    done = subprocess.run(
        [sys.executable, str(HERE / "any_fault.py"), *(["full"] if full else [])],
        input=json.dumps(rules),
        env=environment,
        capture_output=True,
        text=True,
        timeout=100 + 100 * len(rules),
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-4000:]}"
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(outcomes) == len(rules)
    return [outcome for outcome in outcomes if outcome is not None]


def check(outcome: dict[str, Any]) -> None:
    """A command without a completion is logged with the drive, its queue and its LBAs."""
    for line in outcome["log"]:
        if re.search(r"no completion|mismatch", line):
            assert outcome["address"] in line, line
            assert re.search(r"sqid:\d|queue \d", line), line
            assert re.search(r"LBA 0x|sqid:0|FLUSH|DATASET|queue \d", line), line


@pytest.mark.parametrize("part", range(PARTS))
def test_every_action(part: int, environment: dict[str, str]) -> None:
    rules = (examples() if LONG else list(language_examples()))[part::PARTS]
    outcomes = play(rules, environment, LONG)
    for outcome in outcomes:
        check(outcome)
    assert len(outcomes) > len(rules) // 2, "the virtual SSD refuses rules that are made from its own words"


def _is_of(rule: str, action: str) -> bool:
    return re.match(rf"{re.escape(action)}\b(?!-)", rule.partition("do ")[2]) is not None


def test_each_action_has_a_rule() -> None:
    for action in actions():
        assert any(_is_of(rule, action) for rule in examples()), action


@pytest.mark.parametrize("part", range(PARTS))
def test_random_rules(part: int, environment: dict[str, str]) -> None:
    rng = random.Random(f"{SEED}:{part}")
    for _ in range(-(-RULES // 20)):
        rules = [random_rule(rng) for _ in range(min(RULES, 20))]
        for outcome in play(rules, environment, LONG):
            check(outcome)
