# SPDX-License-Identifier: BSD-3-Clause
"""The page of a report: one HTML file that loads nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha1
from html import escape
from itertools import groupby

from pynvme import html as tables
from pynvme.live import latency
from pynvme.report import chart
from pynvme.report.blocks import document, duration, fact_table, fold, listed, pre, scroll
from pynvme.report.difference import iops
from pynvme.report.run import Drive, Queue, Run, Test, Worker
from pynvme.spec import Cap, IdentifyController, IdentifyNamespace, SmartLog
from pynvme.structure import Array, Kelvin, Structure, shown_value

WORDS = {
    "failed": "failed",
    "error": "error",
    "passed": "passed",
    "skipped": "skipped",
    "xfailed": "expected to fail",
    "xpassed": "passed unexpectedly",
}


def html(run: Run) -> str:
    """The whole page."""
    title = "Test report: " + (", ".join(dict.fromkeys(drive.name for drive in run.drives)) or "no drive")
    body = [
        _head(run, title),
        _drives(run),
        _failures(run),
        _tests(run),
        _loose(run.workers),
        _environment(run),
    ]
    return document(title, "".join(body))


# The head


def _head(run: Run, title: str) -> str:
    counts = run.counts()
    total = max(1, len(run.tests))
    bar = "".join(
        f'<span class="{outcome}" style="flex-grow:{count / total:.4f}" '
        f'title="{count} {WORDS[outcome]}"></span>'
        for outcome, count in counts.items()
    )
    badges = "".join(
        f'<button data-show="{outcome}" class="badge {outcome}">{count:,} {WORDS[outcome]}</button>'
        for outcome, count in counts.items()
    )
    when = datetime.fromtimestamp(run.start).astimezone()
    told = f"{when:%d %B %Y, %H:%M:%S %Z}, {duration(run.seconds)}, {len(run.tests):,} tests"
    return (
        f"<header><h1>{escape(title)}</h1><p>{told}</p>"
        f'<div class="bar">{bar}</div><p class="badges">{badges}</p></header>'
    )


# Drives


def _drives(run: Run) -> str:
    if not run.drives:
        return ""
    return "<section><h2>Drive</h2>" + "".join(map(_drive, run.drives)) + "</section>"


def _drive(drive: Drive) -> str:
    ctrl = IdentifyController(bytes.fromhex(drive.id_ctrl)) if drive.id_ctrl else None
    ns = IdentifyNamespace(bytes.fromhex(drive.id_ns)) if drive.id_ns else None
    facts = [
        ("Model", escape(drive.model)),
        ("Serial number", escape(drive.serial)),
        ("Firmware", f"<strong>{escape(drive.firmware)}</strong>"),
        ("Address", f"<code>{escape(drive.address)}</code>"),
        ("NVMe", escape(drive.version)),
        ("Namespace 1", _capacity(ns)),
        (
            "IO queues",
            f"{drive.queues} pairs of up to {Cap(drive.cap).mqes + 1} entries" if drive.cap else "",
        ),
    ]
    parts = [f"<h3>{escape(drive.name)}</h3>", fact_table(facts)]
    if ctrl is not None:
        parts.append(_capabilities(ctrl))
    parts.append(_smart(drive))
    parts += [fold("Identify Controller", scroll(tables.table(ctrl)))] if ctrl is not None else []
    parts += [fold("Identify Namespace 1", scroll(tables.table(ns)))] if ns is not None else []
    return f'<article class="drive">{"".join(parts)}</article>'


def _capacity(ns: IdentifyNamespace | None) -> str:
    if ns is None:
        return ""
    size = 1 << ns.lbaf[ns.flbas & 0xF].lbads
    return f"{ns.nsze * size / 1e9:,.2f} GB, {ns.nsze:,} LBAs of {size} bytes"


CAPABILITIES = ("oacs", "oncs", "fuses", "vwc", "sanicap", "lpa", "frmw", "ctratt", "cmic")


def _capabilities(ctrl: IdentifyController) -> str:
    """The bits that are set in the fields of Identify Controller that name abilities."""
    rows = []
    for name in CAPABILITIES:
        field = ctrl.FIELDS.get(name)
        word = getattr(ctrl, name, None)
        bits = getattr(word, "BITS", {})
        shown = [
            escape(f"{bit.text or key}" if bit.mask == 1 else f"{bit.text or key}: {getattr(word, key)}")
            for key, bit in bits.items()
            if getattr(word, key)
        ]
        if field is not None and shown:
            rows.append((name.upper(), "".join(f"<span class='chip'>{text}</span>" for text in shown)))
    return fold("Capabilities", fact_table(rows))


def _smart(drive: Drive) -> str:
    """SMART before and after, with the difference, the changed values first."""
    if not drive.smart_before:
        return ""
    before = SmartLog(bytes.fromhex(drive.smart_before))
    after = SmartLog(bytes.fromhex(drive.smart_after)) if drive.smart_after else None
    changed: list[str] = []
    same: list[str] = []
    for name, text, unit, old in _values(before):
        new = _value(after, name) if after is not None else None
        title = f"{name}: {text}" + (f" ({unit})" if unit and not isinstance(old, Kelvin) else "")
        cells = [escape(title), _shown(old), _shown(new) if new is not None else "?", _delta(old, new)]
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        (changed if new is not None and new != old else same).append(f"<tr>{row}</tr>")
    head = "<tr><th>SMART / Health Information</th><th>before</th><th>after</th><th>difference</th></tr>"
    note = f"<p class='note'>The end could not be read. {escape(drive.problem)}</p>" if drive.problem else ""
    table = f'<table class="numbers smart">{head}{"".join(changed)}</table>' if changed else ""
    rest = fold(
        f"{len(same)} values that did not change",
        scroll(f'<table class="numbers smart">{head}{"".join(same)}</table>'),
    )
    return note + scroll(table) + rest


def _values(log: SmartLog) -> Iterable[tuple[str, str, str, object]]:
    for name, field in log.FIELDS.items():
        value = getattr(log, name)
        if isinstance(value, Structure) or (isinstance(value, bytes) and not any(value)):
            continue
        if isinstance(value, Array):
            for index, element in enumerate(value):
                if element:
                    yield f"{name}[{index}]", field.text, field.unit, element
        else:
            yield name, field.text, field.unit, value


def _value(log: SmartLog, name: str) -> object:
    base, _, index = name.partition("[")
    value = getattr(log, base)
    return value[int(index.rstrip("]"))] if index else value


def _shown(value: object) -> str:
    return escape(f"{value:,}" if type(value) is int else shown_value(value))


def _delta(old: object, new: object) -> str:
    if not isinstance(old, int) or not isinstance(new, int) or old == new:
        return ""
    return escape(f"{int(new) - int(old):+,}")


# Tests


def _failures(run: Run) -> str:
    bad = [test for test in run.tests if test.bad]
    if not bad:
        return ""
    return "<section><h2>Failures</h2>" + "".join(_test(run, test, True) for test in bad) + "</section>"


def _tests(run: Run) -> str:
    if not run.tests:
        return "<section><h2>Tests</h2><p>No test ran.</p></section>"
    parts = [
        '<section><h2>Tests</h2><p class="filter"><input type="search" '
        'placeholder="Part of a name, requirement or clause" aria-label="Show only tests with these"></p>'
    ]
    ordered = sorted(run.tests, key=lambda test: test.file)
    for file, tests in groupby(ordered, key=lambda test: test.file):
        rows = "".join(_listed(run, test) for test in tests)
        parts.append(f'<div class="file"><h3>{escape(file)}</h3>{rows}</div>')
    return "".join(parts) + "</section>"


def _listed(run: Run, test: Test) -> str:
    """A test in the list. One that failed stands above, with all that belongs to it."""
    if not test.bad:
        return _test(run, test, False)
    link = f'<a href="#{_anchor(test)}">{escape(test.name)}</a>'
    return f'<div class="test {test.outcome}" {_data(test)}>{_line(test, link)}</div>'


def _anchor(test: Test) -> str:
    return "t" + sha1(f"{test.process} {test.nodeid}".encode()).hexdigest()[:12]


def _data(test: Test) -> str:
    words = f"{test.nodeid} {test.requirement} {test.clause}".lower()
    return f'data-outcome="{test.outcome}" data-words="{escape(words)}"'


def _line(test: Test, name: str) -> str:
    told = escape(test.requirement)
    brief = escape(test.message[:200]) if test.outcome != "passed" else ""
    return (
        f'<span class="dot {test.outcome}" title="{WORDS[test.outcome]}"></span>'
        f'<span class="name">{name}</span><span class="req">{told}</span>'
        f'<span class="time">{duration(test.seconds)}</span>'
        + (f'<span class="brief">{brief}</span>' if brief else "")
    )


def _test(run: Run, test: Test, opened: bool) -> str:
    drive = run.drive_of(test)
    facts = [
        ("Result", WORDS[test.outcome] + (f" in {test.process}" if test.process else "")),
        ("Requirement", escape(test.requirement)),
        ("Clause", escape(test.clause)),
        ("Purpose", escape(test.purpose)),
        ("Needs", escape("; ".join(test.needs))),
        ("Drive", escape(drive.name) if drive is not None and len(run.drives) > 1 else ""),
        ("Seed", "" if test.seed is None else str(test.seed)),
        ("Again", f"<code>{escape(test.again)}</code>" if test.again else ""),
        *((name, escape(value)) for name, value in test.properties.items()),
    ]
    body = [fact_table(facts)]
    if test.steps:
        body.append(fold("Steps", f'<div class="steps">{escape(test.steps)}</div>', opened))
    body.append(_finding(test) if test.finding else pre(test.details))
    if test.unexpected:
        told = [f"{count} × {escape(name)} ({escape(kind)})" for kind, name, count in test.unexpected]
        body.append(fold("Errors of commands that the test did not expect", listed(told), opened))
    body.append(fold(f"Warnings ({len(test.warnings)})", listed(map(escape, test.warnings)), opened))
    body += [_worker(worker) for worker in test.workers]
    if test.queues:
        body.append(
            fold("Last commands of each queue, the newest first", "".join(map(_queue, test.queues)), True)
        )
    body += [fold(escape(title), pre(text), opened) for title, text in test.sections]
    kind = f"test {test.outcome}"
    attributes = f' id="{_anchor(test)}"' if test.bad else f" {_data(test)}"
    return (
        f'<details class="{kind}"{attributes}{" open" if opened else ""}>'
        f"<summary>{_line(test, escape(test.nodeid if test.bad else test.name))}</summary>"
        f'<div class="body">{"".join(body)}</div></details>'
    )


def _finding(test: Test) -> str:
    found = test.finding or {}
    facts = [
        ("Expected", escape(str(found.get("expected", "")))),
        ("Seen", f"<strong>{escape(str(found.get('seen', '')))}</strong>"),
        ("Clause", escape(str(found.get("clause", "")))),
    ]
    parts = [f'<div class="finding"><h4>Finding</h4>{fact_table(facts)}']
    for title, lines in (
        ("Who wrote it", found.get("writers")),
        ("Commands around it", found.get("commands")),
    ):
        if lines:
            parts.append(fold(title, pre("\n".join(lines)), True))
    if found.get("script"):
        told = f"Script (reproduced: {found['reproduced']})" if found.get("reproduced") else "Script"
        parts.append(fold(escape(told), pre(str(found["script"])), True))
    return "".join(parts) + "</div>"


def _queue(queue: Queue) -> str:
    titles = ("time", "command", "cid", "nsid", "what", "status", "latency")
    head = "<tr>" + "".join(f"<th>{title}</th>" for title in titles) + "</tr>"
    rows = []
    for one in queue.commands:
        cells = [
            one["time"],
            f"{one['name']} ({one['opcode']:02x})",
            str(one["cid"]),
            f"{one['nsid']:#x}",
            one["what"] + "".join(f"; fired: {rule}" for rule in one.get("fired", [])),
            one["status"],
            latency(one["us"]) if "us" in one else "",
        ]
        kind = "" if one["good"] else ' class="off"'
        rows.append(f"<tr{kind}>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return f"<h4>{escape(queue.name)}</h4>" + scroll(f'<table class="commands">{head}{"".join(rows)}</table>')


def _worker(worker: Worker) -> str:
    result = worker.result
    told = [f"{iops(worker):,.0f} IOPS"]
    told += [
        f"p{name} {latency(us)}"
        for name, us in worker.percentiles_us.items()
        if name in ("50", "99", "99.99")
    ]
    if "latency_max_us" in result:
        told.append(f"max {latency(float(result['latency_max_us']))}")
    if result.get("lba_verified"):
        told.append(f"{result['lba_verified']:,} LBAs verified")
    if result.get("error"):
        told.append(f"error {result['error']}")
    head = f"<h4>IO worker: {escape(worker.title)}</h4><p>{escape(', '.join(told))}</p>"
    return f'<div class="worker">{head}{chart.worker(worker)}</div>'


def _loose(workers: list[Worker]) -> str:
    if not workers:
        return ""
    return "<section><h2>IO workers outside of tests</h2>" + "".join(map(_worker, workers)) + "</section>"


def _environment(run: Run) -> str:
    facts = [("Command", f"<code>{escape(run.command)}</code>")]
    facts += [(name, escape(value)) for name, value in run.environment.items()]
    return f"<section><h2>Environment</h2>{fact_table(facts)}</section>"
