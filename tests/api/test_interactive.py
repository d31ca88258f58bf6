# SPDX-License-Identifier: BSD-3-Clause
"""At a prompt and in a debugger: the display of objects and errors, and long pauses."""

from __future__ import annotations

import inspect
import pydoc
import sys
import time
import traceback
import warnings

import nvme as d
import pytest

needs_notes = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="exceptions have notes from Python 3.11 on"
)


def what_is_shown(act) -> str:
    """The traceback of what act raises, as Python prints it."""
    try:
        act()
    except Exception:
        return traceback.format_exc()
    raise AssertionError("nothing was raised")


def test_an_object_tells_what_one_wants_to_know(nvme0, nvme0n1, qpair, pcie, subsystem, buf):
    assert repr(nvme0) == f"<Controller {nvme0.addr!r}, initialised>"
    assert f"{nvme0n1.nsid} of {nvme0.addr!r}" in repr(nvme0n1)
    assert "LBAs of" in repr(nvme0n1)
    nvme0n1.read(qpair, buf, 0)
    depth = min(1024, (nvme0.cap & 0xFFFF) + 1)
    assert repr(qpair) == f"<Qpair {qpair.sqid}, depth {depth}, 1 in flight>"
    qpair.waitdone()
    assert f"{pcie.register(0, 2):04x}:" in repr(pcie)
    assert repr(nvme0) in repr(subsystem)
    worker = nvme0n1.ioworker(time=1)
    assert repr(worker) == "<IOWorker, not started>"
    worker.start()
    assert "sent" in repr(worker)
    worker.close()
    assert repr(worker) == "<IOWorker, closed>"


@pytest.mark.parametrize(
    "name", ["Buffer", "Pcie", "Controller", "Qpair", "Namespace", "IOWorker", "Subsystem"]
)
def test_help_and_completion_show_each_public_method_with_its_parameters(name):
    kind = getattr(d, name)
    page = pydoc.plain(pydoc.render_doc(kind))
    for member in (m for m in dir(kind) if not m.startswith("_")):
        attribute = getattr(kind, member)
        assert member in page
        assert inspect.getdoc(attribute), f"{name}.{member} has no docstring"
        if callable(attribute):
            assert inspect.signature(attribute).parameters, f"{name}.{member} hides its parameters"


def test_a_buffer_that_is_too_small_is_told_with_the_command(nvme0n1, qpair):
    shown = what_is_shown(lambda: nvme0n1.read(qpair, d.Buffer(512, "mine"), 0x50, 8))
    assert "READ of 8 LBAs from 0x50 on transfers" in shown
    assert "<buffer name: mine> has 512" in shown


@needs_notes
def test_an_error_status_that_is_raised_names_the_command_and_its_completion(nvme0, nvme0n1, qpair, buf):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = what_is_shown(lambda: nvme0n1.read(qpair, buf, 0xFFFFFFFF12).waitdone())
        assert "UserWarning: ERROR status: 00/80 LBA Out of Range\nREAD (02) sqid:1 " in shown
        assert "cdw10:ffffff12 cdw11:000000ff" in shown
        assert "(00/80)" in shown.splitlines()[-1]
        shown = what_is_shown(lambda: nvme0.getfeatures(0xFE).waitdone())
        assert "GET FEATURES (0a) sqid:0 " in shown


@needs_notes
def test_a_full_queue_names_the_command_that_did_not_fit(nvme0, nvme0n1, buf):
    qpair = d.Qpair(nvme0, 2)
    nvme0n1.read(qpair, buf, 1)
    shown = what_is_shown(lambda: nvme0n1.read(qpair, buf, 2))
    assert "not sent: READ (02)" in shown
    assert "cdw10:00000002" in shown
    qpair.waitdone()
    qpair.delete()


@needs_notes
def test_an_exception_in_a_callback_names_its_command(nvme0n1, qpair, buf):
    def wrong(cpl):
        raise KeyError("mine")

    shown = what_is_shown(lambda: nvme0n1.read(qpair, buf, 7, cb=wrong).waitdone())
    assert "KeyError: 'mine'\nin the callback of READ (02) sqid:1 " in shown


@pytest.mark.parametrize(
    ("timeout_ms", "pause"), [(500, 1.5), pytest.param(10000, 30, marks=pytest.mark.slow)]
)
def test_a_breakpoint_longer_than_the_timeout_breaks_nothing(nvme0, nvme0n1, qpair, buf, timeout_ms, pause):
    before = nvme0.timeout
    nvme0.timeout = timeout_ms
    try:
        workers = [
            nvme0n1.ioworker(
                io_size=8,
                read_percentage=50,
                region_start=i * 10000,
                region_end=(i + 1) * 10000,
                time=pause + 0.5,
                qdepth=16,
            ).start()
            for i in range(2)
        ]
        done = []
        for lba in range(20):
            nvme0n1.read(qpair, buf, 50000 + lba, cb=lambda cpl: done.append(cpl[3] >> 17))
        nvme0.getlogpage(2, buf)
        time.sleep(pause)  # as a debugger does: nothing is polled
        qpair.waitdone(20)
        nvme0.waitdone()
        assert done == [0] * 20
        for worker in workers:
            result = worker.close()
            assert (result.error, result.lba_mismatch) == (0, 0)
            assert result.mseconds >= pause * 1000
    finally:
        nvme0.timeout = before
