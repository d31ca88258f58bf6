# SPDX-License-Identifier: BSD-3-Clause
"""Buffers: DMA memory as bytes, fields and a dump."""

import nvme as d
import pytest


def test_a_new_buffer_is_zero():
    b = d.Buffer(512)
    assert len(b) == 512
    assert not any(b[:])


def test_default_size_and_name():
    b = d.Buffer()
    assert len(b) == 4096
    assert repr(b) == "<buffer name: buffer>"


def test_name_by_position():
    assert repr(d.Buffer(1024, "example")) == "<buffer name: example>"


def test_size_zero_is_refused():
    with pytest.raises(AssertionError):
        d.Buffer(0)


def test_items_and_slices():
    b = d.Buffer(1024, "example")
    b[0] = 0x5A
    b[1:3] = [1, 2]
    b[4:] = [10, 11, 12, 13]
    assert b[0] == 0x5A
    assert b[:8] == b"\x5a\x01\x02\x00\x0a\x0b\x0c\x0d"
    assert b[:8:2] == b"Z\x02\n\x0c"
    b[8:] = b"xyc"
    assert b[8:12] == b"xyc\0"


def test_item_of_one_byte_only():
    b = d.Buffer(16)
    b[3] = 255
    assert b[3] == 255
    with pytest.raises(AssertionError):
        b[3] = 256


def test_end_of_the_buffer():
    b = d.Buffer(16)
    b[15] = 1
    with pytest.raises(IndexError):
        b[16]
    with pytest.raises(IndexError):
        b[16] = 1
    with pytest.raises(IndexError):
        b[12:] = b"12345"
    assert b[-1] == 1


def test_fields_are_little_endian():
    b = d.Buffer(64)
    b[0:8] = [1, 2, 3, 4, 5, 6, 7, 8]
    assert b.data(0) == 1
    assert b.data(1, 0) == 0x0201
    assert b.data(7, 0) == 0x0807060504030201
    assert b.data(3, 3) == 4


def test_field_as_text():
    b = d.Buffer(64)
    b[4:] = b"SERIAL123   "
    assert b.data(23, 4, str) == "SERIAL123"


def test_dump_prints_rows_of_sixteen_bytes(capsys):
    b = d.Buffer(1024, "example")
    b[0] = 0x5A
    b.dump(16)
    assert capsys.readouterr().out == (
        "example\n00000000  5a 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00   Z...............\n"
    )


def test_dump_of_two_rows_by_the_letter(capsys):
    b = d.Buffer(64)
    b[0:16] = b"0123456789abcdef"
    b.dump(32)
    assert capsys.readouterr().out.splitlines() == [
        "buffer",
        "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef",
        "00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00   ................",
    ]


def test_dsm_ranges():
    b = d.Buffer(4096)
    b.set_dsm_range(0, 0x1234567887654321, 0xABCDEF12)
    b.set_dsm_range(255, 1, 2)
    assert b.data(3, 0) == 0
    assert b.data(7, 4) == 0xABCDEF12
    assert b.data(15, 8) == 0x1234567887654321
    assert b.data(4087, 4084) == 2
    assert b.data(4095, 4088) == 1


def test_many_buffers_are_distinct():
    buffers = [d.Buffer(4096, f"b{i}") for i in range(64)]
    for i, b in enumerate(buffers):
        b[0:4096] = bytes([i]) * 4096
    assert all(b[:] == bytes([i]) * 4096 for i, b in enumerate(buffers))
    assert len({b.phys_addr for b in buffers}) == 64


@pytest.mark.parametrize("size", [1, 511, 512, 4096, 4097, 65536, 1 << 20])
def test_sizes(size):
    b = d.Buffer(size)
    assert len(b) == size
    b[size - 1] = 0xA5
    assert b[size - 1] == 0xA5


def test_equality_of_content():
    a, b = d.Buffer(512), d.Buffer(512)
    a[:] = b[:] = bytes(range(256)) * 2
    assert a[:] == b[:]
    b[511] ^= 1
    assert a[:] != b[:]
