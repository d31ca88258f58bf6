# SPDX-License-Identifier: BSD-3-Clause
"""The Management Interface by pynvme.mi: in band and out of band say the same."""

import contextlib
import socket
import struct
import threading

import nvme as d
import pytest

from pynvme import firmware
from pynvme.mi import InBand, Mctp, Mi, MiError, crc32c
from pynvme.spec.mi import MiStatus
from pynvme.vssd import VirtualSsd


@pytest.fixture(scope="module")
def drive():
    """Give a controller of a drive that has it, and an endpoint of the same drive."""
    with VirtualSsd(size="16M", mi=True, serial="MI-2") as ssd:
        nvme0 = d.Controller(ssd.address)
        with Mctp(ssd.address) as endpoint:
            yield nvme0, endpoint
        nvme0.pcie.close()


def test_the_check_of_a_message():
    assert crc32c(b"123456789") == 0xE3069283 and crc32c(b"") == 0


@pytest.mark.parametrize("way", ["in band", "out of band"])
def test_commands(drive, way):
    nvme0, endpoint = drive
    mi = Mi(nvme0) if way == "in band" else Mi(endpoint)
    health = mi.subsystem_health(clear=True)
    assert (health.nss.df, health.nss.rnr, health.nss.p0la, health.sw, health.pdlu) == (1, 1, 1, 0xFF, 0)
    assert health.ccs.rdy == 1 and mi.subsystem_health().ccs.ceco == 0
    (found,) = mi.controller_health()
    assert (found.ctlid, found.spare, found.csts.rdy) == (1, 100, 1) and 290 < found.ctemp < 350
    assert mi.controller_health(first=2) == []
    mi.controller_health(clear=True)
    assert mi.controller_health(changed=True) == []
    nvme0.reset()
    assert mi.controller_health(changed=True)[0].csts.ceco == 1
    assert (mi.subsystem().mjr, mi.subsystem().mnr) == (1, 2)
    assert (mi.port().prttyp, mi.port().nlw, mi.controllers(), mi.controllers(2)) == (1, 4, [1], [])
    assert mi.controller(1).vid == nvme0.id_ctrl.vid
    found = [one.opc for one in mi.commands().commands if one.cmdt.nmimt == 1]
    assert found == ([5, 6] if way == "in band" else [5, 6, 7, 10, 11, 12])
    mi.configure(2)
    if way == "out of band":
        mi.configure(3, 96)
        mi.configure(1, 2)
        assert (mi.configuration(3), mi.configuration(1)) == (96, 2)
    else:
        with pytest.raises(MiError, match="invalid parameter"):
            mi.configuration(3)
    vpd = mi.vpd()
    assert len(vpd) == 256 and sum(vpd[:8]) & 0xFF == 0 and b"MI-2" in vpd
    mi.vpd_write(b"pynvme", 200)
    assert mi.vpd(200, 6) == b"pynvme"
    for wrong, status in (
        (lambda: mi.port(1), MiStatus.INVALID_PARAMETER),
        (lambda: mi.vpd(256, 1), MiStatus.INVALID_PARAMETER),
        (lambda: mi.command(0xC0), MiStatus.INVALID_OPCODE),
    ):
        with pytest.raises(MiError, match="NVMe-MI command") as caught:
            wrong()
        assert caught.value.status == status
    with pytest.raises(AssertionError, match="offset"):
        mi.vpd(1 << 16)


def test_admin_commands_out_of_band(drive):
    nvme0, endpoint = drive
    status, data = endpoint.admin(0x06, cdw10=1)
    assert status == 0 and len(data) == 4096 and data[:253] == bytes(nvme0.id_ctrl)[:253]
    assert endpoint.admin(0x06, cdw10=1, offset=4, length=20) == (0, b"MI-2".ljust(20))
    assert endpoint.admin(0x06, cdw10=0x77)[0] & 0x7FF == 2
    assert endpoint.admin(0x09, cdw10=0x0E, data=bytes([9, 8, 7, 6, 5, 4, 0, 0])) == (0, b"")
    assert endpoint.admin(0x0A, cdw10=0x0E, length=8)[1][3:6] == bytes([6, 5, 4])
    for opcode, fields, status, location in (
        (0x0A, {"cdw10": 0x07}, MiStatus.INVALID_PARAMETER, 44),  # Number of Queues belongs to the host
        (0x0C, {}, MiStatus.INVALID_PARAMETER, 4),  # Asynchronous Event Request is prohibited
        (0x24, {}, MiStatus.INVALID_OPCODE, 0),  # Lockdown, which this drive lacks
        (0x06, {"ctrlid": 9}, MiStatus.INVALID_PARAMETER, 6),
    ):
        with pytest.raises(MiError) as caught:
            endpoint.admin(opcode, **fields)
        assert (caught.value.status, caught.value.location) == (status, location)
        assert (f"at byte {location}" in str(caught.value)) == (location > 0)
    with pytest.raises(AssertionError, match="cdw16"):
        endpoint.admin(0x06, cdw16=1)


