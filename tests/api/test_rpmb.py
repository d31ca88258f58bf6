# SPDX-License-Identifier: BSD-3-Clause
"""pynvme.rpmb on a virtual SSD, and with a drive that answers wrong."""

from __future__ import annotations

import nvme as d
import pytest

from pynvme.rpmb import Rpmb, RpmbError, RpmbInfo, info, sign
from pynvme.spec import RpmbFrame, RpmbResult

KEY = bytes(range(32))


def test_a_frame_by_its_bytes() -> None:
    """A signed Authenticated Data Write, whose MAC OpenSSL has computed."""

    class Nothing:
        def send(self, target: int, data: bytes) -> None: ...

        def receive(self, target: int, size: int) -> bytes:
            return bytes(size)

    frame = Rpmb(Nothing(), 2, KEY).frame(3, counter=7, address=0x10, sectors=1, data=b"\xa5" * 512)
    assert frame[:191] == bytes(191) and frame[256:] == b"\xa5" * 512
    assert frame[223:256].hex() == "02" + "00" * 16 + "07000000" + "10000000" + "01000000" + "0000" + "0300"
    mac = "5f33a553bdadf50c4cc2abb0074320544eb6b948c789c2ae5b41ae38fae388f9"
    assert frame[191:223].hex() == mac
    parsed = RpmbFrame(frame[:256])
    assert (parsed.target, parsed.counter, parsed.address, parsed.message.name) == (2, 7, 16, "WRITE")


def test_data_are_written_read_and_refused() -> None:
    nvme0 = d.Controller(d.Pcie("vssd:name=rpmb,size=16M,rpmb,boot_partitions,write_protection"))
    assert info(nvme0) == RpmbInfo(4, 256 << 10, 16 << 10, 0)
    rpmb = Rpmb(nvme0, 1, KEY)
    with pytest.raises(RpmbError, match="no key") as error:
        rpmb.counter()
    assert error.value.result is RpmbResult.NO_KEY and not error.value.expired
    rpmb.program_key()
    data = bytes(range(256)) * 160
    assert rpmb.write(3, data) == 3, "40 KiB are three requests"
    assert rpmb.read(3, 80) == data and rpmb.counter() == 3
    for failing, result in (
        (lambda: rpmb.program_key(), RpmbResult.WRITE_FAILURE),
        (lambda: rpmb.write(511, bytes(1024)), RpmbResult.ADDRESS_FAILURE),
        (lambda: rpmb.configuration(), RpmbResult.INVALID_CONFIGURATION),
    ):
        with pytest.raises(RpmbError) as error:
            failing()
        assert error.value.result is result
    frame = rpmb.frame(3, counter=2, address=0, sectors=1, data=bytes(512))
    assert rpmb.exchange(frame)[0].result.status is RpmbResult.COUNTER_FAILURE, "a replay"
    other = Rpmb(nvme0, 1, bytes(32))
    with pytest.raises(RpmbError, match="wrong MAC"):
        other.counter()
    assert Rpmb(nvme0, 1).counter() == 3, "without a key, the response is not checked"
    with pytest.warns(UserWarning, match="00/02"), pytest.raises(RpmbError, match="status 00/02") as error:
        rpmb.exchange(sign(bytes(256), KEY))
    assert error.value.nvme_status == 0x002

    first = Rpmb(nvme0, key=KEY)
    first.program_key()
    assert first.configure(boot_protection=True, lock1=True, until_power_cycle=True).bpl == 2
    seen = first.configuration()
    assert (seen.bppe.enabled, seen.bpl.bp0, seen.bpl.bp1, seen.wpc) == (1, 0, 1, 1)
    assert first.configuration_counter() == 1 and first.counter() == 0
    nvme0.send_cmd(9, nsid=1, cdw10=0x84, cdw11=2).waitdone()
    assert d.Namespace(nvme0).id_ns.nsattr & 1
    nvme0.pcie.close()


def test_arguments_that_are_wrong() -> None:
    nvme0 = d.Controller(d.Pcie("vssd:name=rpmb-wrong,size=16M,rpmb"))
    with pytest.raises(ValueError, match="has 4 RPMB targets, and no target 4"):
        Rpmb(nvme0, 4)
    with pytest.raises(ValueError, match="has 32 bytes, not 5"):
        Rpmb(nvme0, key=b"short")
    rpmb = Rpmb(nvme0)
    with pytest.raises(ValueError, match="takes a key"):
        rpmb.program_key()
    with pytest.raises(ValueError, match="multiple of 512 bytes, not 5"):
        rpmb.write(0, b"short")
    with pytest.raises(ValueError, match="at least one sector"):
        rpmb.read(0, 0)
    with pytest.raises(ValueError, match="has 512 bytes, not 3"):
        rpmb.write_configuration(b"\1\2\3")
    rpmb.program_key(KEY)
    with pytest.raises(ValueError, match="needs the key"):
        Rpmb(nvme0).write_configuration(bytes(512))
    nvme0.pcie.close()
    plain = d.Controller(d.Pcie("vssd:name=no-rpmb,size=16M"))
    assert info(plain) == RpmbInfo(0, 0, 0, 0)
    with pytest.raises(ValueError, match="has 0 RPMB targets"):
        Rpmb(plain)
    plain.pcie.close()


class Forger:
    """Changes a response of a drive."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.sent = b""

    def send(self, target: int, data: bytes) -> None:
        self.sent = data

    def receive(self, target: int, size: int) -> bytes:
        answer = RpmbFrame()
        answer.nonce, answer.message, answer.counter = self.sent[224:240], self.sent[254] << 8, 5
        signed = bytearray(sign(bytes(answer), KEY))
        signed[self.at] ^= 1
        return bytes(signed)


@pytest.mark.parametrize("at", [191, 222, 223, 224, 240])
def test_a_response_that_someone_has_changed(at: int) -> None:
    with pytest.raises(RpmbError, match="wrong MAC"):
        Rpmb(Forger(at), key=KEY).counter()
    assert Rpmb(Forger(0), key=KEY).counter() == 5, "stuff bytes do not count"


def test_a_response_to_something_else() -> None:
    with pytest.raises(RpmbError, match="to read counter with message 0300h, not 0200h"):
        Rpmb(Forger(255), key=KEY).counter()
