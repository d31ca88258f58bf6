# SPDX-License-Identifier: BSD-3-Clause
"""Identify, features and log pages as scripts of the first generation send them."""

import logging
import time

import nvme as d
import pytemperature
import pytest

from tests.fix_load import loaded


def test_identify_controller(nvme0, buf):
    nvme0.identify(buf, nsid=0xFFFFFFFF, cns=1)
    nvme0.waitdone()
    buf.dump(64)
    logging.info("model number: %s", nvme0.id_data(63, 24, str))
    logging.info("serial number: %s", nvme0.id_data(23, 4, str))
    assert buf.data(1, 0) != 0
    assert buf.data(1, 0) == nvme0.id_data(1, 0)
    assert buf.data(23, 4, str) == nvme0.id_data(23, 4, str)


def test_identify_namespace(nvme0, nvme0n1, buf):
    nvme0.identify(buf, nsid=1, cns=0).waitdone()
    nsze, ncap, nuse = buf.data(7, 0), buf.data(15, 8), buf.data(23, 16)
    assert nsze >= ncap >= nuse
    assert nvme0n1.id_data(7, 0) == nsze


def test_identify_active_namespaces(nvme0, buf):
    nvme0.identify(buf, nsid=0, cns=2).waitdone()
    assert buf.data(3, 0) == 1


@pytest.mark.parametrize("nsid", [0, 0xFFFFFFFB])
def test_identify_of_no_namespace(nvme0, buf, nsid):
    with pytest.warns(UserWarning, match="ERROR status: 00/0b"):
        nvme0.identify(buf, nsid=nsid, cns=0).waitdone()


def test_identify_by_callback(nvme0, buf):
    done = []

    def identify_cb(cdw0, status):
        done.append(status >> 1)

    nvme0.identify(buf, nsid=0, cns=1, cb=identify_cb).waitdone()
    assert done == [0]


def test_identify_twice_at_once(nvme0):
    a, b = d.Buffer(4096), d.Buffer(4096)
    nvme0.identify(a, nsid=0, cns=1)
    nvme0.identify(b, nsid=0, cns=1)
    nvme0.waitdone(2)
    assert a[:] == b[:]
    assert any(a[:])


def test_supports(nvme0):
    assert nvme0.supports(0x06)
    assert nvme0.supports(0x02)
    assert not nvme0.supports(0xFF)


@pytest.mark.parametrize(
    "opcode, name", [(0x06, "identify"), (0x02, "log"), (0x09, "set features"), (0x08, "abort")]
)
def test_cmdname(nvme0, opcode, name):
    assert name in nvme0.cmdname(opcode).lower()


@pytest.mark.parametrize("fid", [1, 2, 4, 6, 7, 8, 9, 10, 11])
def test_mandatory_features_can_be_got(nvme0, fid):
    nvme0.getfeatures(fid).waitdone()


def test_power_state_by_position(nvme0):
    origin = nvme0.getfeatures(2).waitdone() & 0x1F
    for ps in range(nvme0.id_data(263) + 1):
        nvme0.setfeatures(2, ps, 0).waitdone()
        assert nvme0.getfeatures(2).waitdone() & 0x1F == ps
    nvme0.setfeatures(2, origin, 0).waitdone()


def test_power_state_that_is_not_there(nvme0):
    with pytest.warns(UserWarning, match="ERROR status: 00/02"):
        nvme0.setfeatures(2, nvme0.id_data(263) + 1).waitdone()


def test_write_cache_off_and_on_by_position(nvme0):
    if not nvme0.id_data(525) & 1:
        pytest.skip("needs a drive with a volatile write cache")
    nvme0.setfeatures(6, 0, 0).waitdone()
    assert nvme0.getfeatures(6).waitdone() & 1 == 0
    nvme0.setfeatures(6, 1, 0).waitdone()
    assert nvme0.getfeatures(6).waitdone() & 1 == 1


def test_arbitration_by_position(nvme0):
    origin = nvme0.getfeatures(1).waitdone()
    nvme0.setfeatures(1, 0x03020104).waitdone()
    assert nvme0.getfeatures(1).waitdone() == 0x03020104
    nvme0.setfeatures(1, origin).waitdone()
    assert nvme0.getfeatures(1).waitdone() == origin


def test_number_of_queues(nvme0):
    cdw0 = nvme0.getfeatures(7).waitdone()
    assert cdw0 & 0xFFFF > 0
    assert cdw0 >> 16 > 0


def test_interrupt_coalescing(nvme0):
    nvme0.setfeatures(8, 0x0A05).waitdone()
    assert nvme0.getfeatures(8).waitdone() & 0xFFFF == 0x0A05
    nvme0.setfeatures(8, 0x0000, 0).waitdone()


def test_get_features_by_callback(nvme0):
    values = []
    nvme0.getfeatures(7, cb=lambda cdw0, status: values.append(cdw0)).waitdone()
    assert values == [nvme0.getfeatures(7).waitdone()]


def test_feature_that_is_not_there(nvme0):
    with pytest.warns(UserWarning, match="ERROR status: 00/02"):
        nvme0.getfeatures(0x5F).waitdone()


def test_temperature_of_smart(nvme0):
    logpage_buf = d.Buffer(512)
    nvme0.getlogpage(2, logpage_buf, 512).waitdone()
    celsius = pytemperature.k2c(logpage_buf.data(2, 1))
    logging.info("current temperature: %d", celsius)
    assert 0 < celsius < 90


