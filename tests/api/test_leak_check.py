# SPDX-License-Identifier: BSD-3-Clause
"""The leak check after every test of this checkout finds leaks."""

import pytest

LEAKS = {
    "descriptor": "import os; keep.append(os.dup(0))",
    "child": "import subprocess; keep.append(subprocess.Popen(['sleep', '3']))",
    "DMA memory": "import nvme; keep.append(nvme.Buffer(65536))",
}


@pytest.fixture
def run(pytester, environment, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", environment["PYTHONPATH"])

    def run_pytest(body):
        pytester.makepyfile(f"keep = []\ndef test_it():\n    {body}\n")
        return pytester.runpytest_subprocess(
            *("-p", "pynvme.plugin", "-p", "tests.fix_leaks"),
            *("-p", "no:hypothesispytest", "-p", "no:labgrid"),
        )

    return run_pytest


@pytest.mark.parametrize("kind", sorted(LEAKS))
def test_what_a_test_leaves_behind_fails_it_by_name(run, kind):
    result = run(LEAKS[kind])
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"*the test left behind: *{kind}*"])


def test_a_private_virtual_ssd_is_no_leak(run):
    run("import nvme; nvme.Pcie('vssd').close()").assert_outcomes(passed=1)
