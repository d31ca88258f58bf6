# SPDX-License-Identifier: BSD-3-Clause
"""waitdone, callbacks, CIDs, QIDs, command logs: what holds for every command."""

import functools
import re
import threading
import time
import warnings

import nvme as d
import pytest

from tests.fix_load import loaded


def test_chain(nvme0, nvme0n1, qpair, buf):
    assert nvme0.identify(buf) is nvme0
    nvme0.waitdone()
    assert nvme0n1.read(qpair, buf, 0, 8) is qpair
    qpair.waitdone()


def test_waitdone_returns_cdw0(nvme0):
    seen = []
    value = nvme0.getfeatures(7, cb=lambda cpl: seen.append(cpl[0])).waitdone()
    assert seen == [value]


def test_waitdone_of_zero_returns_at_once(nvme0, qpair):
    start = time.time()
    nvme0.waitdone(0)
    qpair.waitdone(0)
    assert time.time() - start < 0.1 or loaded()


def test_exactly_so_many(nvme0n1, qpair, buf):
    done = []
    for _ in range(20):
        nvme0n1.read(qpair, buf, 0, 8, cb=done.append)
    for expected in (1, 2, 3, 14):
        before = len(done)
        qpair.waitdone(expected)
        assert len(done) == before + expected


def test_callback_gets_the_completion(nvme0n1, qpair, buf):
    cpls = []
    nvme0n1.read(qpair, buf, 0, 8, cb=cpls.append)
    cid = qpair.latest_cid
    qpair.waitdone()
    (cpl,) = cpls
    assert cpl[3] & 0xFFFF == cid
    assert cpl[2] >> 16 == qpair.sqid
    assert cpl[3] >> 17 == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda out: lambda cpl: out.append(cpl[0]),
        lambda out: lambda cdw0, status1: out.append(cdw0),
        lambda out: functools.partial(lambda where, cpl: where.append(cpl[0]), out),
        lambda out: lambda cpl, more=1: out.append(cpl[0]),
        lambda out: lambda *all: out.append(all[0][0]),
    ],
)
def test_shapes_of_callbacks(nvme0, make):
    out = []
    assert nvme0.getfeatures(7, cb=make(out)).waitdone() == out[0]


@pytest.mark.parametrize("wrong", [lambda: None, lambda a, b, c: None])
def test_shapes_that_do_not_fit(nvme0, wrong):
    with pytest.warns(UserWarning, match="^callback: "):
        nvme0.getfeatures(7, cb=wrong).waitdone()


def test_callbacks_run_inside_waitdone_only(nvme0n1, qpair, buf):
    done = []
    nvme0n1.read(qpair, buf, 0, 8, cb=done.append)
    time.sleep(0.05)
    assert not done
    qpair.waitdone()
    assert done


def test_nested_waitdone(nvme0, nvme0n1, qpair):
    depths = []

    def again(depth):
        def cb(cpl):
            depths.append(depth)
            if depth < 8:
                nvme0n1.read(qpair, d.Buffer(), 0, 8, cb=again(depth + 1)).waitdone()
                nvme0.getfeatures(7).waitdone()

        return cb

    nvme0n1.read(qpair, d.Buffer(), 0, 8, cb=again(0)).waitdone()
    assert depths == list(range(9))


def test_exception_leaves_waitdone(nvme0n1, qpair, buf):
    def cb(cpl):
        raise ZeroDivisionError("of the script")

    nvme0n1.read(qpair, buf, 0, 8, cb=cb)
    nvme0n1.read(qpair, buf, 0, 8)
    with pytest.raises(ZeroDivisionError):
        qpair.waitdone(2)
    qpair.waitdone(1)


def test_error_warns_with_a_callback_too(nvme0, nvme0n1, qpair, buf):
    seen = []
    with pytest.warns(UserWarning, match="ERROR status: 00/80") as told:
        nvme0n1.read(qpair, buf, 1 << 60, 1, cb=lambda cdw0, status1: seen.append(status1)).waitdone()
    assert len(told) == 1
    assert (seen[0] >> 1 & 0xFF, seen[0] >> 9 & 7) == (0x80, 0)


def test_warnings_ignored(nvme0n1, qpair, buf):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(100):
            nvme0n1.read(qpair, buf, 1 << 60, 1)
        qpair.waitdone(100)


def test_each_error_is_a_warning(nvme0n1, qpair, buf):
    for _ in range(10):
        nvme0n1.read(qpair, buf, 1 << 60, 1)
    with pytest.warns(UserWarning, match="ERROR status: 00/80") as told:
        qpair.waitdone(10)
    assert len(told) == 10


