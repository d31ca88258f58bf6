# SPDX-License-Identifier: BSD-3-Clause
"""Percentiles mean what fio's mean: of the same latencies they are the same, within the buckets of both."""

import json
import shutil
import subprocess

import nvme
import pytest

from pynvme.perf import PERCENTILES

FIO = shutil.which("fio")
IOS = 7919
"""A prime, since fio takes one IO more where a percentile is a whole number of IOs: 99.9 is inexact."""


@pytest.mark.skipif(FIO is None, reason="needs fio: apt-get install fio")
@pytest.mark.parametrize("rw", ["randread", "randwrite"])
def test_percentiles_of_a_run_of_fio_are_those_of_fio(tmp_path, rw):
    words = [f"--rw={rw}", f"--number_ios={IOS}", "--bs=4k", "--size=32m", "--ioengine=psync", "--name=job"]
    words += ["--output-format=json", "--output=out.json", "--write_lat_log=job", "--log_entries=20000"]
    words += ["--percentile_list=" + ":".join(map(str, PERCENTILES)), "--lat_percentiles=1", "--randrepeat=1"]
    subprocess.run([FIO, *words], cwd=tmp_path, check=True, timeout=60, capture_output=True)
    (job,) = json.loads((tmp_path / "out.json").read_text())["jobs"]
    fio = job["read" if rw == "randread" else "write"]["lat_ns"]["percentile"]
    rows = (tmp_path / "job_lat.1.log").read_text().splitlines()
    latencies = [int(row.split(",")[1]) for row in rows]
    assert len(latencies) == IOS
    ours = dict(zip(PERCENTILES, nvme._percentiles(latencies, PERCENTILES)))
    exact = sorted(latencies)
    for one, found in ours.items():
        assert found == pytest.approx(fio[f"{one:.6f}"], rel=0.02), one
        assert found == pytest.approx(exact[max(0, -(-int(one * IOS) // 100) - 1)], rel=0.01, abs=2), one
