# SPDX-License-Identifier: BSD-3-Clause
"""Fault rules as scripts and tests use them, and what the driver makes of a drive with faults."""

from __future__ import annotations

import logging
import time
from typing import Callable

import nvme as d
import pytest

from pynvme import spec, vssd
from pynvme.vssd import Fault, VirtualSsd
from tests.fix_load import loaded

SMALL = "vssd:name=faults,size=64M,error_injection"

pytestmark = pytest.mark.filterwarnings("ignore:ERROR status")


@pytest.fixture(scope="session")
def pciaddr() -> str:
    """A virtual SSD of these tests' own."""
    return SMALL


@pytest.fixture
def ssd(pcie: d.Pcie) -> VirtualSsd:
    return VirtualSsd.attach(SMALL)


def statuses(run: Callable[[Callable[..., None]], d.Qpair]) -> list[int]:
    """SCT << 8 | SC of the command that ``run`` sends with the callback that it gets."""
    found: list[int] = []
    run(lambda cdw0, status: found.append(status >> 1 & 0x7FF)).waitdone()
    return found


def test_a_rule_lives_as_long_as_its_block(
    ssd: VirtualSsd, nvme0n1: d.Namespace, qpair: d.Qpair, buf: d.Buffer
) -> None:
    with ssd.fault("name=bad opcode=read lba=5 do status=00/06 dnr=0") as fault:
        assert [rule.text for rule in ssd.faults()] == ["name=bad opcode=read lba=5 do status=00/06 dnr=0"]
        assert statuses(lambda cb: nvme0n1.read(qpair, buf, 5, 1, cb=cb)) == [0x006]
        assert statuses(lambda cb: nvme0n1.read(qpair, buf, 6, 1, cb=cb)) == [0]
        assert (fault.matched, fault.fired) == (1, 1)
        (entry,) = fault.log()
        assert (entry.rule, entry.place, entry.qid, entry.opcode, entry.nsid, entry.slba) == (
            fault.numbers[0],
            "command",
            qpair.sqid,
            2,
            1,
            5,
        )
        assert ssd.fired(entry.entry) == [entry]
    assert ssd.faults() == [] and (fault.matched, fault.fired) == (1, 1)
    assert statuses(lambda cb: nvme0n1.read(qpair, buf, 5, 1, cb=cb)) == [0]


def test_a_host_injects_an_error(
    ssd: VirtualSsd, nvme0: d.Controller, nvme0n1: d.Namespace, qpair: d.Qpair, buf: d.Buffer
) -> None:
    data = d.Buffer(4096)
    entry = spec.OcpErrorInjection(data)
    entry.flags.enable, entry.flags.single = 1, 1
    entry.type, entry.nrtdp = spec.OcpError.NAND_CORRUPTION, 2
    nvme0.setfeatures(spec.OcpFeatureId.ERROR_INJECTION, buf=data, cdw11=1).waitdone()
    assert [rule.text for rule in ssd.faults()] == ["opcode=read nth=2 do status=02/81 count=1"]
    found = [statuses(lambda cb: nvme0n1.read(qpair, buf, 5, 1, cb=cb)) for _ in range(3)]
    assert found == [[0], [0x281], [0]]
    nvme0.getfeatures(spec.OcpFeatureId.ERROR_INJECTION, buf=data).waitdone()
    assert (entry.flags.enable, entry.flags.single, entry.type) == (0, 1, spec.OcpError.NAND_CORRUPTION)
    nvme0.setfeatures(spec.OcpFeatureId.ERROR_INJECTION).waitdone()
    assert ssd.faults() == []


def test_a_wrong_rule_is_a_value_error_and_nothing_is_planted(ssd: VirtualSsd) -> None:
    with pytest.raises(ValueError, match=r'"fliip" is no action.*opcode=read do fliip'):
        ssd.fault("opcode=write do skip", "opcode=read do fliip")
    with pytest.raises(ValueError, match="no fault rule"):
        ssd.fault("")
    with pytest.raises(ValueError, match="ASCII"):
        ssd.fault("do \N{LATIN SMALL LETTER E WITH ACUTE}")
    assert ssd.faults() == []
    with pytest.raises(ValueError, match="has no fault rule 'nobody'"):
        ssd.release("nobody")


