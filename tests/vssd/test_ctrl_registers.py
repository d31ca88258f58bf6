# SPDX-License-Identifier: BSD-3-Clause
"""Controller registers and configuration space, as PCIe and NVM Express 2.0 have them."""

from __future__ import annotations

import time

import pytest
from client import DEVICE_RESET, Client, Nvme
from ctrl_helpers import CC_ENABLED, IDENTIFY, READ, Disk, Start, get_feature, pattern, set_feature

from tests.fix_load import loaded

CAP, VS, INTMS, CC, CSTS, NSSR, AQA, ASQ, ACQ, CRTO = 0, 8, 0x0C, 0x14, 0x1C, 0x20, 0x24, 0x28, 0x30, 0x68
RDY, CFS, SHST_COMPLETE, NSSRO = 1, 2, 2 << 2, 1 << 4
NVME = 0x4E564D65


def capabilities(client: Client) -> dict[int, int]:
    """Capability ID → offset, by walking the list."""
    found, offset = {}, client.config_read(0x34, 1)[0]
    while offset:
        identifier, following = client.config_read(offset, 2)
        found[identifier] = offset
        offset = following
    return found


def test_cap_says_what_the_drive_can(client: Client) -> None:
    cap = client.read64(CAP)
    assert cap & 0xFFFF == 4095  # MQES
    assert cap >> 16 & 1 == 1  # CQR
    assert cap >> 17 & 3 == 1  # AMS: weighted round robin with urgent priority class
    assert cap >> 24 & 0xFF > 0  # TO
    assert cap >> 32 & 0xF == 0  # DSTRD
    assert cap >> 36 & 1 == 1  # NSSRS
    assert cap >> 37 & 1 == 1  # CSS: NVM
    assert cap >> 48 & 0xF == 0  # MPSMIN
    assert cap >> 59 & 3 == 1  # CRMS: ready with media
    assert client.read32(CRTO) & 0xFFFF > 0
    assert client.read32(VS) == 0x00020000


def test_registers_can_be_read_in_any_width_and_alignment(client: Client) -> None:
    whole = client.bar_read(0, 0x40)
    assert client.bar_read(3, 7) == whole[3:10]
    assert client.bar_read(CAP + 1, 1) == whole[1:2]
    assert client.bar_read(VS, 2) == whole[8:10]


def test_a_write_that_is_no_aligned_dword_does_nothing(client: Client) -> None:
    client.write32(AQA, 0x001F001F)
    client.bar_write(AQA, b"\x07")
    client.bar_write(AQA + 1, b"\x07\x07\x07\x07")
    assert client.read32(AQA) == 0x001F001F


def test_64_bit_registers_take_halves_and_drop_reserved_bits(client: Client) -> None:
    client.write32(ASQ, 0x12345FFF)
    client.write32(ASQ + 4, 0x00007ABC)
    assert client.read64(ASQ) == 0x00007ABC12345000
    client.write64(ACQ, 0x7FFFFFFFF001)
    assert client.read64(ACQ) == 0x7FFFFFFFF000


def test_read_only_registers_do_not_change(client: Client) -> None:
    before = client.bar_read(0, 0x0C)
    client.bar_write(0, b"\xff" * 0x0C)
    assert client.bar_read(0, 0x0C) == before
    client.write32(CSTS, 0xFFFFFFFF)
    assert client.read32(CSTS) == 0


def test_masks_of_pin_interrupts_do_nothing_with_msix(nvme: Nvme) -> None:
    nvme.client.write32(INTMS, 0xFFFFFFFF)
    buffer = nvme.memory.alloc(4096)
    assert nvme.admin.execute(IDENTIFY, prp1=buffer, cdw10=1)[1] == 0


def test_enable_and_disable(nvme: Nvme) -> None:
    client = nvme.client
    assert client.read32(CSTS) == RDY
    asq = client.read64(ASQ)
    nvme.disable()
    assert client.read32(CSTS) == 0
    assert client.read64(ASQ) == asq != 0, "a controller reset keeps the admin queue's registers"
    nvme.enable()


@pytest.mark.parametrize(
    "aqa, cc",
    [
        (0x001F0000, CC_ENABLED),  # a submission queue of one entry
        (0x0000001F, CC_ENABLED),  # a completion queue of one entry
        (0x001F001F, CC_ENABLED | 5 << 7),  # MPS above MPSMAX
        (0x001F001F, CC_ENABLED | 1 << 4),  # a command set that is not there
        (0x001F001F, CC_ENABLED | 7 << 11),  # the vendor's own arbitration
    ],
)
def test_what_cannot_be_enabled_is_fatal_until_the_next_reset(client: Client, aqa: int, cc: int) -> None:
    client.config_write(4, b"\x06\x00")
    client.write32(AQA, aqa)
    client.write64(ASQ, 0x10000)
    client.write64(ACQ, 0x20000)
    client.write32(CC, cc)
    assert client.read32(CSTS) & (RDY | CFS) == CFS
    client.write32(CC, 0)
    assert client.read32(CSTS) == 0


