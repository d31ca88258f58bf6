# SPDX-License-Identifier: BSD-3-Clause
"""Identify is read once, and again after what may change its answer; the drive counts the admin commands."""

import nvme as d
import pytest

from pynvme import demo, lba_format, spec
from pynvme.vssd import VirtualSsd


class Counted:
    """A drive, and a count of the admin commands that a call sends."""

    def __init__(self, drive):
        self.drive = drive
        self.pcie = d.Pcie(drive.address)
        self.nvme0 = d.Controller(self.pcie)
        self.nvme0n1 = d.Namespace(self.nvme0)

    def commands(self, function):
        before = self.drive.counters().commands_admin
        function()
        return self.drive.counters().commands_admin - before


@pytest.fixture
def own():
    with VirtualSsd(size="64M", namespaces=2) as drive:
        counted = Counted(drive)
        yield counted
        counted.pcie.close()


ASKED = [
    lambda own: own.nvme0.id_ctrl,
    lambda own: own.nvme0n1.id_ns,
    lambda own: own.nvme0n1.get_lba_format(4096),
    lambda own: own.nvme0n1.metadata_size,
    lambda own: own.nvme0.supports(0x80),
    lambda own: own.nvme0n1.supports(0x08),
    lambda own: demo.describe(own.nvme0, own.nvme0n1),
]


@pytest.mark.parametrize("ask", ASKED)
def test_asking_a_second_time_sends_no_admin_command(own, ask):
    ask(own)
    assert own.commands(lambda: [ask(own) for _ in range(10)]) == 0


def test_what_identify_said_at_the_start_is_known_already(own):
    assert own.commands(lambda: (own.nvme0.id_ctrl, own.nvme0n1.id_ns)) == 0
    assert own.commands(lambda: (own.nvme0.supports(0x80), own.nvme0.supports(0x81))) == 1  # log page 05h


def test_id_data_and_identify_ask_the_drive_each_time(own):
    assert own.commands(lambda: own.nvme0.id_data(23, 4, str)) == 1
    assert own.commands(lambda: own.nvme0n1.id_data(7, 0)) == 1
    assert own.commands(lambda: own.nvme0.identify().waitdone()) == 1


def host_behavior(own):
    buf = d.Buffer(512)
    spec.HostBehavior(buf).lbafee = 1
    own.nvme0.setfeatures(0x16, buf=buf).waitdone()


def vendor_feature(own):
    with pytest.warns(UserWarning, match="ERROR status: 00/02"):
        own.nvme0.setfeatures(0xC1).waitdone()


def vendor_command(own):
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        own.nvme0.send_cmd(0xC2).waitdone()


CHANGES = [
    lambda own: own.nvme0.reset(),
    lambda own: own.pcie.reset() and own.nvme0.reset(),
    lambda own: own.nvme0.format(0).waitdone(),
    lambda own: own.nvme0n1.format(512),
    host_behavior,
    vendor_feature,
    vendor_command,  # whatever becomes of it
]


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_identify_is_read_once_more(own, change):
    change(own)
    before = own.nvme0n1.id_ns, own.nvme0.id_ctrl
    assert own.commands(lambda: (own.nvme0n1.id_ns, own.nvme0.id_ctrl)) == 0
    change(own)
    assert own.commands(lambda: own.nvme0n1.id_ns) >= 1
    assert own.commands(lambda: own.nvme0n1.id_ns) == 0
    assert (own.nvme0n1.id_ns.nsze, own.nvme0.id_ctrl.sn) == (before[0].nsze, before[1].sn)


@pytest.mark.parametrize(
    "harmless",
    [
        lambda own: own.nvme0.getfeatures(7).waitdone(),
        lambda own: own.nvme0.setfeatures(4, cdw11=400).waitdone(),
        lambda own: own.nvme0.getlogpage(2, d.Buffer(512)).waitdone(),
        lambda own: own.nvme0n1.id_data(7, 0),
        lambda own: own.nvme0.dst(1).waitdone(),
    ],
)
def test_commands_that_change_nothing_cost_nothing_later(own, harmless):
    harmless(own)
    assert own.commands(lambda: (own.nvme0n1.id_ns, own.nvme0.id_ctrl)) == 0