def test_a_held_command_completes_when_it_is_released(
    ssd: VirtualSsd, nvme0n1: d.Namespace, qpair: d.Qpair, buf: d.Buffer
) -> None:
    found: list[int] = []
    with ssd.fault("name=stuck opcode=read do hold") as fault:
        nvme0n1.read(qpair, buf, 0, 1, cb=lambda cdw0, status: found.append(status >> 1))
        assert not found
        fault.release()
        qpair.waitdone()
        nvme0n1.read(qpair, buf, 0, 1, cb=lambda cdw0, status: found.append(status >> 1))
        ssd.release("stuck")
        qpair.waitdone()
    assert found == [0, 0]


@pytest.mark.parametrize("depth", [2, 3, 17])
def test_a_worker_has_all_commands_of_its_queue_in_the_drive(
    ssd: VirtualSsd, nvme0n1: d.Namespace, depth: int
) -> None:
    with ssd.fault("opcode=read do hold") as fault:
        worker = nvme0n1.ioworker(io_size=8, read_percentage=100, io_count=50, qdepth=depth).start()
        patience = time.monotonic() + 5
        while fault.fired < depth - 1 and time.monotonic() < patience:
            time.sleep(0.01)
        held = fault.fired
        fault.remove()
        assert worker.close().io_count_read == 50
        assert held == depth - 1


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("opcode=write do skip", "lost"),
        ("opcode=write slba=8 do set slba=9", "lost"),
        ("opcode=read do flip byte=100", "corrupt"),
        ("opcode=read slba=8 do set slba=16", "misdirected"),
        ("opcode=read writes>=2 do older", "stale"),
        ("opcode=write bytes>=4096 do torn=512", "lost"),
    ],
)
def test_verification_finds_wrong_data(
    ssd: VirtualSsd,
    nvme0n1: d.Namespace,
    qpair: d.Qpair,
    buf: d.Buffer,
    caplog: pytest.LogCaptureFixture,
    rule: str,
    kind: str,
) -> None:
    assert nvme0n1.verify_enable(True)
    nvme0n1.write_zeroes(qpair, 0, 64).waitdone()
    nvme0n1.write(qpair, buf, 16, 8).waitdone()
    with ssd.fault(rule) as fault, caplog.at_level(logging.WARNING):
        nvme0n1.write(qpair, buf, 8, 8).waitdone()
        if kind == "stale":
            nvme0n1.write(qpair, buf, 8, 8).waitdone()
        with pytest.warns(UserWarning):
            assert statuses(lambda cb: nvme0n1.read(qpair, buf, 8, 8, cb=cb)) == [0x281 | 0x500]
        assert fault.fired
    assert kind in caplog.text
    nvme0n1.verify_forget()


@pytest.mark.fault("opcode=flush do status=00/06 dnr=0")
def test_the_mark_plants_rules(ssd: VirtualSsd, nvme0n1: d.Namespace, qpair: d.Qpair) -> None:
    assert statuses(lambda cb: nvme0n1.flush(qpair, cb=cb)) == [0x006]
    assert len(ssd.faults()) == 1


def test_the_fixture_plants_rules(
    faults: Callable[..., Fault], ssd: VirtualSsd, nvme0n1: d.Namespace, qpair: d.Qpair
) -> None:
    fault = faults("opcode=flush do status=00/06 dnr=0 count=1")
    assert statuses(lambda cb: nvme0n1.flush(qpair, cb=cb)) == [0x006]
    assert statuses(lambda cb: nvme0n1.flush(qpair, cb=cb)) == [0]
    assert fault.fired == 1


def test_the_last_test_has_left_no_rule(ssd: VirtualSsd) -> None:
    assert ssd.faults() == []


def test_rules_are_options_of_a_drive() -> None:
    with VirtualSsd(size="16M", fault=["opcode=read do skip", "name=b do late=1us"]) as ssd:
        assert [rule.text for rule in ssd.faults()] == ["opcode=read do skip", "name=b do late=1us"]
        ssd.clear_faults()
        assert ssd.faults() == []


