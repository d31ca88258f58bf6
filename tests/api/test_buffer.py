# SPDX-License-Identifier: BSD-3-Clause
"""Buffer: DMA memory that scripts fill, look at and hand to commands."""

import gc

import numpy
import nvme as d
import pytest


def test_a_new_buffer_is_4096_zero_bytes_aligned_to_a_page():
    b = d.Buffer()
    assert len(b) == 4096
    assert b[:] == bytes(4096)
    assert b.phys_addr % 4096 == 0


def test_memory_that_is_used_again_is_zeroed():
    for _ in range(20):
        b = d.Buffer(8192, pvalue=1)
        assert b[:] == b"\xff" * 8192
        del b
        assert d.Buffer(8192)[:] == bytes(8192)


def test_size_zero_is_asserted():
    with pytest.raises(AssertionError):
        d.Buffer(0)


def test_a_size_that_no_memory_holds_is_a_memory_error():
    with pytest.raises(MemoryError):
        d.Buffer(1 << 50)


@pytest.mark.parametrize("size", [1, 511, 4096, 4097, 128 << 10, 4 << 20])
def test_every_size_can_be_written_and_read_to_its_last_byte(size):
    b = d.Buffer(size)
    b[size - 1] = 0xA5
    assert b[-1] == 0xA5
    assert len(b[:]) == size


def test_patterns_are_as_documented():
    assert d.Buffer(512, pvalue=0, ptype=0)[:] == bytes(512)
    assert d.Buffer(512, pvalue=1, ptype=0)[:] == b"\xff" * 512
    assert d.Buffer(512, pvalue=0x12345678, ptype=32)[:] == b"\x78\x56\x34\x12" * 128
    half = d.Buffer(4096, pvalue=50, ptype=0xBEEF)
    assert half[2048:] == bytes(2048)
    assert len(set(half[:2048])) > 200
    assert d.Buffer(4096, pvalue=100, ptype=0xBEEF)[:] != d.Buffer(4096, pvalue=100, ptype=0xBEEF)[:]


def test_srand_repeats_random_patterns():
    d.srand(7)
    first = d.Buffer(4096, pvalue=100, ptype=0xBEEF)[:]
    d.srand(7)
    assert d.Buffer(4096, pvalue=100, ptype=0xBEEF)[:] == first


def test_items_and_slices_are_set_from_ints_lists_and_bytes():
    b = d.Buffer(16)
    b[0] = 1
    b[-1] = 0xFE
    b[2:4] = [3, 4]
    b[8:] = b"xyz"
    assert b[:] == bytes([1, 0, 3, 4, 0, 0, 0, 0]) + b"xyz" + bytes(4) + b"\xfe"
    assert b[8:11] == b"xyz"
    assert b[::-1][0] == 0xFE


@pytest.mark.parametrize("index", [16, -17, 1 << 40])
def test_an_index_past_the_end_is_an_index_error(index):
    b = d.Buffer(16)
    with pytest.raises(IndexError):
        b[index]
    with pytest.raises(IndexError):
        b[index] = 0


def test_an_odd_index_is_a_type_error():
    b = d.Buffer(16)
    with pytest.raises(TypeError):
        b["0"]
    with pytest.raises(TypeError):
        b[1.5] = 0


def test_data_longer_than_the_rest_of_the_buffer_never_go_past_its_end():
    b = d.Buffer(16)
    with pytest.raises((IndexError, ValueError, AssertionError)):
        b[8:] = bytes(9)
    assert b[:] == bytes(16)


def test_data_is_little_endian_or_text_without_padding():
    b = d.Buffer(16)
    b[0:] = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]
    assert b.data(3) == 0x44
    assert b.data(3, 0) == 0x44332211
    assert b.data(7, 0) == 0x8877665544332211
    b[8:] = b"AB C    "
    assert b.data(15, 8, str) == "AB C"


def test_memoryview_and_numpy_share_the_memory_without_a_copy():
    b = d.Buffer(4096)
    array = numpy.asarray(b)
    array[5] = 77
    assert b[5] == 77
    b[6] = 78
    assert array[6] == 78
    assert memoryview(b).nbytes == 4096
    memoryview(b)[7] = 79
    assert b[7] == 79


