# SPDX-License-Identifier: BSD-3-Clause
"""Shrinks the run that found something to a script of a few lines that shows it again.

The commands and resets of the test are *steps*. They are repeated on a drive of the same kind, which for a
virtual SSD is a new one with the same options and fault rules, and else the drive itself. If the failure is
there again, delta debugging leaves steps out as long as it stays. Without a mismatch of the driver's own
verification, the failure is that a step ends otherwise than on a virtual SSD without fault rules.

Steps are repeated one at a time at first, and if they do not show the failure, with commands in flight where
they were in flight in the test.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from types import CodeType
from typing import Any, Callable, NamedTuple, TypeVar, Union

import nvme

from pynvme import failures
from pynvme.spec import IoOpcode
from pynvme.suite.finding import Finding
from pynvme.suite.history import Command, Entry, Event
from pynvme.vssd import VirtualSsd, VirtualSsdError, options

SECONDS = 20.0
"""How long shrinking may take by default."""

TIMEOUT_MS = 1000
"""The time-out of commands that are repeated. Those of a drive that hangs are awaited often."""

READS = frozenset({IoOpcode.READ, IoOpcode.COMPARE, IoOpcode.VERIFY})
QUEUE_ENTRIES = 64
LONGEST_LOOP = 12
LOOPS, LOOPS_WITH_EVENTS = 120, 4
"""How often a few commands are repeated, to find a failure that does not come each time."""
TRIES = 3
"""How often steps that depend on the moment are tried."""
NEAR = 16
"""LBAs between a wrong one and others that may have to do with it."""
LONGEST_TAIL = 20_000
FLIGHT = 16
"""The most commands that a script has in flight."""

_Item = TypeVar("_Item")

# The script

_BUFFERS = "bufs = [d.Buffer(1 << 20, ptype=0xbeef, pvalue=100) for _ in range({count})]\n"

_BEGIN = """\
ns = {{nsid: d.Namespace(nvme0, nsid) for nsid in {nsids}}}
first, subsystem, pcie = ns[{first}], d.Subsystem(nvme0), nvme0.pcie
qpair, buf = d.Qpair(nvme0, {entries}), d.Buffer(1 << 20, ptype=0xbeef, pvalue=100)
"""

_ON_A_DRIVE = """\
import sys
import nvme as d

nvme0 = d.Controller(sys.argv[1] if sys.argv[1:] else {address!r})
"""

_ON_A_NEW_DRIVE = """\
import sys
import nvme as d
from pynvme.vssd import VirtualSsd

