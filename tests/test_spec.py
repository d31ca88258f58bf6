# SPDX-License-Identifier: BSD-3-Clause
"""What is made from spec/ is what spec/ gives now, and it is loaded when it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RUN = [sys.executable, "-m", "tools.specgen"]


def test_everything_that_is_made_from_spec_is_up_to_date() -> None:
    done = subprocess.run([*RUN, "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_file_that_was_edited_by_hand_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from tools.specgen import __main__ as specgen

    made = specgen.outputs()
    monkeypatch.setattr(specgen, "ROOT", tmp_path)
    for path, text in made.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert specgen.stale(made) == []
    header = tmp_path / "spec/nvme_cmd.h"
    header.write_text(header.read_text().replace("0x080", "0x081"))
    (tmp_path / "pynvme/spec/status.py").unlink()
    assert specgen.stale(made) == ["spec/nvme_cmd.h", "pynvme/spec/status.py"]


def test_importing_the_package_loads_none_of_its_modules() -> None:
    code = (
        "import sys, pynvme.spec\n"
        "assert not [name for name in sys.modules if name.startswith('pynvme.spec.')]\n"
        "assert pynvme.spec.Status.LBA_OUT_OF_RANGE == 0x080\n"
        "assert pynvme.spec.AdminOpcode.LOCKDOWN == 0x24\n"
        "assert 'pynvme.spec.status' in sys.modules and 'Status' in dir(pynvme.spec)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    import pynvme.spec

    with pytest.raises(AttributeError, match=r"pynvme\.spec has no Nonsense"):
        pynvme.spec.Nonsense  # noqa: B018
