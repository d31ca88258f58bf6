# SPDX-License-Identifier: BSD-3-Clause
"""Identify, features, log pages, and the admin commands that change the drive."""

import time

import nvme as d
import pytest

from tests.fix_load import loaded


def log_page(nvme0, lid, size=512):
    b = d.Buffer(4096)
    nvme0.getlogpage(lid, b, size).waitdone()
    return b


# Identify


def test_identify_controller_fields(nvme0):
    assert nvme0.id_data(63, 24, str)
    assert nvme0.id_data(23, 4, str)
    assert nvme0.id_data(71, 64, str)
    assert nvme0.id_data(512) == 0x66, "SQES"
    assert nvme0.id_data(513) == 0x44, "CQES"
    assert nvme0.id_data(83, 80) == nvme0[8], "VER"


def test_mdts_in_bytes(nvme0):
    assert nvme0.mdts == 4096 << nvme0.id_data(77)


@pytest.mark.parametrize("cns", [0, 1, 2, 3])
def test_identify_structures(nvme0, cns):
    b = d.Buffer(4096)
    nvme0.identify(b, nsid=0 if cns in (1, 2) else 1, cns=cns).waitdone()
    assert any(b[:])


def test_identify_positional(nvme0, buf):
    nvme0.identify(buf, 1, 0, 0, 0, 0).waitdone()
    assert buf.data(7, 0) == nvme0.id_data(7, 0, int, 1, 0)


def test_identify_without_a_buffer(nvme0):
    nvme0.identify().waitdone()


def test_identify_ignores_the_nsid_where_there_is_none(nvme0):
    a, b = d.Buffer(4096), d.Buffer(4096)
    nvme0.identify(a, nsid=0, cns=1).waitdone()
    nvme0.identify(b, nsid=0xFFFFFFFF, cns=1).waitdone()
    assert a[:] == b[:]


def test_identify_with_a_prp_offset(nvme0):
    b = d.Buffer(8192)
    b.offset = 1024
    nvme0.identify(b).waitdone()
    assert b.data(1024 + 23, 1024 + 4, str) == nvme0.id_data(23, 4, str)
    assert not any(b[:1024]) and not any(b[5120:])


def test_identify_into_a_short_buffer(nvme0):
    with pytest.raises(AssertionError):
        nvme0.identify(d.Buffer(512))


def test_identify_namespace_descriptors(nvme0):
    b = d.Buffer(4096)
    nvme0.identify(b, nsid=1, cns=3).waitdone()
    at, types = 0, []
    while b[at]:
        types.append(b[at])
        at += 4 + b[at + 1]
    assert set(types) <= {1, 2, 3, 4}
    assert types


def test_identify_allocated_and_inactive_namespaces(nvme0):
    with pytest.warns(UserWarning, match="ERROR status: 00/(0b|02)"):
        nvme0.identify(d.Buffer(4096), nsid=0xFFFFFFFE, cns=2).waitdone()


def test_id_data_of_the_namespace(nvme0, nvme0n1):
    assert nvme0n1.id_data(7, 0) == nvme0.id_data(7, 0, nsid=1, cns=0)
    assert nvme0n1.id_data(25) == nvme0.id_data(25, 25, int, 1, 0)


def test_nsze_has_a_byte_order(nvme0n1):
    assert nvme0n1.id_data(7, 0) == nvme0n1.id_data(15, 8)
    assert nvme0n1.id_data(7, 0) & 0xFF != 0


# Features


@pytest.mark.parametrize("fid", [1, 2, 4, 6, 7, 8, 9, 0xA, 0xB])
@pytest.mark.parametrize("sel", [0, 1, 2, 3])
def test_get_features_with_select(nvme0, fid, sel):
    cdw0 = nvme0.getfeatures(fid, sel=sel).waitdone()
    if sel == 3:
        assert cdw0 < 8


