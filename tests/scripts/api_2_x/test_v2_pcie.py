# SPDX-License-Identifier: BSD-3-Clause
"""Configuration space, resets of the function, link and device power."""

import time

import nvme as d
import pytest


def test_identity(pcie, nvme0):
    assert pcie.register(0, 2) == nvme0.id_data(1, 0)
    assert pcie.register(0, 4) == pcie.register(0, 2) | pcie.register(2, 2) << 16
    assert pcie.register(0) == pcie.register(0, 4)
    assert pcie[0] == pcie.register(0, 1)


def test_class_code_is_nvme(pcie):
    assert pcie[9:12] == [2, 8, 1]


def test_slice_is_a_list(pcie):
    assert pcie[0:4] == [pcie[i] for i in range(4)]
    assert isinstance(pcie[0:64], list)
    assert len(pcie[0:256]) == 256


def test_writable_byte(pcie):
    origin = pcie[0x3C]
    pcie[0x3C] = origin ^ 0xFF
    assert pcie[0x3C] == origin ^ 0xFF
    pcie[0x3C] = origin


def test_read_only_bytes_stay(pcie):
    before = pcie[0:4]
    for i in range(4):
        pcie[i] = 0x5A
    assert pcie[0:4] == before


def test_extended_space(pcie):
    assert len(pcie[0x100:0x1000]) == 0xF00
    with pytest.raises(IndexError):
        pcie[0x1000]


def test_walk_of_the_capabilities(pcie):
    found, offset = {}, pcie[0x34]
    while offset:
        found[pcie[offset]] = offset
        offset = pcie[offset + 1]
    assert {1, 0x10} <= set(found)
    for cap_id, offset in found.items():
        assert pcie.cap_offset(cap_id) == offset


def test_capability_that_is_not_there(pcie):
    assert pcie.cap_offset(0x7F) is None
    assert pcie.cap_offset(0x7FFF, extended=True) is None


def test_extended_aer_capability(pcie):
    offset = pcie.cap_offset(1, True)
    if offset is None:
        pytest.skip("needs a drive with Advanced Error Reporting")
    assert offset >= 0x100
    assert pcie.register(offset, 2) == 1


def test_link_status(pcie):
    link = pcie.register(pcie.cap_offset(0x10) + 0x12, 2)
    assert 1 <= link & 0xF <= 6, "speed"
    assert link >> 4 & 0x3F in (1, 2, 4, 8, 16), "width"


@pytest.mark.parametrize("aspm", [0, 1, 2, 3])
def test_aspm(pcie, nvme0, aspm):
    pcie.aspm = aspm
    assert pcie.aspm == aspm
    nvme0.getfeatures(7).waitdone()
    pcie.aspm = 0


def test_aspm_under_io(pcie, nvme0n1):
    with nvme0n1.ioworker(io_size=8, time=1, qdepth=16) as w:
        while w.running:
            for aspm in (0, 1, 2, 3):
                pcie.aspm = aspm
            time.sleep(0.01)
    pcie.aspm = 0
    assert w.close().error == 0


def test_d3hot_and_back(pcie, nvme0, nvme0n1, qpair, buf):
    assert pcie.power_state == 0
    for _ in range(5):
        pcie.power_state = 3
        assert pcie.power_state == 3
        time.sleep(0.01)
        pcie.power_state = 0
        assert pcie.power_state == 0
        nvme0n1.read(qpair, buf, 0, 8).waitdone()
    nvme0.getfeatures(7).waitdone()


def test_registers_in_d3hot(pcie, nvme0):
    pcie.power_state = 3
    try:
        with pytest.raises(SystemError):
            nvme0[0x1C]
    finally:
        pcie.power_state = 0
    assert nvme0[0x1C] & 1


def test_memory_space_disabled(pcie, nvme0):
    pcie[4] = pcie[4] & ~2
    try:
        with pytest.raises(SystemError):
            nvme0[0]
    finally:
        pcie[4] = pcie[4] | 2
    assert nvme0[0x1C] & 1


