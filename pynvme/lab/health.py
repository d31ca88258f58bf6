# SPDX-License-Identifier: BSD-3-Clause
"""Whether a drive is fit to be used (it gets ready without a critical warning), and what it can do.

:func:`check` looks in a process of its own, since a drive that hangs must not take the caller with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pynvme.lab import capability, job

LIMIT = 90.0
"""Seconds that a check may take."""
PATIENCE = 15.0
"""Seconds in which a drive that is in use, such as by a job that was just killed, is tried again."""


def check(spec: Mapping[str, Any], folder: str | None = None) -> dict[str, Any]:
    """Look whether a drive is fit.

    Args:
        spec: ``address`` of the drive, or ``vssd``: the options of a virtual SSD
        folder: where it may put a folder for its files, which is removed at the end

    Returns:
        ``why`` it is not, or an empty text, and ``capabilities``: names of :mod:`pynvme.lab.capability`
    """
    with job.scratch("health-", folder) as made, (made / "output").open("w+b") as output:
        process = job.spawn("pynvme.lab.health", [job.address_of(spec, made)], output)
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            return _unfit(f"it did not answer within {LIMIT:g} s")
        finally:
            job.end_group(process)
        output.seek(0)
        said = output.read().decode(errors="replace").strip().splitlines()
    try:
        found = json.loads(said[-1])
        return {"why": found["why"], "capabilities": found["capabilities"]}
    except (IndexError, ValueError, KeyError, TypeError):
        return _unfit(f"the check ended with {process.returncode}: {said[-1] if said else 'it says nothing'}")


def _unfit(why: str) -> dict[str, Any]:
    return {"why": " ".join(why.split()), "capabilities": []}


def look(address: str) -> dict[str, Any]:
    """Open a drive, and return what :func:`check` does."""
    import nvme

    pcie = nvme.Pcie(address)
    try:
        nvme0 = nvme.Controller(pcie)
        warning = nvme0.smart.critical_warning
        told = [bit.text for name, bit in warning.BITS.items() if getattr(warning, name)]
        capabilities = capability.of(nvme0.id_ctrl)
    finally:
        pcie.close()
    why = f"critical warning {int(warning):02x}h: {', '.join(told) or 'a reserved bit'}" if warning else ""
    return {"why": why, "capabilities": capabilities}


def _main(words: Sequence[str]) -> None:
    job.die_with(int(words[0]))
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            found = look(words[1])
            break
        except Exception as error:
            found = _unfit(f"{type(error).__name__}: {error}")
        if time.monotonic() > deadline:
            break
        time.sleep(1.0)
    print(json.dumps(found))


if __name__ == "__main__":
    _main(sys.argv[1:])
