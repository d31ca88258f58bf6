# SPDX-License-Identifier: BSD-3-Clause
"""A finding: the drive broke a clause of the specification."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynvme.suite.history import History

FOLDER = Path(__file__).parent
JUDGES = frozenset({"finding", "check", "succeed", "expect", "refused"})
"""Functions that judge on behalf of others."""


def place_of(frames: Iterable[FrameType]) -> str:
    """The first function of the suite among frames, such as "traffic.judge", or an empty text."""
    for code in (frame.f_code for frame in frames):
        path, name = Path(code.co_filename), code.co_name
        if path.parent == FOLDER and name not in JUDGES and not name.startswith("<"):
            return f"{path.stem}.{name}"
    return ""


@dataclasses.dataclass(eq=False)
class Finding(AssertionError):
    """What a test found, with all that somebody needs who was not there.

    A test calls :meth:`pynvme.suite.drive.Drive.finding` to make one, and raises it.
    """

    clause: str
    """The specification, the section and its title."""
    expected: str
    seen: str
    drive: dict[str, str] = dataclasses.field(default_factory=dict)
    """Model, serial number, firmware revision and address."""
    seed: int = 0
    test: str = ""
    place: str = ""
    """The function of the suite that judged. Findings of one bug have it in common (pynvme.lab.signature)."""
    commands: list[str] = dataclasses.field(default_factory=list)
    """The commands around it, the oldest first."""
    writers: list[str] = dataclasses.field(default_factory=list)
    """For each wrong LBA, when it was written last, and by which command."""
    script: str = ""
    """A few lines that send the same commands. The first argument of the script is the address of a drive."""
    reproduced: str = ""
    """Whether and where the script shows it, see :mod:`pynvme.suite.reproduce`."""
    history: History | None = None
    """All that the test did."""
    lbas: list[int] = dataclasses.field(default_factory=list)
    """The wrong LBAs."""
    nsids: list[int] = dataclasses.field(default_factory=list)
    """The active namespaces of the drive, the first one being under test."""

    def __str__(self) -> str:
        parts = [f"expected: {self.expected}", f"seen:     {self.seen}", f"clause:   {self.clause}"]
        if self.drive:
            parts.append("drive:    " + ", ".join(f"{key} {value}" for key, value in self.drive.items()))
        parts.append(f"seed:     {self.seed}")
        for title, lines in (("who wrote it", self.writers), ("commands", self.commands)):
            if lines:
                parts.append(f"{title}:")
                parts += [f"    {line}" for line in lines]
        if self.script:
            parts.append("script:" + (f" (reproduced: {self.reproduced})" if self.reproduced else ""))
            parts += [f"    {line}" for line in self.script.splitlines()]
        return "\n".join(parts)

    def record(self) -> dict[str, Any]:
        """Everything as plain data."""
        names = [field.name for field in dataclasses.fields(self) if field.name != "history"]
        return {name: getattr(self, name) for name in names}
