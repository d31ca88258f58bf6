# SPDX-License-Identifier: BSD-3-Clause
"""pynvme.vssd: starting, finding and ending virtual SSDs from Python."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from client import Client
from server import EXECUTABLE

from pynvme import vssd
from pynvme.vssd import VirtualSsd, VirtualSsdError
from tests.fix_load import loaded

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def chosen_executable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYNVME_VSSD", str(EXECUTABLE))


@pytest.fixture
def ssd():
    with VirtualSsd(size="16M") as ssd:
        yield ssd


def script(text: str) -> subprocess.Popen[str]:
    """A script of its own, with what it prints."""
    return subprocess.Popen(
        [sys.executable, "-c", text],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def is_gone(address: str, timeout: float = 10.0) -> bool:
    deadline = time.monotonic() + timeout
    while os.path.exists(address):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def test_a_virtual_ssd_can_be_used_and_leaves_nothing(ssd: VirtualSsd) -> None:
    with Client(ssd.address) as client:
        assert client.config_read(9, 3) == bytes.fromhex("020801")
    assert ssd.running and os.path.isdir(f"/proc/{ssd.pid}")
    ssd.close()
    assert not ssd.running and not os.path.exists(ssd.address) and not os.path.exists(f"/proc/{ssd.pid}")
    ssd.close()


def test_it_starts_in_well_under_100_ms() -> None:
    times = []
    for _ in range(5):
        started = time.monotonic()
        VirtualSsd(size="4G").close()
        times.append(time.monotonic() - started)
    assert min(times) < 0.1 or loaded()


def test_options_reach_the_drive() -> None:
    with VirtualSsd(size=8 << 20, namespaces=2, lba_size=4096, null=True, cache=0, serial=None) as ssd:
        found = ssd.info()
        assert (found.size, found.namespaces, found.lba_size, found.null, found.cache_size) == (
            8 << 20,
            2,
            4096,
            True,
            0,
        )
        assert ssd.geometry(2) == (4096, 2048) and not found.client and found.powered and not found.file


def test_a_drive_tells_the_values_of_all_its_options() -> None:
    with VirtualSsd(size="8M", mdts=7, null=True, nvme_version="1.2.1", serial='a "b\\') as ssd:
        found = ssd.options()
        assert found["serial"] == 'a "b\\' and "file" not in found
        assert set(found) == set(vssd.options()) - {"dir", "cpu", "file", "fault", "faults"}
        told = {
            name: found[name] for name in ("size", "mdts", "null", "grant_all", "nvme_version", "lba_size")
        }
        assert told == {
            "size": str(8 << 20),
            "mdts": "7",
            "null": "1",
            "grant_all": "0",
            "nvme_version": "1.2.1",
            "lba_size": "512",
        }
        assert VirtualSsd.attach(ssd.address).options() == found


def test_a_program_that_does_not_tell_its_options_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "vssd"
    program.write_text("#!/bin/sh\necho no\n")
    program.chmod(0o755)
    monkeypatch.setenv("PYNVME_VSSD", str(program))
    with pytest.raises(VirtualSsdError, match="does not say which options it has"):
        VirtualSsd(size="1M")
    with pytest.raises(VirtualSsdError, match="does not say"):
        vssd.check("vssd:size=1M")


def test_data_can_be_seen_and_changed_behind_the_controllers_back(ssd: VirtualSsd) -> None:
    assert ssd.peek(1, 5) == bytes(512)
    ssd.poke(1, 5, bytearray(b"x" * 512))
    assert ssd.peek(1, 5) == b"x" * 512
    for call in (
        lambda: ssd.peek(1, 32768),
        lambda: ssd.peek(2, 0),
        lambda: ssd.poke(1, 0, b""),
        lambda: ssd.peek(1, -1),
    ):
        with pytest.raises(ValueError, match="LBA"):
            call()


def test_power_and_counters(ssd: VirtualSsd) -> None:
    cycles = ssd.counters().power_cycles
    ssd.power(False)
    assert not ssd.info().powered
    ssd.power(True)
    assert ssd.info().powered and ssd.counters().power_cycles == cycles + 1


def test_a_folder_of_the_users_choice_is_made_and_stays(folder: str) -> None:
    path = os.path.join(folder, "mine")
    with VirtualSsd(size="16M", dir=path) as ssd:
        assert ssd.address == path and os.path.exists(os.path.join(path, "cntrl"))
        with pytest.raises(VirtualSsdError, match=rf"another virtual SSD \(process {ssd.pid}\) serves"):
            VirtualSsd(dir=path)
    assert os.listdir(path) == []
    with VirtualSsd(size="16M", dir=path) as ssd:
        assert ssd.running


def test_data_in_a_file_outlast_the_process(folder: str) -> None:
    path = os.path.join(folder, "data")
    with VirtualSsd(size="16M", file=path) as ssd:
        assert ssd.info().file
        ssd.poke(1, 3, b"a" * 512)
    with VirtualSsd(size="16M", file=path) as ssd:
        assert ssd.peek(1, 3) == b"a" * 512


def test_unknown_options_are_refused_with_those_that_there_are() -> None:
    for call in (
        lambda: VirtualSsd(bogus=1),
        lambda: vssd.private("vssd:bogus=1"),
        lambda: vssd.command_line(bogus=1),
    ):
        with pytest.raises(ValueError, match=r"'bogus'.*size, file, null, lba_size"):
            call()
    with pytest.raises(VirtualSsdError, match="--size takes a size like 4G"):
        VirtualSsd(size="big")
    for address in ("vssd:size", "vssd:null=maybe", "01:00.0"):
        with pytest.raises(ValueError):
            vssd.private(address)


def test_a_folder_without_a_name_is_not_the_current_one(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(os.path.dirname(folder))
    with pytest.raises(ValueError, match="dir takes the name of a folder"):
        VirtualSsd(dir="")


def test_an_option_that_is_in_an_address_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="size is there twice"):
        vssd.check("vssd:size=1M,size=2M")


@pytest.mark.parametrize("data", [512, "x" * 512, None, [0] * 512])
def test_only_bytes_can_be_poked(ssd: VirtualSsd, data: object) -> None:
    before = ssd.peek(1, 0)
    with pytest.raises(TypeError, match="data takes bytes, not"):
        ssd.poke(1, 0, data)  # type: ignore[arg-type]
    assert ssd.peek(1, 0) == before


def test_a_missing_program_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYNVME_VSSD", str(tmp_path / "vssd"))
    with pytest.raises(FileNotFoundError, match="make build"):
        VirtualSsd()


def test_a_program_that_dies_at_once_is_told_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "vssd"
    program.write_text("#!/bin/sh\necho no luck today >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PYNVME_VSSD", str(program))
    with pytest.raises(VirtualSsdError, match="no luck today"):
        VirtualSsd()


def test_attach_finds_a_drive_by_folder_socket_or_bytes_and_ends_nothing(ssd: VirtualSsd) -> None:
    for address in (ssd.address, os.path.join(ssd.address, "cntrl"), os.fsencode(ssd.address)):
        other = VirtualSsd.attach(address)
        assert other.pid == ssd.pid and other.running
        other.close()
        del other
        assert ssd.running
    with pytest.raises(VirtualSsdError, match="no virtual SSD answers"):
        VirtualSsd.attach("/tmp/there-is-none")


def test_wait_tells_whether_it_has_ended(ssd: VirtualSsd) -> None:
    other = VirtualSsd.attach(ssd.address)
    assert not ssd.wait(0.02) and not other.wait(0.02)
    os.kill(ssd.pid, signal.SIGTERM)
    assert ssd.wait(10) and other.wait(10)
    with pytest.raises(VirtualSsdError):
        other.info()


def test_a_private_address_is_the_same_drive_each_time() -> None:
    one, two = "vssd:size=16M,name=one", "vssd:size=16M,name=two"
    address = vssd.private(one)
    assert vssd.private(one) == vssd.private(one.encode()) == address != vssd.private(two)
    VirtualSsd.attach(one).poke(1, 0, b"1" * 512)
    assert VirtualSsd.attach(two).peek(1, 0) == bytes(512)
    assert VirtualSsd.attach(one).peek(1, 0) == b"1" * 512
    assert vssd.is_private(one) and vssd.is_private(b"vssd") and not vssd.is_private("/tmp/vssd")
    three = "vssd:size=16M,null,name=three"
    assert VirtualSsd.attach(vssd.private(three)).info().null


def test_attach_starts_no_drive() -> None:
    name = "vssd:size=16M,name=nobody-started-this"
    with pytest.raises(VirtualSsdError, match="this process runs no virtual SSD 'vssd:size=16M,name=nobody"):
        VirtualSsd.attach(name)
    assert not vssd.runs(name)
    vssd.private(name)
    assert vssd.runs(name) and VirtualSsd.attach(name).running
    vssd.discard(name)
    assert not vssd.runs(name)
    with pytest.raises(ValueError, match="no option 'nonsense'"):
        VirtualSsd.attach("vssd:nonsense=1")


def test_threads_that_ask_at_once_get_one_drive() -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(vssd.private("vssd:size=16M,name=t"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1


def test_a_private_drive_that_died_is_replaced_and_its_remains_removed() -> None:
    name = "vssd:size=16M,name=dies"
    assert not vssd.died(name)
    address = vssd.private(name)
    assert not vssd.died(name)
    pid = VirtualSsd.attach(name).pid
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while not vssd.died(name):
        assert time.monotonic() < deadline or loaded()
    again = vssd.private(name)
    assert again != address and not os.path.exists(address) and not vssd.died(name)


@pytest.mark.parametrize(
    "end", ["pass", "import os; os._exit(1)", "import os; os.kill(os.getpid(), 9)", "raise SystemExit(3)"]
)
def test_private_drives_end_with_their_script_however_it_ends(end: str) -> None:
    process = script(f"from pynvme import vssd\nprint(vssd.private('vssd:size=16M'), flush=True)\n{end}")
    address = process.communicate(timeout=20)[0].strip()
    assert address and is_gone(address)


CTRL_C = """
import os, signal
from pynvme import vssd
signal.signal(signal.SIGINT, lambda *_: None)
os.setpgid(0, 0)
address = vssd.private("vssd:size=16M")
os.killpg(0, signal.SIGINT)
drive = vssd.VirtualSsd.attach(address)
print(vssd.died("vssd:size=16M"), os.getsid(drive.pid) != os.getsid(0))
"""


@pytest.mark.parametrize("closed", [(0,), (1,), (0, 1, 2)])
def test_a_drive_of_a_script_without_standard_streams_ends_with_it(closed: tuple[int, ...]) -> None:
    told, teller = os.pipe()
    code = f"""
