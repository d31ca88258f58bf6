# SPDX-License-Identifier: BSD-3-Clause
"""Power and link of the drives of this machine, by what the kernel and the port above a drive offer.

`Subsystem` and `Pcie` of the module `nvme` are what scripts use; this is what is behind them.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from pathlib import Path

from pynvme import pci

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
"""What a value of ASPM Support means."""

NOTICE = 2.0
"""Seconds in which a kernel that watches a slot has noticed that the link is down."""

RETURN = 60.0
"""Seconds in which a drive is back after its power."""

SHORTEST_SUSPEND = 5
"""Seconds: a machine takes a while to fall asleep, and an alarm before that would wake nobody."""


class Function:
    """The configuration space of a PCI function, by the kernel's file; beyond 64 bytes it is root's."""

    def __init__(self, folder: Path) -> None:
        self.bdf = folder.name
        self._file = folder / "config"

    def read(self, offset: int, size: int) -> int:
        """Give a register; PermissionError: it is root's."""
        fd = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.pread(fd, size, offset)
        finally:
            os.close(fd)
        if len(data) != size:
            raise PermissionError(f"only root may read the configuration space of {self.bdf}")
        return int.from_bytes(data, "little")

    def write(self, offset: int, value: int, size: int) -> None:
        """Set a register."""
        fd = os.open(self._file, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(fd, value.to_bytes(size, "little"), offset)
        finally:
            os.close(fd)

    def express(self) -> int:
        """Tell where the PCI Express capability is; 0: there is none."""
        offset = self.read(0x34, 1) & 0xFC
        seen: set[int] = set()
        while offset and offset not in seen:
            seen.add(offset)
            if self.read(offset, 1) == CAP_EXPRESS:
                return offset
            offset = self.read(offset + 1, 1) & 0xFC
        return 0


def port_above(bdf: str, root: Path) -> Function | None:
    """Give the port that the link of a function leads to; None: it is on a root bus, and has no link."""
    folder = (root / "sys/bus/pci/devices" / bdf).resolve().parent
    with contextlib.suppress(OSError, ValueError):
        if int((folder / "class").read_text(), 16) >> 8 == CLASS_BRIDGE:
            return Function(folder)
    return None


class Link:
    """The link of a drive: the port above it and the drive itself."""

    def __init__(self, bdf: str, root: Path | str = "/") -> None:
        self.drive = Function(Path(root) / "sys/bus/pci/devices" / bdf)
        port = port_above(bdf, Path(root))
        if port is None:
            raise NotImplementedError(f"{bdf} has no link whose ASPM could be set: there is no port above it")
        self.port = port

    def set_aspm(self, value: int) -> None:
        """Set ASPM Control at both ends: what goes at the drive first, what comes at the port first.

        A state that one end does not support is a NotImplementedError that names the end, and nothing is
        changed (PCI Express Base 5.0, 5.4.1.3: enabled upstream first, disabled downstream first).
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
        """Tell where Link Control is, of an end that supports this value."""
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
    """What a machine has that takes the power from a drive; tests make up others, with another root."""

    def __init__(self, root: Path | str = "/") -> None:
        self.root = Path(root)
        self.devices = self.root / "sys/bus/pci/devices"
        self.slots = self.root / "sys/bus/pci/slots"
        self.power = self.root / "sys/power"
        self.clocks = self.root / "sys/class/rtc"

    # The slot

    def slot(self, bdf: str) -> Path | None:
        """Give the kernel's folder of the slot that a function is in, whether it has power or not."""
        for address in sorted(self.slots.glob("*/address")):
            if _text(address) == bdf.rpartition(".")[0] and (address.parent / "power").exists():
                return address.parent
        return None

    def lacks_slot(self, bdf: str) -> str:
        """Tell why the power of its slot cannot be switched; "": it can."""
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
        """Name other functions in the slot that a driver has."""
        machine = pci.Machine(self.root)
        found = sorted(path.name for path in self.devices.glob(f"{bdf.rpartition('.')[0]}.*"))
        return [
            f"{other} ({machine.driver(other)})"
            for other in found
            if other != bdf and machine.driver(other) not in pci.HARMLESS
        ]

    def check_slot(self, bdf: str) -> None:
        """Raise NotImplementedError where the slot cannot switch the power: what the machine lacks."""
        reason = self.lacks_slot(bdf)
        if not reason:
            return
        suspend = self.lacks_suspend() or "suspend to RAM can, but for power_cycle(sec) only"
        raise NotImplementedError(
            f"nothing here can switch the power of {bdf}: Subsystem has no poweron_cb and poweroff_cb; "
            f"{reason}; {suspend}"
        )

    def slot_power(self, bdf: str, on: bool) -> None:
        """Switch the power of the slot; off: the function must be nobody's, or the kernel waits for it."""
        slot = self.slot(bdf)
        if slot is None:
            raise NotImplementedError(f"the slot of {bdf} is gone (/sys/bus/pci/slots)")
        if (_text(slot / "power") == "1") == on:
            return
        try:
            (slot / "power").write_text("1" if on else "0")
        except PermissionError as error:
            raise PermissionError(
                f"only root may switch the power of {slot}: run the script as root"
            ) from error
        except OSError as error:
            # The kernel may have switched it on by itself meanwhile, since it has seen a card.
            if (_text(slot / "power") == "1") != on:
                raise OSError(
                    error.errno,
                    f"the kernel does not switch {slot} {'on' if on else 'off'}: {error.strerror}",
                ) from error

    def wait_for(self, bdf: str) -> None:
        """Wait until the kernel has found the function again; TimeoutError."""
        end = time.monotonic() + RETURN
        while not (self.devices / bdf / "class").exists():
            if time.monotonic() > end:
                raise TimeoutError(f"{bdf} has power again, and is not back after {RETURN:.0f} s")
            time.sleep(0.05)

    # Suspend to RAM

    def lacks_suspend(self) -> str:
        """Tell why this machine cannot be suspended to RAM and wake up by itself; "": it can."""
        offered = _text(self.power / "mem_sleep")
        if "deep" not in offered.replace("[", "").replace("]", "").split():
            found = f"/sys/power/mem_sleep offers {offered or 'nothing'}, not deep"
            return f"this machine has no suspend to RAM ({found})"
        if self._clock() is None:
            return "this machine has no clock that wakes it from suspend to RAM (/sys/class/rtc/*/wakealarm)"
        if not os.access(self.power / "state", os.W_OK):
            return "only root may suspend this machine to RAM: run the script as root"
        return ""

    def is_suspend(self, bdf: str) -> bool:
        """Tell whether suspend to RAM is what takes the power from a drive here."""
        return bool(self.lacks_slot(bdf)) and not self.lacks_suspend()

    def _clock(self) -> Path | None:
        return next(iter(sorted(self.clocks.glob("*/wakealarm"))), None)

    def suspend(self, seconds: float) -> None:
        """Suspend the whole machine to RAM, and wake it up after so many seconds, at least 5."""
        clock = self._clock()
        assert clock is not None, self.lacks_suspend()
        before = _text(self.power / "mem_sleep")
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


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
