# SPDX-License-Identifier: BSD-3-Clause
"""VERSION: the replies suit the requests of all known clients."""

from __future__ import annotations

import errno
import json
import os
import struct

import pytest
from client import ERROR, GET_INFO, QEMU_JSON, VERSION, Client


def negotiate(server, major: int, minor: int, text: bytes) -> tuple[int, int, bytes]:
    with Client(server.folder, version=None) as client:
        payload = client.ok(VERSION, struct.pack("<HH", major, minor) + text).payload
        client.ok(GET_INFO, struct.pack("<4I", 16, 0, 0, 0))
    return (*struct.unpack_from("<HH", payload), payload[4:])


def refused(server, payload: bytes) -> int:
    with Client(server.folder, version=None) as client:
        error = client.error(VERSION, payload)
        assert client.is_closed()
    return error


def test_spdk_which_sends_no_json_gets_the_numbers_alone(server) -> None:
    assert negotiate(server, 0, 1, b"") == (0, 1, b"")


def test_qemu_gets_minor_0_and_a_json_no_longer_than_its_own(server) -> None:
    major, minor, text = negotiate(server, 0, 0, QEMU_JSON)
    assert (major, minor) == (0, 0)
    assert text[-1:] == b"\0" and len(text) <= len(QEMU_JSON)
    capabilities = json.loads(text[:-1])["capabilities"]
    assert capabilities == {"max_msg_fds": 8, "max_data_xfer_size": 1 << 20}


def test_the_reply_has_the_key_capabilities_where_the_client_left_little_room(server) -> None:
    _, _, text = negotiate(server, 0, 1, b'{"capabilities":{}}\0')
    assert json.loads(text[:-1]) == {"capabilities": {}}


def test_a_json_too_short_to_be_answered_in_kind_gets_the_numbers_alone(server) -> None:
    assert negotiate(server, 0, 1, b"{}\0") == (0, 1, b"")


@pytest.mark.parametrize("minor, answered", [(0, 0), (1, 1), (2, 2), (3, 2), (65535, 2)])
def test_the_minor_is_the_smaller_one_of_both(server, minor: int, answered: int) -> None:
    assert negotiate(server, 0, minor, QEMU_JSON)[:2] == (0, answered)


@pytest.mark.parametrize(
    "text",
    [
        b' \t{"a":[1,-2.5e+3,{"b":null}],"capabilities" : {"max_msg_fds":1},"c":"\\"}"}\n\0',
        b'{"capabilities":{"unknown":{"deep":[[[]]]},"max_data_xfer_size":99999999999999999999999}}\0',
        b'{"other":true}\0',
        b"{}\0\0\0",
        b"\0",
    ],
)
def test_any_json_object_is_understood(server, text: bytes) -> None:
    assert negotiate(server, 0, 1, text)[:2] == (0, 1)


@pytest.mark.parametrize(
    "text",
    [
        QEMU_JSON[:-1],
        b"garbage\0",
        b"{\0",
        b"[]\0",
        b"7\0",
        b'{"a":1,}\0',
        b'{"a" 1}\0',
        b'{"a":1} {}\0',
        b'{"a":"no end}\0',
        b'{"a":"\x01"}\0',
        b'{"a":tru}\0',
        b'{"a":1.}\0',
        b'{"a":-}\0',
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}\0",
        b'{"capabilities":[]}\0',
        b'{"capabilities":{"max_msg_fds":"8"}}\0',
        b'{"capabilities":{"max_msg_fds":-1}}\0',
        b'{"capabilities":{"max_data_xfer_size":0}}\0',
        b'{"capabilities":{"max_data_xfer_size":1.5}}\0',
    ],
    ids=lambda text: ascii(text[:24]),
)
def test_what_is_no_json_object_is_refused_and_the_connection_closed(server, text: bytes) -> None:
    assert refused(server, struct.pack("<HH", 0, 1) + text) == errno.EINVAL


@pytest.mark.parametrize("payload", [b"", b"\0\0\1", struct.pack("<HH", 1, 0), struct.pack("<HH", 65535, 0)])
def test_another_major_or_too_few_bytes_are_refused(server, payload: bytes) -> None:
    assert refused(server, payload) == errno.EINVAL


def test_nothing_comes_before_version(server) -> None:
    with Client(server.folder, version=None) as client:
        assert client.error(GET_INFO, struct.pack("<4I", 16, 0, 0, 0)) == errno.EINVAL
        assert client.is_closed()


def test_a_second_version_is_refused_and_the_connection_stays(client: Client) -> None:
    assert client.error(VERSION, struct.pack("<HH", 0, 1)) == errno.EINVAL
    client.ok(GET_INFO, struct.pack("<4I", 16, 0, 0, 0))


def test_a_descriptor_that_comes_with_version_is_closed(server) -> None:
    with Client(server.folder, version=None) as client:
        read, write = os.pipe()
        client.ok(VERSION, struct.pack("<HH", 0, 1), (write,))
        os.close(write)
        assert os.read(read, 1) == b""
        os.close(read)


def test_a_client_that_takes_no_descriptors_gets_none(server) -> None:
    with Client(server.folder, json=b'{"capabilities":{"max_msg_fds":0}}' + bytes(64)) as client:
        reply = client.ok(5, struct.pack("<IIIIQQ", 4096, 0, 0, 0, 0, 0))
        flags = struct.unpack_from("<I", reply.payload, 4)[0]
        assert reply.fds == [] and not flags & 0xC and not reply.flags & ERROR
