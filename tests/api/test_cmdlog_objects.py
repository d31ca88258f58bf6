# SPDX-License-Identifier: BSD-3-Clause
"""The command log as objects: what was sent, with names, fields, times, statuses, faults and data."""

import contextlib
import json
import pickle
import re
import sys
import time

import numpy
import nvme as d
import pytest
from offered import SPDK

from pynvme import spec, trace
from pynvme.trace import CommandLog
from pynvme.trace.command import RECORD
from pynvme.trace.log import HEADINGS


@pytest.fixture
def pair(nvme0):
    pair = d.Qpair(nvme0, 64)
    yield pair
    pair.delete()


@contextlib.contextmanager
def expected(text):
    with pytest.warns(UserWarning, match=text):
        yield


def test_commands_come_oldest_first_with_their_fields_and_times(nvme0n1, pair, buf):
    before = time.time_ns()
    nvme0n1.write(pair, buf, 5, 8, io_flags=1 << 14).waitdone()
    nvme0n1.read(pair, buf, 0x1_0000_0002 % 4096, 2, dword13=3).waitdone()
    latency = pair.latest_latency
    nvme0n1.flush(pair).waitdone()
    after = time.time_ns()
    log = pair.cmdlog_list()
    assert [c.name for c in log] == ["Write", "Read", "Flush"] and [c.number for c in log] == [1, 2, 3]
    write, read, flush = log
    assert (write.slba, write.lbas, write.nlb, write.fua, write.nsid, write.opcode) == (5, 8, 7, 1, 1, 1)
    assert (read.slba, read.lbas, read.fields["dsm"], read.cdw13) == (2, 2, 3, 3)
    assert (flush.slba, flush.lbas, flush.fields) == (None, None, {})
    assert read.sqe.cdw12 == 1 and read.cqe.sqid == pair.sqid and read.cqe.sqhd == 2
    assert read.latency_ns == round(latency * 1000)
    assert before - 1e7 < write.submitted_ns < write.completed_ns <= read.submitted_ns < after + 1e7
    assert abs(write.submitted.timestamp() - write.submitted_ns / 1e9) < 1e-5
    assert {c.qid for c in log} == {pair.sqid} and {c.status_name for c in log} == {"00/00 Success"}


def test_a_number_limits_the_log_and_slices_and_sums_are_logs(nvme0, nvme0n1, pair, buf):
    for lba in range(5):
        nvme0n1.read(pair, buf, lba).waitdone()
    assert [c.slba for c in pair.cmdlog_list(2)] == [3, 4]
    log = pair.cmdlog_list()
    assert isinstance(log[1:3], CommandLog) and [c.slba for c in log[1:3]] == [1, 2] and log[-1].slba == 4
    with pytest.raises(IndexError, match="has 5 commands, and no index 5"):
        log[5]
    nvme0.identify(buf).waitdone()
    both = log + nvme0.cmdlog_list(1)
    assert [c.qid for c in both] == [pair.sqid] * 5 + [0] and both == nvme0.cmdlog_list(1) + log
    assert both.drive == log.drive != ""


@pytest.mark.parametrize("count", [-1, 1 << 32, "1", 0.5])
def test_a_wrong_count_is_refused(pair, nvme0, count):
    for call in (pair.cmdlog_list, nvme0.cmdlog_list, pair.cmdlog, nvme0.cmdlog):
        with pytest.raises((AssertionError, TypeError), match=r"cmdlog(_list)?\(\): count must be"):
            call(count)
    with pytest.raises(TypeError, match="takes at most 1 argument"):
        pair.cmdlog(1, 2)


