# SPDX-License-Identifier: BSD-3-Clause
"""tshark decodes Identify and SMART as pynvme.spec does: each of its fields has the value of ours.

A table typed by hand maps their fields to ours. The data are those of the drive, and random bytes, in which
each field has a different value.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from pynvme import spec
from pynvme.structure import Structure
from tests import wireshark
from tests.wireshark import TSHARK

pytestmark = pytest.mark.skipif(
    TSHARK is None, reason="needs tshark: `make test` installs it where the distribution has it"
)

NEWEST_KNOWN = (4, 0)
"""A later Wireshark may have fields that are not in the tables below."""

# Their name below a prefix, and ours. [] means each element of an array. "#": why we have no such field.
CONTROLLER = """
vid vid | ssvid ssvid | sn sn | mn mn | fr fr | rab rab | ieee ieee | mdts mdts | cntlid cntlid
cmic cmic | cmic.mp cmic.mports | cmic.mc cmic.mctrs | cmic.sriov cmic.ft | cmic.ana cmic.anars | ver ver
ver.mjr ver.mjr | ver.min ver.mnr | ver.ter ver.ter | rtd3r rtd3r | rtd3e rtd3e | oaes oaes
oaes.nan oaes.nsan | oaes.fan oaes.fan | oaes.ana oaes.anan | oaes.ple oaes.plea | oaes.lba oaes.lban
oaes.ege oaes.egea | ctratt ctratt | ctratt.hi_128 ctratt.hids | ctratt.nopspm ctratt.nopspm
ctratt.nvmset ctratt.nsets | ctratt.rrl ctratt.rrlvls | ctratt.eg ctratt.egs | ctratt.plm ctratt.plm
ctratt.tbkas ctratt.tbkas | ctratt.ng ctratt.ng | ctratt.sqa ctratt.sqa | ctratt.uuidl ctratt.ulist
rrls rrls | cntrltype cntrltype | fguid fguid | crdt1 crdt1 | crdt2 crdt2 | crdt3 crdt3 | mi.nvmsr nvmsr
mi.nvmsr.nvmesd nvmsr.nvmesd | mi.nvmsr.nvmee nvmsr.nvmee | mi.vwci vwci | mi.vwci.vwcr vwci.vwcr
mi.vwci.vwcrv vwci.vwcrv | mi.mec mec | mi.mec.smbusme mec.twpme | mi.mec.pcieme mec.pcieme | oacs oacs
oacs.sec oacs.ssrs | oacs.fmt oacs.fnvms | oacs.fw oacs.fwds | oacs.nsmgmt oacs.nms | oacs.stst oacs.dsts
oacs.dtv oacs.dirs | oacs.mi oacs.nsrs | oacs.vm oacs.vms | oacs.db oacs.dbcs | oacs.sec.lba oacs.glss
acl acl | aerl aerl | frmw frmw | frmw.fro frmw.ffsro | frmw.fsn frmw.nofs | frmw.anr frmw.fawr
lpa # theirs is a bool | lpa.smrt lpa.smarts | lpa.cmds lpa.cses | lpa.elp lpa.lpeds | lpa.tel lpa.ts
lpa.ple lpa.pes | elpe elpe | npss npss | avscc avscc | avscc.std avscc.vscf | apsta apsta
apsta.aut apsta.aspts | wctemp wctemp | cctemp cctemp | mtfa mtfa | hmpre hmpre | hmmin hmmin
tnvmcap tnvmcap | unvmcap unvmcap | rpmbs rpmbs | rpmbs.nu rpmbs.nrpmbu | rpmbs.au rpmbs.auth
rpmbs.ts rpmbs.tsz | rpmbs.as rpmbs.asz | edstt edstt | dsto dsto | dsto.mds dsto.sdso | fwug fwug
kas kas | hctma hctma | hctma.sup hctma.hctms | mntmt mntmt | mxtmt mxtmt
sanicap # they read two of its four bytes | sanicap.ces sanicap.ces | sanicap.bes sanicap.bes
sanicap.ows sanicap.ows | sanicap.ndi # in the other two | sanicap.nodmmas # in the other two
hmmminds hmminds | hmmaxd hmmaxd | nsetidmax nsetidmax | endgidmax endgidmax | anatt anatt | anacap anacap
anacap.osr anacap.raopts | anacap.nosr anacap.ranopts | anacap.isr anacap.rainas
anacap.plsr anacap.rapls | anacap.csr anacap.racs | anacap.panagrpid anacap.anagics
anacap.nzpanagrpid anacap.anagnz | anagrpmax anagrpmax | nanagrpid nanagrpid | pels pels | sqes sqes
sqes.mins sqes.mins | sqes.maxs sqes.maxs | cqes cqes | cqes.mins cqes.mins | cqes.maxs cqes.maxs
maxcmd maxcmd | nn nn | oncs oncs | oncs.ccs oncs.nvmcmps | oncs.wus oncs.nvmwusv
oncs.dsms oncs.nvmdsmsv | oncs.wzs oncs.nvmwzsv | oncs.nzfs oncs.ssfs | oncs.ress oncs.reservs
oncs.tstmps oncs.tss | oncs.vers oncs.nvmvfys | fuses fuses | fuses.cws fuses.fcws | fna fna
fna.fall fna.fns | fna.seall fna.sens | fna.ces fna.cryes | vwc vwc | vwc.cp vwc.vwcp | vwc.cfb vwc.fb
awun awun | awupf awupf | nvscc icsvscc | nvscc.std icsvscc.vscf | nwpc nwpc | nwpc.wpss nwpc.nwpwps
nwpc.wppcs nwpc.wpupcs | nwpc.pwpss nwpc.pwps | acwu acwu | sgls sgls | sgls.sgls sgls.sgls
sgls.kdbs sgls.kdbds | sgls.bbd sgls.sbbds | sgls.bufmptr sgls.mbaas | sgls.lsgl sgls.sglls
sgls.kmptr sgls.mptrss | sgls.offs sgls.sgloff | sgls.tdbd sgls.tsglds | mnan mnan | subnqn subnqn
nvmeof # a group | nvmeof.ioccsz ioccsz | nvmeof.iorcsz iorcsz | nvmeof.icdoff icdoff | nvmeof.fcatt fcatt
nvmeof.fcatt.dcm fcatt.dcm | nvmeof.msdbd msdbd | nvmeof.ofcs ofcs | nvmeof.ofcs.dcs ofcs.dcs
psds # a group | psds.psd # a group | psds.psd.mp psd[].mp | psds.psd.mxps psd[].flags.mxps
psds.psd.nops psd[].flags.nops | psds.psd.enlat psd[].enlat | psds.psd.exlat psd[].exlat
psds.psd.rrt psd[].rrt.rrt | psds.psd.rrl psd[].rrl.rrl | psds.psd.rwt psd[].rwt.rwt
psds.psd.rwl psd[].rwl.rwl | psds.psd.idlp psd[].idlp | psds.psd.ips psd[].ips.ips
psds.psd.actp psd[].actp | psds.psd.apw psd[].apws.apw | psds.psd.aps psd[].apws.aps | vs vs
mi # a group | fguid.vse # part of FGUID | fguid.oui # part of FGUID | fguid.ei # part of FGUID
"""
NAMESPACE = """
nsze nsze | ncap ncap | nuse nuse | nsfeat nsfeat | nlbaf nlbaf | flbas flbas | mc mc | dpc dpc | dps dps
nmic nmic | nguid nguid | eui64 eui64 | lbafs # a group | lbaf lbaf[] | vs vs
"""
SMART = """
cw cw | cw.sc cw.ascbt | cw.temp cw.ttc | cw.sme cw.ndr | cw.ro cw.amro | cw.bdf cw.vmbf
cw.mrro cw.pmrro | ct ctemp | asc avsp | ast avspt | lae pused | egcws egcws | egcws.sc egcws.egascbt
egcws.me egcws.egndr | egcws.ro egcws.egamro | dur dur | duw duw | hrc hrc | hwc hwc | cbt cbt | pc pwrc
poh poh | us upl | mie mdie | ele neile | wctt wctt | cctt cctt | ts # a group | ts.s1 tsen[0]
ts.s2 tsen[1] | ts.s3 tsen[2] | ts.s4 tsen[3] | ts.s5 tsen[4] | ts.s6 tsen[5] | ts.s7 tsen[6]
ts.s8 tsen[7] | tmt1c tmt1tc | tmt2c tmt2tc | tmt1t ttmt1 | tmt2t ttmt2
"""
RESERVED = re.compile(r"(^|\.)rsvd\d*$|^rrls\.rrls\d+$")  # the bits of RRLS are one word of ours


def pairs(table: str) -> dict[str, str]:
    rows = [row.strip() for line in table.splitlines() for row in line.split("|")]
    return {theirs: ours for theirs, _, ours in (row.partition(" ") for row in rows if row)}


@lru_cache
def version() -> tuple[int, int]:
    told = subprocess.run([str(TSHARK), "--version"], capture_output=True, text=True, timeout=60).stdout
    major, minor = re.findall(r"(\d+)\.(\d+)", told)[0]
    return int(major), int(minor)


def values(structure: Any, path: str) -> Iterator[Any]:
    """The value at a path, or one value for each element of an array."""
    name, _, rest = path.partition(".")
    array = re.fullmatch(r"(\w+)\[(\d*)\]", name)
    if not array:
        found = [getattr(structure, name)]
    elif array[2]:
        found = [getattr(structure, array[1])[int(array[2])]]
    else:
        found = list(getattr(structure, array[1]))
    for value in found:
        if rest:
            yield from values(value, rest)
        else:
            yield value


BOOLEANS = {"False": "0", "True": "1"}
"""What tshark prints for a boolean since 4.2, and what it printed before."""


def same(shown: str, value: Any, kind: str) -> bool:
    """Whether their text shows our value."""
    if kind == "FT_BOOLEAN":
        shown = BOOLEANS.get(shown, shown)
    if kind == "FT_BYTES":
        raw = bytes.fromhex(shown.replace(":", ""))
        if isinstance(value, str):
            return raw.decode("ascii", "replace").rstrip() == value
        return raw == value if isinstance(value, bytes) else int.from_bytes(raw, "little") == value
    if kind.startswith("FT_STRING"):
        return shown.rstrip() == value
    if isinstance(value, Structure):
        return int(shown, 0) == int.from_bytes(bytes(value), "little")
    return int(shown, 0) == int(value)


def differences(view: Structure, prefix: str, table: str, found: dict[str, list[str]]) -> list[str]:
    """The fields with different values, and how many fields were compared."""
    kinds = wireshark.known_fields(prefix)
    wrong = []
    for name, shown in found.items():
        theirs = name.removeprefix(prefix) if name.startswith(prefix) else ""
        ours = pairs(table).get(theirs, "#")
        if not theirs or ours.startswith("#"):
            continue
        for index, (text, value) in enumerate(zip(shown, values(view, ours))):
            if not same(text, value, kinds[name]):
                wrong.append(f"{name} [{index}] is {text} to tshark, and {ours} is {value!r}")
    return wrong


def random_bytes(seed: int, size: int, texts: tuple[tuple[int, int], ...] = ()) -> bytes:
    """Random bytes without a zero, so that no text ends early. texts: positions of printable characters."""
    source = random.Random(seed)
    data = bytearray(source.randrange(1, 255) for _ in range(size))
    for begin, end in texts:
        data[begin:end] = bytes(source.choice(b"ABCDEFGHIJ0123456789") for _ in range(begin, end))
    return bytes(data)


def smart_dwords() -> int:
    return (512 // 4 - 1) << 16


CASES: dict[str, tuple[str, str, type[Structure], int, int, int]] = {
    "controller": ("nvme.cmd.identify.ctrl.", CONTROLLER, spec.IdentifyController, 0x06, 0, 1),
    "namespace": ("nvme.cmd.identify.ns.", NAMESPACE, spec.IdentifyNamespace, 0x06, 1, 0),
    "smart": ("nvme.cmd.get_logpage.smart.", SMART, spec.SmartLog, 0x02, 0xFFFFFFFF, 2 | smart_dwords()),
}


def decoded(folder: Path, case: str, data: bytes) -> tuple[Structure, list[str], int]:
    """Our view of the data, the differences, and how many fields tshark found."""
    prefix, table, kind, opcode, nsid, cdw10 = CASES[case]
    view = kind(data)
    found = wireshark.decode(folder, opcode, nsid, cdw10, data)
    mine = [name for name in found if name.startswith(prefix)]
    return view, differences(view, prefix, table, found), len(mine)


TEXTS = ((4, 72), (768, 1024))


@pytest.mark.parametrize(("case", "fields"), [("controller", 250), ("namespace", 15), ("smart", 40)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_bytes_are_decoded_alike(tmp_path: Path, case: str, fields: int, seed: int) -> None:
    size = CASES[case][2].SIZE
    data = random_bytes(seed, size, TEXTS if case == "controller" else ())
    if case == "namespace":
        data = data[:25] + bytes([63]) + data[26:]  # tshark goes on behind the last format if NLBAF says so
    _, wrong, found = decoded(tmp_path, case, data)
    assert wrong == [] and found >= fields


ASKED: dict[str, Callable[[Any], Any]] = {
    "controller": lambda drive: drive.nvme0.identify(drive.buf),
    "namespace": lambda drive: drive.nvme0.identify(drive.buf, nsid=1, cns=0),
    "smart": lambda drive: drive.nvme0.getlogpage(2, drive.buf, 512),
}


class Drive:
    """The drive under test and a buffer."""

    def __init__(self, nvme0: Any, buf: Any) -> None:
        self.nvme0, self.buf = nvme0, buf


@pytest.mark.parametrize("case", ASKED)
def test_what_the_drive_returns_is_decoded_alike(nvme0: Any, buf: Any, tmp_path: Path, case: str) -> None:
    ASKED[case](Drive(nvme0, buf)).waitdone()
    data = bytes(buf[0 : CASES[case][2].SIZE])
    view, wrong, found = decoded(tmp_path, case, data)
    assert wrong == [] and found >= 15
    assert any(bytes(view))


@pytest.mark.parametrize("case", CASES)
def test_each_field_of_theirs_has_one_of_ours_or_a_reason(case: str) -> None:
    prefix, table, kind, *_ = CASES[case]
    known = pairs(table)
    theirs = [name.removeprefix(prefix) for name in wireshark.known_fields(prefix)]
    unknown = [name for name in theirs if name not in known and not RESERVED.search(name)]
    if version() <= NEWEST_KNOWN:
        assert unknown == []
    view = kind(bytes(kind.SIZE))
    assert all(list(values(view, ours)) for ours in known.values() if not ours.startswith("#"))
    assert len(set(known) & set(theirs)) >= 15


@pytest.mark.parametrize(
    ("case", "place"), [("controller", 77), ("controller", 2048 + 32 + 22), ("namespace", 26), ("smart", 5)]
)
def test_a_difference_is_found(tmp_path: Path, case: str, place: int) -> None:
    prefix, table, kind, opcode, nsid, cdw10 = CASES[case]
    data = bytearray(random_bytes(4, kind.SIZE, TEXTS if case == "controller" else ()))
    found = wireshark.decode(tmp_path, opcode, nsid, cdw10, bytes(data))
    data[place] ^= 0x01
    assert len(differences(kind(data), prefix, table, found)) in (1, 2, 3)
