# SPDX-License-Identifier: BSD-3-Clause
"""Each example runs in a short form, on one virtual SSD, and finds what it should."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pynvme import example

FOLDER = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
DRIVE = "vssd:name=examples,size=64M,format_time=0,sanitize_time=1"

pytestmark = pytest.mark.filterwarnings("ignore:AER notification")


@pytest.fixture
def run():
    """Give ``run(name, **options)``: what the function run() of an example returns."""

    def call(name, **options):
        return loaded(name).run(DRIVE, **options)

    return call


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_jesd219_has_its_sizes_and_places(run, capsys):
    module = loaded("jesd219")
    assert sum(module.SHARES.values()) == 100 and sum(module.WHERE) == 10000 and len(module.WHERE) == 100
    assert module.sizes(512)[8] == 67 and module.sizes(4096) == {1: 77, 2: 10, 4: 7, 8: 3, 16: 3}
    result = run("jesd219", seconds=0.4)
    done = result.io_count_read + result.io_count_nonread
    assert result.error == 0 and result.lba_mismatch == 0
    assert 0.3 < result.io_count_read / done < 0.5
    assert "IOPS" in capsys.readouterr().out


def test_snia_pts_measures_each_point_in_rounds(run, capsys):
    steady = run("snia_pts", seconds=0.01, share=2, rounds=2, sizes="4096")
    out = capsys.readouterr().out
    assert steady == {"IOPS": False, "latency": False}, "two rounds are not enough"
    assert len(re.findall(r"4096 bytes, +\d+ % reads: iops [\d,]+, mean", out)) == 7 + 3


@pytest.mark.parametrize(
    ("values", "steady"),
    [
        ([100, 100, 100, 100], False),
        ([500, 100, 101, 99, 100, 100], True),
        ([90, 100, 110, 120, 130], False),
        ([96, 98, 100, 102, 104], True),
        ([100, 125, 100, 100, 100], False),
    ],
)
def test_the_steady_state_is_that_of_the_pts(values, steady):
    """The range of five rounds is at most 20 % of their mean, and their trend at most 10 %."""
    assert loaded("snia_pts").is_steady(values) is steady


def test_qos_compares_the_latency_alone_and_beside_writes(run, tmp_path, capsys):
    found = run("qos", seconds=0.3, iops=500, picture=str(tmp_path / "qos.svg"))
    assert set(found) == {"alone", "beside writes"}
    assert all(values == sorted(values) and values[0] > 0 for values in found.values())
    assert (tmp_path / "qos.svg").exists() and "99.99 %" in capsys.readouterr().out


def test_a_loss_of_power_is_counted_and_loses_nothing_that_was_flushed(run):
    found = run("power_loss", cycles=3, region=1 << 11)
    assert found["unsafe"] == 3 and found["judged"] > 0 and found["mismatch"] == 0


def test_a_firmware_update_under_load_fails_no_io(run):
    found = run("firmware_under_load", seconds=0.4, version="2.5")
    assert found["after"] == "2.5" and found["error"] == found["mismatch"] == 0


def test_an_erased_drive_has_nothing_of_the_old_data(run):
    found = run("erase", region=1 << 9)
    assert len(found) == 4 and set(found.values()) == {0}


def test_a_soak_shows_the_heat_and_its_events(run, capsys):
    rows = run("temperature_soak", seconds=0.9, every=0.2, heat=345)
    assert max(kelvin for _, kelvin, _ in rows) >= 343 > rows[0][1]
    assert "0x" in re.search("events: (.*)", capsys.readouterr().out)[1]


def test_years_wear_the_drive_out_and_keep_the_data(run):
    rows = run("wear_and_retention", years=3, region=1 << 11)
    assert [row[1] for row in rows] == [20, 40, 60] and [row[3] for row in rows] == [0, 0, 0]
    assert rows[2][0] - rows[0][0] == 2 * 365 * 24


def test_two_firmwares_are_compared(run, tmp_path):
    results = run("compare_firmwares", seconds=0.3, picture=str(tmp_path / "both.png"))
    assert len(results) == 2 and list(results)[1] == "firmware 3.0"
    assert all(result.error == 0 for result in results.values()) and (tmp_path / "both.png").exists()


def test_a_vendors_commands_are_described_and_answered(run, capsys, forgets_vendor):
    found = run("vendor_commands")
    out = capsys.readouterr().out
    assert found == {"ones": 2048, "cycles": 7}
    assert "Run Program over 8 LBAs from 0x1000 on, by slot 3" in out
    assert "slot 9: ERROR status: 01/c5 No Program in Slot" in out


@pytest.mark.parametrize("name", NAMES)
def test_each_example_is_run_here_and_described(name):
    assert f'run("{name}"' in Path(__file__).read_text()
    assert f"`{name}.py`" in (FOLDER / "README.md").read_text()


def test_an_example_is_a_command(environment):
    done = subprocess.run(
        [sys.executable, FOLDER / "qos.py", "--help"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0
    for word in ("[ADDRESS]", "--seconds", "--iops", "--picture", "--yes", "Read at a constant rate"):
        assert word in done.stdout


def test_an_example_asks_before_it_overwrites_a_drive():
    called = []

    def do(address: str = "vssd", count: int = 3) -> None:
        """Do it."""
        called.append((address, count))

    for words, answer, expected in (
        (["--count", "7"], "", [("vssd", 7)]),
        (["01:00.0"], "n\n", []),
        (["01:00.0"], "y\n", [("01:00.0", 3)]),
        (["01:00.0", "--yes"], "", [("01:00.0", 3)]),
    ):
        called.clear()
        with CliRunner().isolation(answer), pytest.raises(SystemExit):
            example.main(do, words)
        assert called == expected
