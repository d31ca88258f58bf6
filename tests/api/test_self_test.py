# SPDX-License-Identifier: BSD-3-Clause
"""Device Self-test through the public interface."""

import time

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded


@pytest.fixture
def nvme0():
    """A drive whose short self-test takes 100 ms, and an extended one 400."""
    with VirtualSsd(size="16M", self_test_time=100) as ssd:
        pcie = d.Pcie(ssd.address)
        yield d.Controller(pcie)
        pcie.close()


def log(nvme0):
    buf = d.Buffer(564)
    nvme0.getlogpage(6, buf, 564).waitdone()
    return buf


def wait(nvme0):
    deadline = time.monotonic() + 10
    while log(nvme0)[0] & 0xF:
        assert time.monotonic() < deadline or loaded()
        time.sleep(0.01)


@pytest.mark.parametrize("code, seconds", [(1, 0.1), (2, 0.4)])
def test_it_runs_in_the_background_and_leaves_a_result(nvme0, code, seconds):
    assert nvme0.supports(0x14)
    begin = time.monotonic()
    nvme0.dst(code).waitdone()
    assert log(nvme0)[0] == code
    wait(nvme0)
    took = time.monotonic() - begin
    assert seconds <= took
    assert took < 10 or loaded()
    found = log(nvme0)
    assert found[4] == code << 4, "passed"
    assert found.data(19, 16) == 0xFFFFFFFF
    assert found[32] & 0xF == 0xF, "the second entry is not in use"


def test_one_at_a_time_and_abort(nvme0):
    nvme0.dst(2, 1).waitdone()
    with pytest.warns(UserWarning, match="^ERROR status: 01/1d"):
        nvme0.dst(1).waitdone()
    nvme0.dst(0xF).waitdone()
    found = log(nvme0)
    assert (found[0], found[4], found[6] & 1, found.data(19, 16)) == (0, 0x21, 1, 1)


def test_a_namespace_that_is_not_there_is_the_drives_to_refuse(nvme0):
    with pytest.warns(UserWarning, match="^ERROR status: 00/0b"):
        nvme0.dst(1, 5).waitdone()
    with pytest.warns(UserWarning, match="^ERROR status: 00/02"):
        nvme0.dst(5).waitdone()


def test_a_reset_ends_a_short_one_only(nvme0):
    nvme0.dst(1).waitdone()
    nvme0.reset()
    assert log(nvme0)[4] == 0x12
    nvme0.dst(2).waitdone()
    nvme0.reset()
    assert log(nvme0)[0] == 2
    wait(nvme0)
    assert log(nvme0)[4] == 0x20


def test_a_format_ends_it(nvme0):
    nvme0.dst(2).waitdone()
    nvme0.format().waitdone()
    assert (log(nvme0)[0], log(nvme0)[4]) == (0, 0x24)
