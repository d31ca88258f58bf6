# SPDX-License-Identifier: BSD-3-Clause
"""Which programs use a drive, on simulated machines, whose kernel files are in a folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nvme
import pytest

from pynvme.cli import found
from pynvme.pci import DriveError, Machine, normal

BDF = "0000:01:00.0"


class MadeUp(Machine):
    """A machine with one drive, nvme0n1 with two partitions, bound to nvme; disks can be claimed."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.claimed: set[str] = set()
        self.bound: list[tuple[str, str]] = []
        self.given: list[str] = []
        for folder in ("proc/self", "dev", "sys/bus/pci/drivers/vfio-pci", "sys/bus/pci/drivers/nvme"):
            (root / folder).mkdir(parents=True)
        self.function(BDF, "0x010802", "nvme", group=7)
        self.disk("nvme0n1", "259:0")
        self.disk("nvme0n1p1", "259:1", parent="nvme0n1")
        self.disk("nvme0n1p2", "259:2", parent="nvme0n1")
        (self.devices / BDF / "nvme/nvme0/nvme0n1").mkdir(parents=True)

    def function(self, bdf: str, kind: str, driver: str, group: int) -> None:
        folder = self.devices / bdf
        folder.mkdir(parents=True)
        (folder / "class").write_text(kind)
        if driver:
            (self.drivers / driver).mkdir(exist_ok=True)
            (folder / "driver").symlink_to(self.drivers / driver)
        members = self.root / f"sys/kernel/iommu_groups/{group}/devices"
        members.mkdir(parents=True, exist_ok=True)
        (members / bdf).symlink_to(folder)
        (folder / "iommu_group").symlink_to(members.parent)

    def disk(self, name: str, number: str, parent: str = "") -> Path:
        folder = self.block / name
        folder.mkdir(parents=True)
        (folder / "dev").write_text(number + "\n")
        (self.root / "dev" / name).touch()
        if parent:
            (self.block / parent / name).mkdir()
            (self.block / parent / name / "partition").touch()
        return folder

    def hold(self, name: str, holder: str) -> None:
        (self.block / name / "holders" / holder).mkdir(parents=True)

    def mount(self, number: str, folder: str, source: str) -> None:
        with (self.proc / "self/mountinfo").open("a") as file:
            file.write(f"30 1 {number} / {folder} rw,relatime shared:1 - ext4 {source} rw\n")

    def _is_claimed(self, disk: str) -> bool:
        return disk in self.claimed

    def _rebind(self, bdf: str, driver: str) -> None:
        self.bound.append((bdf, driver))
        (self.devices / bdf / "driver").unlink()
        (self.devices / bdf / "driver").symlink_to(self.drivers / driver)

    def _release(self, bdf: str) -> None:
        self.given.append(bdf)
        (self.state / bdf).unlink()


@pytest.fixture
def machine(tmp_path):
    return MadeUp(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01:00.0", BDF),
        ("0000:01:00.0", BDF),
        ("FE:1F.7", "0000:fe:1f.7"),
        ("10000:e1:00.0", "10000:e1:00.0"),
        ("01:00.8", None),
        ("01:20.0", None),
        ("1.2.3.4:4420", None),
        ("vssd", None),
    ],
)
def test_an_address_is_put_into_its_full_form(text, expected):
    assert normal(text) == expected


def test_a_free_drive_has_no_users(machine):
    assert machine.disks(BDF) == ["nvme0n1"]
    assert machine.users(BDF) == []


def test_a_mount_is_told_by_its_folder(machine):
    machine.mount("259:1", "/mnt/my\\040data", "/dev/nvme0n1p1")
    assert machine.users(BDF) == ["nvme0n1p1 is mounted on /mnt/my data"]


def test_the_root_is_told_even_where_the_mount_has_another_number(machine):
    machine.mount("0:33", "/", "/dev/nvme0n1p2")
    assert machine.users(BDF) == ["nvme0n1p2 holds the root file system"]


def test_swap_is_told(machine):
    (machine.proc / "swaps").write_text("Filename Type Size Used Priority\n/dev/nvme0n1p2 partition 9 0 -2\n")
    assert machine.users(BDF) == ["nvme0n1p2 is swap space"]


def test_a_raid_is_told_and_what_is_mounted_on_it(machine):
    (machine.disk("md0", "9:0") / "md").mkdir()
    machine.hold("nvme0n1p1", "md0")
    machine.mount("9:0", "/srv", "/dev/md0")
    assert machine.users(BDF) == [
        "nvme0n1p1 is part of the RAID md0",
        "md0 (the RAID md0) is mounted on /srv",
    ]


