# SPDX-License-Identifier: BSD-3-Clause
"""The commands of the command line, in this process, on one virtual SSD: help, text, JSON, errors."""

import json
import os
import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import click
import jsonschema
import nvme as d
import pytest
from click.testing import CliRunner
from referencing import Registry, Resource

import pynvme
from pynvme import bench, control, decode, spec, status
from pynvme.cli import main, options
from pynvme.cli.drive import opened
from pynvme.cli.registry import COMMANDS
from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded

ROWS, COLUMNS = 24, 80
SCHEMAS = Path(pynvme.__file__).parent / "schemas"
DRIVE = "vssd:name=command-line,size=64M"


@pytest.fixture(scope="module")
def registry():
    """The schemas of the repository, by their names."""
    read = {file.name: json.loads(file.read_text()) for file in SCHEMAS.glob("*.json")}
    return Registry().with_resources((name, Resource.from_contents(one)) for name, one in read.items())


@pytest.fixture
def run():
    """Give ``run(*words, code=0)``: the output of a command."""

    def run(*words, code=0, **more):
        done = CliRunner().invoke(main, [*words], prog_name="pynvme", terminal_width=COLUMNS, **more)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.output

    return run


@pytest.fixture
def data(run, registry):
    """Give ``data(schema, *words)``: the JSON of a command, which the schema allows."""

    def data(schema, *words, code=0):
        found = json.loads(run(*words, "--json", code=code))
        assert found["version"] == 1
        wanted = registry[f"{schema}.json"].contents
        jsonschema.Draft202012Validator(wanted, registry=registry).validate(found)
        return found

    return data


@pytest.fixture
def drive():
    """The address of a virtual SSD of this process, which these tests share."""
    return DRIVE


@pytest.fixture(scope="module")
def other():
    """A virtual SSD of another process, as `pynvme vssd run` starts one."""
    with VirtualSsd(size="64M") as ssd:
        yield ssd


def all_commands(command, path=()):
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from all_commands(command.get_command(context, name), (*path, name))


# ---- help ----


def test_the_help_of_each_command_fits_a_screen_and_has_an_example(run):
    paths = list(all_commands(main))
    assert len(paths) > 30
    for path in paths:
        lines = run(*path, "--help").splitlines()
        assert len(lines) < ROWS, f"{path}: the prompt has the last row"
        assert max(map(len, lines)) <= COLUMNS, path
        assert any("Example:" in line for line in lines), path


def test_the_help_imports_no_command():
    """Nothing but click and the list of commands, so that it comes at once."""
    code = "import sys; from pynvme.cli import main; main(['--help'], standalone_mode=False); "
    code += "print(*[m for m in sys.modules if m.startswith(('pynvme', 'nvme', 'numpy', 'rich', 'pytest'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.splitlines()[-1].split())
    assert imported == {"pynvme", "pynvme.cli", "pynvme.cli.errors", "pynvme.cli.registry"}


