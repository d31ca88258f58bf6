# SPDX-License-Identifier: BSD-3-Clause
"""nvme-cli decodes the Identify data, log pages, features and status values of the virtual SSD.

Our driver and our SSD share the layouts in spec/, so a wrong layout would go unnoticed between them. nvme-cli
has its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nvme_cli
import pytest
from client import Client, Nvme
from ctrl_helpers import Start, firmware_image
from nvme_cli import NvmeCli

pytestmark = [
    pytest.mark.skipif(nvme_cli.PROGRAM is None, reason="nvme-cli is not installed"),
    pytest.mark.skipif(nvme_cli.COMPILER is None, reason="there is no C compiler"),
]

LBA = 512
MDTS_PAGES = 5


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is preloaded into nvme-cli."""
    return nvme_cli.build(tmp_path_factory.mktemp("nvme-cli"))


@pytest.fixture
def cli(nvme: Nvme, library: Path, folder: str) -> Iterator[NvmeCli]:
    """nvme-cli, whose device is a fresh virtual SSD."""
    with NvmeCli(nvme, library, Path(folder)) as cli:
        yield cli


def raw(nvme: Nvme, cns: int, nsid: int = 0) -> bytes:
    """An Identify structure in bytes."""
    buffer = nvme.memory.alloc(4096)
    _, status = nvme.admin.execute(0x06, nsid=nsid, prp1=buffer, cdw10=cns)
    assert status == 0
    return nvme.memory.read(buffer, 4096)


def text(data: bytes) -> str:
    return data.decode("ascii").rstrip(" \0")


# Identify


def test_identify_controller_says_what_scripts_take_for_granted(cli: NvmeCli) -> None:
    found = cli.json("id-ctrl")
    assert found["mdts"] == MDTS_PAGES  # 2^5 pages of 4 KiB: 128 KiB
    assert found["ver"] == 0x20000
    assert found["npss"] == 4 and len(found["psds"]) == 5
    assert found["aerl"] >= 3
    assert found["vwc"] & 1
    assert (found["sqes"], found["cqes"]) == (0x66, 0x44)
    assert found["nn"] >= 1
    assert found["cntrltype"] == 1
    assert found["subnqn"].startswith("nqn.")


def test_identify_controller_agrees_with_the_registers(cli: NvmeCli, nvme: Nvme) -> None:
    assert cli.json("id-ctrl")["ver"] == nvme.client.read32(0x08)


def test_the_names_are_where_nvme_cli_looks_for_them(cli: NvmeCli, nvme: Nvme) -> None:
    found, data = cli.json("id-ctrl"), raw(nvme, cns=1)
    assert found["sn"].strip() == text(data[4:24]) != ""
    assert found["mn"].strip() == text(data[24:64]) != ""
    assert found["fr"].strip() == text(data[64:72]) != ""
    assert found["subnqn"] == text(data[768:1024])


def test_power_states_need_less_the_deeper_they_are(cli: NvmeCli) -> None:
    shown = re.findall(r"mp:([\d.]+)W (operational|non-operational)", cli.run("id-ctrl").stdout)
    watts = [float(watt) for watt, _ in shown]
    assert len(watts) == 5
    assert watts == sorted(watts, reverse=True) and 0 < watts[-1] < watts[0] < 100
    assert [state for _, state in shown] == ["operational"] * 3 + ["non-operational"] * 2


def test_the_namespace_is_as_large_as_the_drive_was_made(cli: NvmeCli) -> None:
    found = cli.json("id-ns", "-n", "1")
    assert found["nsze"] == found["ncap"]
    assert abs(found["nsze"] * LBA - (64 << 20)) < 1 << 20
    assert int(found["nvmcap"]) == found["nsze"] * LBA
    assert found["dlfeat"] & 7 == 1  # deallocated LBAs read zeros


def test_both_lba_formats_are_there_and_the_first_is_in_use(cli: NvmeCli) -> None:
    found = cli.json("id-ns", "-n", "1")
    formats = found["lbafs"]
    assert [(item["ms"], item["ds"]) for item in formats[:2]] == [(0, 9), (0, 12)]
    assert found["flbas"] & 0xF == 0
    assert found["nlbaf"] + 1 >= 2


def test_the_namespace_list_holds_the_namespace(cli: NvmeCli) -> None:
    assert cli.json("list-ns") == {"nsid_list": [{"nsid": 1}]}