def test_error_recovery_of_a_namespace(nvme0):
    value = nvme0.send_cmd(0x0A, nsid=1, cdw10=5).waitdone()
    nvme0.send_cmd(0x09, nsid=1, cdw10=5, cdw11=100).waitdone()
    assert nvme0.send_cmd(0x0A, nsid=1, cdw10=5).waitdone() & 0xFFFF == 100
    nvme0.send_cmd(0x09, nsid=1, cdw10=5, cdw11=value).waitdone()


def test_select_that_is_reserved(nvme0):
    with pytest.warns(UserWarning, match="ERROR status: 00/02"):
        nvme0.getfeatures(4, sel=5).waitdone()


def test_default_and_saved_value_stay(nvme0):
    default = nvme0.getfeatures(1, sel=1).waitdone()
    nvme0.setfeatures(1, cdw11=0x01010103).waitdone()
    assert nvme0.getfeatures(1, sel=0).waitdone() == 0x01010103
    assert nvme0.getfeatures(1, sel=1).waitdone() == default
    nvme0.reset()
    assert nvme0.getfeatures(1).waitdone() == nvme0.getfeatures(1, sel=2).waitdone()


def test_saved_value_survives_a_power_cycle(nvme0, subsystem):
    if not nvme0.getfeatures(1, sel=3).waitdone() & 1:
        pytest.skip("needs a drive that saves arbitration")
    origin = nvme0.getfeatures(1).waitdone()
    nvme0.setfeatures(1, sv=1, cdw11=0x02020204).waitdone()
    subsystem.power_cycle(0)
    nvme0.reset()
    assert nvme0.getfeatures(1).waitdone() == 0x02020204
    nvme0.setfeatures(1, sv=1, cdw11=origin).waitdone()


def test_feature_that_cannot_be_saved(nvme0):
    if nvme0.getfeatures(7, sel=3).waitdone() & 1:
        pytest.skip("this drive saves it")
    with pytest.warns(UserWarning, match="ERROR status: 01/0d"):
        nvme0.setfeatures(7, sv=1, cdw11=0x000F000F).waitdone()


def test_timestamp(nvme0):
    if not nvme0.id_data(521, 520) >> 6 & 1:
        pytest.skip("needs a drive with Timestamp")
    b = d.Buffer(4096)
    b[0:8] = (1_700_000_000_000).to_bytes(8, "little")
    nvme0.setfeatures(0xE, buf=b).waitdone()
    time.sleep(0.1)
    nvme0.getfeatures(0xE, buf=b).waitdone()
    assert 50 <= b.data(5, 0) - 1_700_000_000_000 < 2000
    assert b[6] >> 1 & 7 == 1


def test_temperature_threshold_per_sensor(nvme0):
    origin = nvme0.getfeatures(4).waitdone()
    under = nvme0.getfeatures(4, cdw11=1 << 20).waitdone()
    nvme0.setfeatures(4, cdw11=origin - 3).waitdone()
    assert nvme0.getfeatures(4).waitdone() == origin - 3
    assert nvme0.getfeatures(4, cdw11=1 << 20).waitdone() == under
    nvme0.setfeatures(4, cdw11=origin).waitdone()


@pytest.mark.parametrize("vector", [0, 1, 2])
def test_interrupt_vector_configuration(nvme0, vector):
    assert nvme0.getfeatures(9, cdw11=vector).waitdone() & 0xFFFF == vector
    nvme0.setfeatures(9, cdw11=vector | 1 << 16).waitdone()
    assert nvme0.getfeatures(9, cdw11=vector).waitdone() >> 16 == 1
    nvme0.setfeatures(9, cdw11=vector).waitdone()


def test_every_power_state(nvme0, nvme0n1, qpair, buf):
    for ps in range(nvme0.id_data(263) + 1):
        nvme0.setfeatures(2, cdw11=ps).waitdone()
        assert nvme0.getfeatures(2).waitdone() & 0x1F == ps
        nvme0n1.read(qpair, buf, 0, 8).waitdone()
    nvme0.setfeatures(2, cdw11=0).waitdone()


