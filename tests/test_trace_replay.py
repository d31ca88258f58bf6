# SPDX-License-Identifier: BSD-3-Clause
"""Traces of fio, blkparse and Linux become an io_sequence. The texts are what these tools write."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pynvme import trace
from tests.test_trace_files import Made

FLUSH, WRITE, READ, ZEROES, DSM = 0, 1, 2, 8, 9

FIO_2 = """fio version 2 iolog
/dev/nvme0n1 add
/dev/nvme0n1 open
/dev/nvme0n1 read 4096 8192
/dev/nvme0n1 wait 1500 0
/dev/nvme0n1 write 512 512
/dev/nvme0n1 sync 0 0
/dev/nvme0n1 wait 250 0
/dev/nvme0n1 trim 1048576 65536
/dev/nvme0n1 datasync
/dev/nvme0n1 close
"""
FIO_3 = """fio version 3 iolog
23 /tmp/a add
127 /tmp/a open
133 /tmp/a read 61440 4096
140 /tmp/b write 0 4096
5494 /tmp/a write 774144 4096
21470 /tmp/a sync 0 0
23713 /tmp/a close
"""
BLKPARSE = """259,0    3        1     0.000000000   697  Q   R 223490 + 8 [kworker/3:1]
259,0    3        2     0.000001829   697  G   R 223490 + 8 [kworker/3:1]
259,0    3        3     0.000105500   697  D   R 223490 + 8 [kworker/3:1]
259,0    3        4     0.000205500     0  C   R 223490 + 8 [0]
259,0    3        5     0.010105500   697  D  WS 16 + 2048 [dd]
259,0    1        6     0.020105500   697  D FWFS 64 + 8 [jbd2]
259,0    1        7     1.000105500   697  D  FN [jbd2]
259,0    1        8     1.000205500   697  D   D 4096 + 256 [fstrim]
8,16     1        9     1.000305500   697  D  RA 1 + 1 [cat]
CPU0 (259,0):
 Reads Queued:           2,        8KiB\t Writes Queued:           2,     1028KiB
"""
FTRACE = """# tracer: nop
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
             fio-1234    [003] ..... 12345.678901: nvme_setup_cmd: nvme0: disk=nvme0n1, qid=4, cmdid=24, \
nsid=1, flags=0x0, meta=0x0, cmd=(nvme_cmd_read slba=2048, len=7, ctrl=0x0, dsmgmt=0, reftag=0)
          <idle>-0       [003] d.h1. 12345.678990: nvme_complete_rq: nvme0: disk=nvme0n1, qid=4, cmdid=24, \
res=0x0, retries=0, flags=0x0, status=0x0
             fio-1234    [003] ..... 12345.679901: nvme_setup_cmd: nvme0: disk=nvme0n1, qid=4, cmdid=25, \
nsid=1, flags=0x0, meta=0x0, cmd=(nvme_cmd_write slba=10, len=0, ctrl=0x8000, dsmgmt=0, reftag=0)
             fio-1234    [003] ..... 12345.680001: nvme_setup_cmd: nvme0: disk=nvme0n1, qid=4, cmdid=26, \
nsid=1, flags=0x0, meta=0x0, cmd=(nvme_cmd_flush cdw10=00 00 00 00)
             fio-1234    [003] ..... 12345.680002: nvme_setup_cmd: nvme0: qid=0, cmdid=1, nsid=0, \
flags=0x0, meta=0x0, cmd=(nvme_admin_identify cns=1, ctrlid=0)
             fio-1234    [003] ..... 12345.680101: nvme_setup_cmd: nvme0: disk=nvme0n1, qid=4, cmdid=27, \