@pytest.mark.parametrize(
    ("uuid", "kind"), [("LVM-abc", "the LVM volume vg-home"), ("CRYPT-x", "the device mapper vg-home")]
)
def test_what_is_mapped_is_told_by_the_name_of_the_map(machine, uuid, kind):
    folder = machine.disk("dm-0", "254:0") / "dm"
    folder.mkdir()
    (folder / "name").write_text("vg-home\n")
    (folder / "uuid").write_text(uuid + "\n")
    machine.hold("nvme0n1", "dm-0")
    machine.mount("254:0", "/home", "/dev/mapper/vg-home")
    assert machine.users(BDF) == [f"nvme0n1 is part of {kind}", f"dm-0 ({kind}) is mounted on /home"]


def test_zfs_holds_a_drive_without_a_holder(machine):
    machine.claimed.add("nvme0n1")
    (machine.proc / "spl/kstat/zfs/tank").mkdir(parents=True)
    assert machine.users(BDF) == ["nvme0n1 is in use by the kernel: probably in a pool of ZFS (tank)"]


def test_the_disk_of_several_paths_is_looked_at(machine):
    (machine.devices / BDF / "nvme/nvme0/nvme0n1").rmdir()
    (machine.devices / BDF / "nvme/nvme0/nvme0c0n1").mkdir()
    assert machine.disks(BDF) == ["nvme0n1"]


def test_a_process_that_has_the_drive_open_is_told(machine):
    folder = machine.proc / "41"
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text("fio\n")
    (folder / "fd/3").symlink_to("/dev/nvme0n1p1")
    assert machine.users(BDF) == ["process 41 (fio) has /dev/nvme0n1p1 open"]


def test_a_drive_in_use_is_not_taken(machine):
    machine.mount("259:1", "/mnt", "/dev/nvme0n1p1")
    with pytest.raises(DriveError, match=r"0000:01:00\.0 is in use: nvme0n1p1 is mounted on /mnt"):
        machine.acquire(BDF)
    assert machine.bound == []
    assert not (machine.state / BDF).exists()


def test_other_functions_of_its_group_are_named_and_bridges_are_not(machine):
    machine.function("0000:01:00.1", "0x020000", "e1000e", group=7)
    machine.function("0000:00:01.0", "0x060400", "pcieport", group=7)
    machine.function("0000:01:00.2", "0x010802", "", group=7)
    with pytest.raises(DriveError, match=r"shares its IOMMU group with 0000:01:00\.1 \(e1000e\):"):
        machine.acquire(BDF)
    assert machine.bound == []


TWIN = "0000:01:00.1"


@pytest.fixture
def twins(machine):
    """Give a machine where the drive has a second function, of the same group."""
    machine.function(TWIN, "0x010802", "nvme", group=7)
    return machine


def test_where_all_of_a_group_are_drives_the_error_has_the_command_that_binds_them(twins):
    with pytest.raises(DriveError, match=rf"{TWIN} \(nvme\).*bind {BDF} {TWIN}`"):
        twins.acquire(BDF)
    assert twins.bound == []


def test_functions_of_one_group_are_bound_together(twins):
    twins.bind(BDF, TWIN)
    assert twins.bound == [(BDF, "vfio-pci"), (TWIN, "vfio-pci")]
    assert json.loads((twins.state / TWIN).read_text())["pid"] == 0


def test_where_one_of_them_is_in_use_none_stays_bound(twins):
    (twins.devices / TWIN / "nvme/nvme1/nvme1n1").mkdir(parents=True)
    twins.disk("nvme1n1", "259:5")
    twins.mount("259:5", "/srv", "/dev/nvme1n1")
    with pytest.raises(DriveError, match=f"{TWIN} is in use: nvme1n1 is mounted on /srv"):
        twins.bind(BDF, TWIN)
    assert twins.given == [BDF]
    assert not (twins.state / BDF).exists()
    assert not (twins.state / TWIN).exists()


def test_a_group_that_a_process_has_open_is_its_own(machine):
    machine.bind(BDF)
    folder = machine.proc / "41"
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text("python3\n")
    (folder / "fd/3").symlink_to("/dev/vfio/7")
    with pytest.raises(DriveError, match=r"in use by process 41 \(python3\), which has /dev/vfio/7 open"):
        machine.acquire(BDF)
    assert machine.restore() == [
        f"{BDF} stays: it is in use by process 41 (python3), which has /dev/vfio/7 open"
    ]
    assert (machine.state / BDF).exists()


