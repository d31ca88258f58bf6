# SPDX-License-Identifier: BSD-3-Clause
"""Finds the client of a vfio-user device, which serves one client at a time.

The kernel lists the connections of a socket (sock_diag of Linux, for sockets of this network namespace), and
/proc tells which process holds the other end.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 5.0
"""Seconds that a script waits until another one closes a device, since that may be about to end."""

_LOOK = 0.05
_SHOWN = 100
"""How many characters of a command line are shown."""

_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301
_DONE, _ERROR = 3, 2
_SHOW_VFS, _SHOW_PEER = 2, 4
_ATTRIBUTE_VFS, _ATTRIBUTE_PEER = 1, 2
_ESTABLISHED = 1

_HEADER = struct.Struct("=IHHII")
_QUERY = struct.Struct("=BBHIIIII")
_SOCKET = struct.Struct("=BBBBIII")
_ATTRIBUTE = struct.Struct("=HH")


class Waiting:
    """Waits for other clients of a device that could not be opened, by its socket or the folder of that.

    Call :meth:`is_over` after each failed attempt. All waits together take no longer than ``patience``
    seconds.
    """

    #: Why the wait has ended, as a text for the user. Empty if the kernel knows of no client.
    reason = ""

    def __init__(self, path: str, patience: float = PATIENCE) -> None:
        self._path = os.path.join(path, "cntrl") if os.path.isdir(path) else path
        self._patience = patience
        self._deadline = time.monotonic() + patience
        self._attempts = 0

    def is_over(self, refused: bool) -> bool:
        """Wait until no client has the device. Return False to try again, or True if the last error stands.

        ``refused`` is true if the device answered that it is in use, and false if it did not answer.
        """
        self._attempts += 1
        held = False
        while ends := client_ends(self._path):
            held = True
            if ends & _sockets_of("self"):
                self.reason = "this process has it open already, by another path"
                return True
            if time.monotonic() >= self._deadline:
                self.reason = self._explain(ends)
                return True
            time.sleep(_LOOK)
        # The other client may have left before this check, which is worth one more attempt.
        left = refused and self._attempts == 1
        return time.monotonic() >= self._deadline or not (held or left)

    def _explain(self, ends: set[int]) -> str:
        who = ", ".join(_processes(ends)) or "a process that this user may not look into"
        return (
            f"it serves one client at a time, and {who} still has it open after {self._patience:g} s: "
            "end that process, or use another device"
        )


def client_ends(where: str) -> set[int]:
    """Give the inode numbers of the sockets that are connected to the server at a socket's path."""
    try:
        status = os.stat(where)
        found = [(peer, inode) for vfs, inode, peer in _connections() if vfs == _vfs(status)]
    except (OSError, struct.error):
        return set()
    # A connection that the server has not accepted yet has no inode.
    return {peer for peer, inode in found if peer and inode}


def _vfs(status: os.stat_result) -> tuple[int, int]:
    return status.st_ino & 0xFFFFFFFF, os.major(status.st_dev) << 20 | os.minor(status.st_dev)


def _connections() -> Iterator[tuple[tuple[int, int], int, int]]:
    """Give file, inode number, and inode number of the other end, for each connected socket with a path."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG) as kernel:
        kernel.settimeout(1)
        query = _QUERY.pack(
            socket.AF_UNIX, 0, 0, 1 << _ESTABLISHED, 0, _SHOW_VFS | _SHOW_PEER, 0xFFFFFFFF, 0xFFFFFFFF
        )
        header = _HEADER.pack(_HEADER.size + len(query), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0)
        kernel.send(header + query)
        while True:
            for kind, message in _messages(kernel.recv(1 << 16)):
                if kind in (_DONE, _ERROR):
                    return
                inode = _SOCKET.unpack_from(message)[4]
                attributes = dict(_attributes(message[_SOCKET.size :]))
                if {_ATTRIBUTE_VFS, _ATTRIBUTE_PEER} <= attributes.keys():
                    file, device = struct.unpack("=II", attributes[_ATTRIBUTE_VFS])
                    (peer,) = struct.unpack("=I", attributes[_ATTRIBUTE_PEER])
                    yield (file, device), inode, peer


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind = _HEADER.unpack_from(data)[:2]
        yield kind, data[_HEADER.size : length]
        data = data[max(length + 3 & ~3, _HEADER.size) :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        yield kind, data[_ATTRIBUTE.size : length]
        data = data[max(length + 3 & ~3, _ATTRIBUTE.size) :]


def _sockets_of(process: str) -> set[int]:
    found = set()
    with contextlib.suppress(OSError):
        for file in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = os.readlink(file)
                if target.startswith("socket:["):
                    found.add(int(target[8:-1]))
    return found


def holders(folder: str) -> list[str]:
    """Name the processes that have the device in this folder open, as far as this user may inspect them."""
    return _processes(client_ends(os.path.join(folder, "cntrl")))


def _processes(ends: set[int]) -> list[str]:
    """Name the processes that hold one of these sockets, as far as this user may inspect them."""
    return [
        f"process {folder.name} ({_command(folder)})"
        for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda folder: int(folder.name))
        if ends & _sockets_of(folder.name)
    ]


def _command(folder: Path) -> str:
    with contextlib.suppress(OSError):
        text = " ".join((folder / "cmdline").read_bytes().decode(errors="replace").split("\0")).strip()
        text = " ".join(text.split())
        return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return "it has ended"