nsid=1, flags=0x0, meta=0x0, cmd=(nvme_cmd_write_zeroes slba=5, len=3, ctrl=0x0, dsmgmt=0, reftag=0)
"""


def given(folder: Path, text: str, **options: Any) -> list[tuple[int, int, int, int]]:
    file = folder / "a.txt"
    file.write_text(text)
    return trace.sequence(file, **options)


def test_an_iolog_of_version_2_has_waits(tmp_path: Path) -> None:
    assert given(tmp_path, FIO_2) == [
        (0, READ, 8, 16),
        (1500, WRITE, 1, 1),
        (1500, FLUSH, 0, 0),
        (1750, DSM, 2048, 128),
        (1750, FLUSH, 0, 0),
    ]


def test_an_iolog_of_version_3_has_times_and_several_files(tmp_path: Path) -> None:
    assert given(tmp_path, FIO_3) == [
        (0, READ, 120, 8),
        (7, WRITE, 0, 8),
        (5361, WRITE, 1512, 8),
        (21337, FLUSH, 0, 0),
    ]
    assert given(tmp_path, FIO_3, device="/tmp/b") == [(0, WRITE, 0, 8)]
    with pytest.raises(ValueError, match=r"has no IO of device '/tmp/c': it has /tmp/a, /tmp/b"):
        given(tmp_path, FIO_3, device="/tmp/c")


@pytest.mark.skipif(shutil.which("fio") is None, reason="needs fio")
def test_what_fio_itself_writes(tmp_path: Path) -> None:
    log = tmp_path / "fio.log"
    line = ["fio", "--name=a", f"--filename={tmp_path}/f", "--size=64k", "--bs=4k", "--rw=randrw"]
    subprocess.run([*line, f"--write_iolog={log}", "--thinktime=100"], check=True, capture_output=True)
    steps = trace.sequence(log)
    assert len(steps) == 16 and sorted({slba for _, _, slba, _ in steps}) == list(range(0, 128, 8))
    assert {nlb for *_, nlb in steps} == {8} and steps[0][0] == 0 and steps[-1][0] >= 1500


def test_blkparse(tmp_path: Path) -> None:
    assert given(tmp_path, BLKPARSE, device="259,0") == [
        (0, READ, 223490, 8),
        (10000, WRITE, 16, 2048),
        (20000, FLUSH, 0, 0),
        (20000, WRITE, 64, 8),
        (1000000, FLUSH, 0, 0),
        (1000100, DSM, 4096, 256),
    ]
    assert given(tmp_path, BLKPARSE.splitlines()[0]) == [(0, READ, 223490, 8)]


def test_trace_events_of_linux(tmp_path: Path) -> None:
    assert given(tmp_path, FTRACE, lba_size=4096) == [
        (0, READ, 2048, 8),
        (1000, WRITE, 10, 1),
        (1100, FLUSH, 0, 0),
        (1200, ZEROES, 5, 4),
    ]


def test_bytes_become_whole_lbas_of_any_size(tmp_path: Path) -> None:
    text = "fio version 2 iolog\n/a read 4608 512\n/a write 0 12288\n/a read 4095 2\n"
    assert given(tmp_path, text, lba_size=4096) == [(0, READ, 1, 1), (0, WRITE, 0, 3), (0, READ, 0, 2)]


def test_large_ios_are_split_and_far_ones_folded(tmp_path: Path) -> None:
    text = "fio version 2 iolog\n/a read 0 5120\n/a write 10240 2048\n"
    assert given(tmp_path, text, most=4, nlba=22) == [
        (0, READ, 0, 4),
        (0, READ, 4, 4),
        (0, READ, 8, 2),
        (0, WRITE, 20, 2),
        (0, WRITE, 0, 2),
    ]


def test_the_speed(tmp_path: Path) -> None:
    assert [step[0] for step in given(tmp_path, FIO_2, speed=2)] == [0, 750, 750, 875, 875]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "is no trace that pynvme knows. It knows fio, blkparse, ftrace"),
        ("hello\n", "is no trace that pynvme knows"),
        ("fio version 4 iolog\n", "line 1 must be"),
        ("fio version 3 iolog\n0 /a read x 1\n", "line 2: 'x' is no number"),
        ("fio version 3 iolog\n0 /a read 1\n", "line 2 is no entry of an iolog"),
        ("fio version 3 iolog\n0 /a wait 1 1\n", "line 2 has an unknown action, 'wait'"),
        ("fio version 2 iolog\n/a add\n", "has no IO"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        given(tmp_path, text)


@pytest.mark.parametrize("options", [{"speed": 0}, {"most": 0}, {"most": 65537}, {"format": "csv"}])
def test_wrong_options_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|there is no format"):
        given(tmp_path, FIO_2, **options)


def test_own_files_of_all_formats(tmp_path: Path) -> None:
    made = Made(1)
    made.add(0, 0x06)
    made.add(1, READ, 1, (5, 0, 7))
    made.add(1, WRITE, 1, (100, 1, 0))
    made.add(2, FLUSH)
    made.add(1, 0x19)  # Copy, which a worker cannot send
    log = trace.CommandLog(made.commands)
    times = [round((c.submitted_ns - log[1].submitted_ns) / 1000) for c in log[1:4]]
    wanted = [
        (times[0], READ, 5, 8),
        (times[1], WRITE, 100 | 1 << 32, 1),
        (times[2], FLUSH, 0, 0),
    ]
    assert trace.sequence(log) == wanted
    for suffix in ("trace", "pcapng", "npy", "json"):
        log.save(tmp_path / f"a.{suffix}")
        assert trace.sequence(tmp_path / f"a.{suffix}") == wanted
    for other in ("[]", '{"traceEvents": []}', "{"):
        (tmp_path / "a.json").write_text(other)
        with pytest.raises(ValueError, match=r"no trace of pynvme|Expecting"):
            trace.sequence(tmp_path / "a.json")
    assert trace.sequence(log, nlba=1000) == [
        wanted[0],
        (times[1], WRITE, (100 | 1 << 32) % 1000, 1),
        wanted[2],
    ]
