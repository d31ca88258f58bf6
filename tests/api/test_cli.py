# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pynvme``: the first things that a stranger runs."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nvme as d
import pytest
from rich.console import Console

import pynvme
from pynvme import demo
from tests.fix_load import loaded


@pytest.fixture
def cli(environment):
    """Give ``cli(*arguments)``: runs the command line to its end."""

    def run(*arguments, seconds=60):
        return subprocess.run(
            [sys.executable, "-m", "pynvme", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    return run


def test_the_version_is_the_modules(cli):
    assert cli("--version").stdout.split()[-1] == pynvme.__version__ == d.__version__


def test_help_names_each_command(cli):
    text = cli("--help").stdout
    assert all(name in text for name in ("vssd", "run", "bind"))


def test_the_help_of_each_command_is_prose_and_not_code(cli):
    for name in ("vssd", "run", "bind"):
        done = cli(name, "--help")
        assert done.returncode == 0
        assert "@click" not in done.stdout and "def " not in done.stdout


_demonstrations = []


@pytest.fixture
def demonstration(cli):
    """Give a demonstration that has ended, the same one for all tests that only read what it printed."""
    if not _demonstrations:
        _demonstrations.append(cli("run", "--seconds", "4"))
    return _demonstrations[0]


def test_the_demonstration_verifies_all_that_it_reads_and_exits_with_0(demonstration):
    done = demonstration
    assert done.returncode == 0, done.stdout + done.stderr
    judged, differed = re.search(r"([\d,]+) LBAs .* compared .*: ([\d,]+) differed", done.stdout).groups()
    assert int(judged.replace(",", "")) > 10000 or loaded()
    assert differed == "0"
    assert "b'hello world'" in done.stdout
    assert "--pciaddr" in done.stdout
    assert "\x1b" not in done.stdout, "plain where the output is no terminal"
    assert "warning" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120
    assert "writes, none verified" in line_of(done.stdout, "sequential write")
    assert re.search(r"[\d,]{5,} LBAs verified$", line_of(done.stdout, "random read")) or loaded()


def line_of(text, start):
    """The last line of a workload above the summary."""
    return [x for x in text.partition("Summary")[0].splitlines() if x.strip().startswith(start)][-1]


@pytest.mark.parametrize(("kelvin", "told"), [(0, "- C"), (1, "-272 C"), (273, "0 C"), (328, "55 C")])
def test_the_demonstration_tells_no_temperature_where_a_drive_reports_none(nvme0, nvme0n1, kelvin, told):
    class Drive:
        def getlogpage(self, lid, buf, size):
            buf[1:3] = kelvin.to_bytes(2, "little")
            return self

        def waitdone(self):
            return 0

    display = demo.Display(Console(), nvme0, nvme0n1)
    display._nvme0 = Drive()
    assert display.temperature() == told


def test_the_demonstration_draws_no_line_twice_where_the_output_is_no_terminal(cli, monkeypatch):
    """Some CI systems and users ask for colours in a log file: a log has no lines that can be drawn again."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = cli("run", "--seconds", "3")
    assert done.returncode == 0
    assert "\x1b[?25l" not in done.stdout and "\x1b[2K" not in done.stdout
    assert len(re.findall("sequential write", done.stdout.partition("Summary")[0])) <= 2


@pytest.mark.parametrize("columns", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_the_demonstration_fits_the_terminal_and_loses_no_figure(terminal, columns):
    script = terminal("-m", "pynvme", "run", "--seconds", "3", columns=columns)
    assert script.ended(60), script.text
    assert script.process.returncode == 0
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", script.text)
    summary = text[text.index("Summary") :]
    assert "…" not in summary, "nothing is cut off"
    assert summary.count("sequential write") == 1
    if columns == 40:
        assert len(re.findall(r"IOPS +[\d,]+", summary)) == 3
        shown = [line for line in re.split(r"[\r\n]+", summary) if line.startswith("  ")]
        assert [line for line in shown if len(line) > 40] == []


def test_the_region_is_written_before_anything_is_measured(demonstration):
    text = demonstration.stdout
    assert text.index("fill, not measured") < text.index("sequential write")
    assert "fill" not in text[text.index("Summary") :]


@pytest.mark.parametrize("seconds", [0, 0.2, 0.5, 1])
def test_ctrl_c_ends_the_demonstration_in_order_at_any_moment(terminal, seconds):
    script = terminal("-m", "pynvme", "run", "--seconds", "60")
    deadline = time.monotonic() + 20
    # Not before: until then it is Python itself that starts.
    while "nvme.c" not in Path(f"/proc/{script.process.pid}/maps").read_text():
        assert time.monotonic() < deadline or loaded()
        time.sleep(0.001)
    time.sleep(seconds)
    script.interrupt()
    assert script.ended(10), script.text
    assert script.process.returncode == 130, script.text
    assert "Traceback" not in script.text
    assert script.text.count("\x1b[?25l") <= script.text.count("\x1b[?25h"), "the cursor is shown again"


def test_ctrl_c_during_an_import_is_not_lost_in_what_is_imported(python):
    done = python(
        """
        import contextlib, importlib, os, signal
        from pynvme.cli import errors

        def swallow(name):
            with contextlib.suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)

        signal.signal(signal.SIGINT, signal.default_int_handler)
        importlib.import_module = swallow
        errors.load("pynvme.demo")
        """.replace("\n        ", "\n")
    )
    assert done.returncode == 130
    assert "interrupted" in done.stderr


def test_a_folder_that_is_missing_is_told_in_a_sentence(cli, tmp_path):
    done = cli("vssd", "--dir", f"{tmp_path}/no/such")
    assert done.returncode == 1
    assert "cannot make the folder" in done.stderr and "Traceback" not in done.stderr


def test_bind_without_a_drive_says_what_it_needs(cli):
    done = cli("bind")
    assert done.returncode == 2
    assert "Name the drive to bind" in done.stderr


def test_the_demonstration_exits_with_1_where_data_differ(cli, own_ssd):
    stop = threading.Event()

    def spoil():
        while not stop.is_set():
            for lba in range(0, 65536, 512):
                data = bytearray(own_ssd.peek(1, lba))
                data[100] ^= 1
                own_ssd.poke(1, lba, bytes(data))
            stop.wait(0.2)

    thread = threading.Thread(target=spoil)
    thread.start()
    try:
        done = cli("run", "--seconds", "4", "--yes", "--pciaddr", own_ssd.address)
    finally:
        stop.set()
        thread.join()
    assert done.returncode == 1
    assert not re.search(r": 0 differed", done.stdout)
    assert "Traceback" not in done.stderr


def test_a_drive_that_is_not_private_is_not_overwritten_without_a_yes(cli, own_ssd):
    before = own_ssd.counters()
    done = cli("run", "--pciaddr", own_ssd.address)
    assert done.returncode == 1
    assert "overwrites" in done.stderr
    assert own_ssd.counters() == before


def test_a_wrong_address_is_a_sentence_not_a_traceback(cli):
    done = cli("run", "--yes", "--pciaddr", "/no/such/drive")
    assert done.returncode == 1
    assert "/no/such/drive" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_virtual_ssd_run_by_hand_is_used_by_its_address_and_leaves_nothing(environment, tmp_path, number):
    folder = tmp_path / "ssd"
    command = [
        sys.executable,
        "-m",
        "pynvme",
        "vssd",
        "--dir",
        str(folder),
        "--size",
        "64M",
        "--serial",
        "MINE",
    ]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            text = process.stdout.readline()
            assert str(folder) in text
            pcie = d.Pcie(str(folder))
            nvme0 = d.Controller(pcie)
            assert nvme0.id_ctrl.sn == "MINE"
            assert d.Namespace(nvme0).capacity == 64 << 20
            pcie.close()
            process.send_signal(number)
            assert process.wait(10) == 0
        finally:
            process.kill()
    assert os.listdir(folder) == [], "the folder was named, and stays"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_script_ends_a_virtual_ssd_in_the_background_by_either_signal(environment, tmp_path, number):
    """A shell that is not interactive starts background jobs with SIGINT ignored."""
    script = f"""
        : > {tmp_path}/out
        {sys.executable} -m pynvme vssd --dir {tmp_path}/ssd --size 64M >{tmp_path}/out 2>&1 &
        until grep -q Ctrl-C {tmp_path}/out; do kill -0 $! || exit 9; sleep 0.1; done
        kill -{int(number)} $!
        wait $!
    """
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.listdir(tmp_path / "ssd") == []


def test_a_second_virtual_ssd_in_one_folder_is_refused(cli, own_ssd):
    done = cli("vssd", "--dir", own_ssd.address)
    assert done.returncode == 1
    assert f"(process {own_ssd.pid}) serves {own_ssd.address} already" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_the_demonstration_without_a_traceback(terminal):
    script = terminal("-m", "pynvme", "run", "--seconds", "60")
    script.read_until("verified")
    script.interrupt()
    assert script.ended(3) or loaded(), script.text
    assert script.process.returncode == 130
    assert "interrupted" in script.text
    assert "Traceback" not in script.text


def test_ctrl_c_ends_a_virtual_ssd_run_by_hand(terminal):
    script = terminal("-m", "pynvme", "vssd", "--size", "64M")
    text = script.read_until("Ctrl-C")
    folder = re.search(r"runs in (\S+)", text).group(1)
    assert os.path.exists(f"{folder}/cntrl")
    script.interrupt()
    assert script.ended(3) or loaded(), script.text
    assert script.process.returncode == 0
    assert not os.path.exists(folder)