import os
[os.close(number) for number in {closed}]
from pynvme.vssd import VirtualSsd
drive = VirtualSsd(size="16M")
os.write({teller}, drive.address.encode())
os._exit(0)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        command = [sys.executable, "-c", code]
        subprocess.run(command, env=environment, pass_fds=(teller,), check=True, timeout=30)
        address = os.read(told, 200).decode()
    finally:
        os.close(told)
        os.close(teller)
    if not is_gone(address):
        os.kill(VirtualSsd.attach(address).pid, signal.SIGKILL)
        pytest.fail("it outlives its script")


def test_ctrl_c_does_not_reach_the_drive() -> None:
    assert script(CTRL_C).communicate(timeout=20)[0].split() == ["False", "True"]


FORK = """
import os, time
from pynvme import vssd
name = "vssd:size=16M"
mine = vssd.VirtualSsd(size="16M")
address = vssd.private(name)
if os.fork() == 0:
    mine.close()
    assert vssd.VirtualSsd.attach(address).running
    assert vssd.private(name) != address
    raise SystemExit(0)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
assert mine.running and vssd.private(name) == address
child = os.fork()
if child == 0:
    os.close(1)
    time.sleep(20)
print(address, mine.address, child, flush=True)
os._exit(0)
"""


def test_a_forked_child_neither_ends_nor_keeps_its_parents_drive() -> None:
    process = script(FORK)
    *addresses, child = process.communicate(timeout=20)[0].split()
    assert process.returncode == 0 and len(addresses) == 2
    assert all(map(is_gone, addresses)) and os.path.exists(f"/proc/{child}")
    os.kill(int(child), signal.SIGKILL)


def inheritable_descriptors() -> set[int]:
    found = set()
    for fd in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            found |= {fd} if os.get_inheritable(fd) else set()
    return found


def test_no_descriptor_is_inheritable() -> None:
    before = inheritable_descriptors()
    with VirtualSsd(size="16M"):
        assert inheritable_descriptors() == before


def test_a_script_leaves_no_descriptor_to_its_drive() -> None:
    with open("/dev/null") as other, VirtualSsd(size="16M") as ssd:
        os.set_inheritable(other.fileno(), True)
        with VirtualSsd(size="16M") as second:
            names = [
                os.readlink(f"/proc/{second.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{second.pid}/fd")
            ]
        assert names.count("/dev/null") == 2 and ssd.running
