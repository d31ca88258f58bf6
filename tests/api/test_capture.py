# SPDX-License-Identifier: BSD-3-Clause
"""A capture of a run has each command of each queue once, tshark reads it, and each latency is exact."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nvme
import pytest

from pynvme import trace
from pynvme.trace import Command, option, packets, spool

TSHARK = shutil.which("tshark")
FIELDS = ("frame.time_epoch", "_ws.malformed", "tcp.analysis.flags", "nvme.cmd_latency", "frame.comment")
READS, SLOWEST = 300, 20_000


def tshark(file: Path) -> list[dict[str, str]]:
    assert TSHARK
    line = [TSHARK, "-r", str(file), "-T", "fields", *(word for field in FIELDS for word in ("-e", field))]
    done = subprocess.run(line, check=True, capture_output=True, text=True, timeout=300)
    return [dict(zip(FIELDS, row.split("\t"))) for row in done.stdout.splitlines()]


def key(command: Command) -> tuple[Any, ...]:
    return command.qid, command.cid, command.opcode, command.nsid, command.cdw0, tuple(command.fields.items())


def when(command: Command) -> int:
    return command.submitted_ns


class Run:
    """What a script sends while it is captured, and what its logs have."""

    def __init__(self, nvme0: Any, nvme0n1: Any, file: Path) -> None:
        buf = nvme.Buffer(4096)
        before = len(nvme0.cmdlog_list())
        with trace.capture(file) as nothing:
            pass
        self.open_already = nothing.counts.queues
        """The admin queue of the drive, and queues of other tests' drives."""
        with trace.capture(file, worker_commands=0) as self.capture:
            first = nvme.Qpair(nvme0, 8)
            for lba in range(READS):
                nvme0n1.read(first, buf, lba).waitdone()
            with pytest.warns(UserWarning, match="ERROR status: 00/80"):
                nvme0n1.read(first, buf, 1 << 50).waitdone()
            self.log = first.cmdlog_list()
            first.delete()
            self.capture.mark("the second queue")
            second = nvme.Qpair(nvme0, 8)
            nvme0n1.read(second, buf, 0).waitdone()
            nvme0.identify(buf).waitdone()
            self.log += second.cmdlog_list()
            worker = nvme0n1.ioworker(io_count=SLOWEST // 10, io_size=8, region_end=1 << 16).start()
            assert worker.close().error == 0
            self.log += worker.cmdlog_list()
            second.delete()
            self.log += nvme0.cmdlog_list()[before:]
        self.again = trace.load(file)


@pytest.fixture
def sent(nvme0: Any, nvme0n1: Any, tmp_path: Path) -> Run:
    return Run(nvme0, nvme0n1, tmp_path / "run.pcapng")


@pytest.mark.needs_engine("cids")  # SPDK uses a CID again before the worker has logged its completion
def test_each_command_of_each_queue_is_there_once(sent: Run, tmp_path: Path) -> None:
    counts = sent.capture.counts
    assert (counts.queues, counts.sent, counts.skipped) == (sent.open_already + 3, len(sent.log), 0)
    assert counts.written + counts.lost == counts.sent and len(sent.again) == counts.written
    if counts.lost == counts.half == 0:  # unless the machine is too busy for the thread
        assert Counter(map(key, sent.again)) == Counter(map(key, sent.log))
        for qid in range(3):
            ours, theirs = (sorted(log.filter(qid=qid), key=when) for log in (sent.again, sent.log))
            for one, other in zip(ours, theirs):
                assert key(one) == key(other) and one.completed == other.completed
                assert abs((one.latency_ns or 0) - (other.latency_ns or 0)) <= 1
        assert str(counts) == f"{counts.sent:,} of {counts.sent:,} commands of {counts.queues} queues"
    (identify,) = sent.again.filter(qid=0, opcode=6, cns=1)
    assert identify.decode().mn == sent.log.filter(qid=0, opcode=6, cns=1)[-1].decode().mn
    assert list(tmp_path.iterdir()) == [tmp_path / "run.pcapng"]
    if TSHARK is None:
        pytest.skip("the rest needs tshark: `make test` installs it where the distribution has it")
    rows = tshark(tmp_path / "run.pcapng")
    assert all(row["_ws.malformed"] == row["tcp.analysis.flags"] == "" for row in rows)
    shown = sorted(round(float(row["nvme.cmd_latency"]) * 1e6) for row in rows if row["nvme.cmd_latency"])
    wanted = sorted(c.latency_ns or 0 for c in sent.again if c.completed)
    assert len(shown) == len(wanted) and all(abs(a - b) <= 1 for a, b in zip(shown, wanted))
    times = [row["frame.time_epoch"] for row in rows]
    assert times == sorted(times)
    comments = [row["frame.comment"] for row in rows if row["frame.comment"]]
    assert any("IO worker, queue " in one for one in comments) and any("00/80" in one for one in comments)
    assert sum(one.endswith("; the second queue") for one in comments) == 2


def test_a_capture_needs_a_name_that_fits_and_there_is_one_at_a_time(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must be named \.pcapng"):
        trace.capture(tmp_path / "run.trace")
    with pytest.raises(ValueError, match="must be 0 or more"):
        trace.capture(tmp_path / "run.pcapng", -1)
    already = pytest.raises(RuntimeError, match="a capture is running already")
    with trace.capture(tmp_path / "run.pcapng"), already, trace.capture(tmp_path / "other.pcapng"):
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["run.pcapng"]
    assert len(trace.load(tmp_path / "run.pcapng")) == 0


def test_what_a_process_that_was_killed_has_written_is_read(sent: Run, tmp_path: Path) -> None:
    about = spool._ABOUT.pack(3, 0, 0, 0) + b"drive"
    records = b"".join(c.raw for c in sent.log.filter(qid=sent.log[-1].qid))
    chunks = spool._CHUNK.pack(spool._QUEUE, 1, len(about)) + about
    chunks += spool._CHUNK.pack(spool._COMMANDS, 1, len(records)) + records
    count = len(records) // packets.DTYPE.itemsize
    for end, found in ((len(chunks), count), (len(chunks) - 1, 0)):
        (tmp_path / "a").write_bytes(chunks[:end])
        (queue,) = spool.read(str(tmp_path / "a"))
        made, counts = spool.source(queue, 1, b"\n\0\0\2", [])
        assert counts.written == counts.sent == found and len(made.records) == len(records) * (found > 0)


def test_a_run_of_several_processes_is_one_capture(pytester: Any, run: Any) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", range(4))
        def test_it(nvme0n1, qpair, buf, n):
            nvme0n1.write(qpair, buf, n).waitdone()
        """
    )
    result = run("--nvme-pcapng=out/run.pcapng", "-n2")
    result.assert_outcomes(passed=4)
    result.stdout.re_match_lines([r"out/run.pcapng: (\d+) of \1 commands of \d+ queues"])
    folder = pytester.path / "out"
    assert [one.name for one in folder.iterdir()] == ["run.pcapng"]
    log = trace.load(folder / "run.pcapng")
    assert sorted(c.slba for c in log.filter(opcode=1, nsid=1) if c.qid) == [0, 1, 2, 3]
    assert b"test_it[3]" in (folder / "run.pcapng").read_bytes()


@pytest.mark.parametrize(
    ("file", "most", "text"),
    [
        ("a.pcap", 0, "must be named .pcapng"),
        ("a.pcapng", -1, "must be 0 or more"),
        ("/proc/x/a.pcapng", 0, "/proc/x"),
    ],
)
def test_a_wrong_option_ends_the_run_at_once(tmp_path: Path, file: str, most: int, text: str) -> None:
    config: Any = SimpleNamespace(getoption=lambda name: most)
    with pytest.raises(pytest.UsageError, match=re.escape(text)):
        option._check(config, str(tmp_path / file))
