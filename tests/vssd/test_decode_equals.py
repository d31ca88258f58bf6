# SPDX-License-Identifier: BSD-3-Clause
"""`pynvme.spec` decodes random bytes as nvme-cli does, which has structures of its own.

nvme-cli gets each structure from a made-up drive, full of random bytes, so that a field at a wrong place, of
a wrong width or with a wrong bit shows.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nvme_cli
import pytest
from nvme_cli_bytes import Answers

from pynvme import spec
from pynvme.structure import Structure, Word

pytestmark = [
    pytest.mark.skipif(nvme_cli.PROGRAM is None, reason="nvme-cli is not installed"),
    pytest.mark.skipif(nvme_cli.COMPILER is None, reason="there is no C compiler"),
]

SEEDS = (1, 2)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is preloaded into nvme-cli."""
    return nvme_cli.build(tmp_path_factory.mktemp("nvme-cli"))


@pytest.fixture
def answers(library: Path, tmp_path: Path) -> Iterator[Answers]:
    """nvme-cli, whose device answers with bytes of the test."""
    with Answers(library, tmp_path) as answers:
        yield answers


def value(theirs: Any, bits: int = 32) -> int:
    """A number of nvme-cli's JSON, which has texts for 128 bits, and negative numbers for 32."""
    number = int(theirs)
    return number if number >= 0 else number + (1 << bits)


