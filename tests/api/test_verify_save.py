# SPDX-License-Identifier: BSD-3-Clause
"""What verification knows, saved in a file and loaded by another process, which judges by it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd

HEAD = """
import sys, warnings
import nvme as d
warnings.simplefilter("ignore")
address, file = sys.argv[1:]
pcie = d.Pcie(address)
nvme0 = d.Controller(pcie)
ns, qpair, buf = d.Namespace(nvme0), d.Qpair(nvme0, 64), d.Buffer(4096)

def write(lba, count=8):
    ns.write(qpair, buf, lba, count).waitdone()

def work(**options):
    result = ns.ioworker(io_size=8, **options).start().close()
    assert result.error in (0, -6), result.error

def read(first, past):
    "Read all, and print what became of them."
    for lba in range(first, past, 8):
        ns.read(qpair, buf, lba, 8).waitdone()
    print(dict(ns.verify_stats()))

def load(**options):
    print(dict(ns.verify_load(file, **options)))

def die():
    import os, signal
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""

KNOWN = 4096


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "drive.verify")


@pytest.fixture
def run(own_ssd: VirtualSsd, file: str, environment: dict[str, str]) -> Callable[..., list[dict[str, int]]]:
    """Give ``run(code)``: runs it in a process of its own, and returns what it prints."""

    def one(code: str, dies: bool = False, address: str = own_ssd.address) -> list[dict[str, int]]:
        done = subprocess.run(
            [sys.executable, "-c", HEAD + code, address, file],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == (-signal.SIGKILL if dies else 0), done.stderr
        return [eval(line) for line in done.stdout.splitlines()]

    return one


def flip(ssd: VirtualSsd, lba: int) -> None:
    data = bytearray(ssd.peek(1, lba))
    data[100] ^= 1
    ssd.poke(1, lba, data)


FILL = f"work(read_percentage=0, lba_random=False, io_count={KNOWN // 8}, region_end={KNOWN})\n"
SAVE = FILL + f"assert ns.verify_save(file) == {KNOWN}\n"
LOADED = {"known": KNOWN, "stale": 0, "lost": 0}


def test_a_later_process_judges_all_and_finds_what_happened_without_a_host(own_ssd, run) -> None:
    run(SAVE)
    loaded, found = run(f"load(); read(0, {KNOWN})")
    assert loaded == LOADED and found == {"judged": KNOWN, "unverified": 0, "mismatch": 0}
    flip(own_ssd, 77)
    own_ssd.poke(1, 78, own_ssd.peek(1, 79))
    loaded, found = run(f"load(); read(0, {KNOWN})")
    assert loaded == LOADED and found == {"judged": KNOWN, "unverified": 0, "mismatch": 2}


def test_workers_judge_what_was_loaded(own_ssd, run) -> None:
    run(SAVE)
    flip(own_ssd, 3000)
    _, found = run(f"load(); work(lba_random=False, io_count={KNOWN // 8}, region_end={KNOWN})\n"
                   "print(dict(ns.verify_stats()))")  # fmt: skip
    assert found["mismatch"] == 1


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        ("write(16)", 8),
        ("ns.write_zeroes(qpair, 32, 4).waitdone()", 4),
        ("buf.set_dsm_range(0, 100, 10); ns.dsm(qpair, buf, 1).waitdone()", 10),
        ("ns.send_cmd(1, qpair, buf, 1, 8, 0, 7).waitdone()", 8),
        ("ns.verify_forget(0, 5)", 5),
        ("work(read_percentage=50, region_end=64, io_count=100)", 64),
        ("ns.verify_enable(False); work(read_percentage=0, region_end=64, io_count=100)", 64),
        ("nvme0.format(0).waitdone()", KNOWN),
        ("ns.send_cmd(0xc1, qpair, buf).waitdone()", KNOWN),
        ("ns.ioworker(io_size=8, read_percentage=0, region_end=640, time=20).start()", 640),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "end", ["die()", pytest.param("pass", marks=pytest.mark.slow)], ids=["killed", "closed"]
)
def test_what_a_session_changes_is_not_judged_by_the_next(run, change: str, stale: int, end: str) -> None:
    run(SAVE)
    run(f"load()\n{change}\n{end}", dies=end == "die()")
    for _ in range(2):
        loaded, found = run(f"load(); read(0, {KNOWN})")
        assert loaded == {"known": KNOWN - stale, "stale": stale, "lost": 0}
        assert found == {"judged": KNOWN - stale, "unverified": stale, "mismatch": 0}


