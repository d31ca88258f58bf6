# SPDX-License-Identifier: BSD-3-Clause
"""The journal keeps what was synced, whatever kills its process, and says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pynvme.lab import journal


def filled(folder: Path) -> None:
    book = journal.Journal(folder, new=True)
    book.add("campaign", version=1, name="n", plan="x")
    for job, drive in (("a", "d1"), ("b", "d2"), ("c", "d1")):
        book.add("begin", job=job, attempt=1, drive=drive)
    book.add("end", job="a", attempt=1, outcome="failed", findings=2)
    book.add("end", job="b", attempt=1, outcome="interrupted", findings=1)
    book.sync()
    book.close()


def test_a_torn_last_line_is_ignored_and_cut(tmp_path: Path) -> None:
    filled(tmp_path)
    path = tmp_path / journal.FILE
    whole = path.read_bytes()
    for length in (1, 5, 30):
        path.write_bytes(whole + b'{"event":"end","job":"c","attempt":1,"outcome":"passed"}'[:length])
        assert len(list(journal.read(tmp_path))) == 6
        book = journal.Journal(tmp_path, new=False)
        book.add("resume")
        book.sync()
        book.close()
        lines = path.read_bytes().removeprefix(whole).splitlines()
        assert [json.loads(line)["event"] for line in lines] == ["resume"]


def test_a_journal_says_what_is_done_running_and_suspect(tmp_path: Path) -> None:
    filled(tmp_path)
    state = journal.replay(journal.read(tmp_path))
    assert (set(state.done), set(state.running), state.findings) == ({"a"}, {"c"}, 2)
    state.take({"event": "lost", "job": "c", "attempt": 1, "why": "killed"})
    assert (state.suspect, state.lost, state.running) == ({"d1"}, {"c": 1}, {})
    state.take({"event": "aside", "drive": "d1", "why": "not ready"})
    assert state.aside == {"d1": "not ready"}
    state.take({"event": "health", "drive": "d1", "fit": True, "why": ""})
    assert (state.suspect, state.aside) == (set(), {})
    state.take({"event": "of a later version"})


def test_what_was_not_synced_is_not_there(tmp_path: Path) -> None:
    book = journal.Journal(tmp_path, new=True)
    book.add("campaign", version=1)
    assert list(journal.read(tmp_path)) == []
    book.sync()
    book.add("end", job="a", attempt=1, outcome="passed")  # its files may not be there
    book.close()
    assert len(list(journal.read(tmp_path))) == 1


def test_a_folder_has_one_campaign_and_one_process(tmp_path: Path) -> None:
    book = journal.Journal(tmp_path, new=True)
    with pytest.raises(journal.JournalError, match="--resume"):
        journal.Journal(tmp_path, new=True)
    with pytest.raises(journal.JournalError, match="another process"):
        journal.Journal(tmp_path, new=False)
    book.close()
    journal.Journal(tmp_path, new=False).close()


def test_a_damaged_journal_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(journal.JournalError, match="not the folder of a campaign"):
        list(journal.read(tmp_path))
    (tmp_path / journal.FILE).write_text('{"event":"resume"}\nnonsense\n{"event":"resume"}\n')
    with pytest.raises(journal.JournalError, match="line 2"):
        list(journal.read(tmp_path))
    (tmp_path / journal.FILE).write_text('{"event":"campaign","version":99}\n')
    with pytest.raises(journal.JournalError, match="version 99"):
        list(journal.read(tmp_path))
    (tmp_path / journal.FILE).write_text('{"event":"campaign","version":"one"}\n')
    with pytest.raises(journal.JournalError, match="version one"):
        list(journal.read(tmp_path))
    (tmp_path / journal.FILE).write_text('{"event":"begin","attempt":1}\n')
    with pytest.raises(journal.JournalError, match="'job'"):
        journal.replay(journal.read(tmp_path))
