# SPDX-License-Identifier: BSD-3-Clause
"""Admin commands, registers and AERs, on the drive at hand."""

import time
import warnings

import nvme as d
import pytest
from offered import NO_DOORBELL_EVENT, SPDK, THRESHOLD_STAYS


def test_identify_fills_the_buffer_with_what_id_data_tells(nvme0):
    b = d.Buffer(4096)
    nvme0.identify(b).waitdone()
    assert b.data(23, 4, str) == nvme0.id_data(23, 4, str)
    assert b.data(1, 0) == nvme0.id_data(1, 0)
    assert nvme0.mdts == (1 << b[77]) * 4096


def test_identify_of_the_namespace_agrees_with_capacity(nvme0, nvme0n1, lba_size):
    b = d.Buffer(4096)
    nvme0.identify(b, nsid=1, cns=0).waitdone()
    assert b.data(7, 0) == nvme0n1.id_data(7, 0)
    assert nvme0n1.capacity in (b.data(63, 48), b.data(7, 0) * lba_size)


def test_identify_into_less_than_a_page_is_asserted(nvme0):
    with pytest.raises(AssertionError):
        nvme0.identify(d.Buffer(4095))


def test_identify_of_an_unknown_cns_is_the_drives_to_refuse(nvme0):
    with pytest.warns(UserWarning, match="^ERROR status: 00/02"):
        nvme0.identify(d.Buffer(4096), cns=0xFF).waitdone()


@pytest.mark.differs(SPDK, THRESHOLD_STAYS)
def test_a_feature_that_is_set_is_read_back(nvme0):
    threshold = nvme0.getfeatures(4).waitdone()
    nvme0.setfeatures(4, cdw11=threshold - 1 & 0xFFFF).waitdone()
    assert nvme0.getfeatures(4).waitdone() & 0xFFFF == threshold - 1 & 0xFFFF
    nvme0.setfeatures(4, cdw11=threshold).waitdone()


@pytest.mark.differs(SPDK, THRESHOLD_STAYS)
def test_setfeatures_takes_the_dwords_by_position_as_the_seed_did(nvme0):
    threshold = nvme0.getfeatures(4).waitdone()
    nvme0.setfeatures(4, threshold ^ 2).waitdone()
    assert nvme0.getfeatures(4).waitdone() & 0xFFFF == (threshold ^ 2) & 0xFFFF
    nvme0.setfeatures(4, threshold, 0).waitdone()
    assert nvme0.getfeatures(4).waitdone() & 0xFFFF == threshold & 0xFFFF


def test_an_unknown_feature_is_the_drives_to_refuse(nvme0):
    with pytest.warns(UserWarning, match="^ERROR status: 00/02"):
        nvme0.getfeatures(0xBF).waitdone()


@pytest.mark.differs(SPDK, "SMART counts no reads (Base 2.0, 5.16.1.3)")
def test_the_smart_log_counts_what_this_script_reads(nvme0, nvme0n1, qpair, buf):
    smart = d.Buffer(512)
    nvme0.getlogpage(2, smart, 512).waitdone()
    before = smart.data(79, 64)
    for _ in range(7):
        nvme0n1.read(qpair, buf, 0).waitdone()
    nvme0.getlogpage(2, smart, 512).waitdone()
    assert smart.data(79, 64) == before + 7
    assert 273 < smart.data(2, 1) < 373


def test_a_part_of_a_log_page_is_that_part_of_the_whole(nvme0):
    if not nvme0.id_ctrl.lpa.lpeds:
        pytest.skip("needs a drive with extended data for Get Log Page (LPA bit 2)")
    whole, part = d.Buffer(4096), d.Buffer(4096)
    nvme0.getlogpage(5, whole, 4096).waitdone()
    nvme0.getlogpage(5, part, 1024, offset=512).waitdone()
    assert part[0:1024] == whole[512:1536]
    assert any(part[0:1024])
    assert not any(part[1024:])


@pytest.mark.differs("QEMU NVMe Ctrl", "a reserved log page is 00/02, not 01/09 (Base 2.0, 5.16.2)")
def test_an_unknown_log_page_is_the_drives_to_refuse(nvme0):
    with pytest.warns(UserWarning, match="^ERROR status: 01/09"):
        nvme0.getlogpage(0xBF, d.Buffer(512), 512).waitdone()


def test_an_unknown_opcode_is_the_drives_to_refuse_and_supports_says_so(nvme0):
    assert nvme0.supports(0x06)
    assert not nvme0.supports(0xBF)
    with pytest.warns(UserWarning, match="^ERROR status: 00/01"):
        nvme0.send_cmd(0xBF).waitdone()


def test_command_names_are_the_specifications(nvme0, nvme0n1):
    assert "identify" in nvme0.cmdname(0x06).lower()
    assert "read" in nvme0n1.cmdname(0x02).lower()
    assert nvme0.cmdname(0x02) != nvme0n1.cmdname(0x02)


def test_abort_of_a_command_that_is_not_there_completes(nvme0):
    assert nvme0.abort(77).waitdone() & 1 == 1, "bit 0: not aborted"


