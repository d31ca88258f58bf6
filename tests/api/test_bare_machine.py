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


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="hiding /sys takes root and unshare(1)"
)
@pytest.mark.parametrize("hidden", ["/sys", "/proc"])
def test_a_script_runs_where_there_is_no(hidden):
    command = f'mount --make-rprivate / && mount -t tmpfs none {hidden} && exec "$@"'
    run = ["unshare", "-m", "sh", "-c", command, "sh", sys.executable, "-c", SCRIPT]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    if "permission denied" in done.stderr.lower() or "operation not permitted" in done.stderr.lower():
        pytest.skip("this container lets nobody mount anything")
    assert (done.returncode, done.stdout, done.stderr) == (0, "verified 8\n", "")