def test_what_was_bound_by_hand_is_used_by_who_may_not_bind(machine):
    machine.bind(BDF)
    machine.state.chmod(0o555)
    machine._lock = None  # not even tried
    machine.acquire(BDF)
    assert json.loads((machine.state / BDF).read_text())["pid"] == 0
    machine.state.chmod(0o755)


def test_vfio_without_an_iommu_is_refused_by_name(machine):
    (machine.root / "sys/kernel/iommu_groups/7/name").write_text("vfio-noiommu\n")
    for use in (machine.acquire, machine.bind):
        with pytest.raises(DriveError, match=r"VFIO's no-IOMMU mode, /dev/vfio/noiommu-7"):
            use(BDF)
    assert machine.bound == []


def test_a_kernel_with_iommufd_alone_is_refused_by_name(machine):
    (machine.root / "dev/iommu").touch()
    for use in (machine.acquire, machine.bind):
        with pytest.raises(DriveError, match=r"iommufd alone.*CONFIG_VFIO_GROUP"):
            use(BDF)
    assert machine.bound == []
    (machine.root / "dev/vfio").mkdir()
    (machine.root / "dev/vfio/vfio").touch()
    machine.acquire(BDF)
    assert machine.bound == [(BDF, "vfio-pci")]


def test_without_an_iommu_a_drive_is_bound_to_uio_pci_generic(machine):
    (machine.devices / BDF / "iommu_group").unlink()
    (machine.drivers / "uio_pci_generic").mkdir()
    machine.acquire(BDF)
    assert machine.bound == [(BDF, "uio_pci_generic")]
    (machine.devices / BDF / "uio/uio3").mkdir(parents=True)
    assert machine.file(BDF) == "/dev/uio3"


def test_without_an_iommu_no_other_user_can_have_a_drive(machine):
    (machine.devices / BDF / "iommu_group").unlink()
    with pytest.raises(DriveError, match="without an IOMMU only root may drive it"):
        machine.bind(BDF, user="nobody")
    assert machine.bound == []


def test_a_drive_whose_virtual_functions_are_there_is_in_use(machine):
    (machine.devices / BDF / "virtfn0").symlink_to("../0000:01:00.1")
    with pytest.raises(DriveError, match=r"it has virtual functions \(0000:01:00\.1\)"):
        machine.acquire(BDF)
    assert machine.bound == []


def with_functions(machine, count):
    """Give the drive of BDF virtual functions, bound to vfio-pci, and the files of the kernel."""
    folder = machine.devices / BDF
    (folder / "sriov_numvfs").write_text("0")
    parameters = machine.root / "sys/module/vfio_pci/parameters"
    parameters.mkdir(parents=True)
    (parameters / "enable_sriov").write_text("N")
    for number in range(count):
        (folder / f"virtfn{number}").symlink_to(f"../0000:01:01.{number}")
    return [f"0000:01:01.{number}" for number in range(count)]


def test_virtual_functions_are_listed_in_the_order_of_their_numbers(machine):
    folder = machine.devices / BDF
    for number in (10, 2, 0):
        (folder / f"virtfn{number}").symlink_to(f"../0000:01:0{number % 9}.0")
    assert machine.functions(BDF) == ["0000:01:00.0", "0000:01:02.0", "0000:01:01.0"]


def test_the_kernel_enables_virtual_functions_of_a_drive_of_vfio_pci(machine):
    machine.acquire(BDF)
    addresses = with_functions(machine, 2)
    assert machine.enable_functions(BDF, 2) == addresses, "they are there"
    assert (machine.devices / BDF / "sriov_numvfs").read_text() == "0", "so nothing is written"
    machine.enable_functions(BDF, 3)
    assert (machine.devices / BDF / "sriov_numvfs").read_text() == "3"
    assert (machine.root / "sys/module/vfio_pci/parameters/enable_sriov").read_text() == "Y"


def test_without_an_iommu_there_are_no_virtual_functions(machine):
    (machine.devices / BDF / "iommu_group").unlink()
    (machine.drivers / "uio_pci_generic").mkdir()
    machine.acquire(BDF)
    (machine.devices / BDF / "sriov_numvfs").write_text("0")
    with pytest.raises(NotImplementedError, match="uio_pci_generic cannot enable virtual functions"):
        machine.enable_functions(BDF, 1)


def test_a_taken_drive_is_written_down_with_its_driver_and_its_owner(machine):
    machine.acquire(BDF)
    assert machine.bound == [(BDF, "vfio-pci")]
    owner = json.loads((machine.state / BDF).read_text())
    assert owner["driver"] == "nvme"
    assert owner["pid"] == os.getpid()