def test_the_help_comes_within_150_ms():
    """By the CPU time that it takes, since other processes may have the CPUs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(3):
        subprocess.run([sys.executable, "-m", "pynvme", "--help"], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3 * 0.15 or loaded()


def test_each_command_of_the_registry_is_there():
    context = click.Context(main)
    for name, entry in COMMANDS.items():
        assert main.get_command(context, name).name == name
        assert len(entry.text) <= 28


# ---- which drive ----


@pytest.mark.parametrize(
    ("pciaddr", "words", "found"),
    [
        (None, [], ("vssd", [])),
        (None, ["x"], ("vssd", ["x"])),
        ("01:00.0", ["x"], ("01:00.0", ["x"])),
        (None, ["01:00.0", "x"], ("01:00.0", ["x"])),
        (None, ["vssd:size=1G"], ("vssd:size=1G", [])),
        (None, ["./ssd", "2"], ("./ssd", ["2"])),
        (None, ["2"], ("vssd", ["2"])),
    ],
)
def test_the_first_word_may_be_the_drive(pciaddr, words, found):
    assert options.drive_of(pciaddr, words, most=1) == found


def test_two_drives_or_a_word_too_many_are_an_error(run):
    assert "two drives" in run("smart", "vssd", "--pciaddr", "01:00.0", code=2)
    assert "frist is one word too many" in run("smart", "frist", code=2)


def test_numbers_may_be_hexadecimal():
    known = {"12": 12, "0x1F": 31, "1fh": 31, "C0h": 192, "010": 10}
    assert {text: options.number_of(text) for text in known} == known


# ---- what a drive tells ----


def test_identify_controller(run, data, drive):
    text = run("id-ctrl", drive)
    assert re.search(r"^  mn +pynvme virtual SSD +model number$", text, re.MULTILINE)
    found = data("identify", "id-ctrl", "--pciaddr", drive)["data"]
    assert found["mn"] == "pynvme virtual SSD" and found["oacs_bits"]["fnvms"] == 1
    raw = CliRunner().invoke(main, ["id-ctrl", drive, "--raw-binary"]).stdout_bytes
    assert spec.IdentifyController(raw).to_dict()["sn"] == found["sn"]
    assert data("identify", "id-ctrl", drive, "--csi", "nvm")["structure"] == "IdentifyControllerNvm"


def test_identify_namespace_and_any_cns(run, data, drive):
    found = data("identify", "id-ns", drive)["data"]
    assert found["nsze"] << found["lbaf"][0]["lbads"] == 64 << 20
    assert data("identify", "id-ns", drive, "--csi", "nvm")["structure"] == "IdentifyNamespaceNvm"
    assert data("identify", "id-ns", drive, "--independent")["structure"] == "IdentifyNamespaceIndependent"
    assert data("identify", "identify", drive, "active-ns-list")["data"]["nsid"][:2] == [1, 0]
    described = data("identify", "identify", drive, "3", "-n", "1")["data"]["descriptors"]
    assert {one["nidt"] for one in described} >= {2, 4}
    assert "00/0b" in run("id-ns", drive, "-n", "77", code=1)
    assert "choose one" in run("id-ns", drive, "--csi", "nvm", "--independent", code=2)


def test_smart_and_log_pages(run, data, drive):
    found = data("log", "smart", drive)["data"]
    assert found["ctemp"] == 303 and found["avsp"] == 100
    assert "303 K (30 °C)" in run("smart", drive)
    for name, structure in (("2", "SmartLog"), ("firmware", "FirmwareLog"), ("5h", "EffectsLog")):
        assert data("log", "log", drive, name)["structure"] == structure
    assert data("log", "log", drive, "smart", "--as", "error_log_entry", "--size", "64")["size_bytes"] == 64
    assert "smrt is no log page: did you mean smart" in run("log", drive, "smrt", code=2)
    assert "01/09" in run("log", drive, "7Dh", code=1)


def test_each_log_page_that_the_drive_has_passes_the_schema(data, drive):
    supported = data("log", "log", drive, "supported")["data"]["lids"]
    lids = [number for number, entry in enumerate(supported) if entry & 1]
    assert {1, 2, 3, 5} <= set(lids)
    for lid in lids:
        found = data("log", "log", drive, str(lid))
        assert found["lid"] == lid and found["structure"] is not None, f"log page {lid:02X}h has no structure"


def test_each_structure_of_identify_that_the_drive_has_passes_the_schema(data, drive):
    """Of all CNS, those that the drive answers are decoded."""
    decoded = {}
    with opened(drive) as nvme0:
        for cns in range(0x21):
            try:
                decoded[cns] = decode.identify(
                    nvme0, cns, 1 if cns in (0, 3, 5, 8, 9, 0x11, 0x1B, 0x1F) else 0
                )
            except OSError:
                continue
    assert {0, 1, 2, 3, 5, 6, 8} <= set(decoded)
    assert [f"{cns:02X}h" for cns, found in decoded.items() if isinstance(found, bytes)] == []
    for cns, found in decoded.items():
        if any(bytes(found)) and cns in (0, 1, 3):
            assert (
                data("identify", "identify", drive, str(cns), "-n", "1")["structure"] == type(found).__name__
            )


def test_features_are_read_and_set(run, data, drive):
    every = data("features", "features", drive)["features"]
    assert {"arbitration", "power", "temperature", "queues"} <= {one["name"] for one in every}
    assert data("features", "features", drive, "power", "--set", "2")["features"][0]["word_bits"]["ps"] == 2
    can = data("features", "features", drive, "power", "--sel", "supported")["features"][0]["word_bits"]
    assert can == {"saveable": 0, "ns_specific": 0, "changeable": 1}
    assert "needs --set or --data" in run("features", drive, "power", "--save", code=2)
    assert "did you mean power" in run("features", drive, "pwoer", code=2)


def test_registers_are_shown_as_they_are(run, data, drive):
    found = {one["name"]: one for one in data("regs", "regs", drive)["registers"]}
    assert found["vs"]["offset"] == 8 and found["vs"]["value"] == 0x20000
    (cap,) = data("regs", "regs", drive, "CAP")["registers"]
    assert cap["value_bits"]["mqes"] == cap["value"] & 0xFFFF
    assert run("regs", drive, "vs") == "vs       0x0008  0x20000 (mjr=2)\n"
    assert "there is no register warp" in run("regs", drive, "warp", code=2)


def test_pci_capabilities(run, data, drive):
    found = data("pci", "pci", drive)
    assert found["header"]["data"]["bcc"] == 1
    assert [one["name"] for one in found["capabilities"]][:2] == ["pm", "msi"]
    only = data("pci", "pci", drive, "exp")
    assert "header" not in only and only["capabilities"][0]["data"]["pxls_bits"]["nlw"] == 4
    assert run("pci", drive, "--dump").startswith("0000:01:00.0 ")
    assert "no capability warp: it has header, pm" in run("pci", drive, "warp", code=2)


# ---- commands ----


def test_a_command_is_sent_and_its_data_are_decoded(run, data, drive, tmp_path):
    shown = run("send", drive, "identify", "--cdw10", "1", "--as", "id_ctrl")
    assert shown.startswith("Success (00/00); dword 0 0x0") and "pynvme virtual SSD" in shown
    found = data("send", "send", drive, "06h", "--cdw10", "1", "-l", "4096")
    assert found["status_name"] == "Success" and len(found["data"]) == 2 * 4096 and found["latency_us"] > 0
    assert data("send", "send", drive, "6", "--cdw10", "1", "--as", "id_ctrl")["data"]["cntlid"] == 1
    (tmp_path / "out").write_bytes(bytes(range(256)) * 2)
    write = ("--io", "-n", "1", "--cdw10", "7", "-i", str(tmp_path / "out"))
    assert data("send", "send", drive, "write", *write)["status"] == 0
    run("send", drive, "2", "--io", "-n", "1", "--cdw10", "7", "-l", "512", "-o", str(tmp_path / "in"))
    assert (tmp_path / "in").read_bytes() == (tmp_path / "out").read_bytes()


def test_a_command_that_fails_is_explained_with_the_place_of_the_error(run, data, drive):
    shown = run("send", drive, "identify", "--cdw10", "0x7f", code=1)
    assert re.match(
        r"Invalid Field in Command \(00/02\), DNR(, More)?, in CNS: CDW10 bit 0 \(byte 40, bit 0\); ", shown
    )
    found = data("send", "send", drive, "read", "--io", "-n", "1", "--cdw11", "0xff", code=1)
    assert (found["sct"], found["sc"], found["status_name"]) == (0, 0x80, "LBA Out of Range")
    assert found["error_location"].startswith("SLBA: CDW10 bit 0")
    assert "did you mean" in run("send", drive, "idnetify", code=2)


@pytest.mark.parametrize(
    ("words", "sct", "sc", "dnr"),
    [
        (["0x4281"], 2, 0x81, True),
        (["0x8503", "--phase"], 2, 0x81, True),
        (["0x8503"], 2, 0x81, True),
        (["0x85030007"], 2, 0x81, True),
        (["02/81"], 2, 0x81, False),
        (["281h"], 2, 0x81, False),
        (["641"], 2, 0x81, False),
        (["unrecovered read"], 2, 0x81, False),
    ],
)
def test_a_status_is_explained(run, data, words, sct, sc, dnr):
    (found,) = data("status", "status", *words)["statuses"]
    assert (found["sct"], found["sc"], found["dnr"]) == (sct, sc, dnr)
    assert found["name"] == "Unrecovered Read Error" and found["type"] == "media"
    assert run("status", *words).startswith("Unrecovered Read Error (02/81)")


def test_a_status_is_found_by_words_of_its_name(run, data):
    found = data("status", "status", "sanitize")["statuses"]
    assert {(one["sct"], one["sc"]) for one in found} == {(0, 0x1C), (0, 0x1D), (1, 0x23)}
    assert "in no name of a status" in run("status", "warp", code=2)


def test_status_fields_are_taken_apart_and_put_together():
    for field in (0, 0x4281, 0x7FFF, 0x1802, 0x2105):
        assert status.Status.of(field).field == field
    assert str(status.Status.of(0x6802)) == "Invalid Field in Command (00/02), DNR, More, CRD 1"
    assert status.describe(0x7C0) == "Vendor Specific (07/c0)" and status.name(0x0C5) == "Vendor Specific"
    assert status.name(0x07F) == "Reserved"


@pytest.mark.parametrize(("field", "wait"), [(0x1084, 700), (0x0884, 300), (0x0084, 0), (0x5084, 0)])
def test_the_time_to_wait_before_a_retry_is_that_of_identify(field, wait):
    """CRD names CRDT1 to CRDT3, in units of 100 ms, unless the status says not to retry."""
    id_ctrl = spec.IdentifyController()
    id_ctrl.crdt1, id_ctrl.crdt2, id_ctrl.crdt3 = 3, 7, 9
    assert status.Status.of(field).retry_delay(id_ctrl) == wait


@pytest.mark.parametrize(
    ("location", "text"),
    [
        (0xFFFF, ""),
        (0x0000, "CDW0 bit 0 (byte 0, bit 0)"),
        (0x0104, "NSID bit 1 (byte 4, bit 1)"),
        (0x0129, "CDW10 bit 9 (byte 41, bit 1)"),
        (0x0018, "DPTR bit 0 (byte 24, bit 0)"),
        (0x0020, "DPTR bit 64 (byte 32, bit 0)"),
        (0x073F, "CDW15 bit 31 (byte 63, bit 7)"),
        (0x0040, ""),
    ],
)
def test_the_location_of_an_error_is_a_place_in_the_command(location, text):
    assert status.place(location) == text


def test_the_field_of_an_error_is_named_where_the_opcode_is_known():
    assert status.place(0x0028, 0x06) == "CNS: CDW10 bit 0 (byte 40, bit 0)"
    assert status.place(0x002C, 0x02, io=True) == "SLBA: CDW11 bit 0 (byte 44, bit 0)"
    assert status.place(0x003C, 0x06) == "CDW15 bit 0 (byte 60, bit 0)"
    assert status.place(0x0028, 0xFE) == "CDW10 bit 0 (byte 40, bit 0)"


def test_namespaces_are_created_attached_detached_and_deleted(run, data):
    drive = "vssd:name=command-line-ns,size=16M,namespaces=2,namespace_management=1"
    assert run("list-ns", drive).split() == ["1", "2"]
    assert "deleted namespace 2" in run("delete-ns", drive, "-n", "2")
    names_of_2_16 = "--anagrp-id", "0", "--nvmset-id", "0", "--endg-id", "0"
    assert run("create-ns", drive, "-s", "0x100", "--flbas", "1", *names_of_2_16) == "created namespace 2\n"
    assert run("list-ns", drive).split() == ["1"] and run("list-ns", drive, "--all").split() == ["1", "2"]
    assert "attached namespace 2" in run("attach-ns", drive, "-n", "2", "-c", "1")
    assert data("identify", "list-ns", drive)["data"]["nsid"][:2] == [1, 2]
    assert "01/18" in run("attach-ns", drive, "-n", "2", code=1)
    assert "detached namespace 2" in run("detach-ns", drive, "-n", "2")
    found = data("send", "create-ns", drive, "-s", "8", "-c", "4", code=1)
    assert (found["sct"], found["sc"]) == (1, 0x1B)
    assert "takes numbers like" in run("attach-ns", drive, "-n", "2", "-c", "x", code=2)


def test_a_zoned_namespace_is_created_with_its_resources(run):
    drive = "vssd:name=command-line-zoned-ns,size=64M,zoned=1,zone_size=1M,zrwas=4,"
    drive += "namespace_management,unallocated=8M"
    zones = "--csi", "2", "--rar", "3", "--ror", "2", "--rnumzrwa", "1"
    assert run("create-ns", drive, "-s", "0x1000", *zones) == "created namespace 2\n"
    nvme0 = d.Controller(drive)
    buf = d.Buffer(4096)
    nvme0.identify(buf, nsid=2, cns=0x1B, csi=2).waitdone()
    assert (buf.data(7, 4), buf.data(11, 8), buf.data(47, 44)) == (2, 1, 0), "MAR, MOR and NUMZRWA, 0's based"
    nvme0.pcie.close()


def test_a_namespace_is_created_with_placement_handles(run, data):
    drive = "vssd:name=command-line-handles,size=16M,fdp,namespace_management,unallocated=16M"
    run("delete-ns", drive, "-n", "1")
    handles = "--nphndls", "2", "--phndls", "6,0x1", "--lbstm", "0xff"
    assert run("create-ns", drive, "-s", "0x1000", *handles) == "created namespace 1\n"
    run("attach-ns", drive, "-n", "1", "-c", "1")
    handles = data("send", "fdp", "status", drive)["data"]["ruhs"]
    assert [(one["pid"], one["ruhid"]) for one in handles] == [(0, 6), (1, 1)]
    assert "2 handles" in run("create-ns", drive, "-s", "8", "-n", "2", "-p", "1", code=2)
    assert "numbers" in run("create-ns", drive, "-s", "8", "-p", "x", code=2)


GROUPS = "vssd:name=command-line-groups,size=16M,namespaces=2,namespace_management,"


def test_endurance_groups_and_nvm_sets_are_shown(run, data):
    drive = GROUPS + "endurance_groups=2,nvm_sets=2,capacity_management=fixed"
    assert data("identify", "list-endgrp", drive)["data"]["endgid"][:2] == [1, 2]
    assert data("identify", "list-endgrp", drive, "-i", "2")["data"]["endgid"][0] == 2
    found = data("identify", "id-nvmset", drive)["data"]["entry"]
    assert [(one["nvmsetid"], one["endgid"]) for one in found[:2]] == [(1, 1), (2, 2)]
    assert data("identify", "id-nvmset", drive, "--nvmset-id", "2")["data"]["entry"][0]["nvmsetid"] == 2
    assert data("log", "endurance-log", drive)["data"]["avsp"] == 100
    assert "tegcap" in run("endurance-log", drive, "-g", "2")
    assert len(CliRunner().invoke(main, ["endurance-log", drive, "--raw-binary"]).stdout_bytes) == 512
    assert "00/02" in run("endurance-log", drive, "-g", "3", code=1)
    assert "65536" in run("endurance-log", drive, "-g", "65536", code=2)
    assert data("log", "supported-cap-config-log", drive)["data"]["sccn"] >= 1
    shown = run("supported-cap-config-log", drive).splitlines()
    assert shown[0].startswith("configuration ") and "NVM sets: 1" in shown[1]
    plain = "vssd:name=command-line-groups-not,size=16M"
    assert "00/02" in run("list-endgrp", plain, code=1) and "00/02" in run("id-nvmset", plain, code=1)
    assert "01/09" in run("supported-cap-config-log", plain, code=1)


def test_the_capacity_is_divided_by_the_host(run, data):
    drive = GROUPS + "nvm_sets=2,capacity_management=variable,unallocated=64M"
    before = data("identify", "list-endgrp", drive)["data"]["num"]
    assert run("capacity-mgmt", drive, "-O", "1", "-c", str(32 << 20)) == (
        f"created endurance group {before + 1}\n"
    )
    group = str(before + 1)
    found = data("send", "capacity-mgmt", drive, "-O", "3", "-i", group, "-l", "0x800000", "-u", "0")
    assert found["sc"] == 0 and found["cdw0"] > 0
    assert run("capacity-mgmt", drive, "-O", "4", "-i", str(found["cdw0"])) == "done\n"
    assert run("capacity-mgmt", drive, "-O", "2", "-i", group) == "done\n"
    assert data("identify", "list-endgrp", drive)["data"]["num"] == before
    assert data("send", "capacity-mgmt", drive, "-O", "2", "-i", "99", code=1)["sct"] == 0
    assert "not both" in run("capacity-mgmt", drive, "-O", "1", "-c", "1", "-l", "1", code=2)
    assert "Missing option" in run("capacity-mgmt", drive, code=2)
    assert "16" in run("capacity-mgmt", drive, "-O", "16", code=2)
    assert "00/01" in run("capacity-mgmt", "vssd:name=command-line-groups-not,size=16M", "-O", "1", code=1)


def test_a_namespace_is_reserved_and_released(run, data):
    drive = "vssd:name=command-line-reserved,size=16M,reservations"
    host = ("--host-id", b"a host of 16 B..".hex())
    assert run("resv-register", drive, *host, "--nrkey", "0x1234") == "done\n"
    assert run("resv-acquire", drive, *host, "-c", "0x1234", "-t", "2") == "done\n"
    found = data("send", "resv-report", drive, *host, "--eds")["data"]
    assert (found["rtype"], found["regctl"]) == (2, 1) and found["controllers"][0]["rkey"] == 0x1234
    assert "rtype" in run("resv-report", drive, *host, "-e")
    assert "00/83" in run("resv-release", drive, *host, "-c", "1", "-t", "2", code=1)
    assert run("resv-release", drive, *host, "-c", "0x1234", "-t", "2") == "done\n"
    assert run("resv-register", drive, *host, "-c", "0x1234", "-r", "1") == "done\n"
    assert "hexadecimal digits" in run("resv-report", drive, "-H", "12", code=2)


def test_virtual_functions_get_resources(run, data):
    drive = "vssd:name=command-line-virtual,size=16M,virtual_functions=2"
    assert data("identify", "primary-ctrl-caps", drive)["data"]["vqfrt"] == 8
    assert run("virt-mgmt", drive, "-c", "2", "-a", "8", "-r", "0", "-n", "4") == "done, 4 resources\n"
    # To open the drive is a Controller Level Reset, which takes them away again (Base 8.2.6).
    found = data("identify", "list-secondary", drive)["data"]["entry"]
    assert [(one["scid"], one["nvq"], one["nvi"]) for one in found[:2]] == [(2, 0, 0), (3, 0, 0)]
    assert "01/20" in run("virt-mgmt", drive, "-c", "2", "-a", "9", code=1)
    assert "secondary controller" in run("list-secondary", drive, "-c", "3")


def test_the_states_of_ana_groups_are_shown(run, data):
    drive = "vssd:name=command-line-ana,size=16M,namespaces=2,ana=2"
    found = data("log", "ana-log", drive)["data"]
    assert [(group["agid"], group["nsid"]) for group in found["groups"]] == [(1, [1]), (2, [2])]
    assert "OPTIMIZED" in run("ana-log", drive, "--groups")
    assert "01/09" in run("ana-log", "vssd:name=command-line-ana-not,size=16M", code=1)


def test_flexible_data_placement_is_shown_and_changed(run, data):
    drive = "vssd:name=command-line-fdp,size=16M,fdp=1"
    assert data("log", "fdp", "configs", drive)["data"]["configurations"][0]["nruh"] == 8
    assert [one["ruha"] for one in data("log", "fdp", "usage", drive, "-e", "1")["data"]["ruh"]] == [1] * 8
    assert data("log", "fdp", "stats", drive)["data"]["hbmw"] == 0
    handles = data("send", "fdp", "status", drive)["data"]["ruhs"]
    assert [one["pid"] for one in handles] == list(range(8)) and "ruamw" in run("fdp", "status", drive)
    assert run("fdp", "set-events", drive, "-p", "2", "-t", "0,3", "-e") == "enabled 0,3\n"
    assert run("fdp", "update", drive, "-p", "0, 2") == "updated 0, 2\n"
    assert data("log", "fdp", "events", drive, "-E")["data"]["nfdpe"] == 0
    assert "00/02" in run("fdp", "update", drive, "-p", "99", code=1)
    assert data("send", "fdp", "set-events", drive, "-t", "0x42", code=1)["sc"] == 2
    assert "takes numbers like" in run("fdp", "update", drive, "-p", "x", code=2)


def test_zones_are_shown_and_changed(run, data, tmp_path):
    drive = "vssd:name=command-line-zones,size=64M,zoned=1,zone_size=256K,read_only_zones=1,zasl=3,zrwas=1"
    assert data("identify", "zns", "id-ctrl", drive)["data"]["zasl"] == 3
    assert data("identify", "zns", "id-ns", drive)["data"]["lbafe"][0]["zsze"] == 512
    assert data("log", "zns", "changed-zone-list", drive, "--rae")["data"]["nrzid"] == 0
    found = data("zns-report", "zns", "report-zones", drive)
    assert found["nr_zones"] == len(found["zones"]) == 256
    assert [zone["zslba"] for zone in found["zones"]] == list(range(0, 256 * 512, 512))
    file = tmp_path / "data"
    file.write_bytes(b"appended" * 128)
    assert run("zns", "zone-append", drive, "-s", "0x400", "-d", str(file)) == "2 LBAs are at LBA 0x400\n"
    assert data("send", "zns", "zone-append", drive, "-s", "0x400", "-d", str(file))["lba"] == 0x402
    assert "no LBAs of 512" in run("zns", "zone-append", drive, "-d", "-", input="x", code=2)
    assert run("zns", "open-zone", drive, "-s", "0", "--zrwa") == "the zone is open\n"
    assert run("zns", "zrwa-flush-zone", drive, "-l", "31") == "the LBAs are committed\n"
    assert run("zns", "close-zone", drive, "-s", "0x400") == "the zone is closed\n"
    file.write_bytes(b"extension")
    assert "is set" in run("zns", "set-zone-desc", drive, "-s", "0x200", "-d", str(file))
    found = data("zns-report", "zns", "report-zones", drive, "-d", "3", "-e", "-p")
    assert (found["nr_zones"], [zone["zs_bits"]["zs"] for zone in found["zones"]]) == (3, [3, 4, 4])
    assert [zone["wp"] for zone in found["zones"]] == [32, 0x200, 0x404]
    assert found["extensions"] == [None, (b"extension" + bytes(55)).hex(), None]
    shown = run("zns", "report-zones", drive, "-S", "4", "-s", "0x1ff", "-e").splitlines()
    assert shown[0] == "2 zones" and "slba 0x200  wp 0x200  capacity 0x200  closed" in shown[1]
    assert data("send", "zns", "zone-mgmt-recv", drive, "-l", "192", "-p")["data"]["nz"] == 2
    assert run("zns", "finish-zone", drive, "-s", "0x400") == "the zone is full\n"
    assert run("zns", "offline-zone", drive, "-a") == "the zones are offline\n"
    assert run("zns", "reset-zone", drive, "--select-all") == "the zones are empty\n"
    assert run("zns", "zone-mgmt-send", drive, "-s", "0x600", "--zsa", "3") == "done\n"
    assert data("send", "zns", "finish-zone", drive, "-s", "1", code=1)["sc"] == 2
    assert "01/bf" in run("zns", "open-zone", drive, "-s", "0x1fe00", code=1)
    assert "00/01" in run("zns", "report-zones", "vssd:name=command-line-flat,size=16M", code=1)


def test_directives_are_shown_and_changed(run, data):
    drive = "vssd:name=command-line-streams,size=16M,streams"
    assert data("send", "dir-receive", drive, "-D", "0", "-O", "1")["structure"] == "Directives"
    assert data("send", "dir-receive", drive, "-D", "1", "-O", "1", code=1)["sc"] == 2  # not enabled
    assert run("dir-send", drive, "-D", "0", "-O", "1", "-T", "1", "-e", "1") == "done\n"
    streams = ("-D", "1", "--enable-first", "-O")
    assert data("send", "dir-receive", drive, *streams, "1")["data"]["msl"] > 0
    assert run("dir-receive", drive, *streams, "3", "-r", "2") == "dword 0 is 0x2\n"
    assert data("send", "dir-receive", drive, *streams, "2")["data"]["osc"] == 0
    assert run("dir-send", drive, *streams, "2") == "done\n"
    assert "00/02" in run("dir-receive", drive, "-D", "0", "-O", "9", code=1)


def test_the_management_interface_is_asked_in_band_and_out_of_band(run, data):
    drive = "vssd:name=command-line-mi,size=16M,mi"
    found = data("mi", "mi", "info", drive)["data"]
    assert (found["subsystem"][0]["mjr"], found["controller_health"][0]["spare"]) == (1, 100)
    assert "only out of band" in run("mi", "config", drive, "--clear")
    with VirtualSsd(size="16M", mi=True) as ssd:
        assert "ctemp" in run("mi", "info", ssd.address, "--mctp")
        assert "transmission unit    64 bytes" in run("mi", "config", ssd.address, "--mctp")
        wide = run("mi", "config", ssd.address, "--mctp", "--unit", "128", "--clear")
        assert "transmission unit    128 bytes" in wide
        assert len(CliRunner().invoke(main, ["mi", "vpd", ssd.address, "--mctp"]).stdout_bytes) == 256
        assert run("mi", "control-primitive", ssd.address, "-a", "pause") == "pause: 0x0003\n"
        assert "pflg" in run("mi", "control-primitive", ssd.address, "-a", "get-state")
        assert run("mi", "control-primitive", ssd.address, "-a", "resume") == "resume: 0x0000\n"
        assert "NVMe-MI command 0x03: invalid parameter" in run(
            "mi", "config", ssd.address, "--mctp", "--unit", "1", code=1
        )
    assert "--mctp takes the folder" in run("mi", "info", drive, "--mctp", code=2)


# ---- the machine, and virtual SSDs that run ----


def test_list_shows_virtual_ssds_and_who_has_them(run, data, other):
    def mine():
        return next(one for one in data("list", "list")["virtual_ssds"] if one["address"] == other.address)

    assert mine()["users"] == [] and mine()["size_bytes"] == 64 << 20
    pcie = d.Pcie(other.address)
    d.Controller(pcie)
    assert any(f"process {os.getpid()} " in user for user in mine()["users"])
    assert f"{other.address}  virtual SSD, process {other.pid}" in run("list")
    pcie.close()
    assert other.address in {one["address"] for one in data("vssd-list", "vssd", "list")["virtual_ssds"]}


def test_a_virtual_ssd_is_controlled_by_its_folder(run, data, other, tmp_path):
    at = other.address
    assert data("vssd-info", "vssd", "info", at)["info"]["pid"] == other.pid
    assert data("vssd-options", "vssd", "options", at)["options"]["lba_size"] == "512"
    assert {"size", "fault"} <= {one["name"] for one in data("vssd-options", "vssd", "options")["options"]}
    assert run("vssd", "power", at, "off") == "the power is off\n"
    assert run("vssd", "power", at, "on") == "the power is on\n"
    assert "not sideways" in run("vssd", "power", at, "sideways", code=2)
    (tmp_path / "lba").write_bytes(b"x" * 1024)
    assert run("vssd", "poke", at, "8", "-i", str(tmp_path / "lba")) == "2 LBAs were replaced\n"
    peeked = CliRunner().invoke(main, ["vssd", "peek", at, "8", "--count", "2"]).stdout_bytes
    assert peeked == b"x" * 1024
    (tmp_path / "lba").write_bytes(b"x" * 5)
    assert "no LBAs of 512 bytes" in run("vssd", "poke", at, "8", "-i", str(tmp_path / "lba"), code=2)
    run("vssd", "age", at, "--hours", "20", "--used", "90")
    assert data("log", "smart", at)["data"]["pused"] == 90


def test_fault_rules_are_planted_listed_and_removed(run, data, other):
    at = other.address
    (rule,) = data("vssd-faults", "vssd", "faults", at, "--plant", "opcode=flush do status=00/06")["rules"]
    done = run("send", at, "flush", "--io", "-n", "1", code=1)
    assert done.startswith("Internal Error (00/06)")
    found = data("vssd-faults", "vssd", "faults", at, "--fired")
    assert found["rules"][0]["fired"] == 1 and found["fired"][-1]["opcode"] == 0
    assert "opcode 00h" in run("vssd", "faults", at, "--fired")
    assert data("vssd-faults", "vssd", "faults", at, "--remove", str(rule["number"]))["rules"] == []
    assert "no rule is planted" in run("vssd", "faults", at)
    assert run("vssd", "faults", at, "--plant", "do warp", code=1).count("\n") == 1


def test_refusals_are_traced(run, data, other):
    at = other.address
    assert "vssd trace on starts that" in run("vssd", "trace", at, code=1)
    run("vssd", "trace", at, "on")
    assert run("vssd", "trace", at) == "no command failed\n"
    run("send", at, "identify", "--cdw10", "0x7f", code=1)
    wanted = r"error \d+: queue 0, CID \d+(, opcode 06h)?: Invalid Field in Command \(00/02\)"
    # A driver that probes for features when it opens the drive has entries of its own.
    entries = [line for line in run("log", at, "error").splitlines() if re.match(wanted, line)]
    assert entries and entries[0].endswith("CDW10 bit 0 (byte 40, bit 0)"), entries
    refusals = data("vssd-trace", "vssd", "trace", at)["refusals"]
    assert [one["status_name"] for one in refusals].count("Invalid Field in Command") == 1
    assert "(CNS)" in run("vssd", "trace", at)
    run("vssd", "trace", at, "off")


def test_a_virtual_ssd_is_ended(run):
    with VirtualSsd(size="1M") as ssd:
        assert run("vssd", "quit", ssd.address) == f"{ssd.address} has ended\n"
        assert not ssd.running


def test_without_a_folder_the_only_virtual_ssd_is_meant(run, monkeypatch, other):
    from pynvme.cli import found

    monkeypatch.setattr(found, "folders", lambda: [other.address])
    assert run("vssd", "info").startswith(other.address)
    monkeypatch.setattr(found, "folders", lambda: [])
    assert "pynvme vssd run starts one" in run("vssd", "info", code=2)


def test_a_folder_that_is_none_is_an_error_of_one_line(run, tmp_path):
    assert run("vssd", "info", str(tmp_path), code=1).count("\n") == 1


def test_doctor_and_bugs_pass_their_schemas(data):
    assert data("doctor", "doctor")["checks"][0]["name"] == "driver"
    assert data("bugs", "bugs")["bugs"] and data("bugs", "bugs", "B8")["number"] == "B8"


# ---- workloads, shell, completion ----


def test_bench_measures_each_workload(monkeypatch, data, drive):
    monkeypatch.setattr(bench, "WORKLOADS", bench.WORKLOADS[-2:])
    found = data("bench", "bench", drive, "--seconds", "1", "--read-only")["workloads"]
    assert [one["ios_in_flight"] for one in found] == [1]
    for one in found:
        assert one["ios"] > 0 and abs(one["iops"] * one["seconds"] - one["ios"]) < 1
        assert one["latency_us"]["p50"] <= one["latency_us"]["p99"] <= one["latency_us"]["max"]


def test_a_drive_that_is_not_private_is_asked_for_first(run, other):
    before = control.counters(other.address)
    assert "Go on?" in run("bench", other.address, code=1)
    assert control.counters(other.address) == before


def test_the_shell_has_the_drive_ready(run, drive, capfd):
    code = "print(nvme0.id_ctrl.mn, nvme0n1.id_ns.flbas + 0, d is nvme, len(buf)); qpair.waitdone(0)"
    assert "pynvme virtual SSD 0 True 4096" in run("shell", drive, "-c", code)
    assert run("shell", drive, "-c", "1/0", code=1).splitlines()[-1].startswith("ZeroDivisionError")


def test_the_plain_prompt_shows_what_there_is(run, drive):
    shown = run("shell", drive, "--plain", input="nvme0.id_ctrl.cntlid + 41\n")
    assert "nvme0n1" in shown and "42" in shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_a_shell(run, shell):
    assert "_PYNVME_COMPLETE" in run("completion", shell)


@pytest.mark.parametrize(
    ("words", "found"),
    [("pynvme sm", "smart"), ("pynvme vssd po", "power"), ("pynvme smart --js", "--json")],
)
def test_words_are_completed(words, found):
    *_, last = words.split()
    variables = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "_PYNVME_COMPLETE": "bash_complete",
    }
    done = CliRunner().invoke(main, [], prog_name="pynvme", env=variables)
    completed = [line.partition(",")[2] for line in done.output.splitlines()]
    assert found in completed and all(one.startswith(last) for one in completed)


def test_addresses_are_completed(other):
    variables = {"COMP_WORDS": f"pynvme smart {other.address[:8]}", "COMP_CWORD": "2"}
    done = CliRunner().invoke(
        main, [], prog_name="pynvme", env={**variables, "_PYNVME_COMPLETE": "bash_complete"}
    )
    assert f"plain,{other.address}" in done.output.splitlines()


# ---- errors ----


@pytest.mark.parametrize(
    "words",
    [("id-ctrl", "/no/such"), ("smart", "0000:7f:1f.7"), ("regs", "/no/such"), ("log", "/no/such", "2")],
)
def test_a_drive_that_is_not_there_is_an_error_of_one_line(run, words):
    said = run(*words, code=1)
    assert said.startswith("Error: ") and said.count("\n") == 1


def test_ctrl_c_ends_a_command_with_130(run, monkeypatch):
    from pynvme.cli import found

    def interrupted(machine):
        raise KeyboardInterrupt

    monkeypatch.setattr(found, "drives", interrupted)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert "interrupted" in run("list", code=130)


# ---- documentation ----

ROOT = Path(__file__).parents[2]


def documented():
    """The commands that README and the pages show."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = page.read_text()
        lines = re.findall(r"^    (?:\$ )?(?:\S*python -m )?(pynvme [a-z].*)$", text, re.MULTILINE)
        for line in [*lines, *re.findall(r"`(?:python -m )?(pynvme [a-z][^`]*)`", text)]:
            words = re.split(r"\s[|#>;]|  +|…|\.\.\.", line)[0]
            if "COMMAND" not in words:
                yield f"{page.name}: {words.strip()}"