def test_pcie_commands_and_the_buffer(drive):
    nvme0, endpoint = drive
    mi = Mi(endpoint)
    assert endpoint.pcie_config_read(0) == bytes(nvme0.pcie[0:4])
    assert int.from_bytes(endpoint.pcie_memory_read(0, 8), "little") == nvme0.cap
    endpoint.pcie_config_write(0x0C, b"\x10")
    assert nvme0.pcie[0x0C] == 0x10
    endpoint.pcie_memory_write(0x14, bytes(4))
    assert endpoint.pcie_memory_read(0x1C)[0] & 1 == 0 and nvme0[0x1C] & 1 == 0
    nvme0.reset()
    assert mi.port().meb == 65536 and next(iter(mi.buffer_commands().commands)).cmdt.nmimt == 2
    mi.buffer_write(b"123", 1000)
    assert mi.buffer_read(999, 5) == b"\x00123\0"
    assert endpoint.admin_command(0x06, cdw10=1, length=128, in_buffer=True) == (0, 0, b"")
    assert mi.buffer_read(4, 4) == b"MI-2"
    for call, status in (
        (lambda: endpoint.pcie_memory_read(0, bar=1), MiStatus.INVALID_PARAMETER),
        (lambda: endpoint.pcie_config_read(4095, 2), MiStatus.INVALID_PARAMETER),
        (lambda: endpoint.pcie_command(4, 4, 0), MiStatus.INVALID_OPCODE),
        (lambda: Mi(nvme0).buffer_read(), MiStatus.INVALID_OPCODE),
        (lambda: Mi(nvme0).reset(), MiStatus.INVALID_OPCODE),
        (lambda: mi.command(7, 1 << 24), MiStatus.INVALID_PARAMETER),
    ):
        with pytest.raises(MiError) as caught:
            call()
        assert caught.value.status == status
    with pytest.raises(AssertionError, match="buffer"):
        endpoint.admin_command(0x11, data=b"1234", in_buffer=True)


def test_reset_and_shutdown():
    with VirtualSsd(size="4M", mi=True) as ssd, Mctp(ssd.address) as endpoint:
        nvme0 = d.Controller(ssd.address)
        Mi(endpoint).shutdown()
        assert nvme0[0x1C] & 0x4C == 0x48
        Mi(endpoint).reset()
        assert endpoint.get_state().nssro and nvme0[0x1C] & 0x5D == 0x10
        nvme0.reset()
        assert nvme0[0x1C] & 1
        ssd.fault("queue=out-of-band opcode=identify do status=00/06")
        assert endpoint.admin(0x06, cdw10=1)[0] & 0x7FF == 6 and nvme0.identify(d.Buffer()).waitdone() == 0
        nvme0.pcie.close()


def test_admin_commands_that_change_the_drive():
    with VirtualSsd(size="4M", mi=True, namespace_management=True, tcg=True) as ssd:
        nvme0 = d.Controller(ssd.address)
        with Mctp(ssd.address) as endpoint:
            assert endpoint.format(nsid=1) == (0, 0, b"") and endpoint.format(63).status & 0x7FF == 0x10A
            assert endpoint.ns_delete(1).status == 0 and endpoint.ns_create(64, nmic=1) == (1, 0, b"")
            assert endpoint.ns_attach(1).status == 0 and endpoint.ns_detach(1, [1]).status == 0
            assert endpoint.ns_attach(1, [1]).status == 0
            namespace = d.Namespace(nvme0, 1)
            assert namespace.id_ns.nsze == 64 and namespace.id_ns.nmic == 1
            namespace.close()
            image = firmware.make("MI 2.0")
            for at in range(0, len(image), 4096):
                assert endpoint.fw_download(image[at : at + 4096], at).status == 0
            assert endpoint.fw_commit(2, 3).status == 0
            assert endpoint.admin(0x06, cdw10=1, offset=64, length=8)[1] == b"MI 2.0  "
            assert endpoint.fw_commit(3, 2).status & 0x7FF == 0x107, "an empty slot"
            assert int.from_bytes(endpoint.security_receive(1, size=512).data[:4], "big") > 48, (
                "Level 0 Discovery"
            )
            assert endpoint.security_send(bytes(4), 0, 0x77).status & 0x7FF == 0x02
            assert endpoint.sanitize().status == 0
            while endpoint.admin(0x02, nsid=0xFFFFFFFF, length=512, cdw10=127 << 16 | 0x81)[1][2] & 7 == 2:
                pass
            with pytest.raises(MiError, match="parameter"):
                endpoint.fw_download(bytes(8192), 0)
            with pytest.raises(AssertionError, match="dwords"):
                endpoint.fw_download(b"123", 0)
        nvme0.pcie.close()


