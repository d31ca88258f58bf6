# SPDX-License-Identifier: BSD-3-Clause
"""Errors that the host injects: each happens as it was asked for, harms nothing else, and ends.

OCP's specification for drives of data centres lets a host request errors by feature C0h. A drive that has the
feature, and log page C0h with OCP's GUID or no log page C0h at all on a virtual SSD, has them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import nvme
import pytest

from pynvme.spec import IoOpcode, OcpError, OcpErrorInjection, OcpFeatureId
from pynvme.suite import needs, requirement
from pynvme.suite.ageing import VIRTUAL_TIME, Ageing, ageing_of, has_ocp_logs, writable_without_backup
from pynvme.suite.claims import ROOM
from pynvme.suite.drive import Drive
from pynvme.suite.health import smart
from pynvme.suite.history import Command
from pynvme.suite.marks import Need
from pynvme.suite.model import Model
from pynvme.suite.promises import Promises
from pynvme.suite.traffic import read_back
from pynvme.suite.writing import Writer

FID = OcpFeatureId.ERROR_INJECTION
OCP = "OCP Datacenter NVMe SSD 2.0, Error Injection (Feature Identifier C0h)"
ENTRY = 32
PATIENCE_MS = 1000
"""How long a command that hangs is awaited."""


def injects(drive: Drive) -> bool:
    """Whether feature C0h is OCP's: other vendors may have something else there."""
    if not drive.get_feature(FID).ok:
        return False
    found = has_ocp_logs(drive)
    return VIRTUAL_TIME.met(drive) if found is None else found


INJECTS = Need("errors that a host injects (OCP feature C0h, and the GUID of log page C0h)", injects)

pytestmark = needs(ROOM, INJECTS)