def test_an_address_may_have_several_rules() -> None:
    address = "vssd:size=16M,fault=opcode=read do skip,fault=opcode=flush lba=5 do skip"
    try:
        d.Pcie(address).close()
        ssd = VirtualSsd.attach(address)
        assert [rule.text for rule in ssd.faults()] == ["opcode=read do skip", "opcode=flush lba=5 do skip"]
    finally:
        vssd.discard(address)


def log_of(queue: d.Qpair | d.Controller, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """What the command log says of each command, the newest first."""
    capsys.readouterr()
    queue.cmdlog()
    blocks: list[list[str]] = []
    for line in capsys.readouterr().out.splitlines()[1:]:
        if line.startswith("command sent"):
            blocks.append([])
        if blocks:
            blocks[-1].append(line)
    return blocks


def test_the_command_log_says_which_rule_fired(
    ssd: VirtualSsd, nvme0n1: d.Namespace, qpair: d.Qpair, buf: d.Buffer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands one at a time, which reuse their CIDs at once: only the time tells them apart."""
    nvme0n1.verify_enable(False)
    with ssd.fault(
        "opcode=read lba=5 every=3 do flip byte=100", "opcode=read lba=5 every=5 do late=1us"
    ) as fault:
        for _ in range(200):
            nvme0n1.read(qpair, buf, 5).waitdone()
        blocks = log_of(qpair, capsys)[::-1][-200:]
    flip, late = fault.numbers
    for count, block in enumerate(blocks, 1):
        said = [line.partition(": ")[2] for line in block if line.startswith("fired at")]
        wanted = [f"rule {flip} (data): opcode=read lba=5 every=3 do flip byte=100"] * (count % 3 == 0)
        wanted += [f"rule {late} (completion): opcode=read lba=5 every=5 do late=1us"] * (count % 5 == 0)
        assert [line.replace("lba=0x5", "lba=5") for line in said] == wanted, (count, said)
    assert all(
        "removed since" in line for block in log_of(qpair, capsys) for line in block if "fired" in line
    )
    nvme0n1.verify_enable(True)


def test_the_admin_log_says_it_too(
    ssd: VirtualSsd, nvme0: d.Controller, capsys: pytest.CaptureFixture[str]
) -> None:
    with ssd.fault("opcode=get-features feature=7 do status=00/06 dnr=0 count=1"):
        nvme0.getfeatures(7).waitdone()
        nvme0.getfeatures(7).waitdone()
        second, first = log_of(nvme0, capsys)[:2]
    assert not any("fired" in line for line in second)
    assert any(line.startswith("fired") and "(command): opcode=get-features" in line for line in first)


def test_a_drive_that_reports_a_fatal_status_is_given_up_at_once() -> None:
    """Each command of the driver's own would else be awaited to its time-out, four of them while it opens."""
    start = time.monotonic()
    with (
        VirtualSsd(fault="on=doorbell do fatal") as own,
        pytest.raises(d.NvmeEnumerateError, match=r"CSTS\.CFS is 1"),
    ):
        d.Controller(own.address)
    took = time.monotonic() - start
    assert took < 8 or loaded(), took


def test_a_reset_that_fails_is_an_error_and_a_later_one_works() -> None:
    quick = ["register=CAP do set value[31:24]=1", "register=CRTO do set value=0x00010001"]
    with VirtualSsd(size="64M", fault=quick) as drive:
        pcie = d.Pcie(drive.address)
        nvme0 = d.Controller(pcie)
        nvme0n1, buf = d.Namespace(nvme0), d.Buffer(512)
        with drive.fault("register=CC access=write do drop") as fault:
            with pytest.raises(TimeoutError, match="is not disabled"):
                nvme0.reset()
            assert fault.fired
        nvme0.reset()
        with (
            drive.fault("on=doorbell do fatal"),
            pytest.raises(d.NvmeEnumerateError, match=r"CSTS\.CFS is 1"),
        ):
            nvme0.reset()
        nvme0.reset()
        qpair = d.Qpair(nvme0, 4)
        nvme0n1.read(qpair, buf, 0).waitdone()
        pcie.close()
