# SPDX-License-Identifier: BSD-3-Clause
"""The tests of placement on a drive that has it: right, and with each bug of it by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import nvme as d
import pytest

from pynvme.bugs import BUGS
from pynvme.suite import Finding
from pynvme.suite import test_placement as area
from pynvme.suite.drive import Drive
from pynvme.suite.model import Model
from pynvme.suite.traffic import model_of
from pynvme.suite.writing import Writer
from pynvme.vssd import VirtualSsd

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning"), pytest.mark.nvme_errors("warn")]

MINE = [bug.name for bug in BUGS.values() if bug.areas == ("placement",)]


@pytest.fixture(scope="module")
def ssd() -> Iterator[SimpleNamespace]:
    with VirtualSsd(size="64M", fdp=True, streams=True) as ssd:
        nvme0 = d.Controller(ssd.address)
        yield SimpleNamespace(ssd=ssd, nvme0=nvme0)
        nvme0.pcie.close()


@pytest.fixture
def drive(ssd: SimpleNamespace) -> Iterator[Drive]:
    drive = Drive(ssd.nvme0, d.Subsystem(ssd.nvme0), 7, "a_test")
    drive.ns.verify_enable(False)
    yield drive
    ssd.ssd.clear_faults()
    drive.nvme0.reset()


def all_of(drive: Drive, model: Model) -> Iterator[Callable[[], None]]:
    """The tests of the area, in turn."""
    placer, writer = area.Placer(drive), Writer(drive, model)
    yield lambda: area.test_identifiers_configuration_and_usage_agree(drive, placer)
    yield lambda: area.test_a_write_uses_its_own_reclaim_unit(drive, placer)
    yield lambda: area.test_an_update_takes_an_empty_reclaim_unit(drive, placer)
    yield lambda: area.test_a_write_with_an_invalid_identifier_succeeds(drive, placer)
    yield lambda: area.test_statistics_count_what_is_written(drive, placer)
    yield lambda: area.test_statistics_and_reclaim_units_survive_a_loss_of_power(drive, model, placer)
    yield lambda: area.test_placed_data_are_read_back(drive, model, writer, placer)
    for test in (
        area.test_a_stream_is_open_from_a_write_to_its_release,
        area.test_a_directive_that_is_disabled_is_refused,
    ):
        streamer = area.Streamer(drive)
        assert streamer.enable().ok
        yield lambda test=test, streamer=streamer: test(drive, streamer)


def test_a_right_drive_has_no_finding(drive: Drive) -> None:
    assert area.PLACES.met(drive) and area.HAS_STREAMS.met(drive)
    for test in all_of(drive, model_of(drive)):
        test()


@pytest.mark.parametrize("bug", MINE)
def test_a_bug_is_found(ssd: SimpleNamespace, drive: Drive, bug: str) -> None:
    ssd.ssd.fault(*BUGS[bug].rules)
    with pytest.raises(Finding):
        for test in all_of(drive, model_of(drive)):
            test()


def test_there_are_bugs_of_it() -> None:
    assert len(MINE) >= 8