def test_what_is_no_nvme_controller_is_not_touched(machine):
    machine.function("0000:02:00.0", "0x030000", "i915", group=8)
    machine.acquire("0000:02:00.0")
    machine.acquire("0000:03:00.0")
    assert machine.bound == []


def test_an_address_that_is_no_function_of_this_machine_is_said_not_to_be():
    with pytest.raises(nvme.NvmeEnumerateError, match=r"there is no PCIe function ffff:ff:1f\.7"):
        nvme.Pcie("ffff:ff:1f.7")


# What pynvme list shows, and unbind


def described(machine):
    """What `pynvme list` says of the drive."""
    (drive,) = found.drives(machine)
    return drive


def test_the_list_describes_a_drive_by_the_files_of_its_driver(machine):
    controller = machine.devices / BDF / "nvme/nvme0"
    for name, text in {"model": "M 1  ", "serial": "S1", "firmware_rev": "F1"}.items():
        (controller / name).write_text(text + "\n")
    (machine.block / "nvme0n1/size").write_text("4096\n")
    (machine.block / "nvme0n1/nsid").write_text("1\n")
    drive = described(machine)
    assert (drive["model"], drive["serial"], drive["firmware"]) == ("M 1", "S1", "F1")
    assert (drive["driver"], drive["controller"], drive["iommu_group"]) == ("nvme", "nvme0", 7)
    assert drive["namespaces"] == [
        {"name": "nvme0n1", "nsid": 1, "size_bytes": 4096 * 512, "lba_size_bytes": None}
    ]
    assert drive["can_open"] and drive["obstacles"] == []


def test_the_list_names_each_obstacle(machine, monkeypatch):
    machine.mount("259:1", "/mnt", "/dev/nvme0n1p1")
    machine.function("0000:01:00.1", "0x020000", "e1000e", group=7)
    assert described(machine)["obstacles"] == [
        "nvme0n1p1 is mounted on /mnt",
        "it shares its IOMMU group with 0000:01:00.1 (e1000e)",
    ]
    assert machine.bound == [] and not machine.state.exists()
    (machine.proc / "self/mountinfo").write_text("")
    (machine.devices / "0000:01:00.1/driver").unlink()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (only_root,) = described(machine)["obstacles"]
    assert only_root.startswith("only root may bind it: `sudo ") and only_root.endswith(f" bind {BDF}`")


def test_a_drive_that_another_process_has_bound_or_open_cannot_be_opened(machine):
    machine.acquire(BDF)
    assert described(machine)["can_open"], "this process has bound it"
    folder = machine.proc / "41"
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text("python3\n")
    (folder / "fd/3").symlink_to("/dev/vfio/7")
    assert described(machine)["obstacles"] == ["in use by process 41 (python3), which has /dev/vfio/7 open"]
    (folder / "stat").write_text("41 (python3) " + " ".join(["S", *map(str, range(4, 30))]))
    owner = json.loads((machine.state / BDF).read_text())
    (machine.state / BDF).write_text(json.dumps({**owner, "pid": 41, "start": machine._start(41)}))
    assert described(machine)["obstacles"] == ["process 41 has bound it"]


def test_vfio_that_pynvme_does_not_use_is_an_obstacle(machine):
    (machine.root / "dev/iommu").touch()
    assert described(machine)["obstacles"] == ["this kernel has VFIO in a mode that pynvme does not use"]


def test_unbind_rebinds_a_drive_that_somebody_has_bound_by_hand(tmp_path):
    MadeUp(tmp_path)
    real = Machine(tmp_path)
    device = real.devices / BDF
    (device / "driver").unlink()
    (device / "driver").symlink_to(real.drivers / "vfio-pci")
    (device / "driver_override").write_text("vfio-pci\n")
    real.unbind(BDF)
    assert (device / "driver_override").read_text() == "\n"
    assert (real.drivers / "vfio-pci/unbind").read_text() == BDF
    assert (real.devices.parent / "drivers_probe").read_text() == BDF


def test_unbind_refuses_a_drive_in_use_and_what_is_no_drive(twins):
    twins.bind(BDF, TWIN)
    folder = twins.proc / "41"
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text("python3\n")
    (folder / "fd/3").symlink_to("/dev/vfio/7")
    with pytest.raises(DriveError, match="in use by process 41"):
        twins.unbind(BDF, TWIN)
    with pytest.raises(DriveError, match=r"there is no NVMe controller 0000:09:00\.0"):
        twins.unbind("0000:09:00.0")
    assert twins.given == []
    (folder / "fd/3").unlink()
    twins.unbind(BDF, TWIN)
    assert twins.given == [BDF, TWIN]