def test_a_later_save_has_what_was_written_since(own_ssd, run) -> None:
    run(SAVE)
    run(f"load(); write(16); write({KNOWN}); ns.verify_save(file); die()", dies=True)
    flip(own_ssd, 20)
    loaded, found = run(f"load(); read(0, {KNOWN + 8})")
    assert loaded["known"] == KNOWN + 8 and found["mismatch"] == 1


def test_each_file_of_a_session_is_kept_true(run, file: str) -> None:
    run(SAVE + "ns.verify_save(file + '.2'); write(0); ns.verify_save(file + '.3'); write(8)")
    for name, stale in (("", 16), (".2", 16), (".3", 8)):
        os.replace(file + name, file)
        (loaded,) = run("load()")
        assert loaded["stale"] == stale


def test_a_host_that_writes_without_the_file_is_noticed(own_ssd, run, file: str) -> None:
    run(SAVE)
    run("write(16)")
    (text,) = run("try: ns.verify_load(file)\nexcept ValueError as error: print({'text': str(error)})")
    assert "has executed 1 write commands" in text["text"] and file in text["text"]
    (loaded,) = run("load(trust_counts=True)")
    assert loaded == LOADED


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Callable[[], VirtualSsd]]:
    """Give a function that starts a virtual SSD with data in a file."""
    started: list[VirtualSsd] = []

    def start() -> VirtualSsd:
        started.append(VirtualSsd(size="64M", file=str(tmp_path / "data")))
        return started[-1]

    yield start
    for ssd in started:
        ssd.close()


@pytest.mark.parametrize("end", ["", "write(0, 8)", "ns.flush(qpair).waitdone(); write(0, 8)"])
def test_a_drive_that_is_killed_loses_only_what_was_not_flushed(kept, run, end: str) -> None:
    ssd = kept()
    run(
        f"{FILL}ns.flush(qpair).waitdone()\nwrite({KNOWN}, 8)\nns.verify_save(file)\n{end}\ndie()",
        True,
        ssd.address,
    )
    os.kill(ssd.pid, signal.SIGKILL)
    ssd.wait(10)
    ssd = kept()
    loaded, found = run(f"load(); read(0, {KNOWN + 8})", address=ssd.address)
    stale = 8 if end else 0
    assert loaded == {"known": KNOWN - stale, "stale": stale, "lost": 8}
    assert found == {"judged": KNOWN - stale, "unverified": 8 + stale, "mismatch": 0}
    flip(ssd, 300)
    loaded, found = run(f"load(); read(0, {KNOWN})", address=ssd.address)
    assert found["mismatch"] == 1


def test_a_drive_that_was_shut_down_and_switched_off_keeps_everything(kept, run) -> None:
    ssd = kept()
    run(f"{SAVE}write({KNOWN})\nns.verify_save(file)", address=ssd.address)
    ssd.close()
    loaded, found = run(f"load(); read(0, {KNOWN + 8})", address=kept().address)
    assert loaded == {"known": KNOWN + 8, "stale": 0, "lost": 0} and found["mismatch"] == 0


def test_a_loss_of_power_after_the_save_in_the_same_session(own_ssd, run) -> None:
    run(SAVE + f"ns.flush(qpair).waitdone(); write({KNOWN}); ns.verify_save(file)\n"
        "system = d.Subsystem(nvme0); system.poweroff(); system.poweron(); nvme0.reset()")  # fmt: skip
    loaded, found = run(f"load(); read(0, {KNOWN + 8})")
    assert loaded == {"known": KNOWN, "stale": 0, "lost": 8} and found["mismatch"] == 0


def test_a_script_that_is_killed_at_any_moment_leaves_no_false_alarm(
    own_ssd, file: str, run, environment
) -> None:
    code = HEAD + (
        "import os, random, itertools\n"
        "if os.path.exists(file): ns.verify_load(file)\n"
        f"{FILL}"
        "print(); sys.stdout.flush()\n"
        "mix = {1: 60, 2: 20, 8: 10, 9: 10}\n"
        "place = {'region_start': 3000, 'region_end': 4000}\n"
        "worker = ns.ioworker(io_size=[1, 8], op_percentage=mix, time=60, **place)\n"
        "ns.verify_save(file)\n"
        "for turn in itertools.count():\n"
        "    for _ in range(random.randrange(20)): write(random.randrange(0, 2900), random.choice((1, 8)))\n"
        "    if random.random() < 0.3: ns.verify_save(file)\n"
        "    if random.random() < 0.1: worker.start(); break\n"
        "while True: write(random.randrange(0, 2900), 1)\n"
    )  # fmt: skip
    judged = 0
    for turn in range(6):
        script = subprocess.Popen(
            [sys.executable, "-c", code, own_ssd.address, file], env=environment, stdout=subprocess.PIPE
        )
        assert script.stdout is not None
        script.stdout.readline()
        time.sleep(0.05 + 0.05 * turn)
        script.kill()
        script.wait()
        script.stdout.close()
        _, found = run(f"load(); read(0, {KNOWN})")
        assert found["mismatch"] == 0
        judged += found["judged"]
    assert judged > KNOWN


