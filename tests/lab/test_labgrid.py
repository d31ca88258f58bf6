# SPDX-License-Identifier: BSD-3-Clause
"""Places of labgrid, with its own coordinator and exporter: lent, refused, returned, and their power."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("labgrid")

from pynvme.lab import export, place, switch
from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded
from tests.ports import free_port
from tests.signals import takes_ctrl_c

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sys.executable).parent
PATIENCE = 60

PLACE = """\
{name}:
  aliases: []
  comment: ''
  tags: {tags}
  matches: [{{exporter: '*', group: '{group}', cls: '*', name: null, rename: null}}]
  created: 1.0
  changed: 1.0
"""


class Switch(BaseHTTPRequestHandler):
    """A power switch with one relay, which is set and read by URLs as labgrid's ``simplerest`` does it."""

    ssd: VirtualSsd
    requests: list[str]

    def do_GET(self) -> None:
        """Set the relay (/relay/0/1), or tell its state (/relay/0)."""
        self.requests.append(self.path)
        found = re.fullmatch(r"/relay/0(?:/([01]))?", self.path)
        if found and found[1]:
            self.ssd.power(found[1] == "1")
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(b"1" if self.ssd.info().powered else b"0")

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def relay() -> Iterator[SimpleNamespace]:
    """Give a virtual SSD, and the URL of the switch of its power."""
    with VirtualSsd(size="64M") as ssd:
        kind = type("OfSsd", (Switch,), {"ssd": ssd, "requests": []})
        server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/relay/{{index}}/{{value}}"
        yield SimpleNamespace(ssd=ssd, url=url, requests=kind.requests)
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def lab(relay: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Run a coordinator and an exporter, with a place for the virtual SSD and others that are of no use."""
    folder = tmp_path_factory.mktemp("lab")
    group = export.group(relay.ssd.address)
    drive = {"address": relay.ssd.address, "serial": "A{{b}}#1", "tags": ["rack=7", "new"]}
    resources = export.text([drive], "localhost")
    resources += f"  NetworkPowerPort: {{model: simplerest, host: {json.dumps(relay.url)}, index: 0}}\n"
    far = export.text([{"address": "0000:01:00.0"}], "elsewhere")
    resources += far[far.index('"0000') :]
    (folder / "resources.yaml").write_text(resources)
    places = {"slot1": group, "far": "0000-01-00.0", "empty": "nothing"}
    texts = [PLACE.format(name=name, tags="{lot: '42'}", group=one) for name, one in places.items()]
    (folder / "places.yaml").write_text("".join(texts))
    address = f"127.0.0.1:{free_port()}"
    log = (folder / "log").open("w")
    commands = [["labgrid-coordinator", "-l", address], ["labgrid-exporter", "-c", address, "resources.yaml"]]
    running = []
    before = os.environ.get("LG_COORDINATOR")
    os.environ["LG_COORDINATOR"] = address
    try:
        for command in commands:
            words = [str(SCRIPTS / command[0]), *command[1:]]
            running.append(subprocess.Popen(words, cwd=folder, stdout=log, stderr=subprocess.STDOUT))
            wait_for(lambda: is_up(address) or running[0].poll() is not None)
        wait_for(lambda: len(place.look("slot1").resources) == 2)
        yield SimpleNamespace(address=address, group=group, log=folder / "log")
    finally:
        if before is None:
            del os.environ["LG_COORDINATOR"]
        else:
            os.environ["LG_COORDINATOR"] = before
        for process in reversed(running):
            process.terminate()
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        log.close()


def is_up(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as one:
        return one.connect_ex((host, int(port))) == 0


def wait_for(condition: object) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end or loaded()
        time.sleep(0.05)


def show(name: str) -> str:
    """What labgrid's own client says of a place."""
    command = [str(SCRIPTS / "labgrid-client"), "-p", name, "show"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_place_is_lent_refused_to_a_second_one_and_returned(lab, relay):
    with place.Lent("slot1") as lent:
        assert lent.address == relay.ssd.address
        assert lent.drive.params["serial"] == "A{{b}}#1"
        assert lent.drive.params["tags"] == "rack=7,new"
        assert lent.place.drive_tags() == ["lot=42"]
        mine = f"{place.user()}-pynvme-{os.getpid()}"
        said = show("slot1")
        assert f"acquired: {mine}\n" in said and f"{lab.group}/NVMeDrive/NVMeDrive" in said
        with pytest.raises(
            place.PlaceError, match=rf"cannot be acquired: slot1 is acquired by {mine}\. Wait"
        ):
            place.Lent("slot1")
    found = place.look("slot1")
    assert found.acquired == ""
    lent.close()  # a second time


def test_a_second_one_waits_until_the_place_is_returned(lab):
    first = place.Lent("slot1")
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        first.close()

    with place.Lent("slot1", PATIENCE, tell) as second:
        assert second.place.acquired.endswith(f"-pynvme-{os.getpid()}")
    assert told == [f"waiting for place slot1: slot1 is acquired by {second.place.acquired}"]


KILLED = """
import os, sys, time
from pynvme.lab.place import Lent
lent = Lent("slot1")
print("lent", flush=True)
time.sleep(600)
"""


def test_a_place_is_returned_when_the_script_is_killed_with_its_group(lab):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED], stdout=subprocess.PIPE, cwd=ROOT, start_new_session=True
    )
    assert process.stdout is not None and process.stdout.readline() == b"lent\n"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with place.Lent("slot1", PATIENCE):
        pass


