# SPDX-License-Identifier: BSD-3-Clause
"""What a drive tells of itself, decoded: smart, log(), features, regs, Buffer.decode()."""

import nvme as d
import pytest
from offered import SPDK

from pynvme import decode, spec
from pynvme.structure import Field, Number, Structure


def test_smart_is_what_the_log_page_has(nvme0, buf):
    smart = nvme0.smart
    nvme0.getlogpage(2, buf, 512).waitdone()
    assert smart.composite_temperature == buf.data(2, 1) and smart.ctemp.celsius == buf.data(2, 1) - 273
    assert smart.power_cycles == buf.data(127, 112)
    assert smart.available_spare_threshold == buf[4]


@pytest.mark.differs(SPDK, "SMART counts no reads (Base 2.0, 5.16.1.3)")
def test_smart_is_as_of_now(nvme0, nvme0n1, qpair, buf):
    before = nvme0.smart.host_read_commands
    nvme0n1.read(qpair, buf, 0).waitdone()
    assert nvme0.smart.host_read_commands == before + 1


def needs_log(nvme0, lid):
    """Skip if Identify tells that the drive lacks the log page."""
    ctrl = nvme0.id_ctrl
    has = {5: ctrl.lpa.cses, 6: ctrl.oacs.dsts, 7: ctrl.lpa.ts, 0x81: ctrl.sanicap != 0}
    if not has.get(lid, True):
        pytest.skip(f"needs a drive with log page {lid:02X}h (LPA, OACS or SANICAP)")


@pytest.mark.parametrize("lid", [1, 2, 3, 5, 6, 7, 0x81])
def test_a_log_page_is_read_as_a_whole(nvme0, lid):
    needs_log(nvme0, lid)
    log = nvme0.log(lid)
    assert type(log) is type(spec.LOG_PAGES[lid]()) and not log.is_cut
    big = d.Buffer(1 << 20)
    nvme0.getlogpage(lid, big, (len(log) + 3) & ~3).waitdone()
    if lid not in (2, 7):  # these count what was read
        assert bytes(log) == big[: len(log)]


def test_telemetry_is_read_to_its_last_block(nvme0):
    needs_log(nvme0, spec.LogId.TELEMETRY_HOST)
    log = nvme0.log(spec.LogId.TELEMETRY_HOST, lsp=1)
    assert len(log) == 512 * (1 + max(log.da1lb, log.da2lb, log.da3lb)) > 4096


def test_a_log_page_that_is_not_there_is_refused_by_its_status(nvme0):
    with pytest.raises(OSError, match=r"01/09|00/02"):
        nvme0.log(0x7D)


def test_a_log_page_of_ones_own(nvme0, monkeypatch):
    class Health(Structure):
        TEXT = "mine"
        SIZE = 4
        spare = Field(3, Number(1), "spare")

    assert nvme0.log(2, as_=Health).spare == nvme0.smart.avsp
    assert nvme0.log(2, as_="smart_log", size=512).avsp == nvme0.smart.avsp
    monkeypatch.setitem(spec.LOG_PAGES, 2, Health)
    assert isinstance(nvme0.log(2), Health)


def test_a_log_page_is_read_as_the_parameters_say(monkeypatch):
    sent = []

    class Drive:
        mdts = 4096

        def _ask(self, opcode, buf, nsid, *dwords):
            sent.append((opcode, len(buf), nsid, *(f"{dword:#x}" for dword in dwords)))

    monkeypatch.setitem(spec.LOG_PAGES, 0x42, spec.SmartLog)
    decode.log(Drive(), 0x42, 7, lsp=3, lsi=0x1234, csi=2, uuid=5, size=6000, rae=False)
    assert sent == [
        (2, 4096, 7, "0x3ff0342", "0x12340000", "0x0", "0x0", "0x2000005"),
        (2, 1904, 7, "0x1db0342", "0x12340000", "0x1000", "0x0", "0x2000005"),
    ]
    sent.clear()
    decode.log(Drive(), 0x42)
    assert sent == [(2, 512, 0xFFFFFFFF, "0x7f8042", "0x0", "0x0", "0x0", "0x0")]


def test_looking_takes_no_completion_and_no_event(nvme0, buf):
    cids = []
    nvme0.identify(buf, cb=lambda cpl: cids.append(cpl[3] & 0xFFFF))
    cid = nvme0.latest_cid
    nvme0.smart, nvme0.log(1), repr(nvme0.features), repr(nvme0.regs)
    assert nvme0.latest_cid == cid
    nvme0.waitdone()
    assert cids == [cid]


