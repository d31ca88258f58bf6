# SPDX-License-Identifier: BSD-3-Clause
"""`Pcie.caps`: what configuration space says, decoded. lspci, which we did not write, judges the bits."""

import re
import shutil
import subprocess

import pytest

from pynvme import spec
from pynvme.capabilities import Capabilities
from pynvme.cli.registers import dump_of

LSPCI = shutil.which("lspci", path="/usr/bin:/usr/sbin:/sbin:/bin")

# (capability, field, bits) → (what lspci's line begins with, its name of the bit)
FLAGS = {
    ("header", "cmd", "iose"): ("Control:", "I/O"),
    ("header", "cmd", "mse"): ("Control:", "Mem"),
    ("header", "cmd", "bme"): ("Control:", "BusMaster"),
    ("header", "cmd", "pee"): ("Control:", "ParErr"),
    ("header", "cmd", "see"): ("Control:", "SERR"),
    ("header", "cmd", "intd"): ("Control:", "DisINTx"),
    ("header", "sts", "ints"): ("Status: Cap", "INTx"),
    ("header", "sts", "dpd"): ("Status: Cap", "ParErr"),
    ("header", "sts", "sta"): ("Status: Cap", ">TAbort"),
    ("header", "sts", "rta"): ("Status: Cap", "<TAbort"),
    ("header", "sts", "rma"): ("Status: Cap", "<MAbort"),
    ("header", "sts", "sse"): ("Status: Cap", ">SERR"),
    ("header", "sts", "dpe"): ("Status: Cap", "<PERR"),
    ("pm", "pc", "pmec"): ("Flags:", "PMEClk"),
    ("pm", "pc", "dsi"): ("Flags:", "DSI"),
    ("pm", "pc", "d1s"): ("Flags:", "D1"),
    ("pm", "pc", "d2s"): ("Flags:", "D2"),
    ("pm", "pmcs", "nsfrst"): ("Status: D", "NoSoftRst"),
    ("pm", "pmcs", "pmee"): ("Status: D", "PME-Enable"),
    ("pm", "pmcs", "pmes"): ("Status: D", "PME"),
    ("msi", "mc", "msie"): ("Capabilities: .a0. MSI:", "Enable"),
    ("msix", "mxc", "fm"): ("Capabilities: .50. MSI-X:", "Masked"),
    ("msix", "mxc", "mxe"): ("Capabilities: .50. MSI-X:", "Enable"),
    ("exp", "pxdcap", "etfs"): ("ExtTag.*RBE", "ExtTag"),
    ("exp", "pxdcap", "rer"): ("ExtTag.*RBE", "RBE"),
    ("exp", "pxdcap", "flrc"): ("ExtTag.*RBE", "FLReset"),
    ("exp", "pxdc", "cere"): ("DevCtl:", "CorrErr"),
    ("exp", "pxdc", "nfere"): ("DevCtl:", "NonFatalErr"),
    ("exp", "pxdc", "fere"): ("DevCtl:", "FatalErr"),
    ("exp", "pxdc", "urre"): ("DevCtl:", "UnsupReq"),
    ("exp", "pxdc", "ero"): ("RlxdOrd", "RlxdOrd"),
    ("exp", "pxdc", "ete"): ("RlxdOrd", "ExtTag"),
    ("exp", "pxdc", "pfe"): ("RlxdOrd", "PhantFunc"),
    ("exp", "pxdc", "appme"): ("RlxdOrd", "AuxPwr"),
    ("exp", "pxdc", "ens"): ("RlxdOrd", "NoSnoop"),
    ("exp", "pxdc", "iflr"): ("RlxdOrd", "FLReset"),
    ("exp", "pxds", "ced"): ("DevSta:", "CorrErr"),
    ("exp", "pxds", "nfed"): ("DevSta:", "NonFatalErr"),
    ("exp", "pxds", "fed"): ("DevSta:", "FatalErr"),
    ("exp", "pxds", "urd"): ("DevSta:", "UnsupReq"),
    ("exp", "pxds", "apd"): ("DevSta:", "AuxPwr"),
    ("exp", "pxds", "tp"): ("DevSta:", "TransPend"),
    ("exp", "pxlcap", "cpm"): ("ClockPM.*Surprise", "ClockPM"),
    ("exp", "pxlcap", "sderc"): ("ClockPM.*Surprise", "Surprise"),
    ("exp", "pxlcap", "dllla"): ("ClockPM.*Surprise", "LLActRep"),
    ("exp", "pxlcap", "lbnc"): ("ClockPM.*Surprise", "BwNot"),
    ("exp", "pxlcap", "aoc"): ("ClockPM.*Surprise", "ASPMOptComp"),
    ("exp", "pxlc", "ccc"): ("LnkCtl:", "CommClk"),
    ("exp", "pxlc", "es"): ("ExtSynch", "ExtSynch"),
    ("exp", "pxlc", "ecpm"): ("ExtSynch", "ClockPM"),
    ("exp", "pxlc", "hawd"): ("ExtSynch", "AutWidDis"),
    ("exp", "pxls", "scc"): ("TrErr", "SlotClk"),
    ("exp", "pxdcap2", "ctds"): ("DevCap2:", "TimeoutDis"),
    ("exp", "pxdcap2", "nprpr"): ("DevCap2:", "NROPrPrP"),
    ("exp", "pxdcap2", "ltrs"): ("DevCap2:", "LTR"),
    ("exp", "pxdcap2", "tag10c"): ("10BitTagComp", "10BitTagComp"),
    ("exp", "pxdcap2", "tag10r"): ("10BitTagComp", "10BitTagReq"),
    ("exp", "pxdcap2", "effs"): ("10BitTagComp", "ExtFmt"),
    ("exp", "pxdcap2", "eetps"): ("10BitTagComp", "EETLPPrefix"),
    ("exp", "pxdcap2", "aocs32"): ("AtomicOpsCap:", "32bit"),
    ("exp", "pxdcap2", "aocs64"): ("AtomicOpsCap:", "64bit"),
    ("exp", "pxdcap2", "ccs128"): ("AtomicOpsCap:", "128bitCAS"),
    ("exp", "pxdc2", "ctd"): ("DevCtl2:", "TimeoutDis"),
    ("exp", "pxdc2", "ltrme"): ("DevCtl2:", "LTR"),
    ("exp", "pxlcap2", "cls"): ("LnkCap2:", "Crosslink"),
    ("exp", "pxlc2", "ec"): ("LnkCtl2:", "EnterCompliance"),
    ("exp", "pxlc2", "hasd"): ("LnkCtl2:", "SpeedDis"),
    ("exp", "pxlc2", "emc"): ("Transmit Margin:", "EnterModifiedCompliance"),
    ("exp", "pxlc2", "cs"): ("Transmit Margin:", "ComplianceSOS"),
    ("exp", "pxls2", "eqc"): ("LnkSta2:", "EqualizationComplete"),
    ("exp", "pxls2", "eqp1"): ("LnkSta2:", "EqualizationPhase1"),
    ("exp", "pxls2", "eqp2"): ("EqualizationPhase2", "EqualizationPhase2"),
    ("exp", "pxls2", "eqp3"): ("EqualizationPhase2", "EqualizationPhase3"),
    ("exp", "pxls2", "ler"): ("EqualizationPhase2", "LinkEqualizationRequest"),
    ("exp", "pxls2", "rpd"): ("Retimer. 2Retimers. CrosslinkRes", "Retimer"),
    ("aer", "aercc", "egc"): ("AERCap:", "ECRCGenCap"),
    ("aer", "aercc", "ege"): ("AERCap:", "ECRCGenEn"),
    ("aer", "aercc", "ecc"): ("AERCap:", "ECRCChkCap"),
    ("aer", "aercc", "ece"): ("AERCap:", "ECRCChkEn"),
    ("aer", "aercc", "mhrc"): ("MultHdrRecCap", "MultHdrRecCap"),
    ("aer", "aercc", "mhre"): ("MultHdrRecCap", "MultHdrRecEn"),
    ("aer", "aercc", "tplp"): ("MultHdrRecCap", "TLPPfxPres"),
}
UNCORRECTABLE = {
    "dlpe": "DLP", "sde": "SDES", "pt": "TLP", "fcpe": "FCP", "ct": "CmpltTO", "ca": "CmpltAbrt",
    "uc": "UnxCmplt", "ro": "RxOF", "mt": "MalfTLP", "ecrce": "ECRC", "ure": "UnsupReq", "acsv": "ACSViol",
}  # fmt: skip
CORRECTABLE = {
    "re": "RxErr", "bt": "BadTLP", "bd": "BadDLLP", "rr": "Rollover", "rt": "Timeout",
    "anfe": "AdvNonFatalErr",
}  # fmt: skip
for field, line in {"aeruces": "UESta:", "aerucem": "UEMsk:", "aerucesev": "UESvrt:"}.items():
    FLAGS |= {("aer", field, name): (line, word) for name, word in UNCORRECTABLE.items()}
