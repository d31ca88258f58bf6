# SPDX-License-Identifier: BSD-3-Clause
"""Format and sanitize: nothing of the old data is left."""

from __future__ import annotations

import time

import nvme as d

from pynvme import example, spec

SECRET = b"the old data of this drive"


def left(nvme0n1: d.Namespace, qpair: d.Qpair, region: int) -> int:
    """How many of the LBAs still have the secret."""
    step = max(1, 65536 // nvme0n1.lba_size)
    buf = d.Buffer(step * nvme0n1.lba_size)
    found = 0
    for lba in range(0, region, step):
        nvme0n1.read(qpair, buf, lba, step).waitdone()
        found += buf[:].count(SECRET)
    return found


def fill(nvme0n1: d.Namespace, qpair: d.Qpair, region: int) -> None:
    """Write the secret to each LBA."""
    step = max(1, 65536 // nvme0n1.lba_size)
    buf = d.Buffer(step * nvme0n1.lba_size)
    for lba in range(0, region, step):
        for index in range(step):
            at = index * nvme0n1.lba_size + 64  # between the bytes that write() stamps
            buf[at : at + len(SECRET)] = SECRET
        nvme0n1.write(qpair, buf, lba, step).waitdone()
    nvme0n1.flush(qpair).waitdone()


def sanitize(nvme0: d.Controller, action: spec.SanitizeAction) -> str:
    """Sanitize, and wait for its end. Returns how it ended."""
    nvme0.sanitize(action).waitdone()
    while (log := nvme0.log(spec.LogId.SANITIZE)).sstat.sos == spec.SanitizeStatus.IN_PROGRESS:
        time.sleep(0.02)
    return str(log.sstat.sos.name)


def run(address: str = "vssd", region: int = 1 << 11) -> dict[str, int]:
    """Write a secret to REGION LBAs, erase the drive by each way that it has, and look for the secret."""
    nvme0 = d.Controller(address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    can = nvme0.id_ctrl.sanicap
    found = {}
    for name, possible, erase in (
        ("format, user data", True, lambda: nvme0n1.format(nvme0n1.lba_size, ses=1)),
        ("format, keys", nvme0.id_ctrl.fna.cryes, lambda: nvme0n1.format(nvme0n1.lba_size, ses=2)),
        ("sanitize, blocks", can.bes, lambda: sanitize(nvme0, spec.SanitizeAction.BLOCK_ERASE)),
        ("sanitize, keys", can.ces, lambda: sanitize(nvme0, spec.SanitizeAction.CRYPTO_ERASE)),
    ):
        if not possible:
            print(f"{name}: not supported")
            continue
        fill(nvme0n1, qpair, region)
        assert left(nvme0n1, qpair, region) == region, "the secret was not written"
        start = time.monotonic()
        erase()
        found[name] = left(nvme0n1, qpair, region)
        print(f"{name}: {time.monotonic() - start:.2f} s, the secret is in {found[name]} of {region} LBAs")
    return found


if __name__ == "__main__":
    example.main(run)
