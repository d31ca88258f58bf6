# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme perf`` and ``pynvme trace``: fio's words, fio's summary, JSON by its schema, files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import nvme as d
import pytest
from click.testing import CliRunner

import pynvme.trace
from pynvme import perf
from pynvme.cli import main
from pynvme.vssd import VirtualSsd

SCHEMAS = Path(pynvme.__file__).parent / "schemas"
DRIVE = "vssd:name=perf,size=64M"


def run(*words: str, code: int = 0) -> str:
    """The output of a command."""
    done = CliRunner().invoke(main, list(words), prog_name="pynvme")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


def data(schema: str, *words: str, code: int = 0) -> dict:
    """The JSON of a command, which its schema allows."""
    text = run(*words, "--json", code=code)
    found = json.loads(text[text.index("{") :])
    jsonschema.validate(found, json.loads((SCHEMAS / f"{schema}.json").read_text()))
    return found


def test_zones_in_fios_words():
    drive = "vssd:name=perfzones,size=16M,zoned=1,zone_size=1M,zone_capacity=512K"
    words = ["--zonemode=zbd", "--bs=4k", "--iodepth=8", "--verify", "--yes"]
    more = ["--rw=randrw", "--zone_append=40", "--max_open_zones=3", "--runtime=300ms"]
    found = data(
        "perf", "perf", drive, *words, *more, "--zone-reset-threshold=0.1", "--zone-reset-frequency=0.1"
    )
    jobs = {job["op"]: job for job in found["jobs"]}
    assert list(jobs) == ["read", "write", "append"] and sum(job["ios"] for job in jobs.values()) > 0
    assert found["error"] == found["lba_mismatch"] == 0 and "zone_resets" in found
    trims = data("perf", "perf", drive, *words, "--rw=randtrim", "--runtime=100ms")["jobs"]
    assert [(job["op"], job["bytes"]) for job in trims] == [("trim", trims[0]["ios"] << 20)]
    assert "resets=" in run(
        "perf", drive, *words, "--rw=write", "--size=4m", "--zoneskip=1m", "--runtime=50ms"
    )
    run("perf", drive, "--rw=read", "--zonemode=strided", code=2)
    run("perf", drive, "--rw=read", *words, "--size=1536k", code=2)


@pytest.mark.parametrize(
    "words, prinfo, dword15",
    [
        ([], 0, 0),
        (["--pi_act=1"], 8, 0xFFFF1234),
        (["--pi_act=0", "--pi_chk=GUARD,REFTAG"], 5, 0xFFFF1234),
        (["--pi_chk=APPTAG", "--apptag=0x77", "--apptag_mask=0xff"], 10, 0x00FF0077),
    ],
)
def test_protection_information_in_fios_words(words, prinfo, dword15):
    """PRINFO is bits 29:26 of dword 12 (NVM 1.0, 3.2.6). fio's defaults are pi_act 1 and apptag 1234h."""
    ssd = VirtualSsd("16M", pi=1)
    more = ["--bs=4k", "--iodepth=4", "--size=256k", "--runtime=100ms", "--verify", "--yes", *words]
    with (
        ssd.fault("opcode=write do late=1us") as writes,
        ssd.fault(f"opcode=write cdw12[29:26]={prinfo} cdw15={dword15:#x} do late=1us") as right,
    ):
        found = data("perf", "perf", ssd.address, "--rw=write", *more)
        assert (found["error"], right.matched) == (0, writes.matched)
        assert writes.matched > 0
    found = data("perf", "perf", ssd.address, "--rw=randread", *more)
    assert (found["error"], found["lba_mismatch"]) == (0, 0)
    ssd.close()


def test_wrong_words_of_protection_information():
    assert "leave out pi" in run("perf", DRIVE, "--pi_act=1", "--runtime=50ms", code=2)
    drive = "vssd:size=16M,pi=1"
    assert "GARD" in run("perf", drive, "--pi_chk=GARD", "--runtime=50ms", code=2)
    assert "md_per_io_size must be at least 64 bytes, not 63" in run(
        "perf", drive, "--pi_act=0", "--md_per_io_size=63", "--runtime=50ms", code=1
    )


def test_the_figures_of_a_mix_agree_with_each_other():
    words = [
        "--rw=randrw",
        "--rwmixread=75",
        "--bs=8k",
        "--iodepth=8",
        "--runtime=300ms",
        "--size=16m",
        "--verify",
    ]
    found = data("perf", "perf", DRIVE, *words)
    reads, writes = found["jobs"]
    assert (reads["op"], writes["op"]) == ("read", "write") and found["error"] == 0
    assert reads["ios"] / (reads["ios"] + writes["ios"]) == pytest.approx(0.75, abs=0.08)
    for job in (reads, writes):
        assert job["bytes"] == 8192 * job["ios"] and job["iops"] == pytest.approx(
            job["ios"] / found["seconds"]
        )
        latency = job["latency_ns"]
        values = list(latency["percentile"].values())
        assert latency["min"] <= values[0] and values == sorted(values) and values[-1] <= latency["max"]
        assert latency["min"] <= latency["mean"] <= latency["max"]
    assert found["lba_verified"] + found["lba_unverified"] >= 16 * reads["ios"] and found["lba_mismatch"] == 0


