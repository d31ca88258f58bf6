# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pynvme check`` on a healthy drive, in a short form, and how it reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from html import unescape
from pathlib import Path

import nvme
import pytest

from pynvme.report.run import read
from pynvme.suite import AREAS, options

ROOT = Path(__file__).parents[2]

DRIVES = {
    "injection": "vssd:error_injection",
    "copy": "vssd:copy,size=64M",
    "capacity": "vssd:size=32M,namespaces=2,unallocated=32M,nvm_sets=2,endurance_groups=2,"
    "namespace_management,capacity_management=variable",
    "sgl": "vssd:sgls=byte,size=64M",
    "namespaces": "vssd:namespace_management,size=64M,unallocated=64M",
    "zones": "vssd:size=64M,namespaces=2,zoned=1,zone_size=1M,zone_capacity=768K",
    "key_value": "vssd:size=64M,namespaces=2,key_value=1,kv_keys=500",
    "placement": "vssd:fdp,streams,size=64M",
    "security": "vssd:tcg,rpmb,write_protection,boot_partitions,lockdown,size=64M",
    "reservations": "vssd:reservations,size=64M",
    "paths": "vssd:namespaces=2,ana=2,size=64M",
    "functions": "vssd:virtual_functions=3,size=64M",
    "migration": "vssd:virtual_functions=1,migration,size=64M",
    "mi": "vssd:mi,size=64M",
    "media": "vssd:sanitize_time=200,self_test_time=100",
    "metadata": "vssd:protection,size=64M",
    "protection": "vssd:protection,size=64M",
}
"""Drives of areas that the default one has nothing of, or is slow in."""


def check(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    folders = [str(Path(nvme.__file__).parent), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-m", "pynvme", "check", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
    )


@pytest.mark.parametrize("area", list(AREAS))
def test_a_healthy_drive_has_no_finding(area: str, tmp_path: Path) -> None:
    report = tmp_path / "report"
    drive = DRIVES.get(area, "vssd")
    done = check("--pciaddr", drive, "--area", area, "--time", "1s", "--report", str(report))
    assert done.returncode == 0, done.stdout[-5000:]
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert any(line["outcome"] == "passed" for line in lines)
    assert all(line["finding"] is None for line in lines)


def test_a_healthy_drive_with_everything_has_no_finding() -> None:
    """Log pages and features of an endurance group, and a drive that is read-only without its capacitors."""
    names = [
        "log_pages_are_supported_as_reported", "features_exist_as_reported", "defect_that_is_injected",
        "failed_backup_is_reported", "each_warning_is_an_event", "worn_out_drive_is_read_only",
    ]  # fmt: skip
    done = check("--pciaddr", "vssd:profile=everything", "--time", "1s", *names)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "6 passed" in done.stdout


def test_a_healthy_drive_with_separate_metadata_has_no_finding() -> None:
    """Commands that tests put into queues themselves have memory for their metadata."""
    names = [
        "submission_queues_share_a_completion_queue", "entries_behind_the_tail_are_not_executed",
        "resets_with_a_full_completion_queue", "compare_sees_the_latest_data", "fused_compare_and_write",
        "each_lba_format_is_described_as_in_the_namespace",
    ]  # fmt: skip
    done = check("--pciaddr", "vssd:size=64M,pi=1", "--time", "1s", *names)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "failed" not in done.stdout and "10 passed" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        "metadata_size=8",
        "metadata_size=64",
        "metadata_size=8,extended_lba",
        "pi=1",
        "pi=2,extended_lba",
        "pi=2,guard=32",
        "pi=3,guard=64",
        "pi=3,guard=32,extended_lba,metadata_size=64",
    ],
)
def test_all_areas_on_a_healthy_drive_with_metadata(options: str) -> None:
    done = check("--pciaddr", f"vssd:{options}", "--time", "30s")
    assert done.returncode == 0, done.stdout[-5000:]


def test_the_seed_is_named_and_can_be_given() -> None:
    done = check("--seed", "42", "--time", "0.1s", "all_bits_of_a_command_identifier")
    assert done.returncode == 0, done.stdout
    assert "seed 42" in done.stdout and "1 passed" in done.stdout


def test_a_drive_that_is_not_ours_is_not_overwritten_without_a_question() -> None:
    done = check("--pciaddr", "01:00.0")
    assert done.returncode == 1
    assert "overwrites, formats and erases the drive 01:00.0" in done.stderr


@pytest.mark.parametrize("text, wanted", [("90", 90), ("1.5s", 1.5), ("10m", 600), ("2 h", 7200)])
def test_times(text: str, wanted: float) -> None:
    assert options.seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "-1", "10x", "m"])
def test_wrong_times(text: str) -> None:
    with pytest.raises(ValueError):
        options.seconds(text)


def test_a_budget_ends_but_not_before_its_least_turns() -> None:
    assert list(options.Budget(0).turns(least=3)) == [0, 1, 2]
    assert options.Budget(0).spent and not options.Budget(60).spent


def test_a_planted_fault_is_a_finding_in_the_report(tmp_path: Path) -> None:
    report = tmp_path / "report"
    rule = "vssd:fault=opcode=read nlb<3 every=5 do fill=0 at=0 size=512"
    page = tmp_path / "page"
    more = ["--report", str(report), "--nvme-report", str(page)]
    done = check("--pciaddr", rule, "--time", "1s", *more, "hot_overwrites")
    assert done.returncode == 1
    (line,) = [json.loads(line) for line in report.read_text().splitlines()]
    assert line["outcome"] == "failed"
    finding = line["finding"]
    assert finding["clause"] == "NVM 1.0, 3.2.4 Read"
    assert finding["writers"] and finding["commands"] and "qpair" in finding["script"]
    assert finding["place"] == "traffic.judge"
    assert "expected:" in done.stdout and "who wrote it:" in done.stdout
    (test,) = read(page).tests
    assert test.finding == finding and test.file == "test_data.py" and test.seed == finding["seed"]
    assert test.message == f"seen: {finding['seen']}" and test.requirement and test.queues
    assert f"check {test.name} --seed={test.seed}" in test.again
    assert finding["script"].splitlines()[-1] in unescape((page / "index.html").read_text())


def test_the_command_line_does_not_import_pytest() -> None:
    code = "import sys, pynvme.__main__; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0
