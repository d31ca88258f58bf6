# SPDX-License-Identifier: BSD-3-Clause
"""Bring-up by the script: nvme_init_func, and the pieces of an initialisation."""

import time

import nvme as d
import pytest

from tests.fix_load import loaded


def init_by_registers(nvme0):
    """An initialisation, step by step (Base 3.5.1)."""
    nvme0[0x14] = 0
    while nvme0[0x1C] & 1:
        pass
    nvme0.init_adminq()
    nvme0[0x14] = 0x00460000
    nvme0[0x14] = 0x00460001
    while not nvme0[0x1C] & 1:
        pass
    nvme0.identify(d.Buffer(4096)).waitdone()
    nvme0.init_ns()
    nvme0.setfeatures(7, cdw11=0x00FE00FE).waitdone()
    nvme0.init_queues(nvme0.getfeatures(7).waitdone())
    nvme0.aer()


def test_step_by_step(pcie, buf):
    nvme0 = d.Controller(pcie, nvme_init_func=init_by_registers)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    qpair.delete()


def test_reset_runs_the_scripts_initialisation_again(pcie):
    calls = []

    def init(nvme0):
        calls.append(nvme0)
        init_by_registers(nvme0)

    nvme0 = d.Controller(pcie, init)
    nvme0.reset()
    assert calls == [nvme0, nvme0]
    nvme0.getfeatures(7).waitdone()


def test_pieces_return_numbers(pcie):
    returned = []

    def init(nvme0):
        nvme0[0x14] = 0
        while nvme0[0x1C] & 1:
            time.sleep(0.001)
        returned.append(nvme0.init_adminq())
        nvme0[0x14] = 0x00460001
        while not nvme0[0x1C] & 1:
            time.sleep(0.001)
        returned.append(nvme0.init_ns())

    d.Controller(pcie, nvme_init_func=init)
    assert returned[0] == 0
    assert returned[1] >= 0


def test_without_init_queues_the_drive_decides(pcie, buf):
    def init(nvme0):
        nvme0[0x14] = 0
        while nvme0[0x1C] & 1:
            pass
        nvme0.init_adminq()
        nvme0[0x14] = 0x00460001
        while not nvme0[0x1C] & 1:
            pass
        nvme0.init_ns()

    nvme0 = d.Controller(pcie, nvme_init_func=init)
    qpair = d.Qpair(nvme0, 8)
    d.Namespace(nvme0).read(qpair, buf, 0, 8).waitdone()
    qpair.delete()


def test_init_queues_limits_the_qpairs(pcie):
    def init(nvme0):
        init_by_registers(nvme0)
        nvme0.init_queues(0x00010001)

    nvme0 = d.Controller(pcie, nvme_init_func=init)
    a, b = d.Qpair(nvme0, 8), d.Qpair(nvme0, 8)
    with pytest.raises(d.QpairCreationError):
        d.Qpair(nvme0, 8)
    a.delete()
    b.delete()


def test_no_initialisation_at_all(pcie):
    nvme0 = d.Controller(pcie, nvme_init_func=True)
    assert nvme0[8] >> 16 >= 1
    assert nvme0.cap & 0xFFFF > 0


def test_registers_before_the_initialisation(pcie):
    seen = []

    def init(nvme0):
        seen.append((nvme0[0x14] & 1, nvme0[0x1C] & 1))
        init_by_registers(nvme0)

    d.Controller(pcie, nvme_init_func=init)
    assert seen == [(0, 0)]


def test_exception_of_the_scripts_initialisation(pcie):
    def init(nvme0):
        raise LookupError("of the script")

    with pytest.raises(LookupError, match="of the script"):
        d.Controller(pcie, nvme_init_func=init)
    d.Controller(pcie).getfeatures(7).waitdone()


def test_default_initialisation_leaves_one_aer(pcie):
    nvme0 = d.Controller(pcie)
    for _ in range(nvme0.id_data(259)):
        nvme0.aer()
    nvme0.aer()
    with pytest.warns(UserWarning, match="ERROR status: 01/05"):
        nvme0.getfeatures(7).waitdone()


def test_all_aers_of_the_drive(pcie):
    def init(nvme0):
        init_by_registers(nvme0)
        for _ in range(nvme0.id_data(259)):
            nvme0.aer()

    nvme0 = d.Controller(pcie, nvme_init_func=init)
    nvme0.getfeatures(7).waitdone()


def test_admin_commands_before_the_namespaces(pcie):
    def init(nvme0):
        nvme0[0x14] = 0
        while nvme0[0x1C] & 1:
            pass
        nvme0.init_adminq()
        nvme0[0x14] = 0x00460001
        while not nvme0[0x1C] & 1:
            pass
        assert nvme0.id_data(1, 0) != 0
        nvme0.getlogpage(2, d.Buffer(512), 512).waitdone()
        assert nvme0.setfeatures(7, cdw11=0x000F000F).waitdone() == nvme0.getfeatures(7).waitdone()

    d.Controller(pcie, nvme_init_func=init)


def test_set_number_of_queues_after_a_queue_was_made(nvme0, qpair):
    with pytest.warns(UserWarning, match="ERROR status: 00/0c"):
        nvme0.setfeatures(7, cdw11=0x00010001).waitdone()


def test_weighted_round_robin(pcie, buf):
    def init(nvme0):
        nvme0[0x14] = 0
        while nvme0[0x1C] & 1:
            pass
        nvme0.init_adminq()
        nvme0[0x14] = 0x00460000 | 1 << 11
        nvme0[0x14] = 0x00460001 | 1 << 11
        while not nvme0[0x1C] & 1:
            pass
        nvme0.init_ns()

    probe = d.Controller(pcie)
    if not probe.cap >> 17 & 1:
        pytest.skip("needs a drive with weighted round robin (CAP.AMS)")
    nvme0 = d.Controller(pcie, nvme_init_func=init)
    nvme0.setfeatures(1, cdw11=0x07030101).waitdone()
    nvme0n1 = d.Namespace(nvme0)
    queues = [d.Qpair(nvme0, 16, prio=prio) for prio in range(4)]
    for qpair in queues:
        nvme0n1.read(qpair, buf, 0, 8).waitdone()
        qpair.delete()
    r = nvme0n1.ioworker(io_size=8, io_count=100, qprio=2).start().close()
    assert r.io_count_read == 100


def test_memory_page_size_that_is_not_there(pcie):
    nvme0 = d.Controller(pcie, nvme_init_func=True)
    nvme0[0x14] = 0
    while nvme0[0x1C] & 1:
        pass
    nvme0.init_adminq()
    nvme0[0x14] = 0x00460781
    time.sleep(0.05)
    assert nvme0[0x1C] & 1 == 0 or nvme0[0x1C] & 2, "not ready, or fatal"
    nvme0[0x14] = 0
    d.Controller(pcie).getfeatures(7).waitdone()


def test_time_to_ready_is_within_cap_to(pcie):
    nvme0 = d.Controller(pcie)
    limit = (nvme0.cap >> 24 & 0xFF) * 0.5
    start = time.time()
    nvme0.reset()
    assert time.time() - start < limit or loaded()
