# SPDX-License-Identifier: BSD-3-Clause
"""Suspend to RAM, for real: the guest sleeps, its clock wakes it, and the drive goes on.

A script, without pytest: what the guest shows of the host's files cannot be opened any more after it has
slept, so all that is needed is loaded before, and locked. The exit status is 0 where all holds; each thing
that was seen has a line.
"""

from __future__ import annotations

import ctypes
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import NoReturn

import nvme as d

from pynvme import pci, power

ADDRESS = sys.argv[1]
SECONDS = 6


def load_and_lock() -> None:
    """Keep everything that is mapped now, and whatever will be, in memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(1 | 2) != 0:
        raise OSError(ctypes.get_errno(), "mlockall")


def end(status: int) -> NoReturn:
    """Tell QEMU, and end the guest: files of the host cannot be closed, either, so that no process can end.

    A reset ends this QEMU, which after a sleep does not hear that its guest switches itself off.
    """
    with Path("/dev/port").open("r+b", buffering=0) as port:
        port.seek(0xE9)
        port.write(bytes([status]))
    Path("/proc/sysrq-trigger").write_text("b")
    while True:
        time.sleep(1)


def seen(what: str, right: object) -> None:
    """Say what was seen; go on only where it is right."""
    print(f"{'ok' if right else 'WRONG'}  {what}", flush=True)
    if not right:
        raise AssertionError(what)


def sleeps() -> int:
    """How often this machine has slept."""
    return int(Path("/sys/power/suspend_stats/success").read_text())


def works(nvme0: d.Controller, namespace: d.Namespace) -> bool:
    """Write and read, with an interrupt."""
    pair, data, back = d.Qpair(nvme0, 16), d.Buffer(4096, ptype=0xBEEF, pvalue=100), d.Buffer(4096)
    pair.msix_clear()
    namespace.write(pair, data, 8, 8).waitdone()
    namespace.read(pair, back, 8, 8).waitdone()
    end = time.monotonic() + 5
    while not pair.msix_isset() and time.monotonic() < end:
        pass
    interrupted = pair.msix_isset()
    pair.delete()
    return bool(interrupted) and bytes(back[8:504]) == bytes(data[8:504])


def verified(namespace: d.Namespace, **options: int) -> d.DotDict:
    """Run a worker whose LBAs are compared."""
    return namespace.ioworker(region_end=4096, qdepth=16, io_count=400, **options).start().close()


def main() -> None:
    """Sleep with an idle drive, and again under workers."""
    host = power.Host()
    seen("its slot has no Power Controller", host.lacks_slot(ADDRESS))
    seen("this machine can sleep and be woken", not host.lacks_suspend())
    pcie = d.Pcie(ADDRESS)
    nvme0 = d.Controller(pcie)
    namespace = d.Namespace(nvme0, 1)
    subsystem = d.Subsystem(nvme0)
    seen("the drive works, with interrupts", works(nvme0, namespace))
    seen("a worker writes", verified(namespace, read_percentage=0, lba_random=False).error == 0)
    pair = d.Qpair(nvme0, 8)
    namespace.flush(pair).waitdone()
    try:
        subsystem.poweroff()
    except NotImplementedError as error:
        seen("poweroff alone says that suspend can do power_cycle only", "power_cycle" in str(error))
    load_and_lock()

    before, start = sleeps(), time.time()
    seen("power_cycle returns True", subsystem.power_cycle(SECONDS) is True)
    seen(f"the machine has slept, {time.time() - start:.0f} s", sleeps() == before + 1)
    seen("not shorter than it was asked to", time.time() - start >= SECONDS - 1)
    nvme0.reset()
    seen("the same objects go on, with interrupts", works(nvme0, namespace))
    result = verified(namespace, read_percentage=100)
    seen(f"{result.lba_verified} LBAs of before are as they were written", result.lba_verified > 0)
    seen("no mismatch", (result.error, result.lba_mismatch) == (0, 0))

    workers = [namespace.ioworker(time=60, qdepth=8, read_percentage=50).start() for _ in range(2)]
    while min(worker.progress[2] for worker in workers) == 0:
        pass
    subsystem.power_cycle(SECONDS)
    seen("it slept again, under two workers", sleeps() == before + 2)
    seen("they end by themselves, without an error", [w.close().error for w in workers] == [0, 0])
    nvme0.reset()
    seen("and the drive works", works(nvme0, namespace))
    pcie.close()
    pci.release()
    seen(
        "it is the kernel's again",
        (Path("/sys/bus/pci/devices") / ADDRESS / "driver").resolve().name == "nvme",
    )


def lines_of(error: BaseException) -> list[int | None]:
    """Tell where an error comes from, without its source, which cannot be read any more."""
    frames = traceback.walk_tb(error.__traceback__)
    return [frame.lineno for frame in traceback.StackSummary.extract(frames, lookup_lines=False)]


if __name__ == "__main__":
    warnings.simplefilter("error")
    try:
        main()
    except BaseException as error:
        print(f"{type(error).__name__}: {error}; lines {lines_of(error)}", flush=True)
        end(1)
    end(0)
