# SPDX-License-Identifier: BSD-3-Clause
"""pynvme.migration: the log of changes, suspended controllers, and the state of one drive for another."""

from __future__ import annotations

from collections.abc import Iterator

import nvme as d
import pytest

from pynvme.migration import Change, Migration, MigrationError
from pynvme.spec import Status
from pynvme.vssd import VirtualSsd


class Machine:
    """A drive whose first controller manages the migration of the second."""

    def __init__(self) -> None:
        self.ssd = VirtualSsd(size="16M", controllers=2, migration=True)
        self.nvme0, self.nvme1 = (d.Controller(d.Pcie(address)) for address in self.ssd.addresses)
        self.migration = Migration(self.nvme0)
        self.ns = d.Namespace(self.nvme1)

    def close(self) -> None:
        self.nvme1.pcie.close()
        self.nvme0.pcie.close()
        self.ssd.close()


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine()
    yield made
    made.close()


def test_the_log_names_what_workers_change(machine: Machine) -> None:
    log = machine.migration.log(2, slots=1024)
    log.start()
    with machine.ns.ioworker(io_size=8, lba_random=True, read_percentage=50, region_end=512, io_count=400):
        pass
    log.stop()
    changes = log.changes()
    assert changes and {one.nsid for one in changes} == {1}
    wrong = [one for one in changes if one.slba + one.nlb > 512 or one.nlb > 8 or one.deallocated]
    assert wrong == []
    assert 100 < len(changes) < 300, "half of 400"
    log.delete()
    with pytest.warns(UserWarning, match="01/37"), pytest.raises(MigrationError, match="01/37") as caught:
        log.start()
    assert caught.value.status == Status.INVALID_CONTROLLER_DATA_QUEUE


def test_changes_are_released_at_each_call(machine: Machine) -> None:
    log, qpair, buf = machine.migration.log(2, slots=8), d.Qpair(machine.nvme1, 16), d.Buffer(4096)
    log.start()
    for lba in range(40):
        machine.ns.write(qpair, buf, lba).waitdone()
        assert log.changes() == [Change(1, lba, 1, False)]
    for lba in range(10):
        machine.ns.write(qpair, buf, lba).waitdone()
    event = pytest.warns(UserWarning, match="AER notification is triggered: 0x104")
    with event, pytest.raises(MigrationError, match="full"):
        log.changes()
    qpair.delete()


def test_a_suspended_controller_waits_and_its_state_has_its_queues(machine: Machine) -> None:
    qpair, buf = d.Qpair(machine.nvme1, 8), d.Buffer(4096)
    machine.migration.suspend(2, notify=True)
    for lba in range(11):
        machine.ns.write(qpair, buf, lba).waitdone()
    machine.migration.suspend(2)
    machine.ns.write(qpair, buf, 11)
    state = machine.migration.state(2)
    assert state.suspended and [int(one.iosqqid) for one in state.sqs] == [qpair.sqid]
    assert (int(state.sqs[0].iosqhp), int(state.sqs[0].iosqtp)) == (3, 4)
    assert [int(one.iocqqsize) for one in state.cqs] == [7]
    machine.migration.set_state(2, state.raw)
    machine.migration.resume(2)
    qpair.waitdone()
    assert not machine.migration.state(2).suspended
    refused = "resuming controller 2 failed with status 01/3a"
    with pytest.warns(UserWarning, match="01/3a"), pytest.raises(MigrationError, match=refused):
        machine.migration.resume(2)
    qpair.delete()


def test_a_state_of_many_queues_comes_in_parts(machine: Machine) -> None:
    queues = [d.Qpair(machine.nvme1, 8) for _ in range(16)]
    machine.migration.suspend(2)
    state = machine.migration.state(2)
    assert len(state.sqs) == len(state.cqs) == 16 and len(state.raw) == 56 + 32 * 24
    machine.migration.set_state(2, state.raw)
    assert machine.migration.state(2).raw == state.raw
    machine.migration.resume(2)
    for qpair in queues:
        qpair.delete()


@pytest.mark.parametrize("slots", [0, 1, 1 << 28])
def test_slots_out_of_range(machine: Machine, slots: int) -> None:
    with pytest.raises(AssertionError, match="slots must be 2 to 2"):
        machine.migration.log(2, slots)
