# SPDX-License-Identifier: BSD-3-Clause
"""Runs one workload in fio's words, and summarises it as fio does. ``pynvme perf`` is its command.

Percentiles mean what fio's mean: the smallest latency that so many percent of the IOs did not exceed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import nvme

from pynvme import zone

READ, WRITE, DSM, ZONE_APPEND, ZONE_RESET = 2, 1, 9, 0x7D, 0x79
NAMES = {READ: "read", WRITE: "write", DSM: "trim", ZONE_APPEND: "append", ZONE_RESET: "trim"}
KINDS = {
    "read": (False, READ),
    "write": (False, WRITE),
    "trim": (False, DSM),
    "rw": (False, None),
    "readwrite": (False, None),
    "randread": (True, READ),
    "randwrite": (True, WRITE),
    "randtrim": (True, DSM),
    "randrw": (True, None),
}
"""Of each --rw whether it is random, and its opcode, None for reads and writes."""

PERCENTILES = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.5, 99.9, 99.95, 99.99)
_BOUNDS = (0, 100)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_TIMES = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


class Workload(NamedTuple):
    """A workload in fio's words. Sizes are in bytes, times in seconds, and latencies in us."""

    rw: str = "randread"
    rwmixread: int = 50
    bs: int = 4096
    iodepth: int = 1
    runtime: float = 10
    size: int = 0
    rate_iops: float = 0
    random_distribution: str = "random"
    verify: bool = False
    max_latency: float = 0
    steadystate: int = 0
    latency_target: float = 0
    zonemode: str = "none"
    zone_append: int = 0
    max_open_zones: int = 0
    zone_reset_threshold: float = 0
    zone_reset_frequency: float = 0
    read_beyond_wp: bool = False
    zoneskip: int = 0
    pi_act: int | None = None
    pi_chk: str | None = None
    apptag: int = 0x1234
    apptag_mask: int = 0xFFFF
    md_per_io_size: int = 0


def size_of(text: str) -> int:
    """The bytes of a size as fio reads it: 4k is 4096. ValueError if it is none."""
    found = re.fullmatch(r"(\d+)\s*([kmgt]?)(i?b)?", text.strip().lower())
    if not found:
        raise ValueError(f"{text} is no size, such as 4k, 128k or 1g")
    return int(found[1]) * _UNITS[found[2]]


def seconds_of(text: str, default: str = "s") -> float:
    """The seconds of a time as fio reads it: 10, 10s, 5m, 500ms. A number alone has the unit ``default``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(us|usec|ms|msec|s|m|h|)", text.strip().lower())
    if not found:
        raise ValueError(f"{text} is no time, such as 10, 500us, 10ms, 30s or 5m")
    return float(found[1]) * _TIMES[(found[2] or default).replace("sec", "s")]


def changes_data(workload: Workload) -> bool:
    """Whether it overwrites data."""
    return KINDS[workload.rw][1] != READ


def _distribution(text: str) -> dict[str, float]:
    name, _, value = text.partition(":")
    if name == "random" and not value:
        return {}
    if name not in ("zipf", "pareto"):
        raise ValueError(f"random_distribution is random, zipf:THETA or pareto:H, not {text}")
    try:
        return {name: float(value)}
    except ValueError:
        raise ValueError(f"random_distribution: {value!r} is no number, such as {name}:0.9") from None


def _in_zones(workload: Workload, shares: dict[int, int], lba_size: int) -> dict[str, Any]:
    """The parameters of zones, without zone_append, which divides the shares. fio's trim resets a zone."""
    if workload.zonemode == "none":
        return {}
    if DSM in shares:
        shares[ZONE_RESET] = shares.pop(DSM)
    appends = round(shares.get(WRITE, 0) * workload.zone_append / 100)
    if appends:
        shares[WRITE] -= appends
        shares[ZONE_APPEND] = appends
    for one in [op for op, share in shares.items() if not share]:
        del shares[one]
    return {
        "zonemode": workload.zonemode,
        "max_open_zones": workload.max_open_zones,
        "zone_reset_threshold": workload.zone_reset_threshold,
        "zone_reset_frequency": workload.zone_reset_frequency,
        "read_beyond_wp": workload.read_beyond_wp,
        "zoneskip": workload.zoneskip // lba_size,
    }