@pytest.mark.differs(SPDK, "DNR is 0 for an LBA beyond the end (Base 2.0, 3.3.3.2)")
def test_a_failure_has_its_status_by_name_and_its_warning(nvme0n1, pair, buf):
    with expected("00/80"):
        nvme0n1.read(pair, buf, 1 << 40).waitdone()
    nvme0n1.read(pair, buf, 0).waitdone()
    (failed,) = pair.cmdlog.failures
    assert (failed.sct, failed.sc, failed.status) == (0, 0x80, spec.Status.LBA_OUT_OF_RANGE)
    assert failed.status_name == "00/80 LBA Out of Range" and failed.dnr
    assert failed.warnings == ["ERROR status: 00/80 LBA Out of Range"] and failed.failed
    assert not pair.cmdlog[-1].failed and pair.cmdlog[-1].warnings == []


def test_a_command_in_flight_has_no_completion(nvme0n1, pair, buf):
    nvme0n1.read(pair, buf, 9)
    (command,) = pair.cmdlog_list()
    assert not command.completed and not command.failed and command.status_name == "not completed"
    assert [command.cqe, command.status, command.latency_ns, command.completed_ns, command.cdw0] == [None] * 5
    pair.waitdone()
    assert pair.cmdlog[0].completed


def test_the_live_log_is_read_anew(nvme0n1, pair, buf, capsys):
    log = pair.cmdlog
    assert len(log) == 0 and list(log) == []
    nvme0n1.read(pair, buf, 3).waitdone()
    assert len(log) == 1 and [c.slba for c in log] == [3] and log.filter(slba=3)[0].lbas == 1
    log(1)
    assert "READ (02)" in capsys.readouterr().out
    assert "dump" not in repr(log) and "Read" in repr(log)


def test_filters(nvme0n1, pair, buf):
    for lba in range(6):
        nvme0n1.read(pair, buf, lba, 1 + lba % 2).waitdone()
    nvme0n1.flush(pair).waitdone()
    log = pair.cmdlog_list()
    assert [c.slba for c in log.filter(lbas=2)] == [1, 3, 5]
    assert [c.slba for c in log.filter(lambda c: (c.slba or 0) > 3, opcode=2)] == [4, 5]
    assert len(log.filter(slba=None)) == 1 and len(log.filter(nlb=0)) == 3 and len(log.filter(lid=2)) == 0
    with pytest.raises(TypeError, match="condition must be a function of a Command, not int"):
        log.filter(5)


def test_a_name_that_is_no_field_says_which_there_are(nvme0, buf):
    nvme0.identify(buf).waitdone()
    command = nvme0.cmdlog[-1]
    assert (command.cns, command.cntid) == (1, 0)
    with pytest.raises(AttributeError, match="Identify has no field slbaa: it has cns, cntid"):
        command.slbaa  # noqa: B018


def test_dataset_management_has_its_opcode_and_no_lba_of_its_dwords(nvme0n1, pair, buf):
    buf.set_dsm_range(0, 100, 8)
    nvme0n1.dsm(pair, buf, 1).waitdone()
    command = pair.cmdlog[-1]
    assert command.name == "Dataset Management" and command.slba is None


def test_opcodes_of_the_vendor_have_their_dwords(nvme0, buf):
    with expected("00/01"):
        nvme0.send_cmd(0xC6, buf, cdw10=7, cdw15=9).waitdone()
    command = nvme0.cmdlog[-1]
    assert command.name == "vendor specific C6h" and command.fields["cdw10"] == 7 and command.cdw15 == 9


def test_the_data_of_admin_commands_are_kept_and_decoded(nvme0, buf):
    nvme0.identify(buf).waitdone()
    identify = nvme0.cmdlog[-1]
    assert identify.data == bytes(buf[:]) and identify.decode().mn == nvme0.id_ctrl.mn
    nvme0.getlogpage(2, buf, 512).waitdone()
    smart = nvme0.cmdlog[-1]
    assert smart.decode().ctemp == buf.data(2, 1) and smart.decode() == spec.SmartLog(buf[:512])
    nvme0.getfeatures(7).waitdone()
    assert nvme0.cmdlog[-1].data is None and nvme0.cmdlog[-1].decode() is None


