# SPDX-License-Identifier: BSD-3-Clause
"""Power and link of PCIe drives, by the kernel and the port above a drive.

Scripts use `Subsystem` and `Pcie` of the module `nvme`, which call this module.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from pathlib import Path

from pynvme import pci, sysfs

CAP_EXPRESS = 0x10
CLASS_BRIDGE = 0x0604

EXPRESS_FLAGS = 0x02  # offsets in the PCI Express capability
LINK_CAPABILITIES = 0x0C
LINK_CONTROL = 0x10
SLOT_CAPABILITIES = 0x14

SLOT_IMPLEMENTED = 1 << 8
POWER_CONTROLLER = 1 << 1
ASPM = 3

ASPM_STATES = ("no ASPM", "L0s only", "L1 only", "L0s and L1")
"""The meaning of each value of ASPM Support."""

NOTICE = 2.0
"""Seconds in which a kernel with hot-plug notices that the link is down."""

RETURN = 60.0
"""Seconds in which a drive is back after power-on."""

SHORTEST_SUSPEND = 5
"""The shortest suspend, in seconds. An alarm before the machine sleeps would not wake it."""


class Function:
    """The configuration space of a PCI function, by the kernel's file. Only root may read beyond 64 bytes."""

    def __init__(self, folder: Path) -> None:
        self.bdf = folder.name
        self._file = folder / "config"

    def read(self, offset: int, size: int) -> int:
        """Read a register. PermissionError if only root may read it."""
        fd = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.pread(fd, size, offset)
        finally:
            os.close(fd)
        if len(data) != size:
            raise PermissionError(f"only root may read the configuration space of {self.bdf}")
        return int.from_bytes(data, "little")

    def write(self, offset: int, value: int, size: int) -> None:
        """Write a register."""
        fd = os.open(self._file, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(fd, value.to_bytes(size, "little"), offset)
        finally:
            os.close(fd)

    def express(self) -> int:
        """The offset of the PCI Express capability, or 0 if there is none."""
        offset = self.read(0x34, 1) & 0xFC
        seen: set[int] = set()
        while offset and offset not in seen:
            seen.add(offset)
            if self.read(offset, 1) == CAP_EXPRESS:
                return offset
            offset = self.read(offset + 1, 1) & 0xFC
        return 0


def port_above(bdf: str, root: Path) -> Function | None:
    """The port at the other end of a function's link, or None on a root bus, which has no link."""
    folder = (root / "sys/bus/pci/devices" / bdf).resolve().parent
    with contextlib.suppress(OSError, ValueError):
        if int((folder / "class").read_text(), 16) >> 8 == CLASS_BRIDGE:
            return Function(folder)
    return None


class Link:
    """The link between a drive and the port above it."""

    def __init__(self, bdf: str, root: Path | str = "/") -> None:
        self.drive = Function(Path(root) / "sys/bus/pci/devices" / bdf)
        port = port_above(bdf, Path(root))
        if port is None:
            raise NotImplementedError(f"{bdf} has no link whose ASPM could be set: there is no port above it")
        self.port = port

    def set_aspm(self, value: int) -> None:
        """Set ASPM Control at both ends. Enable a state at the port first, disable it at the drive first.

        This is the order of PCI Express Base 5.0, 5.4.1.3. If one end does not support a state, change
        nothing, and raise a NotImplementedError that names the end.
        """
        try:
            drive, port = self._control(self.drive, value), self._control(self.port, value)
            self._set(self.drive, drive, self.drive.read(drive, 2) & value)
            self._set(self.port, port, value)
            self._set(self.drive, drive, value)
        except PermissionError:
            raise PermissionError(
                f"ASPM of {self.drive.bdf} is set in the configuration space of both ends of its link, the "
                f"drive and the port {self.port.bdf}, which only root may write: run the script as root"
            ) from None

    def _control(self, end: Function, value: int) -> int:
        """The offset of Link Control of an end. NotImplementedError if it does not support this value."""
        express = end.express()
        name = f"the port {end.bdf} above it" if end is self.port else f"the drive {end.bdf}"
        if not express:
            raise NotImplementedError(f"{name} has no PCI Express capability")
        support = end.read(express + LINK_CAPABILITIES, 4) >> 10 & ASPM
        if value & ~support:
            raise NotImplementedError(
                f"aspm = {value} needs {ASPM_STATES[value]}, and {name} supports {ASPM_STATES[support]} "
                "(ASPM Support in its Link Capabilities)"
            )
        return express + LINK_CONTROL

    def _set(self, end: Function, offset: int, value: int) -> None:
        end.write(offset, end.read(offset, 2) & ~ASPM | value & ASPM, 2)


class Host:
    """A machine that can switch the power of a drive. Tests simulate others, with another root."""

    def __init__(self, root: Path | str = "/") -> None:
        self.root = Path(root)
        self.devices = self.root / "sys/bus/pci/devices"
        self.slots = self.root / "sys/bus/pci/slots"
        self.power = self.root / "sys/power"
        self.clocks = self.root / "sys/class/rtc"

    # The slot

    def slot(self, bdf: str) -> Path | None:
        """The kernel's folder of the slot of a function, whether the slot has power or not."""
        for address in sorted(self.slots.glob("*/address")):
            if sysfs.text(address) == bdf.rpartition(".")[0] and (address.parent / "power").exists():
                return address.parent
        return None

    def lacks_slot(self, bdf: str) -> str:
        """Why the power of its slot cannot be switched, or "" if it can."""
        if self.slot(bdf) is None:
            return "the kernel knows no slot of it whose power it can switch (/sys/bus/pci/slots)"
        port = port_above(bdf, self.root)
        if port is None:
            return "there is no port above it"
        try:
            express = port.express()
            has_slot = express and port.read(express + EXPRESS_FLAGS, 2) & SLOT_IMPLEMENTED
            if not has_slot or not port.read(express + SLOT_CAPABILITIES, 4) & POWER_CONTROLLER:
                return f"its slot has no Power Controller (Slot Capabilities of {port.bdf})"
        except PermissionError as error:
            return f"{error}, which tells whether its slot has a Power Controller"
        others = self._others(bdf)
        if others:
            return f"its slot also holds {', '.join(others)}, which the kernel uses"
        return ""

    def _others(self, bdf: str) -> list[str]:
        """Other functions in the slot that are bound to a driver."""
        machine = pci.Machine(self.root)
        found = sorted(path.name for path in self.devices.glob(f"{bdf.rpartition('.')[0]}.*"))
        return [
            f"{other} ({machine.driver(other)})"
            for other in found
            if other != bdf and machine.driver(other) not in pci.HARMLESS
        ]

    def check_slot(self, bdf: str) -> None:
        """Raise NotImplementedError, with what the machine lacks, if the slot cannot switch the power."""
        reason = self.lacks_slot(bdf)
        if not reason:
            return
        suspend = self.lacks_suspend() or "suspend to RAM can, but for power_cycle(sec) only"
        raise NotImplementedError(
            f"nothing here can switch the power of {bdf}: Subsystem has no poweron_cb and poweroff_cb; "
            f"{reason}; {suspend}"
        )

    def slot_power(self, bdf: str, on: bool) -> None:
        """Switch the power of the slot. Close the function before off, or else the kernel waits for that."""
        slot = self.slot(bdf)
        if slot is None:
            raise NotImplementedError(f"the slot of {bdf} is gone (/sys/bus/pci/slots)")
        if (sysfs.text(slot / "power") == "1") == on:
            return
        try:
            (slot / "power").write_text("1" if on else "0")
        except PermissionError as error:
            raise PermissionError(
                f"only root may switch the power of {slot}: run the script as root"
            ) from error
        except OSError as error:
            # The kernel may have switched it on by itself meanwhile, since it has detected a card.
            if (sysfs.text(slot / "power") == "1") != on:
                raise OSError(
                    error.errno,
                    f"the kernel does not switch {slot} {'on' if on else 'off'}: {error.strerror}",
                ) from error

    def wait_for(self, bdf: str) -> None:
        """Wait until the kernel has found the function again. TimeoutError if it does not."""
        end = time.monotonic() + RETURN
        while not (self.devices / bdf / "class").exists():
            if time.monotonic() > end:
                raise TimeoutError(f"{bdf} has power again, and is not back after {RETURN:.0f} s")
            time.sleep(0.05)

    # Suspend to RAM

    def lacks_suspend(self) -> str:
        """Why this machine cannot suspend to RAM and wake by itself, or "" if it can."""
        offered = sysfs.text(self.power / "mem_sleep")
        if "deep" not in offered.replace("[", "").replace("]", "").split():
            found = f"/sys/power/mem_sleep offers {offered or 'nothing'}, not deep"
            return f"this machine has no suspend to RAM ({found})"
        if self._clock() is None:
            return "this machine has no clock that wakes it from suspend to RAM (/sys/class/rtc/*/wakealarm)"
        if not os.access(self.power / "state", os.W_OK):
            return "only root may suspend this machine to RAM: run the script as root"
        return ""

    def is_suspend(self, bdf: str) -> bool:
        """Whether suspend to RAM is the way to switch the power of this drive."""
        return bool(self.lacks_slot(bdf)) and not self.lacks_suspend()

    def _clock(self) -> Path | None:
        return next(iter(sorted(self.clocks.glob("*/wakealarm"))), None)

    def suspend(self, seconds: float) -> None:
        """Suspend the whole machine to RAM, and wake it after this number of seconds, at least 5."""
        clock = self._clock()
        assert clock is not None, self.lacks_suspend()
        before = sysfs.text(self.power / "mem_sleep")
        self._write(clock, "0")
        self._write(clock, f"+{max(math.ceil(seconds), SHORTEST_SUSPEND)}")
        try:
            self._write(self.power / "mem_sleep", "deep")
            self._write(self.power / "state", "mem")
        except OSError as error:
            raise OSError(
                error.errno, f"the kernel does not suspend this machine to RAM: {error.strerror} (`dmesg`)"
            ) from error
        finally:
            self._write(clock, "0")
            for word in before.split():
                if word.startswith("["):
                    self._write(self.power / "mem_sleep", word.strip("[]"))

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