def test_commands_of_a_large_drive():
    """Lockdown by interface, endurance groups, LBA status, and virtual functions."""
    options = {"size": "4M", "mi": True, "lockdown": True, "lba_status": True, "namespace_management": True}
    with VirtualSsd(**options, unallocated="4M", endurance_groups=1, capacity_management="variable") as ssd:
        nvme0 = d.Controller(ssd.address)
        with Mctp(ssd.address) as endpoint:
            for ifc, codes in ((0, (0x23, 0)), (2, (0, 0x23)), (1, (0x23, 0x23))):
                assert endpoint.lockdown(0x14, ifc=ifc).status == 0
                with pytest.warns(UserWarning) if codes[0] else contextlib.nullcontext():
                    nvme0.dst(0xF).waitdone()
                assert (nvme0.cmdlog_list(1)[0].sc, endpoint.admin(0x14, cdw10=0xF)[0] & 0x7FF) == codes
                log = nvme0.log(0x14, lsp=2 << 4)
                assert list(log.cfil[: log.lngth]) == [0x14] * (codes[1] > 0)
                assert endpoint.lockdown(0x14, prhbt=0, ifc=1).status == 0
            assert endpoint.get_lba_status(size=24).data[:8] == bytes([0, 0, 0, 0, 2, 0, 0, 0])
            assert endpoint.capacity_management(1, cap=1 << 20) == (2, 0, b"")
            assert endpoint.capacity_management(2, elid=2) == (0, 0, b"")
        nvme0.pcie.close()
    with VirtualSsd(size="4M", mi=True, virtual_functions=1) as ssd, Mctp(ssd.address, ctrlid=2) as second:
        assert second.admin(0x06, cdw10=1, offset=78, length=4)[1][:2] == b"\2\0"
        second.ctrlid = 1
        assert second.virtualization_management(8, cntlid=2, nr=3) == (3, 0, b"")
        assert second.virtualization_management(8, cntlid=9, nr=3).status & 0x7FF == 0x11F
        with pytest.raises(MiError, match="invalid opcode"):
            second.capacity_management(1)


def test_vendor_specific_commands():
    """An answer that a script gives the drive serves both doors."""
    with VirtualSsd(size="4M", mi=True) as ssd, Mctp(ssd.address) as endpoint:
        with ssd.answer(0xC2, bytes(range(100)) + bytes(5000), admin=True, result=7):
            assert endpoint.admin_command(0xC2, offset=96, length=8) == (
                7,
                0,
                bytes((96, 97, 98, 99, 0, 0, 0, 0)),
            )
            assert endpoint.admin_command(0xC2, offset=5096, length=4).status == 0
        with ssd.answer(0xC1, admin=True, receive=8, status=0x1C5) as answer:
            assert endpoint.admin_command(0xC1, data=b"12345678", cdw12=5).status & 0x7FF == 0x1C5
            assert answer.data == b"12345678" and answer.count == 1
            assert endpoint.admin_command(0xC1, data=b"1234").status & 0x7FF == 2, "too little data"
            dwords = (1, 2, 3, 0, 0, 0, 8, 0, 0, 10, 11, 12, 13, 14, 15)
            endpoint.exchange(struct.pack("<BBH15I8x", 0xC1, 0, 1, *dwords), 2)
            sqe = answer.sqe
            assert (sqe.nsid, sqe.cdw2, sqe.cdw3, sqe.cdw10, sqe.cdw15) == (1, 2, 3, 10, 15)
        with pytest.raises(MiError, match="opcode"):
            endpoint.admin_command(0xC2)


