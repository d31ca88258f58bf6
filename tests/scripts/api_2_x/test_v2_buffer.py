# SPDX-License-Identifier: BSD-3-Clause
"""Buffers of the second generation: patterns, parts, numpy, dumps, subclasses."""

import struct
import time

import numpy
import nvme as d
import pytest

from tests.fix_load import loaded


def test_parameters_by_position_and_by_name():
    b = d.Buffer(512, "mine", 0x12345678, 32)
    c = d.Buffer(size=512, name="mine", pvalue=0x12345678, ptype=32)
    assert b[:] == c[:] == struct.pack("<I", 0x12345678) * 128
    assert repr(b) == "<buffer name: mine>"


@pytest.mark.parametrize("pvalue, byte", [(0, 0), (1, 0xFF), (100, 0xFF)])
def test_pattern_0(pvalue, byte):
    assert d.Buffer(4096, pvalue=pvalue)[:] == bytes([byte]) * 4096


@pytest.mark.parametrize("size", [1, 2, 3, 5, 4096, 4099])
def test_pattern_32_is_cut_at_the_end(size):
    assert d.Buffer(size, ptype=32, pvalue=0xDDCCBBAA)[:] == (b"\xaa\xbb\xcc\xdd" * 1025)[:size]


@pytest.mark.parametrize("percent", [0, 25, 50, 100])
def test_pattern_random_percent(percent):
    b = d.Buffer(100_000, ptype=0xBEEF, pvalue=percent)
    part = percent * 1000
    assert not any(b[part:])
    assert part == 0 or len(set(b[:part])) > 200


def test_random_pattern_differs_and_repeats_by_seed():
    d.srand(7)
    a = d.Buffer(4096, ptype=0xBEEF, pvalue=100)
    b = d.Buffer(4096, ptype=0xBEEF, pvalue=100)
    d.srand(7)
    assert d.Buffer(4096, ptype=0xBEEF, pvalue=100)[:] == a[:]
    assert a[:] != b[:]


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": -1}, {"ptype": 1}, {"ptype": 0xBEEF, "pvalue": 101}])
def test_refused(wrong):
    with pytest.raises(AssertionError):
        d.Buffer(**wrong)


def test_more_memory_than_there_is():
    with pytest.raises(MemoryError):
        d.Buffer(1 << 40)


def test_float_that_is_a_whole_number():
    assert len(d.Buffer(4096.0)) == 4096
    with pytest.raises(TypeError):
        d.Buffer(4096.5)


def test_negative_indexes():
    b = d.Buffer(16)
    b[-1] = 7
    b[-16] = 8
    assert (b[15], b[0]) == (7, 8)
    assert b[-4:] == b"\0\0\0\7"
    with pytest.raises(IndexError):
        b[-17]


@pytest.mark.parametrize("index", ["0", None, 1.5, (1, 2)])
def test_index_of_an_odd_type(index):
    with pytest.raises(TypeError):
        d.Buffer(16)[index]


def test_slices_of_every_kind():
    b, plain = d.Buffer(64), bytes(range(64))
    b[:] = plain
    for cut in (
        slice(3, 9),
        slice(None, 5),
        slice(60, None),
        slice(None, None, 3),
        slice(50, 10, -7),
        slice(9, 3),
        slice(-8, -2),
        slice(0, 1000),
        slice(None, None, -1),
    ):
        assert b[cut] == plain[cut]


@pytest.mark.parametrize("value", [b"abc", bytearray(b"abc"), [97, 98, 99], (97, 98, 99), memoryview(b"abc")])
def test_values_of_every_kind(value):
    b = d.Buffer(16)
    b[4:] = value
    assert b[:8] == b"\0\0\0\0abc\0"


def test_item_with_an_int_for_a_slice():
    b = d.Buffer(16)
    b[4:] = 9
    assert b[:6] == b"\0\0\0\0\x09\0"


def test_size_and_offset():
    b = d.Buffer(8192)
    address = b.phys_addr
    assert (b.size, b.offset, len(b)) == (8192, 0, 8192)
    b.offset, b.size = 512, 1024
    assert (b.size, b.offset, len(b)) == (1024, 512, 8192)
    assert b.phys_addr == address + 512
    b.size = 0
    assert b.size == 0
    for wrong in (-1, 8193):
        with pytest.raises(AssertionError):
            b.size = wrong
        with pytest.raises(AssertionError):
            b.offset = wrong


def test_alignment():
    for size in (1, 512, 4096, 5000, 1 << 20):
        assert d.Buffer(size).phys_addr % 4096 == 0


def test_head_and_tail():
    b = d.Buffer(512)
    b[0:8] = struct.pack("<Q", 0x1122334455667788)
    b[504:512] = struct.pack("<Q", 99)
    assert (b.data_head, b.data_tail) == (0x1122334455667788, 99)