def test_nothing_is_saved_or_loaded_while_a_worker_writes(own, file: str) -> None:
    worker = own.nvme0n1.ioworker(io_size=8, read_percentage=0, region_end=4096, time=3).start()
    for call in (own.nvme0n1.verify_save, own.nvme0n1.verify_load):
        with pytest.raises(RuntimeError, match="an IO worker writes to namespace 1"):
            call(file)
    assert worker.close().error == 0
    assert not os.path.exists(file)
    reader = own.nvme0n1.ioworker(io_size=8, region_end=4096, time=1).start()
    own.nvme0n1.verify_save(Path(file))
    reader.close()
    assert os.listdir(os.path.dirname(file)) == [os.path.basename(file)]


def test_a_file_of_another_drive_or_format_is_refused_by_name(own, file: str) -> None:
    own.nvme0n1.verify_save(file)
    with VirtualSsd(size="64M", namespaces=2, serial="OTHER") as ssd:
        pcie = d.Pcie(ssd.address)
        first, second = (d.Namespace(d.Controller(pcie), nsid) for nsid in (1, 2))
        with pytest.raises(ValueError, match=r'serial number "[^"]+", and this is "OTHER"'):
            first.verify_load(file)
        second.verify_save(file)
        with pytest.raises(ValueError, match="namespace 2, and this is 1"):
            first.verify_load(file)
        first.verify_save(file)
        first.format(4096)
        with pytest.raises(ValueError, match="bytes: 512, and this is 4096"):
            first.verify_load(file)
        pcie.close()


@pytest.mark.parametrize("extended", [False, True], ids=["separate", "extended"])
def test_a_later_process_judges_metadata(run, file: str, extended: bool) -> None:
    options = {"extended_lba": True} if extended else {}
    with VirtualSsd(size="64M", metadata_size=8, **options) as ssd:
        run(SAVE, address=ssd.address)
        work = f"work(lba_random=False, io_count={KNOWN // 8}, region_end={KNOWN})\n"
        code = f"load(); {work}print(dict(ns.verify_stats()))"
        loaded, found = run(code, address=ssd.address)
        assert loaded == LOADED and found == {"judged": KNOWN, "unverified": 0, "mismatch": 0}
        with ssd.fault("opcode=read lba=77 do flip byte=3 metadata=1"):
            loaded, found = run(code, address=ssd.address)
        assert loaded == LOADED and found["mismatch"] == 1
        own = d.Controller(d.Pcie(ssd.address))
        d.Namespace(own).format(512, 16)
        with pytest.raises(ValueError, match="bytes of metadata: 8, and this is 16"):
            d.Namespace(own).verify_load(file)
        own.pcie.close()


@pytest.mark.parametrize("name", ["", "a\0b", "/no/such/folder/file"])
def test_wrong_names(own, name: str) -> None:
    for call in (own.nvme0n1.verify_save, own.nvme0n1.verify_load):
        with pytest.raises((AssertionError, OSError)):
            call(name)
    with pytest.raises(TypeError):
        own.nvme0n1.verify_save(5)


def test_a_file_that_cannot_be_kept_true_is_emptied(own, file: str, caplog: pytest.LogCaptureFixture) -> None:
    pair = d.Qpair(own.nvme0, 8)
    own.nvme0n1.write(pair, d.Buffer(4096), 0, 8).waitdone()
    own.nvme0n1.verify_save(file)
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(file), before[1]))
        own.nvme0n1.write(pair, d.Buffer(4096), 0, 8).waitdone()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    own.nvme0.getfeatures(7).waitdone()
    assert os.path.getsize(file) == 0
    with pytest.raises(ValueError, match="no file of verify_save"):
        own.nvme0n1.verify_load(file)
