# SPDX-License-Identifier: BSD-3-Clause
"""A finding comes with a script of a few lines that shows it, and shows nothing on a healthy drive."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import nvme as d
import pytest

from pynvme import failures
from pynvme.suite import Finding, reproduce
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command, Event
from pynvme.suite.outage import Outages
from pynvme.suite.reproduce import Step, alike, alone, body, minimize, steps_of, with_ranges
from pynvme.suite.traffic import MIX, Traffic, model_of
from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

ROOT = Path(__file__).parents[2]
LOAD = {"write": 50, "write_fua": 8, "flush": 8, "read": 8, "zeroes": 6, "trim": 5}


@pytest.fixture(autouse=True)
def failures_are_expected() -> Iterator[None]:
    """Take the failures of commands from the plugin, as the suite does."""
    before = failures._listener
    failures.listen(None)
    yield
    failures.listen(before)


def found(rules: Sequence[str], power: bool = False) -> Finding:
    """What random IO finds on a drive with these faults."""
    with VirtualSsd(size="64M", fault=list(rules)) as ssd:
        nvme0 = d.Controller(ssd.address)
        drive = Drive(nvme0, d.Subsystem(nvme0), 7, "a_test")
        model = model_of(drive)
        spaces = [(1000, 200), (5000, 64)]
        try:
            with pytest.raises(Finding) as caught:
                if power:
                    outages = Outages(drive, model, spaces, LOAD)
                    for _ in range(40):
                        outages.cut(60)
                else:
                    traffic = Traffic(drive, model, spaces, MIX)
                    traffic.run(lambda: traffic.count > 20_000)
            reproduce.reproduce(caught.value, nvme0, 90)
        finally:
            drive.close()
            nvme0.pcie.close()
    return caught.value


def commands_of(script: str) -> list[str]:
    """The lines of a script that do something to the drive."""
    return script.partition("qpair, buf = ")[2].splitlines()[1:]


def run(script: str, tmp_path: Path, *words: str) -> str:
    """Run a script as a user does, and return what it says."""
    file = tmp_path / "finding.py"
    file.write_text(script)
    folders = [str(Path(d.__file__).parent), str(ROOT), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, str(file), *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("rules", "power"),
    [
        (["opcode=write do set slba[63:12]=0"], False),
        (["opcode=read writes>=3 do older"], False),
        (["opcode=dataset-management do round=8"], False),
        (["opcode=flush do skip"], True),
        (["opcode=write bytes<4096 every=7 do neighbours=4096 with=zeroes"], False),
    ],
    ids=lambda value: value[0].replace(" ", "-") if isinstance(value, list) else "",
)
def test_a_planted_bug_gives_a_short_script(rules: list[str], power: bool, tmp_path: Path) -> None:
    finding = found(rules, power)
    assert finding.reproduced.startswith("on a new drive"), (finding.reproduced, str(finding))
    lines = [line for line in commands_of(finding.script) if line.strip()]
    assert 1 <= len(lines) <= 12, finding.script
    said = run(finding.script, tmp_path)
    assert "ERROR status" in said, finding.script + said
    with VirtualSsd(size="64M") as healthy:
        assert run(finding.script, tmp_path, healthy.address) == "", finding.script


@pytest.mark.parametrize(
    "first, second",
    [
        pytest.param(
            "opcode=write", "opcode=write bytes<8192 do neighbours=4096 with=zeroes", marks=pytest.mark.slow
        ),
        ("opcode=flush", "opcode=write do torn=256"),
    ],
    ids=["two writes", "a flush and a write"],
)
def test_a_bug_of_two_commands_in_flight_has_a_script_with_two_in_flight(
    first: str, second: str, tmp_path: Path
) -> None:
    finding = found([f"name=first {first} do late=1500us", f"since=rule:first within=1400us {second}"])
    assert finding.reproduced.startswith("on a new drive"), (finding.reproduced, str(finding))
    lines = [line.strip() for line in commands_of(finding.script)]
    assert any("(qpair" in line and "waitdone" not in line for line in lines), finding.script
    assert "qpair.waitdone(2)" in lines and len(lines) <= 16, finding.script
    with VirtualSsd(size="64M") as healthy:
        assert run(finding.script, tmp_path, healthy.address) == "", finding.script


def flying(opcode: int, slba: int, flies: bool = True) -> Step:
    """A command of one LBA that was in flight when the next one was sent."""
    (step,) = steps_of([Command(1, opcode, 1, (slba, 0, 0, 0, 0, 0))], [1])
    return step._replace(flies=flies)


def test_commands_are_in_flight_where_they_were_but_not_to_the_same_lbas() -> None:
    write, other, read = flying(1, 5), flying(1, 6), flying(2, 5)
    assert body([write, other, read]) == [
        "ns[1].write(qpair, bufs[0], 0x5, 1)",
        "ns[1].write(qpair, bufs[1], 0x6, 1)",
        "qpair.waitdone(2)",
        "ns[1].read(qpair, buf, 0x5, 1).waitdone()",
    ]
    assert body(alone([write, other])) == [
        "ns[1].write(qpair, buf, 0x5, 1).waitdone()",
        "ns[1].write(qpair, buf, 0x6, 1).waitdone()",
    ]
    event = Step(("nvme0.reset()",))
    assert body([write, event]) == ["ns[1].write(qpair, buf, 0x5, 1).waitdone()", "nvme0.reset()"]
    many = body([flying(1, lba) for lba in range(40)])
    assert [line for line in many if "waitdone" in line] == [
        "qpair.waitdone(16)", "qpair.waitdone(16)", "qpair.waitdone(8)"
    ]  # fmt: skip


def test_what_was_in_flight_is_known_from_the_times() -> None:
    first, second, third = (Command(1, 1, 1, (lba, 0, 0, 0, 0, 0)) for lba in (5, 6, 7))
    first.at, first.done_at = 1.0, 2.5
    second.at, second.done_at = 2.0, 2.6
    third.at = 3.0
    assert [step.flies for step in steps_of([first, second, third], [1])] == [True, False, False]
    second.done_at = 0.0  # it had not completed when the test ended
    assert [step.flies for step in steps_of([first, second, third], [1])] == [True, True, False]


def test_what_a_new_drive_does_not_show_is_said() -> None:
    with VirtualSsd(size="64M") as ssd:
        nvme0 = d.Controller(ssd.address)
        drive = Drive(nvme0, d.Subsystem(nvme0), 7, "a_test")
        drive.io(1, d.Buffer(512), 5)
        finding = drive.finding("a clause", "one", "another", [5])
        reproduce.reproduce(finding, nvme0, 5)
        drive.close()
        nvme0.pcie.close()
    assert finding.reproduced.startswith("no: ")
    assert "write(qpair, buf, 0x5, 1)" in finding.script


def test_the_search_ends_in_time_and_can_be_switched_off() -> None:
    items = list(range(10_000))
    checks = itertools.count()
    assert 7 in minimize(items, lambda rest: 7 in rest, lambda: next(checks) > 10)
    assert next(checks) < 30
    finding = Finding("a clause", "one", "another")
    reproduce.reproduce(finding, None, 0)
    assert finding.reproduced == ""


def test_slow_steps_are_not_repeated_for_longer_than_the_search_may_take() -> None:
    """Each step may wait for a command that does not come, and a failure is tried 120 times in a row."""
    with VirtualSsd(size="64M", fault=["opcode=read do late=100ms"]) as ssd:
        player = reproduce.Player(reproduce.NewDrives(ssd), [1])
        slow = Step(("ns[1].read(qpair, buf, 5, 1).waitdone()",))
        start = time.monotonic()
        assert reproduce.Shrinker(player, 0.5).surely([slow] * 2) == []
        assert time.monotonic() - start < 8 or loaded(), "24 s without an end"
        player.drives.close()


def test_delta_debugging_leaves_what_is_needed() -> None:
    rng = random.Random(1)
    for _ in range(50):
        items = list(range(rng.randrange(1, 400)))
        needed = set(rng.sample(items, min(len(items), rng.randrange(1, 5))))
        assert set(minimize(items, lambda rest, needed=needed: needed <= set(rest), lambda: False)) == needed


def test_a_repeated_step_becomes_a_loop() -> None:
    one, two = Step(("a()", "b()")), Step(("c()",))
    assert body([two, one, one, two]) == ["c()", "for _ in range(2):", "    a()", "    b()", "c()"]
    assert body([one, two] * 3) == ["for _ in range(3):", "    a()", "    b()", "    c()"]
    assert body([one, two]) == ["a()", "b()", "c()"]
    first, second = Step(("r(1)",), 2), Step(("r(2)",), 2)
    assert alike([first, two, second], 2) == [second, two, second]


def test_a_deallocation_has_fewer_ranges() -> None:
    command = Command(1, 9, 1, (2, 4, 0, 0, 0, 0))
    command.ranges = [(1, 2), (5, 6), (9, 1)]
    (step,) = steps_of([command], [1])
    assert with_ranges(step, step.ranges) == step
    assert with_ranges(step, [(5, 6)]).lines == (
        "buf.set_dsm_range(0, 0x5, 6)",
        "first.send_cmd(0x9, qpair, buf, nsid=0x1, cdw11=0x4).waitdone()",
    )


def test_events_in_a_row_are_one_step() -> None:
    read = Command(1, 2, 1, (5, 0, 0, 0, 0, 0))
    steps = steps_of([Event("off", "off()"), Event("on", "on()", "q()"), read, Event("mute")], [1])
    line = "ns[1].read(qpair, buf, 0x5, 1).waitdone()"
    assert steps == [Step(("off()", "on()", "q()")), Step((line,), 2, ((5, 1),))]


def test_the_report_has_the_script(tmp_path: Path) -> None:
    report = tmp_path / "report"
    rule = "vssd:fault=opcode=read nlb<3 every=5 do fill=0 at=0 size=512"
    done = subprocess.run(
        [sys.executable, "-m", "pynvme", "check", "--pciaddr", rule, "--time", "1s", "--report", str(report),
         "hot_overwrites"],
        cwd=ROOT, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = [json.loads(line) for line in report.read_text().splitlines()]
    assert line["finding"]["reproduced"].startswith("on a new drive")
    assert "fault=['opcode=read" in line["finding"]["script"] and "do fill=0" in line["finding"]["script"]
    assert "reproduced: on a new drive" in done.stdout
