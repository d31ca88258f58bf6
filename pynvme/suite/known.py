# SPDX-License-Identifier: BSD-3-Clause
"""Findings that are known: somebody has judged them, and they are no news in later runs.

A file of known findings has one on each line, in four columns that ``|`` separates::

    # model        | test                       | seen          | why
    QEMU NVMe Ctrl | test_logs::test_reserved_* | Invalid Field | docs/found.md, Base 2.0, 5.16.2

``model`` and ``test`` may have ``*`` and ``?``. ``seen`` is a part of what the finding has seen. A test whose
finding is known is shown as ``XFAIL``. It ends at that finding, so it finds nothing behind it.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from pynvme.suite.finding import Finding

COLUMNS = 4


class Known(NamedTuple):
    """One line of a file of known findings."""

    model: str
    test: str
    seen: str
    why: str

    def matches(self, finding: Finding) -> bool:
        """Whether this is the finding."""
        return (
            fnmatchcase(finding.drive.get("model", ""), self.model)
            and fnmatchcase(finding.test, self.test)
            and self.seen in finding.seen
        )


def read(path: str) -> list[Known]:
    """Read a file of known findings. ValueError, with the number of the line, if one is malformed."""
    found = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            cells = [cell.strip() for cell in line.split("|", COLUMNS - 1)]
            if len(cells) != COLUMNS or not all(cells):
                raise ValueError(
                    f"{path}:{number}: expected `model | test | seen | why`, found {line.strip()!r}"
                )
            found.append(Known(*cells))
    return found


def reason(known: list[Known], finding: Finding) -> str | None:
    """Why a finding is no news, or None if it is one."""
    return next((one.why for one in known if one.matches(finding)), None)
