# SPDX-License-Identifier: BSD-3-Clause
"""Functions of one IOMMU group in one process; drives of several sessions."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import nvme as d
import pytest

from pynvme import pci
from tests.fix_engines import selected
from tests.qemu.conftest import disk_of, driver_of

pytestmark = pytest.mark.filterwarnings("error::UserWarning")


def open_groups() -> list[str]:
    """Name the groups and containers of VFIO that this process has open."""
    found = []
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(path))
    return [name for name in found if name.startswith("/dev/vfio/")]


def check_io(address: str, byte: int) -> None:
    """Write and read a little, by a worker too."""
    nvme0 = d.Controller(address)
    namespace, pair, buf = d.Namespace(nvme0, 1), d.Qpair(nvme0, 8), d.Buffer(4096)
    buf[:] = bytes([byte]) * 4096
    namespace.write(pair, buf, 8, 8).waitdone()
    buf[:] = bytes(4096)
    namespace.read(pair, buf, 8, 8).waitdone()
    assert buf[8:504] == bytes([byte]) * 496
    result = namespace.ioworker(region_end=1024, read_percentage=50, io_count=200, qdepth=8).start().close()
    assert (result.error, result.lba_mismatch) == (0, 0)
    pair.delete()
    namespace.close()


@pytest.fixture
def twins(drive) -> Iterator[tuple[str, str]]:
    """Give the two functions of one device, as the kernel's driver has them; they are given back."""
    pci.release()
    both = drive("twin0"), drive("twin1")
    pci.Machine().restore()
    for each in both:
        disk_of(each)
    yield both
    for each in both:
        if driver_of(each) == "vfio-pci":
            d.Pcie(each).close()
    pci.release()
    pci.Machine().restore()
    assert [driver_of(each) for each in both] == ["nvme", "nvme"]


@pytest.fixture
def bound(twins) -> tuple[str, str]:
    """Bind both by hand."""
    pci.Machine().bind(*twins)
    return twins


def test_one_function_of_a_group_is_refused_by_the_name_of_the_other(twins):
    one, other = twins
    assert pci.Machine().group(one) == pci.Machine().group(other)
    with pytest.raises(
        d.NvmeEnumerateError, match=rf"shares its IOMMU group with {other} \(nvme\).* bind {one} {other}`"
    ):
        d.Pcie(one)
    assert [driver_of(each) for each in twins] == ["nvme", "nvme"]


def test_both_functions_are_open_in_one_process(bound):
    one, other = bound
    group = f"/dev/vfio/{pci.Machine().group(one)}"
    d.Pcie(one).close()
    before = open_groups()  # DPDK has a container open, too
    assert group not in before
    first = d.Pcie(one)
    opened = open_groups()
    # SPDK's engine uses the container that DPDK has, and DPDK has the group, too.
    more = [group, group] if selected() == "spdk" else ["/dev/vfio/vfio", group]
    assert sorted(opened) == sorted([*before, *more])
    second = d.Pcie(other)
    assert open_groups() == opened, "group and container are shared"
    check_io(one, 0x11)
    check_io(other, 0x22)
    first.close()
    check_io(other, 0x33)
    first = d.Pcie(one)
    check_io(one, 0x44)
    second.close()
    first.close()
    assert open_groups() == before
    check_io(other, 0x55)


def test_threads_open_and_close_them_at_once(bound):
    errors = []
    d.Pcie(bound[0]).close()
    before = open_groups()

    def turn(address: str) -> None:
        try:
            for _ in range(5):
                pcie = d.Pcie(address)
                assert pcie.register(0, 2) not in (0, 0xFFFF)
                pcie.close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=turn, args=(address,)) for address in bound]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert open_groups() == before


def test_a_hot_reset_spares_a_sibling_that_is_open(bound):
    one, other = bound
    first, second = d.Pcie(one), d.Pcie(other)
    nvme0, nvme1 = d.Controller(first), d.Controller(second)
    pair, buf, namespace = d.Qpair(nvme1, 8), d.Buffer(4096), d.Namespace(nvme1, 1)
    with pytest.raises(NotImplementedError, match=f"would also reset {other}, which this process has open"):
        first.reset()
    namespace.read(pair, buf, 0, 8).waitdone()
    pair.delete()
    namespace.close()
    second.close()
    assert first.reset() is True
    nvme0.reset()
    check_io(one, 0x66)


def test_a_group_in_use_is_not_restored(bound):
    first = d.Pcie(bound[0])
    done = subprocess.run(
        [sys.executable, "-m", "pynvme", "bind", "--restore"], capture_output=True, text=True
    )
    for each in bound:
        assert f"{each} stays: it is in use by process {os.getpid()} (" in done.stdout
        assert driver_of(each) == "vfio-pci"
    first.close()


SESSION = """
import sys, time
nvme0 = d.Controller({address!r})
namespace = d.Namespace(nvme0, 1)
print("ready", flush=True)
sys.stdin.readline()
namespace.ioworker(region_end=1024, read_percentage=0, lba_random=False, io_count=128).start().close()
result = namespace.ioworker(region_end=1024, read_percentage=50, time=3, qdepth=8).start().close()
print(result.error, result.lba_mismatch, result.lba_verified > 0)
"""


def start_session(address: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "import nvme as d\n" + SESSION.format(address=address)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_sessions_have_a_drive_each_and_none_that_another_one_has(drive, run_script):
    addresses = drive("plain"), drive("cmb")
    pci.release()
    pci.Machine().restore()
    pci.Machine().bind(addresses[1])
    sessions = [start_session(address) for address in addresses]
    for session in sessions:
        assert session.stdout.readline() == "ready\n"
    done = run_script(
        f"for address in {addresses}:\n"
        "    try: d.Controller(address)\n"
        "    except d.NvmeEnumerateError as error: print(error)"
    )
    taken, held = done.stdout.splitlines()
    assert taken == f"{addresses[0]} is in use by process {sessions[0].pid}, which has taken it"
    group = pci.Machine().group(addresses[1])
    assert held.startswith(f"{addresses[1]} is in use by process {sessions[1].pid} (")
    assert held.endswith(f"), which has /dev/vfio/{group} open")
    for session in sessions:
        session.stdin.write("\n")
        session.stdin.flush()
    for session in sessions:
        assert session.communicate(timeout=120)[0] == "0 0 True\n"
        assert session.returncode == 0
    assert driver_of(addresses[0]) == "nvme"
    assert pci.Machine().restore() == [f"{addresses[1]} is bound to nvme"]