for field, line in {"aerces": "CESta:", "aercem": "CEMsk:"}.items():
    FLAGS |= {("aer", field, name): (line, word) for name, word in CORRECTABLE.items()}


def with_bit(config, place, value):
    """Configuration space in which one bit has this value."""
    name, field, bit = place
    data = bytearray(config)
    caps = Capabilities(lambda at, count: data[at : at + count])
    kind = type(caps.header if name == "header" else caps[name])
    setattr(getattr(kind(data, 0 if name == "header" else caps.offset(name)), field), bit, value)
    return bytes(data)


def lspci(tmp_path, configs):
    """What lspci -vvv prints of each configuration space. It shows all registers of a device 0 only."""
    assert LSPCI
    dumps = [dump_of(f"{n >> 7:04x}:{n & 0x7F:02x}:00.0", data) for n, data in enumerate(configs)]
    file = tmp_path / "dump"
    file.write_text("\n\n".join(dumps) + "\n")
    done = subprocess.run([LSPCI, "-F", str(file), "-vvv"], capture_output=True, text=True, check=True)
    return [one for one in done.stdout.split("\n\n") if one.strip()]


def flag_of(text, line, word):
    """Whether lspci shows a flag as set (+) or not (-)."""
    (found,) = [one for one in text.splitlines() if re.match(line, one.strip())]
    marks = re.findall(rf"(?<![\w-]){re.escape(word)}([+-])(?=\W|$)", found)
    assert marks, (found, word)
    return marks[0] == "+"