def test_the_namespace_has_identifiers(cli: NvmeCli) -> None:
    """The identifiers in the descriptor list equal those in Identify Namespace."""
    shown = cli.run("ns-descs", "-n", "1").stdout
    found = cli.json("id-ns", "-n", "1")
    listed = dict(re.findall(r"^(\w+)\s*:\s*(\S+)", shown, re.MULTILINE))
    assert int(listed["nguid"], 16) == int(found["nguid"], 16) != 0
    assert listed["csi"] == "0"


def places(text: str) -> dict[str, tuple[int, int]]:
    """First byte and size by the name in nvme-cli's JSON, from a list of all three."""
    fields = (field.split() for field in text.split(","))
    return {name: (int(first), int(size)) for name, first, size in fields}


# From the specification.
ID_CTRL = places(
    """
    vid 0 2, ssvid 2 2, rab 72 1, cmic 76 1, mdts 77 1, cntlid 78 2, ver 80 4, rtd3r 84 4, rtd3e 88 4,
    oaes 92 4, ctratt 96 4, rrls 100 2, cntrltype 111 1, crdt1 128 2, crdt2 130 2, crdt3 132 2,
    oacs 256 2, acl 258 1, aerl 259 1, frmw 260 1, lpa 261 1, elpe 262 1, npss 263 1, avscc 264 1,
    apsta 265 1, wctemp 266 2, cctemp 268 2, mtfa 270 2, hmpre 272 4, hmmin 276 4, tnvmcap 280 16,
    unvmcap 296 16, rpmbs 312 4, edstt 316 2, dsto 318 1, fwug 319 1, kas 320 2, hctma 322 2,
    mntmt 324 2, mxtmt 326 2, sanicap 328 4, hmminds 332 4, hmmaxd 336 2, nsetidmax 338 2,
    endgidmax 340 2, anatt 342 1, anacap 343 1, anagrpmax 344 4, nanagrpid 348 4, pels 352 4,
    sqes 512 1, cqes 513 1, maxcmd 514 2, nn 516 4, oncs 520 2, fuses 522 2, fna 524 1, vwc 525 1,
    awun 526 2, awupf 528 2, nwpc 531 1, acwu 532 2, sgls 536 4
    """
)
ID_NS = places(
    """
    nsze 0 8, ncap 8 8, nuse 16 8, nsfeat 24 1, nlbaf 25 1, flbas 26 1, mc 27 1, dpc 28 1, dps 29 1,
    nmic 30 1, rescap 31 1, fpi 32 1, dlfeat 33 1, nawun 34 2, nawupf 36 2, nacwu 38 2, nabsn 40 2,
    nabo 42 2, nabspf 44 2, noiob 46 2, nvmcap 48 16, npwg 64 2, npwa 66 2, npdg 68 2, npda 70 2,
    nows 72 2, mssrl 74 2, mcl 76 4, msrc 80 1, anagrpid 92 4, nsattr 99 1, nvmsetid 100 2,
    endgid 102 2
    """
)