ssd = VirtualSsd({options})
nvme0 = d.Controller(sys.argv[1] if sys.argv[1:] else ssd.address)
"""


_SEND = re.compile(r"\(.*qpair.*\)\.waitdone\(\)$", re.MULTILINE)
_BUFFER = re.compile(r"\bbuf\b")
_WAIT = ".waitdone()"
DSM_RANGE = "set_dsm_range"


class Step(NamedTuple):
    """What a test did at once: a command, or events that belong together, such as a reset."""

    lines: tuple[str, ...]
    opcode: int = -1
    """Of an IO command with a range."""
    ranges: tuple[tuple[int, int], ...] = ()
    """First LBA and number of LBAs of each range that it names."""
    flies: bool = False
    """Whether it was in flight when the next command was sent."""

    @property
    def is_io(self) -> bool:
        """Whether it is one IO command, which may be in flight with others."""
        return len(_SEND.findall("\n".join(self.lines))) == 1

    def in_flight(self, waiting: int, flies: bool) -> tuple[str, ...]:
        """Its lines while a number of commands are in flight, and whether it stays in flight with them."""
        if not waiting and not flies:
            return self.lines
        *before, command = (_BUFFER.sub(f"bufs[{waiting}]", line) for line in self.lines)
        sent = command[: -len(_WAIT)]
        return (*before, sent) if flies else (*before, sent, f"qpair.waitdone({waiting + 1})")

    def touches(self, other: Step, margin: int = 0) -> bool:
        """Whether both name the same LBAs, or some that are not farther apart than a margin."""
        return any(
            slba < first + count + margin and first < slba + nlb + margin
            for slba, nlb in self.ranges
            for first, count in other.ranges
        )


def steps_of(entries: Iterable[Entry], nsids: Sequence[int]) -> list[Step]:
    """The steps of a history. Events without a command between them are one step."""
    steps: list[Step] = []
    for is_event, group in itertools.groupby(entries, lambda entry: isinstance(entry, Event)):
        parts = [(entry, tuple(entry.script(nsids))) for entry in group]
        if is_event:
            steps.append(Step(tuple(line for _, lines in parts for line in lines)))
            continue
        for (entry, lines), following in itertools.zip_longest(parts, parts[1:]):
            assert isinstance(entry, Command)
            if entry.opcode == IoOpcode.COMPARE and entry.has_range:
                # The script does not have the data that the test has compared with, but the drive has.
                lines = (*(line.replace(".compare(", ".read(") for line in lines), *lines)
            ranges = [(entry.slba, entry.nlb)] if entry.has_range else entry.ranges
            flies = following is not None and entry.qid > 0 and entry.in_flight_at(following[0].at)
            steps.append(Step(lines, entry.opcode if entry.has_range else -1, tuple(ranges), flies))
    return [step for step in steps if step.lines]


def with_ranges(step: Step, ranges: Sequence[tuple[int, int]]) -> Step:
    """The same Dataset Management with other ranges."""
    lines = [f"buf.{DSM_RANGE}({number}, {slba:#x}, {nlb})" for number, (slba, nlb) in enumerate(ranges)]
    command = re.sub(r", cdw10=0x[0-9a-f]+", "", step.lines[-1])
    if len(ranges) > 1:
        command = command.replace(", cdw11", f", cdw10={len(ranges) - 1:#x}, cdw11")
    return step._replace(lines=(*lines, command), ranges=tuple(ranges))


def alone(steps: Iterable[Step]) -> list[Step]:
    """The same steps, but each waits for its end."""
    return [step._replace(flies=False) if step.flies else step for step in steps]


def lines_of(steps: Sequence[Step]) -> Iterator[tuple[str, ...]]:
    """The lines of each step.

    A command stays in flight if it did in the test, and if the next step is a command to other LBAs than
    those of all that are in flight. Otherwise, what a read has to find would not be known.
    """
    flying: list[Step] = []
    for step, following in itertools.zip_longest(steps, steps[1:]):
        both = [*flying, step]
        flies = (
            step.flies
            and following is not None
            and len(both) < FLIGHT
            and step.is_io
            and following.is_io
            and not any(following.touches(one) for one in both)
        )
        yield step.in_flight(len(flying), flies)
        flying = both if flies else []


def body(steps: Sequence[Step]) -> list[str]:
    """The lines of steps, with a loop where some of them are repeated."""
    parts = list(lines_of(steps))
    lines: list[str] = []
    at = 0
    while at < len(parts):
        length, count = _repetition(parts, at)
        if count > 1:
            lines.append(f"for _ in range({count}):")
        for part in parts[at : at + length]:
            lines += [f"    {line}" if count > 1 else line for line in part]
        at += length * count
    return lines


def _repetition(steps: Sequence[tuple[str, ...]], at: int) -> tuple[int, int]:
    """How many steps from one on are repeated, and how often, so that a loop saves the most steps."""
    best = 1, 1
    for length in range(1, LONGEST_LOOP + 1):
        block = steps[at : at + length]
        count = 1
        while len(block) == length and steps[at + count * length : at + (count + 1) * length] == block:
            count += 1
        if length * (count - 1) > best[0] * (best[1] - 1):
            best = length, count
    return best


# Drives


class Outcome(NamedTuple):
    """How steps ended, without those that succeeded."""

    failed: tuple[tuple[int, str], ...]
    """Steps by their number, and the status, exception or other failure of each."""
    mismatch: int
    """The first step in which the driver's verification found wrong data, or -1."""


