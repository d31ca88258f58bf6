# SPDX-License-Identifier: BSD-3-Clause
"""The process: its command line, its folder, its end, and its cost while no client is connected."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from client import Client
from server import EXECUTABLE, Server

from tests.fix_load import loaded


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(EXECUTABLE), *options], capture_output=True, text=True, timeout=20)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_help_names_every_option() -> None:
    found = run("--help")
    assert found.returncode == 0 and found.stderr == ""
    for option in ("dir", "size", "serial", "cpu", "owner-fd", "ready-fd"):
        assert f"--{option}" in found.stdout


@pytest.mark.parametrize(
    "options, words",
    [
        ([], ["--dir is missing"]),
        (["--dir", ""], ["--dir takes", '""']),
        (["--bogus"], ["--bogus", "--help"]),
        (["-x"], ["-x", "--help"]),
        (["--size"], ["--size", "lacks its value"]),
        (["stray"], ["stray", "--help"]),
        (["--size", "four"], ["--size takes a size like 4G", "four"]),
        (["--size", ""], ["--size takes", '""']),
        (["--size", "-1"], ["--size takes", "-1"]),
        (["--size", "4095"], ["--size takes", "4095"]),
        (["--size", "1.5G"], ["--size takes", "1.5G"]),
        (["--size", "4GB"], ["--size takes", "4GB"]),
        (["--size", "99999999999999999999"], ["--size takes"]),
        (["--size", "18014398509481984K"], ["--size takes"]),
        (["--lba-size", "520"], ["--lba-size takes 512, 1024, 2048", "520"]),
        (["--queues", "0"], ["--queues takes 1 to 65535"]),
        (["--queues", "65536"], ["--queues takes 1 to 65535"]),
        (["--queue-entries", "1"], ["--queue-entries takes 2 to 65536"]),
        (["--queue-entries", "65537"], ["--queue-entries takes 2 to 65536"]),
        (["--namespaces", "33"], ["--namespaces takes 1 to 32"]),
        (["--mdts", "x"], ["--mdts takes", "x"]),
        *((["--mdts", text], ['--mdts takes 0 to 15, not "' + text + '"']) for text in ("16", "21", "255")),
        *(
            (["--serial", text], ["--serial takes at most 20 characters of ASCII, not"])
            for text in ("s" * 21, "\u00e9", "a\tb", "\x7f")
        ),
        (["--format-time", "-1"], ["--format-time takes milliseconds"]),
        (["--sanitize-time", "3600001"], ["--sanitize-time takes milliseconds"]),
        (["--self-test-time", "x"], ["--self-test-time takes milliseconds", "x"]),
        (["--nvme-version", "2"], ["--nvme-version takes", "2.0"]),
        (["--nvme-version", "2.0x"], ["--nvme-version takes"]),
        *(
            (["--nvme-version", text], ["1.3, 1.4, 2.0 or 2.1", text])
            for text in ("0.9", "1.5", "2.2", "3.0")
        ),
        (["--cpu", "-1"], ["--cpu takes"]),
        (["--ready-fd", "99"], ["--ready-fd takes an open descriptor"]),
    ],
)
def test_a_wrong_option_is_told_in_a_sentence(options: list[str], words: list[str]) -> None:
    found = run(*options)
    assert found.returncode == 1 and found.stdout == ""
    assert found.stderr.startswith("vssd: ") and found.stderr.count("\n") == 1
    for word in words:
        assert word in found.stderr


@pytest.mark.parametrize(
    "text, value",
    [
        ("1.0", 0x10000),
        ("1.1", 0x10100),
        ("1.2", 0x10200),
        ("1.2.1", 0x10201),
        ("1.3", 0x10300),
        ("1.4", 0x10400),
        ("2.0", 0x20000),
    ],
)
def test_each_version_that_there_was_can_be_claimed(start, text: str, value: int) -> None:
    with Client(start("--size", "1M", "--nvme-version", text).folder) as client:
        assert client.read32(8) == value


def test_the_options_are_told_as_json() -> None:
    found = json.loads(run("--options").stdout)
    assert all(set(option) == {"name", "takes", "help"} for option in found)
    options = {option["name"]: (option["takes"], option["help"]) for option in found}
    assert options["mdts"][0] == "N" and "; 0 to 15 (5: 128 KiB)" in options["mdts"][1]
    assert options["nvme-version"] == (
        "X.Y",
        "NVMe version that the drive claims; 1.0, 1.1, 1.2, 1.2.1, 1.3, 1.4, 2.0 or 2.1 (2.0)",
    )
    assert options["null"][0] == ""
    assert not options.keys() & {"owner-fd", "ready-fd", "temporary", "help", "options"}


def test_a_cpu_that_there_is_not_is_told(folder: str) -> None:
    found = run("--dir", f"{folder}/a", "--cpu", "1023")
    assert found.returncode == 1 and "cannot run on CPU 1023" in found.stderr
    assert not os.path.exists(f"{folder}/a")


def test_a_path_too_long_for_a_socket_is_told(folder: str) -> None:
    path = os.path.join(folder, "x" * 100)
    found = run("--dir", path)
    assert found.returncode == 1 and "choose a shorter one" in found.stderr
    assert not os.path.exists(path)


def test_a_folder_that_cannot_be_made_is_told(folder: str) -> None:
    found = run("--dir", f"{folder}/no/such")
    assert found.returncode == 1 and "No such file or directory" in found.stderr
    Path(folder, "file").write_text("mine")
    found = run("--dir", f"{folder}/file")
    assert found.returncode == 1 and "not a folder" in found.stderr
    assert Path(folder, "file").read_text() == "mine"


def test_what_is_wrong_is_told_to_the_starter_as_well(folder: str) -> None:
    server = Server(os.path.join(folder, "no", "such"))
    assert server.process.wait(10) == 1
    assert "No such file" in server.word and server.word in server.errors()
    server.log.close()


def test_a_folder_is_served_by_one_process(start, folder: str) -> None:
    server = start("--size", "16M")
    for _ in range(2):
        found = run("--dir", server.folder, "--size", "16M")
        assert found.returncode == 1
        assert f"another virtual SSD (process {server.pid}) serves {server.folder}" in found.stderr
    with Client(server.folder) as client:
        client.config_read(0, 4)


def test_what_a_killed_process_left_is_replaced(start, folder: str) -> None:
    path = os.path.join(folder, "0")
    server = Server(path, "--size", "16M")
    server.process.kill()
    server.process.wait()
    server.log.close()
    assert sorted(os.listdir(path)) == ["cntrl", "control", "lock"]
    server = start("--size", "16M")
    assert server.folder == path
    with Client(path) as client:
        client.config_read(0, 4)


def test_a_file_with_a_sockets_name_is_left_alone(folder: str) -> None:
    Path(folder, "cntrl").write_text("mine")
    found = run("--dir", folder)
    assert found.returncode == 1 and "left alone" in found.stderr
    assert Path(folder, "cntrl").read_text() == "mine"
    assert os.listdir(folder) == ["cntrl"]


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET])
def test_a_socket_of_another_program_is_left_alone(folder: str, kind: int) -> None:
    with socket.socket(socket.AF_UNIX, kind) as other:
        other.bind(os.path.join(folder, "cntrl"))
        other.listen()
        found = run("--dir", folder)
        assert found.returncode == 1 and "another program serves" in found.stderr
        assert os.path.exists(os.path.join(folder, "cntrl"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("connected", [False, True])
def test_signals_end_it_cleanly(folder: str, number: int, connected: bool) -> None:
    server = Server(os.path.join(folder, "drive"), "--size", "16M", "--temporary")
    client = Client(server.folder) if connected else None
    server.process.send_signal(number)
    assert server.process.wait(10) == 0, server.errors()
    assert os.listdir(folder) == []
    if client is not None:
        client.close()
    server.log.close()


@pytest.mark.parametrize("more", [[], ["--temporary"]])
def test_a_folder_that_was_there_before_stays(folder: str, more: list[str]) -> None:
    server = Server(folder, "--size", "16M", *more)
    assert server.stop() == 0
    assert os.listdir(folder) == []
    server.log.close()


def test_a_folder_that_was_named_stays_and_what_others_put_into_one(folder: str) -> None:
    for options, left in (([], []), (["--temporary"], ["mine"])):
        server = Server(os.path.join(folder, "drive"), "--size", "16M", *options)
        for name in left:
            Path(server.folder, name).write_text("mine")
        assert server.stop() == 0
        assert os.listdir(server.folder) == left
        server.log.close()
        if not left:
            os.rmdir(server.folder)


def test_a_folder_that_a_failed_start_made_goes(folder: str) -> None:
    found = run("--dir", f"{folder}/a", "--file", f"{folder}/no/such")
    assert found.returncode == 1
    assert os.listdir(folder) == []


def test_it_ends_when_its_owner_is_gone(folder: str) -> None:
    read, write = os.pipe()
    path = os.path.join(folder, "drive")
    process = subprocess.Popen(
        [str(EXECUTABLE), "--dir", path, "--temporary", "--size", "16M", "--owner-fd", str(read)],
        pass_fds=(read,),
    )
    os.close(read)
    deadline = time.monotonic() + 10
    while not os.path.exists(os.path.join(path, "cntrl")):
        assert time.monotonic() < deadline or loaded()
        time.sleep(0.001)
    assert process.poll() is None
    os.write(write, b"alive")
    time.sleep(0.05)
    assert process.poll() is None
    os.close(write)
    assert process.wait(5) == 0
    assert os.listdir(folder) == []


def test_nobody_else_may_enter_its_folder(server) -> None:
    assert os.stat(server.folder).st_mode & 0o777 == 0o700
    for name in ("cntrl", "control", "lock"):
        assert os.stat(os.path.join(server.folder, name)).st_mode & 0o077 == 0


def test_without_a_client_it_costs_nothing(server) -> None:
    time.sleep(0.2)
    before = cpu_seconds(server.pid)
    time.sleep(1)
    assert cpu_seconds(server.pid) - before <= 0.02


def naps(pid: int) -> int:
    """How often the process has waited by itself."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def test_with_an_idle_client_it_naps_for_longer_and_longer(server, client: Client) -> None:
    client.config_read(0, 4)
    time.sleep(0.2)
    before, slept = cpu_seconds(server.pid), naps(server.pid)
    time.sleep(1)
    assert cpu_seconds(server.pid) - before < 0.3
    assert 100 < naps(server.pid) - slept < 4000


def test_the_starters_pipe_is_closed_once_it_was_told(server) -> None:
    own = [fd for fd in os.listdir(f"/proc/{server.pid}/fd") if int(fd) > 2]
    assert not any(os.readlink(f"/proc/{server.pid}/fd/{fd}").startswith("pipe:") for fd in own)
