# SPDX-License-Identifier: BSD-3-Clause
"""Count the instructions of a child process by single-stepping it with ptrace.

It needs no performance counters, which virtual machines often lack, and its result does not depend on who
else uses the CPUs. Two things make it the true number:

- The process sees time pass as if it ran at full speed: what rdtsc returns is replaced by a clock that grows
  by a tick with each instruction. Otherwise chores that are due by time, like a look at a register now and
  then, would be done thousands of times too often.
- ``rep movsb`` stops once for each repetition, always at the same address; it counts as one.
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
"""Steps without a change of the counter after which it never changes; 32 verified reads take some 50,000."""


class StepperError(RuntimeError):
    """The process cannot be followed."""


def unavailable() -> str | None:
    """Why it cannot work on this machine; None: it can, as far as one can tell."""
    return None if platform.machine() == "x86_64" else f"it knows x86-64 only, not {platform.machine()}"


class Stepper:
    """A child process that goes on instruction by instruction, as long as this object is entered."""

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
        """Wait until it stands still; the signal that it is to be given when it goes on."""
        _, status = os.waitpid(self._pid, _WALL)
        if not os.WIFSTOPPED(status):
            raise StepperError(f"process {self._pid} has ended")
        number = os.WSTOPSIG(status)
        return 0 if number == signal.SIGTRAP else number

    def step(self) -> None:
        """One instruction, or one repetition of one."""
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
        """rdtsc has just put the time into EDX:EAX."""
        self.clock_reads += 1
        if self._clock is None:
            high, low = self._ptrace(_PEEKUSER, _RDX), self._ptrace(_PEEKUSER, _RAX)
            self._clock = ((high & 0xFFFFFFFF) << 32 | low & 0xFFFFFFFF) - self.instructions
        ticks = self._clock + self.instructions
        self._ptrace(_POKEUSER, _RAX, ticks & 0xFFFFFFFF)
        self._ptrace(_POKEUSER, _RDX, ticks >> 32)

    def until_change(self, counter: Callable[[], int]) -> None:
        """Go on to the instruction that changes what ``counter`` returns. StepperError: none does."""
        seen = counter()
        for _ in range(PATIENCE):
            self.step()
            if counter() != seen:
                return
        raise StepperError(f"process {self._pid} gets nothing done")

    def instructions_each(self, counter: Callable[[], int], steps: int) -> float:
        """Instructions for each one that ``counter`` counts, over at least so many steps.

        It ends with an instruction that changes the counter and is to begin after one, so that no part of
        anything is counted.
        """
        before, first = self.instructions, counter()
        while self.instructions - before < steps:
            self.step()
        self.until_change(counter)
        return (self.instructions - before) / (counter() - first)
