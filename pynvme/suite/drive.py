# SPDX-License-Identifier: BSD-3-Clause
"""The drive under test. It sends commands, keeps what a finding has to tell, and knows resets and power."""

from __future__ import annotations

import contextlib
import copy
import functools
import itertools
import random
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import Callable

import nvme

from pynvme import lba_format
from pynvme.spec import (
    AdminOpcode,
    Cap,
    CommandSet,
    Csts,
    FeatureId,
    IdentifyController,
    IdentifyControllerNvm,
    IoOpcode,
    NamespaceIdList,
    Register,
    Status,
)
from pynvme.suite import clauses, reproduce
from pynvme.suite.finding import Finding, place_of
from pynvme.suite.history import Command, Dwords, Event, History, status_text
from pynvme.suite.identity import first_identified
from pynvme.suite.ledger import ledger_of
from pynvme.suite.metadata import TRANSFERS, Separate, separate

COMMANDS_SHOWN = 16
SCRIPT_COMMANDS = 8
ALL_NAMESPACES = 0xFFFFFFFF

LONGEST_IO, LONGEST_ADMIN = 8.0, 10.0
"""Seconds that a command may take, by OCP_IO and OCP_ADMIN."""
OCP_IO = "OCP Datacenter NVMe SSD 2.0, CTO-3"
OCP_ADMIN = "OCP Datacenter NVMe SSD 2.0, CTO-1"

SHUTDOWN = "Base 2.0, 3.6.1 Memory-based Transport Controller Shutdown"
EVENTS = "Base 2.0, 5.2 Asynchronous Event Request"
TEMPERATURE_EVENT = 1
"""Information of a SMART / Health Status event that a drive may have because it has become hot."""
BUSY_HOST = 2.0
"""Seconds that a host may be late when it measures, since other processes have its CPUs."""

LENGTHY = frozenset(
    {
        AdminOpcode.ASYNC_EVENT,
        AdminOpcode.FORMAT_NVM,
        AdminOpcode.FW_COMMIT,
        AdminOpcode.FW_DOWNLOAD,
        AdminOpcode.NS_MANAGEMENT,
        AdminOpcode.SANITIZE,
        AdminOpcode.SECURITY_SEND,
        AdminOpcode.SELF_TEST,
    }
)
"""Admin commands without such a limit."""

WITH_DATA = (
    FeatureId.LBA_RANGE,
    FeatureId.APST,
    FeatureId.HMB,
    FeatureId.TIMESTAMP,
    FeatureId.HOST_BEHAVIOR,
    FeatureId.HOST_ID,
)
"""Features whose value is a structure."""

CC_EN, SHN = 1, 0xC000
SCRATCH = 16 << 10
_trials = itertools.count()
"""How often the power was tried."""
SAVE = 1 << 31


