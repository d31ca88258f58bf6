# SPDX-License-Identifier: BSD-3-Clause
"""Finds out what uses a PCIe drive, unbinds it from the kernel's driver, and rebinds it.

When a script opens a drive by its PCIe address, and nothing uses it, pynvme binds it to vfio-pci, or to
uio_pci_generic without an IOMMU. pynvme records that in ``/run/pynvme``, and binds by `driver_override`. It
rebinds the drive to its former driver when the process ends. If a process was killed, ``python -m pynvme bind
--restore`` rebinds its drives.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from pynvme import sysfs
from pynvme.address import normal as normal

VFIO = "vfio-pci"
UIO = "uio_pci_generic"
"""The driver of drives without an IOMMU."""

CLASS_NVME = 0x010802
CLASS_BRIDGE = 0x0604  # without its lowest byte; bridges of a group need no driver
HARMLESS = ("", VFIO, "pci-stub")
"""Drivers that other functions of the same IOMMU group may have."""

SETTLE = 2.0
"""Seconds that udev needs to inspect a drive that has just appeared."""

_BLOCK = re.compile(r"nvme\d+(c\d+)?n\d+")


class DriveError(RuntimeError):
    """A drive cannot be bound or rebound. The text says why, and what to do."""


class Owner(NamedTuple):
    """The process that bound a drive, and the driver that had it before."""

    driver: str
    pid: int
    """0 if `python -m pynvme bind` bound it. Then it stays bound until it is restored."""
    start: int
    """When that process started, in the kernel's ticks, since its PID may be reused."""