def problem_of(line):
    """Why a command of the documentation cannot be parsed, or an empty text."""
    name, *words = shlex.split(line.partition(": ")[2])
    command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            break
        command, name = found, words.pop(0)
    try:
        command.make_context(name, words, resilient_parsing=True)
    except click.UsageError as error:
        return f"{line}: {error.message}"
    return f"{line}: no such command" if command is main and words not in (["--help"], ["--version"]) else ""


def test_each_command_of_the_documentation_can_be_parsed():
    texts = {"pynvme timeout", "pynvme virtual"}  # no commands, but an exception and a model
    lines = [line for line in set(documented()) if not any(text in line for text in texts)]
    assert len(lines) > 60
    assert [problem for problem in map(problem_of, sorted(lines)) if problem] == []


# ---- security ----


def test_a_self_encrypting_drive_is_locked_and_reverted(run, data, tmp_path):
    """In the order of `nvme sed`, on one drive: it is private, so that it asks nothing."""
    drive = "vssd:name=command-line-sed,size=16M,tcg,serial=SED"
    pin = "--password", "secret"
    found = data("sed", "sed", "discover", drive)
    assert found["ssc"] == "Opal 2" and not found["features"][1]["fields"]["enabled"]
    assert "Locking: supported=1" in run("sed", "discover", drive)
    text = run("sed", "lock", drive, *pin, code=1)
    assert "the Locking SP is not active; take ownership" in text and "`pynvme sed initialize`" in text
    assert run("sed", "initialize", drive, *pin) == "initialized\n"
    text = run("sed", "initialize", drive, *pin, code=1)
    assert "the drive has an owner" in text and "NOT_AUTHORIZED" in text
    assert run("sed", "lock", drive, input="secret\n").endswith("locked\n")
    assert data("sed", "sed", "discover", drive)["features"][1]["fields"]["locked"]
    text = run("sed", "unlock", drive, "-p", "wrong", code=1)
    assert "the PIN of Admin1 is wrong" in text and "NOT_AUTHORIZED" in text
    assert "FAIL" in run("sed", "revert", drive, *pin, code=1), "the global range is locked"
    assert run("sed", "unlock", drive, *pin) == "unlocked\n"
    assert run("sed", "password", drive, *pin, "--new", "other") == "changed\n"
    assert run("sed", "revert", drive, "-p", "other") == "reverted\n"
    assert run("sed", "initialize", drive, *pin) == "initialized\n", "both PINs are those of the factory"
    assert run("sed", "lock", drive, *pin) == "locked\n"
    tries = [run("sed", "unlock", drive, "-p", "wrong", code=1) for _ in range(6)]
    assert "Admin1 is locked out after too many wrong PINs, until the drive loses its power" in tries[-1]
    assert run("sed", "revert", drive, "--psid", "PSID-SED") == "reverted\n"
    assert "a PIN has 1 to 32 bytes" in run("sed", "lock", drive, "-p", "x" * 33, code=2)