def differences(theirs: dict[str, Any], ours: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Numbers that differ, or that we lack, by nvme-cli's names. `names` has ours where they differ."""
    found = {}
    for key, one in theirs.items():
        if isinstance(one, (list, dict)) or not re.fullmatch(r"-?\d+", str(one)):
            continue
        name = names.get(key, key)
        if name not in ours or int(ours[name]) != value(one):
            found[key] = (one, ours.get(name))
    return found


def printable(data: bytes, *fields: tuple[int, int]) -> bytes:
    """The bytes with characters at these places, given by first byte and size."""
    made = bytearray(data)
    for first, size in fields:
        made[first : first + size] = bytes(33 + byte % 90 for byte in made[first : first + size])
    return bytes(made)


POWER = {
    "max_power": "mp", "max_power_scale": "mxps", "non-operational_state": "nops", "entry_lat": "enlat",
    "exit_lat": "exlat", "read_tput": "rrt byte", "read_lat": "rrl byte", "write_tput": "rwt byte",
    "write_lat": "rwl byte",
    "idle_power": "idlp", "idle_scale": "ips", "active_power": "actp", "active_power_work": "apw",
    "active_scale": "aps",
    "emerg_power_fail_recover_time": "epfrt", "emerg_power_fail_recover_scale": "epfrts",
    "force_quiesce_vault_time": "fqvt", "force_quiesce_vault_scale": "fqvts",
    "emerg_power_fail_vault_time": "epfvt", "emerg_power_fail_vault_scale": "epfvts",
}  # fmt: skip
"""Our names of a power state's fields, by nvme-cli's. The times of NVMe 2.1 are shown by 2.16, not by 2.3."""


def with_bits(structure: Structure) -> dict[str, int]:
    """The fields of a structure, the bits of its words, and each word as ``NAME byte``."""
    words = {name: one for name, one in dict(structure).items() if isinstance(one, Word)}
    bits = {name: bit for word in words.values() for name, bit in word.to_dict().items()}
    return {**structure.to_dict(), **bits, **{f"{name} byte": int(word) for name, word in words.items()}}


@pytest.mark.parametrize("seed", SEEDS)
def test_identify_controller(answers: Answers, seed: int) -> None:
    data = printable(random.Random(seed).randbytes(4096), (4, 20), (24, 40), (64, 8), (768, 255))
    answers.identify[1] = data[:263] + b"\x1f" + data[264:1023] + b"\0" + data[1024:]  # NPSS: 32 power states
    theirs, ours = answers.json("id-ctrl"), spec.IdentifyController(answers.identify[1])
    assert differences(theirs, ours.to_dict(), {}) == {}
    assert [theirs[name] for name in ("sn", "mn", "fr")] == [ours.sn, ours.mn, ours.fr]
    assert theirs["subnqn"].strip() == ours.subnqn
    assert len(theirs) > 70 and len(theirs["psds"]) == 32
    for state, shown in zip(ours.psd, theirs["psds"]):
        assert differences(shown, with_bits(state), POWER) == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_identify_namespace(answers: Answers, seed: int) -> None:
    data = bytearray(random.Random(seed).randbytes(4096))
    data[24] |= 0x10  # OPTPERF: with it nvme-cli shows NPWG and others
    data[25] = 63
    answers.identify[0] = bytes(data)
    theirs, ours = answers.json("id-ns", "-n", "1"), spec.IdentifyNamespace(bytes(data))
    assert differences(theirs, ours.to_dict(), {}) == {}
    assert int(theirs["nguid"], 16).to_bytes(16, "big") == ours.nguid
    assert int(theirs["eui64"], 16).to_bytes(8, "big") == ours.eui64
    assert len(theirs) >= 36 and len(theirs["lbafs"]) == 64
    for lbaf, shown in zip(ours.lbaf, theirs["lbafs"]):
        assert (lbaf.ms, lbaf.lbads, lbaf.rp & 3) == (shown["ms"], shown["ds"], shown["rp"] & 3)


@pytest.mark.parametrize(
    ("command", "cns", "kind", "names"),
    [
        ("nvm-id-ctrl", 6, spec.IdentifyControllerNvm, {}),
        ("cmdset-ind-id-ns", 8, spec.IdentifyNamespaceIndependent, {}),
        ("primary-ctrl-caps", 0x14, spec.PrimaryControllerCapabilities, {}),
    ],
)
def test_other_structures_of_identify(
    answers: Answers, command: str, cns: int, kind: type, names: dict[str, str]
) -> None:
    data = answers.identify[cns] = random.Random(cns).randbytes(4096)
    theirs = answers.json(command, *(["-n", "1"] if command.endswith("-ns") else []))
    assert len(theirs) >= 6
    assert differences(theirs, kind(data).to_dict(), names) == {}


def test_identify_namespace_of_the_nvm_command_set(answers: Answers) -> None:
    rng = random.Random(5)
    answers.identify[0] = bytes([255] * 4096)
    data = answers.identify[5] = rng.randbytes(4096)
    theirs, ours = answers.json("nvm-id-ns", "-n", "1"), spec.IdentifyNamespaceNvm(data)
    assert (theirs["lbstm"], theirs["pic"]) == (ours.lbstm, int(ours.pic))
    shown = [(one["sts"], one["pif"]) for one in theirs["elbafs"]]
    # nvme-cli 2.3 goes on behind the 64 formats of the structure.
    assert shown[:64] == [(one.sts, one.pif) for one in ours.elbaf]


def test_lists_of_identify(answers: Answers) -> None:
    rng = random.Random(6)
    for cns in (2, 4, 0x13, 0x15, 0x16, 0x17, 0x19):
        data = bytearray(rng.randbytes(4096))
        data[0] = {4: 7, 0x13: 100, 0x15: 9, 0x19: 50}.get(cns, data[0])
        data[1] = 0 if cns in (0x13, 0x19) else data[1]
        data[4] = 3 if cns == 0x16 else data[4]
        answers.identify[cns] = bytes(data)
    of = answers.identify
    nsids = [value(one["nsid"]) for one in answers.json("list-ns")["nsid_list"]]
    assert nsids == list(spec.NamespaceList(of[2]).nsid)[: len(nsids)] and len(nsids) == 1024
    ids = [one["ctrl_id"] for one in answers.json("list-ctrl")["ctrl_list"]]
    assert ids == list(spec.ControllerList(of[0x13]).cntlid) and len(ids) == 100
    groups = [one["endgrp_id"] for one in answers.json("list-endgrp")["endgrp_list"]]
    assert groups == list(spec.EnduranceGroupList(of[0x19]).endgid)[: len(groups)] and len(groups) == 50
    sets = [[value(one) for one in shown.values()] for shown in answers.json("id-nvmset")["NVMSet"]]
    ours = [list(entry.to_dict().values()) for entry in spec.NvmSetList(of[4]).entry]
    assert sets == ours[: len(sets)] and len(sets) == 7
    secondary = answers.json("list-secondary")["secondary-controllers"]
    listed = [list(entry.to_dict().values()) for entry in spec.SecondaryControllerList(of[0x15]).entry]
    assert [list(one.values()) for one in secondary] == listed[: len(secondary)] and len(secondary) >= 9
    sizes = answers.json("id-ns-granularity")
    granularity = spec.NamespaceGranularityList(of[0x16])
    assert value(sizes["attributes"]) == int(granularity.attributes)
    shown = [tuple(one.values()) for one in sizes["namespace-granularity-list"]]
    assert shown == [(one.nszegran, one.ncapgran) for one in granularity.entry[: len(shown)]]
    uuids = answers.json("id-uuid")["UUID-list"]
    # nvme-cli 2.3 does not show the first UUID, since it takes it for the reserved bytes before it.
    listed_uuids = spec.UuidList(of[0x17]).entry
    assert len(uuids) >= len(listed_uuids) - 1
    for one, entry in zip(uuids[::-1], listed_uuids[::-1]):
        assert bytes.fromhex(one["uuid"].replace("-", "")) == entry.uuid
        assert one["association"] == entry.header.idassoc


@pytest.mark.parametrize("seed", SEEDS)
def test_smart(answers: Answers, seed: int) -> None:
    data = answers.logs[2] = random.Random(seed).randbytes(512)
    theirs = [value(one) for one in answers.json("smart-log").values()]
    ours = [one for field in spec.SmartLog(data).to_dict().values() for one in flat(field)]
    assert theirs == ours[: len(theirs)] and len(theirs) == 30


def flat(field: Any) -> list[int]:
    return field if isinstance(field, list) else [field]


def test_the_error_log(answers: Answers) -> None:
    data = answers.logs[1] = random.Random(7).randbytes(64 * 64)
    answers.identify[1] = bytes([0] * 262 + [63] + [0] * 3833)
    theirs = answers.json("error-log", "-e", "64")["errors"]
    names = {
        "error_count": "ecnt", "cmdid": "cid", "parm_error_location": "pel", "vs": "vsia",
        "cs": "csinfo", "trtype_spec_info": "ttsi",
    }  # fmt: skip
    assert len(theirs) == 64
    for shown, entry in zip(theirs, spec.ErrorLog(data).entries):
        status, phase = shown.pop("status_field"), shown.pop("phase_tag")
        assert (status, phase) == (int(entry.status) >> 1, entry.status.p)
        assert differences(shown, entry.to_dict(), names) == {}


def test_the_firmware_log(answers: Answers) -> None:
    data = answers.logs[3] = printable(random.Random(8).randbytes(512), (8, 56))
    (theirs,) = answers.json("fw-log").values()
    ours = spec.FirmwareLog(data)
    assert theirs.pop("Active Firmware Slot (afi)") == int(ours.afi)
    shown = [re.fullmatch(r"(\d+) .*", text)[1] for text in theirs.values()]  # type: ignore[index]
    assert [int(one) for one in shown] == [
        int.from_bytes(data[8 * n : 8 * n + 8], "little") for n in range(1, 8)
    ]
    assert [one.encode() for one in ours.frs] == [data[8 * n : 8 * n + 8] for n in range(1, 8)]


def test_effects_of_commands_features_and_mi(answers: Answers) -> None:
    rng = random.Random(9)
    for lid in (5, 0x12, 0x13):
        answers.logs[lid] = rng.randbytes(4096)
    (effects,) = answers.json("effects-log", "-c", "0")
    ours = spec.EffectsLog(answers.logs[5])
    for part, table in (("admin_cmd_set", ours.acs), ("io_cmd_set", ours.iocs)):
        shown = {int(re.findall(r"_(\d+)", name)[0]): value(one) for name, one in effects[part].items()}
        assert len(shown) > 50
        assert {opcode: int(table[opcode]) for opcode in shown} == shown
    features = answers.json("fid-support-effects-log")["fid_support"]
    listed = {int(name[4:]): value(one) for entry in features for name, one in entry.items()}
    table = spec.FeatureEffectsLog(answers.logs[0x12]).fids
    assert {fid: int(table[fid]) for fid in listed} == listed and len(listed) > 50
    commands = answers.json("mi-cmd-support-effects-log")["mi_command_support"]
    listed = {int(name[7:]): value(one) for entry in commands for name, one in entry.items()}
    mi = spec.MiEffectsLog(answers.logs[0x13]).micss
    assert {opcode: int(mi[opcode]) for opcode in listed} == listed and len(listed) > 50


def test_the_self_test_log(answers: Answers) -> None:
    data = answers.logs[6] = random.Random(10).randbytes(564)
    theirs, ours = answers.json("self-test-log"), spec.SelfTestLog(data)
    assert theirs["Current Device Self-Test Operation"] & 15 == ours.cdsto.dsts
    assert theirs["Current Device Self-Test Completion"] & 127 == ours.cdstc.dstcp
    names = {
        "Segment number": "segn", "Power on hours": "poh", "Namespace Identifier": "nsid",
        "Failing LBA": "flba", "Status Code": "sc", "Status Code Type": "sct",
        "Valid Diagnostic Information": "vdi",
    }  # fmt: skip
    for shown, entry in zip(theirs["List of Valid Reports"], ours.results):
        assert shown.pop("Self test result") == entry.dsts.dstr
        assert shown.pop("Self test code", entry.dsts.dstc) == entry.dsts.dstc  # an unused entry has none
        shown.pop("Vendor Specific", None)
        assert differences(shown, entry.to_dict(), names) == {}


def test_sanitize_and_endurance_and_other_logs(answers: Answers) -> None:
    rng = random.Random(11)
    for lid in (9, 0x0A, 0x80, 0x81):
        answers.logs[lid] = rng.randbytes(512)
    (theirs,) = answers.json("sanitize-log").values()
    ours = spec.SanitizeLog(answers.logs[0x81])
    state = theirs.pop("sstat")
    assert theirs["sprog"] == ours.sprog
    # nvme-cli 2.16 shows what NVMe 2.1 has added, too.
    last = theirs.pop("sanitize_state_information", {}).get("sanitize_state")
    assert last is None or number_of(last) == ours.ssi.sans
    plain = [number for name, number in ours.to_dict().items() if name not in ("sstat", "ssi")]
    assert [value(one) for one in theirs.values()] == plain[: len(theirs)] and len(theirs) in (8, 9)
    assert state["global_erased"] == ours.sstat.gde and state["no_cmplted_passes"] == ours.sstat.opc
    group = answers.json("endurance-log", "-g", "1")
    shown = [value(one) for one in group.values()]
    endurance = spec.EnduranceGroupLog(answers.logs[9]).to_dict()
    # nvme-cli 2.3 does not show what NVMe 2.0 has added.
    skipped = set() if "domain_identifier" in group else {"egfeat", "did", "tegcap", "uegcap"}
    listed = [number for name, number in endurance.items() if name not in skipped]
    assert shown == listed and len(shown) in (12, 16)
    latency = answers.json("predictable-lat-log", "-i", "1")
    window = spec.PredictableLatencyLog(answers.logs[0x0A]).to_dict().values()
    assert {value(one) for name, one in latency.items() if name not in ("nvmset_id", "status")} <= set(window)
    reserved = answers.json("resv-notif-log")
    notice = list(spec.ReservationLog(answers.logs[0x80]).to_dict().values())
    assert [value(one) for one in reserved.values()] == notice[: len(reserved)]


SCALES = {"tler": 100, "time": 100, "ab": None}
"""By how much nvme-cli multiplies a value. AB is a power of two."""

ZEROES_BASED = {"hpw", "mpw", "lpw", "ncq", "nsq", "thr"}

OURS = {"ncqa": "ncq", "nsqa": "nsq"}
"""Our names of bits of features, by nvme-cli's, in lower case."""


def shown_as(name: str, number: int) -> int:
    """What nvme-cli makes of a value."""
    if name == "ab":
        return 1 << number if number < 7 else 0  # 7 is no limit
    return (number + (name in ZEROES_BASED)) * (SCALES.get(name) or 1)


WORDS = {
    "Enabled": 1, "True": 1, "Yes": 1, "Disabled": 0, "False": 0, "No": 0, "No limit": 0,
    "not enabled": 0, "enabled with Emergency Power Fail": 1, "enabled with Forced Quiescence": 2,
    "Change in state not requested": 0, "Write Unlocked": 1, "Write Locked": 2,
    "Write Locked Until Power Cycle": 3, "Write Protection controlled by RPMB": 4,
}  # fmt: skip
"""What nvme-cli says instead of a number."""


def number_of(text: str) -> int:
    """The number in a text of nvme-cli."""
    kelvin = re.search(r"(\d+) K\b|(\d+) Kelvin", text)
    if kelvin:
        return int(kelvin[1] or kelvin[2])
    if text in WORDS:
        return WORDS[text]
    number = re.search(r"0x[\da-f]+|\d+", text)
    assert number, text
    return int(number[0], 0)


def test_the_bits_of_features(answers: Answers) -> None:
    rng = random.Random(1)
    compared = 0
    # Of 81h nvme-cli shows the data only, and 1Eh ends it with a segmentation fault.
    for fid, feature in spec.FEATURES.items():
        if feature.word is None or fid in (0x81, 0x1E):
            continue
        number = rng.randrange(1 << 32)
        answers.features[fid] = (number, rng.randbytes(4096))
        shown = answers.run("get-feature", "-f", str(fid), "-n", "1", "-H").stdout
        ours = feature.word(number).to_dict()
        for name, text in re.findall(r"\((\w+)\)\s*:\s*(.*)", shown):
            name = OURS.get(name.lower(), name.lower())
            if name in ours:
                assert number_of(text) == shown_as(name, ours[name]), (f"{fid:02X}h", name, text)
                compared += 1
    assert compared >= 35


def test_the_data_of_features(answers: Answers) -> None:
    data = random.Random(3).randbytes(4096)
    answers.features = {0x0C: (1, data), 0x0D: (1, data)}
    shown = dict(re.findall(r"\((\w+)\)\s*:\s*(\w+)", answers.run("get-feature", "-f", "0xd", "-H").stdout))
    buffer = spec.HmbAttributes(data)
    assert int(shown["HSIZE"]) == buffer.hsize and int(shown["HMDLEC"]) == buffer.hmdlec
    assert (int(shown["HMDLAL"], 0), int(shown["HMDLAU"], 0)) == (buffer.hmdlal, buffer.hmdlau)
    text = answers.run("get-feature", "-f", "0xc", "-H").stdout
    times = [int(one) for one in re.findall(r"\(ITPT\): *(\d+) ms", text)]
    states = [int(one) for one in re.findall(r"\(ITPS\): *(\d+)", text)]
    entries = spec.ApstEntries(data).entries
    assert times == [one.itpt for one in entries] and states == [one.itps for one in entries]