def _protection(workload: Workload, nvme0n1: nvme.Namespace) -> dict[str, Any]:
    """The parameter ``pi`` for the words of fio's engine io_uring_cmd, with fio's defaults.

    Without pi_act and pi_chk, workers make and verify the information, and ask the drive for no check.
    """
    asked = workload.pi_act is not None or workload.pi_chk is not None
    action = asked and workload.pi_act != 0
    fmt = nvme0n1.protection
    own = nvme0n1.metadata_size and not nvme0n1.id_ns.flbas.mdbs and not (action and fmt and fmt.alone)
    least = workload.bs // nvme0n1.lba_size * nvme0n1.metadata_size if own else 0
    if 0 < workload.md_per_io_size < least:
        raise ValueError(f"md_per_io_size must be at least {least} bytes, not {workload.md_per_io_size}")
    if not asked:
        return {}
    names = {"pi_chk": workload.pi_chk or "", "apptag": workload.apptag, "apptag_mask": workload.apptag_mask}
    return {"pi": {"pi_act": action, **names}}


def parameters(workload: Workload, lba_size: int, nlba: int) -> dict[str, Any]:
    """The parameters of ``ioworker()`` for a workload on a namespace.

    Raises:
        ValueError: a size is not a number of whole LBAs, or a word is unknown
    """
    if workload.zonemode not in ("none", "zbd"):
        raise ValueError(f"zonemode is none or zbd, not {workload.zonemode}")
    for name, value in (("bs", workload.bs), ("size", workload.size), ("zoneskip", workload.zoneskip)):
        if value % lba_size or (name == "bs" and not value):
            raise ValueError(f"{name} must be a multiple of {lba_size} bytes, the LBA size, not {value}")
    random, opcode = KINDS[workload.rw]
    mix = {READ: workload.rwmixread, WRITE: 100 - workload.rwmixread}
    shares = {opcode: 100} if opcode is not None else {op: share for op, share in mix.items() if share}
    zones = _in_zones(workload, shares, lba_size)
    lbas = workload.bs // lba_size
    region = min(workload.size // lba_size or nlba, nlba)
    return {
        "io_size": lbas,
        "lba_align": lbas,  # as fio's blockalign
        "lba_random": random,
        "op_percentage": shares,
        "time": workload.runtime,
        "qdepth": workload.iodepth + 1,
        "region_end": region,
        "iops": workload.rate_iops,
        "max_latency": workload.max_latency,
        "steady_state": workload.steadystate,
        "latency_target": workload.latency_target,
        "latency_percentile": 99,
        "output_opcode_latency": {op: dict.fromkeys((*_BOUNDS, *PERCENTILES)) for op in shares},
        **({"output_due_latency": dict.fromkeys(PERCENTILES)} if workload.rate_iops else {}),
        **_distribution(workload.random_distribution),
        **zones,
    }


def run(nvme0n1: nvme.Namespace, workload: Workload, progress: bool = False) -> dict[str, Any]:
    """Run a workload, and return its figures as plain numbers, texts and dicts."""
    given = parameters(workload, nvme0n1.lba_size, nvme0n1.id_ns.nsze) | _protection(workload, nvme0n1)
    counts = given["op_percentage"]
    nvme0n1.verify_enable(workload.verify)
    try:
        worker = nvme0n1.ioworker(**given, progress=progress).start()
        result = worker.close()
    finally:
        nvme0n1.verify_enable(True)
    seconds = result.mseconds / 1000
    record: dict[str, Any] = {
        "workload": workload._asdict(),
        "seconds": seconds,
        "error": result.error,
        "status": result.status,
        "ended_by": result.ended_by,
        "cpu": result.cpu_usage,
        "lba_verified": result.lba_verified,
        "lba_unverified": result.lba_unverified,
        "lba_mismatch": result.lba_mismatch,
        "jobs": [],
    }
    for opcode, ios in counts.items():
        size = workload.bs if opcode != ZONE_RESET else zone.size_of(nvme0n1) * nvme0n1.lba_size
        record["jobs"].append(_job(result, opcode, ios, size, seconds))
    if workload.zonemode == "zbd":
        record["zone_resets"] = result.zone_resets
    if workload.rate_iops:
        due = result.get("latency_due_percentile_ns", {})
        record["latency_due_ns"] = {f"{one:.6f}": due.get(one, 0) for one in PERCENTILES}
    if workload.steadystate:
        record["steadystate"] = result.steady_state
    if workload.latency_target:
        record["latency_target"] = {
            "iodepth": result.latency_target_depth,
            "windows": [
                {"iodepth": depth, "iops": iops, "latency_us": latency}
                for depth, iops, latency in result.latency_target_windows
            ],
        }
    slow = [c for c in worker.cmdlog_list() if (c.latency_ns or 0) > workload.max_latency * 1000 > 0]
    if result.error and slow:
        record["slowest"] = repr(max(slow, key=lambda c: c.latency_ns or 0))
    return record


def _job(result: Any, opcode: int, ios: int, size: int, seconds: float) -> dict[str, Any]:
    latency = result.get("latency_percentile_ns_by_opcode", {}).get(opcode, {})
    return {
        "op": NAMES[opcode],
        "ios": ios,
        "iops": ios / seconds if seconds else 0.0,
        "bytes": ios * size,
        "bytes_per_second": ios * size / seconds if seconds else 0.0,
        "latency_ns": {
            "min": latency.get(0, 0),
            "max": latency.get(100, 0),
            "mean": result.get("latency_average_us_by_opcode", {}).get(opcode, 0.0) * 1000,
            "percentile": {f"{one:.6f}": latency.get(one, 0) for one in PERCENTILES},
        },
    }


# ---- as fio prints it ----


def _rate(iops: float) -> str:
    for limit, unit in ((1e6, "M"), (1e4, "k")):
        if iops >= limit:
            return f"{iops / (1e6 if unit == 'M' else 1e3):.3g}{unit}"
    return f"{iops:.0f}"


def _bytes(number: float, base: int) -> str:
    units = ("B", "KiB", "MiB", "GiB") if base == 1024 else ("B", "kB", "MB", "GB")
    at = 0
    while number >= 1000 and at < 3:
        number /= base
        at += 1
    return f"{number:.3g}{units[at]}"


def _unit(least: float, most: float) -> tuple[str, float]:
    """The unit that fio chooses for latencies of this range, and its ns."""
    unit, scale = "nsec", 1.0
    for name in ("usec", "msec"):
        if least / scale <= 2000 or most / scale <= 99999:
            break
        unit, scale = name, scale * 1000
    return unit, scale


def _percentiles(found: dict[str, int], what: str = "lat percentiles") -> Iterator[str]:
    unit, scale = _unit(min(found.values()), max(found.values()))
    width = max(len(f"{value / scale:.0f}") for value in found.values())
    yield f"    {what} ({unit}):"
    cells = [f"{float(name):5.2f}th=[{value / scale:>{width}.0f}]" for name, value in found.items()]
    for start in range(0, len(cells), 4):
        row = ", ".join(cells[start : start + 4])
        yield f"     | {row}{',' if start + 4 < len(cells) else ''}"


def lines(record: dict[str, Any]) -> list[str]:
    """The summary of a workload, as fio prints it."""
    workload = record["workload"]
    found = [
        f"{workload['rw']}: (groupid=0, jobs=1): err={abs(record['error']):2d}: "
        f"bs={_bytes(workload['bs'], 1024)}, iodepth={workload['iodepth']}"
    ]
    for job in record["jobs"]:
        rate = job["bytes_per_second"]
        took = f"{_bytes(job['bytes'], 1024)}/{round(record['seconds'] * 1000)}msec"
        found.append(
            f"  {job['op']}: IOPS={_rate(job['iops'])}, BW={_bytes(rate, 1024)}/s "
            f"({_bytes(rate, 1000)}/s)({took})"
        )
        latency = job["latency_ns"]
        unit, scale = _unit(latency["min"], latency["max"])
        found.append(
            f"    lat ({unit}): min={latency['min'] / scale:.0f}, max={latency['max'] / scale:.0f}, "
            f"avg={latency['mean'] / scale:.2f}"
        )
        found += _percentiles(latency["percentile"])
    if "latency_due_ns" in record:
        found += _percentiles(record["latency_due_ns"], "lat percentiles from the due time")
    found.append(f"  cpu          : busy={100 * record['cpu']:.2f}%")
    if workload["verify"]:
        counts = ", ".join(f"{name[4:]}={record[name]}" for name in ("lba_verified", "lba_unverified"))
        found.append(f"  verify       : {counts}, mismatch={record['lba_mismatch']} (LBAs)")
    if "zone_resets" in record:
        found.append(f"  zones        : resets={record['zone_resets']}")
    if "steadystate" in record:
        found.append(f"  steadystate  : attained={'yes' if record['steadystate'] else 'no'}")
    if "latency_target" in record:
        depth = record["latency_target"]["iodepth"]
        shown = "was not found" if depth is None else f"is {depth}" if depth else "is below 1"
        target = f"{workload['latency_target']:g} us for 99 % of the IOs"
        found.append(f"  latency_target: the highest iodepth that holds {target} {shown}")
    if "slowest" in record:
        found.append(f"  max_latency  : {record['slowest']}")
    return found
