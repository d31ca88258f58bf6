# SPDX-License-Identifier: BSD-3-Clause
"""Latency: the limits of the OCP Datacenter NVMe SSD Specification, under load."""

from __future__ import annotations

import itertools
import time
from typing import Callable

import nvme
import pytest

from pynvme.spec import AdminOpcode, FeatureId, IoOpcode, OcpLatencyLog
from pynvme.suite import clauses, needs, requirement, takes
from pynvme.suite.claims import ROOM, admin, io
from pynvme.suite.drive import LONGEST_ADMIN, LONGEST_IO, OCP_ADMIN, OCP_IO, Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need
from pynvme.suite.model import Model
from pynvme.suite.options import Budget
from pynvme.suite.traffic import Traffic, any_size, model_of, read_back
from pynvme.suite.writing import Writer

pytestmark = needs(ROOM)

SLOW_IO, MOST_SLOW = 2.0, 7
FORMAT_PATIENCE = 600.0
"""Seconds that a format may take."""
COUNTED = 1_000_000
"""The distribution of a worker's latencies ends here, in microseconds."""


@requirement("LATENCY-1", OCP_IO)
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
    clause = clauses.of_io(IoOpcode.READ)
    drive.check(result.lba_mismatch == 0, clause, "the data that were written", "a mismatch")
    drive.check(result.error == 0, OCP_IO, "no failed IO", f"error {result.error}, status {result.status:#x}")
    slowest = result.latency_max_us / 1e6
    drive.check(slowest <= LONGEST_IO, OCP_IO, f"no IO above {LONGEST_IO:g} s", f"{slowest:.3f} s")
    count = result.io_count_read + result.io_count_write + result.io_count_nonread
    slow = count - sum(result.latency_distribution[:COUNTED])
    drive.check(
        slowest <= SLOW_IO or slow <= MOST_SLOW,
        OCP_IO,
        f"{MOST_SLOW} IOs above {SLOW_IO:g} s at most",
        f"{slow} above 1 s, the slowest took {slowest:.3f} s",
    )


@requirement("LATENCY-2", OCP_ADMIN)
@takes(2)
def test_no_admin_command_takes_long(drive: Drive, budget: Budget) -> None:
    """Admin commands complete within 10 s, also under load.

    1. Run a worker, and send Identify, Get Log Page of each page, Get and Set Features, Abort, and the
       creation and deletion of queues meanwhile.
    2. Compare the slowest one with the limit.
    """
    buf = nvme.Buffer(4096)
    pages = [lid for lid in (1, 2, 3, 4, 5, 6, 7, 8, 0x0D, 0x12, 0x13, 0x81) if drive.has_log(lid)]
    arbitration = drive.get_feature(FeatureId.ARBITRATION).cdw0
    slowest, end = 0.0, time.monotonic() + max(0.3, budget.limit)
    with drive.ns.ioworker(io_size=8, time=max(0.3, budget.limit), read_percentage=30, qdepth=32):
        for turn in itertools.count():
            if time.monotonic() >= end:
                break
            commands = [
                drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=1),
                drive.admin(AdminOpcode.IDENTIFY, buf, drive.nsid, cdw10=0),
                drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=2),
                drive.log_page(2, buf, 512),
                drive.get_feature(FeatureId.QUEUES),
                drive.set_feature(FeatureId.ARBITRATION, arbitration),
            ]
            for command in commands:
                drive.succeed(command, OCP_ADMIN)
            commands += [drive.log_page(pages[turn % len(pages)], buf, 512, rae=True)]
            commands += [drive.admin(AdminOpcode.ABORT, cdw10=0x7777 << 16 | drive.qpair.sqid)]
            slowest = max(slowest, *(command.seconds for command in commands), time_of_queues(drive))
    drive.check(slowest <= LONGEST_ADMIN, OCP_ADMIN, f"{LONGEST_ADMIN:g} s at most", f"{slowest:.3f} s")


def time_of_queues(drive: Drive) -> float:
    """Create and delete a queue pair. Returns the seconds that it took."""
    start = time.monotonic()
    drive.new_qpair(4).delete()
    return time.monotonic() - start


@requirement("LATENCY-3", OCP_IO)
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
            drive.succeed(one, OCP_IO)
            drive.check(
                one.seconds <= LONGEST_IO, OCP_IO, f"{LONGEST_IO:g} s at most", f"{one.seconds:.3f} s"
            )


@requirement("LATENCY-4", OCP_IO)
@takes(2)
def test_no_command_of_any_kind_takes_long(drive: Drive, model: Model, budget: Budget) -> None:
    """Flushes, zeroes, deallocations and all other IO commands complete within 8 s.

    1. Send random IO of all kinds, and compare the slowest command with the limit.
    """
    base = drive.random.randrange(drive.nsze - 8192)
    Traffic(drive, model, [(base, 8000)], queues=2, depth=8, sizes=any_size(drive)).run(lambda: budget.spent)
    none_may_be_slow(drive)


