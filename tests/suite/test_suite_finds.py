# SPDX-License-Identifier: BSD-3-Clause
"""What a finding of the suite tells, on a drive whose data are changed behind its back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import nvme as d
import pytest

from pynvme.spec import AdminOpcode, IoOpcode, Status
from pynvme.suite import Finding, conftest
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.identity import must_be_the_same
from pynvme.suite.ledger import smart
from pynvme.suite.model import Model
from pynvme.suite.promises import Promises
from pynvme.suite.traffic import Traffic, model_of, read_back, runs
from pynvme.suite.writing import Writer
from pynvme.vssd import VirtualSsd

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def own() -> Iterator[SimpleNamespace]:
    with VirtualSsd(size="64M") as ssd:
        nvme0 = d.Controller(ssd.address)
        drive = Drive(nvme0, d.Subsystem(nvme0), 7, "a_test")
        model = model_of(drive)
        yield SimpleNamespace(ssd=ssd, drive=drive, model=model, writer=Writer(drive, model))
        drive.close()
        nvme0.pcie.close()


def flip(ssd: VirtualSsd, lba: int, at: int = 100) -> None:
    data = bytearray(ssd.peek(1, lba))
    data[at] ^= 1
    ssd.poke(1, lba, data)


@pytest.mark.nvme_errors("warn")
def test_a_wrong_lba_is_found_with_its_writer_and_a_script(own: SimpleNamespace) -> None:
    own.writer.write(32, 16)
    own.writer.write(40, 1)
    own.drive.nvme0.getfeatures(7).waitdone()
    flip(own.ssd, 40)
    own.drive.ns.verify_enable(False)
    with pytest.raises(Finding) as caught:
        read_back(own.drive, own.model, range(32, 48))
    finding = caught.value
    assert "1 bytes are wrong, the first is byte 100" in finding.seen
    assert finding.seed == 7 and finding.drive["model"] == "pynvme virtual SSD"
    (writer,) = finding.writers
    assert "LBA 0x28: WRITE of" in writer and "queue 1" in writer
    assert len(finding.commands) == 3, "the two writes and the read, and no admin command"
    assert "ns[1].write(qpair, buf, 0x28, 1).waitdone()" in finding.script
    text = str(finding)
    for part in (finding.clause, finding.seen, writer, "seed:     7"):
        assert part in text


def test_the_script_of_a_finding_runs(own: SimpleNamespace) -> None:
    own.writer.write(32, 16)
    own.writer.deallocate((33, 2), (40, 1))
    own.drive.flush()
    own.drive.reset()
    own.drive.admin(AdminOpcode.IDENTIFY, d.Buffer(4096), cdw10=1)
    finding = own.drive.finding("a clause", "one thing", "another")
    with VirtualSsd(size="64M") as other:
        script = finding.script.replace(own.ssd.address, other.address)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_traffic_finds_a_single_bit_of_a_single_lba(own: SimpleNamespace) -> None:
    own.drive.ns.verify_enable(False)
    traffic = Traffic(own.drive, own.model, [(0, 200)], {"write": 1, "read": 1})
    traffic.run(lambda: traffic.count > 500)
    written = next(lba for lba in own.model.known() if own.model.holds(lba).command)
    flip(own.ssd, written, 511)
    with pytest.raises(Finding, match="the first is byte 511"):
        read_back(own.drive, own.model, range(200))


def test_a_status_that_the_clause_forbids_is_found(own: SimpleNamespace) -> None:
    command = own.drive.io(IoOpcode.READ, d.Buffer(512), slba=own.drive.nsze)
    own.drive.expect(command, "a clause", Status.LBA_OUT_OF_RANGE)
    with pytest.raises(Finding, match="00/80 LBA_OUT_OF_RANGE"):
        own.drive.succeed(command, "a clause")


def test_a_power_loss_that_takes_flushed_data_is_found(own: SimpleNamespace) -> None:
    own.drive.ns.verify_enable(False)
    own.writer.write(8, 8)
    before = own.ssd.peek(1, 9)
    own.writer.write(8, 8)
    own.writer.flush()
    own.drive.power_off()
    own.model.power_lost()
    own.drive.power_on()
    read_back(own.drive, own.model, range(8, 16))
    own.ssd.poke(1, 9, before)
    with pytest.raises(Finding, match="an older write of this LBA"):
        read_back(own.drive, own.model, range(8, 16))


def test_runs_of_lbas() -> None:
    assert runs([5, 3, 4, 9], 100) == [(3, 3), (9, 1)]
    assert runs(range(10), 4) == [(0, 4), (4, 4), (8, 2)]
    assert runs([], 4) == []


def test_a_model_of_a_drive_knows_its_cache(own: SimpleNamespace) -> None:
    assert isinstance(own.model, Model) and own.model.volatile
    own.drive.set_feature(6, 0)
    assert not model_of(own.drive).volatile


def test_an_error_of_the_driver_is_a_finding_and_one_of_the_suite_is_not(own: SimpleNamespace) -> None:
    item = SimpleNamespace(funcargs={"drive": own.drive})
    found = conftest._as_finding(item, d.NvmeEnumerateError("it is gone"))
    assert isinstance(found, Finding) and found.seen == "it is gone"
    mistake = TypeError("a mistake")
    assert conftest._as_finding(item, mistake) is mistake
    assert not isinstance(conftest._as_finding(SimpleNamespace(), TimeoutError()), Finding)


@pytest.mark.parametrize("found", [False, True])
def test_marks_and_deallocations_do_not_outlive_their_test(own: SimpleNamespace, found: bool) -> None:
    own.writer.write(8, 8)
    own.writer.uncorrectable(10, 2)
    own.writer.deallocate((14, 1))
    if found:
        own.drive.finding("a clause", "one thing", "another")
    own.drive.close()
    again = Drive(own.drive.nvme0, own.drive.subsystem, 7, "another_test")
    command = again.io(IoOpcode.READ, d.Buffer(8 * 512), 8, 8)
    assert command.ok
    again.close()


def test_nothing_is_tidied_up_on_a_drive_that_does_not_answer(own: SimpleNamespace) -> None:
    own.writer.write(8, 8)
    own.writer.uncorrectable(10, 2)
    unanswered = Command(1, IoOpcode.READ, 1, (0, 0, 0, 0, 0, 0))
    with pytest.raises(Finding, match="no completion"):
        own.drive.must_end(unanswered)
    own.drive.close()
    again = Drive(own.drive.nvme0, own.drive.subsystem, 7, "another_test")
    assert again.io(IoOpcode.READ, d.Buffer(8 * 512), 8, 8).status == Status.UNRECOVERED_READ_ERROR
    again.close()


def test_a_completion_of_another_queue_is_found(own: SimpleNamespace) -> None:
    with own.ssd.fault("opcode=read do set cqe.sqid=5"):
        traffic = Traffic(own.drive, own.model, [(0, 200)], {"write": 1, "read": 1})
        with pytest.raises(Finding, match="SQ identifier 5"):
            traffic.run(lambda: traffic.count > 100)


def test_identify_is_compared_with_the_beginning_of_the_session(own: SimpleNamespace) -> None:
    again = Drive(own.drive.nvme0, own.drive.subsystem, 7, "another_test")
    must_be_the_same(again, again.first, "now")
    rule = "opcode=identify cns=1 do bytes at=24 size=1 value=0x2d"
    with own.ssd.fault(rule), pytest.raises(Finding, match=r"bytes \[24\] differ"):
        must_be_the_same(again, again.first, "now")
    again.close()


@pytest.mark.nvme_errors("warn")
@pytest.mark.parametrize(
    "rule", ["opcode=flush do skip", "opcode=write fua=1 do set fua=0", "on=shutdown do skip", ""]
)
def test_a_promise_that_is_not_kept_is_found(own: SimpleNamespace, rule: str) -> None:
    own.drive.ns.verify_enable(False)
    promises = Promises(own.drive)
    if not rule:
        promises.judge()
        return
    with own.ssd.fault(rule), pytest.raises(Finding):
        promises.judge()


def test_a_command_that_takes_too_long_is_found(own: SimpleNamespace) -> None:
    command = own.drive.io(IoOpcode.READ, d.Buffer(512))
    own.drive.must_end(command)
    command.done_at = command.at + 8.1
    with pytest.raises(Finding, match="READ within 8 s"):
        own.drive.must_end(command)
    admin = own.drive.admin(AdminOpcode.IDENTIFY, d.Buffer(4096), cdw10=1)
    admin.done_at = admin.at + 9
    own.drive.must_end(admin)
    admin.done_at = admin.at + 10.1
    with pytest.raises(Finding, match="IDENTIFY within 10 s"):
        own.drive.must_end(admin)


def test_the_history_keeps_no_buffers(own: SimpleNamespace) -> None:
    traffic = Traffic(own.drive, own.model, [(0, 200)], {"write": 1, "read": 1})
    traffic.run(lambda: traffic.count > 50)
    read_back(own.drive, own.model, range(200))
    commands = [entry for entry in own.drive.history if isinstance(entry, Command)]
    assert len(commands) > 50 and all(command.then is None for command in commands)


@pytest.mark.nvme_errors("warn")
def test_the_loss_of_power_that_is_tried_is_judged(own: SimpleNamespace) -> None:
    own.drive.ns.verify_enable(False)
    assert own.drive.can_switch_power()
    with own.ssd.fault("opcode=flush do skip"), pytest.raises(Finding, match="what was flushed"):
        own.drive.can_switch_power()
    cycles = smart(own.drive).pwrc
    own.drive.keeps_power = True
    assert not own.drive.can_switch_power()
    assert smart(own.drive).pwrc == cycles


@pytest.mark.nvme_errors("warn")
def test_capabilities_may_need_a_namespace_and_stay(own: SimpleNamespace) -> None:
    with own.ssd.fault("opcode=get-features feature=5 cdw10[10:8]=3 nsid=0 do status=00/0b"):
        assert own.drive.can_change(5)
    rule = "opcode=get-features feature=10h cdw10[10:8]=3 do set cqe.result=0"
    with own.ssd.fault(rule), pytest.raises(Finding, match="capabilities of feature 10h"):
        must_be_the_same(own.drive, own.drive.first, "now")
    must_be_the_same(own.drive, own.drive.first, "now")
