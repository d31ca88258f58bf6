# SPDX-License-Identifier: BSD-3-Clause
"""Findings that a file lists as known."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pynvme.suite import conftest, known
from pynvme.suite.finding import Finding

OURS = Path(__file__).parent / "known.txt"


def finding(
    model: str = "M 1", test: str = "test_logs::test_x[3]", seen: str = "Invalid Field (00/02)"
) -> Finding:
    return Finding("clause", "expected", seen, {"model": model}, test=test)


@pytest.fixture
def listed(tmp_path: Path) -> list[known.Known]:
    path = tmp_path / "known"
    path.write_text(
        "# model | test | seen | why\n\nM ? | test_logs::test_x* | Invalid Field | a clause | and more\n"
    )
    return known.read(str(path))


def test_a_known_finding_has_its_reason(listed: list[known.Known]) -> None:
    assert known.reason(listed, finding()) == "a clause | and more"


@pytest.mark.parametrize(
    "other",
    [finding(model="M 12"), finding(test="test_logs::test_y"), finding(seen="Invalid Opcode (00/01)")],
    ids=["another drive", "another test", "another finding"],
)
def test_any_other_finding_is_news(listed: list[known.Known], other: Finding) -> None:
    assert known.reason(listed, other) is None


@pytest.mark.parametrize("line", ["M 1 | test_x | why", "M 1 | | seen | why", "M 1"])
def test_a_malformed_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "known"
    path.write_text(f"# a comment\n{line}\n")
    with pytest.raises(ValueError, match=r"known:2: expected `model \| test \| seen \| why`"):
        known.read(str(path))


def test_ours_can_be_read() -> None:
    known.read(str(OURS))


def test_a_known_finding_does_not_change_the_exit_code(tmp_path: Path) -> None:
    listed = tmp_path / "known"
    listed.write_text("pynvme* | test_data::test_hot_overwrites* | zeros | planted\n")
    rule = "vssd:fault=opcode=read nlb<3 every=5 do fill=0 at=0 size=512"
    words = ("--pciaddr", rule, "--yes", "--seed", "1", "--time", "1s", "--shrink", "0", "hot_overwrites")
    assert check(*words).returncode == 1
    done = check("--known", str(listed), *words)
    assert done.returncode == 0, done.stdout
    assert "1 xfailed" in done.stdout and "planted" in done.stdout


def check(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pynvme", "check", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
    )


@pytest.mark.parametrize(
    "folder, wanted", [(conftest.FOLDER, pytest.skip.Exception), (Path("/x"), NotImplementedError)]
)
def test_what_a_device_cannot_do_at_all_is_skipped_in_the_suite_alone(
    folder: Path, wanted: type[BaseException]
) -> None:
    call = conftest.pytest_runtest_call(SimpleNamespace(path=folder / "test_x.py"))
    next(call)
    with pytest.raises(wanted, match="the device refused REGION_WRITE"):
        call.throw(NotImplementedError("the device refused REGION_WRITE"))
