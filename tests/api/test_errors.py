# SPDX-License-Identifier: BSD-3-Clause
"""Errors for mistakes of the user say what was found and what to do."""

import os
import re
import socket
import threading
import time

import nvme as d
import pytest
from offered import SPDK

from tests.fix_load import loaded


@pytest.fixture
def server(tmp_path):
    """Give ``server(answer)``: a folder with a socket ``cntrl``; answer(connection) runs for each client."""
    stop = []

    def serve(answer):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "cntrl"))
        listener.listen(4)

        def loop():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        stop.append((listener, thread))
        return str(tmp_path)

    yield serve
    for listener, thread in stop:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        assert not thread.is_alive()


def test_an_address_that_is_nothing_is_named_in_the_error():
    for wrong in ("", "nonsense", "/no/such/folder", b"ff:1f.7"):
        text = wrong.decode() if isinstance(wrong, bytes) else wrong
        with pytest.raises(d.NvmeEnumerateError) as error:
            d.Controller(wrong)
        assert text in str(error.value)
        assert len(str(error.value)) > len(text) + 10, "says more than the address"


def test_a_folder_without_a_socket_says_what_was_looked_for(tmp_path):
    with pytest.raises(d.NvmeEnumerateError, match="cntrl"):
        d.Controller(str(tmp_path))


def test_a_socket_that_nobody_listens_at_is_an_enumerate_error(tmp_path):
    path = tmp_path / "cntrl"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(d.NvmeEnumerateError, match=re.escape(str(tmp_path))):
        d.Controller(str(tmp_path))


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\xff", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(16), b"\xff" * 4096],
    ids=["nothing", "a byte", "http", "zeros", "ones"],
)
def test_a_socket_that_speaks_something_else_is_an_enumerate_error(server, garbage):
    def answer(connection):
        connection.recv(4096)
        connection.sendall(garbage)

    with pytest.raises(d.NvmeEnumerateError):
        d.Controller(server(answer))


def test_a_socket_that_never_answers_is_given_up_within_its_time(server):
    release = threading.Event()

    def answer(connection):
        connection.recv(4096)
        release.wait(30)

    folder = server(answer)
    start = time.monotonic()
    try:
        with pytest.raises(d.NvmeEnumerateError):
            d.Controller(folder)
        assert time.monotonic() - start < 15 or loaded()
    finally:
        release.set()


def test_a_file_that_is_no_socket_is_an_enumerate_error(tmp_path):
    (tmp_path / "cntrl").write_text("not a socket")
    with pytest.raises(d.NvmeEnumerateError):
        d.Controller(str(tmp_path))


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost:4420"])
def test_nvme_over_tcp_is_refused_by_name(address):
    with pytest.raises(d.NvmeEnumerateError, match="TCP"):
        d.Controller(address)
    with pytest.raises(d.NvmeEnumerateError, match="TCP"):
        d.Tcp(address)


def test_an_unknown_option_of_a_virtual_ssd_lists_the_known_ones():
    with pytest.raises((ValueError, d.NvmeEnumerateError), match=r"sise.*size"):
        d.Controller("vssd:sise=4G")


def test_a_drive_that_somebody_else_has_open_says_so(own_ssd, python):
    pcie = d.Pcie(own_ssd.address)
    try:
        done = python(f"import nvme; nvme.Pcie({own_ssd.address!r})")
        assert done.returncode == 1
        assert "NvmeEnumerateError" in done.stderr
    finally:
        pcie.close()
    assert python(f"import nvme; nvme.Pcie({own_ssd.address!r}).close()").returncode == 0


def test_a_failed_open_leaves_the_next_one_whole(own_ssd):
    for _ in range(3):
        with pytest.raises(d.NvmeEnumerateError):
            d.Controller("/no/such/folder")
    pcie = d.Pcie(own_ssd.address)
    assert d.Controller(pcie)[0x1C] & 1
    pcie.close()


def test_a_buffer_shorter_than_the_transfer_is_asserted_at_the_call(nvme0n1, qpair, lba_size):
    short = d.Buffer(8 * lba_size - 1)
    for command in (nvme0n1.read, nvme0n1.write, nvme0n1.compare):
        with pytest.raises(AssertionError):
            command(qpair, short, 0, 8)


def test_what_fits_no_field_is_asserted_at_the_call(nvme0, nvme0n1, qpair):
    b = d.Buffer(4096)
    for wrong in (
        lambda: nvme0.format(ses=8),
        lambda: nvme0.format(lbaf=16),
        lambda: nvme0.fw_commit(8, 1),
        lambda: nvme0.fw_commit(1, 8),
        lambda: nvme0n1.read(qpair, b, 0, 65537),
        lambda: nvme0n1.read(qpair, b, 0, 0),
        lambda: nvme0n1.read(qpair, b, -1),
        lambda: nvme0n1.dsm(qpair, d.Buffer(8192), 257),
        lambda: nvme0.identify(d.Buffer(512)),
    ):
        with pytest.raises((AssertionError, OverflowError)):
            wrong()
    nvme0n1.read(qpair, b, 0).waitdone()


@pytest.mark.differs(SPDK, "NSID 0 is 00/06, not 00/0b (Base 2.0, 3.2.1)")
def test_what_fits_a_field_is_sent_for_the_drive_to_refuse(nvme0, nvme0n1, qpair, lba_size):
    capacity = nvme0n1.id_ns.nsze
    b = d.Buffer(8 * lba_size)
    with pytest.warns(UserWarning, match="^ERROR status: 00/80"):
        nvme0n1.read(qpair, b, capacity - 1, 2).waitdone()
    with pytest.warns(UserWarning, match="^ERROR status: 00/0b"):
        nvme0n1.send_cmd(2, qpair, b, nsid=0).waitdone()
    big = d.Buffer(2 * nvme0.mdts)
    with pytest.warns(UserWarning, match="^ERROR status: 00/02"):
        nvme0n1.read(qpair, big, 0, len(big) // lba_size).waitdone()
    nvme0n1.read(qpair, b, 0).waitdone()


def test_a_namespace_that_is_not_there_is_a_creation_error(nvme0):
    for nsid in (0, 2000, 0xFFFFFFFE):
        with pytest.raises((d.NamespaceCreationError, AssertionError)):
            d.Namespace(nvme0, nsid)


def test_the_wrong_kind_of_argument_is_a_type_error(nvme0, nvme0n1, qpair, buf):
    for wrong in (
        lambda: d.Controller(7),
        lambda: d.Controller(None),
        lambda: d.Qpair("nvme0", 16),
        lambda: d.Namespace(None),
        lambda: nvme0n1.read(None, buf, 0),
        lambda: nvme0n1.read(qpair, b"bytes", 0),
        lambda: nvme0n1.read(qpair, buf, 0, cb=5),
    ):
        with pytest.raises((TypeError, AssertionError)):
            wrong()


def test_a_controller_closed_by_its_device_says_so(pciaddr):
    pcie = d.Pcie(pciaddr)
    nvme0 = d.Controller(pcie)
    pcie.close()
    for use in (lambda: nvme0.identify(d.Buffer()), lambda: nvme0[0], lambda: d.Qpair(nvme0, 4)):
        with pytest.raises(Exception, match="closed"):
            use()


def test_opening_and_closing_again_and_again_leaves_nothing(pciaddr):
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    d.Pcie(pciaddr).close()
    before = descriptors()
    for _ in range(20):
        pcie = d.Pcie(pciaddr)
        nvme0 = d.Controller(pcie)
        d.Qpair(nvme0, 16)
        pcie.close()
    assert descriptors() == before