@pytest.mark.skipif(LSPCI is None, reason="lspci is not installed")
def test_each_bit_is_where_lspci_looks_for_it(ssd, pcie, tmp_path):
    """Of one configuration space each, in which a single bit is set, and then clear."""
    config = bytes(pcie[0:4096])
    places = list(FLAGS)
    shown = lspci(tmp_path, [with_bit(config, place, value) for place in places for value in (1, 0)])
    found = {}
    for place, is_set, is_clear in zip(places, shown[::2], shown[1::2]):
        found[place] = flag_of(is_set, *FLAGS[place]), flag_of(is_clear, *FLAGS[place])
    assert {place: both for place, both in found.items() if both != (True, False)} == {}


@pytest.mark.skipif(LSPCI is None, reason="lspci is not installed")
def test_numbers_are_those_of_lspci(ssd, pcie, tmp_path):
    caps = pcie.caps
    (text,) = lspci(tmp_path, [bytes(pcie[0:4096])])
    exp, msix, msi = caps.exp, caps.msix, caps.msi
    assert f"Speed {(0, 2.5, 5, 8, 16)[exp.pxlcap.sls]:g}GT/s, Width x{exp.pxlcap.mlw}" in text
    assert f"Speed {(0, 2.5, 5, 8, 16)[exp.pxls.cls]:g}GT/s, Width x{exp.pxls.nlw}" in text
    sizes = 128 << exp.pxdc.mps, 128 << exp.pxdc.mrrs
    assert "MaxPayload {} bytes, MaxReadReq {} bytes".format(*sizes) in text
    assert f"MaxPayload {128 << exp.pxdcap.mps} bytes, PhantFunc" in text
    assert f"MSI-X: Enable{'-+'[msix.mxc.mxe]} Count={msix.mxc.ts + 1} " in text
    assert f"Vector table: BAR={msix.mtab.tbir} offset={8 * msix.mtab.to:08x}" in text
    assert f"PBA: BAR={msix.mpba.pbir} offset={8 * msix.mpba.pbao:08x}" in text
    assert f"Count={1 << msi.mc.mme}/{1 << msi.mc.mmc}" in text
    assert f"Serial Number {caps.dsn.serial.to_bytes(8, 'big').hex('-')}" in text
    assert re.findall(r"Capabilities: \[(\w+)", text) == [f"{caps.offset(name):02x}" for name in caps]
    assert f"Device {caps.header.vid:04x}:{caps.header.did:04x}" in text