def test_the_data_of_io_are_kept_on_request_from_both_directions(nvme0n1, pair, buf):
    nvme0n1.read(pair, buf, 0).waitdone()
    assert pair.cmdlog[-1].data is None
    pair.cmdlog_keep(512, 2)
    buf[:] = b"w" * 4096
    nvme0n1.write(pair, buf, 0, 8).waitdone()
    written = bytes(buf[:512])
    buf[:] = b"x" * 4096
    nvme0n1.read(pair, buf, 0, 8).waitdone()
    with expected("00/80"):
        nvme0n1.read(pair, buf, 1 << 40).waitdone()
    assert [c.data for c in pair.cmdlog_list(3)] == [written, written, None]
    nvme0n1.read(pair, buf, 0).waitdone()
    assert [c.data for c in pair.cmdlog_list(4)] == [None, written, None, written]
    pair.cmdlog_keep(0)
    nvme0n1.read(pair, buf, 0).waitdone()
    assert {c.data for c in pair.cmdlog_list()} == {None}


@pytest.mark.parametrize(("size", "count"), [(-1, 1), (1, 0), (1 << 20, 1 << 20), (1 << 32, 1)])
def test_wrong_amounts_of_data_are_refused(pair, size, count):
    with pytest.raises(AssertionError, match=r"Qpair.cmdlog_keep\(\): (size|count)"):
        pair.cmdlog_keep(size, count)


def test_the_record_of_the_driver_has_the_layout_of_the_package(nvme0n1, pair, buf):
    nvme0n1.read(pair, buf, 0).waitdone()
    log = pair.cmdlog_list()
    assert len(log.records()) == RECORD.size == 128
    assert pickle.loads(pickle.dumps(log)) == log and pickle.loads(pickle.dumps(log[0])).lbas == 1


def test_the_log_of_a_worker_while_it_runs_and_after_its_end(nvme0n1):
    worker = nvme0n1.ioworker(io_size=8, lba_random=False, io_count=5000, region_end=40000)
    with worker:
        while worker.running:
            assert all(c.name == "Read" for c in worker.cmdlog_list(8))
    log = worker.cmdlog_list()
    assert [c.slba for c in log] == list(range(8 * (5000 - 4096), 40000, 8))
    assert {c.status for c in log} == {0} and len(worker.cmdlog_list(7)) == 7
    assert nvme0n1.ioworker(io_count=1).cmdlog_list() == CommandLog()


def test_as_dicts_for_json(nvme0n1, pair, buf):
    nvme0n1.read(pair, buf, 4, 4).waitdone()
    told = json.loads(json.dumps(pair.cmdlog_list().to_dict()))
    assert told["version"] == 1 and told["drive"] == pair.cmdlog.drive
    (command,) = told["commands"]
    assert command["name"] == "Read" and command["fields"]["nlb"] == 3 and command["lbas"] == 4
    assert command["completed_ns"] - command["submitted_ns"] == command["latency_ns"] > 0


def test_as_a_table(nvme0n1, pair, buf):
    with expected("00/80"):
        nvme0n1.read(pair, buf, 1 << 40, 2).waitdone()
    for lba in range(50):
        nvme0n1.read(pair, buf, lba).waitdone()
    lines = repr(pair.cmdlog_list()).splitlines()
    assert re.fullmatch(r"51 commands of the drive at \S+, 1 failed", lines[0])
    assert lines[1].split() == [*HEADINGS[:5], "latency", "us", *HEADINGS[6:]]
    assert lines[2] == "… 11 earlier ones" and len(lines) == 43 and lines[-1].endswith("LBA 0x31")
    assert "LBA Out of Range" in repr(pair.cmdlog_list()[:2])
    html = pair.cmdlog_list()[:2]._repr_html_()
    assert html.count("<tr>") == 3 and "LBA 0x10000000000 to 0x10000000001" in html
    assert repr(CommandLog()) == "0 commands"


@pytest.fixture(scope="module")
def drive():
    pcie = d.Pcie("vssd:name=cmdlog_objects,size=64M")
    yield d.Controller(pcie)
    pcie.close()