def test_power_state_descriptors_get_smaller(nvme0):
    b = d.Buffer(4096)
    nvme0.identify(b).waitdone()

    def watts(ps):
        at = 2048 + 32 * ps
        return b.data(at + 1, at) * (0.0001 if b[at + 3] & 1 else 0.01)

    operational = [ps for ps in range(b[263] + 1) if not b[2048 + 32 * ps + 3] & 2]
    powers = [watts(ps) for ps in operational]
    assert powers == sorted(powers, reverse=True)


# Log pages


def test_smart_fields(nvme0):
    smart = log_page(nvme0, 2)
    assert smart[0] & 0xE0 == 0
    assert 273 < smart.data(2, 1) < 373
    assert smart[3] <= 100, "available spare"
    assert smart[5] < 255, "percentage used"


def test_data_units_are_thousands_of_512_bytes(nvme0, nvme0n1):
    before = log_page(nvme0, 2).data(63, 48)
    nvme0n1.ioworker(
        io_size=256, lba_random=False, region_end=256 * 100, read_percentage=0, io_count=100
    ).start().close()
    after = log_page(nvme0, 2).data(63, 48)
    assert 25 <= after - before <= 27


def test_log_page_in_parts(nvme0):
    whole, part = d.Buffer(512), d.Buffer(512)
    nvme0.getlogpage(3, whole, 512).waitdone()
    nvme0.getlogpage(3, part, 256, offset=0).waitdone()
    assert part[:256] == whole[:256]
    if nvme0.id_data(261) & 4:
        nvme0.getlogpage(3, part, 56, 8).waitdone()
        assert part[:56] == whole[8:64]


def test_log_page_above_mdts_is_split(nvme0, capsys):
    b = d.Buffer(nvme0.mdts + 4096)
    if not nvme0.supports(2) or not nvme0.id_data(261) >> 3 & 1:
        pytest.skip("needs a drive with telemetry, a log page above MDTS")
    nvme0.getlogpage(8, b, len(b)).waitdone()
    assert b[0] == 8
    capsys.readouterr()
    nvme0.cmdlog(2)
    assert capsys.readouterr().out.count("GET LOG PAGE (02)") == 2


def test_log_page_of_a_buffer_without_size(nvme0):
    b = d.Buffer(512)
    nvme0.getlogpage(2, b).waitdone()
    assert b.data(2, 1) > 273


def test_log_page_longer_than_the_buffer(nvme0):
    with pytest.raises(AssertionError):
        nvme0.getlogpage(2, d.Buffer(512), 1024)


def test_effects_log_agrees_with_supports(nvme0, nvme0n1):
    if not nvme0.id_data(261) & 2:
        pytest.skip("needs a drive with the effects log")
    effects = log_page(nvme0, 5, 4096)
    for opcode in range(256):
        assert nvme0.supports(opcode) == bool(effects.data(4 * opcode + 3, 4 * opcode) & 1)
    for opcode in (0, 1, 2, 4, 5, 8, 9, 0xC, 0x7F):
        at = 1024 + 4 * opcode
        assert nvme0n1.supports(opcode) == bool(effects.data(at + 3, at) & 1)


def test_what_is_not_supported_is_refused(nvme0):
    unsupported = [opcode for opcode in range(0xC0, 0x100) if not nvme0.supports(opcode)]
    for opcode in unsupported:
        with pytest.warns(UserWarning, match="ERROR status: 00/01"):
            nvme0.send_cmd(opcode).waitdone()


def test_error_count_grows_by_errors(nvme0):
    before = log_page(nvme0, 1, 64).data(7, 0)
    for _ in range(3):
        with pytest.warns(UserWarning, match="ERROR status: 00/02"):
            nvme0.getfeatures(0x5F).waitdone()
    after = log_page(nvme0, 1, 64)
    assert after.data(7, 0) >= before
    assert log_page(nvme0, 2).data(191, 176) >= after.data(7, 0)


