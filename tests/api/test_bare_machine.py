# SPDX-License-Identifier: BSD-3-Clause
"""A chroot or a container may lack what a whole system has."""

import os
import shutil
import subprocess
import sys

import pytest

SCRIPT = """
import nvme as d
nvme0 = d.Controller("vssd:size=64M")
nvme0n1 = d.Namespace(nvme0)
qpair = d.Qpair(nvme0, 4)
nvme0n1.write(qpair, d.Buffer(), 0, 8).waitdone()
nvme0n1.read(qpair, d.Buffer(), 0, 8).waitdone()
print("verified", nvme0n1.verify_stats().judged)
"""


@pytest.fixture
def hide():
    """Give ``hide(folder)``: the start of a command line whose command sees nothing in that folder."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("hiding a folder takes root and unshare(1)")

    def wrapped(folder):
        command = f'mount --make-rprivate / && mount -t tmpfs none {folder} && exec "$@"'
        run = ["unshare", "-m", "sh", "-c", command, "sh"]
        done = subprocess.run([*run, "true"], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"nobody can mount anything here, in a chroot or a container: {done.stderr.strip()}")
        return run

    return wrapped


@pytest.mark.parametrize("hidden", ["/sys", "/proc", "/dev/shm", "/run"])
def test_a_script_runs_where_there_is_no(hidden, hide):
    run = [*hide(hidden), sys.executable, "-c", SCRIPT]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "verified 8\n", "")


def test_a_start_makes_no_file_in_run(hide):
    code = "import nvme, os; nvme.Buffer(1); print(os.listdir('/run'))"
    done = subprocess.run(
        [*hide("/run"), sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