def test_control_primitives(drive):
    _, endpoint = drive
    endpoint.abort()
    endpoint.abort(1)
    endpoint.get_state(clear=True)
    assert endpoint.replay(1) is None and int(endpoint.get_state()) == 0
    read = struct.pack("<B3xII", 0, 0, 0)
    first = endpoint.exchange(read, slot=1)
    assert endpoint.replay(1) == first
    assert endpoint.pause() == 3 and endpoint.get_state().pflg
    endpoint.send(read, slot=1)
    endpoint.send(read, slot=1)
    state = endpoint.get_state(1)
    assert (state.ssta, state.cmnics, state.bmice) == (3, 1, 0)
    endpoint.resume()
    assert endpoint.receive(slot=1) == first
    assert endpoint.abort(1) == 0 and endpoint.replay(1) is None
    with pytest.raises(MiError, match="invalid opcode"):
        endpoint.primitive(9)
    with pytest.raises(AssertionError, match="slot"):
        endpoint.primitive(0, slot=2)


class Fake:
    """An endpoint that answers with what a test gives it, whole messages without their check."""

    def __init__(self, folder):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(folder / "control"))
        self.listener.listen()
        self.endpoint = Mctp(folder, timeout=1)
        self.peer = self.listener.accept()[0]

    def answer(self, *hexes):
        for text in hexes:
            body = bytes.fromhex(text)
            self.peer.send(body + crc32c(body).to_bytes(4, "little"))

    def close(self):
        self.endpoint.close()
        self.peer.close()
        self.listener.close()


@pytest.fixture
def fake(tmp_path):
    with contextlib.closing(Fake(tmp_path)) as fake:
        yield fake


def test_responses_of_two_slots_come_in_any_order(fake):
    """A format in slot 0 takes longer than a poll in slot 1, whose response comes in between."""
    fake.endpoint.send(bytes(64), kind=2, slot=0)
    fake.endpoint.send(bytes(12), kind=1, slot=1)
    fake.answer("84900000 01000a00", "84890000 00112233", "84900000 00000000 07000000 00000000 00000000")
    assert fake.endpoint.receive(2, 0) == bytes.fromhex("00000000 07000000 00000000 00000000")
    assert fake.endpoint.receive(1, 1) == bytes.fromhex("00112233")


def test_a_response_that_came_too_late_is_not_that_of_the_next_command(fake):
    fake.endpoint._socket.settimeout(0.05)
    with pytest.raises(TimeoutError):
        fake.endpoint.exchange(bytes(12))
    fake.endpoint._socket.settimeout(1)
    fake.answer("84880000 00aaaaaa")
    sender = threading.Timer(0.2, fake.answer, ["84880000 00bbbbbb"])
    sender.start()
    assert fake.endpoint.exchange(bytes(12)) == bytes.fromhex("00bbbbbb")
    sender.join()


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        ("84100000 00000000", ValueError, "no response"),  # a request
        ("04900000 00000000", ValueError, "no response"),  # without an integrity check
        ("84900000", ValueError, "no response"),
        ("84900000 00000000 01000000", ValueError, "no completion"),
        ("84900000 04000400", MiError, "invalid parameter at byte 4"),
        ("84900000 03ffffff", MiError, "invalid opcode$"),
        ("84900000 e0000000", MiError, "status 0xe0"),
        (None, ConnectionResetError, "closed"),
    ],
)
def test_hostile_responses(fake, answer, error, text):
    def serve():
        fake.peer.recv(100)
        if answer is None:
            fake.peer.close()
        else:
            fake.answer(answer)

    server = threading.Thread(target=serve)
    server.start()
    with pytest.raises(error, match=text):
        fake.endpoint.admin_command(0x06)
    server.join()


def test_data_that_are_shorter_than_their_structure(fake):
    mi = Mi(fake.endpoint)
    for call, answer in (
        (mi.subsystem_health, "84880000 00000000 38"),
        (mi.controller_health, "84880000 00000002 0100"),
        (mi.subsystem, "84880000 00200000 0001"),
        (mi.controllers, "84880000 00020000 ffff"),
        (mi.commands, "84880000 00020000 ff"),
    ):
        server = threading.Thread(target=lambda answer=answer: (fake.peer.recv(100), fake.answer(answer)))
        server.start()
        with pytest.raises(ValueError):
            str(call())
        server.join()


def test_what_is_no_endpoint(drive, tmp_path):
    nvme0, endpoint = drive
    with pytest.raises(OSError):
        Mctp(tmp_path / "nothing")
    assert InBand(nvme0).command(0).status == 0
    endpoint._socket.settimeout(0.05)
    endpoint._socket.send(b"\x84" * 12)
    with pytest.raises(TimeoutError):
        endpoint._socket.recv(10)
    endpoint._socket.settimeout(5)
