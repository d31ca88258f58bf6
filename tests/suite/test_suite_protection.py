# SPDX-License-Identifier: BSD-3-Clause
"""The suite's area of protection information: a right drive has no finding, and each bug of it has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import nvme as d
import pytest

from pynvme.bugs import BUGS
from pynvme.suite import Finding
from pynvme.suite import test_metadata as metadata
from pynvme.suite import test_protection as area
from pynvme.suite.drive import Drive
from pynvme.vssd import VirtualSsd

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning"), pytest.mark.nvme_errors("warn")]

BUGS_OF_IT = [bug for bug in BUGS.values() if bug.number.startswith("H") and bug.plantable]
TESTS: list[Callable[[Drive], None]] = [
    area.test_each_field_is_checked,
    area.test_the_mask_of_the_application_tag,
    area.test_the_drive_makes_and_strips_tuples,
    area.test_the_application_tag_that_escapes,
    area.test_an_initial_reference_tag_that_is_not_the_lba,
    area.test_zeroes_have_tuples,
    metadata.test_metadata_come_back,
    metadata.test_a_write_with_wrong_information_is_refused,
    metadata.test_the_drive_makes_right_information,
]


@pytest.fixture(scope="module")
def ssd() -> Iterator[SimpleNamespace]:
    with VirtualSsd(size="64M", protection=True, format_time=0) as ssd:
        nvme0 = d.Controller(ssd.address)
        yield SimpleNamespace(ssd=ssd, nvme0=nvme0)
        nvme0.pcie.close()


@pytest.fixture
def drive(ssd: SimpleNamespace) -> Iterator[Drive]:
    drive = Drive(ssd.nvme0, d.Subsystem(ssd.nvme0), 7, "a_test")
    yield drive
    ssd.ssd.clear_faults()


def findings(drive: Drive) -> list[Finding]:
    found = []
    for test in TESTS:
        try:
            test(drive)
        except Finding as finding:
            found.append(finding)
    return found


def test_a_right_drive_has_no_finding(drive: Drive) -> None:
    assert area.PROTECTED.met(drive)
    for test in TESTS:
        test(drive)
    assert drive.lba_size == 512 and not drive.ns.id_ns.dps.pit, "the format is as it was"


@pytest.mark.parametrize("bug", BUGS_OF_IT, ids=lambda bug: bug.name)
def test_each_bug_is_found(ssd: SimpleNamespace, drive: Drive, bug: SimpleNamespace) -> None:
    ssd.ssd.fault(*bug.rules)
    assert findings(drive)
