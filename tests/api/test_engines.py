# SPDX-License-Identifier: BSD-3-Clause
"""What this build says about its engines, and that it is true."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nvme as d
import pytest
from raw_queue import command, completion_queue, submission_queue, taken

from tests.fix_load import loaded
from tools import engines

ROOT = Path(__file__).parents[2]


def selected():
    (engine,) = [engine for engine in d.engines() if engine.selected]
    return engine


def test_pynvmes_own_engine_is_always_there_and_withholds_nothing():
    own = d.engines()[0]
    assert (own.name, own.version) == ("own", d.__version__)
    assert own.dpdk.startswith("DPDK ")
    assert own.pcie == own.vfio_user == {}


def test_one_engine_is_selected(monkeypatch):
    for engine in d.engines():
        monkeypatch.setenv("PYNVME_ENGINE", engine.name)
        assert selected().name == engine.name
    monkeypatch.delenv("PYNVME_ENGINE")
    assert selected().name == "own"


def test_an_engine_that_this_build_lacks_is_no_other_one(monkeypatch):
    monkeypatch.setenv("PYNVME_ENGINE", "warp")
    assert not any(engine.selected for engine in d.engines())
    with pytest.raises(d.NvmeEnumerateError, match=r"no engine warp .*nvme\.engines\(\) lists"):
        d.Pcie("vssd:name=no-engine")


def test_what_an_engine_withholds_has_a_name_and_a_reason():
    for engine in d.engines():
        for reasons in (engine.pcie, engine.vfio_user):
            assert set(reasons) <= set(d._capabilities())
            assert all(reasons.values())


@pytest.mark.parametrize(
    ("address", "kind"), [("01:00.0", "pcie"), ("vssd", "vfio_user"), ("/x", "vfio_user")]
)
def test_an_address_says_what_is_withheld(address, kind):
    engine = d.engines()[0]._replace(pcie={"a": "pcie"}, vfio_user={"a": "vfio_user"})
    assert engine.withheld(address) == {"a": kind}


# A use of each capability. It works, or raises the error that names what is withheld.


def read_a_register(nvme0, **_):
    assert nvme0[0x08] >= 0x00010000, "VS"
    assert nvme0[0x1C] & 1, "CSTS.RDY"


def write_a_register(nvme0, **_):
    nvme0[0x14] = nvme0[0x14]


def bring_up(own, **_):
    nvme0 = d.Controller(own.pcie, nvme_init_func=by_hand)
    assert nvme0[0x1C] & 1, "CSTS.RDY"


def by_hand(nvme0):
    nvme0[0x14] = 0
    wait_ready(nvme0, 0)
    nvme0.init_adminq()
    nvme0[0x14] = 0x00460001
    wait_ready(nvme0, 1)
    assert nvme0.init_ns() >= 0


def wait_ready(nvme0, wanted):
    deadline = time.monotonic() + 5
    while nvme0[0x1C] & 1 != wanted:
        assert time.monotonic() < deadline or loaded(), "CSTS.RDY"


def use_configuration_space(own, **_):
    assert own.pcie.register(8) >> 8 == 0x010802
    own.pcie[0x3C] = own.pcie[0x3C]


def reset_the_function(own, **_):
    own.pcie.flr()
    own.nvme0.reset()


def reset_the_link(own, **_):
    own.pcie.reset()
    own.nvme0.reset()


def reset_the_subsystem(own, **_):
    assert d.Subsystem(own.nvme0).reset() is True
    own.nvme0.reset()


def get_an_interrupt(own, **_):
    pair = d.Qpair(own.nvme0, 8, ien=True)
    own.nvme0n1.read(pair, d.Buffer(4096), 0).waitdone()
    assert pair.msix_isset()
    pair.delete()


def ask_for_the_memory_buffer(own, **_):
    assert own.nvme0.cmb is None or own.nvme0.cmb.size > 0


def choose_the_memory_page(own, **_):
    nvme0 = d.Controller(own.pcie, memory_page_size=8192)
    assert nvme0.memory_page_size == 8192 and nvme0[0x14] >> 7 & 15 == 1


def make_queues_by_hand(own, **_):
    cq = completion_queue(own.nvme0, 1)
    sq = submission_queue(own.nvme0, 1, cq)
    sq.submit(command(2, 5, d.Buffer(4096)))
    assert taken(cq, 1) == [(1, 5, 0)]
    sq.delete()
    cq.delete()


def read_at_an_odd_offset(own, **_):
    pair, data = d.Qpair(own.nvme0, 8), d.Buffer(8192)
    data[:512] = bytes(range(256)) * 2
    own.nvme0n1.write(pair, data, 5, 1).waitdone()
    written = data[:512]
    data.offset = 1028
    own.nvme0n1.read(pair, data, 5, 1).waitdone()
    assert data[1028 : 1028 + 512] == written
    pair.delete()


def read_more_than_the_buffer_holds(own, **_):
    pair, data = d.Qpair(own.nvme0, 8), d.Buffer(16384, pvalue=0x55555555, ptype=32)
    data.size = 4096
    own.nvme0n1.read(pair, data, 0, 16).waitdone()
    del data.size
    assert data[4096:] == b"\x55" * 12288
    pair.delete()


def run_a_worker(own, **_):
    result = own.nvme0n1.ioworker(io_size=8, io_count=100).start().close()
    assert result.io_count_read + result.io_count_nonread == 100


def pull_the_drive(own, **_):
    os.kill(own.ssd.pid, signal.SIGKILL)
    with pytest.raises(SystemError):
        own.nvme0[0x1C]


USES = {
    "read-registers": read_a_register,
    "write-registers": write_a_register,
    "bring-up": bring_up,
    "config-space": use_configuration_space,
    "function-reset": reset_the_function,
    "hot-reset": reset_the_link,
    "subsystem-reset": reset_the_subsystem,
    "interrupts": get_an_interrupt,
    "cmb": ask_for_the_memory_buffer,
    "memory-pages": choose_the_memory_page,
    "raw-queues": make_queues_by_hand,
    "odd-offsets": read_at_an_odd_offset,
    "short-buffers": read_more_than_the_buffer_holds,
    "forked-workers": run_a_worker,
    "removal": pull_the_drive,
}
ELSEWHERE = {
    "slot-power",
    "many-queues",
    "shadow-doorbells",
    "cids",
    "full-rings",
    "lone-fused",
    "send-aer",
    "large-transfers",
    "sgls",
    "check-completions",
}
"""Those that raise no error where they are withheld, or that need another drive."""


def test_each_capability_is_used_somewhere():
    assert set(USES) | ELSEWHERE == set(d._capabilities())


@pytest.mark.parametrize("capability", USES)
def test_what_is_granted_works_and_what_is_withheld_says_so(own, nvme0, capability):
    reason = selected().withheld(own.ssd.address).get(capability)
    if reason is None:
        USES[capability](own=own, nvme0=nvme0)
        return
    with pytest.raises(NotImplementedError, match=r"PYNVME_ENGINE=own") as raised:
        USES[capability](own=own, nvme0=nvme0)
    assert raised.value.capability == capability
    assert reason in str(raised.value)
    assert re.match(r"[A-Z]\w+[.\[(]", str(raised.value)), "it names the call"


# The table of docs/engines.md


def test_the_table_of_the_page_is_what_the_engines_say():
    if len(d.engines()) == 1:
        print("the column of SPDK is not checked: this build has only pynvme's own engine")
    assert engines.written() == engines.of_this_build()


def test_the_page_keeps_a_column_of_an_engine_that_this_build_lacks():
    titles = {"a": "doing a", "b": "doing b"}
    withheld = {("own", "pcie"): {}, ("spdk", "pcie"): {"b": "it cannot"}}
    assert engines.rows(withheld, titles) == {
        "a": ["doing a", "yes", "yes", ""],
        "b": ["doing b", "yes", "it cannot", ""],
    }


def test_a_run_with_an_engine_that_the_build_lacks_says_so_in_one_line_and_fails(environment):
    for tool in ("test.py", "test_qemu.py"):
        done = subprocess.run(
            [sys.executable, f"tools/{tool}"],
            cwd=ROOT,
            env={**environment, "PYNVME_ENGINE": "warp"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 2
        (line,) = done.stdout.splitlines()
        assert line.startswith("PYNVME_ENGINE=warp: this build has only own")


def test_a_run_with_our_own_engine_says_what_it_leaves_out(monkeypatch):
    monkeypatch.setattr(engines, "_of_this_build", lambda: ["own"])
    assert engines.others().startswith("This build has no SPDK")
    monkeypatch.setattr(engines, "_of_this_build", lambda: ["own", "spdk"])
    assert engines.others().endswith("make test ENGINE=spdk does that.")
