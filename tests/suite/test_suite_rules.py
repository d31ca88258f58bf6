# SPDX-License-Identifier: BSD-3-Clause
"""Rules of what a drive reports: each is broken by a structure that breaks it, and by no other."""

from __future__ import annotations

import pytest

from pynvme.spec import AdminOpcode, EffectsLog, IdentifyController, IdentifyNamespace, IoOpcode
from pynvme.suite.rules import CONTROLLER_RULES, NAMESPACE_RULES, Rule, wrong_effects

SUPPORTED, CHANGES = 1, 3


def controller() -> IdentifyController:
    ctrl = IdentifyController()
    ctrl.vid, ctrl.sn, ctrl.mn, ctrl.fr = 0x1234, "S1".ljust(20), "M1".ljust(40), "F1".ljust(8)
    ctrl.nn, ctrl.npss = 1, 1
    ctrl.frmw, ctrl.sqes, ctrl.cqes = 1 << 1, 0x66, 0x44
    ctrl.psd[0].mp, ctrl.psd[1].mp = 800, 500
    return ctrl


def namespace() -> IdentifyNamespace:
    space = IdentifyNamespace()
    space.nsze = space.ncap = space.nuse = 1000
    space.lbaf[0].lbads = 9
    return space


def broken(rules: tuple[Rule, ...], structure: object) -> list[str]:
    return [rule.text for rule in rules if not rule.holds(structure)]


def test_plausible_structures_break_no_rule() -> None:
    assert broken(CONTROLLER_RULES, controller()) == []
    assert broken(NAMESPACE_RULES, namespace()) == []


@pytest.mark.parametrize(
    "change, text",
    [
        (lambda c: setattr(c.psd[1], "mp", 900), "in the order of their maximum power"),
        (lambda c: setattr(c.psd[1], "rrl", 2), "relative performance"),
        (lambda c: setattr(c.psd[5], "mp", 1), "zeros in descriptors"),
        (lambda c: setattr(c, "wctemp", 70), "temperatures of a drive"),
        (lambda c: setattr(c, "mnan", 2), "MNAN"),
        (lambda c: setattr(c, "hmmin", 4), "host memory"),
        (lambda c: setattr(c, "sqes", 0x76 | 0x07), "submission queue entries"),
    ],
)
def test_a_wrong_controller_breaks_its_rule(change: object, text: str) -> None:
    ctrl = controller()
    change(ctrl)  # type: ignore[operator]
    assert any(text in one for one in broken(CONTROLLER_RULES, ctrl))


@pytest.mark.parametrize(
    "change, text",
    [
        (lambda n: setattr(n, "fpi", 0x85), "no format in progress"),
        (lambda n: setattr(n.lbaf[3], "lbads", 9), "zeros in formats"),
        (lambda n: setattr(n.lbaf[0], "lbads", 8), "LBADS"),
        (lambda n: setattr(n, "nuse", 1001), "NUSE"),
        (lambda n: setattr(n, "flbas", 0x10), "FLBAS bit 4"),
    ],
)
def test_a_wrong_namespace_breaks_its_rule(change: object, text: str) -> None:
    space = namespace()
    change(space)  # type: ignore[operator]
    assert any(text in one for one in broken(NAMESPACE_RULES, space))


def test_wrong_effects_are_named() -> None:
    log = EffectsLog()
    log.iocs[IoOpcode.WRITE] = CHANGES
    log.acs[AdminOpcode.IDENTIFY] = SUPPORTED
    assert wrong_effects(log) == []
    log.iocs[IoOpcode.WRITE] = SUPPORTED
    log.acs[AdminOpcode.IDENTIFY] = CHANGES
    log.acs[0x7E] = 2
    log.acs[AdminOpcode.ABORT] = SUPPORTED | 5 << 16
    found = " ".join(wrong_effects(log))
    for text in (
        "I/O opcode 01h, which changes data",
        "admin opcode 06h",
        "7eh",
        "CSE 0 to 2 of admin opcode 08h",
    ):
        assert text in found
