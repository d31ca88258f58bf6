# SPDX-License-Identifier: BSD-3-Clause
"""The virtual SSD's executable as a process that a test starts and ends.

It is pynvme/bin/vssd, or what the environment variable PYNVME_VSSD names: a build with sanitizers, say.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path

EXECUTABLE = Path(os.environ.get("PYNVME_VSSD") or Path(__file__).parents[2] / "pynvme" / "bin" / "vssd")


class Server:
    """A running virtual SSD."""

    def __init__(self, folder: str, *options: str) -> None:
        self.folder = folder
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `start`
        ready, told = os.pipe()
        self.process = subprocess.Popen(
            [str(EXECUTABLE), "--dir", folder, "--ready-fd", str(told), *options],
            stdin=subprocess.DEVNULL,
            stderr=self.log,
            pass_fds=(told,),
        )
        os.close(told)
        with os.fdopen(ready) as pipe:
            self.word = pipe.read().strip()

    @property
    def pid(self) -> int:
        return self.process.pid

    def errors(self) -> str:
        """What it wrote to its standard error: the reports of sanitizers, too."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def stop(self) -> int:
        """End it as a user does, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    def check_end(self) -> None:
        """Check that it still runs, ends when asked to, and has reported nothing."""
        assert self.process.poll() is None, f"the virtual SSD died: {self.errors()}"
        assert self.stop() == 0, self.errors()
        assert self.errors() == ""
