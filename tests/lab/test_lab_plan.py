# SPDX-License-Identifier: BSD-3-Clause
"""A plan is read as it is meant, and all its mistakes are told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pynvme import vssd
from pynvme.lab import inventory, plan

GOOD = """
[campaign]
name = "weekly"
seeds = [1, 7]
time_limit = "2m"

[[drives]]
name = "healthy"
vssd = { size = "64M", profile = "datacenter" }
count = 2

[[drives]]
name = "lot42"
model = "ACME *"
tag = ["rack1"]

[[tasks]]
name = "smoke"
areas = ["commands"]
tests = ["test_identify"]
drives = ["healthy"]
repeats = 2

[[tasks]]
name = "own"
files = ["sub/test_own.py::test_it"]
beside = ["firmware/*.bin"]
priority = 3
seeds = 3
attempts = 1
"""

BAD = """
[campaign]
name = "we ekly"
seeds = [1, 1]
time_limit = "10x"
atempts = 3
[[drives]]
name = "a"
vssd = { sise = "64M", bug = "flush-does-noting" }
count = 0
[[drives]]
name = "a"
model = "X*"
place = "z"
[[drives]]
name = "b"
vssd = { size = "64Q", dir = "/x" }
[[drives]]
name = "c"
vssd = { namespaces = 2, zoned = 3 }
[[drives]]
name = "d"
count = 3
[[drives]]
name = "e"
capability = ["coppy", "sing"]
wait = "2m"
[[tasks]]
name = "t"
areas = ["comands"]
drives = ["healty", "b", "b"]
tests = ["nothing_such"]
attempts = true
[[tasks]]
files = ["x.py", "../y.py"]
areas = ["data"]
time = "3s"
options = ["--pciaddr=01:00.0"]
beside = ["*.bin"]
"""

MISTAKES = """
[campaign]: unknown key 'atempts': did you mean attempts?
[campaign]: name: takes letters, digits, - and _, at most 64, not 'we ekly'
[[drives]] a: vssd: a virtual SSD has no option 'sise': did you mean size?
[[drives]] a: vssd: there is no bug 'flush-does-noting': python -m pynvme bugs lists them
[[drives]] a: count: takes a number from 1 to 1000000, not 0
[[drives]] a: this name is there twice
[[drives]] a: names place and patterns (model, firmware, serial, host, address, capability, tag); …
[[drives]] b: vssd: dir is chosen by each job
[[drives]] b: vssd: --size takes a size like 4G, at least 4K, not "64Q"
[[drives]] c: vssd: 3 zoned namespaces of 2: …
[[drives]] d: names nothing; give one of vssd, place, or patterns of drives
[[drives]] d: count is for virtual SSDs (vssd) only
[[drives]] e: wait is for a place of labgrid (place) only
[[drives]] e: there is no capability 'coppy': did you mean copy?
[[drives]] e: there is no capability 'sing': there are security, format, firmware, …
[campaign]: seeds: takes a number of seeds, or a list of different ones from 0 on, not [1, 1]
[campaign]: time_limit: '10x' is no time, such as 90s, 10m or 2h
[[tasks]] t: the suite has no area 'comands': did you mean commands?
[[tasks]] t: the suite has no test 'nothing_such': docs/suite.md lists them
[[tasks]] t: drives has 'b' twice
[[tasks]] t: there are no drives 'healty': the plan has a, b, c, d, e
[[tasks]] t: attempts: takes a number from 1 to 1000000, not True
[[tasks]] number 2: takes either files of pytest, or areas and tests of the suite (pynvme check)
[[tasks]] number 2: time is for tests of the suite; use time_limit
[[tasks]] number 2: the option --pciaddr=01:00.0 is chosen by the campaign
[[tasks]] number 2: name: takes letters, digits, - and _, at most 64, not None
[[tasks]] number 2: there is no test file x.py, looked for at …/x.py
[[tasks]] number 2: ../y.py is outside of the plan's folder …: name files relative to it
[[tasks]] number 2: beside: no file matches '*.bin' in …
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("sub", "firmware"):
        (tmp_path / name).mkdir()
    (tmp_path / "sub/test_own.py").write_text("def test_it(): pass\n")
    (tmp_path / "sub/helper.py").write_text("X = 1\n")
    (tmp_path / "conftest.py").write_text("")
    (tmp_path / "other.py").write_text("")
    (tmp_path / "firmware/a.bin").write_bytes(b"\x00\xff")
    return tmp_path


def matches(found: str, wanted: str) -> bool:
    """Whether a text is as wanted, where … stands for anything."""
    rest = found
    first, *parts = wanted.split("…")
    if not rest.startswith(first):
        return False
    for part in [first, *parts]:
        _, there, rest = rest.partition(part) if part else ("", "x", rest)
        if not there:
            return False
    return wanted.endswith("…") or not rest


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = plan.check(BAD, tmp_path)[1]
    wanted = MISTAKES.strip().splitlines()
    assert [one for one, two in zip(found, wanted) if not matches(one, two)] == []
    assert len(found) == len(wanted)


