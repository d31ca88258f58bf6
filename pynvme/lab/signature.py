# SPDX-License-Identifier: BSD-3-Clause
"""Signatures: what the findings of one bug have in common over drives, firmwares, seeds, and tests.

A signature is made of the section of the specification, the command, the field, and the place in the tests
that judged. Numbers that change from run to run, such as LBAs, seeds, addresses and times, are left out.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from pynvme.report.run import Test

LONGEST = 60
"""The most characters of a text that stands in for the field."""

_SECTION = re.compile(r"(?P<name>[A-Za-z][\w-]*)[^,]*,\s*(?P<number>[A-Z]?\d[\w.]*)")
_STATUS = re.compile(r"\b(?P<digits>[0-9a-f]{2}/[0-9a-f]{2})(?: (?P<name>[A-Z][A-Z0-9_]+))?")
_BESIDES = re.compile(r" *\([^()]*\)| by queue \S+|\b\d\d:\d\d:\d\d[.\d]*")
"""What tells which command it was of many alike: parentheses, the queue, and the time of day."""
_NUMBER = re.compile(
    r"0x[0-9a-fA-F]+|\b[0-9a-fA-F]*\d[0-9a-fA-F]*h\b|\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b"
    r"|[-+]?\b\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?"
)
_LIST = re.compile(r"#(?:\s*(?:,|and|or|to|-)\s*#)+")
_FIELD = re.compile(r"\b[A-Z][A-Z0-9]+(?:\.[A-Z][A-Z0-9]+)*\b")
_LINE = re.compile(r"^> +(.*)$", re.MULTILINE)
_PLACE = re.compile(r"^(?P<file>\S[^\n:]*\.py):(?P<line>\d+): ", re.MULTILINE)


class Signature(NamedTuple):
    """What findings of one bug have in common. A part is empty if nothing is known of it."""

    clause: str
    command: str
    field: str
    place: str

    def __str__(self) -> str:
        return " · ".join(part for part in self if part)


def of(test: Test) -> Signature:
    """The signature of a test that failed."""
    return _of_finding(test.finding, test) if test.finding else _of_exception(test)


def of_job(task: str, outcome: str, message: str) -> Signature:
    """The signature of a job that ended without the result of a test."""
    return Signature("", "", shape(message) or outcome, f"task {task}: {outcome}")


def shape(text: str) -> str:
    """A text without its numbers, as far as it is short. A status is its name."""
    line = _STATUS.sub(lambda found: found["name"] or "status", text.strip().partition("\n")[0])
    line = _LIST.sub("#", _NUMBER.sub("#", _BESIDES.sub("", line)))
    line = " ".join(line.split())
    return line if len(line) <= LONGEST else line[:LONGEST].rpartition(" ")[0] + " …"


def section(clause: str) -> str:
    """The specification and the section of a clause: "NVM 3.2.6" of "NVM 1.0, 3.2.6 Write Zeroes"."""
    found = _SECTION.match(clause)
    return f"{found['name']} {found['number'].rstrip('.')}" if found else clause.strip()


def _of_finding(finding: dict[str, Any], test: Test) -> Signature:
    expected, seen = str(finding.get("expected", "")), str(finding.get("seen", ""))
    command = _command(expected)
    status = _STATUS.match(seen)
    told = (status["name"] or status["digits"]) if status is not None else ""
    names = dict.fromkeys(name for name in _FIELD.findall(expected) if _is_field(name))
    what = " ".join(names) or shape(expected.removeprefix(command).strip(" :"))
    if finding.get("lbas"):
        what = told or shape(seen.partition(",")[0])
    elif command and told:
        what += f", not {told}"
    place = str(finding.get("place") or test.name.partition("[")[0])
    return Signature(section(str(finding.get("clause", ""))), command, what, place)


def _command(expected: str) -> str:
    """The name of the command that had to do what a finding tells."""
    found = re.match(r"(?:a completion of )?([A-Z][A-Z0-9_]+)\b", expected)
    return found[1] if found is not None and found[1] in _commands() else ""


@cache
def _commands() -> frozenset[str]:
    from pynvme.spec import AdminOpcode, IoOpcode, KvOpcode

    return frozenset(one.name for kind in (AdminOpcode, IoOpcode, KvOpcode) for one in kind)


@cache
def _fields() -> frozenset[str]:
    """The names of fields, except for those that say which LBAs or which command it was."""
    from pynvme import spec
    from pynvme.structure import Structure

    kinds = [getattr(spec, name) for name in dir(spec)]
    mine = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Structure)]
    names = {name.upper() for kind in mine for name in kind.FIELDS} | {one.name for one in spec.Register}
    return frozenset(names - {"LBA", "SLBA", "NLB", "CID", "NSID", "SQID"})


def _is_field(name: str) -> bool:
    return name not in _commands() and name.partition(".")[0] in _fields()


def _of_exception(test: Test) -> Signature:
    """The type of the exception, and the text of the line of the test that raised it."""
    kind = re.match(r"[\w.]*", test.message)
    name = kind[0].rpartition(".")[2] if kind else ""
    return Signature(
        section(test.clause), "", name or test.outcome, f"{test.file.rpartition('/')[2]}: {_line(test)}"
    )


def _line(test: Test) -> str:
    """The innermost line of the file of the test that is in its traceback, or the name of the test."""
    file = test.file.rpartition("/")[2]
    lines, begin = "", 0
    for place in _PLACE.finditer(test.details):
        found = _LINE.findall(test.details, begin, place.start())
        if found and place["file"].rpartition("/")[2] == file:
            lines = found[-1]
        begin = place.end()
    return " ".join(lines.split())[:LONGEST] or test.name.partition("[")[0]
