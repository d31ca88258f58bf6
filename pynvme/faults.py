# SPDX-License-Identifier: BSD-3-Clause
"""Fault rules of a virtual SSD: what a script sees of them.

A rule is a line of text, such as ``opcode=read lba=5 do flip byte=3``. docs/faults.md describes the language.
"""

from __future__ import annotations

from types import TracebackType

from pynvme import control
from pynvme.control import Fired, Rule, VirtualSsdError

__all__ = ["Fault", "Fired", "Rule"]


class Fault:
    """Rules that were planted together. As a context manager, it removes them at its end.

    After that it still tells how often they fired. Rules that were removed by other means count as never
    fired.
    """

    def __init__(self, folder: str, first: int, count: int) -> None:
        self._folder = folder
        #: The numbers of the rules.
        self.numbers = tuple(range(first, first + count))
        self._removed: list[Rule] = []

    def rules(self) -> list[Rule]:
        """Those of the rules that are still planted, as their canonical text, with their counts."""
        return [rule for rule in control.faults(self._folder) if rule.number in self.numbers]

    @property
    def matched(self) -> int:
        """How often the conditions of the rules held, whether a rule then fired or not."""
        return sum(rule.matched for rule in [*self.rules(), *self._removed])

    @property
    def fired(self) -> int:
        """How often the rules have fired."""
        return sum(rule.fired for rule in [*self.rules(), *self._removed])

    def log(self) -> list[Fired]:
        """The entries of the log of these rules, see :meth:`pynvme.vssd.VirtualSsd.fired`."""
        return [entry for entry in control.fired(self._folder) if entry.rule in self.numbers]

    def release(self) -> None:
        """Complete the commands that the rules hold. Later ones are held again."""
        for rule in self.rules():
            control.release_fault(self._folder, rule.number)

    def remove(self) -> None:
        """Remove the rules, and complete the commands that they hold."""
        for rule in self.rules():
            control.remove_fault(self._folder, rule.number)
            self._removed.append(rule)

    def __enter__(self) -> Fault:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A drive that has ended has no rules any more, and the test has its own error.
        try:
            self.remove()
        except VirtualSsdError:
            if error is None:
                raise

    def __repr__(self) -> str:
        return f"<Fault {', '.join(map(str, self.numbers))} of {self._folder}>"
