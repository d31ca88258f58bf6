# SPDX-License-Identifier: BSD-3-Clause
"""The suite on drives that let a host inject errors, and on one that wears out: right, and with faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import nvme as d
import pytest

from pynvme.spec import OcpError
from pynvme.suite import Finding, test_age, test_injection
from pynvme.suite.drive import Drive
from pynvme.suite.model import Model
from pynvme.suite.test_injection import Injector
from pynvme.suite.traffic import model_of
from pynvme.suite.writing import Writer
from pynvme.vssd import VirtualSsd

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning"), pytest.mark.nvme_errors("warn")]


@pytest.fixture(scope="module")
def ssd() -> Iterator[SimpleNamespace]:
    with VirtualSsd(size="64M", error_injection=True, endurance="4M") as ssd:
        nvme0 = d.Controller(ssd.address)
        yield SimpleNamespace(ssd=ssd, nvme0=nvme0)
        nvme0.pcie.close()


@pytest.fixture
def drive(ssd: SimpleNamespace) -> Iterator[Drive]:
    ssd.ssd.age(used=0, spare=100, read_only=False)
    drive = Drive(ssd.nvme0, d.Subsystem(ssd.nvme0), 7, "a_test")
    drive.ns.verify_enable(False)
    yield drive
    drive.nvme0.timeout = 10_000
    ssd.ssd.clear_faults()
    ssd.ssd.age(used=0, spare=100, read_only=False)
    drive.nvme0.reset()


@pytest.fixture
def model(drive: Drive) -> Model:
    return model_of(drive)


def listed(drive: Drive, model: Model) -> None:
    test_injection.test_injected_errors_are_listed(drive, Injector(drive))


def fails(drive: Drive, model: Model) -> None:
    writer, injector = Writer(drive, model), Injector(drive)
    test_injection.test_a_command_fails_as_injected(drive, writer, model, injector, OcpError.IO_FAILURE)


def hangs(drive: Drive, model: Model) -> None:
    writer, injector = Writer(drive, model), Injector(drive)
    test_injection.test_a_command_hangs_as_injected(drive, writer, model, injector, OcpError.IO_TIMEOUT)


def stops(drive: Drive, model: Model) -> None:
    test_injection.test_a_fatal_error_ends_with_a_reset(drive, Writer(drive, model), model, Injector(drive))


def wears(drive: Drive, model: Model) -> None:
    ageing = VirtualSsd.attach(drive.identity()["address"])
    test_age.test_a_drive_that_is_written_to_death(drive, model, Writer(drive, model), ageing)


@pytest.mark.parametrize("test", [listed, fails, hangs, stops, wears])
def test_a_right_drive_has_no_finding(
    drive: Drive, model: Model, test: Callable[[Drive, Model], None]
) -> None:
    assert test_injection.INJECTS.met(drive) and test_age.WEARS.met(drive)
    test(drive, model)


@pytest.mark.parametrize(
    "test, rule",
    [
        (listed, "opcode=set-features feature=0xc0 do skip"),
        (listed, "opcode=set-features feature=0xc0 cdw11=0 do skip"),
        (fails, "opcode=set-features feature=0xc0 do skip"),
        (fails, "opcode=read status=00/06 do set cqe.sc=0 cqe.dnr=0"),
        (hangs, "opcode=read every=2 do never"),
        (stops, "register=CSTS access=read do set value[1:1]=0"),
        (wears, "log=02h do bytes at=5 value=3"),
        (wears, "opcode=write status=00/20 do set cqe.sc=0 cqe.dnr=0"),
        (wears, "log=02h do bytes at=0 and=0xf7"),
    ],
)
def test_a_fault_is_found(
    ssd: SimpleNamespace, drive: Drive, model: Model, test: Callable[[Drive, Model], None], rule: str
) -> None:
    ssd.ssd.fault(rule)
    with pytest.raises(Finding):
        test(drive, model)