def test_an_admin_queue_that_is_not_page_aligned_is_fatal(client: Client) -> None:
    client.write32(AQA, 0x001F001F)
    client.write64(ASQ, 0x11000)
    client.write64(ACQ, 0x20000)
    client.write32(CC, CC_ENABLED | 1 << 7)  # pages of 8 KiB
    assert client.read32(CSTS) & (RDY | CFS) == CFS


def test_commands_outside_of_host_memory_are_fatal(client: Client, nvme: Nvme) -> None:
    nvme.disable()
    client.write64(ASQ, 0x1000)
    client.write32(CC, CC_ENABLED)
    nvme.wait_ready(True)
    client.write32(0x1000, 1)
    deadline = time.monotonic() + 5
    while not client.read32(CSTS) & CFS:
        assert time.monotonic() < deadline or loaded()
    nvme.enable()
    assert client.read32(CSTS) == RDY


def test_shutdown_completes_and_stops_commands_until_a_reset(nvme: Nvme) -> None:
    client = nvme.client
    client.write32(CC, CC_ENABLED | 1 << 14)
    assert client.read32(CSTS) & 0xC == SHST_COMPLETE
    buffer = nvme.memory.alloc(4096)
    with pytest.raises(TimeoutError):
        nvme.admin.submit(b"\x06" + bytes(63))
        nvme.admin.wait(0.1)
    nvme.enable()
    assert client.read32(CSTS) & 0xC == 0
    assert nvme.admin.execute(IDENTIFY, prp1=buffer, cdw10=1)[1] == 0


def test_abrupt_shutdown_completes(nvme: Nvme) -> None:
    nvme.client.write32(CC, CC_ENABLED | 2 << 14)
    assert nvme.client.read32(CSTS) & 0xC == SHST_COMPLETE


@pytest.mark.parametrize("notification", [1, 2])
def test_a_shutdown_of_a_disabled_controller_ends_with_the_next_enable(nvme: Nvme, notification: int) -> None:
    client = nvme.client
    client.write32(CC, 0)
    client.write32(CC, notification << 14)
    assert client.read32(CSTS) == SHST_COMPLETE
    nvme.enable()
    assert client.read32(CSTS) == RDY
    buffer = nvme.memory.alloc(4096)
    assert nvme.admin.execute(IDENTIFY, prp1=buffer, cdw10=1)[1] == 0


def test_an_enable_that_asks_for_a_shutdown_gets_it(nvme: Nvme) -> None:
    client = nvme.client
    client.write32(CC, 0)
    client.write32(CC, 1 << 14)
    client.write32(CC, CC_ENABLED | 1 << 14)
    assert client.read32(CSTS) == RDY | SHST_COMPLETE
    nvme.enable()
    assert client.read32(CSTS) == RDY


def test_subsystem_reset(nvme: Nvme) -> None:
    client = nvme.client
    client.write32(NSSR, 0x12345678)
    assert client.read32(CSTS) == RDY, "only the bytes NVMe reset"
    client.write32(NSSR, NVME)
    assert client.read32(CSTS) == NSSRO
    assert client.read32(CC) == client.read32(AQA) == client.read64(ASQ) == 0
    nvme.enable()
    assert client.read32(CSTS) == RDY | NSSRO
    client.write32(CSTS, NSSRO)
    assert client.read32(CSTS) == RDY


def test_resets_keep_data_that_are_in_the_cache(nvme: Nvme) -> None:
    disk = Disk(nvme, nvme.create_queue(1, 8))
    disk.write(7, pattern(7, 1))
    nvme.client.write32(NSSR, NVME)
    nvme.enable()
    disk = Disk(nvme, nvme.create_queue(1, 8))
    assert disk.read(7) == pattern(7, 1)


def test_a_reset_deletes_io_queues(nvme: Nvme) -> None:
    nvme.create_queue(1, 8)
    nvme.disable()
    nvme.enable()
    nvme.create_queue(1, 8)


