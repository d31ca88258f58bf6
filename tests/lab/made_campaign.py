# SPDX-License-Identifier: BSD-3-Clause
"""Writes folders of campaigns, as ``pynvme campaign`` leaves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pynvme.report.run import Drive, Run, Test, Worker

START = 1_796_000_000.0
SMART = 512


def smart(**numbers: int) -> str:
    """A SMART / Health log in hexadecimal digits, by `ctemp`, `pused`, `duw` and `mdie`."""
    page = bytearray(SMART)
    for name, (offset, size) in {
        "ctemp": (1, 2),
        "pused": (5, 1),
        "duw": (48, 16),
        "mdie": (160, 16),
    }.items():
        page[offset : offset + size] = numbers.get(name, 0).to_bytes(size, "little")
    return page.hex()


def finding(expected: str, seen: str, clause: str = "NVM 1.0, 3.2.4 Read", **more: Any) -> dict[str, Any]:
    """A finding as plain data."""
    return {"clause": clause, "expected": expected, "seen": seen, "place": "traffic.judge", **more}


def failed(nodeid: str, **values: Any) -> Test:
    """A test that failed."""
    return Test(nodeid, outcome="failed", path=nodeid.partition("::")[0], **values)


class Made:
    """A campaign's folder. Each call adds to the journal."""

    def __init__(self, folder: Path, name: str = "weekly", start: float = START) -> None:
        self.folder = folder
        self.clock = start
        folder.mkdir(parents=True)
        self.event("campaign", version=1, name=name, plan="0" * 64, pynvme="0.2.0", python="3.11.7")

    def event(self, kind: str, **values: Any) -> None:
        """Add an event to the journal."""
        line = json.dumps({"event": kind, **values, "time": self.clock})
        with (self.folder / "journal.jsonl").open("a") as file:
            file.write(line + "\n")

    def drive(self, key: str, firmware: str = "1.0", host: str = "rack1", group: str = "lot42") -> None:
        """Add a drive."""
        values = {"group": group, "host": host, "address": "01:00.0", "model": "ACME SSD", "serial": key}
        self.event("drive", drive=key, firmware=firmware, tags=["lot42", "new"], **values)

    def begin(self, drive: str, seed: int = 1, attempt: int = 1, task: str = "smoke", repeat: int = 1) -> str:
        """Begin a job, and return its identifier."""
        job = f"{task}.{drive}.s{seed}.r{repeat}"
        values = {"task": task, "drive": drive, "host": "rack1", "worker": "tls://rack1:1", "seed": seed}
        self.event("begin", job=job, attempt=attempt, repeat=repeat, **values)
        return job

    def end(
        self, job: str, attempt: int = 1, outcome: str = "passed", seconds: float = 60.0, message: str = ""
    ) -> None:
        """End a job."""
        self.clock += seconds
        self.event(
            "end", job=job, attempt=attempt, outcome=outcome, exit=int(outcome != "passed"), seconds=seconds,
            counts={}, findings=0, message=message,
        )  # fmt: skip

    def left(self, job: str, run: Run, attempt: int = 1) -> Path:
        """Write the run.json of a job, and return its folder."""
        folder = self.folder / "jobs" / job / str(attempt)
        folder.mkdir(parents=True)
        run.write(folder)
        (folder / "output.log").write_text("…\n")
        return folder

    def job(self, drive: str, tests: list[Test], seed: int = 1, firmware: str = "1.0", **values: Any) -> str:
        """Add a job that came to its end, with its tests."""
        job = self.begin(drive, seed, **values)
        run = Run(self.clock, 60.0, tests=tests, drives=[seen(drive, firmware)])
        for test in tests:
            test.drive = run.drives[0].key
            test.seed = seed if test.seed is None else test.seed
        self.left(job, run)
        self.end(job, outcome="failed" if any(test.bad for test in tests) else "passed")
        return job


def seen(serial: str, firmware: str = "1.0") -> Drive:
    """A drive as a job saw it."""
    before, after = smart(ctemp=310, duw=1000), smart(ctemp=330, duw=3000, mdie=1)
    return Drive("vssd", "ACME SSD", serial, firmware, smart_before=before, smart_after=after)


def worker() -> Worker:
    """An IO worker with three samples."""
    series = {"time": [1.0, 2.0, 3.0], "iops": [10.0, 20.0, None], "bandwidth": [1.0, 2.0, 3.0]}
    return Worker(
        "io_size 8, read",
        {"mseconds": 3000},
        {"50": 9.0},
        {**series, "p50": [1.0, 2.0, 3.0], "p99": [4.0, 5.0, None]},
    )