class NewDrives:
    """Virtual SSDs like one that runs, one with its fault rules and one without.

    They are used again, with the rules planted anew and their data unknown, since that is faster than a new
    process.

    Args:
        ssd: the one that runs
    """

    def __init__(self, ssd: VirtualSsd) -> None:
        with VirtualSsd() as plain:
            usual = plain.options()
        shown = options()
        unwanted = {"dir", "file", "temporary", "owner_fd", "ready_fd", "serial", "fault", "faults", "cpu"}
        self.options: dict[str, Any] = {
            name: (True if not shown[name].takes else value)
            for name, value in ssd.options().items()
            if name in shown and name not in unwanted and value != usual.get(name)
        }
        self.rules = [rule.text for rule in ssd.faults()]
        self._running: dict[bool, tuple[VirtualSsd, nvme.Controller]] = {}

    def script(self) -> str:
        """The lines that start such a drive, and open it."""
        given = [f"{name}={value!r}" for name, value in self.options.items()]
        if self.rules:
            given.append(f"fault={self.rules!r}")
        return _ON_A_NEW_DRIVE.format(options=", ".join(given))

    def _start(self, healthy: bool) -> nvme.Controller:
        rules = [] if healthy else self.rules
        ssd = VirtualSsd(**self.options, fault=rules or None)
        nvme0 = nvme.Controller(ssd.address)
        self._running[healthy] = ssd, nvme0
        return nvme0

    def _again(self, healthy: bool) -> nvme.Controller:
        ssd, nvme0 = self._running[healthy]
        ssd.clear_faults()
        ssd.power(True)
        nvme0.reset()
        if self.rules and not healthy:
            ssd.fault(*self.rules)
        return nvme0

    def _stop(self, healthy: bool) -> None:
        if healthy in self._running:
            ssd, nvme0 = self._running.pop(healthy)
            with contextlib.suppress(Exception):
                nvme0.pcie.close()
            ssd.close()

    @contextlib.contextmanager
    def open(self, healthy: bool = False, new: bool = False) -> Iterator[nvme.Controller]:
        """One with the faults or without. ``new``: in its state after the start."""
        if new or healthy not in self._running:
            self._stop(healthy)
            yield self._start(healthy)
            return
        try:
            nvme0 = self._again(healthy)
        except Exception:
            self._stop(healthy)
            nvme0 = self._start(healthy)
        yield nvme0

    def close(self) -> None:
        """End all of them."""
        for healthy in (False, True):
            self._stop(healthy)


class TheDrive:
    """The drive under test itself.

    Args:
        nvme0: its controller
        address: of the drive
    """

    def __init__(self, nvme0: nvme.Controller, address: str) -> None:
        self._nvme0 = nvme0
        self._address = address

    def script(self) -> str:
        """The lines that open it."""
        return _ON_A_DRIVE.format(address=self._address)

    def close(self) -> None:
        """Do nothing: others use it."""

    @contextlib.contextmanager
    def open(self, healthy: bool = False, new: bool = False) -> Iterator[nvme.Controller]:
        """The drive after a reset."""
        before = self._nvme0.timeout
        self._nvme0.reset()
        try:
            yield self._nvme0
        finally:
            self._nvme0.timeout = before
            self._nvme0.reset()


Drives = Union[NewDrives, TheDrive]


@contextlib.contextmanager
def _failures() -> Iterator[list[failures.Failure]]:
    """What the driver warns of, which nobody else hears."""
    heard: list[failures.Failure] = []
    before, counted = failures._listener, failures.totals.copy()
    failures.listen(lambda failure, _: heard.append(failure))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield heard
    finally:
        failures.listen(before)
        failures.totals.clear()
        failures.totals.update(counted)