def test_an_array_keeps_the_memory_alive_after_the_buffer_is_dropped():
    b = d.Buffer(4096, pvalue=1)
    array = numpy.asarray(b)
    del b
    gc.collect()
    others = [d.Buffer(4096) for _ in range(10)]
    assert (array == 0xFF).all()
    del others


def test_phys_addr_includes_the_offset_and_size_is_bounded_by_the_allocation():
    b = d.Buffer(8192)
    base = b.phys_addr
    b.offset = 512
    assert b.phys_addr == base + 512
    b.size = 4096
    assert b.size == 4096
    for wrong in (-1, 8193):
        with pytest.raises((AssertionError, ValueError, OverflowError)):
            b.size = wrong
        assert b.size == 4096


def test_dsm_ranges_are_16_bytes_each_and_asserted_beyond_the_buffer():
    b = d.Buffer(4096)
    b.set_dsm_range(255, 0x1122334455667788, 9, attr=3)
    assert b.data(255 * 16 + 3, 255 * 16) == 3
    assert b.data(255 * 16 + 7, 255 * 16 + 4) == 9
    assert b.data(255 * 16 + 15, 255 * 16 + 8) == 0x1122334455667788
    with pytest.raises((AssertionError, IndexError)):
        b.set_dsm_range(256, 0, 1)


def test_dump_of_a_part_shows_that_part_and_more_than_all_is_asserted(capsys):
    b = d.Buffer(64, "part")
    b.dump(20)
    assert len(capsys.readouterr().out.splitlines()) == 3
    b.dump()
    assert len(capsys.readouterr().out.splitlines()) == 5
    with pytest.raises(AssertionError, match="64"):
        b.dump(65)


@pytest.mark.parametrize("size", [1, 4, 15, 17, 20, 40, 63])
def test_the_texts_of_a_dump_begin_below_one_another(size, capsys):
    b = d.Buffer(64, "part")
    b[:64] = bytes(range(65, 91)) + bytes(range(65, 91)) + b"0123456789ab"
    rows = b.dump(size).splitlines()[1:]
    assert capsys.readouterr().out.splitlines()[1:] == rows
    assert len(rows) == (size + 15) // 16
    assert {len(row) - len(row[60:]) for row in rows} == {60}
    assert "".join(row[60:] for row in rows) == b[:size].decode()
    assert bytes.fromhex("".join(row[10:58] for row in rows)) == b[:size]


def test_a_last_row_that_is_full_is_as_the_0_1_api_shows_it():
    b = d.Buffer(32, pvalue=0x41414141, ptype=32)
    assert [row[58:] for row in b.dump().splitlines()[1:]] == ["  " + 16 * "A", "   " + 16 * "A"]


def test_a_subclass_that_never_calls_our_init_is_a_whole_buffer():
    class Mine(d.Buffer):
        def __init__(self, note):
            self.note = note

    mine = Mine("hello")
    assert mine.note == "hello"
    assert len(mine) == 4096
    mine[0] = 1
    assert mine[0] == 1


def test_a_buffer_in_use_by_a_command_outlives_the_script_reference(nvme0n1, qpair, lba_size):
    count = 8
    for _ in range(50):
        data = d.Buffer(count * lba_size, ptype=0xBEEF, pvalue=100)
        nvme0n1.write(qpair, data, 2000, count)
        expected = data[:]
        del data
        noise = d.Buffer(count * lba_size, pvalue=1)
        qpair.waitdone()
        back = d.Buffer(count * lba_size)
        nvme0n1.read(qpair, back, 2000, count).waitdone()
        assert back[:] == expected
        del noise


def test_commands_begin_at_the_offset(nvme0n1, qpair, lba_size):
    source = d.Buffer(4 * lba_size, ptype=0xBEEF, pvalue=100)
    source.offset = lba_size
    nvme0n1.write(qpair, source, 2100, 1).waitdone()
    back = d.Buffer(lba_size)
    nvme0n1.read(qpair, back, 2100, 1).waitdone()
    assert back[:] == source[lba_size : 2 * lba_size]