@pytest.mark.needs_engine("cids")
def test_admin_cids_go_down(nvme0):
    cids = []
    for _ in range(5):
        nvme0.getfeatures(7)
        cids.append(nvme0.latest_cid)
    nvme0.waitdone(5)
    assert cids == list(range(cids[0], cids[0] - 5, -1))
    assert cids[-1] >= 0 and cids[0] <= 127
    nvme0.getfeatures(7).waitdone()
    assert nvme0.latest_cid == cids[0], "the highest free one first"


def test_126_admin_commands(nvme0):
    for _ in range(126):
        nvme0.getfeatures(7)
    with pytest.raises(AssertionError):
        nvme0.getfeatures(7)
    nvme0.waitdone(126)
    nvme0.getfeatures(7).waitdone()


def test_qids_lowest_first(nvme0):
    a, b, c = (d.Qpair(nvme0, 8) for _ in range(3))
    assert (a.sqid, b.sqid, c.sqid) == (1, 2, 3)
    b.delete()
    e = d.Qpair(nvme0, 8)
    assert e.sqid == 2
    for q in (a, c, e):
        q.delete()


def test_latencies(nvme0, nvme0n1, qpair, buf):
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    assert 0 < qpair.latest_latency < 1_000_000
    nvme0.getfeatures(7).waitdone()
    assert 0 < nvme0.latest_latency < 1_000_000


def test_queue_deleted_twice_and_dropped(nvme0):
    qpair = d.Qpair(nvme0, 8)
    qpair.delete()
    qpair.delete()
    qpair.close()
    del qpair


def test_command_on_a_deleted_queue(nvme0, nvme0n1, buf):
    qpair = d.Qpair(nvme0, 8)
    qpair.delete()
    with pytest.raises(Exception, match="Qpair 1 is deleted"):
        nvme0n1.read(qpair, buf, 0, 8)


def test_queue_deleted_with_commands_in_flight(nvme0, nvme0n1):
    for _ in range(20):
        qpair = d.Qpair(nvme0, 64)
        for i in range(63):
            nvme0n1.read(qpair, d.Buffer(131072), i * 256, 256)
        qpair.delete()


def test_depths(nvme0):
    most = min(1024, (nvme0.cap & 0xFFFF) + 1)
    for depth in (2, most):
        d.Qpair(nvme0, depth).delete()
    for depth in (0, 1, most + 1, -1):
        with pytest.raises(AssertionError):
            d.Qpair(nvme0, depth)


@pytest.mark.parametrize("options", [{"prio": 0}, {"ien": False}, {"ien": True}, {"iv": 1}, {"iv": 0xFFFF}])
def test_queue_options(nvme0, nvme0n1, buf, options):
    qpair = d.Qpair(nvme0, 8, **options)
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    qpair.delete()


def test_queue_by_position(nvme0, nvme0n1, buf):
    qpair = d.Qpair(nvme0, 8, 0, True, 2)
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    qpair.delete()


def test_priority_needs_weighted_round_robin(nvme0):
    for prio in (1, 2, 3):
        with pytest.raises(d.QpairCreationError):
            d.Qpair(nvme0, 8, prio=prio)


def test_interrupt_of_a_queue(nvme0, nvme0n1, buf):
    qpair = d.Qpair(nvme0, 8, ien=True, iv=2)
    qpair.msix_clear()
    assert not qpair.msix_isset()
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    time.sleep(0.1)
    assert qpair.msix_isset()
    qpair.msix_mask()
    qpair.msix_clear()
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    time.sleep(0.1)
    assert not qpair.msix_isset()
    qpair.msix_unmask()
    time.sleep(0.1)
    assert qpair.msix_isset()
    qpair.delete()


def test_no_interrupt_without_ien(nvme0, nvme0n1, buf):
    qpair = d.Qpair(nvme0, 8, ien=False, iv=3)
    qpair.msix_clear()
    nvme0n1.read(qpair, buf, 0, 8).waitdone()
    time.sleep(0.05)
    assert not qpair.msix_isset()
    qpair.delete()


def test_cmdlog_of_both_kinds(nvme0, nvme0n1, qpair, buf, capsys):
    nvme0.getfeatures(7).waitdone()
    nvme0n1.read(qpair, buf, 0x1234, 8).waitdone()
    capsys.readouterr()
    nvme0.cmdlog(1)
    qpair.cmdlog(count=1)
    text = capsys.readouterr().out
    assert re.search(r"index 0, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\n", text)
    assert "GET FEATURES (0a) sqid:0 cid:" in text
    assert f"READ (02) sqid:{qpair.sqid} cid:" in text
    assert "cdw10:00001234 cdw11:00000000 cdw12:00000007" in text
    assert "SUCCESS (00/00)" in text


def test_cmdlog_of_all(nvme0n1, qpair, buf, capsys):
    for _ in range(100):
        nvme0n1.read(qpair, buf, 0, 8).waitdone()
    capsys.readouterr()
    qpair.cmdlog()
    assert capsys.readouterr().out.count("READ (02)") == 100


