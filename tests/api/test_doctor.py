# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pynvme doctor``: what it says about this machine, and about others."""

import json
import os
import platform
import resource
import subprocess
import sys

import nvme as d
import pytest

from pynvme import doctor


@pytest.fixture
def cli(environment):
    """Give ``cli(*arguments, **variables)``: runs the command in another process."""

    def run(*arguments, cwd=None, **variables):
        command = [sys.executable, "-m", "pynvme", "doctor", *arguments]
        return subprocess.run(
            command, env={**environment, **variables}, cwd=cwd, capture_output=True, text=True, timeout=60
        )

    return run


@pytest.fixture
def machine(tmp_path):
    """Give ``machine(path, text)``: adds a file to a simulated root, or a folder where text is None."""

    def add(path, text=None):
        where = tmp_path / path
        where.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            where.mkdir(exist_ok=True)
        else:
            where.write_text(text)
        return tmp_path

    return add


def test_it_says_the_versions_and_the_engines(cli):
    done = cli()
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert (
        lines[0] == f"pynvme {d.__version__}, Python {platform.python_version()}, Linux {platform.release()}"
    )
    for number, engine in enumerate(d.engines(), 1):
        assert lines[number].startswith(f"engine {engine.name}: {engine.version}, {engine.dpdk}, withholds ")
        assert lines[number].endswith(", selected") == engine.selected


def test_its_json_has_the_same(cli):
    found = json.loads(cli("--json").stdout)
    assert found["engines"]["list"] == [engine._asdict() for engine in d.engines()]
    assert found["iommu_groups"] == len(list_of("/sys/kernel/iommu_groups"))
    assert set(found["modules"]) == {"vfio_pci", "uio_pci_generic"}


def list_of(folder):
    return os.listdir(folder) if os.path.isdir(folder) else []


def test_an_engine_that_the_build_lacks_is_an_error(cli):
    done = cli(PYNVME_ENGINE="warp")
    assert done.returncode == 1
    assert "engine: PYNVME_ENGINE=warp, but this build has only own" in done.stdout


def test_a_driver_that_does_not_load_is_an_error_and_the_rest_is_told(cli, tmp_path):
    (tmp_path / "nvme.py").write_text("raise ImportError('libfoo.so.1: cannot open')")
    done = cli(cwd=tmp_path)  # a module in the working folder comes first
    assert done.returncode == 1
    assert "libfoo.so.1" in done.stdout
    assert "hugepages: " in done.stdout


def test_it_counts_hugepages_of_each_size(machine):
    root = machine("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n")
    machine("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "500\n")
    machine("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n")
    found = doctor.report(root)
    assert found["hugepages"] == [{"kib": 2048, "total": 512, "free": 500}]
    assert "hugepages: 500 of 512 free, 2048 KiB each" in doctor.lines(found)


def test_without_hugepages_and_iommu_it_says_what_is_used_instead(tmp_path):
    said = doctor.lines(doctor.report(tmp_path))
    assert "hugepages: none reserved, so pynvme uses ordinary memory" in said
    assert "IOMMU: off, so PCIe drives need uio_pci_generic" in said
    assert "vfio_pci: missing" in said


def test_it_knows_modules_that_are_loaded_and_those_that_could_be(machine):
    machine("sys/module/vfio_pci")
    machine(f"lib/modules/{platform.release()}/kernel/drivers/uio/uio_pci_generic.ko.xz", "")
    root = machine("sys/kernel/iommu_groups/7")
    said = doctor.lines(doctor.report(root))
    assert "vfio_pci: loaded" in said
    assert "uio_pci_generic: available" in said
    assert "IOMMU: on, 1 groups" in said


def test_a_limit_of_locked_memory_holds_for_all_but_root(monkeypatch, tmp_path):
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (8 << 20, 8 << 20))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "memory that may be locked: 8192 KiB" in doctor.lines(doctor.report(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "memory that may be locked: unlimited" in doctor.lines(doctor.report(tmp_path))


def check_of(root, name):
    """The check of this name on a simulated machine."""
    return next(one for one in doctor.report(root)["checks"] if one["name"] == name)


def test_what_is_missing_has_what_mends_it(machine, monkeypatch):
    root = machine("proc/cpuinfo", "vendor_id : GenuineIntel\n")
    assert check_of(root, "driver") == {**check_of(root, "driver"), "state": "good", "mend": ""}
    assert check_of(root, "hugepages")["mend"] == "sudo sysctl -w vm.nr_hugepages=512"
    assert (
        "VT-d on" in check_of(root, "IOMMU")["mend"] and "intel_iommu=on" in check_of(root, "IOMMU")["mend"]
    )
    assert "uio_pci_generic" in check_of(root, "uio_pci_generic")["mend"]
    machine("proc/cpuinfo", "vendor_id : AuthenticAMD\n")
    assert "AMD-Vi on" in check_of(root, "IOMMU")["mend"]
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (8 << 20, 8 << 20))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "memlock unlimited" in check_of(root, "locked memory")["mend"]
    said = doctor.lines(doctor.report(root))
    assert "  hugepages: none reserved, so pynvme uses ordinary memory " in "\n".join(said)
    assert "      sudo sysctl -w vm.nr_hugepages=512" in said


def test_nothing_is_to_be_done_where_all_is_there(machine, monkeypatch):
    root = machine("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n")
    machine("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "500\n")
    machine("sys/kernel/iommu_groups/7")
    machine("sys/module/vfio_pci")
    machine("dev/vfio/7", "")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert [one for one in doctor.report(root)["checks"] if one["mend"] or one["state"] != "good"] == []
    assert "What would help:" not in doctor.lines(doctor.report(root))


def test_a_missing_virtual_ssd_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PYNVME_VSSD", str(tmp_path / "none"))
    assert check_of(tmp_path, "virtual SSD")["mend"] == "make build"


def test_each_drive_says_whether_it_can_be_opened(machine):
    machine("sys/bus/pci/devices/0000:01:00.0/class", "0x010802\n")
    root = machine("sys/bus/pci/devices/0000:01:00.0/virtfn0/x", "")
    (drive,) = doctor.report(root)["drives"]
    assert not drive["can_open"] and "virtual functions" in drive["obstacles"][0]
    assert any(
        line.startswith("0000:01:00.0: cannot be opened: it has")
        for line in doctor.lines(doctor.report(root))
    )