def test_rpmb_is_programmed_written_and_read(run, data, tmp_path):
    drive = "vssd:name=command-line-rpmb,size=16M,rpmb,boot_partitions"
    key, file = tmp_path / "key", tmp_path / "data"
    key.write_bytes(bytes(range(32)))
    signed = "--keyfile", str(key)
    assert data("rpmb", "rpmb", "info", drive)["targets"] == 4
    assert "4 targets of 262144 bytes" in run("rpmb", "info", drive)
    assert "no key" in run("rpmb", "read-counter", drive, code=1)
    assert run("rpmb", "program-key", drive, *signed) == "programmed\n"
    assert run("rpmb", "write-data", drive, "-o", "8", "-d", "hello", *signed) == (
        "1 sectors written, Write Counter 1\n"
    )
    assert "hello" in run("rpmb", "read-data", drive, "-o", "8", *signed)
    assert "1024 bytes" in run("rpmb", "read-data", drive, "-o", "8", "-b", "2", "-f", str(file), *signed)
    assert file.read_bytes() == b"hello".ljust(1024, b"\0")
    text = "--key", bytes(range(32)).hex()
    assert data("rpmb", "rpmb", "read-counter", drive, *text)["counter"] == 1
    file.write_bytes(b"\1\2")
    assert run("rpmb", "write-config", drive, "-f", str(file), *signed) == "written\n"
    found = data("rpmb", "rpmb", "read-config", drive, *signed)
    assert found["counter"] == 1 and found["data"]["bpl_bits"] == {"bp0": 1, "bp1": 1}, "the reset locks"
    assert "wrong MAC" in run("rpmb", "read-counter", drive, "-k", "x" * 32, code=1)
    assert "has 32 bytes, not 1" in run("rpmb", "read-counter", drive, "-k", "x", code=2)
    assert "--msg or --msgfile" in run("rpmb", "write-data", drive, *signed, code=2)
    assert "no RPMB targets" in run("rpmb", "info", "vssd:name=command-line,size=64M")


