# SPDX-License-Identifier: BSD-3-Clause
"""Several drives, controllers and namespaces at once; drives that fall silent; how fast it is."""

import contextlib
import os
import signal
import time

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded


def open_drive(address):
    pcie = d.Pcie(address)
    nvme0 = d.Controller(pcie)
    return pcie, nvme0, d.Namespace(nvme0)


def test_two_controllers_on_one_function(pciaddr, buf):
    pcie = d.Pcie(pciaddr)
    a = d.Controller(pcie)
    b = d.Controller(d.Pcie(pciaddr))
    b.getfeatures(7).waitdone()
    a.getfeatures(7).waitdone()
    qpair = d.Qpair(a, 8)
    d.Namespace(b).read(qpair, buf, 0, 8).waitdone()
    qpair.delete()
    pcie.close()


def test_two_drives(nvme0, nvme0n1, qpair):
    pcie, other, other_ns = open_drive("vssd:size=64M,name=b")
    q = d.Qpair(other, 8)
    mine, theirs = d.Buffer(512), d.Buffer(512)
    nvme0n1.write(qpair, mine, 1, 1).waitdone()
    other_ns.write(q, theirs, 1, 1).waitdone()
    back = d.Buffer(512)
    nvme0n1.read(qpair, back, 1, 1).waitdone()
    assert back[:] == mine[:] != theirs[:]
    assert nvme0.id_data(23, 4, str) != other.id_data(23, 4, str)
    pcie.close()


def test_same_string_is_the_same_drive():
    pcie, nvme0, ns = open_drive("vssd:size=64M,name=b")
    serial = nvme0.id_data(23, 4, str)
    q, b = d.Qpair(nvme0, 8), d.Buffer(512)
    ns.write(q, b, 33, 1).waitdone()
    pcie.close()
    pcie, nvme0, ns = open_drive("vssd:size=64M,name=b")
    q, back = d.Qpair(nvme0, 8), d.Buffer(512)
    ns.read(q, back, 33, 1).waitdone()
    assert nvme0.id_data(23, 4, str) == serial and back[:] == b[:]
    pcie.close()


def test_workers_on_two_drives(nvme0n1):
    pcie, _, other = open_drive("vssd:size=64M,name=b")
    with nvme0n1.ioworker(io_size=8, time=1) as a, other.ioworker(io_size=8, time=1, read_percentage=0) as b:
        pass
    assert a.close().io_count_read > 0 and b.close().io_count_write > 0
    pcie.close()


def test_reset_of_one_leaves_the_other(nvme0, nvme0n1):
    pcie, other, _ = open_drive("vssd:size=64M,name=b")
    with nvme0n1.ioworker(io_size=8, io_count=2000, time=10) as w:
        other.reset()
        pcie.reset()
    assert w.close().io_count_read == 2000
    pcie.close()


def test_several_namespaces():
    pcie, nvme0, _ = open_drive("vssd:size=64M,namespaces=4,name=n")
    spaces = [d.Namespace(nvme0, nsid) for nsid in (1, 2, 3, 4)]
    qpair = d.Qpair(nvme0, 16)
    written = []
    for ns in spaces:
        b = d.Buffer(512)
        ns.write(qpair, b, 7, 1).waitdone()
        written.append(b[:])
    for ns, data in zip(spaces, written):
        b = d.Buffer(512)
        ns.read(qpair, b, 7, 1).waitdone()
        assert b[:] == data
    assert len(set(written)) == 4
    assert [ns.nsid for ns in spaces] == [1, 2, 3, 4]
    b = d.Buffer(4096)
    nvme0.identify(b, nsid=0, cns=2).waitdone()
    assert [b.data(4 * i + 3, 4 * i) for i in range(5)] == [1, 2, 3, 4, 0]
    with pytest.raises(d.NamespaceCreationError):
        d.Namespace(nvme0, 5)
    pcie.close()


def test_format_of_one_namespace_leaves_the_others():
    pcie, nvme0, _ = open_drive("vssd:size=64M,namespaces=4,name=n")
    a, b = d.Namespace(nvme0, 1), d.Namespace(nvme0, 2)
    qpair, buf, back = d.Qpair(nvme0, 16), d.Buffer(512), d.Buffer(512)
    a.write(qpair, buf, 3, 1).waitdone()
    b.write(qpair, buf, 3, 1).waitdone()
    b.format(4096)
    a.read(qpair, back, 3, 1).waitdone()
    assert back.data_head == 3
    assert b.id_data(26) & 0xF == b.get_lba_format(4096)
    b.format(512)
    pcie.close()


def test_workers_on_namespaces():
    pcie, nvme0, _ = open_drive("vssd:size=64M,namespaces=4,name=n")
    workers = [
        d.Namespace(nvme0, nsid).ioworker(io_size=8, read_percentage=50, io_count=1000).start()
        for nsid in (1, 2, 3, 4)
    ]
    assert [w.close().error for w in workers] == [0] * 4
    pcie.close()


def test_many_queues():
    pcie, nvme0, ns = open_drive("vssd:size=64M,queues=64,name=q")
    assert nvme0.getfeatures(7).waitdone() == 0x003F003F
    queues, buf = [d.Qpair(nvme0, 8) for _ in range(64)], d.Buffer(512)
    for q in queues:
        ns.read(q, buf, 0, 1)
    for q in reversed(queues):
        q.waitdone()
        q.delete()
    pcie.close()


