# SPDX-License-Identifier: BSD-3-Clause
"""A virtual SSD that the driver has opened for some measurements, and workloads on it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import nvme

from pynvme.vssd import VirtualSsd
from tools.bench.machine import WaitMeter, children

LBA = 512
MIB = 1 << 20
REGION_MIB = 256
"""The region of most workloads, which is larger than the caches of a CPU."""

_SAMPLE_S = 0.02
"""How long before the end of a run the waiting times of its processes are read."""
_SIZES = {512: ("512", "512 B"), 4096: ("4k", "4 KiB"), 131072: ("128k", "128 KiB")}
_KINDS = {
    "read": ("random read", 100, True),
    "write": ("random write", 0, True),
    "mixed": ("random 70/30", 70, True),
    "sequential": ("sequential read", 100, False),
}


@dataclass(frozen=True)
class Load:
    """The workload of one worker, which is its kind, bytes per IO, and IOs in flight."""

    kind: str
    size: int = 4096
    in_flight: int = 32

    @property
    def name(self) -> str:
        """The prefix of its figures' names."""
        return f"{self.kind}.{_SIZES[self.size][0]}.qd{self.in_flight}"

    @property
    def title(self) -> str:
        """Its title in the table."""
        return f"{_KINDS[self.kind][0]}, {_SIZES[self.size][1]}, QD {self.in_flight}"

    def options(self) -> dict[str, Any]:
        """The arguments of Namespace.ioworker. A queue has one entry more than commands in flight."""
        _, reads, random = _KINDS[self.kind]
        lbas = self.size // LBA
        return {
            "io_size": lbas,
            "lba_align": lbas,
            "lba_random": random,
            "read_percentage": reads,
            "qdepth": self.in_flight + 1,
        }


class Drive:
    """An opened virtual SSD with one namespace."""

    def __init__(self, written_mib: int = 0, **options: Any) -> None:
        """Start it with ``options``, and write the first ``written_mib`` MiB, with verification."""
        self._others = children()
        self._written_mib = written_mib
        self._is_known = True
        self._verified = True
        self.ssd = VirtualSsd(**options)
        try:
            self.pcie = nvme.Pcie(self.ssd.address)
            self.nvme0 = nvme.Controller(self.pcie)
            self.nvme0n1 = nvme.Namespace(self.nvme0, 1)
            self.nvme0n1.verify_enable(True)
            self._write()
        except BaseException:
            self.ssd.close()
            raise

    def __enter__(self) -> Drive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the drive and end the virtual SSD."""
        self.pcie.close()
        self.ssd.close()

    def _write(self) -> None:
        if not self._written_mib:
            return
        whole = Load("sequential", 131072, 16).options()
        whole.update(read_percentage=0, region_end=self._written_mib * MIB // LBA)
        _check(self.nvme0n1.ioworker(**whole).start().close())

    def verify(self, on: bool) -> None:
        """Turn verification on or off. Before turning it on, write what was written without it again."""
        self.nvme0n1.verify_enable(on)
        self._verified = on
        if on and not self._is_known:
            self._write()
            self._is_known = True

    def worker(self, load: Load, region_mib: int = REGION_MIB, **options: Any) -> nvme.IOWorker:
        """A worker that has not been started."""
        if not self._verified and load.kind in ("write", "mixed"):
            self._is_known = False
        return self.nvme0n1.ioworker(**{**load.options(), "region_end": region_mib * MIB // LBA, **options})

    def worker_pid(self) -> int:
        """The PID of the only running worker, which is a child that is newer than the drive."""
        (pid,) = children() - self._others - {self.ssd.pid}
        return pid

    def run(
        self,
        load: Load,
        seconds: float,
        meter: WaitMeter | None = None,
        region_mib: int = REGION_MIB,
        **options: Any,
    ) -> Any:
        """Run a worker for some time, and return its result. This process sleeps, to leave it the CPU."""
        worker = self.worker(load, region_mib, time=seconds, **options).start()
        if meter is not None:
            meter.sample()
            time.sleep(max(0.0, seconds - _SAMPLE_S))
            meter.sample()
        return _check(worker.close())


def _check(result: Any) -> Any:
    """The result of a worker. RuntimeError if the worker failed, since then nothing was measured."""
    if result.error:
        raise RuntimeError(f"the worker ended with error {result.error}: nothing was measured")
    if result.lba_mismatch:
        raise RuntimeError(f"{result.lba_mismatch} LBAs had other data than were written to them")
    return result


def iops(result: Any) -> float:
    """IOs per second of a worker's result."""
    return float(result.io_count_read + result.io_count_nonread) * 1000 / float(result.mseconds)


def judged(result: Any) -> float:
    """The share of the LBAs read that were compared, or 0 if none was read."""
    seen = float(result.lba_verified)
    return seen / (seen + result.lba_unverified) if seen else 0.0