def test_smart_counts_host_writes(nvme0, nvme0n1, qpair):
    smart, data = d.Buffer(512), d.Buffer(512)
    nvme0.getlogpage(2, smart, 512).waitdone()
    before = smart.data(95, 80)
    for lba in range(10):
        nvme0n1.write(qpair, data, lba, 1)
    qpair.waitdone(10)
    nvme0.getlogpage(2, smart, 512).waitdone()
    assert smart.data(95, 80) == before + 10


def test_firmware_log(nvme0, buf):
    nvme0.getlogpage(3, buf, 512).waitdone()
    slot = buf.data(0) & 7
    assert 1 <= slot <= 7
    assert buf.data(slot * 8 + 7, slot * 8, str) == nvme0.id_data(71, 64, str)


def test_error_log_has_the_command_that_failed(nvme0, nvme0n1, qpair, buf):
    log = d.Buffer(4096)
    with pytest.warns(UserWarning, match="ERROR status: 00/80"):
        nvme0n1.read(qpair, buf, nvme0n1.id_data(7, 0), 1).waitdone()
    nvme0.getlogpage(1, log, 64).waitdone()
    assert log.data(7, 0) > 0
    assert log.data(9, 8) == qpair.sqid
    assert log.data(13, 12) >> 1 & 0xFF == 0x80


def test_log_page_that_is_not_there(nvme0, buf):
    with pytest.warns(UserWarning, match="ERROR status: 01/09"):
        nvme0.getlogpage(0x7F, buf, 512).waitdone()


def test_abort_an_admin_command(nvme0, buf):
    nvme0.identify(buf, nsid=0, cns=1)
    nvme0.abort(127 - 1, 0)
    nvme0.waitdone(2)


def test_dozens_of_aborts(nvme0):
    for cid in range(100):
        nvme0.abort(cid, 1).waitdone()


def test_vendor_command_that_is_not_there(nvme0):
    if nvme0.supports(0xC5):
        pytest.skip("this drive has that command")
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0.send_cmd(0xC5).waitdone()


def test_self_test(nvme0, buf):
    if not nvme0.supports(0x14):
        pytest.skip("needs a drive with Device Self-test")
    nvme0.dst(1, 0).waitdone()
    nvme0.dst(0xF, 0).waitdone()
    nvme0.getlogpage(6, buf, 32).waitdone()
    assert buf.data(0) & 0xF == 0, "no self-test in progress"


def test_sanitize(nvme0, nvme0n1, buf):
    if nvme0.id_data(331, 328) & 2 == 0:
        pytest.skip("needs a drive with Sanitize, block erase")
    with pytest.warns(UserWarning, match="AER notification is triggered"):
        nvme0.sanitize().waitdone()
        deadline = time.time() + 30
        while time.time() < deadline:
            nvme0.getlogpage(0x81, buf, 20).waitdone()
            if buf.data(3, 2) & 7 != 2:
                break
            time.sleep(0.1)
        nvme0.getfeatures(7).waitdone()
    assert buf.data(3, 2) & 7 in (1, 4)


def test_format(nvme0, nvme0n1):
    nvme0.format(nvme0n1.get_lba_format(512, 0)).waitdone()


def test_secure_erase_takes_its_time(nvme0, nvme0n1):
    start = time.time()
    nvme0.format(nvme0n1.get_lba_format(512, 0), ses=1).waitdone()
    took = time.time() - start
    assert took >= 0.01
    assert took <= 10 or loaded()


def test_format_to_a_format_that_is_not_there(nvme0):
    with pytest.warns(UserWarning, match="ERROR status: 01/0a"):
        nvme0.format(15).waitdone()


def test_firmware_that_is_none(nvme0, tmp_path):
    if not nvme0.supports(0x11):
        pytest.skip("needs a drive with Firmware Image Download")
    (tmp_path / "none.bin").write_bytes(b"this is no firmware " * 1000)
    with pytest.warns(UserWarning, match="ERROR status: 01/07"):
        nvme0.downfw(str(tmp_path / "none.bin"))


def test_host_memory_buffer(nvme0):
    if nvme0.id_data(275, 272) == 0:
        pytest.skip("needs a drive that wants a host memory buffer (HMPRE)")
    nvme0.enable_hmb()
    assert nvme0.getfeatures(0x0D, buf=d.Buffer(4096)).waitdone() & 1
    nvme0.disable_hmb()
    assert nvme0.getfeatures(0x0D, buf=d.Buffer(4096)).waitdone() & 1 == 0


def test_cmdlog_shows_the_newest_first(nvme0, buf, capsys):
    nvme0.getfeatures(7).waitdone()
    nvme0.identify(buf).waitdone()
    capsys.readouterr()
    nvme0.cmdlog(2)
    text = capsys.readouterr().out
    assert "dump qpair 0, latest tail in cmdlog:" in text
    assert text.index("IDENTIFY (06)") < text.index("GET FEATURES (0a)")
    assert text.count("SUCCESS (00/00)") == 2


def test_cmdlog_of_a_command_that_failed(nvme0, capsys):
    with pytest.warns(UserWarning):
        nvme0.getfeatures(0x5F).waitdone()
    capsys.readouterr()
    nvme0.cmdlog(1)
    assert "(00/02) sqid:0 cid:" in capsys.readouterr().out


def test_all_admin_commands_at_once(nvme0):
    for _ in range(100):
        nvme0.getfeatures(7)
    nvme0.waitdone(100)