def test_abort_in_a_queue_that_is_not_there_aborts_nothing(nvme0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the drive may call SQID 3 an invalid field
        assert nvme0.abort(77, 3).waitdone() & 1 == 1, "bit 0: not aborted"


def test_a_garbage_firmware_image_is_refused(nvme0, tmp_path):
    if not nvme0.supports(0x11):
        pytest.skip("needs a drive with Firmware Image Download")
    image = tmp_path / "garbage.bin"
    image.write_bytes(bytes(range(256)) * 64)
    with pytest.warns(UserWarning, match="^ERROR status: 01/07"):
        nvme0.downfw(str(image), slot=1)
    assert nvme0.getfeatures(7).waitdone() >= 0


def test_a_firmware_slot_that_is_not_there_is_refused(nvme0):
    if not nvme0.supports(0x10):
        pytest.skip("needs a drive with Firmware Commit")
    with pytest.warns(UserWarning, match="^ERROR status: 01/06"):
        nvme0.fw_commit(7, 1).waitdone()


def test_a_firmware_file_that_is_not_there_is_named(nvme0):
    with pytest.raises(FileNotFoundError, match=r"no-such-firmware"):
        nvme0.downfw("/no-such-firmware.bin")


def test_a_device_self_test_completes(nvme0):
    if not nvme0.supports(0x14):
        pytest.skip("needs a drive with Device Self-test")
    nvme0.dst(0xF).waitdone()


def test_registers_are_32_bits_and_writable(nvme0):
    assert nvme0[0x1C] & 1, "CSTS.RDY"
    assert nvme0[8] >> 16 >= 1, "VS"
    assert nvme0[0] | nvme0[4] << 32 == nvme0.cap
    with pytest.raises(TypeError):
        nvme0["0"]
    with pytest.raises((IndexError, AssertionError, ValueError)):
        nvme0[1 << 40]


def test_a_reset_makes_the_controller_ready_again(nvme0, nvme0n1, buf):
    nvme0.reset()
    assert nvme0[0x1C] & 1
    pair = d.Qpair(nvme0, 8)
    nvme0n1.read(pair, buf, 0).waitdone()
    pair.delete()


def test_cc_en_is_the_scripts_to_clear(own):
    own.nvme0[0x14] = own.nvme0[0x14] & ~1
    deadline = time.monotonic() + 5
    while own.nvme0[0x1C] & 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert own.nvme0[0x1C] & 1 == 0
    own.nvme0.reset()
    assert own.nvme0[0x1C] & 1


def test_a_wrong_doorbell_value_raises_an_aer_that_does_not_count_as_a_completion(own):
    got = []
    own.nvme0.register_aer_cb(got.append)
    pair = d.Qpair(own.nvme0, 4)
    own.nvme0[0x1000 + 8 * pair.sqid] = 0xFFFF
    with pytest.warns(UserWarning, match=r"^AER notification is triggered: 0x10100$"):
        deadline = time.monotonic() + 5
        while not got and time.monotonic() < deadline:
            own.nvme0.getfeatures(7).waitdone()
    assert len(got) == 1
    assert got[0][0] == 0x10100


@pytest.mark.differs(SPDK, NO_DOORBELL_EVENT)
def test_the_aer_fixture_hears_a_wrong_doorbell_register(nvme0, aer):
    got = []
    aer(lambda cdw0, status1: got.append(cdw0))
    pairs = nvme0.getfeatures(7).waitdone() & 0xFFFF
    nvme0[0x1000 + 8 * (pairs + 1)] = 1
    with pytest.warns(UserWarning, match=r"^AER notification is triggered: 0x10000$"):
        deadline = time.monotonic() + 5
        while not got and time.monotonic() < deadline:
            nvme0.getfeatures(7).waitdone()
    assert got == [0x10000]


def test_a_reset_with_the_aer_in_flight_is_silent(nvme0):
    for _ in range(5):
        nvme0.reset()
    nvme0.getfeatures(7).waitdone()


def test_format_leaves_zeros_and_the_other_lba_format_works(own):
    nvme0n1, nvme0 = own.nvme0n1, own.nvme0
    pair = d.Qpair(nvme0, 8)
    nvme0n1.write(pair, d.Buffer(512, pvalue=1), 5).waitdone()
    nvme0n1.format(512)
    back = d.Buffer(4096, pvalue=1)
    nvme0n1.read(pair, back, 5).waitdone()
    assert back[:512] == bytes(512)
    assert nvme0n1.get_lba_format(4096) is not None
    assert nvme0n1.get_lba_format(1234) is None
    nvme0n1.format(4096)
    data = d.Buffer(4096, ptype=0xBEEF, pvalue=100)
    nvme0n1.write(pair, data, 1).waitdone()
    nvme0n1.read(pair, back, 1).waitdone()
    assert back[:] == data[:]
    nvme0n1.format(512)
    assert nvme0.timeout == 10000


def test_a_sanitize_ends_and_leaves_no_data(own):
    nvme0, nvme0n1 = own.nvme0, own.nvme0n1
    if nvme0.id_ctrl.sanicap & 7 == 0:
        pytest.skip("needs a drive with Sanitize")
    pair = d.Qpair(nvme0, 8)
    data = d.Buffer(512, ptype=0xBEEF, pvalue=100)
    nvme0n1.write(pair, data, 5).waitdone()
    log = d.Buffer(512)
    deadline = time.monotonic() + 20
    with pytest.warns(UserWarning, match="^AER notification is triggered"):
        nvme0.sanitize().waitdone()
        while time.monotonic() < deadline:
            nvme0.getlogpage(0x81, log, 20).waitdone()
            if log.data(3, 2) & 7 in (1, 4):
                break
            time.sleep(0.05)
    assert log.data(3, 2) & 7 in (1, 4)
    back = d.Buffer(512)
    nvme0n1.read(pair, back, 5).waitdone()
    assert back[:] != data[:]
