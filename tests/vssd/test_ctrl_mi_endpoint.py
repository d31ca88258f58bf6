# SPDX-License-Identifier: BSD-3-Clause
"""What only a management controller can do: PCIe commands, the buffer, Reset and Shutdown. And fault rules.

NVMe-MI 1.2, sections 5.4, 5.5, 5.8, 5.11 and 7.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator

import pytest
from ctrl_helpers import (
    INVALID_OPCODE,
    OK,
    POWER,
    SANITIZE,
    Host,
    Start,
    control,
    firmware_image,
    identify,
    log_page,
)
from fault_helpers import clear, fired, plant, wrong
from mctp import (
    ABORT,
    ADMIN,
    BAD_COMMAND_SIZE,
    BAD_OPCODE,
    BAD_PARAMETER,
    BAD_SIZE,
    DENIED,
    MI,
    PCIE,
    STATE,
    Endpoint,
    entry,
    message,
)

READ_DATA, RESET, BUFFER_READ, BUFFER_WRITE, SHUTDOWN = 0, 7, 10, 11, 12
CONFIG_READ, CONFIG_WRITE, MEMORY_READ, MEMORY_WRITE, IO_READ = range(5)
INACCESSIBLE, SANITIZED, BUFFER = 0x21, 0x22, 65536
CAP, VS, CC, CSTS, NSSR, AQA, NSSD = 0, 8, 0x14, 0x1C, 0x20, 0x24, 0x64
LOCKDOWN, DOWNLOAD, COMMIT, FORMAT, IDENTIFY, LOG = 0x24, 0x11, 0x10, 0x80, 6, 2
MEB = 1


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "4M", "--mi", "--lockdown"))
    yield host
    host.close()


def csts(endpoint: Endpoint) -> int:
    status, data = endpoint.pcie(MEMORY_READ, 4, CSTS)
    assert status == 0 and len(data) == 4
    return int.from_bytes(data, "little")


def test_pcie_commands_reach_what_the_host_sees(host: Host, endpoint: Endpoint) -> None:
    golden = bytes.fromhex("84200000 00000100 04000000 00000000 00000000 60a34a4e")
    assert message(struct.pack("<BBHIQ", CONFIG_READ, 0, 1, 4, 0), PCIE) == golden
    endpoint.socket.send(golden)
    assert endpoint.receive(PCIE) == bytes(4) + host.client.config_read(0, 4)
    assert endpoint.pcie(CONFIG_READ, 4096, 0) == (0, host.client.config_read(0, 4096))
    assert endpoint.pcie(CONFIG_READ, 3, 1) == (0, host.client.config_read(1, 3) + b"\0"), "padded"
    assert endpoint.pcie(CONFIG_READ, 0, 4095) == (0, b"")
    assert endpoint.pcie(CONFIG_WRITE, 1, 0x0C, data=b"\x77\xff\xff\xff") == (0, b"")
    assert host.client.config_read(0x0C, 2) == b"\x77\0", "Cache Line Size; padding is discarded"
    for offset, length in ((CAP, 8), (VS, 4), (CC, 4), (CSTS, 4), (AQA, 20)):
        assert endpoint.pcie(MEMORY_READ, length, offset) == (0, host.client.bar_read(offset, length))
    assert endpoint.pcie(MEMORY_WRITE, 4, AQA, data=b"\x07\0\x03\0") == (0, b"")
    assert host.client.read32(AQA) == 0x30007


def test_pcie_commands_that_are_refused(host: Host, endpoint: Endpoint) -> None:
    """Section 7: the parameter error location is that of CTLID, LENGTH, BAR or OFFSET."""

    def refused(opcode: int, length: int, offset: int, bar: int = 0, ctrl: int = 1) -> tuple[int, int]:
        return endpoint.refused(struct.pack("<BBHIQ", opcode, 0, ctrl, bar << 16 | length, offset), PCIE)

    size = 1 << 14
    for arguments, byte in (
        ((CONFIG_READ, 4, 4093), 12),
        ((CONFIG_READ, 4097, 0), 8),
        ((MEMORY_READ, 4, size), 12),
        ((MEMORY_READ, 4, size - 3), 12),
        ((MEMORY_READ, 4, 1 << 63), 12),
        ((MEMORY_READ, 4, (1 << 64) - 2), 12),
        ((MEMORY_READ, 4, 0, 1), 10),
        ((MEMORY_READ, 4, 0, 2), 10),
        ((MEMORY_READ, 4, 0, 7), 10),
        ((CONFIG_READ, 4, 0, 0, 2), 6),
    ):
        assert refused(*arguments) == (BAD_PARAMETER, byte), arguments
    assert refused(MEMORY_READ, 4, 0, 4) == refused(MEMORY_READ, 4, 0, 5) == (DENIED, 0), "MSI-X"
    assert refused(IO_READ, 4, 0) == refused(5, 4, 0) == refused(0xC0, 4, 0) == (BAD_OPCODE, 0)
    head = struct.pack("<BBHIQ", CONFIG_WRITE, 0, 1, 2, 0x0C)
    assert endpoint.refused(head, PCIE) == endpoint.refused(head + bytes(2), PCIE) == (BAD_SIZE, 0)
    assert endpoint.refused(head + bytes(8), PCIE) == (BAD_SIZE, 0)
    assert endpoint.refused(struct.pack("<BBHIQ", CONFIG_READ, 0, 1, 4, 0) + bytes(4), PCIE) == (BAD_SIZE, 0)
    assert endpoint.refused(head[:-4], PCIE) == (BAD_COMMAND_SIZE, 0)
    endpoint.send(struct.pack("<BBHIQ", CONFIG_READ, 0, 1, 4, 0), PCIE, flags=MEB)
    assert endpoint.receive(PCIE)[:4] == bytes([BAD_PARAMETER, 0, 2, 0])
    host.client.config_write(0x44, b"\x03")  # PMCSR: D3hot
    assert refused(MEMORY_READ, 4, 0) == (INACCESSIBLE, 0) and endpoint.pcie(CONFIG_READ, 1, 0x44) == (
        0,
        b"\x0b\0\0\0",
    )
    assert endpoint.pcie(CONFIG_WRITE, 1, 0x44, data=bytes(4))[0] == 0
    host.client.config_write(4, b"\0\0")  # neither memory space nor bus mastering
    assert endpoint.pcie(MEMORY_READ, 4, VS) == (0, b"\0\0\2\0"), "out of band it is not needed"
    plant(host.server, "on=flr do late=300")
    host.client.config_write(0x68, b"\0\x80")  # Initiate Function Level Reset
    assert refused(CONFIG_READ, 4, 0) == (INACCESSIBLE, 0), "the function is in reset"


def test_a_controller_is_disabled_and_locked_down_out_of_band(host: Host, endpoint: Endpoint) -> None:
    assert csts(endpoint) & 1 == 1
    assert endpoint.pcie(MEMORY_WRITE, 4, CC, data=bytes(4)) == (0, b"") and csts(endpoint) & 1 == 0
    assert host.client.read32(CSTS) & 1 == 0
    host.start()
    nvme = host.nvme.admin
    prohibit = {"cdw10": 2 << 5 | 1 << 4 | 4 | MEMORY_WRITE << 8}
    assert nvme.execute(LOCKDOWN, **{"cdw10": prohibit["cdw10"] & ~(3 << 5)})[1] == 2, (
        "they have no other door"
    )
    assert nvme.execute(LOCKDOWN, **prohibit)[1] == OK
    head = struct.pack("<BBHIQ", MEMORY_WRITE, 0, 1, 4, CC)
    assert endpoint.refused(head + bytes(4), PCIE) == (DENIED, 0) and csts(endpoint) & 1 == 1


def test_the_optional_commands_are_listed(start: Start, folder: str) -> None:
    server = start("--size", "1M", "--mi")
    endpoint = Endpoint(server.folder)
    response, status, data = endpoint.mi(READ_DATA, 4 << 24 | 1)
    assert status == 0 and response == len(data)
    own, admin, pcie = (5, 6, RESET, BUFFER_READ, BUFFER_WRITE, SHUTDOWN), data[14:-8], data[-8:]
    assert data[:14] == struct.pack("<H", len(data) // 2 - 1) + b"".join(bytes([1 << 3, one]) for one in own)
    assert pcie == b"".join(bytes([4 << 3, one]) for one in range(4))
    assert set(admin[::2]) == {2 << 3} and FORMAT in admin[1::2] and 0x0D not in admin[1::2]
    response, status, data = endpoint.mi(READ_DATA, 5 << 24)
    assert status == 0 and response == len(data) == 2 * data[0] + 2 and set(data[2::2]) == {2 << 3}
    assert {LOG, IDENTIFY, DOWNLOAD} <= set(data[3::2]) and FORMAT not in data[3::2]
    endpoint.close()


def test_the_buffer(host: Host, endpoint: Endpoint) -> None:
    mi = endpoint.mi
    assert mi(BUFFER_READ, 0, 4096) == (0, 0, bytes(4096)) and mi(BUFFER_READ, 0, 0) == (0, 0, b"")
    assert (
        mi(BUFFER_WRITE, BUFFER - 4, 4, b"last")[1] == 0
        and mi(BUFFER_READ, BUFFER - 8, 8)[2] == bytes(4) + b"last"
    )
    for opcode in (BUFFER_READ, BUFFER_WRITE):
        for nmd0, nmd1, byte in ((BUFFER, 0, 8), (BUFFER - 4, 5, 12), (0, 4097, 12), (0xFFFFFFFF, 4, 8)):
            assert endpoint.refused(struct.pack("<B3xII", opcode, nmd0, nmd1), MI) == (BAD_PARAMETER, byte)
    assert mi(BUFFER_WRITE, 0, 4, b"ABC")[1] == BAD_SIZE
    assert host.nvme.admin.execute(0x1D, cdw10=0x804, cdw11=BUFFER_WRITE)[0] & 0xFF == BAD_OPCODE, (
        "not in band"
    )


def test_data_in_the_buffer(host: Host, endpoint: Endpoint) -> None:
    """They are longer than a message, and the rest of the buffer is cleared when a command returns some."""
    mi = endpoint.mi
    assert mi(BUFFER_WRITE, 8000, 4, b"rest")[1] == 0
    effects = log_page(host.nvme, 5, 4096) + bytes(4096)
    assert effects[8:] != bytes(8184), "some commands"
    endpoint.send(entry(LOG, 2047 << 16 | 5, nsid=0xFFFFFFFF, dlen=8192), flags=MEB)
    assert endpoint.completion(flags=MEB) == (0, OK, b""), "no data in the message"
    assert mi(BUFFER_READ, 0, 4096)[2] + mi(BUFFER_READ, 4096, 4096)[2] == effects
    endpoint.send(entry(IDENTIFY, 1, dlen=72), flags=MEB)
    assert endpoint.completion(flags=MEB) == (0, OK, b"")
    assert mi(BUFFER_READ, 0, 4096)[2] == identify(host.nvme, 1)[:72] + bytes(4024)
    assert mi(BUFFER_READ, 8000, 4)[2] == bytes(4)
    image = firmware_image("MEB 1")
    for at in (0, 4096):
        assert mi(BUFFER_WRITE, at, 4096, image[at : at + 4096])[1] == 0
    endpoint.send(entry(DOWNLOAD, 2047, dlen=8192), flags=MEB)
    assert endpoint.completion() == (0, OK, b"")
    assert endpoint.execute(entry(COMMIT, 3 << 3 | 2), later=True)[1] == OK
    assert identify(host.nvme, 1)[64:72] == b"MEB 1   "
    endpoint.send(entry(DOWNLOAD, 1023, dlen=4096) + bytes(4096), flags=MEB)
    assert endpoint.receive()[0] == BAD_SIZE, "data in the message too"
    endpoint.send(entry(IDENTIFY, 1, dlen=BUFFER + 4), flags=MEB)
    assert endpoint.receive() == bytes([BAD_PARAMETER, 0, 32, 0])
    endpoint.send(entry(FORMAT, nsid=1), flags=MEB)
    assert endpoint.receive() == bytes([BAD_PARAMETER, 0, 2, 0]), "it has no data"


def test_sanitize_and_resets_clear_the_buffer(host: Host, endpoint: Endpoint) -> None:
    mi = endpoint.mi
    assert mi(BUFFER_WRITE, 0, 4, b"data")[1] == 0
    assert endpoint.execute(entry(SANITIZE, 2))[1] == OK
    assert endpoint.refused(struct.pack("<B3xII", BUFFER_READ, 0, 4), MI) == (SANITIZED, 0)
    assert mi(BUFFER_WRITE, 4, 2, b"ok")[1] == 0 and mi(BUFFER_READ, 0, 8)[2] == b"\0\0\0\0ok\0\0"
    while endpoint.execute(entry(LOG, 127 << 16 | 0x81, nsid=0xFFFFFFFF, dlen=512))[2][2] & 7 == 2:
        pass
    endpoint.send(struct.pack("<B3xII", RESET, 0, 0), MI)
    assert mi(BUFFER_READ, 0, 8) == (0, 0, bytes(8))
    assert mi(BUFFER_WRITE, 0, 4, b"data")[1] == 0
    control(host.server, POWER, 0)
    control(host.server, POWER, 1)
    assert mi(BUFFER_READ, 0, 8) == (0, 0, bytes(8))


def test_reset(host: Host, endpoint: Endpoint) -> None:
    """Section 5.8: an NVM Subsystem Reset, without a response."""
    assert endpoint.refused(struct.pack("<B3xII", RESET, 1 << 24, 0), MI) == (BAD_PARAMETER, 11)
    assert csts(endpoint) & 1 == 1
    endpoint.send(struct.pack("<B3xII", RESET, 0, 0), MI)
    assert endpoint.primitive(STATE) == (0, 0x4000), "nothing came before it; NSSRO"
    assert host.client.read32(CSTS) == 1 << 4 and host.client.read32(CC) == 0
    host.client.write32(CSTS, 1 << 4)
    host.start()
    assert identify(host.nvme, 1)[:2] != b"\0\0"


@pytest.mark.parametrize("door", ["out of band", "register"])
def test_shutdown(start: Start, door: str) -> None:
    """Section 5.11, and Base 2.1, 3.6.3: all controllers are shut down, until the subsystem is reset."""
    host = Host(start("--size", "1M", "--mi", "--controllers", "2"))
    endpoint = Endpoint(host.server.folder)
    assert host.client.read64(CAP) >> 58 & 1 == 1, "CAP.NSSS"
    assert endpoint.refused(struct.pack("<B3xII", SHUTDOWN, 2 << 24, 0), MI) == (BAD_PARAMETER, 11)
    if door == "register":
        host.client.write32(NSSD, 0x12345678)
        assert csts(endpoint) == 1
        host.client.write32(NSSD, 0x4E726D6C)
    else:
        assert endpoint.mi(SHUTDOWN, 1 << 24) == (0, 0, b"")
    second = struct.pack("<BBHIQ", MEMORY_READ, 0, 2, 4, CSTS)
    assert host.client.read32(CSTS) == 0x49 and endpoint.ask(second, PCIE)[4:] == b"\x48\0\0\0", "SHST, ST"
    host.client.write32(CC, 0)
    assert host.client.read32(CSTS) == 0x48, "a controller reset does not end it"
    host.client.write32(CC, 0x460001)
    time.sleep(0.05)
    assert host.client.read32(CSTS) & 1 == 0
    host.client.write32(NSSR, 0x4E564D65)
    assert host.client.read32(CSTS) & 0x4D == 0
    host.start()
    assert host.client.read32(CSTS) & 0x4D == 1
    endpoint.close()
    host.close()


def test_a_drive_without_the_interface_has_no_shutdown(start: Start) -> None:
    host = Host(start("--size", "1M"))
    assert host.client.read64(CAP) >> 58 & 1 == 0
    host.client.write32(NSSD, 0x4E726D6C)
    assert host.client.read32(CSTS) == 1
    host.close()


# Fault rules


def test_a_rule_matches_out_of_band_only_if_it_says_so(host: Host, endpoint: Endpoint) -> None:
    identify_64 = entry(IDENTIFY, 1, dlen=64)
    healthy = endpoint.execute(identify_64)
    plant(
        host.server,
        "opcode=identify do status=00/06",
        "queue=admin do flip byte=5",
        "queue!=2 do flip byte=5",
    )
    assert endpoint.execute(identify_64) == healthy
    clear(host.server)
    plant(host.server, "queue=out-of-band opcode=0x06 cns=1 do flip byte=4 bit=0")
    assert endpoint.execute(identify_64)[2][4] == healthy[2][4] ^ 1
    assert identify(host.nvme, 1)[:64] == healthy[2]
    assert [(one.qid, one.opcode) for one in fired(host.server)] == [(0xFFFF, IDENTIFY)]
    clear(host.server)
    plant(
        host.server, "queue=out-of-band opcode=identify controller=1 do status=00/06 dnr=1 result=7 count=1"
    )
    assert endpoint.execute(identify_64)[1] == 6 and endpoint.execute(identify_64) == healthy
    plant(host.server, "queue=out-of-band opcode=identify do set cdw10=0x77 count=1")
    assert endpoint.execute(identify_64)[1] == 2
    for action in ("early=5", "split=512"):
        assert "out-of-band" in wrong(host.server, f"queue=out-of-band do {action}")


def test_completions_out_of_band(host: Host, endpoint: Endpoint) -> None:
    identify_64 = entry(IDENTIFY, 1, dlen=64)
    healthy = endpoint.execute(identify_64)
    plant(host.server, "queue=out-of-band opcode=identify do set cqe.cid=0x1234 cqe.result=9 count=1")
    endpoint.send(identify_64)
    assert struct.unpack_from("<III", endpoint.receive(), 4) == (9, 0, 0x1234)
    plant(host.server, "queue=out-of-band opcode=identify do twice count=1")
    assert endpoint.execute(identify_64) == endpoint.completion() == healthy and endpoint.is_silent()
    plant(host.server, "queue=out-of-band opcode=identify do late=100 count=1")
    before = time.monotonic()
    assert endpoint.execute(identify_64) == healthy and time.monotonic() - before >= 0.1
    plant(host.server, "queue=out-of-band opcode=identify do never count=1")
    endpoint.send(identify_64)
    assert endpoint.is_silent() and endpoint.state() & 3 == 2, "the slot processes it"
    assert endpoint.primitive(ABORT) == (0, 0) and endpoint.execute(identify_64) == healthy
    plant(host.server, "name=stuck queue=out-of-band opcode=identify do hold count=1")
    endpoint.send(identify_64)
    host.client.write32(CC, 0)
    assert endpoint.is_silent(), "a reset of the controller does not end it"
    clear(host.server)
    assert endpoint.completion() == healthy
    plant(host.server, "queue=out-of-band on=format-nvm do set cqe.sc=5")
    endpoint.send(entry(FORMAT, nsid=1))
    assert endpoint.receive()[0] == 1 and endpoint.completion()[1] == 5, "it had taken longer"


def test_the_power_fails_at_a_message(host: Host, endpoint: Endpoint) -> None:
    plant(host.server, "queue=out-of-band opcode=format-nvm do power-cycle off=50 count=1")
    endpoint.send(entry(FORMAT, nsid=1))
    assert endpoint.is_silent(0.3)
    assert endpoint.execute(entry(IDENTIFY, 1, dlen=64))[1] == OK
    assert endpoint.refused(entry(LOCKDOWN, ctrl=9), ADMIN)[0] in (BAD_PARAMETER, INVALID_OPCODE)
