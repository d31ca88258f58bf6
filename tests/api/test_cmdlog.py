# SPDX-License-Identifier: BSD-3-Clause
"""The command log: what was sent and what came back, newest first."""

import re

import nvme as d
import pytest


@pytest.fixture
def pair(nvme0):
    pair = d.Qpair(nvme0, 64)
    yield pair
    pair.delete()


def logged(pair, capsys, count=0):
    """Give (cdw10, sct/sc) of what cmdlog(count) prints, in its order."""
    capsys.readouterr()
    pair.cmdlog(count)
    text = capsys.readouterr().out
    commands = re.findall(r"\([0-9a-f]{2}\) sqid:\d+ cid:\d+ nsid:\d+ cdw10:([0-9a-f]{8})", text)
    statuses = re.findall(r"\(([0-9a-f]{2}/[0-9a-f]{2})\) sqid:\d+ cid:\d+ cdw0:", text)
    assert len(commands) == len(statuses)
    return [(int(cdw10, 16), status) for cdw10, status in zip(commands, statuses)]


def test_the_newest_command_is_printed_first(nvme0n1, pair, buf, capsys):
    for lba in (11, 22, 33):
        nvme0n1.read(pair, buf, lba).waitdone()
    assert logged(pair, capsys, 3) == [(33, "00/00"), (22, "00/00"), (11, "00/00")]
    assert logged(pair, capsys, 1) == [(33, "00/00")]
    assert len(logged(pair, capsys)) == 3


def test_a_refused_command_is_logged_with_its_status(nvme0n1, pair, buf, capsys):
    with pytest.warns(UserWarning, match="00/80"):
        nvme0n1.read(pair, buf, 0xFFFF_FFFF_0000_0007).waitdone()
    assert logged(pair, capsys, 1) == [(7, "00/80")]


def test_the_command_name_opcode_and_nsid_are_the_commands_own(nvme0n1, pair, capsys):
    nvme0n1.flush(pair).waitdone()
    capsys.readouterr()
    pair.cmdlog(1)
    assert re.search(rf"FLUSH \(00\) sqid:{pair.sqid} cid:\d+ nsid:1 ", capsys.readouterr().out)


def test_each_line_says_whether_it_is_of_the_command_or_of_its_completion(nvme0n1, pair, buf, capsys):
    nvme0n1.read(pair, buf, 0).waitdone()
    latency = pair.latest_latency
    nvme0n1.read(pair, buf, 8)
    capsys.readouterr()
    pair.cmdlog()
    lines = capsys.readouterr().out.splitlines()
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"
    assert lines[0] == f"dump qpair {pair.sqid}, latest tail in cmdlog: 2"
    assert re.fullmatch(rf"index 0, {moment}", lines[1])
    assert lines[2].startswith("command sent: READ (02) sqid:")
    assert lines[3] == "index 0, not completed"
    assert re.fullmatch(rf"index 1, {moment}", lines[4])
    assert lines[5].startswith("command sent: READ (02) sqid:")
    assert re.fullmatch(rf"index 1, {moment}", lines[6])
    found = re.match(r"completion reaped (\d+\.\d) us later: SUCCESS \(00/00\) sqid:", lines[7])
    assert float(found[1]) == pytest.approx(latency, abs=0.1)
    pair.waitdone()


def test_each_queue_has_a_log_of_its_own(nvme0, nvme0n1, pair, buf, capsys):
    other = d.Qpair(nvme0, 4)
    nvme0n1.read(pair, buf, 5).waitdone()
    nvme0n1.read(other, buf, 6).waitdone()
    assert logged(other, capsys) == [(6, "00/00")]
    assert logged(pair, capsys) == [(5, "00/00")]
    other.delete()


def test_the_log_keeps_the_last_4096_commands_at_least(nvme0n1, pair, buf, capsys):
    total = 10000
    for start in range(0, total, 50):
        for i in range(start, start + 50):
            nvme0n1.read(pair, buf, i)
        pair.waitdone(50)
    entries = logged(pair, capsys)
    assert len(entries) >= 4096
    assert [lba for lba, _ in entries] == list(range(total - 1, total - 1 - len(entries), -1))
    assert {status for _, status in entries} == {"00/00"}


def test_a_command_in_flight_is_in_the_log_without_a_completion(nvme0n1, pair, buf, capsys):
    nvme0n1.read(pair, buf, 1).waitdone()
    nvme0n1.read(pair, buf, 2)
    capsys.readouterr()
    pair.cmdlog(2)
    text = capsys.readouterr().out
    assert "cdw10:00000002" in text
    assert text.count("SUCCESS (00/00)") == 1
    pair.waitdone()


def test_the_log_of_a_reused_queue_starts_empty(nvme0, nvme0n1, buf, capsys):
    first = d.Qpair(nvme0, 4)
    nvme0n1.read(first, buf, 9).waitdone()
    first.delete()
    again = d.Qpair(nvme0, 4)
    assert again.sqid == first.sqid
    assert logged(again, capsys) == []
    again.delete()


def test_the_stamps_rise_from_command_to_completion_and_are_todays(nvme0n1, pair, buf, capsys):
    import datetime

    nvme0n1.read(pair, buf, 0).waitdone()
    capsys.readouterr()
    pair.cmdlog(1)
    stamps = re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", capsys.readouterr().out)
    sent, completed = (datetime.datetime.fromisoformat(stamp) for stamp in stamps)
    assert sent <= completed
    assert abs(datetime.datetime.now() - completed) < datetime.timedelta(minutes=1)
