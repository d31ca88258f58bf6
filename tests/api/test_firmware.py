# SPDX-License-Identifier: BSD-3-Clause
"""Firmware: images that pynvme makes, downloaded and activated through the public interface."""

import time

import nvme as d
import pytest

from pynvme import firmware
from tests.fix_load import loaded


def slots(nvme0):
    """Active slot, next slot, and the revisions in the slots that hold one."""
    log = d.Buffer(512)
    nvme0.getlogpage(3, log, 512).waitdone()
    revisions = [log.data(8 * slot + 7, 8 * slot, str).strip("\0 ") for slot in range(1, 8)]
    return log[0] & 7, log[0] >> 4, [revision for revision in revisions if revision]


def revision(nvme0):
    return nvme0.id_data(71, 64, str).strip()


@pytest.fixture
def image(tmp_path):
    """Give ``image(version, …)``: the name of a file with an image."""

    def make(version, **options):
        path = tmp_path / f"{version}.bin"
        path.write_bytes(firmware.make(version, **options))
        return str(path)

    return make


def test_an_update_runs_after_a_reset(own, image):
    nvme0 = own.nvme0
    assert slots(nvme0) == (1, 0, ["1.0"])
    nvme0.downfw(image("2.0"), slot=2)
    assert slots(nvme0) == (1, 2, ["1.0", "2.0"]) and revision(nvme0) == "1.0"
    nvme0.reset()
    assert slots(nvme0) == (2, 0, ["1.0", "2.0"]) and revision(nvme0) == "2.0"


def test_an_update_runs_at_once(own, image):
    begin = time.monotonic()
    own.nvme0.downfw(image("2.0"), slot=1, action=3)
    assert time.monotonic() - begin < 10 or loaded()
    assert slots(own.nvme0) == (1, 0, ["2.0"]) and revision(own.nvme0) == "2.0"


def test_the_drive_chooses_a_slot(own, image):
    own.nvme0.downfw(image("2.0"))
    own.nvme0.reset()
    assert slots(own.nvme0) == (2, 0, ["1.0", "2.0"])


def test_an_update_and_back(own, image):
    nvme0 = own.nvme0
    nvme0.downfw(image("2.0"), slot=2, action=0)
    nvme0.fw_commit(2, 2).waitdone()
    nvme0.reset()
    assert revision(nvme0) == "2.0"
    nvme0.fw_commit(1, 3).waitdone()
    assert revision(nvme0) == "1.0" and slots(nvme0)[0] == 1


def test_an_update_outlives_power(own, image):
    own.nvme0.downfw(image("2.0"), slot=3, action=3)
    d.Subsystem(own.nvme0).power_cycle(sec=0)
    own.nvme0.reset()
    assert revision(own.nvme0) == "2.0" and slots(own.nvme0) == (3, 0, ["1.0", "2.0"])


def test_io_goes_on_after_an_update(own, image):
    pair = d.Qpair(own.nvme0, 8)
    buf = d.Buffer(512, ptype=0xBEEF, pvalue=100)
    own.nvme0n1.write(pair, buf, 3).waitdone()
    own.nvme0.downfw(image("2.0"), slot=2, action=3)
    back = d.Buffer(512)
    own.nvme0n1.read(pair, back, 3).waitdone()
    assert back[:] == buf[:]


def test_a_worker_runs_through_an_activation(own, image):
    with own.nvme0n1.ioworker(io_size=8, time=2, qdepth=16) as worker:
        for version in "23456":
            own.nvme0.downfw(image(version), slot=0, action=3)
            assert revision(own.nvme0) == version
    result = worker.close()
    assert result.error == 0 and result.io_count_read > 0


def test_the_notice_of_an_activation(own, image):
    got = []
    own.nvme0.register_aer_cb(lambda cdw0, status1: got.append(cdw0))
    own.nvme0.setfeatures(0x0B, cdw11=1 << 9).waitdone()
    with pytest.warns(UserWarning, match=r"^AER notification is triggered: 0x30102$"):
        own.nvme0.downfw(image("2.0"), slot=2, action=3)
    assert got == [0x30102]


