# SPDX-License-Identifier: BSD-3-Clause
"""Without root: what a user needs to drive a drive, and what the errors say where it is missing."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from pynvme import pci
from tests.qemu.conftest import disk_of, driver_of

USER = "nobody"

HELLO = """
import os
import nvme as d
try:
    nvme0 = d.Controller({address!r})
except (d.NvmeEnumerateError, MemoryError) as error:
    print("refused:", error)
    raise SystemExit(3)
namespace, pair, buf = d.Namespace(nvme0, 1), d.Qpair(nvme0, 16), d.Buffer(512)
buf[100:111] = b"hello world"
namespace.write(pair, buf, 0).waitdone()
buf[:] = bytes(512)
namespace.read(pair, buf, 0).waitdone()
result = namespace.ioworker(region_end=1024, read_percentage=50, io_count=300, qdepth=8).start().close()
print(os.getuid(), bytes(buf[100:111]).decode(), result.error, result.lba_mismatch)
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmLck")][0])
"""


@pytest.fixture(scope="module", autouse=True)
def ours_may_be_run() -> None:
    """Let other users reach this Python and this module; the guest's files are the guest's own."""
    for path in (Path(sys.executable), Path(sys.executable).resolve(), Path(__file__)):
        for folder in path.parents:
            if not folder.stat().st_mode & 1:
                folder.chmod(folder.stat().st_mode | 1)


@pytest.fixture(autouse=True)
def given_back(plain: str) -> Iterator[None]:
    """Begin and end with the kernel's driver."""
    pci.release()
    pci.Machine().restore()
    disk_of(plain)
    yield
    pci.Machine().restore()
    assert driver_of(plain) == "nvme"


@pytest.fixture
def hello(plain: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Give ``hello(memlock)``: runs the hello world as somebody who may do nothing, on the plain drive."""

    def run(memlock: str, address: str = plain, **environment: str) -> subprocess.CompletedProcess[str]:
        user = pwd.getpwnam(USER)
        return subprocess.run(
            [
                *("prlimit", f"--memlock={memlock}"),
                *("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
                *(sys.executable, "-c", HELLO.format(address=address)),
            ],
            env={**os.environ, "HOME": "/tmp", "USER": USER, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )

    return run


def bind(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pynvme", "bind", *arguments], check=True, capture_output=True)


def test_a_user_whose_group_it_is_needs_no_root(plain, hello):
    bind(plain, "--user", USER)
    assert (Path("/dev/vfio") / pci.Machine().group(plain)).owner() == USER
    done = hello("unlimited")
    assert done.stdout.splitlines()[-2] == f"{pwd.getpwnam(USER).pw_uid} hello world 0 0"
    assert done.returncode == 0
    assert driver_of(plain) == "vfio-pci"


def test_all_functions_of_a_group_are_bound_for_a_user_at_once(drive, hello):
    twins = drive("twin0"), drive("twin1")
    bind(*twins, "--user", USER)
    assert [driver_of(twin) for twin in twins] == ["vfio-pci"] * 2
    assert (Path("/dev/vfio") / pci.Machine().group(twins[0])).owner() == USER
    for twin in twins:
        done = hello("unlimited", twin)
        assert done.stdout.splitlines()[-2] == f"{pwd.getpwnam(USER).pw_uid} hello world 0 0", done.stdout
        assert done.returncode == 0
    pci.Machine().restore()
    assert [driver_of(twin) for twin in twins] == ["nvme"] * 2


def test_without_hugepages_no_more_memory_is_locked_than_may_be(plain, hello):
    bind(plain, "--user", USER)
    done = hello(f"{96 << 20}", PYNVME_HUGE="0", PYNVME_MEM="")
    assert done.returncode == 0, done.stdout
    assert 64 <= int(done.stdout.splitlines()[-1]) >> 10 <= 96


def test_memory_that_may_not_be_locked_is_told_with_the_command_that_allows_it(plain, hello):
    bind(plain, "--user", USER)
    done = hello(f"{8 << 20}")
    assert done.returncode == 3, done.stdout
    assert (
        "this process may lock 8 MiB: `sudo prlimit --pid $$ --memlock=unlimited` in this shell"
        in done.stdout
    )


def test_a_group_of_another_user_is_told_with_the_command_that_changes_that(plain, hello):
    bind(plain)
    group = pci.Machine().group(plain)
    done = hello("unlimited")
    assert done.returncode == 3, done.stdout
    assert (
        f"/dev/vfio/{group} is another user's: `sudo chown $USER /dev/vfio/{group}` makes it yours"
        in done.stdout
    )


def test_a_drive_that_is_not_bound_is_told_with_the_command_that_binds_it(plain, hello):
    done = hello("unlimited")
    assert done.returncode == 3, done.stdout
    assert f"only root may bind it: `sudo {sys.executable} -m pynvme bind {plain}`" in done.stdout
    assert driver_of(plain) == "nvme"