def test_fired_rules_are_with_their_command(drive):
    from pynvme.vssd import VirtualSsd

    nvme0n1, queue, buf = d.Namespace(drive), d.Qpair(drive, 8), d.Buffer(4096)
    ssd = VirtualSsd.attach(queue.cmdlog.drive)
    ssd.fault("opcode=read lba=7 do status=02/81")
    nvme0n1.read(queue, buf, 6).waitdone()
    with expected("02/81"):
        nvme0n1.read(queue, buf, 7).waitdone()
    first, second = queue.cmdlog_list()
    assert first.faults == ()
    (fault,) = second.faults
    assert "status" in fault.text and second.submitted_ns <= fault.time_ns <= second.completed_ns
    assert "fired" in repr(queue.cmdlog) and second.status_name.startswith("02/81")
    ssd.clear_faults()


def test_a_time_out_and_a_mismatch_are_told(drive):
    from pynvme.vssd import VirtualSsd

    nvme0n1, queue, buf = d.Namespace(drive), d.Qpair(drive, 8), d.Buffer(4096)
    nvme0n1.write(queue, buf, 3).waitdone()
    ssd = VirtualSsd.attach(queue.cmdlog.drive)
    ssd.poke(1, 3, b"\5" * 512)
    with expected("07/81"):
        nvme0n1.read(queue, buf, 3).waitdone()
    wrong = queue.cmdlog[-1]
    assert (wrong.status, wrong.cqe.status >> 1) == (0x781, 0) and wrong.failed
    assert (
        wrong.warnings == ["ERROR status: 07/81 Data Verification Failed"]
        and wrong.status_name == "07/81 Data Verification Failed"
    )
    worker = nvme0n1.ioworker(io_size=1, lba_random=False, region_start=3, io_count=1).start()
    with expected("07/81"), expected("ioworker host ERROR -6"):
        worker.close()
    assert [c.status for c in worker.cmdlog_list()] == [0x781]
    ssd.fault("opcode=read lba=9 do hold")
    drive.timeout = 50
    with expected("drive timeout"):
        nvme0n1.read(queue, buf, 9).waitdone()
    (late,) = queue.cmdlog.filter(slba=9)
    assert late.status_name == "timed out" and late.failed
    assert late.warnings == [f"drive timeout: qpair: {queue.sqid}, cid: {late.cid}"]
    ssd.clear_faults()


def test_own_files_give_the_same_log_again(nvme0, nvme0n1, pair, buf, tmp_path):
    with expected("00/80"):
        nvme0n1.read(pair, buf, 1 << 40).waitdone()
    nvme0.identify(buf).waitdone()
    nvme0n1.read(pair, buf, 1)
    log = pair.cmdlog_list() + nvme0.cmdlog_list(3)
    pair.waitdone()
    log.save(tmp_path / "a.trace")
    again = trace.load(tmp_path / "a.trace")
    assert again == log and again.drive == log.drive and len(again[-2].data) == 4096
    assert [file.name for file in tmp_path.iterdir()] == ["a.trace"]
    nvme0.cmdlog.save(str(tmp_path / "b.data"), format="trace")
    assert len(trace.load(tmp_path / "b.data")) == len(nvme0.cmdlog)


def test_a_table_for_numpy(nvme0n1, pair, buf, tmp_path):
    for lba in range(3):
        nvme0n1.read(pair, buf, lba, 2).waitdone()
    nvme0n1.read(pair, buf, 9)
    log = pair.cmdlog_list()
    pair.waitdone()
    table = log.to_numpy()
    assert table["slba"].tolist() == [0, 1, 2, 9] and table["lbas"].tolist() == [2, 2, 2, 1]
    assert table["status"].tolist() == [0, 0, 0, -1] and table["latency_ns"][3] == -1
    assert table["latency_ns"][:3].tolist() == [c.latency_ns for c in log[:3]]
    assert table["cdw12"].tolist() == [1, 1, 1, 0] and set(table["qid"]) == {pair.sqid}
    log.save(tmp_path / "a.npy")
    assert (numpy.load(tmp_path / "a.npy") == table).all()
    assert CommandLog().to_numpy().shape == (0,)