@pytest.mark.parametrize(
    "reset, status", [("controller", "01/11"), ("conventional", "01/0b"), ("subsystem", "01/10")]
)
def test_an_image_that_asks_for_a_reset(own, image, reset, status):
    nvme0 = own.nvme0
    with pytest.warns(UserWarning, match=f"^ERROR status: {status}"):
        nvme0.downfw(image("2.0", reset=reset), slot=2, action=3)
    assert revision(nvme0) == "1.0"
    nvme0.reset()
    assert revision(nvme0) == ("2.0" if reset == "controller" else "1.0")
    if reset == "conventional":
        own.pcie.reset()
    else:
        d.Subsystem(nvme0).reset()
    nvme0.reset()
    assert revision(nvme0) == "2.0"


def test_overlapping_and_odd_pieces_are_the_drives_to_refuse(own):
    nvme0 = own.nvme0
    buf = d.Buffer(8192)
    nvme0.fw_download(buf, 0).waitdone()
    nvme0.fw_download(buf, 8192).waitdone()
    for offset in (0, 4096, 8192, 12288):
        with pytest.warns(UserWarning, match="^ERROR status: 01/14"):
            nvme0.fw_download(buf, offset, 4096).waitdone()
    for offset, size in ((16384, 2048), (18432, 4096), (1 << 33, 4096)):
        with pytest.warns(UserWarning, match="^ERROR status: 00/02"):
            nvme0.fw_download(buf, offset, size).waitdone()
    with pytest.warns(UserWarning, match="^ERROR status: 01/07"):
        nvme0.fw_commit(1, 1).waitdone()
    assert slots(nvme0) == (1, 0, ["1.0"])


def test_a_file_without_an_end_is_no_image(nvme0):
    with pytest.raises(
        ValueError, match=r"^Controller.downfw\(\): '/dev/zero' is no firmware image.* 256 MiB$"
    ):
        nvme0.downfw("/dev/zero")


@pytest.mark.parametrize("size", [1, 1000, 4096, 100_000])
def test_garbage_of_any_length_is_refused_at_commit(own, tmp_path, size):
    (tmp_path / "garbage").write_bytes(b"\x5a" * size)
    with pytest.warns(UserWarning) as caught:
        own.nvme0.downfw(tmp_path / "garbage", slot=1)
    assert [str(warning.message) for warning in caught] == ["ERROR status: 01/07 Invalid Firmware Image"]


def test_a_reset_discards_what_was_downloaded(own):
    buf = d.Buffer(4096)
    buf[:] = firmware.make("2.0", size=4096)
    own.nvme0.fw_download(buf, 0).waitdone()
    own.nvme0.reset()
    with pytest.warns(UserWarning, match="^ERROR status: 01/07"):
        own.nvme0.fw_commit(2, 0).waitdone()


def test_images_are_made_the_same_way_each_time():
    assert firmware.make("2.0") == firmware.make("2.0") != firmware.make("2.1")
    assert firmware.make("2.0", size=4096)[:20] == b"PYNVMEFW2.0     \x00\x10\x00\x00"
    assert firmware._crc32c(b"123456789") == 0xE3069283


def test_the_largest_image_is_taken_and_no_larger_one(own):
    """Garbage of that length: a good image takes seconds to make."""
    buf = d.Buffer(131072)
    for offset in range(0, firmware.SIZE_MAX, 131072):
        own.nvme0.fw_download(buf, offset).waitdone()
    with pytest.warns(UserWarning, match="^ERROR status: 00/02"):
        own.nvme0.fw_download(buf, firmware.SIZE_MAX).waitdone()
    with pytest.warns(UserWarning, match="^ERROR status: 01/07"):
        own.nvme0.fw_commit(1, 1).waitdone()


@pytest.mark.parametrize(
    "version, options",
    [
        ("", {}),
        ("123456789", {}),
        (" 1", {}),
        ("1\n", {}),
        ("é", {}),
        ("1", {"size": 0}),
        ("1", {"size": 4095}),
        ("1", {"size": firmware.SIZE_MAX + 4096}),
        ("1", {"reset": "soft"}),
    ],
)
def test_what_cannot_be_an_image(version, options):
    with pytest.raises(ValueError):
        firmware.make(version, **options)


def test_a_warning_of_a_download_names_the_scripts_line(own, tmp_path):
    (tmp_path / "garbage").write_bytes(b"garbage " * 512)
    with pytest.warns(UserWarning, match="ERROR status: 01/07") as warned:
        own.nvme0.downfw(str(tmp_path / "garbage"))
    assert [warning.filename for warning in warned] == [__file__]