def test_capabilities_by_name(pcie):
    caps = pcie.caps
    assert "exp" in caps and set(caps) <= set(dir(caps)) and len(caps) == len(list(caps))
    assert caps.offset("exp") == pcie.cap_offset(0x10)
    assert caps["exp"].pxlc.aspmc == caps.exp.pxlc.aspmc == pcie.aspm
    assert caps.pm.pmcs.ps == pcie.power_state == 0
    assert caps.header.vid == pcie.register(0, 2) and caps.header.did == pcie.register(2, 2)
    assert (caps.header.bcc, caps.header.scc, caps.header.pi) == (1, 8, 2)
    found = caps.to_dict()
    assert list(found) == ["header", *caps]
    assert found["header"]["bar"] == [pcie.register(0x10 + 4 * n) for n in range(6)]
    if "aer" in caps:
        assert caps.offset("aer") == pcie.cap_offset(1, True)
        assert found["aer"]["header"] == pcie.register(caps.offset("aer"))
    shown = repr(caps)
    assert "PCI Express" in shown and f"{caps.offset('exp'):03X}h exp" in shown
    assert caps._repr_html_().count("<table>") == 1 + len(caps)


def test_a_capability_that_is_not_there(pcie):
    caps = pcie.caps
    assert "warp" not in caps
    with pytest.raises(AttributeError, match=r"no capability warp: it has .*exp"):
        caps.warp  # noqa: B018
    with pytest.raises(KeyError, match="no capability warp"):
        caps["warp"]


def made_up(capabilities, extended=b""):
    """Configuration space with these bytes at 40h, and as extended capabilities."""
    data = bytearray(4096)
    data[6], data[0x34] = 0x10, 0x40
    data[0x40 : 0x40 + len(capabilities)] = capabilities
    data[0x100 : 0x100 + len(extended)] = extended
    return Capabilities(lambda at, count: bytes(data[at : at + count]))


def test_a_list_that_loops_or_leaves_configuration_space_ends():
    assert list(made_up(bytes([0x09, 0x44, 0, 0, 0x03, 0x40]))) == ["vendor", "vpd"]
    assert list(made_up(bytes([0x10, 0xFC]))) == ["exp", "cap_0h"]
    assert list(made_up(b"", (0x0B | 1 << 16 | 0x100 << 20).to_bytes(4, "little")))[1:] == ["vendor"]
    assert list(made_up(bytes([0x42, 0x10]))) == ["cap_42h"], "an offset in the header is no capability"
    assert list(Capabilities(lambda at, count: b"\xff" * count)) == ["cap_ffh"]


@pytest.mark.parametrize(
    ("control", "kind"), [(0, "Msi32Capability"), (0x80, "MsiCapability"), (0x180, "MsiMaskCapability")]
)
def test_msi_has_as_many_bytes_as_its_control_word_says(control, kind):
    caps = made_up(bytes([0x05, 0, control & 0xFF, control >> 8, 0x78, 0x56, 0x34, 0x12, 0x21, 0x43]))
    assert type(caps.msi).__name__ == kind and caps.msi.ma == 0x12345678
    assert caps.msi.md == (0x4321 if kind == "Msi32Capability" else 0)


def test_without_the_extended_part_the_rest_is_there():
    def read(offset, count):
        if offset >= 256:
            raise OSError("no extended configuration space")
        return bytes(6) + b"\x10" + bytes(45) + b"\x40" + bytes(11) + b"\x01\x00" + bytes(190)

    caps = Capabilities(read)
    assert list(caps) == ["pm"] and isinstance(caps.pm, spec.PmCapability)