def test_hot_reset(pcie, nvme0):
    assert pcie.reset() is True
    assert nvme0[0x14] & 1 == 0
    nvme0.reset()
    assert nvme0[0x1C] & 1


def test_function_level_reset(pcie, nvme0):
    pcie.flr()
    assert nvme0[0x14] & 1 == 0
    nvme0.reset()
    nvme0.getfeatures(7).waitdone()


def test_reset_by_the_scripts_own_means(pcie, nvme0):
    calls = []
    assert pcie.reset(rst_fn=lambda: calls.append("reset"))
    assert calls == ["reset"]
    nvme0.reset()
    nvme0.getfeatures(7).waitdone()


def test_config_space_survives_the_controllers_reset(pcie, nvme0):
    before = pcie[0:64]
    nvme0.reset()
    assert pcie[0:64] == before


@pytest.mark.parametrize("kind", ["reset", "flr"])
def test_reset_with_commands_in_flight(pcie, nvme0, nvme0n1, kind):
    for _ in range(3):
        qpair, buf = d.Qpair(nvme0, 128), d.Buffer(131072)
        for i in range(127):
            nvme0n1.read(qpair, buf, i * 256, 256)
        getattr(pcie, kind)()
        nvme0.reset()
        qpair.delete()
    qpair = d.Qpair(nvme0, 8)
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    qpair.delete()


@pytest.mark.parametrize("kind", ["reset", "flr"])
def test_reset_under_a_worker(pcie, nvme0, nvme0n1, kind):
    with nvme0n1.ioworker(io_size=8, lba_align=8, read_percentage=50, region_end=100000, time=20, qdepth=32):
        time.sleep(0.3)
        getattr(pcie, kind)()
        nvme0.reset()
    r = nvme0n1.ioworker(io_size=8, region_end=100000, io_count=1000, time=10).start().close()
    assert r.io_count_read == 1000


def test_closed_and_opened_again(pciaddr):
    for _ in range(5):
        pcie = d.Pcie(pciaddr)
        d.Controller(pcie).getfeatures(7).waitdone()
        pcie.close()


def test_opened_twice(pciaddr):
    a, b = d.Pcie(pciaddr), d.Pcie(pciaddr)
    assert a[0:4] == b[0:4]
    a.close()
    b.close()


def test_data_stay_while_it_is_closed(pciaddr, buf):
    pcie = d.Pcie(pciaddr)
    nvme0 = d.Controller(pcie)
    qpair = d.Qpair(nvme0, 8)
    d.Namespace(nvme0).write(qpair, buf, 4000, 8).waitdone()
    written = buf[:]
    pcie.close()
    pcie = d.Pcie(pciaddr)
    nvme0 = d.Controller(pcie)
    qpair = d.Qpair(nvme0, 8)
    back = d.Buffer(4096)
    d.Namespace(nvme0).read(qpair, back, 4000, 8).waitdone()
    assert back[:] == written
    pcie.close()


def test_what_is_used_after_the_close_is_an_exception(pciaddr):
    pcie = d.Pcie(pciaddr)
    nvme0 = d.Controller(pcie)
    qpair = d.Qpair(nvme0, 8)
    pcie.close()
    qpair.delete()
    with pytest.raises(RuntimeError):
        nvme0.getfeatures(7)
    with pytest.raises(RuntimeError):
        pcie[0]


def test_no_such_drive(tmp_path):
    with pytest.raises(d.NvmeEnumerateError):
        d.Pcie(str(tmp_path))
    with pytest.raises(d.NvmeEnumerateError):
        d.Controller(b"ff:1f.7")


def test_tcp_is_not_there():
    with pytest.raises(d.NvmeEnumerateError):
        d.Tcp("127.0.0.1")
    with pytest.raises(d.NvmeEnumerateError):
        d.Pcie("127.0.0.1", 4420)
