# SPDX-License-Identifier: BSD-3-Clause
"""A script and four workers on drives with faults. It runs in a process of its own, which must survive.

It reads fault rules as a list of JSON from its standard input, and prints a line of JSON for each. That of a
rule that the virtual SSD refuses is null.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import nvme as d

from pynvme.vssd import VirtualSsd

TIMEOUT_MS = 150
SECONDS = 0.25 if "full" in sys.argv else 0.1
"""How long a worker runs, unless it is stopped."""
LIMIT = 150.0
"""Seconds after which a rule counts as a hang."""

ALLOWED = (
    AssertionError,
    d.NamespaceCreationError,
    d.NvmeDeletionError,
    d.NvmeEnumerateError,
    d.NvmeShutdownStatusTimeoutError,
    d.QpairCreationError,
    d.QpairDeletionError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SystemError,
    TimeoutError,
    Warning,
)
"""What calls of the driver may raise on a broken drive."""

MIXES = ({2: 100}, {1: 50, 2: 50}, {1: 70, 8: 10, 9: 10, 0: 10}, {1: 30, 2: 70})


class Said(logging.Handler):
    """What the driver logs."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Abuse:
    """What a test does to one drive with faults."""

    def __init__(self, ssd: VirtualSsd) -> None:
        self.ssd = ssd
        self.errors: list[str] = []
        self.kept: list[Any] = []

    def do(self, step: Callable[..., Any], *words: Any) -> Any:
        """Take a step, which may fail."""
        try:
            return step(*words)
        except ALLOWED as error:
            self.errors.append(f"{step.__name__}: {type(error).__name__}: {error}")
            return None

    def open(self) -> None:
        self.pcie = d.Pcie(self.ssd.address)
        self.nvme0 = d.Controller(self.pcie)
        self.nvme0.timeout = TIMEOUT_MS
        self.ns = d.Namespace(self.nvme0)

    def start(self) -> list[Any]:
        """Four workers, each on its own region but for the last."""
        workers = []
        for i, mix in enumerate(MIXES):
            first, past = (0, 4000) if i == 3 else (i * 1000, (i + 1) * 1000)
            worker = self.ns.ioworker(
                io_size=[1, 8],
                op_percentage=dict(mix),
                region_start=first,
                region_end=past,
                qdepth=16,
                time=SECONDS,
            )
            started = self.do(worker.start)
            workers.append(started or worker)
        return workers

    def script(self) -> None:
        """IO and admin commands, one at a time and in flight, whose buffers are dropped after time-outs."""
        pair = d.Qpair(self.nvme0, 32)
        buffers = [d.Buffer(8192) for _ in range(8)]
        for i, buf in enumerate(buffers):
            self.do(self.ns.write, pair, buf, 4096 + 16 * i, 16)
        self.do(pair.waitdone, 8)
        for buf in buffers:
            self.do(self.ns.read, pair, buf, 4096, 8)
        self.do(pair.waitdone, 8)
        ranges = d.Buffer(4096)
        ranges.set_dsm_range(0, 4096, 8)
        for name, words in (
            ("dsm", (ranges, 1)),
            ("flush", ()),
            ("compare", (buffers[1], 4200, 1)),
            ("write_zeroes", (4096, 4)),
            ("verify", (4096, 4)),
        ):
            self.do(getattr(self.ns, name), pair, *words)
            self.do(pair.waitdone)
        self.do(pair.cmdlog, 2)
        self.kept.append(pair)

    def admin(self) -> None:
        """Admin commands, one at a time."""
        buf = d.Buffer(4096)
        self.do(lambda: self.nvme0.identify(buf).waitdone())
        self.do(lambda: self.nvme0.getlogpage(2, buf, 512).waitdone())
        self.do(lambda: self.nvme0.getfeatures(7).waitdone())
        self.do(lambda: self.nvme0.abort(1, 1).waitdone())

    def quarantine(self) -> None:
        """Memory of commands that were given up is not allocated again while the drive may write to it."""
        gc.collect()
        fresh = [d.Buffer(8192) for _ in range(64)]
        for buf in fresh:
            buf[:] = b"\xa5" * 8192
        for rule in self.ssd.faults() if self.ssd.running else []:
            self.ssd.release(rule.number)
        time.sleep(0.03)
        for buf in fresh:
            assert bytes(buf[:]) == b"\xa5" * 8192, "the drive wrote to memory that was allocated again"

    def resets(self) -> None:
        system = d.Subsystem(self.nvme0)
        self.do(self.nvme0.reset)
        self.do(self.script)
        self.do(self.pcie.flr)
        self.do(self.nvme0.reset)
        self.do(system.poweroff)
        self.do(system.poweron)
        self.do(self.nvme0.reset)

    def all(self, full: bool) -> None:
        if self.do(lambda: self.open() or True) is None:
            return
        workers = self.do(self.start) or []
        self.do(self.script)
        self.do(self.admin)
        self.quarantine()
        if full:
            self.do(self.resets)
        for worker in workers:
            self.do(worker.close)
        self.quarantine()
        self.kept.clear()
        self.do(self.pcie.close)


def run(rule: str, full: bool) -> dict[str, Any] | None:
    """What became of a rule, or None if it is no rule."""
    said = Said()
    logging.getLogger("nvme").addHandler(said)
    begun = time.monotonic()
    try:
        with VirtualSsd(size="64M") as ssd:
            try:
                fault = ssd.fault(rule)
            except ValueError:
                return None
            abuse = Abuse(ssd)
            abuse.all(full)
            fired = fault.fired if ssd.running else -1
            address = ssd.address
    finally:
        logging.getLogger("nvme").removeHandler(said)
    return {
        "rule": rule,
        "seconds": round(time.monotonic() - begun, 2),
        "fired": fired,
        "errors": abuse.errors,
        "log": said.lines,
        "address": address,
    }


def main() -> None:
    full = "full" in sys.argv
    warnings.simplefilter("ignore")
    logging.getLogger("nvme").setLevel(logging.INFO)
    logging.getLogger("nvme").propagate = False
    sys.stdout, out = sys.stderr, sys.stdout
    for rule in json.load(sys.stdin):
        print(f"rule: {rule}", file=sys.stderr, flush=True)
        faulthandler.dump_traceback_later(LIMIT, exit=True)
        outcome = run(rule, full)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(outcome), file=out, flush=True)


if __name__ == "__main__":
    main()
