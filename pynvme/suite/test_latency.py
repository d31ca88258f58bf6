# SPDX-License-Identifier: BSD-3-Clause
"""Latency: the limits of the OCP Datacenter NVMe SSD Specification, under load."""

from __future__ import annotations

import time

import nvme
import pytest

from pynvme.spec import AdminOpcode, IoOpcode
from pynvme.suite import needs, requirement, takes
from pynvme.suite.claims import PLAIN, ROOM, io
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.model import Model
from pynvme.suite.options import Budget
from pynvme.suite.traffic import Traffic

pytestmark = needs(PLAIN, ROOM)

IO_LIMIT = "OCP Datacenter NVMe SSD 2.0, CTO-3"
ADMIN_LIMIT = "OCP Datacenter NVMe SSD 2.0, CTO-1"
LONGEST_IO, SLOW_IO, MOST_SLOW = 8.0, 2.0, 7
LONGEST_ADMIN = 10.0
COUNTED = 1_000_000
"""The distribution of a worker's latencies ends here, in microseconds."""


@requirement("LATENCY-1", IO_LIMIT)
@takes(3)
@pytest.mark.parametrize("workload", ["random", "sequential", "few"])
def test_no_io_takes_long(drive: Drive, budget: Budget, workload: str) -> None:
    """No IO takes more than 8 s, and at most 7 in an hour more than 2 s, whatever the load. Reads are right.

    1. Run two workers at full speed on one half of the namespace each, with verified reads and writes.
    2. Compare their slowest IO with the limits.
    """
    half, seconds = drive.nsze // 2, max(0.2, budget.limit / 3)
    options = {
        "random": {"io_size": [1, 7, 8, 9, 16], "qdepth": 64},
        "sequential": {"io_size": min(64, drive.most_lbas), "qdepth": 8, "lba_random": False},
        "few": {"io_size": [1, 2, 8], "qdepth": 32},
    }[workload]
    latency: list[dict[float, int | None]] = [{99.9: None}, {99.9: None}]
    span = 512 if workload == "few" else min(half, 1 << 18)
    workers = [
        drive.ns.ioworker(
            time=seconds,
            read_percentage=50,
            region_start=start,
            region_end=start + span,
            output_percentile_latency=latency[index],
            **options,  # type: ignore[arg-type]
        ).start()
        for index, start in enumerate((drive.random.randrange(half - span + 1), half))
    ]
    drive.note(f"two workers, {workload}, for {seconds:g} s")
    for worker in workers:
        must_be_fast(drive, worker.close())


def must_be_fast(drive: Drive, result: nvme.DotDict) -> None:
    """Judge the result of a worker."""
    drive.check(result.lba_mismatch == 0, "NVM 1.0, 3.2.4 Read", "the data that were written", "a mismatch")
    drive.check(
        result.error == 0, IO_LIMIT, "no failed IO", f"error {result.error}, status {result.status:#x}"
    )
    slowest = result.latency_max_us / 1e6
    drive.check(slowest <= LONGEST_IO, IO_LIMIT, f"no IO above {LONGEST_IO:g} s", f"{slowest:.3f} s")
    count = result.io_count_read + result.io_count_write + result.io_count_nonread
    slow = count - sum(result.latency_distribution[:COUNTED])
    drive.check(
        slowest <= SLOW_IO or slow <= MOST_SLOW,
        IO_LIMIT,
        f"{MOST_SLOW} IOs above {SLOW_IO:g} s at most",
        f"{slow} above 1 s, the slowest took {slowest:.3f} s",
    )


@requirement("LATENCY-2", ADMIN_LIMIT)
@takes(2)
def test_no_admin_command_takes_long(drive: Drive, budget: Budget) -> None:
    """Admin commands complete within 10 s, also under load.

    1. Run a worker, and send Identify, Get Log Page and Get Features meanwhile.
    2. Compare the slowest one with the limit.
    """
    buf = nvme.Buffer(4096)
    slowest, end = 0.0, time.monotonic() + max(0.3, budget.limit)
    with drive.ns.ioworker(io_size=8, time=max(0.3, budget.limit), read_percentage=30, qdepth=32):
        while time.monotonic() < end:
            for command in (
                drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=1),
                drive.admin(AdminOpcode.IDENTIFY, buf, drive.nsid, cdw10=0),
                drive.log_page(2, buf, 512),
                drive.log_page(1, buf, 64),
                drive.log_page(3, buf, 512),
                drive.get_feature(7),
            ):
                drive.succeed(command, ADMIN_LIMIT)
                slowest = max(slowest, command.seconds)
    drive.check(slowest <= LONGEST_ADMIN, ADMIN_LIMIT, f"{LONGEST_ADMIN:g} s at most", f"{slowest:.3f} s")


@requirement("LATENCY-3", IO_LIMIT)
@needs(io(IoOpcode.DSM))
def test_large_deallocations_do_not_stop_reads(drive: Drive) -> None:
    """A read next to deallocations of large ranges completes within 8 s.

    1. Deallocate 256 large ranges, and send a read at the same time, several times.
    """
    half = drive.nsze // 2
    each = max(1, half // 256)
    buf = nvme.Buffer(drive.lba_size)
    other = drive.new_qpair(8)
    for _ in range(3):
        command = drive.send(other, IoOpcode.READ, buf, cdw10=5)
        trim = drive.deallocate([(half + index * each, each) for index in range(256)])
        drive.reap(other)
        drive.must_end(command)
        for one in (command, trim):
            drive.succeed(one, IO_LIMIT)
            drive.check(
                one.seconds <= LONGEST_IO, IO_LIMIT, f"{LONGEST_IO:g} s at most", f"{one.seconds:.3f} s"
            )


@requirement("LATENCY-4", IO_LIMIT)
@takes(2)
def test_no_command_of_any_kind_takes_long(drive: Drive, model: Model, budget: Budget) -> None:
    """Flushes, zeroes, deallocations and all other IO commands complete within 8 s.

    1. Send random IO of all kinds, and compare the slowest command with the limit.
    """
    base = drive.random.randrange(drive.nsze - 8192)
    Traffic(drive, model, [(base, 8000)], queues=2, depth=8).run(lambda: budget.spent)
    for command in drive.history:
        if isinstance(command, Command) and command.done:
            drive.check(command.seconds <= LONGEST_IO, IO_LIMIT, f"{LONGEST_IO:g} s at most", f"{command}")