class Drive:
    """The drive under test, for one test.

    Args:
        nvme0, subsystem: the driver's objects
        seed: the seed of the run
        test: the name of the test, which makes its random numbers its own
    """

    def __init__(
        self, nvme0: nvme.Controller, subsystem: nvme.Subsystem, seed: int = 0, test: str = ""
    ) -> None:
        self.nvme0 = nvme0
        self.pcie = nvme0.pcie
        self.subsystem = subsystem
        self.seed = seed
        self.test = test
        self.random = random.Random(f"{seed}:{test}")
        self.seconds_to_ready = (nvme0.cap >> 24 & 0xFF) / 2
        """CAP.TO: how long a reset may take."""
        self.history = History()
        self._qpairs: list[nvme.Qpair] = []
        self._single: list[nvme.Qpair] = []
        """The queue pair for single commands, once there is one."""
        self._scratch: list[nvme.Buffer] = []
        """Metadata that no test looks at. The drive may still write to older buffers."""
        self._leaving: list[Callable[[], None]] = []
        self._findings: list[str] = []
        self._stuck: list[str] = []
        """Commands that did not end."""
        self._events: list[int] = []
        self.keeps_power = False
        """Whether tests must not switch the power."""
        self.is_expendable = False
        """Whether tests may change what nothing undoes, such as the key of an RPMB target."""
        self.may_warn = False
        """Whether the test causes events of errors or critical warnings."""
        self._identity = self._identify()
        self.nsids = [1]
        self.nsids = [nsid for nsid in self._active() if not self.has_keys(nsid)]
        self.namespaces = {nsid: nvme.Namespace(nvme0, nsid) for nsid in self.nsids}
        self.ns = self.namespaces[self.nsids[0]]
        self.nsid = self.nsids[0]
        self.measure()
        self.seconds_to_shut_down = max(int(self.id_ctrl.rtd3e) / 1e6, 1.0)
        """RTD3E: how long a shutdown may take, or 1 s if the drive does not report it."""
        self.first = first_identified(self)
        """Its Identify structures at the beginning of the session."""
        self.ledger = ledger_of(self)
        self.ledger.enabled()

    def _active(self) -> list[int]:
        """The active namespaces."""
        buf = nvme.Buffer(4096)
        done = self.admin(AdminOpcode.IDENTIFY, buf, cdw10=2)
        nsids = [buf.data(at + 3, at) for at in range(0, 4096, 4)] if done.ok else [1]
        return [nsid for nsid in nsids if nsid] or [1]

    def has_keys(self, nsid: int) -> bool:
        """Whether a namespace is of the Key Value Command Set, by its descriptors (CNS 03h)."""
        if not self.nvme0.cap >> 43 & 1:  # CAP.CSS: no other command sets
            return False
        buf = nvme.Buffer(4096)
        done = self.admin(AdminOpcode.IDENTIFY, buf, nsid, cdw10=3)
        found = NamespaceIdList(buf).descriptors if done.ok else ()
        return any((int(one.nidt), bytes(one.nid)[:1]) == (4, b"\1") for one in found)

    # What it is

    @property
    def id_ctrl(self) -> IdentifyController:
        """Identify Controller."""
        return self.nvme0.id_ctrl

    def by_namespace(self) -> Iterator[Drive]:
        """The same drive once for each namespace, which then is its first one."""
        for nsid, namespace in self.namespaces.items():
            one = copy.copy(self)
            one.ns, one.nsid = namespace, nsid
            one.measure()
            yield one

    @property
    def takes_deac(self) -> bool:
        """Whether Write Zeroes takes DEAC (DLFEAT bit 3)."""
        return bool(self.ns.id_ns.dlfeat.wzdb)

    @property
    def atomic_lbas(self) -> int:
        """LBAs of a write that no other command sees in part, from an aligned LBA on (NVM 1.0, 2.1.4)."""
        ns = self.ns.id_ns
        if not ns.nsfeat.nsabp:
            return int(self.id_ctrl.awun) + 1
        unit = max(int(ns.nawun), int(self.id_ctrl.awun)) + 1
        return min(unit, int(ns.nabsn) + 1) if ns.nabsn else unit

    def measure(self) -> None:
        """Look up the geometry of the first namespace. Call it again after a format."""
        self.lba_size = lba_format.buffer_bytes(self.ns.id_ns)
        """Bytes that an LBA takes in a buffer."""
        self._separate: dict[int, Separate] = {self.nsid: separate(self.ns)}
        """The metadata of each namespace, looked up before queues and power are out of order."""
        self.nsze = int(self.ns.id_ns.nsze)
        """The number of LBAs."""
        self.most_lbas = max(1, min(self.nvme0.mdts or 1 << 20, 1 << 20) // self.lba_size)
        """How many LBAs one command may transfer, by MDTS, and at most 1 MiB of them."""

    @functools.cached_property
    def limits(self) -> IdentifyControllerNvm | None:
        """Limits of commands besides MDTS (Identify, CNS 06h); None: it reports none."""
        buf = nvme.Buffer(4096)
        if self.nvme0[Register.VS] < 0x00020000 or not Cap(self.nvme0.cap).css & 0x40:
            return None
        done = self.admin(AdminOpcode.IDENTIFY, buf, cdw10=6)
        return IdentifyControllerNvm(buf) if done.ok and any(buf[:16]) else None

    def size_limit(self, opcode: int) -> int:
        """How many LBAs a command without data may have at most, by VSL, WZSL or WUSL. 0: no limit.

        If ONCS says that the drive has the command, its limit is a recommendation, except that of Verify.
        """
        limits, oncs = self.limits, self.id_ctrl.oncs
        if not limits:
            return 0
        shift = {
            IoOpcode.VERIFY: limits.vsl,
            IoOpcode.WRITE_ZEROES: 0 if oncs.nvmwzsv else limits.wzsl,
            IoOpcode.WRITE_UNCORRECTABLE: 0 if oncs.nvmwusv else limits.wusl,
        }.get(IoOpcode(opcode), 0)
        smallest = 4096 << Cap(self.nvme0.cap).mpsmin
        return (smallest << int(shift)) // self.lba_size if shift else 0

    def dsm_limits(self) -> tuple[int, int, int]:
        """Ranges, LBAs of a range, and LBAs of all ranges that a Dataset Management may have. 0: no limit."""
        limits = self.limits
        if not limits or self.id_ctrl.oncs.nvmdsmsv:
            return 0, 0, 0
        return int(limits.dmrl), int(limits.dmrsl), int(limits.dmsl)

    def can(self, opcode: int) -> bool:
        """Whether it has an IO command, of any size that tests send."""
        if not self.ns.supports(opcode):
            return False
        if opcode == IoOpcode.DSM:
            return not any(self.dsm_limits())
        limit = self.size_limit(opcode)
        return not limit or limit >= self.most_lbas

    def has_flr(self) -> bool:
        """Whether the function has a function level reset."""
        at = self.pcie.cap_offset(0x10)
        return at is not None and bool(self.pcie.register(at + 4, 4) >> 28 & 1)

    def has_log(self, lid: int) -> bool:
        """Whether it has a log page."""
        buf = nvme.Buffer(4096)
        listed = self.log_page(0, buf, 1024).ok and bool(buf[4 * lid] & 1)
        return listed or self.log_page(lid, buf, 16).ok

    def capabilities(self, fid: int) -> int:
        """What Get Features says about a feature with SEL 3, or 0."""
        if not self.id_ctrl.oncs.ssfs:
            return 0
        done = self.get_capabilities(fid)
        return done.cdw0 if done.ok else 0

    def get_capabilities(self, fid: int) -> Command:
        """Get a feature with SEL 3. A drive may ask for a namespace if the feature is specific to one."""
        done = self.get_feature(fid, sel=3)
        return self.get_feature(fid, 3, self.nsid) if done.status == Status.INVALID_NAMESPACE else done

    def has_temperature(self) -> bool:
        """Whether SMART / Health Information tells a composite temperature."""
        buf = nvme.Buffer(4096)
        return self.log_page(2, buf, 512).ok and buf.data(2, 1) > 0

    def namespaces_of(self, csi: CommandSet) -> list[int]:
        """The active namespaces of a command set (Identify, CNS 07h). None if the drive has no such list."""
        buf = nvme.Buffer(4096)
        done = self.admin(AdminOpcode.IDENTIFY, buf, cdw10=7, cdw11=csi << 24)
        listed = [int(buf.data(4 * i + 3, 4 * i)) for i in range(1024)] if done.ok else []
        return [nsid for nsid in listed if nsid]

    def can_change(self, fid: int) -> bool:
        """Whether Set Features can change a feature."""
        if self.id_ctrl.oncs.ssfs:
            return bool(self.capabilities(fid) & 4)
        now = self.get_feature(fid)
        if not now.ok or fid in WITH_DATA:
            return now.ok
        return self.set_feature(fid, now.cdw0).status != Status.FEATURE_NOT_CHANGEABLE

    def can_save(self, fid: int) -> bool:
        """Whether Set Features can save a feature."""
        return self.capabilities(fid) & 5 == 5

    def can_switch_power(self) -> bool:
        """Whether tests can switch the power of the drive, and may.

        This switches it. The first loss of power of a session is here, so what was flushed must survive it.
        """
        if self.keeps_power:
            return False
        lbas, data = self._flushed()
        try:
            self.power_off()
        except (NotImplementedError, OSError):
            return False
        self.power_on()
        if lbas:
            self._must_hold(lbas, data)
        return True

    def _flushed(self) -> tuple[range, bytes]:
        """Write some LBAs, and flush. Returns them and their data, or no LBAs if that is not possible."""
        nlb = min(8, self.most_lbas, self.nsze)
        rng = random.Random(f"{self.seed}:power {next(_trials)}")
        slba = rng.randrange(self.nsze - nlb + 1)
        buf = nvme.Buffer(nlb * self.lba_size)
        buf[:] = data = rng.randbytes(len(buf))
        pair = nvme.Qpair(self.nvme0, 2)
        written = (
            self.io(IoOpcode.WRITE, buf, slba, nlb, qpair=pair).ok and self.run(IoOpcode.FLUSH, qpair=pair).ok
        )
        pair.delete()
        return range(slba, slba + nlb if written else slba), data

    def _must_hold(self, lbas: range, data: bytes) -> None:
        """Raise a finding unless these LBAs hold their data after a loss of power."""
        buf = nvme.Buffer(len(data))
        pair = nvme.Qpair(self.nvme0, 2)
        read = self.io(IoOpcode.READ, buf, lbas.start, len(lbas), qpair=pair)
        if not read.ok or bytes(buf[:]) != data:
            expected = "what was flushed before the power was switched off"
            seen = "other data" if read.ok else status_text(read.status)
            raise self.finding(clauses.of_io(IoOpcode.FLUSH), expected, seen, lbas)
        pair.delete()

    def can_reset_hot(self) -> bool:
        """Whether the link can be reset. This resets it."""
        try:
            self.pcie.reset()
        except (NotImplementedError, OSError):
            return False
        self._forget_queues()
        self.nvme0.reset()
        return True

    def identity(self) -> dict[str, str]:
        """What tells this drive from others, as it was when the test began: it may not answer any more."""
        return dict(self._identity)

    def _identify(self) -> dict[str, str]:
        """Ask the drive for what tells it from others."""
        try:
            ctrl = self.id_ctrl
            found = {"model": ctrl.mn.strip(), "serial": ctrl.sn.strip(), "firmware": ctrl.fr.strip()}
        except Exception as error:
            found = {"model": f"unknown ({error})"}
        address = self.nvme0.addr
        found["address"] = address.decode() if isinstance(address, bytes) else str(address)
        return found

    # Commands

    def admin(self, opcode: int, buf: nvme.Buffer | None = None, nsid: int = 0, **dwords: int) -> Command:
        """Send an admin command and wait. A time-out is a finding; any status is the caller's to judge."""
        command = self.send_admin(opcode, buf, nsid, **dwords)
        self.reap(self.nvme0)
        self.must_end(command)
        return command

    def send_admin(
        self, opcode: int, buf: nvme.Buffer | None = None, nsid: int = 0, **dwords: int
    ) -> Command:
        """Send an admin command."""
        command = Command(0, opcode, nsid, _dwords(dwords))
        self.history.add(command)
        self.nvme0.send_cmd(opcode, buf, nsid, *command.dwords, cb=command.completed)
        command.cid = self.nvme0.latest_cid
        return command

    def send(
        self,
        qpair: nvme.Qpair,
        opcode: int,
        buf: nvme.Buffer | None = None,
        nsid: int | None = None,
        then: Callable[[Command], None] | None = None,
        **dwords: int,
    ) -> Command:
        """Send an IO command to the first namespace, or another one."""
        nsid = self.nsid if nsid is None else nsid
        command = Command(qpair.sqid, opcode, nsid, _dwords(dwords))
        command.then = then
        self.history.add(command)
        meta = self.metadata(opcode, buf, nsid, command.dwords[2])
        self.ns.send_cmd(opcode, qpair, buf, nsid, *command.dwords, cb=command.completed, meta=meta)
        command.cid = qpair.latest_cid
        return command

    def metadata(self, opcode: int, buf: nvme.Buffer | None, nsid: int, dword12: int) -> nvme.Buffer | None:
        """A Buffer for the metadata of a command, if they do not follow its data."""
        if nsid not in self._separate and nsid in self.namespaces:
            self._separate[nsid] = separate(self.namespaces[nsid])
        found = self._separate.get(nsid)
        return found.buffer(opcode, buf, (dword12 & 0xFFFF) + 1) if found is not None else None

    @property
    def has_separate_metadata(self) -> bool:
        """Whether the first namespace has metadata in a buffer of their own."""
        return self._separate[self.nsid].each > 0

    def scratch(self, opcode: int, nlb: int) -> int:
        """An address for metadata of a command that a test puts into a queue by itself, or 0 for none."""
        each = self._separate[self.nsid].each
        if not each or opcode & 0xFF not in TRANSFERS:
            return 0
        if not self._scratch or len(self._scratch[0]) < nlb * each:
            self._scratch.insert(0, nvme.Buffer(max(nlb * each, SCRATCH)))
        return int(self._scratch[0].phys_addr)

    def io(
        self,
        opcode: int,
        buf: nvme.Buffer | None = None,
        slba: int = 0,
        nlb: int = 1,
        nsid: int | None = None,
        flags: int = 0,
        qpair: nvme.Qpair | None = None,
        **dwords: int,
    ) -> Command:
        """Send an IO command with a range of LBAs, and wait.

        flags are bits 31:16 of dword 12.
        """
        dwords = {"cdw10": slba & 0xFFFFFFFF, "cdw11": slba >> 32, "cdw12": flags << 16 | nlb - 1, **dwords}
        return self.run(opcode, buf, nsid, qpair, **dwords)

    def run(
        self,
        opcode: int,
        buf: nvme.Buffer | None = None,
        nsid: int | None = None,
        qpair: nvme.Qpair | None = None,
        **dwords: int,
    ) -> Command:
        """Send any IO command, and wait. A time-out is a finding; any status is the caller's to judge."""
        pair = qpair or self.qpair
        command = self.send(pair, opcode, buf, nsid, None, **dwords)
        self.reap(pair)
        self.must_end(command)
        return command

    def deallocate(
        self, ranges: Sequence[tuple[int, int]], nsid: int | None = None, attributes: int = 4
    ) -> Command:
        """Send a Dataset Management with these ranges, and wait."""
        pair = self.qpair
        buf = nvme.Buffer(4096)
        for index, (slba, nlb) in enumerate(ranges):
            buf.set_dsm_range(index, slba, nlb)
        command = self.send(pair, IoOpcode.DSM, buf, nsid, cdw10=len(ranges) - 1, cdw11=attributes)
        command.ranges = list(ranges)
        self.reap(pair)
        self.must_end(command)
        return command

    def copy(self, sources: Sequence[tuple[int, int]], to: int, dword12: int = 0) -> Command:
        """Send a Copy of these ranges, and wait. dword12 has the bits besides the number of ranges."""
        pair = self.qpair
        buf = nvme.Buffer(max(4096, 32 * len(sources)))
        for index, (slba, nlb) in enumerate(sources):
            buf.set_copy_range(index, slba, nlb)
        dword12 |= len(sources) - 1
        command = self.send(pair, IoOpcode.COPY, buf, cdw10=to & 0xFFFFFFFF, cdw11=to >> 32, cdw12=dword12)
        command.sources = list(sources)
        command.ranges = [(to, sum(nlb for _, nlb in sources)), *sources]
        self.reap(pair)
        self.must_end(command)
        return command

    def flush(self, nsid: int | None = None) -> Command:
        """Flush a namespace, and wait."""
        return self.run(IoOpcode.FLUSH, None, nsid)

    def reap(self, queue: nvme.Qpair | nvme.Controller, count: int = 1) -> None:
        """Wait for completions. If there are none in time, that is a finding."""
        try:
            queue.waitdone(count)
        except TimeoutError as error:
            self._stuck.append(str(error))
            raise self.finding(
                "Base 2.0, 3.3.3.2 Completion Queue Entry", f"{count} completions", f"none ({error})"
            ) from None

    def poll(self, until: Callable[[], bool], seconds: float = 5.0) -> bool:
        """Take completions of Asynchronous Event Requests, which no wait counts, until a function says so.

        Returns whether it did before the time was over.
        """
        end = time.monotonic() + seconds
        while not until() and time.monotonic() < end:
            self.nvme0.getfeatures(FeatureId.QUEUES).waitdone()
            time.sleep(0.001)
        return until()

    def must_end(self, command: Command) -> None:
        """Raise a finding if a command has not completed, or too late."""
        if command.timed_out or not command.done:
            self._stuck.append(command.name)
            raise self.finding(
                "Base 2.0, 3.3.3.2 Completion Queue Entry",
                f"a completion of {command.name} within {self.nvme0.timeout} ms",
                "no completion",
            )
        if command.seconds > LONGEST_IO:
            self._must_be_in_time(command)

    def _must_be_in_time(self, command: Command) -> None:
        limit, clause = (LONGEST_IO, OCP_IO) if command.qid else (LONGEST_ADMIN, OCP_ADMIN)
        if command.seconds > limit and (command.qid or command.opcode not in LENGTHY):
            raise self.finding(clause, f"{command.name} within {limit:g} s", f"{command}")

    def log_page(
        self,
        lid: int,
        buf: nvme.Buffer,
        size: int,
        offset: int = 0,
        nsid: int = ALL_NAMESPACES,
        rae: bool = False,
        lsp: int = 0,
        lsi: int = 0,
    ) -> Command:
        """Read size bytes of a log page from an offset on."""
        numd = size // 4 - 1
        return self.admin(
            AdminOpcode.GET_LOG_PAGE,
            buf,
            nsid,
            cdw10=(numd & 0xFFFF) << 16 | rae << 15 | lsp << 8 | lid,
            cdw11=lsi << 16 | numd >> 16,
            cdw12=offset & 0xFFFFFFFF,
            cdw13=offset >> 32,
        )

    def get_feature(
        self, fid: int, sel: int = 0, nsid: int = 0, buf: nvme.Buffer | None = None, cdw11: int = 0
    ) -> Command:
        """Get a feature."""
        buf = nvme.Buffer(4096) if buf is None else buf
        return self.admin(AdminOpcode.GET_FEATURES, buf, nsid, cdw10=sel << 8 | fid, cdw11=cdw11)

    def set_feature(
        self,
        fid: int,
        cdw11: int = 0,
        save: bool = False,
        nsid: int = 0,
        buf: nvme.Buffer | None = None,
        cdw12: int = 0,
    ) -> Command:
        """Set a feature."""
        return self.admin(
            AdminOpcode.SET_FEATURES, buf, nsid, cdw10=save << 31 | fid, cdw11=cdw11, cdw12=cdw12
        )

    @contextlib.contextmanager
    def feature_set(self, fid: FeatureId, cdw11: int) -> Iterator[None]:
        """Have a feature of one dword set to a value in here, and as before afterwards."""
        before = self.get_feature(fid).cdw0
        self.succeed(self.set_feature(fid, cdw11), "Base 2.0, 5.27 Set Features")
        try:
            yield
        finally:
            self.set_feature(fid, before)

    # Judging

    def finding(
        self,
        clause: str,
        expected: str,
        seen: str,
        lbas: Iterable[int] = (),
        writers: Iterable[str] = (),
    ) -> Finding:
        """Make a finding with what happened around it. Raise it."""
        self._findings.append(expected)
        wanted = list(lbas)
        entries = self.history.about(wanted, COMMANDS_SHOWN) if wanted else self.history.last(COMMANDS_SHOWN)
        return Finding(
            clause,
            expected,
            seen,
            self.identity(),
            self.seed,
            self.test,
            place_of(frame for frame, _ in traceback.walk_stack(None)),
            [str(entry) for entry in entries],
            list(writers) or self.history.writers(wanted),
            reproduce.script(self.nvme0, self.nsids, entries[-SCRIPT_COMMANDS:] if not wanted else entries),
            history=self.history,
            lbas=wanted,
            nsids=list(self.nsids),
        )

    def check(self, holds: bool, clause: str, expected: str, seen: object = "") -> None:
        """Raise a finding unless something holds."""
        if not holds:
            raise self.finding(clause, expected, str(seen))

    def succeed(self, command: Command, clause: str) -> Command:
        """Raise a finding unless a command completed with success."""
        return self.expect(command, clause, Status.SUCCESS)

    def expect(self, command: Command, clause: str, *statuses: int) -> Command:
        """Raise a finding unless a command completed with one of these statuses."""
        if command.status not in statuses:
            wanted = " or ".join(status_text(status) for status in statuses)
            raise self.finding(clause, f"{command.name}: {wanted}", status_text(command.status))
        return command

    def refused(self, command: Command, clause: str) -> Command:
        """Raise a finding unless a command failed, with any status."""
        if command.ok:
            raise self.finding(clause, f"{command.name} fails", status_text(command.status))
        return command

    # Queues

    @property
    def qpair(self) -> nvme.Qpair:
        """A queue pair for commands that are sent one at a time."""
        if not self._single:
            self._single.append(self.new_qpair(64))
        return self._single[0]

    def new_qpair(self, depth: int = 64) -> nvme.Qpair:
        """Another queue pair, which lasts until the next reset or the end of the test."""
        start = time.monotonic()
        try:
            pair = nvme.Qpair(self.nvme0, min(depth, (self.nvme0.cap & 0xFFFF) + 1))
        except nvme.QpairCreationError as error:
            raise self.finding(
                "Base 2.0, 5.4 Create I/O Completion Queue", "a queue pair", str(error)
            ) from None
        self._qpairs.append(pair)
        self._must_be_quick(start, "the creation of a queue pair")
        return pair

    def delete_qpairs(self) -> None:
        """Delete the queue pairs of this test."""
        for pair in self._qpairs:
            start = time.monotonic()
            pair.delete()
            self._must_be_quick(start, "the deletion of a queue pair")
        self._forget_queues()

    def _must_be_quick(self, start: float, what: str) -> None:
        """Raise a finding if two admin commands of the driver took too long."""
        seconds = time.monotonic() - start
        limit = 2 * LONGEST_ADMIN
        self.check(seconds <= limit, OCP_ADMIN, f"{what} within {limit:g} s", f"{seconds:.1f} s")

    def at_end(self, function: Callable[[], None]) -> None:
        """Call a function at the end of the test, unless the drive has left a command unanswered."""
        self._leaving.append(function)

    def listen(self) -> None:
        """Take the asynchronous events, until a test registers a function of its own."""
        self.nvme0.register_aer_cb(lambda cdw0, status: self._events.append(cdw0))

    def _judge_events(self) -> None:
        """Raise a finding if there was an event of an error or a warning, which nothing has caused."""
        self.nvme0.register_aer_cb(None)
        for event in self._events:
            kind, information = event & 7, event >> 8 & 0xFF
            alarming = kind == 0 or (kind == 1 and information != TEMPERATURE_EVENT)
            if alarming and not self.may_warn and not self._findings:
                raise self.finding(EVENTS, "no event of an error or of a health status", f"{event:#x}")

    def close(self) -> None:
        """Tidy up, and delete the queue pairs. If the drive does not delete them, that is a finding."""
        try:
            while self._leaving and not self._stuck:
                self._leaving.pop()()
            self.delete_qpairs()
        except Exception as error:
            self._forget_queues()
            self.nvme0.reset()
            if isinstance(error, nvme.QpairDeletionError) and not self._findings:
                raise self.finding("Base 2.0, 5.6 and 5.7 Delete I/O Queues", "success", str(error)) from None

    def leave(self) -> None:
        """Shut the controller down after the test, unless it had a finding."""
        self._judge_events()
        if not self._findings and self._is_running():
            self.shut_down()

    def _is_running(self) -> bool:
        """Whether the controller is ready, and not shut down."""
        try:
            csts = self.csts
        except SystemError:
            return False
        return bool(csts.rdy and not csts.shst)

    def _forget_queues(self) -> None:
        self._qpairs.clear()
        self._single.clear()

    # Resets and power

    @property
    def csts(self) -> Csts:
        """The register CSTS."""
        return Csts(self.nvme0[Register.CSTS])

    def note(self, text: str, *script: str) -> None:
        """Write something into the history."""
        self.history.add(Event(text, *script))

    def reset(self) -> float:
        """Reset the controller by CC.EN. Returns the seconds until it is ready again."""
        self.note("controller reset", "nvme0.reset()", "qpair = d.Qpair(nvme0, 64)")
        self._forget_queues()
        start = time.monotonic()
        try:
            self.nvme0.reset()
        except (nvme.NvmeEnumerateError, SystemError) as error:
            raise self.finding(
                "Base 2.0, 3.1.3.1 CAP.TO",
                f"CSTS.RDY within {self.seconds_to_ready} s",
                f"the controller does not become ready: {error}",
            ) from None
        self.ledger.enabled()
        return time.monotonic() - start

    def flr(self) -> float:
        """Reset the function, and then the controller. Returns the seconds until it is ready again."""
        self.note("function level reset", "pcie.flr()")
        self._forget_queues()
        self.pcie.flr()
        return self.reset()

    def hot_reset(self) -> float:
        """Reset the link, and then the controller. Returns the seconds until it is ready again."""
        self.note("hot reset", "pcie.reset()")
        self._forget_queues()
        self.pcie.reset()
        return self.reset()

    def subsystem_reset(self) -> float:
        """Reset the NVM subsystem, and then the controller. Returns the seconds until it is ready again."""
        self.note("NVM subsystem reset", "subsystem.reset()")
        self._forget_queues()
        self.subsystem.reset()
        return self.reset()

    def shut_down(self, abrupt: bool = False) -> None:
        """Shut the controller down by CC.SHN, and wait until CSTS.SHST reports the end."""
        self.note("abrupt shutdown" if abrupt else "shutdown", f"subsystem.shutdown_notify({abrupt})")
        start = time.monotonic()
        try:
            self.subsystem.shutdown_notify(abrupt)
        except nvme.NvmeShutdownStatusTimeoutError as error:
            raise self.finding(SHUTDOWN, "CSTS.SHST is 10b", str(error)) from None
        seconds = time.monotonic() - start
        if abrupt:
            self.ledger.unsure()
        else:
            self.ledger.shut_down()
        limit = self.seconds_to_shut_down
        expected = f"a shutdown within {limit:g} s (RTD3E)"
        self.check(seconds <= limit + BUSY_HOST, SHUTDOWN, expected, f"{seconds:.1f} s")

    def power_off(self) -> None:
        """Switch the power off, suddenly."""
        self.subsystem.poweroff()
        self.ledger.off()
        self.note("power off", "subsystem.poweroff()")

    def power_on(self) -> float:
        """Switch the power on, and initialise the controller. Returns the seconds until it is ready."""
        self.switch_on()
        return self.reset()

    def switch_on(self) -> None:
        """Switch the power on, and leave the controller as it is."""
        self.note("power on", "subsystem.poweron()")
        self._forget_queues()
        self.subsystem.poweron()
        self.ledger.on()

    def power_cycle(self) -> float:
        """Lose the power, and come back. Returns the seconds until it is ready again."""
        self.power_off()
        return self.power_on()


def _dwords(given: dict[str, int]) -> Dwords:
    """Dwords 10 to 15, from ``cdw10`` to ``cdw15``."""
    cdw10, cdw11, cdw12, cdw13, cdw14, cdw15 = (given.get(f"cdw{number}", 0) for number in range(10, 16))
    return cdw10, cdw11, cdw12, cdw13, cdw14, cdw15