def test_commands_are_prohibited_and_listed(run, data):
    drive = "vssd:name=command-line-lockdown,size=16M,lockdown"
    assert 0x80 in data("log", "lockdown-log", drive)["data"]["cfil"]
    assert run("lockdown", drive, "-o", "80h", "-p", "1") == "prohibited\n"
    assert data("log", "lockdown-log", drive, "-c", "prohibited")["data"]["cfil"] == [0x80]
    assert "00/23" in run("send", drive, "80h", "-n", "1", code=1)
    assert data("send", "lockdown", drive, "-o", "6", "-p", "1", code=1)["sc"] == 0x28
    assert run("lockdown", drive, "-o", "80h") == "allowed\n"


# ---- bad input ----

EVERYTHING = "vssd:name=command-line-bad,size=64M,namespaces=2,zoned=1,zone_size=1M,virtual_functions=1"
EVERYTHING += ",profile=everything"
MISTAKES = """
fdp configs DRIVE -e 70000
fdp status DRIVE -n 99
fdp update DRIVE -p ,
fdp update DRIVE -p 99
fdp set-events DRIVE -t 256
fdp set-events DRIVE -t 0 -p 99
zns report-zones DRIVE -n 1
zns report-zones DRIVE -n 99
zns report-zones DRIVE -n 2 -s 0xffffffffffff
zns report-zones DRIVE -n 2 -S 99
zns zone-append DRIVE -n 2 -s 1 -d /no/such
zns zone-mgmt-send DRIVE -n 2 --zsa 0x99
zns zrwa-flush-zone DRIVE -n 2 -l 99
zns open-zone DRIVE -n 2 -s 0xffffffffff
zns open-zone DRIVE -n 2 -s -1
mi info /no/such
mi info /no/such --mctp
mi config DRIVE --unit 1
mi control-primitive DRIVE -a nothing
mi control-primitive EMPTY -a pause
mi info EMPTY --mctp
rpmb read-data DRIVE -t 9
rpmb read-data DRIVE -t 4
rpmb read-data DRIVE -b 0
rpmb read-data DRIVE -b 65536
rpmb read-data DRIVE -f /
rpmb write-data DRIVE -d hello -g /no/such
rpmb write-data DRIVE -d hello -k zz
rpmb write-config DRIVE -d x -k x
rpmb program-key DRIVE
rpmb program-key DRIVE -g /no/such
rpmb read-counter DRIVE -t 99
lockdown DRIVE -o 256
lockdown DRIVE -s 16
lockdown DRIVE -s 1 -o 0
lockdown DRIVE -f 3
lockdown DRIVE -U 128
lockdown DRIVE -o 0xfe -p 1
lockdown-log DRIVE -s 16
lockdown-log DRIVE -s 9
sed lock DRIVE -p secret
sed lock DRIVE -p ''
sed revert DRIVE -P wrong
sed password DRIVE -p a --new ''
sed initialize DRIVE -p xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
dir-send DRIVE -DRIVE 256
dir-send DRIVE -n 99 -DRIVE 1 -O 1
dir-send DRIVE -O 1 -T 99 -e 1
dir-send DRIVE -DRIVE 9 -O 9
dir-send DRIVE -i /no/such
dir-send DRIVE -S 65536
dir-receive DRIVE -l -1
dir-receive DRIVE -DRIVE 1 -O 3 -r 65536
virt-mgmt DRIVE -c 65536
virt-mgmt DRIVE -c 99 -a 9
virt-mgmt DRIVE -a 16
virt-mgmt DRIVE -a 5
virt-mgmt DRIVE -r 8
virt-mgmt DRIVE -a 8 -r 0 -n 999 -c 2
"""
"""Values out of range, files and drives that are missing, addresses that the drive does not have."""


@pytest.mark.parametrize("group", ["fdp", "zns", "mi", "rpmb", "lockdown", "sed", "dir", "virt-mgmt"])
def test_a_mistake_is_an_error_of_one_line(group, tmp_path):
    lines = [line for line in MISTAKES.splitlines() if line.startswith((f"{group} ", f"{group}-"))]
    assert lines
    for line in lines:
        places = {"DRIVE": EVERYTHING, "EMPTY": str(tmp_path)}
        words = [places.get(word, word) for word in shlex.split(line)]
        done = CliRunner().invoke(main, words, prog_name="pynvme")
        assert isinstance(done.exception, SystemExit) and done.exit_code in (1, 2), (line, done.exception)
        said = done.output.splitlines()
        # click says how to get help before the error of an option.
        assert len(said) == (1 if done.exit_code == 1 else 4) and said[-1], (line, said)
        assert done.exit_code == 1 or said[-1].startswith("Error: "), (line, said)
