# SPDX-License-Identifier: BSD-3-Clause
"""Power switches of ``Subsystem(nvme0, power=…)``: an object, a URL, and a scripted module of Quarch."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType, SimpleNamespace

import nvme
import pytest

from pynvme.lab import switch
from pynvme.vssd import VirtualSsd


class Relay:
    """A switch as a user writes one."""

    def __init__(self, ssd: VirtualSsd) -> None:
        self.ssd = ssd
        self.calls: list[str] = []

    def on(self) -> None:
        """Switch on."""
        self.calls.append("on")
        self.ssd.power(True)

    def off(self) -> None:
        """Switch off."""
        self.calls.append("off")
        self.ssd.power(False)


def lose_power(ssd: VirtualSsd, power: object) -> int:
    """Write, flush and lose the power; return how many LBAs read other data than they should."""
    pcie = nvme.Pcie(ssd.address)
    try:
        nvme0 = nvme.Controller(pcie)
        nvme0n1 = nvme.Namespace(nvme0, 1)
        assert nvme0n1.verify_enable(True)
        before = nvme0.smart.power_cycles
        options = {"io_size": 8, "lba_random": False, "region_end": 1024, "io_count": 128}
        nvme0n1.ioworker(read_percentage=0, **options).start().close()
        qpair = nvme.Qpair(nvme0, 8)
        nvme0n1.flush(qpair).waitdone()
        subsystem = nvme.Subsystem(nvme0, power=power)
        subsystem.power_cycle(0)
        nvme0.reset()
        assert nvme0.smart.power_cycles == before + 1
        nvme0n1.ioworker(read_percentage=100, **options).start().close()
        return int(nvme0n1.verify_stats().mismatch)
    finally:
        pcie.close()


@pytest.fixture
def relay(own_ssd) -> Relay:
    return Relay(own_ssd)


@pytest.fixture
def own_ssd() -> Iterator[VirtualSsd]:
    with VirtualSsd(size="64M") as ssd:
        yield ssd


def test_an_object_switches_the_power_and_flushed_data_are_there(relay):
    assert lose_power(relay.ssd, relay) == 0
    assert relay.calls == ["off", "on"]


def test_a_drive_that_does_not_flush_is_found_by_the_switch():
    with VirtualSsd(size="64M", bug="flush-does-nothing") as ssd:
        relay = Relay(ssd)
        with pytest.warns(UserWarning, match="io cmd error"), pytest.warns(UserWarning, match="07/81"):
            assert lose_power(ssd, relay) > 0


class Answers(BaseHTTPRequestHandler):
    """Answers each URL with the status that its last part names."""

    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(500 if "broken" in self.path else 200)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[SimpleNamespace]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    yield SimpleNamespace(root=f"http://127.0.0.1:{server.server_port}", asked=server.asked)  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_url_is_got_with_1_and_0(web):
    power = switch.switch(f"{web.root}/relay/3/{{value}}")
    power.off()
    power.on()
    assert web.asked == ["/relay/3/0", "/relay/3/1"]
    with pytest.raises(switch.PowerError, match=r"does not answer to .*/broken/0: HTTP Error 500"):
        switch.switch(f"{web.root}/broken/{{value}}").off()


def test_a_switch_that_is_gone_is_an_error_of_the_call(relay):
    power = switch.switch("http://127.0.0.1:9/{value}")
    with pytest.raises(switch.PowerError, match="Connection refused"):
        power.off()


class Module:
    """What a script sees of a module of Quarch by quarchpy."""

    def __init__(self, connection: str) -> None:
        if connection == "USB:gone":
            raise ConnectionError("no such module")
        self.sent: list[str] = []

    def sendCommand(self, command: str) -> str:
        """Answer as a module does: OK, or FAIL with a reason."""
        self.sent.append(command)
        return "FAIL: 0x41 - state invalid" if self.sent.count(command) > 1 else "OK\r\n"


def test_a_module_of_quarch_gets_its_commands(monkeypatch):
    fake = ModuleType("quarchpy.device")
    fake.getQuarchDevice = Module  # type: ignore[attr-defined]
    package = ModuleType("quarchpy")
    package.device = fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "quarchpy", package)
    monkeypatch.setitem(sys.modules, "quarchpy.device", fake)
    power = switch.switch("quarch:USB:QTL1743-03-001")
    power.off()
    power.on()
    assert power._module.sent == ["run:power down", "run:power up"]  # type: ignore[attr-defined]
    with pytest.raises(switch.PowerError, match=r"answers 'FAIL: 0x41 - state invalid' to 'run:power down'"):
        power.off()
    with pytest.raises(switch.PowerError, match="cannot open the module USB:gone: no such module"):
        switch.switch("quarch:USB:gone")


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "quarchpy", None)
    with pytest.raises(switch.PowerError, match=r"pip install 'pynvme\[quarch\]'"):
        switch.switch("quarch:USB:QTL1743-03-001")


@pytest.mark.parametrize("text", ["labgrid:", "quarch", "http://relay/1", "usb:1", ""])
def test_a_text_that_names_no_switch(text):
    with pytest.raises(ValueError, match="names no power switch: labgrid:PLACE, quarch:CONNECTION, or a URL"):
        switch.switch(text)


def test_what_is_no_switch(nvme0, relay):
    with pytest.raises(TypeError, match=r"with the methods on\(\) and off\(\), or a text"):
        nvme.Subsystem(nvme0, power=SimpleNamespace(on=1, off=2))
    with pytest.raises(ValueError, match="either power, or poweron_cb and poweroff_cb"):
        nvme.Subsystem(nvme0, poweron_cb=print, poweroff_cb=print, power=relay)