class Machine:
    """A machine, by its kernel's files. Tests simulate others, with another root."""

    def __init__(self, root: Path | str = "/") -> None:
        self.root = Path(root)
        self.proc = self.root / "proc"
        self.devices = self.root / "sys/bus/pci/devices"
        self.drivers = self.root / "sys/bus/pci/drivers"
        self.block = self.root / "sys/class/block"
        self.state = self.root / "run/pynvme"

    # Drives and drivers

    def is_nvme(self, bdf: str) -> bool:
        """Whether the function exists and is an NVMe controller."""
        return _number(self.devices / bdf / "class") == CLASS_NVME

    def controllers(self) -> list[str]:
        """The addresses of all NVMe controllers."""
        return sorted(path.name for path in self.devices.glob("*") if self.is_nvme(path.name))

    def driver(self, bdf: str) -> str:
        """The name of its driver, or "" if it has none."""
        link = self.devices / bdf / "driver"
        return link.resolve().name if link.exists() else ""

    def driver_for(self, bdf: str) -> str:
        """The name of the driver that scripts need for a drive."""
        return VFIO if self.group(bdf) else UIO

    def group(self, bdf: str) -> str:
        """The number of its IOMMU group, or "" without an IOMMU."""
        link = self.devices / bdf / "iommu_group"
        return link.resolve().name if link.exists() else ""

    def blockers(self, bdf: str) -> list[str]:
        """The functions of its group that prevent VFIO from using it."""
        folder = self.devices / bdf / "iommu_group" / "devices"
        if not folder.is_dir():
            return []
        return [
            other
            for other in sorted(os.listdir(folder))
            if other != bdf
            and _number(self.devices / other / "class") >> 8 != CLASS_BRIDGE
            and self.driver(other) not in HARMLESS
        ]

    def disks(self, bdf: str) -> list[str]:
        """The names of its block devices, such as ``nvme0n1``. With multipath, those that its paths share."""
        found = set()
        for controller in sorted((self.devices / bdf / "nvme").glob("nvme*")):
            for entry in os.listdir(controller):
                match = _BLOCK.fullmatch(entry)
                if match:
                    found.add(entry.replace(match[1] or "\0", ""))
        return sorted(found)

    # Users of a drive

    def users(self, bdf: str) -> list[str]:
        """A sentence for each user of the drive, or nothing if it is free."""
        found = []
        for disk in self.disks(bdf):
            used = [text for name in self._with_partitions(disk) for text in self._users_of(name)]
            if not used and self._is_claimed(disk):
                used = [f"{disk} is in use by the kernel{self._zfs()}"]
            found += used
        if virtual := self.functions(bdf):
            found.append(f"it has virtual functions ({', '.join(virtual)})")
        return found or self._processes(bdf)

    def _with_partitions(self, disk: str) -> list[str]:
        folder = self.block / disk
        parts = sorted(path.parent.name for path in folder.glob("*/partition"))
        return [disk, *parts]

    def _users_of(self, name: str, below: str = "") -> Iterator[str]:
        """The mounts, swap and stacked devices on a block device, and their users in turn."""
        shown = f"{name} ({below})" if below else name
        for folder in self._mounted_on(name):
            what = "holds the root file system" if folder == "/" else f"is mounted on {folder}"
            yield f"{shown} {what}"
        if name in self._swaps():
            yield f"{shown} is swap space"
        holders = self.block / name / "holders"
        for holder in sorted(os.listdir(holders)) if holders.is_dir() else []:
            kind = self._kind(holder)
            yield f"{shown} is part of {kind}"
            yield from self._users_of(holder, kind)

    def _kind(self, name: str) -> str:
        """The kind of a holder of a block device, such as a RAID, an LVM volume, or another device mapper."""
        folder = self.block / name
        mapped = sysfs.text(folder / "dm/name")
        if mapped:
            is_lvm = sysfs.text(folder / "dm/uuid").startswith("LVM-")
            return f"the {'LVM volume' if is_lvm else 'device mapper'} {mapped}"
        if (folder / "md").is_dir():
            return f"the RAID {name}"
        return name

    def _mounted_on(self, name: str) -> list[str]:
        number = sysfs.text(self.block / name / "dev")
        found = []
        for namespace in ("self", "1"):
            for line in sysfs.text(self.proc / namespace / "mountinfo").splitlines():
                words = line.split(" ")
                source = words[words.index("-") + 2]
                if words[2] == number or self._name_of(source) == name:
                    found.append(words[4].replace("\\040", " "))
        return list(dict.fromkeys(found))

    def _swaps(self) -> list[str]:
        return [self._name_of(line.split()[0]) for line in sysfs.text(self.proc / "swaps").splitlines()[1:]]

    def _name_of(self, path: str) -> str:
        """The block device of a path. ``/dev/mapper/vg-lv`` is ``dm-0``, for example."""
        if not path.startswith("/dev/"):
            return ""
        return (self.root / path[1:]).resolve().name

    def _is_claimed(self, disk: str) -> bool:
        """Whether the disk or one of its partitions is opened exclusively, as all its users do."""
        try:
            os.close(os.open(self.root / "dev" / disk, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))
        except OSError as error:
            return error.errno == errno.EBUSY
        return False

    def _zfs(self) -> str:
        folder = self.proc / "spl/kstat/zfs"
        pools = sorted(path.name for path in folder.glob("*/")) if folder.is_dir() else []
        return f": probably in a pool of ZFS ({', '.join(pools)})" if pools else ""

    def _processes(self, bdf: str) -> list[str]:
        names = {path.name for path in (self.devices / bdf / "nvme").glob("nvme*")}
        for disk in self.disks(bdf):
            names.update(self._with_partitions(disk))
            names.add(disk.replace("nvme", "ng"))
        devices = {f"/dev/{name}" for name in names}
        found = []
        for folder in self.proc.glob("[0-9]*"):
            for device in sorted(self._open_files(folder.name) & devices):
                found.append(f"process {folder.name} ({sysfs.text(folder / 'comm')}) has {device} open")
        return found

    def obstacles(self, bdf: str) -> list[str]:
        """A sentence for each reason why this process cannot open the drive, or nothing if it can.

        It changes nothing. It does not see what only root may see.
        """
        owner = self._read(bdf)
        if owner and owner.pid not in (0, os.getpid()) and self._lives(owner):
            return [f"process {owner.pid} has bound it"]
        found = [f"in use by {user}" for user in self._drivers_of(bdf)]
        with contextlib.suppress(DriveError):
            self._refuse_kernel(bdf)
            if self.driver(bdf) == self.driver_for(bdf):
                return found or self._closed_to_this_user(bdf)
            blockers = self.blockers(bdf)
            shared = ", ".join(f"{other} ({self.driver(other)})" for other in blockers)
            found += self.users(bdf)
            found += [f"it shares its IOMMU group with {shared}"] if blockers else []
            if os.geteuid() and not found:
                found.append(f"only root may bind it: `{_sudo_pynvme()} bind {bdf}`")
            return found
        return [*found, "this kernel has VFIO in a mode that pynvme does not use"]

    def _closed_to_this_user(self, bdf: str) -> list[str]:
        """Whether the file of a drive that is bound for pynvme belongs to another user."""
        file = self.root / self.file(bdf)[1:]
        if self.driver(bdf) == UIO and os.geteuid():
            return ["without an IOMMU only root may drive it"]
        if not file.exists() or os.access(file, os.R_OK | os.W_OK):
            return []
        return [f"{self.file(bdf)} belongs to another user: `{_sudo_pynvme()} bind {bdf}` gives it to you"]

    # Binding

    def acquire(self, bdf: str) -> None:
        """Bind a drive that is not in use to vfio-pci (or to uio_pci_generic), for this process.

        Do nothing if it is bound already, or if opening it will report the problem.
        """
        if not self.is_nvme(bdf):
            return
        owner = self._read(bdf)
        if self.driver(bdf) in (VFIO, UIO) and not (owner and owner.pid):
            self._refuse_kernel(bdf)
            self._refuse_open(bdf)
            return
        with self._lock(bdf):
            self._acquire(bdf, os.getpid())

    def bind(self, *bdfs: str, user: str = "") -> None:
        """Bind drives as acquire() does, until they are restored, and allow a user to open them.

        If one of them cannot be bound, rebind the others to their drivers.
        """
        for bdf in bdfs:
            if not self.is_nvme(bdf):
                raise DriveError(f"there is no NVMe controller {bdf} in this machine")
            self._refuse_kernel(bdf)
            if user and not self.group(bdf):
                raise DriveError(
                    f"{bdf} is in no IOMMU group, and without an IOMMU only root may drive it: switch VT-d "
                    "(AMD-Vi) on in the firmware's setup, and put intel_iommu=on on the kernel's command line"
                )
        with contextlib.ExitStack() as undo:
            for bdf in bdfs:
                is_new = self.driver(bdf) != self.driver_for(bdf)
                with self._lock(bdf):
                    self._acquire(bdf, 0, bdfs)
                if is_new:
                    undo.callback(self._release, bdf)
            for bdf in bdfs if user else ():
                shutil.chown(self.root / "dev/vfio" / self.group(bdf), user)
            undo.pop_all()

    def _refuse_kernel(self, bdf: str) -> None:
        """Refuse the modes of VFIO that pynvme does not support, by their names."""
        group = self.group(bdf)
        if not group:
            return
        if sysfs.text(self.root / "sys/kernel/iommu_groups" / group / "name") == "vfio-noiommu":
            raise DriveError(
                f"{bdf} is in no real IOMMU group, but in one of VFIO's no-IOMMU mode, "
                f"/dev/vfio/noiommu-{group}, which pynvme does not use (and which the kernels of Debian do "
                f"not have): unbind it from {VFIO}, and switch the IOMMU on"
            )
        if (self.root / "dev/iommu").exists() and not (self.root / "dev/vfio/vfio").exists():
            raise DriveError(
                f"{bdf}: this kernel has VFIO by iommufd alone, /dev/iommu, without /dev/vfio/vfio. pynvme "
                "uses groups and containers, which the kernels of Debian and Ubuntu have: CONFIG_VFIO_GROUP, "
                "and CONFIG_VFIO_CONTAINER or CONFIG_IOMMUFD_VFIO_CONTAINER"
            )

    def _refuse_open(self, bdf: str) -> None:
        users = self._drivers_of(bdf)
        if users:
            raise DriveError(f"{bdf} is in use by {'; '.join(users)}")

    def _acquire(self, bdf: str, pid: int, along: Collection[str] = ()) -> None:
        owner = self._read(bdf)
        if owner and owner.pid != pid and self._lives(owner):
            raise DriveError(f"{bdf} is in use by process {owner.pid}, which has taken it")
        wanted = self.driver_for(bdf)
        if self.driver(bdf) == wanted:
            self._refuse_open(bdf)
            # This process will rebind a drive that a killed process left. One that was bound by hand stays.
            if owner and owner.pid:
                self._write(bdf, owner._replace(pid=pid, start=self._start(pid)))
            return
        blockers = [other for other in self.blockers(bdf) if other not in along]
        if blockers:
            raise DriveError(self._shared(bdf, blockers))
        if not (self.drivers / wanted).is_dir():
            subprocess.run(["modprobe", wanted], capture_output=True)
        self._refuse_kernel(bdf)
        with self._claimed(bdf):
            # A drive that has just come back may not have its driver yet.
            before = self.driver(bdf) or (owner.driver if owner else "")
            self._write(bdf, Owner(before, pid, self._start(pid)))
            self._rebind(bdf, wanted)
        if self.driver(bdf) != wanted:
            self._release(bdf)
            raise DriveError(
                f"{bdf} cannot be bound to {wanted}: `sudo modprobe {wanted}`; `dmesg` may say more"
            )

    def _shared(self, bdf: str, blockers: list[str]) -> str:
        named = ", ".join(f"{other} ({self.driver(other)})" for other in blockers)
        text = (
            f"{bdf} shares its IOMMU group with {named}: they would have to be bound to {VFIO} as well, "
            "or to no driver"
        )
        if all(self.is_nvme(other) for other in blockers):
            text += f". `{_sudo_pynvme()} bind {' '.join([bdf, *blockers])}` binds all, if nothing uses them"
        return text

    @contextlib.contextmanager
    def _claimed(self, bdf: str) -> Iterator[None]:
        """Open the disks exclusively while they are unbound, so that none can be mounted in between."""
        deadline = time.monotonic() + SETTLE
        while used := self.users(bdf):
            if not all(text.startswith("process ") for text in used) or time.monotonic() > deadline:
                raise DriveError(f"{bdf} is in use: {'; '.join(used)}. Nothing was touched")
            time.sleep(0.05)
        with contextlib.ExitStack() as stack:
            for disk in self.disks(bdf):
                try:
                    fd = os.open(self.root / "dev" / disk, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC)
                except OSError as error:
                    if error.errno == errno.EBUSY:
                        raise DriveError(
                            f"{bdf} is in use: {disk} is claimed. Nothing was touched"
                        ) from error
                    continue
                stack.callback(os.close, fd)
            yield

    def _rebind(self, bdf: str, driver: str) -> None:
        device = self.devices / bdf
        (device / "driver_override").write_text(f"{driver}\n")
        if self.driver(bdf):
            (device / "driver/unbind").write_text(bdf)
        # A driver that cannot bind it returns an error.
        with contextlib.suppress(OSError):
            (self.devices.parent / "drivers_probe").write_text(bdf)

    # Virtual functions

    def functions(self, bdf: str) -> list[str]:
        """The addresses of its virtual functions, in the order of their numbers."""
        links = sorted((self.devices / bdf).glob("virtfn*"), key=lambda path: int(path.name[len("virtfn") :]))
        return [path.resolve().name for path in links]

    def enable_functions(self, bdf: str, count: int) -> list[str]:
        """Have the kernel enable the first virtual functions of a drive. Return their addresses."""
        file = self.devices / bdf / "sriov_numvfs"
        before = self.functions(bdf)
        if len(before) == count:
            return before
        # Otherwise the kernel would wait for the users.
        for function in before:
            if holders := self._open_in(self.file(function)):
                raise DriveError(f"the virtual function {function} is open in {holders[0]}: close it first")
        driver = self.driver(bdf)
        if not file.exists() or driver == UIO:
            raise NotImplementedError(f"{bdf}: {driver or 'no driver'} cannot enable virtual functions")
        try:
            if driver == VFIO:
                (self.root / "sys/module/vfio_pci/parameters/enable_sriov").write_text("Y")
            if before:
                file.write_text("0")
            if count:
                file.write_text(str(count))
        except OSError as error:
            raise DriveError(
                f"{bdf}: the kernel does not enable {count} virtual functions: {error}"
            ) from error
        return self.functions(bdf)

    # Removal from the kernel's list, and rescan

    def remove(self, bdf: str) -> None:
        """Remove a drive that is not in use from the kernel's list, as if it were pulled out."""
        if not self.is_nvme(bdf):
            raise DriveError(f"there is no NVMe controller {bdf} in this machine")
        owner = self._read(bdf)
        if owner and owner.pid not in (0, os.getpid()) and self._lives(owner):
            raise DriveError(f"{bdf} is in use by process {owner.pid}, which has taken it")
        # Otherwise the kernel would wait for the user, and nothing could end that.
        holders = self._open_in(self.file(bdf))
        if holders:
            raise DriveError(f"{bdf} is open in {holders[0]}: Pcie.close() first")
        if self.driver(bdf) != VFIO and (used := self.users(bdf)):
            raise DriveError(f"{bdf} is in use: {'; '.join(used)}. Nothing was touched")
        try:
            (self.devices / bdf / "remove").write_text("1")
        except PermissionError as error:
            raise DriveError(f"{bdf} cannot be removed: only root may do that") from error

    def rescan(self) -> list[str]:
        """Make the kernel search for new functions. Return the NVMe controllers that it found."""
        before = self.controllers()
        try:
            (self.devices.parent / "rescan").write_text("1")
        except PermissionError as error:
            raise DriveError(
                "only root may look for drives again: `echo 1 | sudo tee /sys/bus/pci/rescan`"
            ) from error
        return sorted({*self.controllers()} - {*before})

    def _open_in(self, device: str) -> list[str]:
        """The processes that have a file of /dev open, as far as this user may inspect them."""
        return [
            f"process {folder.name} ({sysfs.text(folder / 'comm')})"
            for folder in sorted(self.proc.glob("[0-9]*"))
            if device and device in self._open_files(folder.name)
        ]

    # Rebinding

    def release(self) -> None:
        """Rebind the drives that this process has bound. If a handle of one is still open, raise an error."""
        still_open = []
        for bdf in self._acquired():
            owner = self._read(bdf)
            if not owner or owner.pid != os.getpid() or owner.start != self._start(owner.pid):
                continue
            # The kernel would wait until this process closes the last handle, also of a virtual function.
            used = [one for one in (bdf, *self.functions(bdf)) if self.file(one) in self._open_files("self")]
            if used:
                still_open += used
                continue
            with self._lock(bdf):
                self._release(bdf)
        if still_open:
            raise DriveError(
                f"{', '.join(still_open)} is open in this process: it can be given back after Pcie.close()"
            )

    def _drivers_of(self, bdf: str) -> list[str]:
        """The other processes that use it, or its IOMMU group."""
        device = self.file(bdf)
        return [
            f"{process}, which has {device} open"
            for process in self._open_in(device)
            if not process.startswith(f"process {os.getpid()} ")
        ]

    def file(self, bdf: str) -> str:
        """The device file that a process opens to use it."""
        if self.driver(bdf) != UIO:
            return f"/dev/vfio/{self.group(bdf)}"
        return "".join(f"/dev/{path.name}" for path in (self.devices / bdf / "uio").glob("uio*"))

    def _open_files(self, process: str) -> set[str]:
        with contextlib.suppress(OSError):
            return {_link(path) for path in (self.proc / process / "fd").iterdir()}
        return set()

    def restore(self) -> list[str]:
        """Rebind the drives of `bind` and of processes that have ended. Return a sentence for each drive."""
        said = []
        for bdf in self._acquired():
            with self._lock(bdf):
                owner = self._read(bdf)
                if owner is None:
                    continue
                if owner.pid and self._lives(owner):
                    said.append(f"{bdf} stays: process {owner.pid} has it")
                    continue
                users = self._drivers_of(bdf)
                if users:
                    said.append(f"{bdf} stays: it is in use by {'; '.join(users)}")
                    continue
                self._release(bdf)
            said.append(f"{bdf} is bound to {self.driver(bdf) or 'no driver'}")
        return said

    def unbind(self, *bdfs: str) -> None:
        """Rebind drives to the kernel's driver, whoever has bound them. If one is in use, rebind none."""
        for bdf in bdfs:
            if not self.is_nvme(bdf):
                raise DriveError(f"there is no NVMe controller {bdf} in this machine")
            owner = self._read(bdf)
            if owner and owner.pid and self._lives(owner):
                raise DriveError(f"{bdf} is in use by process {owner.pid}, which has taken it")
            if self.driver(bdf) in (VFIO, UIO):
                self._refuse_open(bdf)
        for bdf in bdfs:
            with self._lock(bdf):
                self._release(bdf)
                if self.driver(bdf) in ("", VFIO, UIO):
                    self._rebind(bdf, "")

    def _release(self, bdf: str) -> None:
        owner = self._read(bdf)
        if owner is None:
            return
        device = self.devices / bdf
        if device.exists():
            if self.driver(bdf) in (VFIO, UIO):
                (device / "driver/unbind").write_text(bdf)
            (device / "driver_override").write_text("\n")
            if owner.driver and not self.driver(bdf):
                with contextlib.suppress(OSError):
                    (self.drivers / owner.driver / "bind").write_text(bdf)
        (self.state / bdf).unlink(missing_ok=True)

    # Owners

    @contextlib.contextmanager
    def _lock(self, bdf: str) -> Iterator[None]:
        """Hold the lock against other processes. Only a user who may bind drives can get it."""
        try:
            self.state.mkdir(mode=0o755, parents=True, exist_ok=True)
            fd = os.open(self.state / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except PermissionError:
            if self.driver(bdf) == VFIO:
                raise DriveError(
                    f"{bdf} is bound to {VFIO} for a script of root: when it has ended, "
                    f"`{_sudo_pynvme()} bind {bdf}` binds it for you"
                ) from None
            raise DriveError(
                f"{bdf} is not bound to {self.driver_for(bdf)} ({self.driver(bdf) or 'no driver'}), and only "
                f"root may bind it: `{_sudo_pynvme()} bind {bdf}`"
            ) from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        except PermissionError as error:
            raise DriveError(f"{bdf} cannot be bound: {error}") from error
        finally:
            os.close(fd)

    def _acquired(self) -> list[str]:
        if not self.state.is_dir():
            return []
        return sorted(name for name in os.listdir(self.state) if normal(name) == name)

    def _read(self, bdf: str) -> Owner | None:
        try:
            return Owner(**json.loads((self.state / bdf).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _write(self, bdf: str, owner: Owner) -> None:
        new = self.state / f".{bdf}"
        new.write_text(json.dumps(owner._asdict()))
        new.replace(self.state / bdf)

    def _start(self, pid: int) -> int:
        """When a process started, or 0 if there is none."""
        words = sysfs.text(self.proc / str(pid) / "stat").rpartition(")")[2].split() if pid else []
        return int(words[19]) if len(words) > 19 else 0

    def _lives(self, owner: Owner) -> bool:
        return owner.pid != 0 and self._start(owner.pid) == owner.start != 0


def _sudo_pynvme() -> str:
    """The beginning of a command that runs pynvme as root, by this Python."""
    return f"sudo {sys.executable or 'python3'} -m pynvme"


def _number(path: Path) -> int:
    try:
        return int(sysfs.text(path), 16)
    except ValueError:
        return 0


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


_machine = Machine()


def acquire(bdf: str) -> None:
    """Bind a PCIe drive for this process, see `Machine.acquire`."""
    _machine.acquire(bdf)


def release() -> None:
    """Rebind all drives that this process has bound to the kernel's driver.

    pynvme does that by itself when the process ends. A script that needs the kernel's driver earlier closes
    the drive (`Pcie.close()`) and calls this. Opening the drive binds it again.

    If a drive is still open, it rebinds the others and raises `DriveError`.

    Example:
        >>> nvme.Pcie(nvme0).close()
        >>> pynvme.pci.release()        # /dev/nvme0n1 comes back
    """
    _machine.release()


def enable_functions(bdf: str, count: int) -> list[str]:
    """Have the kernel enable virtual functions, see `pynvme.sriov.enable`."""
    return _machine.enable_functions(bdf, count)


def remove(address: str) -> None:
    """Remove a drive from the kernel's list, as if it were pulled out. `rescan` finds it again.

    If the drive is in use, also by a `Pcie` of this process, it raises `DriveError`:

        >>> pcie.close()
        >>> pci.remove("01:00.0")
        >>> pci.rescan()
        ['0000:01:00.0']
        >>> pcie = nvme.Pcie("01:00.0")
    """
    _machine.remove(_normal(address))


def rescan() -> list[str]:
    """Make the kernel search for new drives. Return the addresses of those that it found.

    It needs root. In a slot with hot-plug, the kernel finds a drive without a rescan.
    """
    return _machine.rescan()


def _normal(address: str) -> str:
    bdf = normal(address)
    if bdf is None:
        raise DriveError(f"{address!r} is not the address of a PCIe function, such as 01:00.0")
    return bdf