@pytest.mark.parametrize("text", ["", "[campaign", "campaign = 3", "drives = 1\ntasks = [2]", "\0"])
def test_a_file_that_is_no_plan_is_a_mistake(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(plan.PlanError) as caught:
        plan.read(tmp_path / "plan.toml")
    assert caught.value.mistakes


def test_jobs_come_by_priority_and_have_stable_names(folder: Path) -> None:
    (folder / "plan.toml").write_text(GOOD)
    found = plan.read(folder / "plan.toml")
    healthy = [drive.key for drive in inventory.virtual(found.groups[0])]
    jobs = list(found.jobs({"healthy": healthy, "lot42": ["S1"]}))
    own = [f"own.{drive}.s{seed}.r1" for seed in (1, 2, 3) for drive in ("healthy-1", "healthy-2", "S1")]
    smoke = [
        f"smoke.{drive}.s{seed}.r{repeat}"
        for repeat in (1, 2)
        for seed in (1, 7)
        for drive in ("healthy-1", "healthy-2")
    ]
    assert [job.id for job in jobs] == own + smoke
    assert {job.task.time_limit for job in jobs} == {120.0}
    assert [task.attempts for task in found.tasks] == [2, 1]


def test_test_files_travel_with_what_they_need(folder: Path) -> None:
    found, mistakes = plan.check(GOOD, folder)
    assert mistakes == []
    own = found.tasks[1]
    assert sorted(own.contents) == ["conftest.py", "firmware/a.bin", "sub/helper.py", "sub/test_own.py"]
    assert found.blobs[own.contents["firmware/a.bin"]] == b"\x00\xff"


@pytest.mark.parametrize(
    "other",
    [".venv/lib/site.py", "env/lib/site.py", "__pycache__/a.py", ".git/hook.py", "weekly/work/j1/test_it.py"],
)
def test_a_folder_of_tests_is_taken_without_what_is_no_test_of_the_user(folder: Path, other: str) -> None:
    (folder / other).parent.mkdir(parents=True)
    (folder / other).write_text("")
    (folder / "env").mkdir(exist_ok=True)
    (folder / "env/pyvenv.cfg").write_text("")
    (folder / "link").symlink_to(folder)
    earlier = folder / "weekly"
    earlier.mkdir(exist_ok=True)
    plan.keep(plan.check(GOOD, folder)[0], earlier)
    found, mistakes = plan.check(GOOD.replace("sub/test_own.py::test_it", "."), folder)
    assert mistakes == []
    wanted = ["conftest.py", "firmware/a.bin", "other.py", "sub/helper.py", "sub/test_own.py"]
    assert sorted(found.tasks[1].contents) == wanted


def test_a_changed_test_file_is_another_plan(folder: Path) -> None:
    before = plan.check(GOOD, folder)[0].digest
    assert plan.check(GOOD, folder)[0].digest == before
    (folder / "sub/helper.py").write_text("X = 2\n")
    assert plan.check(GOOD, folder)[0].digest != before


def test_drives_are_chosen_by_patterns_and_words() -> None:
    drives = [
        inventory.LabDrive("h1", "01:00.0", "ACME 900", "S2", "1.2.3", tags=("pcie", "rack1")),
        inventory.LabDrive("h1", "02:00.0", "ACME 900", "S1", "2.0", tags=("pcie", "rack1")),
        inventory.LabDrive("h2", "01:00.0", "Other", "S3", "1.2.3", tags=("pcie",)),
    ]

    def keys(**words: object) -> list[str]:
        return [one.key for one in inventory.choose(plan.Group("g", **words), drives)]  # type: ignore[arg-type]

    assert keys(patterns={"model": "ACME *"}) == ["S1", "S2"]
    assert keys(patterns={"model": "ACME *", "firmware": "1.*"}) == ["S2"]
    assert keys(tags=("rack1",), patterns={"serial": "S2"}) == ["S2"]
    assert keys(capability=("copy",)) == []
    assert keys(patterns={"host": "h2"}) == ["S3"]


def test_options_of_a_virtual_ssd_are_checked_without_starting_one() -> None:
    assert vssd.mistakes({"size": "64M", "bug": ["flush-does-nothing"]}) == []
    assert len(vssd.mistakes({"sise": 1, "zzz": 2, "bug": "none-such"})) == 3
    assert "3 zoned" in vssd.mistakes({"namespaces": 2, "zoned": 3})[0]


def test_the_example_and_the_plan_of_the_manual_have_no_mistake(tmp_path: Path) -> None:
    root = Path(vssd.__file__).parents[1]
    assert plan.read(root / "examples/campaign.toml").tasks
    text = (root / "docs/how-to/lab.md").read_text()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_own.py").write_text("")
    assert plan.check(text.split("```toml\n")[1].split("```")[0], tmp_path)[1] == []