def test_changed_namespace_list_is_empty(nvme0):
    if not nvme0.id_data(95, 92) >> 8 & 1:
        pytest.skip("needs a drive with Namespace Attribute Notices")
    log_page(nvme0, 4, 4096)
    assert not any(log_page(nvme0, 4, 4096)[:])


# Commands that change the drive


@pytest.mark.parametrize("ses", [0, 1, 2])
def test_format_erases(nvme0, nvme0n1, qpair, ses):
    if ses == 2 and not nvme0.id_data(524) & 4:
        pytest.skip("needs a drive with cryptographic erase")
    data = d.Buffer(512)
    nvme0n1.write(qpair, data, 11, 1).waitdone()
    nvme0.format(lbaf=0, ses=ses).waitdone()
    nvme0n1.read(qpair, data, 11, 1).waitdone()
    assert not any(data[:])


def test_format_of_all_namespaces(nvme0):
    nvme0.format(0, 0, 0xFFFFFFFF).waitdone()


def test_format_by_none_is_the_512_byte_format(nvme0, nvme0n1):
    nvme0.format(None).waitdone()
    assert nvme0n1.id_data(26) & 0xF == nvme0n1.get_lba_format(512)


def test_format_refused(nvme0):
    for nsid in (0, 2):
        with pytest.warns(UserWarning, match="ERROR status: 00/0b"):
            nvme0.format(0, nsid=nsid).waitdone()
    with pytest.warns(UserWarning, match="ERROR status: (01/0a|00/02)"):
        nvme0.format(14).waitdone()
    with pytest.warns(UserWarning, match="ERROR status: (01/0a|00/02)"):
        nvme0.format(0, ses=7).waitdone()


@pytest.mark.parametrize("wrong", [{"lbaf": 16}, {"ses": 8}, {"lbaf": -1}])
def test_format_that_fits_no_field(nvme0, wrong):
    with pytest.raises(AssertionError):
        nvme0.format(**wrong)


def test_format_4096_and_back(nvme0, nvme0n1):
    lbaf = nvme0n1.get_lba_format(4096, 0)
    if lbaf is None:
        pytest.skip("needs a drive with LBAs of 4096 bytes")
    blocks = nvme0n1.id_data(7, 0)
    assert nvme0n1.format(4096) is not None
    assert nvme0n1.id_data(26) & 0xF == lbaf
    assert nvme0n1.id_data(7, 0) == blocks // 8
    qpair = d.Qpair(nvme0, 8)
    out, back = d.Buffer(4096 * 4, ptype=0xBEEF, pvalue=100), d.Buffer(4096 * 4)
    nvme0n1.write(qpair, out, 10, 4).waitdone()
    assert out.data(4096 * 2 + 7, 4096 * 2) == 12
    nvme0n1.read(qpair, back, 10, 4).waitdone()
    assert back[:] == out[:]
    r = nvme0n1.ioworker(io_size=1, read_percentage=50, region_end=1000, io_count=500).start().close()
    assert r.error == 0
    qpair.delete()
    nvme0n1.format(512)
    assert nvme0n1.id_data(7, 0) == blocks


def test_abort_of_a_format(nvme0):
    nvme0.format(0, ses=1)
    try:
        nvme0.abort(nvme0.latest_cid).waitdone(2)
    except UserWarning as told:
        assert "ERROR status: 00/07" in str(told)
        nvme0.waitdone()
    nvme0.format(0).waitdone()


def test_io_during_a_format(nvme0, nvme0n1, qpair, buf):
    nvme0.format(0, ses=1)
    try:
        nvme0n1.read(qpair, buf, 0, 1).waitdone()
    except UserWarning as told:
        assert "ERROR status: 00/84" in str(told)
    nvme0.waitdone()
    nvme0n1.read(qpair, buf, 0, 1).waitdone()