def test_larger_pages_hold_in_prps(client: Client, nvme: Nvme) -> None:
    nvme.disable()
    # The queues need 16 KiB alignment now.
    sq, cq = nvme.memory.alloc(16384, 16384), nvme.memory.alloc(16384, 16384)
    buffer = nvme.memory.alloc(16384, 16384)
    client.write64(ASQ, sq)
    client.write64(ACQ, cq)
    nvme.admin.sq, nvme.admin.cq, nvme.admin.head, nvme.admin.tail, nvme.admin.phase = sq, cq, 0, 0, 1
    client.write32(CC, CC_ENABLED | 2 << 7)
    nvme.wait_ready(True)
    # One page holds it all, at an offset where 4 KiB pages would need a second entry.
    assert nvme.admin.execute(IDENTIFY, prp1=buffer + 0x3000 - 0x800, cdw10=1)[1] == 0
    assert nvme.memory.read(buffer + 0x3000 - 0x800 + 512, 2) == b"\x66\x44"


# Configuration space


def test_identity_of_the_function(client: Client) -> None:
    assert client.config_read(9, 3) == b"\x02\x08\x01"
    assert client.config_read(0x0E, 1) == b"\x00"
    assert client.config_read(6, 1)[0] & 0x10
    assert client.config_read(4, 2) == b"\x02\x00", "memory space on and bus mastering off, as behind VFIO"


def test_bars_tell_their_size(client: Client) -> None:
    client.config_write(0x10, b"\xff" * 24)
    bars = [int.from_bytes(client.config_read(0x10 + 4 * i, 4), "little") for i in range(6)]
    assert bars[0] == 0xFFFFC004 and bars[1] == 0xFFFFFFFF  # 16 KiB, 64 bits
    assert bars[2] == bars[3] == 0
    assert bars[4] == bars[5] == 0xFFFFF000


def test_capabilities(client: Client) -> None:
    found = capabilities(client)
    assert set(found) == {0x01, 0x05, 0x11, 0x10}
    msi = client.config_read(found[0x05], 24)
    assert int.from_bytes(msi[2:4], "little") == 5 << 1 | 1 << 7 | 1 << 8  # 32 messages, 64 bits, maskable
    assert msi[4:] == bytes(20)
    msix = client.config_read(found[0x11], 12)
    assert int.from_bytes(msix[2:4], "little") & 0x7FF == 64  # 65 vectors
    assert int.from_bytes(msix[4:8], "little") == 4 and int.from_bytes(msix[8:12], "little") == 5
    express = client.config_read(found[0x10], 20)
    assert int.from_bytes(express[4:8], "little") >> 28 & 1  # FLR
    assert int.from_bytes(express[12:16], "little") >> 10 & 3 == 3  # ASPM L0s and L1


def test_extended_capabilities(client: Client) -> None:
    offset, found = 0x100, []
    while offset:
        header = int.from_bytes(client.config_read(offset, 4), "little")
        found.append(header & 0xFFFF)
        offset = header >> 20
    assert found == [0x0001, 0x0003]


def test_aspm_can_be_set(client: Client) -> None:
    control = capabilities(client)[0x10] + 0x10
    for state in (3, 1, 2, 0):
        client.config_write(control, bytes([state, 0]))
        assert client.config_read(control, 1)[0] & 3 == state


def test_without_memory_space_registers_read_ones(client: Client) -> None:
    client.config_write(4, b"\x04\x00")
    assert client.read32(VS) == 0xFFFFFFFF
    client.write32(AQA, 0x001F001F)
    client.config_write(4, b"\x06\x00")
    assert client.read32(VS) == 0x00020000
    assert client.read32(AQA) == 0, "what was written meanwhile did nothing"


def test_without_bus_mastering_no_command_is_taken(nvme: Nvme) -> None:
    nvme.client.config_write(4, b"\x02\x00")
    nvme.admin.submit(b"\x06" + bytes(63))
    with pytest.raises(TimeoutError):
        nvme.admin.wait(0.1)
    nvme.client.config_write(4, b"\x06\x00")
    nvme.admin.wait()


def test_d3hot_and_back_keeps_a_running_controller(nvme: Nvme) -> None:
    client = nvme.client
    disk = Disk(nvme, nvme.create_queue(1, 8))
    control = capabilities(client)[0x01] + 4
    client.config_write(control, b"\x03\x00")
    assert client.config_read(control, 1)[0] & 3 == 3
    assert client.read32(VS) == 0xFFFFFFFF
    client.config_write(control, b"\x01\x00")
    assert client.config_read(control, 1)[0] & 3 == 3, "there is no D1"
    client.config_write(control, b"\x00\x00")
    assert client.read32(CSTS) == RDY
    assert disk.command(READ, 0) == 0