def test_a_table_for_pandas_and_parquet(nvme0n1, pair, buf, tmp_path, monkeypatch):
    """Without the libraries the message says what to install; with them the table is the same."""
    nvme0n1.read(pair, buf, 5).waitdone()
    log = pair.cmdlog_list()
    for module, call in (("pandas", log.to_pandas), ("pyarrow", lambda: log.save(tmp_path / "a.parquet"))):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            with pytest.raises(ImportError, match=f"needs {module}.*pip install"):
                call()
    assert list(tmp_path.iterdir()) == []
    parquet = pytest.importorskip("pyarrow.parquet")
    log.save(tmp_path / "a.parquet")
    columns = parquet.read_table(tmp_path / "a.parquet").to_pydict()
    assert (
        columns["slba"] == [5] and columns["name"] == ["Read"] and columns["status_name"] == ["00/00 Success"]
    )
    pytest.importorskip("pandas")
    frame = log.to_pandas()
    assert frame["latency_ns"].tolist() == [log[0].latency_ns]
    assert frame["submitted"][0].value == log[0].submitted_ns


@pytest.mark.parametrize("name", ["a", "a.txt", "a.trace.gz"])
def test_a_suffix_without_a_format_is_refused(pair, tmp_path, name):
    with pytest.raises(ValueError, match=r"there is no format .*: the suffix must be one of .*\.trace"):
        pair.cmdlog.save(tmp_path / name)
    with pytest.raises(TypeError, match="file must be a name, not int"):
        pair.cmdlog.save(3)


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"PK" + bytes(100)]
)
def test_a_damaged_file_is_refused(nvme0, tmp_path, damage):
    nvme0.cmdlog.save(tmp_path / "a.trace")
    (tmp_path / "a.trace").write_bytes(damage((tmp_path / "a.trace").read_bytes()))
    with pytest.raises(ValueError, match="is no trace of pynvme, or is damaged"):
        trace.load(tmp_path / "a.trace")


def test_a_log_and_its_file_are_replayed(nvme0, nvme0n1, pair, buf, tmp_path):
    for lba in (8, 16, 24):
        nvme0n1.write(pair, buf, lba, 2).waitdone()
    nvme0n1.flush(pair).waitdone()
    log = pair.cmdlog_list()
    log.save(tmp_path / "a.pcapng")
    for source in (log, tmp_path / "a.pcapng", str(tmp_path / "a.pcapng")):
        worker = nvme0n1.ioworker(io_sequence=source, qdepth=2).start()
        assert worker.close().io_count_write == 3
        assert [(c.opcode, c.slba, c.lbas) for c in worker.cmdlog_list()] == [
            (c.opcode, c.slba, c.lbas) for c in log
        ]
    fio = tmp_path / "fio.log"
    fio.write_text(f"fio version 3 iolog\n0 /a read 0 {1 << 20}\n")
    worker = nvme0n1.ioworker(io_sequence=fio).start()
    most = min(nvme0.mdts, 1 << 20)
    assert worker.close().io_count_read == (1 << 20) // most
    assert {c.lbas for c in worker.cmdlog_list()} == {most // nvme0n1.lba_size}
    for source, kind in ((5, TypeError), (tmp_path / "none", FileNotFoundError)):
        with pytest.raises(kind):
            nvme0n1.ioworker(io_sequence=source)


def test_dwords_2_and_3_are_sent(nvme0, nvme0n1, pair, buf):
    nvme0.send_cmd(0x06, buf, cdw10=1, cdw2=0x12345678, cdw3=3).waitdone()
    nvme0n1.send_cmd(0x02, pair, buf, cdw2=5, cdw3=0xFFFFFFFF).waitdone()
    for command, two, three in ((nvme0.cmdlog[-1], 0x12345678, 3), (pair.cmdlog[-1], 5, 0xFFFFFFFF)):
        assert (command.sqe.cdw2, command.sqe.cdw3) == (two, three)
