# SPDX-License-Identifier: BSD-3-Clause
"""QEMU's monitor, which is the guest's second serial port, and what it does to a drive's slot."""

from __future__ import annotations

import os
import re
import select
import time
from pathlib import Path
from typing import Callable

from pynvme.power import Function, port_above
from tests.qemu.conftest import FUNCTIONS

TERMINAL = "/dev/ttyS1"
PROMPT = b"(qemu) "
IN_USE = "in use|[Dd]uplicate"
"""QEMU lets go of a card that is out a little later."""

COMMAND, MEMORY_SPACE = 0x04, 1 << 1
SLOT_CONTROL = 0x18
INTERRUPTS, INDICATOR_OFF, POWER_OFF = 1 << 5, 3 << 8, 1 << 10


def monitor(command: str, seconds: float = 60) -> str:
    """Have the monitor do something, and wait until it has: what it answered."""
    terminal = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    # It shows the whole line again with each character, the last time before its answer; what is left in the
    # terminal from before comes first.
    shown = f"{command}\x1b[K\r\n".encode()
    end, said = time.monotonic() + seconds, b""
    try:
        os.write(terminal, f"\r{command}\r".encode())
        while not (shown in said and said.endswith(PROMPT)):
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"the monitor does not answer {command!r}: {said[-200:]!r}")
            if select.select([terminal], [], [], left)[0]:
                said += os.read(terminal, 4096)
    finally:
        os.close(terminal)
    return said.rpartition(shown)[2].removesuffix(PROMPT).decode(errors="replace").strip()


def order(command: str, for_now: str = "$^", seconds: float = 30) -> None:
    """Have the monitor do something of which it says nothing, again as long as it says that it cannot yet."""
    end = time.monotonic() + seconds
    while said := monitor(command):
        if not re.search(for_now, said) or time.monotonic() > end:
            raise RuntimeError(f"the monitor says of {command!r}: {said!r}")
        time.sleep(0.2)


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not after {seconds} s")
        time.sleep(0.05)


def press_button(word: str) -> None:
    """Ask for a drive: the kernel lets go of it when it likes."""
    order(f"device_del {word}")


def pull_out(address: str) -> None:
    """Pull a drive out without a question.

    Its registers read as all ones at first, and a second later the slot is empty: QEMU ends by a fault where
    a card goes that has commands in flight. It takes a card away as soon as power and indicator of its slot
    are off; afterwards the port is as it was, as where a hand has pulled the drive. Until then the port does
    not interrupt: a kernel that looks between would find the power off, and keep the drive in its list.
    """
    port = port_above(address, Path("/"))
    assert port is not None
    at = port.express() + SLOT_CONTROL
    command, control = port.read(COMMAND, 2), port.read(at, 2)
    port.write(COMMAND, command & ~MEMORY_SPACE, 2)
    time.sleep(1)
    port.write(at, control & ~INTERRUPTS, 2)
    port.write(at, control & ~INTERRUPTS | POWER_OFF | INDICATOR_OFF, 2)
    port.write(at, control & ~INTERRUPTS, 2)
    port.write(at, control, 2)
    port.write(COMMAND, command, 2)


def _port_of_bus(address: str) -> Function:
    bus = int(address.split(":")[1], 16)
    for file in FUNCTIONS.glob("*/secondary_bus_number"):
        if int(file.read_text()) == bus:
            return Function(file.parent)
    raise LookupError(f"there is no port above {address}")


def put_in(word: str, address: str) -> None:
    """Put the drive into its slot; the kernel finds it by itself.

    A second passes before the kernel has let go of a slot, and QEMU would throw out what is put in meanwhile.
    """
    port = _port_of_bus(address)
    at = port.express() + SLOT_CONTROL
    off = POWER_OFF | INDICATOR_OFF
    wait_for(lambda: port.read(at, 2) & off == off, 60, f"the kernel switches {port.bdf} off")
    order(f"device_add nvme,id={word},bus=rp-{word},serial={word},drive=d-{word}", IN_USE)
    wait_for((FUNCTIONS / address).exists, 60, f"the kernel finds {address}")
