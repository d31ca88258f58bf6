# SPDX-License-Identifier: BSD-3-Clause
"""Count the instructions of a child process by single-stepping it with ptrace.

It needs no performance counters, which virtual machines often lack, and its result does not depend on the
load of the machine. Two corrections make the count accurate:

- The process sees time pass as if it ran at full speed. The stepper replaces the result of rdtsc by a clock
  that grows by one tick per instruction. Otherwise the process would do periodic work, such as reading a
  register, thousands of times too often.
- ``rep movsb`` stops once for each repetition, always at the same address. It counts as one instruction.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
from types import TracebackType
from typing import Callable

_PEEKTEXT, _PEEKUSER, _POKEUSER, _SINGLESTEP, _DETACH = 1, 3, 6, 9, 17
_SEIZE, _INTERRUPT = 0x4206, 0x4207
_RAX, _RDX, _RIP = 10 * 8, 12 * 8, 16 * 8  # struct user_regs_struct
_WALL = 0x40000000
_RDTSC, _RDTSCP = 0x310F, 0xF9010F
PATIENCE = 500_000
"""Steps without a change of the counter until the stepper gives up. 32 verified reads take some 50,000."""


class StepperError(RuntimeError):
    """The process cannot be followed."""


def unavailable() -> str | None:
    """Why single-stepping cannot work on this machine, or None if it can."""
    return None if platform.machine() == "x86_64" else f"it knows x86-64 only, not {platform.machine()}"


class Stepper:
    """A child process that runs instruction by instruction, inside of the `with` block."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self._libc.ptrace.restype = ctypes.c_long
        self._reads_clock: dict[int, bool] = {}
        self._clock: int | None = None
        self.instructions = 0
        self.clock_reads = 0

    def _ptrace(self, request: int, address: int = 0, data: int = 0) -> int:
        ctypes.set_errno(0)
        result: int = self._libc.ptrace(request, self._pid, address, data)
        if result == -1 and ctypes.get_errno():
            number = ctypes.get_errno()
            raise StepperError(f"process {self._pid} cannot be followed: {os.strerror(number)}")
        return result

    def __enter__(self) -> Stepper:
        self._ptrace(_SEIZE)
        self._ptrace(_INTERRUPT)
        self._signal = self._stopped()
        self._rip = self._ptrace(_PEEKUSER, _RIP)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(StepperError):
            self._ptrace(_DETACH)

    def _stopped(self) -> int:
        """Wait until the process has stopped, and return the signal to deliver when it continues."""
        _, status = os.waitpid(self._pid, _WALL)
        if not os.WIFSTOPPED(status):
            raise StepperError(f"process {self._pid} has ended")
        number = os.WSTOPSIG(status)
        return 0 if number == signal.SIGTRAP else number

    def step(self) -> None:
        """Execute one instruction, or one repetition of it."""
        at = self._rip
        reads_clock = self._reads_clock.get(at)
        if reads_clock is None:
            code = self._ptrace(_PEEKTEXT, at) & 0xFFFFFF
            reads_clock = self._reads_clock[at] = code & 0xFFFF == _RDTSC or code == _RDTSCP
        self._ptrace(_SINGLESTEP, 0, self._signal)
        self._signal = self._stopped()
        self._rip = self._ptrace(_PEEKUSER, _RIP)
        if self._rip != at:
            self.instructions += 1
        if reads_clock:
            self._replace_clock()

    def _replace_clock(self) -> None:
        """Replace the time that rdtsc has just put into EDX:EAX."""
        self.clock_reads += 1
        if self._clock is None:
            high, low = self._ptrace(_PEEKUSER, _RDX), self._ptrace(_PEEKUSER, _RAX)
            self._clock = ((high & 0xFFFFFFFF) << 32 | low & 0xFFFFFFFF) - self.instructions
        ticks = self._clock + self.instructions
        self._ptrace(_POKEUSER, _RAX, ticks & 0xFFFFFFFF)
        self._ptrace(_POKEUSER, _RDX, ticks >> 32)

    def until_change(self, counter: Callable[[], int]) -> None:
        """Step to the instruction that changes the result of ``counter``. StepperError if none does."""
        seen = counter()
        for _ in range(PATIENCE):
            self.step()
            if counter() != seen:
                return
        raise StepperError(f"process {self._pid} gets nothing done")

    def instructions_each(self, counter: Callable[[], int], steps: int, least: int = 1) -> float:
        """Instructions for each increment of ``counter``, over at least this number of steps and increments.

        It ends with an instruction that changes the counter. Call it after such an instruction too, so that
        it counts whole increments only.
        """
        before, first = self.instructions, counter()
        while self.instructions - before < steps:
            self.step()
        self.until_change(counter)
        while counter() - first < least:
            self.until_change(counter)
        return (self.instructions - before) / (counter() - first)