def test_cmdlog_of_a_command_in_flight(nvme0, capsys):
    nvme0.aer()
    capsys.readouterr()
    nvme0.cmdlog(1)
    text = capsys.readouterr().out
    assert "ASYNC EVENT REQUEST (0c)" in text and "not completed" in text


def test_names(nvme0, nvme0n1):
    assert nvme0.cmdname(0x06) == "IDENTIFY"
    assert nvme0n1.cmdname(0x02) == "READ"
    for opcode in range(256):
        assert nvme0.cmdname(opcode)
        assert nvme0n1.cmdname(opcode)


def test_registers(nvme0):
    assert nvme0[0] | nvme0[4] << 32 == nvme0.cap
    assert nvme0[0x1C] & 1
    origin = nvme0[0x24]
    assert origin & 0xFFF > 0
    for wrong in ("0", None, 1.5):
        with pytest.raises(TypeError):
            nvme0[wrong]


def test_register_by_numpy(nvme0):
    numpy = pytest.importorskip("numpy")
    assert nvme0[numpy.int64(0x1C)] & 1
    nvme0[numpy.uint32(0x0C)] = numpy.uint32(0)


def test_timeout_property(nvme0):
    assert nvme0.timeout == 10000
    nvme0.timeout = 5000
    nvme0.reset()
    assert nvme0.timeout == 5000
    nvme0.timeout = 10000


def test_address(nvme0, pciaddr):
    assert nvme0.addr == pciaddr


def test_pcie_of_the_controller(nvme0, pcie):
    assert nvme0.pcie[0:4] == pcie[0:4]


def test_floats_and_numpy_are_ints(nvme0n1, qpair, buf):
    numpy = pytest.importorskip("numpy")
    nvme0n1.read(qpair, buf, 16 / 2, 8.0).waitdone()
    nvme0n1.read(qpair, buf, numpy.uint64(8), numpy.int32(8)).waitdone()
    with pytest.raises(TypeError):
        nvme0n1.read(qpair, buf, 0.5)


def test_threads_with_queues_of_their_own(nvme0, nvme0n1):
    errors = []

    def work(number):
        try:
            qpair = d.Qpair(nvme0, 16)
            b = d.Buffer(4096)
            for i in range(100):
                nvme0n1.write(qpair, b, number * 1000 + i * 8, 8).waitdone()
                nvme0n1.read(qpair, b, number * 1000 + i * 8, 8).waitdone()
                assert b.data_head == number * 1000 + i * 8
            qpair.delete()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_threads_on_the_admin_queue(nvme0):
    values = []

    def work():
        for _ in range(50):
            values.append(nvme0.id_data(23, 4, str))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(values) == 200 and len(set(values)) == 1


def test_others_run_while_one_waits(nvme0, nvme0n1, qpair, buf):
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.001):
            ticks.append(time.time())

    thread = threading.Thread(target=tick)
    thread.start()
    nvme0.format(0, ses=1).waitdone()
    for _ in range(100):
        nvme0n1.read(qpair, buf, 0, 8).waitdone()
    stop.set()
    thread.join()
    assert ticks


def test_srand_seeds_python_too():
    import random

    d.srand(123)
    a = random.random(), d.Buffer(16, ptype=0xBEEF, pvalue=100)[:]
    d.srand(123)
    assert a == (random.random(), d.Buffer(16, ptype=0xBEEF, pvalue=100)[:])


def test_dotdict():
    x = d.DotDict(a=1)
    x.b = 2
    assert (x["b"], x.a, len(x)) == (2, 1, 2)
    with pytest.raises(AttributeError):
        assert x.c


def test_import_star():
    names = {}
    exec("from nvme import *", names)
    assert {
        "Buffer",
        "Pcie",
        "Controller",
        "Namespace",
        "Qpair",
        "Subsystem",
        "DotDict",
        "srand",
        "Tcp",
        "QpairCreationError",
        "NvmeEnumerateError",
    } <= set(names)
    assert d.__version__


def test_help_of_everything():
    for thing in (d.Buffer, d.Pcie, d.Controller, d.Namespace, d.Qpair, d.Subsystem, d.IOWorker):
        assert thing.__doc__
        for name in dir(thing):
            if not name.startswith("_"):
                assert getattr(thing, name).__doc__, f"{thing.__name__}.{name}"


class TestReports:
    """The reports of a test's phases hang at its item."""

    @pytest.fixture(autouse=True)
    def look(self, request):
        yield
        assert request.node.rep_setup.passed
        assert request.node.rep_call.passed

    def test_in_a_class(self, nvme0):
        nvme0.getfeatures(7).waitdone()


def test_that_only_passes(nvme0):
    pass
