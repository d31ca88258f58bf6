# SPDX-License-Identifier: BSD-3-Clause
"""Answers of a virtual SSD to vendor specific commands, as VirtualSsd.answer() plants them."""

from __future__ import annotations

from pynvme import control
from pynvme.spec import SubmissionQueueEntry


class Answer:
    """A planted answer. Used as a context manager, it is removed at the end."""

    def __init__(self, folder: str, opcode: int, admin: bool) -> None:
        self._folder = folder
        self.opcode = opcode
        self.admin = admin

    def __repr__(self) -> str:
        return f"<Answer to {'admin' if self.admin else 'I/O'} command {self.opcode:02X}h>"

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()

    @property
    def count(self) -> int:
        """How many commands it has answered."""
        return control.answered(self._folder, self.opcode, self.admin)[0]

    @property
    def sqe(self) -> SubmissionQueueEntry:
        """The last command that it has answered; zeros if there was none."""
        return SubmissionQueueEntry(control.answered(self._folder, self.opcode, self.admin)[1])

    @property
    def data(self) -> bytes:
        """What the host sent with that command, as many bytes as the answer receives."""
        return control.answered(self._folder, self.opcode, self.admin)[2]

    def remove(self) -> None:
        """Remove it: the drive refuses the opcode again."""
        control.remove_answer(self._folder, self.opcode, self.admin)
