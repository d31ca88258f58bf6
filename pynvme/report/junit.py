# SPDX-License-Identifier: BSD-3-Clause
"""JUnit XML, as Jenkins, TestRail, Xray and Allure read it.

The suite has the properties of the drive, and each test its own: ``requirement``, ``clause``, ``seed``,
``firmware``, ``serial``, ``model`` and ``again``, and what it recorded with ``record_property()``. Xray reads
``test_key`` there, and TestRail ``test_id``.
"""

from __future__ import annotations

import re
import socket
from datetime import datetime, timezone
from xml.etree import ElementTree

from pynvme.report.queues import text as text_of_queues
from pynvme.report.run import Run, Test

_BAD = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """A text without the characters that XML 1.0 cannot have."""
    return _BAD.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def xml(run: Run) -> str:
    """The whole file."""
    counts = run.counts()
    suites = ElementTree.Element("testsuites", name="pynvme")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name="pynvme",
        tests=str(len(run.tests)),
        failures=str(counts.get("failed", 0)),
        errors=str(counts.get("error", 0)),
        skipped=str(counts.get("skipped", 0) + counts.get("xfailed", 0)),
        time=f"{run.seconds:.3f}",
        timestamp=datetime.fromtimestamp(run.start, timezone.utc).isoformat(timespec="seconds"),
        hostname=clean(run.environment.get("host", "") or socket.gethostname()),
    )
    _properties(suite, _of_suite(run))
    for test in run.tests:
        _add(suite, run, test)
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _of_suite(run: Run) -> dict[str, str]:
    found = {}
    for number, drive in enumerate(run.drives):
        end = f".{number + 1}" if number else ""
        for name in ("model", "serial", "firmware", "address"):
            found[name + end] = getattr(drive, name)
    return {**found, **run.environment}


def _add(suite: ElementTree.Element, run: Run, test: Test) -> None:
    names = test.nodeid.split("::")
    module = (names[0] or test.path).removesuffix(".py").replace("/", ".")
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=clean(".".join([module, *names[1:-1]])),
        name=clean(names[-1]),
        file=clean(test.file),
        time=f"{test.seconds:.6f}",
    )
    _properties(case, {**run.labels(test), **test.properties})
    _add_outcome(case, test)
    log = "\n\n".join(f"{title}\n{text}" for title, text in test.sections)
    if test.queues:
        log += ("\n\n" if log else "") + text_of_queues(test.queues)
    if log:
        ElementTree.SubElement(case, "system-out").text = clean(log)


def _add_outcome(case: ElementTree.Element, test: Test) -> None:
    message = clean(test.message)
    if test.outcome in ("failed", "error"):
        kind = "failure" if test.outcome == "failed" else "error"
        ElementTree.SubElement(case, kind, message=message).text = clean(test.details)
    elif test.outcome in ("skipped", "xfailed"):
        kind = "pytest.skip" if test.outcome == "skipped" else "pytest.xfail"
        ElementTree.SubElement(case, "skipped", type=kind, message=message)


def _properties(parent: ElementTree.Element, found: dict[str, str]) -> None:
    """Add what is not empty."""
    rows = [(name, value) for name, value in found.items() if value]
    if not rows:
        return
    block = ElementTree.SubElement(parent, "properties")
    for name, value in rows:
        ElementTree.SubElement(block, "property", name=clean(name), value=clean(value))
