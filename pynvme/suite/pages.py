# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pynvme.suite.pages`` prints ``docs/suite.md``, from the tests."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Callable, NamedTuple

from pynvme.suite import AREAS

HEAD = """\
# The tests of drives

`python -m pynvme check` runs these tests on a virtual SSD, and with `--pciaddr 01:00.0` on a drive in a slot,
which they overwrite, format and erase. `--area` selects areas, and `--time 10m` tells for
how long the tests repeat themselves in all. `pytest --pyargs pynvme.suite` runs them too.
[how-to/check.md](how-to/check.md) tells how to read a finding.

If a drive does not report what a test needs, the test is skipped, and the reason names the bit.

*This page is generated from the tests by `python -m pynvme.suite.pages`.*
"""


class Test(NamedTuple):
    """A test as its page shows it."""

    name: str
    identity: str
    clause: str
    purpose: str
    steps: str
    needs: list[str]
    seconds: float


def module_of(area: str) -> ModuleType:
    """The module with the tests of an area."""
    return importlib.import_module(f"pynvme.suite.test_{area}")


def tests_of(area: str) -> list[Test]:
    """The tests of an area, in their order."""
    module = module_of(area)
    shared = _needs(_marks(module))
    return [_test(name, function, shared) for name, function in _functions(module)]


def _functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, function in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(function):
            yield name, function


def _test(name: str, function: Callable[..., Any], shared: list[str]) -> Test:
    marks = _marks(function)
    identity, clause = next(mark.args for mark in marks if mark.name == "requirement")
    seconds = next((mark.args[0] for mark in marks if mark.name == "takes"), 0.0)
    purpose, _, steps = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
    return Test(name, identity, clause, _flow(purpose), steps.strip(), shared + _needs(marks), seconds)


def _marks(owner: Any) -> list[Any]:
    marks = getattr(owner, "pytestmark", [])
    return list(marks) if isinstance(marks, list) else [getattr(marks, "mark", marks)]


def _needs(marks: list[Any]) -> list[str]:
    return [need.text for mark in reversed(marks) if mark.name == "needs" for need in mark.args]


def _flow(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for area, title in AREAS.items():
        tests = tests_of(area)
        parts.append(f"## {area}: {title}\n")
        parts.append(_flow((module_of(area).__doc__ or "").strip()) + "\n")
        parts += [_section(test) for test in tests]
    return "\n".join(parts)


def _section(test: Test) -> str:
    lines = [f"### {test.identity} `{test.name}`\n", f"{test.purpose}\n", f"- Clause: {test.clause}"]
    if test.needs:
        lines.append(f"- Needs: {'; '.join(test.needs)}")
    if test.seconds:
        lines.append(f"- Repeats itself for {test.seconds:g} s in a run of the default length")
    return "\n".join(lines) + f"\n\n{test.steps}\n"


if __name__ == "__main__":
    sys.stdout.write(page())