@pytest.mark.parametrize("version", ["1.0", "1.2", "1.3", "1.4", "2.0"])
@pytest.mark.parametrize("options", [(), ("--lba-size", "4096"), ("--null", "--cache", "0")], ids=" ".join)
def test_each_field_is_where_nvme_cli_looks_for_it(
    start: Start, library: Path, folder: str, version: str, options: tuple[str, ...]
) -> None:
    """Does not compare fields that nvme-cli leaves out because another field declares them undefined."""
    with Client(start("--size", "1M", "--nvme-version", version, *options).folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        with NvmeCli(nvme, library, Path(folder)) as cli:
            for fields, at_least, found, data in (
                (ID_CTRL, 60, cli.json("id-ctrl"), raw(nvme, cns=1)),
                (ID_NS, 25, cli.json("id-ns", "-n", "1"), raw(nvme, cns=0, nsid=1)),
            ):
                shown = {name: int(found[name]) for name in fields if name in found}
                assert len(shown) >= at_least, sorted(set(fields) - set(found))
                bytes_of = {name: data[first : first + size] for name, (first, size) in fields.items()}
                assert shown == {name: int.from_bytes(bytes_of[name], "little") for name in shown}
        nvme.close()


# Log pages


def test_the_latency_monitor_of_ocp(start: Start, library: Path, folder: str) -> None:
    server = start("--size", "16M", "--ocp", "--fault", "opcode=write do late=130ms")
    with Client(server.folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        with NvmeCli(nvme, library, Path(folder)) as cli:
            data = Path(folder) / "data"
            data.write_bytes(bytes(LBA))
            cli.run("write", "-n", "1", "-s", "0", "-c", "0", "-z", str(LBA), "-d", str(data))
            shown = cli.run("ocp latency-monitor-log").stdout
        nvme.close()
    rows = dict(re.findall(r"(Active (?:Bucket Counter|Measured Latency): Bucket \d)\s+(.+)", shown))
    # Before 2.8 or so, nvme-cli has the kinds of commands in another order, so only their sum is judged.
    counters = [sum(map(int, rows[f"Active Bucket Counter: Bucket {i}"].split())) for i in range(4)]
    assert sum(counters) == 1 and counters[0] == 0, "the write took longer than threshold B, 100 ms"
    measured = [int(one) for row in rows.values() for one in re.findall(r"(\d+) ms", row)]
    assert sum(measured) == max(measured) >= 130
    assert "Feature Status                     0x7" in shown
    assert "Active Threshold A                 30 ms" in shown


def smart(cli: NvmeCli) -> dict[str, int]:
    """SMART; nvme-cli prints numbers of 128 bits as strings."""
    return {name: int(value) for name, value in cli.json("smart-log").items()}


def test_smart_is_that_of_a_healthy_drive(cli: NvmeCli) -> None:
    found = smart(cli)
    assert found["critical_warning"] == 0
    assert 273 < found["temperature"] < 273 + 90
    assert found["avail_spare"] > found["spare_thresh"]
    assert found["power_cycles"] >= 1
    assert found["media_errors"] == 0


def test_smart_counts_what_the_host_does(cli: NvmeCli, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(bytes(8 * LBA))
    before = smart(cli)
    for _ in range(3):
        cli.run("write", "-n", "1", "-s", "0", "-c", "7", "-z", str(8 * LBA), "-d", str(data))
    cli.run("read", "-n", "1", "-s", "0", "-c", "7", "-z", str(8 * LBA), "-d", str(data))
    after = smart(cli)
    assert after["host_write_commands"] - before["host_write_commands"] == 3
    assert after["host_read_commands"] - before["host_read_commands"] == 1
    assert after["data_units_written"] >= 1 and after["data_units_read"] >= 1


def test_the_firmware_log_shows_the_revision_of_identify(cli: NvmeCli) -> None:
    log = cli.json("fw-log")
    slots = next(iter(log.values()))
    assert slots["Active Firmware Slot (afi)"] & 7 == 1
    assert cli.json("id-ctrl")["fr"].strip() in slots["Firmware Rev Slot 1"]


def test_firmware_is_updated_by_nvme_cli(cli: NvmeCli, nvme: Nvme, tmp_path: Path) -> None:
    """Its download chooses pieces by FWUG; the log shows what was committed, and what comes next."""
    (tmp_path / "image").write_bytes(firmware_image("2.0", 5))
    cli.run("fw-download", "-f", str(tmp_path / "image"))
    cli.run("fw-commit", "-s", "2", "-a", "1")
    slots = next(iter(cli.json("fw-log").values()))
    assert slots["Active Firmware Slot (afi)"] == 1 | 2 << 4
    assert "1.0" in slots["Firmware Rev Slot 1"] and "2.0" in slots["Firmware Rev Slot 2"]
    assert "Firmware Rev Slot 3" not in slots
    nvme.disable()
    nvme.enable()
    cli.queues[0] = nvme.admin
    assert cli.json("id-ctrl")["fr"].strip() == "2.0"
    refused = cli.run("fw-commit", "-s", "7", "-a", "1", status=1)
    assert "Invalid Firmware Slot" in refused.stdout + refused.stderr


def test_what_identify_says_of_firmware_and_self_tests(cli: NvmeCli) -> None:
    shown = " ".join(cli.run("id-ctrl", "-H").stdout.split())
    assert "[3:1] : 0x3 Number of Firmware Slots" in shown
    assert "[4:4] : 0x1 Firmware Activate Without Reset Supported" in shown
    assert "[4:4] : 0x1 Device Self-test Supported" in shown
    assert "[0:0] : 0 Security Send and Receive Not Supported" in shown
    assert "[3:3] : 0x1 Telemetry host/controller initiated log page Supported" in shown
    found = cli.json("id-ctrl")
    assert (found["fwug"], found["mtfa"], found["edstt"], found["dsto"]) == (1, 1, 1, 1)


def test_self_tests_and_their_log(cli: NvmeCli) -> None:
    cli.run("device-self-test", "-n", "1", "-s", "2")
    assert cli.json("self-test-log")["Current Device Self-Test Operation"] == 2
    refused = cli.run("device-self-test", "-n", "1", "-s", "1", status=1)
    assert "self-test" in (refused.stdout + refused.stderr).lower()
    cli.run("device-self-test", "-n", "1", "-s", "15")
    found = cli.json("self-test-log")
    assert found["Current Device Self-Test Operation"] == 0
    newest = found["List of Valid Reports"][0]
    assert newest["Self test result"] == 1 and newest["Self test code"] == 2
    assert newest["Namespace Identifier"] == 1


def test_telemetry_is_saved_as_it_was_taken(cli: NvmeCli, nvme: Nvme, tmp_path: Path) -> None:
    saved = tmp_path / "telemetry"
    cli.run("telemetry-log", f"--output-file={saved}", "--data-area=3")
    data = saved.read_bytes()
    assert len(data) == 512 * (1 + int.from_bytes(data[12:14], "little")) > 1024
    assert data[0] == 7 and data[512:520] == b"VSSDTEL2"
    again = nvme.memory.alloc(4096)
    assert nvme.admin.execute(0x02, nsid=0xFFFFFFFF, prp1=again, cdw10=1023 << 16 | 7)[1] == 0
    assert nvme.memory.read(again, 4096) == data[:4096]


def test_the_error_log_tells_of_a_failed_command(cli: NvmeCli) -> None:
    nsze = cli.json("id-ns", "-n", "1")["nsze"]
    cli.run("write-zeroes", "-n", "1", "-s", str(nsze), "-c", "0", status=1)
    newest = cli.json("error-log")["errors"][0]
    assert newest["error_count"] >= 1
    assert newest["sqid"] == 1
    assert newest["status_field"] & 0x7FF == 0x80
    assert newest["lba"] == nsze
    assert newest["nsid"] == 1


def log_status(nvme: Nvme, lid: int) -> int:
    """The status of fetching 512 bytes of a log page."""
    _, status = nvme.admin.execute(0x02, nsid=0xFFFFFFFF, prp1=nvme.memory.alloc(4096), cdw10=127 << 16 | lid)
    return status


def test_the_log_pages_that_are_listed_are_those_that_can_be_read(cli: NvmeCli, nvme: Nvme) -> None:
    shown = cli.run("supported-log-pages").stdout
    listed = {int(lid, 16) for lid in re.findall(r"^LID (0x[0-9a-f]+|0) ", shown, re.MULTILINE)}
    assert {0x01, 0x02, 0x03} <= listed
    assert {lid for lid in range(0xC0) if log_status(nvme, lid) == 0} == listed


def test_the_effects_log_names_the_commands_that_change_data(cli: NvmeCli) -> None:
    shown = cli.run("effects-log", "-c", "0", "-H").stdout
    effects = dict(re.findall(r"^((?:ACS|IOCS)\d+) .*?(CSUPP\+ +LBCC[+-])", shown, re.MULTILINE))
    changing = {name for name, effect in effects.items() if effect.endswith("LBCC+")}
    assert {"ACS6", "ACS2", "IOCS0", "IOCS1", "IOCS2"} <= effects.keys()
    # Format NVM, Write, Write Zeroes, Dataset Management; but not Identify, Read, Compare
    assert {"ACS128", "IOCS1", "IOCS8", "IOCS9"} <= changing
    assert not {"ACS6", "IOCS2", "IOCS5"} & changing


def test_the_sanitize_log_tells_of_the_operation(cli: NvmeCli, nvme: Nvme) -> None:
    assert cli.json("id-ctrl")["sanicap"] == 0x40000007
    state = next(iter(cli.json("sanitize-log").values()))["sstat"]
    assert state["status"].startswith("(0)") and state["global_erased"] == 1
    cli.run("sanitize", "-a", "3", "-n", "2", "-i", "-p", "0x55aa55aa")
    found = next(iter(cli.json("sanitize-log").values()))
    assert found["sstat"]["status"].startswith("(2)")
    assert found["cdw10_info"] == 3 | 2 << 4 | 1 << 8
    times = [f"time_{action}" for action in ("over_write", "block_erase", "crypto_erase")]
    assert [found[f"{name}{end}"] for name in times for end in ("", "_no_dealloc")] == [2] * 6


# Features


def test_the_features_that_are_listed_are_those_that_can_be_read(cli: NvmeCli, nvme: Nvme) -> None:
    shown = cli.run("fid-support-effects-log").stdout
    listed = {int(fid, 16) for fid in re.findall(r"^FID (\w\w) ", shown, re.MULTILINE)}

    def readable(fid: int) -> bool:
        nsid = 1 if fid == 0x05 else 0  # Error Recovery is a namespace's
        return nvme.admin.execute(0x0A, nsid=nsid, prp1=nvme.memory.alloc(4096), cdw10=fid)[1] == 0

    assert {0x01, 0x02, 0x04, 0x05, 0x07, 0x0B} <= listed
    assert {fid for fid in range(0xC0) if readable(fid)} == listed


@pytest.mark.parametrize(
    ("fid", "field", "value"),
    [
        (0x02, "PS", "0"),
        (0x06, "WCE", "Enabled"),
        (0x07, "NCQA", "16"),
        (0x0C, "APSTE", "Disabled"),
        (0x0D, "EHM", "Disabled"),
        (0x10, "TMT1", "0"),
        (0x11, "NOPPME", "False"),
        (0x17, "NODRM", "0"),
        (0x07, "NSQA", "16"),
    ],
)
def test_features_have_the_values_that_scripts_expect(cli: NvmeCli, fid: int, field: str, value: str) -> None:
    """A field is found by its name in the specification: the words around it differ between releases."""
    shown = cli.run("get-feature", "-f", str(fid), "-n", "0", "-H").stdout
    assert re.findall(rf"\({field}\)\s*:\s*(\w+)", shown) == [value]


def test_what_the_host_can_cope_with(cli: NvmeCli, tmp_path: Path) -> None:
    """Feature 16h, 512 bytes of data each way."""
    assert cli.run("get-feature", "-f", "0x16", "-b").stdout == "\0" * 512
    (tmp_path / "behavior").write_bytes(b"\1" + bytes(511))
    cli.run("set-feature", "-f", "0x16", "-n", "0xffffffff", "-l", "512", "-d", str(tmp_path / "behavior"))
    assert cli.run("get-feature", "-f", "0x16", "-b").stdout == "\1" + "\0" * 511


# Commands and statuses


def test_what_nvme_cli_writes_it_reads(cli: NvmeCli, tmp_path: Path) -> None:
    written, read = tmp_path / "written", tmp_path / "read"
    written.write_bytes(bytes(range(256)) * 16)
    span = ("-n", "1", "-s", "100", "-c", "7", "-z", "4096")
    cli.run("write", *span, "-d", str(written))
    cli.run("compare", *span, "-d", str(written))
    cli.run("read", *span, "-d", str(read))
    assert read.read_bytes() == written.read_bytes()

    cli.run("dsm", "-n", "1", "-s", "100", "-b", "1", "-d")
    cli.run("write-zeroes", "-n", "1", "-s", "107", "-c", "0")
    cli.run("flush", "-n", "1")
    cli.run("read", *span, "-d", str(read))
    assert read.read_bytes() == bytes(LBA) + written.read_bytes()[LBA:-LBA] + bytes(LBA)


def test_format_changes_the_lba_size(cli: NvmeCli) -> None:
    cli.run("format", "-n", "1", "-l", "1", "-f")
    found = cli.json("id-ns", "-n", "1")
    assert found["flbas"] & 0xF == 1
    assert int(found["nvmcap"]) == found["nsze"] * 4096


def test_refusals_are_those_that_nvme_cli_knows_by_name(cli: NvmeCli, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"x" * LBA)
    nsze = cli.json("id-ns", "-n", "1")["nsze"]

    def refusal(command: str, *options: str) -> str:
        done = cli.run(command, *options, status=1)
        return done.stdout + done.stderr

    assert "LBA Out of Range" in refusal("write-zeroes", "-n", "1", "-s", str(nsze), "-c", "0")
    first = ("-n", "1", "-s", "0", "-c", "0", "-z", str(LBA))
    assert "Compare Failure" in refusal("compare", *first, "-d", str(other))
    assert "Invalid Namespace or Format" in refusal("flush", "-n", "77")
    assert "Invalid Field in Command" in refusal("get-feature", "-f", "0x7e", "-n", "0")
    assert "Invalid Log Page" in refusal("get-log", "-i", "0x7f", "-l", "512")
    assert "Invalid Command Opcode" in refusal("admin-passthru", "--opcode=0x7f")