def test_features_by_name_by_number_and_all_of_them(nvme0):
    features = nvme0.features
    got = []
    nvme0.getfeatures(4, cb=lambda cdw0, status: got.append(cdw0)).waitdone()
    assert int(features.temperature_threshold) == int(features[4]) == int(features.temperature) == got[0]
    assert features.temperature_threshold.tmpth.celsius == (got[0] & 0xFFFF) - 273
    assert features.get(4, sel=1).name == "TEMPERATURE"
    if nvme0.id_ctrl.oncs.tss:
        state = features.timestamp
        assert len(state.data) == 8 and state.tstmp == state.data.tstmp
    names = [state.name for state in features]
    assert {"ARBITRATION", "POWER", "TEMPERATURE", "QUEUES", "ASYNC_EVENT"} <= set(names)
    assert features.to_dict()["temperature"]["word"] == got[0]
    assert "04h TEMPERATURE" in repr(features)


def test_a_feature_that_is_not_there(nvme0):
    with pytest.raises(OSError, match="00/02"):
        nvme0.features[0xBF]
    with pytest.raises(AttributeError, match="did you mean power"):
        nvme0.features.powr  # noqa: B018
    with pytest.raises(AttributeError, match="has no field wec"):
        nvme0.features.temperature.wec  # noqa: B018


def test_features_and_log_pages_that_have_a_scope():
    nvme0 = d.Controller(d.Pcie("vssd:name=scopes,size=1M,ocp,fdp"))
    names = [state.name for state in nvme0.features]
    assert "FDP" in names and names[-1].startswith("OCP_") and "OCP_READ_ONLY_WRITE_THROUGH" in names
    assert nvme0.features.flexible_data_placement.fdpe == nvme0.features.get(0x1D, cdw11=1).fdpe == 1
    with pytest.raises(OSError, match=r"00/02 .*: log page 09h needs lsi, an endurance group, such as 1"):
        nvme0.log(9)
    assert nvme0.log(9, lsi=1).avsp == 100
    nvme0.pcie.close()


def test_registers_by_name(nvme0):
    regs = nvme0.regs
    assert regs.csts.rdy == 1 and regs.cc.en == 1
    assert int(regs.cap) == nvme0.cap and int(regs.vs) == nvme0[8]
    assert regs.acq == nvme0[0x30] | nvme0[0x34] << 32
    assert regs.to_dict()["acq"] == regs.acq and f"acq      0x0030  {regs.acq:#x}" in repr(regs)
    assert regs.to_dict()["csts"]["rdy"] == 1 and "csts     0x001c" in repr(regs)
    with pytest.raises(AttributeError, match="there is no register foo"):
        regs.foo  # noqa: B018


def test_features_and_registers_are_tables_in_a_notebook(nvme0):
    states, registers = list(nvme0.features), nvme0.regs._repr_html_()
    features = nvme0.features._repr_html_()
    assert [f">{state.fid:02X}h</th>" in features for state in states] == [True] * len(states)
    threshold = nvme0.features.temperature
    assert f"<summary>{threshold.word!r}</summary>tmpth = {threshold.tmpth!r}<br>" in features
    assert f"tmpth = {threshold.tmpth!r}" in threshold._repr_html_()
    assert registers.count("<tr>") == len(list(nvme0.regs)) > 10
    assert ">0x0008</th>" in registers and f"mjr = {nvme0.regs.vs.mjr}" in registers


def test_a_buffer_is_decoded_by_a_name_or_a_class(nvme0, buf):
    nvme0.identify(buf, nsid=1, cns=0).waitdone()
    assert buf.decode("id_ns").nsze == buf.decode("IdentifyNamespace").nsze == buf.data(7, 0)
    assert buf.decode(spec.IdentifyNamespace).nsze == buf.data(7, 0)
    assert buf.decode("lba_format", 128).lbads == buf[130]
    with pytest.raises(ValueError, match="did you mean id_ns"):
        buf.decode("id_nss")
    with pytest.raises(TypeError, match="structure must be the name or the class"):
        buf.decode(5)
    with pytest.raises(ValueError, match="has 4096 bytes"):
        d.Buffer(512).decode("id_ns")