class Player:
    """Repeats steps on drives of a kind.

    Args:
        drives: the kind
        nsids: namespaces that the steps use
    """

    def __init__(self, drives: Drives, nsids: Sequence[int]) -> None:
        self.drives = drives
        self._begin = _BEGIN.format(nsids=list(nsids), first=nsids[0], entries=QUEUE_ENTRIES)
        self._codes: dict[tuple[str, ...], CodeType] = {}

    def script(self, steps: Sequence[Step]) -> str:
        """A script of these steps, as a user may run it."""
        lines = body(steps)
        return self.drives.script() + self.begin(lines) + "\n".join(["", *lines])

    def begin(self, lines: Iterable[str]) -> str:
        """The lines before these, which make the objects that they use."""
        used = [int(number) for line in lines for number in re.findall(r"bufs\[(\d+)\]", line)]
        return (_BUFFERS.format(count=max(used) + 1) if used else "") + self._begin

    def _code(self, lines: tuple[str, ...]) -> CodeType:
        if lines not in self._codes:
            self._codes[lines] = compile("\n".join(lines), "<step>", "exec")
        return self._codes[lines]

    def play(
        self, steps: Sequence[Step], healthy: bool = False, new: bool = False, until: float = math.inf
    ) -> Outcome:
        """Execute steps up to an exception, on a drive with the faults or without, or on a new one.

        until: a time of time.monotonic(), after which no further step begins.
        """
        failed: list[tuple[int, str]] = []
        mismatch = -1
        parts = list(lines_of(steps))
        with _failures() as heard:
            try:
                with self.drives.open(healthy, new) as nvme0:
                    names: dict[str, Any] = {"d": nvme, "nvme0": nvme0}
                    exec(self.begin(itertools.chain(*parts)), names)
                    for namespace in names["ns"].values():
                        namespace.verify_forget()
                    nvme0.timeout = TIMEOUT_MS
                    for number, lines in enumerate(parts):
                        if time.monotonic() > until:
                            break
                        heard.clear()
                        try:
                            exec(self._code(lines), names)
                        finally:
                            failed += [(number, failure.name) for failure in heard]
                            if mismatch < 0 and any(one.kind == failures.MISMATCH for one in heard):
                                mismatch = number
            except Exception as error:
                failed.append((len(steps), type(error).__name__))
        return Outcome(tuple(failed), mismatch)


# Shrinking