def test_sanitize(nvme0, nvme0n1, qpair, aer):
    capabilities = nvme0.id_data(331, 328)
    if not capabilities & 2:
        pytest.skip("needs a drive with Sanitize, block erase")
    events = []
    aer(lambda cdw0, status: events.append(cdw0))
    data = d.Buffer(512)
    nvme0n1.write(qpair, data, 3, 1).waitdone()
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x810106"):
        nvme0.sanitize(2).waitdone()
        deadline = time.time() + 30
        while log_page(nvme0, 0x81, 20).data(3, 2) & 7 == 2:
            assert time.time() < deadline or loaded()
            time.sleep(0.05)
        nvme0.getfeatures(7).waitdone()
    assert events == [0x810106]
    assert log_page(nvme0, 0x81, 20).data(3, 2) & 7 in (1, 4)
    nvme0n1.read(qpair, data, 3, 1).waitdone()
    assert not any(data[:])


def test_io_is_refused_during_a_sanitize(nvme0, nvme0n1, qpair, buf):
    if not nvme0.id_data(331, 328) & 2:
        pytest.skip("needs a drive with Sanitize, block erase")
    nvme0.sanitize().waitdone()
    try:
        nvme0n1.read(qpair, buf, 0, 1).waitdone()
    except UserWarning as told:
        assert "ERROR status: 00/1d" in str(told) or "AER" in str(told)
    deadline = time.time() + 30
    while True:
        try:
            if log_page(nvme0, 0x81, 20).data(3, 2) & 7 != 2:
                break
        except UserWarning as told:
            assert "AER" in str(told)
        assert time.time() < deadline or loaded()
        time.sleep(0.05)
    nvme0.reset()
    nvme0n1.read(d.Qpair(nvme0, 8), buf, 0, 1).waitdone()


def test_self_test_short(nvme0):
    if not nvme0.supports(0x14):
        pytest.skip("needs a drive with Device Self-test")
    nvme0.dst(1).waitdone()
    log = log_page(nvme0, 6, 564)
    assert log[0] & 0xF in (0, 1)
    with pytest.warns(UserWarning, match="ERROR status: 01/1d"):
        nvme0.dst(2).waitdone()
    nvme0.dst(0xF).waitdone()
    log = log_page(nvme0, 6, 564)
    assert log[0] & 0xF == 0
    assert log[4] & 0xF == 1, "aborted by the command"
    assert log[4] >> 4 == 1


def test_self_test_to_its_end(nvme0):
    if not nvme0.supports(0x14):
        pytest.skip("needs a drive with Device Self-test")
    nvme0.dst(1).waitdone()
    deadline = time.time() + 120
    while log_page(nvme0, 6, 564)[0] & 0xF:
        assert time.time() < deadline or loaded()
        time.sleep(0.1)
    assert log_page(nvme0, 6, 564)[4] == 0x10, "short, without an error"


def test_self_test_code_that_is_not_there(nvme0):
    if not nvme0.supports(0x14):
        pytest.skip("needs a drive with Device Self-test")
    with pytest.warns(UserWarning, match="ERROR status: 00/02"):
        nvme0.dst(stc=3).waitdone()
    with pytest.raises(AssertionError):
        nvme0.dst(stc=16)


def test_firmware_download_of_garbage(nvme0, tmp_path):
    if not nvme0.supports(0x11):
        pytest.skip("needs a drive with Firmware Image Download")
    b = d.Buffer(4096, ptype=0xBEEF, pvalue=100)
    nvme0.fw_download(b, 0).waitdone()
    nvme0.fw_download(b, 4096).waitdone()
    with pytest.warns(UserWarning, match="ERROR status: 01/07"):
        nvme0.fw_commit(1, 1).waitdone()