def test_a_format_is_seen_at_once(own):
    assert lba_format.size_in_use(own.nvme0n1.id_ns) == 512
    own.nvme0n1.format(4096)
    assert lba_format.size_in_use(own.nvme0n1.id_ns) == 4096 == own.nvme0n1.lba_size


def test_new_firmware_is_seen_at_once(own, tmp_path):
    from pynvme import firmware

    image = tmp_path / "image"
    image.write_bytes(firmware.make("NEWER123"))
    assert own.nvme0.id_ctrl.fr != "NEWER123"
    own.nvme0.downfw(image, 2, 3)
    assert own.nvme0.id_ctrl.fr == "NEWER123" == own.nvme0.id_data(71, 64, str)


def test_what_is_returned_is_a_copy(own):
    ns = own.nvme0n1.id_ns
    own.nvme0n1.format(4096)
    assert lba_format.size_in_use(ns) == 512
    with pytest.raises(TypeError, match="read-only"):
        ns.nsze = 0


def test_fields_agree_with_identify(own):
    buf = d.Buffer(4096)
    own.nvme0.identify(buf, nsid=1, cns=0).waitdone()
    assert own.nvme0n1.id_ns == spec.IdentifyNamespace(buf)
    own.nvme0.identify(buf).waitdone()
    assert own.nvme0.id_ctrl == spec.IdentifyController(buf)


def test_the_drive_grants_as_many_queue_pairs_as_get_features_says(own):
    granted = spec.NumberOfQueues(own.nvme0.getfeatures(7).waitdone())
    assert own.nvme0.max_qpairs == min(granted.nsq, granted.ncq) + 1
    qpairs = [d.Qpair(own.nvme0, 8) for _ in range(own.nvme0.max_qpairs)]
    with pytest.raises(d.QpairCreationError):
        d.Qpair(own.nvme0, 8)
    assert len(qpairs) == own.nvme0.max_qpairs


# ---- which LBA format is in use ----


def formats(nlbaf, flbas, lbads=9):
    ns = spec.IdentifyNamespace()
    ns.nlbaf, ns.flbas = nlbaf, flbas
    for index, lbaf in enumerate(ns.lbaf):
        lbaf.lbads, lbaf.ms = lbads, index
    return ns


@pytest.mark.parametrize(
    ("nlbaf", "flbas", "index"),
    [
        (0, 0x00, 0),
        (15, 0x0F, 15),
        (15, 0x6F, 15),  # bits 6:5 are reserved with 16 formats
        (16, 0x20, 16),
        (63, 0x6F, 63),
        (63, 0x7F, 63),
        (63, 0x43, 35),
        (255, 0x25, 21),
    ],
)
def test_bits_6_5_of_flbas_count_with_more_than_16_formats(nlbaf, flbas, index):
    ns = formats(nlbaf, flbas)
    assert lba_format.index_in_use(ns) == index == lba_format.in_use(ns).ms


@pytest.mark.parametrize(("nlbaf", "last"), [(0, 0), (15, 15), (63, 63), (64, 63), (255, 63)])
def test_formats_are_looked_for_as_far_as_there_are_any(nlbaf, last):
    ns = formats(nlbaf, 0)
    assert lba_format.find(ns, 512, last) == last
    assert lba_format.find(ns, 512, last + 1) is None
    assert lba_format.find(ns, 4096, 0) is None


def test_a_format_that_is_not_in_use_is_not_found():
    assert lba_format.find(formats(3, 0, lbads=0), 1) is None


def test_metadata_are_in_the_buffer_if_they_follow_the_data():
    assert lba_format.buffer_bytes(formats(15, 0x08)) == 512
    assert lba_format.buffer_bytes(formats(15, 0x18)) == 520