class Injector:
    """Requests errors by feature C0h."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self._buf = nvme.Buffer(4096)

    def set(self, *entries: tuple[OcpError, int, bool]) -> Command:
        """Request errors, each with its count of reads, and whether it happens once."""
        self._buf[:] = bytes(len(self._buf))
        for number, (error, count, once) in enumerate(entries):
            entry = OcpErrorInjection(memoryview(self._buf)[number * ENTRY : (number + 1) * ENTRY])
            entry.flags.enable, entry.flags.single = 1, int(once)
            entry.type, entry.nrtdp = error, count
        return self._drive.set_feature(FID, len(entries), buf=self._buf)

    def start(self, *entries: tuple[OcpError, int, bool]) -> None:
        """The same. A refusal is a finding."""
        self._drive.note(f"injected: {', '.join(error.name for error, _, _ in entries) or 'nothing'}")
        self._drive.succeed(self.set(*entries), OCP)

    def get(self) -> list[tuple[int, int, bool, bool]]:
        """Type, count, whether it happens once and whether it is enabled, of each entry."""
        self._buf[:] = bytes(len(self._buf))
        count = self._drive.succeed(self._drive.get_feature(FID, buf=self._buf), OCP).cdw0 & 0x7F
        found = []
        for number in range(count):
            entry = OcpErrorInjection(memoryview(self._buf)[number * ENTRY : (number + 1) * ENTRY])
            found.append(
                (int(entry.type), int(entry.nrtdp), bool(entry.flags.single), bool(entry.flags.enable))
            )
        return found


@pytest.fixture
def injector(drive: Drive) -> Iterator[Injector]:
    """Requests errors, and ends them after the test."""
    one, before = Injector(drive), drive.nvme0.timeout
    yield one
    drive.nvme0.timeout = before
    if not drive.csts.rdy or drive.csts.cfs:
        drive.reset()
    one.set()


def reads(drive: Drive, slba: int, count: int) -> list[Command]:
    """Read one LBA a number of times, and wait for each."""
    buf = nvme.Buffer(max(4096, drive.lba_size))
    return [drive.io(IoOpcode.READ, buf, slba) for _ in range(count)]


@requirement("INJECTION-1", f"{OCP}, and Base 2.0, 4.2 Feature Values")
def test_injected_errors_are_listed(drive: Drive, injector: Injector) -> None:
    """Get Features returns the entries that were set, until they are replaced, ended, or reset.

    1. Set random entries that do not happen yet, and get them. Replace them, end them by none, and reset.
    """
    rng = drive.random
    for end in ("replaced", "none", "reset"):
        wanted = [
            (rng.choice(list(OcpError)), rng.randrange(20_000, 60_000), bool(rng.getrandbits(1)))
            for _ in range(rng.randint(1, 20))
        ]
        injector.start(*wanted)
        expected = [(int(error), count, once, True) for error, count, once in wanted]
        drive.check(injector.get() == expected, OCP, f"{len(expected)} entries as set", injector.get())
        if end != "replaced":
            if end == "none":
                injector.start()
            else:
                drive.reset()
            drive.check(not injector.get(), OCP, f"no entries after the end by {end}", injector.get())


FAILING = (
    OcpError.IO_FAILURE,
    OcpError.NAND_CORRUPTION,
    OcpError.METADATA_CORRUPTION,
    OcpError.DRAM_NON_CRITICAL,
)


@requirement("INJECTION-2", OCP)
@pytest.mark.parametrize("error", FAILING, ids=lambda error: error.name.lower())
def test_a_command_fails_as_injected(
    drive: Drive, writer: Writer, model: Model, injector: Injector, error: OcpError
) -> None:
    """One read fails if the error is injected once, and else every nth, and no data are harmed.

    1. Inject the error once at the nth read, and read more often. One command fails, at the nth read or
       before, and the entry is not enabled any more.
    2. Inject it for ever. Reads fail again and again. End it, and none fails. Read all that was written.
    """
    base = writer.region(64)
    count = drive.random.randint(2, 9)
    injector.start((error, count, True))
    failed = [number for number, command in enumerate(reads(drive, base, 3 * count), 1) if not command.ok]
    drive.check(len(failed) == 1 and failed[0] <= count, OCP, f"one error within {count} reads", failed)
    drive.check(not any(entry[3] for entry in injector.get()), OCP, "an entry that is over", injector.get())
    injector.start((error, count, False))
    failed = [number for number, command in enumerate(reads(drive, base, 5 * count), 1) if not command.ok]
    drive.check(4 <= len(failed) <= 5 * count, OCP, f"errors again and again in {5 * count} reads", failed)
    injector.start()
    for command in reads(drive, base, 2 * count):
        drive.succeed(command, OCP)
    read_back(drive, model, range(base, base + 64))


@requirement("INJECTION-3", f"{OCP}, and Base 2.0, 3.7.2 Controller Level Reset")
@pytest.mark.parametrize(
    "error", [OcpError.IO_TIMEOUT, OcpError.NAND_HANG], ids=lambda error: error.name.lower()
)
def test_a_command_hangs_as_injected(
    drive: Drive, writer: Writer, model: Model, injector: Injector, error: OcpError
) -> None:
    """A read that never completes leaves others alone, and a reset ends it and the error.

    1. Inject the error once, and read until a command hangs. Other commands complete.
    2. Reset. Reads succeed, and the data are there.
    """
    base = writer.region(64)
    writer.flush()
    count = drive.random.randint(2, 6)
    drive.nvme0.timeout = PATIENCE_MS
    injector.start((error, count, True))
    pair, buf = drive.new_qpair(), nvme.Buffer(max(4096, drive.lba_size))
    commands = [
        drive.send(pair, IoOpcode.READ, buf, cdw10=base & 0xFFFFFFFF, cdw11=base >> 32) for _ in range(count)
    ]
    pair.waitdone(count)
    hung = [command for command in commands if command.timed_out]
    drive.check(len(hung) == 1, OCP, f"one of {count} reads hangs", [str(one) for one in commands])
    drive.succeed(drive.io(IoOpcode.READ, buf, base), OCP)
    drive.reset()
    read_back(drive, model, range(base, base + 64))
    drive.check(not injector.get(), OCP, "no entries after a reset", injector.get())


FATAL = (
    OcpError.CONTROLLER_HANG,
    OcpError.FIRMWARE_ERROR,
    OcpError.DRAM_CRITICAL,
    OcpError.SRAM_CORRUPTION,
    OcpError.HARDWARE_MALFUNCTION,
)


@requirement("INJECTION-4", f"{OCP}, and Base 2.0, 3.1.3.6 CSTS.CFS")
@needs(VIRTUAL_TIME)
def test_a_fatal_error_ends_with_a_reset(
    drive: Drive, writer: Writer, model: Model, injector: Injector
) -> None:
    """After an error that stops the controller, CSTS.CFS is 1, and a reset brings the data back.

    1. Inject each such error, and read until it happens. CSTS.CFS becomes 1.
    2. Reset. The controller works, and what was flushed is there.
    """
    base = writer.region(64)
    writer.flush()
    drive.nvme0.timeout = PATIENCE_MS
    for error in FATAL:
        injector.start((error, 2, True))
        pair, buf = drive.new_qpair(), nvme.Buffer(max(4096, drive.lba_size))
        for _ in range(2):
            drive.send(pair, IoOpcode.READ, buf, cdw10=base & 0xFFFFFFFF, cdw11=base >> 32)
        drive.check(becomes_fatal(drive), OCP, f"CSTS.CFS is 1 after {error.name}", drive.csts)
        drive.reset()
        drive.check(not drive.csts.cfs, OCP, "CSTS.CFS is 0 after a reset", drive.csts)
        read_back(drive, model, range(base, base + 64))


def becomes_fatal(drive: Drive) -> bool:
    """Whether CSTS.CFS becomes 1 soon."""
    end = time.monotonic() + 2
    while not drive.csts.cfs and time.monotonic() < end:
        time.sleep(0.001)
    return bool(drive.csts.cfs)


@requirement("INJECTION-5", f"{OCP}, and Base 2.0, 5.16.1.3 SMART / Health Information, Critical Warning")
@needs(VIRTUAL_TIME)
def test_a_defect_that_is_injected_is_reported(drive: Drive, writer: Writer, injector: Injector) -> None:
    """A defect shows in the health log, and the drive keeps what it promises of its data.

    1. Inject a defect of the capacitors, of a die, and a critical temperature, and read until it happens.
    2. Critical warning bit 4, less spare, and critical warning bit 1 report it. Check the data.
    """
    ageing = must_age(drive)
    before, drive.may_warn = smart(drive), True
    promises = Promises(drive)
    base = writer.region(16)
    try:
        with writable_without_backup(drive):
            for error in (OcpError.PLP_DEFECT, OcpError.DIE_OFFLINE, OcpError.CRITICAL_TEMPERATURE):
                injector.start((error, 1, True))
                reads(drive, base, 2)
                log = smart(drive)
                shown = {
                    OcpError.PLP_DEFECT: bool(log.cw.vmbf),
                    OcpError.DIE_OFFLINE: log.avsp < before.avsp,
                    OcpError.CRITICAL_TEMPERATURE: bool(log.cw.ttc),
                }
                text = f"{int(log.cw):#x}, {log.avsp}"
                drive.check(shown[error], OCP, f"a health log that shows {error.name}", text)
                promises.judge()
                writer = Writer(drive, writer.model)
    finally:
        injector.set()
        ageing.age(spare=int(before.avsp), backup_failed=False, temperature=303, throttle=False)


def must_age(drive: Drive) -> Ageing:
    """What repairs this drive."""
    found = ageing_of(drive)
    assert found is not None
    return found