def test_firmware_download_overlap(nvme0):
    if not nvme0.supports(0x11):
        pytest.skip("needs a drive with Firmware Image Download")
    b = d.Buffer(4096)
    nvme0.fw_download(b, 0).waitdone()
    with pytest.warns(UserWarning, match="ERROR status: 01/14"):
        nvme0.fw_download(b, 2048).waitdone()
    nvme0.reset()


def test_firmware_commit_of_a_slot_that_is_not_there(nvme0):
    if not nvme0.supports(0x10):
        pytest.skip("needs a drive with Firmware Commit")
    with pytest.warns(UserWarning, match="ERROR status: 01/06"):
        nvme0.fw_commit(7, 1).waitdone()
    with pytest.raises(AssertionError):
        nvme0.fw_commit(8, 1)
    with pytest.raises(AssertionError):
        nvme0.fw_commit(1, 8)


def test_firmware_file(nvme0, tmp_path):
    if not nvme0.supports(0x11):
        pytest.skip("needs a drive with Firmware Image Download")
    image = tmp_path / "image.bin"
    image.write_bytes(bytes(200_001))
    with pytest.warns(UserWarning, match="ERROR status: 01/07"):
        assert nvme0.downfw(str(image), 1, 1) is None


def test_security(nvme0):
    b = d.Buffer(4096)
    if nvme0.supports(0x82):
        nvme0.security_receive(b, 0, secp=0, size=512).waitdone()
        assert b.data(7, 6) != 0xBEEF
    else:
        with pytest.warns(UserWarning, match="ERROR status: 00/01"):
            nvme0.security_receive(b, 1).waitdone()
        with pytest.warns(UserWarning, match="ERROR status: 00/01"):
            nvme0.security_send(b, 1, 1, 0, 512).waitdone()


def test_management_interface(nvme0):
    if nvme0.supports(0x1D):
        pytest.skip("this drive has it")
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0.mi_send(1, 2, 3).waitdone()
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0.mi_receive(1, dword0=2, dword1=3, buf=d.Buffer(4096), mtype=1).waitdone()


def test_namespace_management_is_refused_where_it_is_not_there(nvme0):
    if nvme0.supports(0x0D):
        pytest.skip("this drive has it")
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0.send_cmd(0x0D, d.Buffer(4096), cdw10=0).waitdone()


def test_abort_of_everything(nvme0, nvme0n1, qpair, buf):
    for _ in range(50):
        nvme0n1.read(qpair, buf, 0, 8)
        nvme0.abort(qpair.latest_cid, qpair.sqid).waitdone()
    done = 0
    while done < 50:
        try:
            qpair.waitdone()
        except UserWarning as told:
            assert "ERROR status: 00/07" in str(told)
        done += 1


def test_abort_limit(nvme0):
    limit = nvme0.id_data(258) + 1
    for _ in range(limit):
        nvme0.abort(0x1234, 1)
    nvme0.waitdone(limit)


def test_abort_returns_bit_0(nvme0):
    assert nvme0.abort(99, 5).waitdone() & 1 == 1
    nvme0.aer()
    with pytest.warns(UserWarning, match="ERROR status: 00/07"):
        assert nvme0.abort(nvme0.latest_cid, 0).waitdone() & 1 == 0
        nvme0.getfeatures(7).waitdone()


def test_keep_alive(nvme0):
    if not nvme0.supports(0x18):
        with pytest.warns(UserWarning, match="ERROR status: 00/01"):
            nvme0.send_cmd(0x18).waitdone()
    else:
        nvme0.send_cmd(0x18).waitdone()


@pytest.mark.needs_engine("lone-fused")
def test_reserved_fuse_bits_of_an_admin_command(nvme0):
    with pytest.warns(UserWarning, match="ERROR status: 00/02"):
        nvme0.send_cmd(0x06 | 1 << 8, d.Buffer(4096), cdw10=1).waitdone()