def test_4096_byte_drive():
    pcie, nvme0, ns = open_drive("vssd:size=64M,lba_size=4096,name=k")
    qpair, out, back = d.Qpair(nvme0, 8), d.Buffer(8192), d.Buffer(8192)
    ns.write(qpair, out, 5, 2).waitdone()
    ns.read(qpair, back, 5, 2).waitdone()
    assert back[:] == out[:]
    assert (out.data(7, 0), out.data(4103, 4096)) == (5, 6)
    assert ns.ioworker(io_size=2, io_count=100, read_percentage=50).start().close().error == 0
    pcie.close()


def test_option_that_is_not_there():
    with pytest.raises(d.NvmeEnumerateError, match="option"):
        d.Pcie("vssd:colour=blue")


@pytest.fixture
def silent():
    """Give a drive that can be made to fall silent: its process is stopped."""
    with VirtualSsd(size="64M") as ssd:
        pcie, nvme0, ns = open_drive(ssd.address)
        yield ssd, nvme0, ns
        with contextlib.suppress(ProcessLookupError):
            os.kill(ssd.pid, signal.SIGCONT)
        pcie.close()


def test_timeout_of_an_io_command(silent):
    ssd, nvme0, ns = silent
    qpair, cpls = d.Qpair(nvme0, 8), []
    nvme0.timeout = 300
    os.kill(ssd.pid, signal.SIGSTOP)
    ns.read(qpair, d.Buffer(), 0, 8, cb=cpls.append)
    cid = qpair.latest_cid
    start = time.time()
    with pytest.warns(UserWarning, match=f"drive timeout: qpair: {qpair.sqid}, cid: {cid}"):
        qpair.waitdone()
    took = time.time() - start
    assert took > 0.25
    assert took < 2 or loaded()
    assert list(cpls[0]) == [0xFFFFFFFF] * 4
    os.kill(ssd.pid, signal.SIGCONT)
    nvme0.timeout = 10000
    ns.read(qpair, d.Buffer(), 0, 8).waitdone()
    qpair.delete()


def test_timeout_of_an_admin_command_then_a_reset(silent):
    ssd, nvme0, _ns = silent
    nvme0.timeout = 200
    os.kill(ssd.pid, signal.SIGSTOP)
    nvme0.getfeatures(7)
    with pytest.warns(UserWarning, match="drive timeout: qpair: 0, cid: "):
        nvme0.waitdone()
    os.kill(ssd.pid, signal.SIGCONT)
    nvme0.reset()
    assert nvme0.timeout == 200
    nvme0.timeout = 10000
    nvme0.getfeatures(7).waitdone()


@pytest.mark.parametrize("turn", range(4))  # where its ring stands when the drive falls silent is chance
def test_worker_on_a_silent_drive(silent, turn):
    ssd, nvme0, ns = silent
    nvme0.timeout = 500
    w = ns.ioworker(io_size=8, time=20, qdepth=2 + turn % 2).start()
    time.sleep(0.2)
    os.kill(ssd.pid, signal.SIGSTOP)
    with pytest.warns(UserWarning, match="ioworker host ERROR -(3|4): io(worker)? timeout"):
        os_resume = time.time() + 3
        while w.running and time.time() < os_resume:
            time.sleep(0.05)
        os.kill(ssd.pid, signal.SIGCONT)
        w.close()
    nvme0.timeout = 10000
    nvme0.reset()


def test_drive_that_dies(silent):
    ssd, nvme0, ns = silent
    qpair, statuses = d.Qpair(nvme0, 8), []
    os.kill(ssd.pid, signal.SIGSTOP)
    for _ in range(5):
        ns.read(qpair, d.Buffer(), 0, 8, cb=lambda cpl: statuses.append(cpl[3] >> 17))
    os.kill(ssd.pid, signal.SIGKILL)
    ssd.wait(5)
    while len(statuses) < 5:
        try:
            qpair.waitdone()
        except UserWarning as told:
            assert "ERROR status: " in str(told)
    assert all(statuses)
    with pytest.raises(SystemError):
        nvme0[0x1C]


# How fast


def test_random_reads_are_fast(nvme0n1):
    r = nvme0n1.ioworker(io_size=8, lba_align=8, time=1, qdepth=64).start().close()
    assert r.io_count_read / r.mseconds > 10 or loaded(), "thousands a second"


def test_sequential_writes_are_fast(nvme0n1):
    r = (
        nvme0n1.ioworker(
            io_size=256, lba_random=False, region_end=256 * 1000, read_percentage=0, time=1, qdepth=16
        )
        .start()
        .close()
    )
    assert r.io_count_write * 128 / 1024 / (r.mseconds / 1000) > 50 or loaded(), "MiB a second"


def test_script_loop(nvme0n1, qpair):
    b, start = d.Buffer(4096), time.time()
    for lba in range(0, 8 * 512, 8):
        nvme0n1.read(qpair, b, lba, 8)
    qpair.waitdone(512)
    assert time.time() - start < 2 or loaded()


@pytest.mark.slow
def test_sweep_of_sizes_and_depths(nvme0n1):
    iops = {}
    for qdepth in (2, 8, 64):
        for io_size in (1, 8, 64, 256):
            r = nvme0n1.ioworker(io_size=io_size, time=1, qdepth=qdepth).start().close()
            iops[qdepth, io_size] = r.io_count_read * 1000 // r.mseconds
    assert min(iops.values()) > 1000 or loaded()
