# SPDX-License-Identifier: BSD-3-Clause
"""nvme-cli on a virtual SSD: commands and decoding by an independent program.

nvme-cli wants a device file of the kernel. Here its ioctl() is replaced (nvme_ioctl.c, preloaded), and what
it sends goes to a controller that the raw client of this folder drives: no kernel driver, no root.

    library = build(folder)                     # once
    with NvmeCli(nvme, library, folder) as cli:    # nvme: client.Nvme, enabled
        cli.json("id-ctrl")["mdts"]
        cli.run("flush", "-n", "1").stdout
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from client import Nvme

PROGRAM = shutil.which("nvme", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
COMPILER = shutil.which("cc") or shutil.which("gcc")
TIMEOUT = 20.0

# struct nvme_passthru_cmd, behind the 32 bits that say which queue.
REQUEST = struct.Struct("<I BBH I II QQ II 6I II")
PAGE = 4096
DATA_MAX = 2 * PAGE  # two PRPs, without a list; nvme-cli fetches logs in pieces of 4 KiB


def build(folder: Path) -> Path:
    """Compile what is preloaded into nvme-cli."""
    assert COMPILER
    library = folder / "nvme_ioctl.so"
    source = Path(__file__).with_name("nvme_ioctl.c")
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return library


class NvmeCli:
    """Runs nvme-cli against an enabled controller, and creates I/O queue 1. A socket is put into `folder`."""

    def __init__(self, nvme: Nvme, library: Path, folder: Path) -> None:
        self.queues = [nvme.admin, nvme.create_queue(1, 16)]
        self.memory = nvme.memory
        self.buffer = nvme.memory.alloc(DATA_MAX)
        self.library = library
        self.path = folder / "ioctl"
        self._error: BaseException | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, name="nvme-cli", daemon=True)
        self._thread.start()

    def __enter__(self) -> NvmeCli:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(TIMEOUT)
        self._listener.close()

    def run(self, command: str, *options: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `nvme COMMAND`, which may have a group ("fdp stats").

        `status` is the exit code that it must end with, 1 where the drive refuses.
        """
        assert PROGRAM
        environment = {
            "LD_PRELOAD": str(self.library),
            "NVME_IOCTL_SOCKET": str(self.path),
            "PATH": os.environ.get("PATH", ""),
            "LC_ALL": "C",
        }
        # nvme-cli insists on a character device, but never accesses this one.
        arguments = [PROGRAM, *command.split(), "/dev/null", *options]
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
        if self._error is not None:
            raise self._error
        assert done.returncode == status, f"nvme {command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, command: str, *options: str) -> Any:
        """What `nvme COMMAND -o json` prints."""
        return json.loads(self.run(command, *options, "-o", "json").stdout)

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            with link:
                try:
                    self._answer(link)
                except BaseException as error:
                    self._error = error

    def _answer(self, link: socket.socket) -> None:
        """Send one command of nvme-cli to the controller."""
        request = REQUEST.unpack(receive(link, REQUEST.size))
        io, opcode, flags, _, nsid, cdw2, cdw3, _, _, _, length, *words = request
        assert length <= DATA_MAX, f"opcode {opcode:#04x} moves {length} bytes"
        if opcode & 1:
            self.memory.write(self.buffer, receive(link, length))
        fields = {f"cdw{10 + number}": word for number, word in enumerate(words[:6])}
        second = self.buffer + PAGE if length > PAGE else 0
        cdw0, status = self.queues[io].execute(
            opcode, nsid=nsid, flags=flags, prp1=self.buffer, prp2=second, cdw2=cdw2, cdw3=cdw3, **fields
        )
        data = self.memory.read(self.buffer, length) if opcode & 2 else b""
        link.sendall(struct.pack("<II", status, cdw0) + data)


def receive(link: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = link.recv(size - len(data))
        if not piece:
            raise ConnectionResetError("nvme-cli went away within a command")
        data += piece
    return data
