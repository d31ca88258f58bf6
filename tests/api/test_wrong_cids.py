# SPDX-License-Identifier: BSD-3-Clause
"""A drive that completes commands which nobody has sent: its commands time out, and all others go on."""

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd

pytestmark = pytest.mark.needs_engine("check-completions")

WRONG = [0xFFFF, 0x1000, 0x80, 15]
"""The last one is a CID that a queue of 16 entries could have."""
LOST = 0xFFFFFFFF


@pytest.fixture
def drive(own):
    """Give ``own`` with a time limit of 200 ms, and with a queue and a buffer."""
    own.nvme0.timeout = 200
    own.qpair, own.buffer = d.Qpair(own.nvme0, 16), d.Buffer(4096)
    return own


def read(drive, lba=0):
    drive.nvme0n1.read(drive.qpair, drive.buffer, lba, 8)
    return drive.qpair


def times_out(queue):
    with pytest.warns(UserWarning, match="drive timeout"):
        assert queue.waitdone() == LOST


def works(drive, count=100):
    """Write and read, more often than the queue has entries."""
    for lba in range(0, 8 * count, 8):
        drive.buffer[:] = lba.to_bytes(4, "little") * 1024
        drive.nvme0n1.write(drive.qpair, drive.buffer, lba, 8).waitdone()
        assert read(drive, lba).waitdone() != LOST
        assert drive.buffer[:4] == lba.to_bytes(4, "little")


def reset(drive):
    drive.nvme0.reset()
    drive.qpair = d.Qpair(drive.nvme0, 16)


@pytest.mark.parametrize("cid", WRONG)
def test_commands_that_are_completed_with_a_wrong_cid_time_out_alone(drive, cid):
    with drive.ssd.fault(f"queue=io opcode=read do set cqe.cid={cid} count=3") as fault:
        for _ in range(3):
            times_out(read(drive))
        assert fault.fired == 3
    works(drive)
    reset(drive)
    works(drive, 10)


def test_as_many_wrong_cids_as_a_queue_has_entries_do_not_stop_it(drive):
    """Each Flush is completed with the CID of nobody; after a reset the queue is as good as new."""
    for _ in range(3):
        with drive.ssd.fault("queue=io opcode=flush do set cqe.cid=0xabcd"):
            for _ in range(10):
                drive.nvme0n1.flush(drive.qpair)
                times_out(drive.qpair)
        works(drive, 5)
        reset(drive)


def test_commands_that_are_completed_twice_count_once(drive):
    with drive.ssd.fault("queue=io opcode=read do twice") as fault:
        works(drive, 200)
        assert fault.fired == 200
    works(drive, 5)


@pytest.mark.parametrize("cid", WRONG)
def test_an_admin_command_that_is_completed_with_a_wrong_cid_times_out_alone(drive, cid):
    with drive.ssd.fault(f"opcode=get-features do set cqe.cid={0xF000 | cid} count=2"):
        for _ in range(2):
            times_out(drive.nvme0.getfeatures(7))
    drive.nvme0.getfeatures(7).waitdone()
    works(drive, 5)
    reset(drive)
    drive.nvme0.getfeatures(7).waitdone()
    works(drive, 5)


def test_a_drive_that_completes_all_admin_commands_with_wrong_cids_is_not_opened():
    spoilt = VirtualSsd(size="64M", fault="queue=admin do set cqe.cid=0xffff")
    with spoilt as ssd, pytest.raises(d.NvmeEnumerateError):
        d.Controller(d.Pcie(ssd.address))


def test_a_worker_whose_read_is_completed_with_a_wrong_cid_ends_with_a_timeout(drive):
    drive.ssd.fault("queue=io opcode=read nth=100 do set cqe.cid=0xffff count=1")
    with pytest.warns(UserWarning, match="ERROR -3: io timeout"):
        result = drive.nvme0n1.ioworker(io_size=8, time=10, qdepth=32).start().close()
    assert result.error == -3
    assert drive.nvme0n1.ioworker(io_size=8, io_count=5000, qdepth=32).start().close().error == 0
    works(drive, 5)