def none_may_be_slow(drive: Drive) -> None:
    """Raise a finding if an IO command of this test was too slow, or too many were slow."""
    done = [one for one in drive.history if isinstance(one, Command) and one.done and one.qid]
    for command in done:
        drive.check(command.seconds <= LONGEST_IO, OCP_IO, f"{LONGEST_IO:g} s at most", f"{command}")
    slow = [command for command in done if command.seconds > SLOW_IO]
    drive.check(
        len(slow) <= MOST_SLOW,
        OCP_IO,
        f"{MOST_SLOW} IOs above {SLOW_IO:g} s at most",
        f"{len(slow)}, the last is {slow[-1] if slow else 'none'}",
    )


@requirement("LATENCY-5", OCP_IO)
@takes(1)
def test_the_first_commands_after_a_pause(drive: Drive, model: Model, writer: Writer, budget: Budget) -> None:
    """After a time without commands, each kind of IO completes within 8 s, and its data are right.

    1. Write, deallocate, and do nothing for up to half a second. DATA-21 has longer pauses.
    2. Begin with a read, a write, a flush, or zeroes. Compare the slowest command with the limit.
    """
    base = writer.region(256)
    for share in (0.05, 0.15, 0.35, 0.45):
        if drive.can(IoOpcode.DSM):
            writer.deallocate((base, 64))
        time.sleep(share * budget.limit)
        kinds: list[Callable[[], object]] = [
            lambda: writer.read(base + 64, 64),
            lambda: writer.write(base + 128, 16),
            writer.flush,
        ]
        if drive.can(IoOpcode.WRITE_ZEROES):
            kinds.append(lambda: writer.zeroes(base + 192, 16))
        drive.random.shuffle(kinds)
        for send in kinds:
            send()
        read_back(drive, model, range(base, base + 256))
    none_may_be_slow(drive)


@requirement("LATENCY-6", OCP_IO)
@needs(admin(AdminOpcode.FORMAT_NVM))
def test_the_first_commands_after_a_format(drive: Drive, budget: Budget) -> None:
    """After a format, IO completes within 8 s.

    1. Format the namespace, and send random IO of all kinds.
    2. Compare the slowest command with the limit.
    """
    before = drive.nvme0.timeout
    drive.nvme0.timeout = int(FORMAT_PATIENCE * 1000)
    cdw10 = int(drive.ns.id_ns.flbas.lbafil)
    command = drive.admin(AdminOpcode.FORMAT_NVM, nsid=drive.nsid, cdw10=cdw10)
    drive.nvme0.timeout = before
    drive.succeed(command, clauses.of_admin(AdminOpcode.FORMAT_NVM))
    model = model_of(drive)
    base = drive.random.randrange(drive.nsze - 4096)
    traffic = Traffic(drive, model, [(base, 4000)], queues=2, depth=8)
    traffic.run(lambda: traffic.count >= 1000)
    read_back(drive, model, model.known())
    none_may_be_slow(drive)


OCP_MONITOR = "OCP Datacenter NVMe SSD 2.5, Latency Monitor"
MONITOR = Need(
    "OCP's latency monitor (CTRATT bit 9, and log page C3h)",
    lambda drive: bool(drive.id_ctrl.ctratt.ulist) and drive.has_log(0xC3),
)
STEP = 0.005
"""Seconds of a unit of the thresholds."""


@requirement("LATENCY-7", OCP_MONITOR)
@needs(MONITOR)
def test_the_latency_monitor_counts_what_was_slow(drive: Drive) -> None:
    """A command is counted by its kind and its latency, and a quick one is not counted.

    1. Set thresholds of 5, 10, 15 and 20 ms, which empties the counters. Send reads only.
    2. No writes or trims are counted, and no more reads from each bucket on than the host has measured.
    """
    buf = nvme.Buffer(4096)
    config = bytearray(4096)
    config[0:13] = bytes([1, 0, 0, 1, 2, 3, 0xFF, 0x0F, 0, 0, 0, 0, 1])
    buf[:] = bytes(config)
    drive.succeed(drive.set_feature(0xC5, buf=buf), OCP_MONITOR)
    data = nvme.Buffer(drive.lba_size)
    reads = [drive.io(IoOpcode.READ, data, index) for index in range(64)]
    page = nvme.Buffer(512)
    drive.succeed(drive.log_page(0xC3, page, 512, rae=True), OCP_MONITOR)
    log = OcpLatencyLog(bytes(page[:]))
    for bucket, counters in enumerate(log.active_counters):
        drive.check(not counters.write, OCP_MONITOR, f"no writes in bucket {bucket}", counters.write)
        drive.check(not counters.trim, OCP_MONITOR, f"no trims in bucket {bucket}", counters.trim)
        slow = sum(command.seconds >= (bucket + 1) * STEP for command in reads)
        counted = sum(one.read for one in log.active_counters[bucket:])
        drive.check(counted <= slow, OCP_MONITOR, f"{slow} reads at most from bucket {bucket} on", counted)
