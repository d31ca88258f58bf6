# SPDX-License-Identifier: BSD-3-Clause
"""The controllers and block devices of a guest's kernel, nvme-cli, and fio."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

MODEL = "pynvme virtual SSD"


def run(*words: str | Path, code: int = 0) -> str:
    """Run a program that ends with this exit status, and return what it prints."""
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=240,
    )
    text = done.stdout.decode(errors="replace")
    assert done.returncode == code, f"{' '.join(map(str, words))}: {done.returncode}\n{text}"
    return text


def wait(until: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait until a function returns something true, and return it."""
    end = time.monotonic() + seconds
    while not (found := until()):
        assert time.monotonic() < end, f"not so after {seconds} s: {until}"
        time.sleep(0.05)
    return found


def controllers() -> list[Path]:
    found = Path("/sys/class/nvme").glob("nvme*")
    return sorted(path for path in found if (path / "model").read_text().strip() == MODEL)


class Drive:
    """One controller, as Linux knows it."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name
        self.device = Path("/dev") / path.name
        self.function = Path("/sys/bus/pci/devices") / (path / "address").read_text().strip()

    def cli(self, command: str, *words: str | int, code: int = 0) -> str:
        """nvme-cli."""
        program, *more = command.split()
        return run("nvme", program, *more, self.device, *(str(word) for word in words), code=code)

    def json(self, command: str, *words: str | int) -> Any:
        """nvme-cli, which prints JSON."""
        return json.loads(self.cli(command, *words, "-o", "json"))

    def state(self) -> str:
        """The state of the controller, such as ``live``."""
        return (self.path / "state").read_text().strip()

    def block(self, nsid: int = 1) -> Path:
        """The block device of a namespace, once it is there."""

        def there() -> Path | None:
            for folder in Path("/sys/block").glob("nvme[0-9]*n*"):
                if "c" in folder.name:  # the hidden device of one path
                    continue
                if folder.joinpath("nsid").exists() and int(folder.joinpath("nsid").read_text()) == nsid:
                    return Path("/dev") / folder.name
            return None

        return wait(there)


def fio(block: Path, *words: str) -> dict[str, Any]:
    """Run a job of fio with direct IO, and return its result."""
    job = ["fio", "--name=job", f"--filename={block}", "--direct=1", "--output-format=json", *words]
    text = run(*job)
    result = json.loads(text[text.index("{") :])["jobs"][0]
    assert result["error"] == 0
    return result


@contextlib.contextmanager
def loaded(block: Path, *words: str) -> Iterator[None]:
    """Let fio verify random IO of 4 KiB meanwhile, which must have had no error at the end."""
    job = [
        "fio",
        "--name=load",
        f"--filename={block}",
        "--direct=1",
        "--rw=randrw",
        "--bs=4k",
        "--verify=crc32c",
    ]
    job += ["--ioengine=libaio", "--iodepth=8", *words]
    load = subprocess.Popen(job, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    yield
    output, _ = load.communicate(timeout=240)
    assert load.returncode == 0, output


def read(block: Path, offset: int, size: int) -> bytes:
    """Bytes of a block device that the page cache does not hold."""
    run("blockdev", "--flushbufs", block)
    with block.open("rb") as file:
        file.seek(offset)
        return file.read(size)


def write(block: Path, offset: int, data: bytes) -> None:
    """Write and flush bytes of a block device."""
    with block.open("r+b") as file:
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