def spoil_configuration_space(client: Client) -> None:
    """Change every writable register. Interrupts use MSI-X, so MSI stays off."""
    found = capabilities(client)
    pm, msi, msix, express = (found[identifier] for identifier in (0x01, 0x05, 0x11, 0x10))
    client.config_write(0x10, b"\x00\xc0\xfe\xed" * 6)
    client.config_write(0x0C, b"\x40")
    client.config_write(0x3C, b"\x0b")
    client.config_write(msi + 4, b"\xf0" * 12)
    client.config_write(msi + 16, b"\xff" * 4)
    client.config_write(msix + 2, b"\x00\xc0")
    client.config_write(express + 8, b"\xcf\x50")  # Device Control
    client.config_write(express + 0x10, b"\xca\x01")
    client.config_write(express + 0x28, b"\x1f\x00")
    client.config_write(0x108, b"\xff" * 4)
    client.config_write(4, b"\x06\x04")
    client.config_write(pm + 4, b"\x03")


@pytest.mark.parametrize("way", ["function", "conventional"])
def test_resets_make_configuration_space_what_it_was(nvme: Nvme, way: str) -> None:
    client = nvme.client
    client.config_write(4, b"\x02\x00")
    before = bytearray(client.config_read(0, 4096))
    express = capabilities(client)[0x10]
    spoil_configuration_space(client)
    assert client.config_read(0, 4096) != before
    if way == "function":
        client.config_write(express + 9, b"\xd0")
        # An FLR leaves Max_Payload_Size alone, and what both ends of the link must agree on (PCIe 6.6.2).
        before[express + 8] = (before[express + 8] & ~0xE0) | (0xCF & 0xE0)
        before[express + 0x10 : express + 0x12] = b"\xca\x01"
    else:
        client.ok(DEVICE_RESET)
    before[0x108:0x10C] = client.config_read(0x108, 4)  # AER: sticky
    assert before[0x108:0x10C] != bytes(4)
    assert client.config_read(0, 4096) == before
    nvme.enable()
    assert Disk(nvme, nvme.create_queue(1, 8)).command(READ, 0) == 0


@pytest.mark.parametrize("way", ["function", "conventional"])
def test_resets_leave_the_msix_table_masked(nvme: Nvme, way: str) -> None:
    client = nvme.client
    client.region_write(4, 16, b"\x5a" * 12 + bytes(4))
    if way == "function":
        client.config_write(capabilities(client)[0x10] + 9, b"\xa8")
    else:
        client.ok(DEVICE_RESET)
    assert client.region_read(4, 16, 16) == bytes(12) + b"\1\0\0\0"


def test_a_subsystem_reset_leaves_configuration_space_to_the_bus(nvme: Nvme) -> None:
    client = nvme.client
    before = client.config_read(0, 4096)
    client.write32(NSSR, 0x4E564D65)
    assert client.config_read(0, 4096) == before
    assert client.config_read(4, 2) == b"\x06\x00"


def test_flr_resets_the_controller(nvme: Nvme) -> None:
    client = nvme.client
    control = capabilities(client)[0x10] + 8
    assert set_feature(nvme, 0x01, 0x00000003) == 0
    value = int.from_bytes(client.config_read(control, 2), "little")
    client.config_write(control, (value | 0x8000).to_bytes(2, "little"))
    assert int.from_bytes(client.config_read(control, 2), "little") == value, "the bit reads 0"
    assert client.read32(CSTS) == client.read32(CC) == client.read32(AQA) == 0
    nvme.enable()
    assert get_feature(nvme, 0x01) == 0x00000007


def test_a_client_that_leaves_and_returns_finds_the_drive_as_it_was(start: Start, folder: str) -> None:
    server = start("--size", "16M")
    with Client(server.folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        disk = Disk(nvme, nvme.create_queue(1, 8))
        disk.write(3, pattern(3, 1))
        nvme.close()
    with Client(server.folder) as client:
        assert client.read32(CSTS) == RDY
        nvme = Nvme(client)
        nvme.enable()
        assert Disk(nvme, nvme.create_queue(1, 8)).read(3) == pattern(3, 1)
        nvme.close()


def test_what_a_client_that_left_had_queued_is_not_run_for_the_next_one(start: Start) -> None:
    server = start("--size", "16M")
    with Client(server.folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        client.config_write(4, b"\x02\x00")
        nvme.admin.submit(b"\x06" + bytes(63))
        nvme.close()
    with Client(server.folder) as client:
        nvme = Nvme(client)  # the same addresses, other memory
        client.config_write(4, b"\x06\x00")
        time.sleep(0.05)
        assert nvme.memory.view.find(b"\x01") == -1, "a completion was written into a stranger's memory"
        assert client.read32(CSTS) == RDY
        nvme.close()