def test_data():
    b = d.Buffer(64)
    b[:] = bytes(range(64))
    assert b.data(3) == 3
    assert b.data(1, 0) == 0x0100
    assert b.data(byte_end=7, byte_begin=4) == 0x07060504
    b[8:16] = b"AB  \0\0  "
    assert b.data(15, 8, str) == "AB"
    assert b.data(15, 8, type=str) == "AB"


def test_numpy_sees_the_memory():
    b = d.Buffer(4096)
    array = numpy.asarray(b)
    assert array.dtype == numpy.uint8 and array.shape == (4096,)
    array[100] = 42
    assert b[100] == 42
    b[101] = 43
    assert array[101] == 43
    words = array.view(numpy.uint32)
    words[:] = numpy.arange(1024)
    assert b.data(4095, 4092) == 1023
    assert (numpy.frombuffer(b, dtype="<u4") == words).all()


def test_memoryview_and_struct():
    b = d.Buffer(64)
    struct.pack_into("<IHQ", memoryview(b), 8, 1, 2, 3)
    assert struct.unpack_from("<IHQ", b, 8) == (1, 2, 3)
    assert bytes(b) == b[:]
    assert bytes(memoryview(b)[8:12]) == b"\1\0\0\0"


def test_a_view_keeps_the_memory():
    array = numpy.asarray(d.Buffer(4096, pvalue=1))
    assert (array == 255).all()


def test_numpy_integers_as_parameters():
    b = d.Buffer(numpy.int64(512))
    b[numpy.int32(3)] = numpy.uint8(9)
    assert b[numpy.int64(3)] == 9


def test_dump_returns_what_it_prints(capsys):
    b = d.Buffer(48, "three rows")
    b[16:32] = bytes(range(0x20, 0x30))
    text = b.dump()
    assert capsys.readouterr().out == text + "\n"
    assert text.splitlines()[0] == "three rows"
    assert text.splitlines()[2] == (
        "00000010  20 21 22 23 24 25 26 27  28 29 2a 2b 2c 2d 2e 2f   !\"#$%&'()*+,-./"
    )


def test_dump_of_a_mebibyte_is_fast(capsys):
    b = d.Buffer(1 << 20, ptype=0xBEEF, pvalue=100)
    best = min(_cpu_seconds(b.dump) for _ in range(5))
    assert best < 0.05 or loaded()


def test_bytes_of_a_mebibyte_are_fast():
    b = d.Buffer(1 << 20)
    assert min(_seconds(lambda: b[:]) for _ in range(5)) < 0.005 or loaded()


def _cpu_seconds(call):
    start = time.process_time()
    call()
    return time.process_time() - start


def _seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class Structure(d.Buffer):
    """A data structure with an __init__ that never calls the base's."""

    def __init__(self, version):
        self.version = version

    @property
    def first(self):
        return self.data(3, 0)


class Long(d.Buffer):
    def __init__(self):
        super().__init__(16384, "long")


def test_subclass_without_super_init(nvme0):
    b = Structure(2)
    assert len(b) == 4096 and b.version == 2
    nvme0.identify(b).waitdone()
    assert b.first == nvme0.id_data(3, 0)


def test_subclass_with_super_init(nvme0n1, qpair):
    b = Long()
    nvme0n1.read(qpair, b, 0, 32).waitdone()
    assert repr(b) == "<buffer name: long>"


def test_dropped_while_in_flight(nvme0n1, qpair):
    for i in range(500):
        nvme0n1.write(qpair, d.Buffer(4096), i * 8, 8)
    qpair.waitdone(500)


def test_four_mebibytes_are_contiguous(nvme0n1, qpair):
    b = d.Buffer(4 << 20)
    b.offset = (4 << 20) - 131072
    nvme0n1.write(qpair, b, 0, 256).waitdone()
    nvme0n1.read(qpair, b, 0, 256).waitdone()
    assert b.data(b.offset + 7, b.offset) == 0


def test_shared_fixture_is_whole(buf):
    assert (len(buf), buf.size, buf.offset) == (4096, 4096, 0)
    buf.size, buf.offset = 512, 1024


def test_shared_fixture_is_whole_again(buf):
    assert (len(buf), buf.size, buf.offset) == (4096, 4096, 0)


def test_dsm_range_positions():
    b = d.Buffer(4096)
    b.set_dsm_range(1, 2, 3, 4)
    b.set_dsm_range(index=2, lba=5, lba_count=6, attr=7)
    assert struct.unpack_from("<IIQIIQ", b, 16) == (4, 3, 2, 7, 6, 5)
    with pytest.raises(IndexError):
        b.set_dsm_range(256, 0, 1)
    with pytest.raises(AssertionError):
        b.set_dsm_range(0, 0, 1 << 32)
