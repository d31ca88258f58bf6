# SPDX-License-Identifier: BSD-3-Clause
"""What ``python -m pynvme bugs`` prints."""

from __future__ import annotations

import json
import textwrap

from pynvme.bugs import BUGS, GROUPS, Bug, find

WIDTH = 100


def text(name: str | None, as_json: bool) -> str:
    """A list of all bugs, or the explanation of one. ValueError if there is no bug of this name."""
    chosen = list(BUGS.values()) if name is None else [find(name)]
    if as_json:
        records = [bug.record() for bug in chosen]
        return json.dumps({"version": 1, **({"bugs": records} if name is None else records[0])}, indent=2)
    return _list(chosen) if name is None else _explanation(chosen[0])


def _list(chosen: list[Bug]) -> str:
    lines = []
    longest = max(len(bug.name) for bug in chosen)
    for letter, title in GROUPS.items():
        lines += ["", f"{letter}  {title}"]
        for bug in chosen:
            if bug.number[0] == letter:
                mark = "" if bug.plantable else f"  (waits for {bug.waits_for})"
                lines.append(f"  {bug.number:4} {bug.name:{longest}}  {bug.title}{mark}")
    plantable = sum(bug.plantable for bug in chosen)
    lines += ["", f"{len(chosen)} bugs, of which a virtual SSD can have {plantable}"]
    return "\n".join(lines[1:])


def _explanation(bug: Bug) -> str:
    lines = [f"{bug.number} {bug.name}: {bug.title}", ""]
    lines += textwrap.wrap(bug.inside, WIDTH)
    lines += ["", f"clause:   {bug.clause}"]
    if bug.market:
        lines.append("market:   drives on the market had it")
    lines += [f"option:   {name}={value}" for name, value in bug.options.items()]
    lines += [f"rule:     {rule}" for rule in bug.rules]
    if bug.areas:
        lines.append(f"areas:    {', '.join(bug.areas)}")
    lines.append(
        f"waits:    a virtual SSD lacks {bug.waits_for}"
        if bug.waits_for
        else f"address:  vssd:bug={bug.name}"
    )
    return "\n".join(lines)
