# SPDX-License-Identifier: BSD-3-Clause
"""The journal of a campaign: what began and what ended, in ``journal.jsonl`` of its folder.

It is the only truth: results, page and tables are made of it and of the files of the jobs. An event counts
once :meth:`Journal.sync` has returned. One line is one event, so that a process that is killed while it
writes damages the last line at most, which the next one cuts off.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = "journal.jsonl"
VERSION = 1
INTERRUPTED = "interrupted"
"""The outcome of a job that the user, or the end of the campaign, has ended. It runs again."""


class JournalError(RuntimeError):
    """A journal that cannot be used, with the reason and what to do."""


class Journal:
    """The journal of a folder, open for writing. It is locked, so that a folder has one campaign.

    Args:
        folder: the folder of the campaign
        new: whether there must be no journal yet
    """

    def __init__(self, folder: Path, new: bool) -> None:
        self.path = folder / FILE
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | (os.O_EXCL if new else 0)
        try:
            self._fd = os.open(self.path, flags, 0o644)
        except FileExistsError:
            raise JournalError(f"{folder} has a campaign already: go on with --resume {folder}") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise JournalError(f"another process runs the campaign in {folder}: end that one first") from None
        self._waiting: list[bytes] = []
        self._opened = time.monotonic()
        self._cut()
        if new:
            _sync_folder(folder)

    def _cut(self) -> None:
        """Cut a last line off that was not written as a whole."""
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.ftruncate(self._fd, whole)
        os.lseek(self._fd, 0, os.SEEK_END)

    def add(self, event: str, **more: Any) -> dict[str, Any]:
        """Add an event, which counts only after the next :meth:`sync`.

        Returns it with its ``time``, and ``elapsed``, the seconds since the journal was opened, in which a
        clock that is set changes nothing.
        """
        elapsed = round(time.monotonic() - self._opened, 3)
        line = {"event": event, **more, "time": round(time.time(), 3), "elapsed": elapsed}
        self._waiting.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        return line

    def sync(self) -> None:
        """Write all events that were added, and force them to the disk.

        Raises OSError if that fails, such as on a full disk.
        """
        if not self._waiting:
            return
        data = b"".join(self._waiting)
        self._waiting.clear()
        while data:
            data = data[os.write(self._fd, data) :]
        os.fdatasync(self._fd)

    def close(self) -> None:
        """Release the folder. Events that were not written never happened: their files may be missing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read(folder: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """The events of a campaign, the oldest first. A torn last line is left out.

    Raises:
        JournalError: there is no journal, another line is damaged, or its version is newer
    """
    path = Path(folder) / FILE
    try:
        file = path.open("rb")
    except OSError as error:
        raise JournalError(f"{folder} is not the folder of a campaign: {path}: {error.strerror}") from None
    with file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                found = json.loads(line)
                event = found["event"]
            except (ValueError, KeyError, TypeError):
                raise JournalError(f"{path}, line {number} is damaged: {line[:80]!r}") from None
            if event == "campaign" and found.get("version") not in range(VERSION + 1):
                raise JournalError(f"{path} has version {found.get('version')}; this pynvme reads {VERSION}")
            yield found


@dataclass
class State:
    """What a journal says of a campaign."""

    campaign: dict[str, Any] = field(default_factory=dict)
    """The first event."""
    drives: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The last event of each drive, by its key."""
    begun: dict[str, int] = field(default_factory=dict)
    """The number of the last attempt of each job."""
    running: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Jobs that began and did neither end nor get lost: at a resume they are lost."""
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The end of each job that needs not run again."""
    lost: dict[str, int] = field(default_factory=dict)
    """How many attempts of a job were lost, other than by the end of the campaign's own process."""
    aside: dict[str, str] = field(default_factory=dict)
    """Why drives were set aside."""
    suspect: set[str] = field(default_factory=set)
    """Keys of drives that were used by a job that was lost, and that were not found to be fit since."""
    why: str = ""
    """How the last session ended, or empty if it was killed."""

    @property
    def findings(self) -> int:
        """How many findings there are."""
        return sum(int(end.get("findings", 0)) for end in self.done.values())

    def take(self, event: dict[str, Any]) -> None:
        """Follow one more event. Those of a later pynvme are ignored."""
        follow = getattr(self, f"_on_{event['event']}", None)
        if follow is not None:
            follow(event)

    def _on_campaign(self, event: dict[str, Any]) -> None:
        self.campaign = event

    def _on_drive(self, event: dict[str, Any]) -> None:
        self.drives[event["drive"]] = event

    def _on_begin(self, event: dict[str, Any]) -> None:
        self.begun[event["job"]] = event["attempt"]
        self.running[event["job"]] = event
        self.why = ""

    def _on_end(self, event: dict[str, Any]) -> None:
        began = self.running.pop(event["job"], None)
        if event["outcome"] != INTERRUPTED:
            self.done[event["job"]] = {**(began or {}), **event}

    def _on_lost(self, event: dict[str, Any]) -> None:
        began = self.running.pop(event["job"], None)
        if event.get("blame", True):
            self.lost[event["job"]] = self.lost.get(event["job"], 0) + 1
        if began is not None:
            self.suspect.add(began["drive"])

    def _on_health(self, event: dict[str, Any]) -> None:
        if event["fit"]:
            self.suspect.discard(event["drive"])
            self.aside.pop(event["drive"], None)

    def _on_aside(self, event: dict[str, Any]) -> None:
        self.aside[event["drive"]] = event["why"]

    def _on_stop(self, event: dict[str, Any]) -> None:
        self.why = event["why"]


def replay(events: Iterable[dict[str, Any]]) -> State:
    """What events say, the oldest first. JournalError if one of them lacks what it has to tell."""
    state = State()
    for event in events:
        try:
            state.take(event)
        except (KeyError, TypeError) as error:
            raise JournalError(f"an event of the journal is damaged: {error!r} in {event}") from error
    return state