def minimize(
    items: Sequence[_Item], holds: Callable[[Sequence[_Item]], bool], spent: Callable[[], bool]
) -> list[_Item]:
    """As few of the items as possible with which something holds (delta debugging)."""
    left, parts = list(items), 2
    if not left or (not spent() and holds([])):
        return []
    while len(left) > 1 and not spent():
        size = -(-len(left) // parts)
        pieces = [left[start : start + size] for start in range(0, len(left), size)]
        smaller = next((piece for piece in pieces if not spent() and holds(piece)), None)
        if smaller is not None:
            left, parts = smaller, 2
            continue
        others = ([*itertools.chain(*pieces[:i], *pieces[i + 1 :])] for i in range(len(pieces)))
        smaller = next((rest for rest in others if parts > 2 and not spent() and holds(rest)), None)
        if smaller is not None:
            left, parts = smaller, max(parts - 1, 2)
        elif size == 1:
            break
        else:
            parts = min(2 * parts, len(left))
    return left


def alike(steps: Sequence[Step], opcode: int) -> list[Step]:
    """The same steps, but all commands of an opcode are as the last one."""
    last = [step for step in steps if step.opcode == opcode][-1]
    return [last if step.opcode == opcode else step for step in steps]


class Shrinker:
    """Shrinks the run of a finding within a time.

    Args:
        player: repeats steps
        seconds: the time
    """

    def __init__(self, player: Player, seconds: float) -> None:
        self._player = player
        self._begun = time.monotonic()
        self._seconds = seconds
        self._until = self._begun + 2 * seconds
        """When steps end that are being repeated: each may take as long as a command that times out."""
        self.needs_mismatch = False
        """Whether the whole run had a mismatch. Then a part of it must have one."""

    def spent(self) -> bool:
        """Whether the time is over."""
        return self.seconds > self._seconds

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.monotonic() - self._begun

    def fails_at(self, steps: Sequence[Step], new: bool = False) -> int:
        """The step that shows the failure, or -1."""
        outcome = self._player.play(steps, new=new, until=self._until)
        if outcome.mismatch >= 0 or self.needs_mismatch:
            return outcome.mismatch
        if not outcome.failed or not isinstance(self._player.drives, NewDrives):
            return -1
        usual = set(self._player.play(steps, healthy=True, new=new, until=self._until).failed)
        return next((number for number, name in outcome.failed if (number, name) not in usual), -1)

    def shows(self, steps: Sequence[Step]) -> bool:
        """Whether these steps show the failure. It may need several tries if commands are in flight."""
        tries = TRIES if any(step.flies for step in steps) else 1
        return bool(steps) and any(self.fails_at(steps) >= 0 for _ in range(tries))

    def surely(self, steps: Sequence[Step]) -> list[Step]:
        """The steps if they show the failure on a new drive, or repeated until they do. Or nothing."""
        for times in (1, LOOPS):
            at = self.fails_at([*steps] * times, new=True)
            if at >= 0:
                return ([*steps] * times)[: at + 1]
        return []

    def start(self, runs: Iterable[Sequence[Step]]) -> list[Step]:
        """The first of these runs that shows it, up to the step that does, or nothing."""
        for steps in both_ways(runs):
            if self.spent():
                break
            at = self.fails_at(steps, new=True) if steps else -1
            if at >= 0:
                again = self._player.play(steps[: at + 1], new=True, until=self._until)
                self.needs_mismatch = again.mismatch >= 0
                return list(steps[: at + 1])
        return []

    def loop(self, steps: Sequence[Step]) -> list[Step]:
        """A few changes near the LBAs of the last step, repeated with it until it fails. Or nothing."""
        last = steps[-1]
        changes = [step for step in steps[:-1] if step.ranges and step.opcode not in READS]
        wanted = [step for step in changes if step.touches(last)][-2:]
        wanted += [step for step in changes if step.touches(last, NEAR)][-5:]
        near = [step for step in changes if step in wanted]
        written = [step for step in changes if step.opcode == IoOpcode.WRITE and step.touches(last)][-1:] * 2
        alone = [step for step in steps[:-1] if not step.ranges][-2:]
        both = [step for step in steps[:-1] if step in near or step in alone][-LONGEST_LOOP:]
        for some, times in ((written, LOOPS), (near, LOOPS), (both, LOOPS_WITH_EVENTS)):
            found = self._repeated(some, last, times)
            if found:
                return found
        return []

    def guess(self, runs: Iterable[Sequence[Step]]) -> list[Step]:
        """A loop of a few commands, for runs that do not show the failure when they are repeated. Or nothing.

        Some failures come with each Nth command only, and the order of a run is not the same again. The first
        run has the commands to the wrong LBAs alone, and one to their neighbours may have done it.
        """
        reader: tuple[str, ...] = ()
        for steps in both_ways(runs):
            places = [
                number
                for number, step in enumerate(steps)
                if step.opcode in READS and reader in ((), step.lines)
            ]
            if not places:
                continue
            reader = steps[places[-1]].lines
            found = self.loop(steps[: places[-1] + 1])
            if found:
                return found
        return []

    def _repeated(self, some: Sequence[Step], last: Step, times: int) -> list[Step]:
        def shows(few: Sequence[Step]) -> bool:
            return self.shows([*few, last] * times)

        if not some or self.spent() or not shows(some):
            return []
        block = [*minimize(some, shows, self.spent), last]
        block = [self._with_few_ranges(step, block, times) for step in block]
        at = self.fails_at(block * times, new=True)
        return (block * times)[: at + 1] if at >= 0 else []

    def _with_few_ranges(self, step: Step, block: Sequence[Step], times: int = 1) -> Step:
        """The same Dataset Management with as few ranges as show the failure, or another step as it is."""
        if len(step.ranges) < 2 or DSM_RANGE not in step.lines[0]:
            return step

        def shows(ranges: Sequence[tuple[int, int]]) -> bool:
            one = with_ranges(step, ranges)
            return bool(ranges) and self.shows([one if other is step else other for other in block] * times)

        return with_ranges(step, minimize(step.ranges, shows, self.spent) or step.ranges)

    def shrink(self, steps: Sequence[Step]) -> list[Step]:
        """A part of the steps that shows it, in which equal commands are equal where they can.

        The steps that name the same LBAs as the last one stay at first: few others are needed with them.
        """
        looped = self.loop(steps)
        if looped:
            return looped
        last = steps[-1]
        numbers = range(len(steps) - 1)
        core = [number for number in numbers if steps[number].touches(last)]
        others = [number for number in numbers if number not in set(core)]

        def part(*lists: Sequence[int]) -> list[Step]:
            return [steps[number] for number in sorted(itertools.chain(*lists))] + [last]

        others = minimize(others, lambda some: self.shows(part(core, some)), self.spent)
        core = minimize(core, lambda some: self.shows(part(some, others)), self.spent)
        others = minimize(others, lambda some: self.shows(part(core, some)), self.spent)
        left = part(core, others)
        for opcode in sorted({step.opcode for step in left if step.opcode >= 0}):
            same = alike(left, opcode)
            if same != left and not self.spent() and self.shows(same):
                left = same
        left = self._with_few_in_flight(left)
        return [self._with_few_ranges(step, left) for step in left]

    def _with_few_in_flight(self, steps: Sequence[Step]) -> list[Step]:
        """The same steps, of which as few as show the failure are in flight when the next one is sent."""

        def only(numbers: Sequence[int]) -> list[Step]:
            return [step._replace(flies=number in numbers) for number, step in enumerate(steps)]

        flying = [number for number, step in enumerate(steps) if step.flies]
        return only(minimize(flying, lambda some: self.shows(only(some)), self.spent))


def both_ways(runs: Iterable[Sequence[Step]]) -> Iterator[Sequence[Step]]:
    """Each run one step at a time, and then, if that is not the same, as it was in the test."""
    for steps in runs:
        yield alone(steps)
        if any(step.flies for step in steps):
            yield steps


def runs_of(finding: Finding, nsids: Sequence[int]) -> Iterator[list[Step]]:
    """Parts of the history in which the failure may be, the small ones first."""
    assert finding.history is not None
    whole = list(finding.history)[-LONGEST_TAIL:]
    if finding.lbas:
        yield steps_of(finding.history.about(finding.lbas, len(whole)), nsids)
    for count in (100, 1000, LONGEST_TAIL):
        yield steps_of(whole[-count:], nsids)
        if count >= len(whole):
            break


def script(nvme0: nvme.Controller, nsids: Sequence[int], entries: Iterable[Entry]) -> str:
    """A script that sends the same commands to the drive under test."""
    address = nvme0.addr.decode() if isinstance(nvme0.addr, bytes) else str(nvme0.addr)
    return Player(TheDrive(nvme0, address), nsids).script(steps_of(entries, nsids))


def drives_of(nvme0: nvme.Controller) -> Drives:
    """The kind of the drive under test."""
    address = nvme0.addr.decode() if isinstance(nvme0.addr, bytes) else str(nvme0.addr)
    try:
        return NewDrives(VirtualSsd.attach(address))
    except VirtualSsdError:
        return TheDrive(nvme0, address)


def reproduce(finding: Finding, nvme0: nvme.Controller, seconds: float = SECONDS) -> None:
    """Put a short script into a finding if one is found within some seconds, and say how it went."""
    if finding.history is None or seconds <= 0:
        return
    nsids = finding.nsids or [1]
    player = Player(drives_of(nvme0), nsids)
    try:
        _reproduce(finding, player, Shrinker(player, seconds), runs_of(finding, nsids))
    finally:
        player.drives.close()


def _reproduce(finding: Finding, player: Player, shrinker: Shrinker, runs: Iterable[Sequence[Step]]) -> None:
    where = "a new drive" if isinstance(player.drives, NewDrives) else "this drive"
    parts = list(runs)
    steps = shrinker.start(parts)
    shrunk = shrinker.shrink(steps) if steps else shrinker.guess(parts)
    if not shrunk:
        finding.reproduced = f"no: its commands do not show it on {where}, so the script is only their tail"
        return
    if steps:
        shrunk = shrinker.surely(shrunk) or steps
    finding.script = player.script(shrunk)
    finding.reproduced = (
        f"on {where}; {len(steps or parts[0])} steps were shrunk to {len(shrunk)} in {shrinker.seconds:.1f} s"
    )
