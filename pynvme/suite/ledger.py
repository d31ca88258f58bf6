# SPDX-License-Identifier: BSD-3-Clause
"""How often a session has switched the power, whether a shutdown came before, and how many reads have failed.

The counters of the health log are compared with this from the beginning of the session on. A counter that
jumps once, before a test looks at it, would not be seen by differences within a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynvme.spec import SmartLog
from pynvme.suite.health import smart
from pynvme.suite.history import Command

if TYPE_CHECKING:
    from pynvme.suite.drive import Drive

CLAUSE = "Base 2.0, 5.16.1.3 SMART / Health Information, Power Cycles and Unsafe Shutdowns"
MEDIA = "Base 2.0, 5.16.1.3 SMART / Health Information, Media and Data Integrity Errors"

_ledgers: dict[str, Ledger] = {}


class Ledger:
    """What the counters of power have to be.

    A power-on before the controller is enabled, and a loss of power while it is not in use or shuts down, may
    be counted or not.
    """

    def __init__(self, first: SmartLog) -> None:
        self.first = first
        self._is_used, self._is_shut, self._is_sure = True, False, True
        self._cycles = self._maybe_cycles = 0
        self._unsafe = self._maybe_unsafe = 0
        self._starts = 0
        """Power-ons since the controller was enabled last."""
        self._failed = Command.maybe_media_errors

    def enabled(self) -> None:
        """Note that the controller is enabled."""
        self._is_used, self._is_shut, self._is_sure = True, False, True
        if self._starts:
            self._cycles += 1
            self._maybe_cycles += self._starts - 1
            self._starts = 0

    def shut_down(self) -> None:
        """Note that a normal shutdown is complete."""
        self._is_shut = True

    def unsure(self) -> None:
        """Note that a loss of power may be counted as unsafe or not, since a shutdown has only begun."""
        self._is_sure = False

    def off(self) -> None:
        """Note a loss of power."""
        if not self._is_used or not self._is_sure:
            self._maybe_unsafe += 1
        elif not self._is_shut:
            self._unsafe += 1
        self._is_used = False

    def on(self) -> None:
        """Note a power-on."""
        self._starts += 1

    def judge(self, drive: Drive, now: SmartLog) -> None:
        """Raise a finding unless the counters agree."""
        for name, text, least, maybe in (
            ("pwrc", "power cycles", self._cycles, self._maybe_cycles),
            ("upl", "unsafe shutdowns", self._unsafe, self._maybe_unsafe),
        ):
            wanted = range(self.first[name] + least, self.first[name] + least + maybe + 1)
            numbers = f"{wanted[0]}" if len(wanted) == 1 else f"{wanted[0]} to {wanted[-1]}"
            drive.check(
                now[name] in wanted,
                CLAUSE,
                f"{numbers} {text}, {self.first[name]} at the beginning and what has happened since",
                now[name],
            )
        failed = Command.maybe_media_errors - self._failed
        most = self.first.mdie + failed
        seen = f"{now.mdie}, and {failed} commands may have failed by one since the beginning"
        drive.check(self.first.mdie <= now.mdie <= most, MEDIA, f"{self.first.mdie} to {most} errors", seen)


def ledger_of(drive: Drive) -> Ledger:
    """The ledger of this session."""
    address = drive.identity()["address"]
    if address not in _ledgers:
        _ledgers[address] = Ledger(smart(drive))
    return _ledgers[address]
