# SPDX-License-Identifier: BSD-3-Clause
"""Whether a drive is fit to be used again: it is there, gets ready, and reports no critical warning.

:func:`check` looks in a process of its own, since a drive that hangs must not take the caller with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pynvme.lab import job

LIMIT = 90.0
"""Seconds that a check may take."""
PATIENCE = 15.0
"""Seconds in which a drive that is in use, such as by a job that was just killed, is tried again."""


def check(spec: Mapping[str, Any], folder: str | None = None) -> str:
    """Why a drive is not fit, or an empty text if it is.

    Args:
        spec: ``address`` of the drive, or ``vssd``: the options of a virtual SSD
        folder: where it may put a folder for its files, which is removed at the end
    """
    with job.scratch("health-", folder) as made, (made / "output").open("w+b") as output:
        process = job.spawn("pynvme.lab.health", [job.address_of(spec, made)], output)
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            return f"it did not answer within {LIMIT:g} s"
        finally:
            job.end_group(process)
        output.seek(0)
        said = output.read().decode(errors="replace").strip().splitlines()
    try:
        return str(json.loads(said[-1])["why"])
    except (IndexError, ValueError, KeyError, TypeError):
        return f"the check ended with {process.returncode}: {said[-1] if said else 'it says nothing'}"


def look(address: str) -> str:
    """Open a drive, and return why it is not fit, or an empty text."""
    import nvme

    pcie = nvme.Pcie(address)
    try:
        warning = nvme.Controller(pcie).smart.critical_warning
        told = [bit.text for name, bit in warning.BITS.items() if getattr(warning, name)]
    finally:
        pcie.close()
    return f"critical warning {int(warning):02x}h: {', '.join(told) or 'a reserved bit'}" if warning else ""


def _main(words: Sequence[str]) -> None:
    job.die_with(int(words[0]))
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            why = look(words[1])
            break
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
        if time.monotonic() > deadline:
            break
        time.sleep(1.0)
    print(json.dumps({"why": " ".join(why.split())}))


if __name__ == "__main__":
    _main(sys.argv[1:])
