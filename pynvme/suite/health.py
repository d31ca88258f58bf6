# SPDX-License-Identifier: BSD-3-Clause
"""The SMART / Health Information log page, as tests read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import nvme

from pynvme.spec import SmartLog

if TYPE_CHECKING:
    from pynvme.suite.drive import Drive

SMART = "Base 2.0, 5.16.1.3 SMART / Health Information"

LIFE = ("dur", "duw", "hrc", "hwc", "pwrc", "upl", "poh")
"""Counters over the life of the drive."""


def smart(drive: Drive, rae: bool = True) -> SmartLog:
    """The SMART / Health Information log. It is read without re-arming events."""
    buf = nvme.Buffer(512)
    buf[:] = drive.random.randbytes(1) * 512
    drive.succeed(drive.log_page(2, buf, 512, rae=rae), SMART)
    return SmartLog(bytes(buf[:]))


@contextmanager
def counters_go_on(drive: Drive) -> Iterator[None]:
    """Raise a finding if a counter over the life of the drive goes back meanwhile."""
    before = smart(drive)
    yield
    after = smart(drive)
    for name in LIFE:
        drive.check(after[name] >= before[name], SMART, f"{name.upper()} {before[name]} or more", after[name])