def test_a_script_that_is_killed_while_it_waits_gets_no_place_later(lab):
    with place.Lent("slot1"):
        waiting = subprocess.Popen(
            [sys.executable, "-c", KILLED.replace('"slot1"', '"slot1", 600')],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert waiting.stdout is not None
        assert waiting.stdout.readline().startswith(b"waiting for place slot1")
        waiting.kill()
        waiting.wait()
        waiting.stdout.close()
        time.sleep(3 * place.RETRY)
    assert place.look("slot1").acquired == ""


POWER = """
import time
import nvme

def test_verified_writes_and_a_loss_of_power(nvme0, nvme0n1, subsystem, verify, nvme_place, nvme_power):
    assert nvme_place.tags == {"lot": "42"} and "NetworkPowerPort" in repr(nvme_power)
    before = nvme0.smart.power_cycles
    write = dict(io_size=8, read_percentage=0)
    nvme0n1.ioworker(lba_random=False, region_end=4096, io_count=512, **write).start().close()
    qpair = nvme.Qpair(nvme0, 8)
    nvme0n1.flush(qpair).waitdone()
    qpair.delete()
    worker = nvme0n1.ioworker(region_start=4096, region_end=8192, time=60, **write).start()
    time.sleep(0.3)
    subsystem.poweroff()
    assert worker.close().io_count_write > 0
    subsystem.poweron()
    nvme0.reset()
    assert nvme0.smart.power_cycles == before + 1
    read = dict(io_size=8, lba_random=False, read_percentage=100)
    result = nvme0n1.ioworker(region_end=4096, io_count=512, **read).start().close()
    assert result.error == 0 and result.lba_verified == 4096
    assert nvme0n1.ioworker(region_end=8192, io_count=1024, **read).start().close().error == 0
    assert nvme0n1.verify_stats().mismatch == 0
"""


def run_pytest(folder: Path, body: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(body)
    plugins = ["-p", "pynvme.plugin", "-p", "no:labgrid", "-p", "no:hypothesispytest", "-p", "no:randomly"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, *words, str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=folder,
    )


def test_pytest_borrows_a_place_and_switches_its_power_during_verified_writes(lab, relay, tmp_path):
    del relay.requests[:]
    done = run_pytest(tmp_path, POWER, "--nvme-place=slot1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert relay.requests == ["/relay/0/0", "/relay/0/1"]
    assert place.look("slot1").acquired == ""


def test_what_pytest_refuses(lab, pytester):
    pytester.makepyfile("def test_it(pciaddr): print()")

    def said(*words: str) -> str:
        done = pytester.runpytest_inprocess("-p", "no:labgrid", "-p", "no:randomly", *words)
        assert done.ret == pytest.ExitCode.USAGE_ERROR
        return " ".join(done.stderr.str().split())

    here = socket.gethostname()
    assert f"the drive of place far is at elsewhere, and this host is {here}: run" in said("--nvme-place=far")
    assert "--nvme-place gives the address of the drive: leave out --pciaddr" in said(
        "--nvme-place=slot1", "--pciaddr=vssd:size=1G"
    )
    assert "--nvme-place-wait: 'soon' is no time" in said("--nvme-place=slot1", "--nvme-place-wait=soon")
    assert place.look("far").acquired == ""


def test_places_of_no_use(lab, monkeypatch):
    with pytest.raises(place.PlaceError, match=r"has no place slot: did you mean slot1\?"):
        place.Lent("slot")
    with place.Lent("empty") as lent, pytest.raises(place.PlaceError, match=r"matches \*/nothing/\*"):
        lent.address  # noqa: B018
    with pytest.raises(switch.PowerError, match="place slot1 is not acquired: acquire it first"):
        switch.switch("labgrid:slot1")
    with place.Lent("far"), pytest.raises(switch.PowerError, match="place far has no power port"):
        switch.switch("labgrid:far")
    monkeypatch.setenv("LG_COORDINATOR", f"127.0.0.1:{free_port()}")
    with pytest.raises(place.PlaceError, match=r"no coordinator of labgrid answers at 127\.0\.0\.1:"):
        place.look("slot1")


def test_a_switch_of_a_place_that_this_user_has_acquired(lab, relay):
    with place.Lent("slot1"):
        power = switch.switch("labgrid:slot1")
        power.off()
        assert not relay.ssd.info().powered
        power.on()
        assert relay.ssd.info().powered


def test_labgrid_reads_the_file_as_it_was_meant(tmp_path, capsys):
    from labgrid.remote.config import ResourceConfig

    model = 'a "b" {{ c }} {% d %} {# e #} ä'
    file = tmp_path / "drives.yaml"
    file.write_text(
        export.text(
            [{"address": "0000:01:00.0", "model": model, "serial": None, "capacity": 1 << 40}], "node1"
        )
    )
    assert ResourceConfig(str(file)).data == {
        "0000-01-00.0": {
            "NVMeDrive": {
                "cls": "NVMeDrive",
                "host": "node1",
                "address": "0000:01:00.0",
                "model": model,
                "capacity": 1 << 40,
            }
        }
    }


PLAN = """
[campaign]
name = "rack"
[[drives]]
name = "rack"
place = "{place}"
[[tasks]]
name = "own"
files = ["test_own.py"]
"""

OWN = """
def test_it(nvme0, pciaddr):
    assert pciaddr == {address!r} and nvme0.getfeatures(7).waitdone() >= 0
"""


def plan(folder: Path) -> list[str]:
    """The words for a campaign in the place slot1."""
    (folder / "plan.toml").write_text(PLAN.format(place="slot1"))
    return ["campaign", str(folder / "plan.toml"), "--folder", str(folder / "done")]


def start(folder: Path) -> subprocess.Popen[str]:
    command = takes_ctrl_c([sys.executable, "-m", "pynvme", *plan(folder)])
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)


@pytest.mark.slow
def test_a_campaign_waits_for_a_place_and_borrows_it_for_its_jobs(lab, relay, tmp_path):
    (tmp_path / "test_own.py").write_text(OWN.format(address=relay.ssd.address))
    with place.Lent("slot1"):
        running = start(tmp_path)
        assert "waiting for place slot1: slot1 is acquired by " in running.stdout.readline()
        time.sleep(1)
        assert running.poll() is None and place.look("slot1").acquired.endswith(f"-{os.getpid()}")
    output = running.communicate(timeout=120)[0]
    assert running.returncode == 0, output
    events = [json.loads(line) for line in (tmp_path / "done/journal.jsonl").read_text().splitlines()]
    (drive,) = (event for event in events if event["event"] == "drive")
    assert drive["address"] == relay.ssd.address and {"place=slot1", "lot=42"} <= set(drive["tags"])
    assert [event["outcome"] for event in events if event["event"] == "end"] == ["passed"]
    assert place.look("slot1").acquired == ""


def test_ctrl_c_ends_the_waiting_of_a_campaign_for_a_place(lab, tmp_path):
    (tmp_path / "test_own.py").write_text(OWN)
    with place.Lent("slot1"):
        running = start(tmp_path)
        assert "waiting for place slot1" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        assert running.communicate(timeout=60)[0] == "ended before the first job\n"
        assert running.returncode == 130
    assert place.look("slot1").acquired == ""
    assert not (tmp_path / "done").exists()


@pytest.mark.slow
def test_a_campaign_waits_no_longer_than_its_plan_says(lab, tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "PLAN", PLAN.replace('"{place}"', '"{place}"\nwait = "1s"'))
    (tmp_path / "test_own.py").write_text(OWN)
    with place.Lent("slot1"):
        running = start(tmp_path)
        output = running.communicate(timeout=60)[0]
    assert running.returncode == 2
    assert "[[drives]] rack: place slot1 cannot be acquired: slot1 is acquired by " in output
    assert not (tmp_path / "done").exists()