FIO = re.compile(
    r"  read: IOPS=[\d.]+[kM]?, BW=[\d.]+[KMG]?i?B/s \([\d.]+[kMG]?B/s\)\([\d.]+[KMG]?i?B/\d+msec\)"
)
FIO_PERCENTILES = re.compile(
    r"lat percentiles \([num]sec\):\n     \|  1\.00th=\[ *\d+\],  5\.00th=\[ *\d+\], "
)


def test_the_summary_has_the_lines_of_fio():
    text = run(
        "perf", DRIVE, "--bs=4k", "--runtime=100ms", "--rate_iops=1000", "--random_distribution=zipf:1.1"
    )
    assert FIO.search(text) and FIO_PERCENTILES.search(text) and "99.99th=[" in text
    assert "lat percentiles from the due time (" in text
    if shutil.which("fio"):
        line = ["fio", "--name=a", "--ioengine=null", "--size=1m", "--bs=4k", "--rw=randread"]
        theirs = subprocess.run(line, capture_output=True, text=True, check=True).stdout
        assert FIO.search(theirs) and FIO_PERCENTILES.search(theirs)


def test_a_rate_has_the_latencies_from_the_due_time_as_well():
    d.Pcie(DRIVE).close()
    with VirtualSsd.attach(DRIVE).fault("opcode=read do late=100ms count=1"):
        found = data("perf", "perf", DRIVE, "--bs=4k", "--runtime=300ms", "--rate_iops=500")
    sent, due = found["jobs"][0]["latency_ns"]["percentile"], found["latency_due_ns"]
    assert set(sent) == set(due) and all(due[one] >= sent[one] * 0.98 for one in due)
    assert due["90.000000"] > 5_000_000  # a third of the IOs waited for up to 100 ms
    assert "latency_due_ns" not in data("perf", "perf", DRIVE, "--bs=4k", "--runtime=50ms")


def test_a_slow_command_ends_it_and_is_shown():
    d.Pcie(DRIVE).close()
    with VirtualSsd.attach(DRIVE).fault("opcode=read do late=30ms count=1"):
        words = ["--rw=read", "--runtime=5", "--max_latency=20ms"]
        found = data("perf", "perf", DRIVE, *words, code=1)
    assert found["error"] == -9 and found["slowest"].startswith("<Read, LBA ")


def test_the_depth_and_the_steady_state_are_told():
    found = data("perf", "perf", DRIVE, "--latency-target=10s", "--iodepth=4", "--runtime=10")
    assert found["latency_target"]["iodepth"] == 4
    found = data("perf", "perf", DRIVE, "--steadystate=1", "--runtime=100ms")
    assert found["steadystate"] is False


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--rw=foo"], "--rw is one of read, write"),
        (["--bs=1000"], "bs must be a multiple of 512 bytes"),
        (["--bs=x"], "x is no size, such as 4k"),
        (["--runtime=x"], "x is no time, such as 10"),
        (["--random-distribution=normal"], "random_distribution is random, zipf:THETA"),
        (["--random-distribution=zipf:1"], "zipf must be a theta"),
        (["--random-distribution=zipf:a"], "'a' is no number"),
    ],
)
def test_wrong_words_are_refused(words, text):
    out = run("perf", DRIVE, *words, code=2 if "--rw" in words[0] or words[0].endswith(":1") else 1)
    assert text in " ".join(out.split())


@pytest.mark.parametrize(
    ("text", "bytes_"), [("512", 512), ("4k", 4096), ("1M", 1 << 20), ("2GiB", 2 << 30), ("64kb", 65536)]
)
def test_sizes_are_those_of_fio(text, bytes_):
    assert perf.size_of(text) == bytes_


@pytest.mark.parametrize(
    ("text", "unit", "seconds"), [("10", "s", 10), ("500", "us", 5e-4), ("2ms", "us", 2e-3), ("5m", "s", 300)]
)
def test_times_are_those_of_fio(text, unit, seconds):
    assert perf.seconds_of(text, unit) == pytest.approx(seconds)


def test_files_are_shown_converted_and_replayed(tmp_path):
    pcie = d.Pcie(DRIVE)
    nvme0n1 = d.Namespace(d.Controller(pcie))
    qpair, buf = d.Qpair(d.Controller(pcie), 8), d.Buffer(4096)
    nvme0n1.read(qpair, buf, 3).waitdone()
    with pytest.warns(UserWarning, match="00/80"):
        nvme0n1.read(qpair, buf, 1 << 40).waitdone()
    file = tmp_path / "a.trace"
    qpair.cmdlog.save(file)
    pcie.close()
    assert "LBA Out of Range" in run("trace", "show", str(file)) and "2 commands" in run(
        "trace", "show", str(file)
    )
    found = data("trace", "trace", "show", str(file), "--failed")
    assert [command["slba"] for command in found["commands"]] == [1 << 40]
    run("trace", "convert", str(file), str(tmp_path / "a.pcapng"))
    assert len(pynvme.trace.load(tmp_path / "a.pcapng")) == 2
    assert "no format 'csv'" in run("trace", "convert", str(file), str(tmp_path / "a.csv"), code=1)
    fio = tmp_path / "fio.log"
    fio.write_text("fio version 2 iolog\n/a read 0 4096\n/a write 4096 4096\n")
    assert "1 reads and 1 others" in run("trace", "replay", str(fio), DRIVE)
    assert "has no IO of device" in run("trace", "replay", str(fio), DRIVE, "--device=/b", code=1)
