# SPDX-License-Identifier: BSD-3-Clause
"""Checks the parameters of an IO worker, and makes the result from its counts.

``binding/ioworker.pyx`` runs the process. It copies a :class:`Workload` into the structures of the driver,
and the counts of the driver into an :class:`Outcome`. Everything else about parameters and results is here.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pynvme import values
from pynvme.values import check, integer, number

if TYPE_CHECKING:
    from pynvme import zone

FLUSH, WRITE, READ, VERIFY = 0x00, 0x01, 0x02, 0x0C
ZONE_RESET, ZONE_REPORT, ZONE_APPEND = 0x79, 0x7A, 0x7D
OWN_RESET = 0x100 | ZONE_RESET
"""Counts the resets that a worker sends of its own accord, which are no IOs."""
HOST_ERRORS = {
    -1: "init fail in pyx",
    -2: "io_size is larger than MDTS",
    -3: "io timeout",
    -4: "ioworker timeout",
    -5: "buffer pool alloc fail",
    -6: "io cmd error",
    -7: "killed",
    -8: "drive is gone",
    -9: "latency above max_latency",
}
_MDTS = -2
_INVALID_FIELD = 0x002
_WHOLE = 0xFFFFFFFFFFFFFFFF
_DAY_S = 86400
_STEP = struct.Struct("=QQII")  # struct pyn_workload_step
_BUCKETS = 1_000_000
_HISTORY_BUCKETS = 2048  # in use in one interval, a generous number
_HISTORY_MOST = 1 << 26  # words of 8 bytes


@dataclass
class Parameters:
    """The parameters of Namespace.ioworker(), which nvme.pyi explains."""

    io_size: Any
    lba_step: int | None
    lba_align: Any
    lba_random: bool | int
    read_percentage: int
    op_percentage: dict[int, int] | None
    time: float
    qdepth: int
    region_start: int
    region_end: int
    iops: float
    io_count: int
    lba_start: int
    qprio: int
    distribution: Sequence[int] | None
    ptype: int
    pvalue: int
    io_sequence: Any
    fw_debug: bool
    cpu_id: int | None
    output_io_per_second: list[int] | None
    output_percentile_latency: dict[float, int | None] | None
    output_cmdlog_list: list[tuple[int, int, int]] | None
    progress: bool = False
    zipf: float | None = None
    pareto: float | None = None
    regions: Sequence[tuple[int, int]] | None = None
    poisson: bool = False
    think_time: float = 0
    think_ios: int = 1
    compress: int = 0
    continue_on_error: bool = False
    max_latency: float = 0
    steady_state: int = 0
    latency_target: float = 0
    latency_percentile: float = 100
    latency_window: float = 1
    output_opcode_latency: dict[int, dict[float, int | None]] | None = None
    output_due_latency: dict[float, int | None] | None = None
    output_latency_histograms: list[Any] | None = None
    histogram_ms: int = 100
    sgl_percentage: int = 0
    pi: Any = None
    placement: Any = None
    placement_type: str = "fdp"
    placement_select: str = "roundrobin"
    zonemode: str | None = None
    zone_append: int = 0
    max_open_zones: int = 0
    zone_reset_threshold: float = 0
    zone_reset_frequency: float = 0
    read_beyond_wp: bool = False
    zoneskip: int = 0


@dataclass
class Limits:
    """The limits of the driver and of the drive."""

    entries: int
    """Of a queue."""
    sizes: int
    """How many sizes of IO one workload may have."""
    opcodes: tuple[int, ...]
    """The opcodes that a worker can send."""
    lba_size: int
    """Bytes of an LBA."""
    largest: int
    """LBAs that one command may have, by MDTS."""
    regions: int
    """How many regions one workload may have."""
    placements: int
    """How many placement identifiers one workload may have in turn."""
    zones: zone.Limits | None
    """Of a zoned namespace. Only zonemode asks for them."""


@dataclass
class Size:
    """One size of IO, with its LBAs, the alignment of its first LBA, and its weight among all sizes."""

    lbas: int
    align: int
    weight: int


@dataclass
class Steps:
    """An io_sequence as the driver reads it."""

    packed: bytes
    """An array of ``struct pyn_workload_step``."""
    count: int
    opcodes: list[int]
    longest_pause_us: int


@dataclass
class Workload:
    """The workload for the driver. Every value fits its field."""

    operations: dict[int, int]
    """Opcodes and their percentages. With ``steps`` only the opcodes count."""
    random_percentage: int
    contiguous: bool
    step: int
    region_start: int
    region_end: int
    lba_start: int
    distribution: list[int] | None
    sizes: list[Size]
    qdepth: int
    io_count: int
    seconds: float
    fill: bool
    """Whether the worker ends when it has gone through the region."""
    iops: float
    priority: int
    ptype: int
    pvalue: int
    fw_debug: bool
    cpu: int
    """The CPU, or -1 to let the driver choose."""
    counted_seconds: int
    """The number of seconds whose IOs are counted separately."""
    log_entries: int
    steps: Steps | None
    extra: Extra
    zones: Zones | None


@dataclass
class Zones:
    """How the worker goes through zones."""

    max_open: int
    """0: as many as the drive allows."""
    limits: zone.Limits
    read_beyond_wp: bool
    skip: int
    """Zones."""
    reset_threshold: float
    reset_frequency: float


@dataclass
class Extra:
    """What a worker does only on request. Times are in ns, and 0 is without."""

    skew: int
    """0, or ZIPF, or PARETO."""
    skew_parameter: float
    regions: list[tuple[int, int]]
    poisson: bool
    think_ns: int
    think_ios: int
    compress: int
    sgl_percentage: int
    placements: list[int]
    """Placement identifiers, or streams, in the order in which writes name them."""
    placement_random: bool
    directive: int
    continue_on_error: bool
    max_latency_ns: int
    steady_seconds: int
    target_ns: int
    target_percentage: float
    target_window_ns: int
    by_opcode: bool
    from_due: bool
    history_ns: int
    history_words: int


ZIPF, PARETO = 1, 2


def workload(given: Parameters, nlba: int, limits: Limits) -> Workload:
    """Check the parameters for a namespace of ``nlba`` LBAs, as far as that is possible before the start."""
    operations = _operations(given, limits)
    random_percentage = _random_percentage(given.lba_random)
    step = integer(given.lba_step or 0, "lba_step")
    check(-(1 << 63) <= step < 1 << 63, f"lba_step must be from -2^63 to 2^63 - 1, not {step}")
    start = values.field(given.region_start, 64, "region_start")
    end = values.field(given.region_end, 64, "region_end")
    lba_start = values.field(given.lba_start, 64, "lba_start")
    distribution = _distribution(given.distribution)
    regions = _regions(given, nlba, limits)
    if regions:
        start, end = 0, sum(past - first for first, past in regions)
    last = min(end, nlba)
    check(
        start < last,
        f"region_start {given.region_start} is not below the region's end, {given.region_end}, in a "
        f"namespace of {nlba} LBAs",
    )
    sizes = _sizes(given.io_size, given.lba_align, start, last, limits.sizes)
    qdepth = integer(given.qdepth, "qdepth")
    check(
        2 <= qdepth <= limits.entries,
        f"qdepth must be from 2 to {limits.entries}, the lesser of 1024 and CAP.MQES + 1, not {qdepth}",
    )
    io_count = values.field(given.io_count, 64, "io_count")
    seconds = number(given.time, "time")
    check(0 <= seconds < 1e9, f"time must be from 0 to 1e9 seconds, not {given.time}")
    fill = not (io_count or seconds or given.io_sequence is not None)
    if fill:
        # Without LBAs (flushes alone), or always at the same LBAs, it would never reach the end.
        moves = given.lba_step is None or step != 0
        has_lbas = any(opcode and share for opcode, share in operations.items())
        check(
            len(sizes) == 1 and random_percentage == 0 and end != _WHOLE and moves and has_lbas,
            "a worker needs an end: time, io_count, io_sequence, or sequential IO of one size up to a "
            "region_end",
        )
    iops = number(given.iops, "iops")
    check(iops >= 0, f"iops must be a rate of 0 or more, not {given.iops}")
    extra = _extra(given, regions, seconds, random_percentage, limits)
    zones = _zones(given, operations, sizes, (start, last), limits)
    return Workload(
        operations=operations,
        random_percentage=random_percentage,
        contiguous=given.lba_step is None,
        step=step,
        region_start=start,
        region_end=end,
        lba_start=lba_start,
        distribution=distribution,
        sizes=sizes,
        qdepth=qdepth,
        io_count=io_count,
        seconds=seconds,
        fill=fill,
        iops=iops,
        priority=values.field(given.qprio, 2, "qprio"),
        ptype=values.field(given.ptype, 32, "ptype"),
        pvalue=values.field(given.pvalue, 32, "pvalue"),
        fw_debug=bool(given.fw_debug),
        cpu=-1 if given.cpu_id is None else _cpu(given.cpu_id),
        counted_seconds=_counted_seconds(given),
        log_entries=_log_entries(given),
        steps=None if given.io_sequence is None else _steps(given.io_sequence, nlba, limits),
        extra=extra,
        zones=zones,
    )


IN_ZONES = (FLUSH, WRITE, READ, VERIFY, ZONE_RESET, ZONE_APPEND)
"""The opcodes of workloads with zonemode."""


def _in_zones(given: Parameters) -> bool:
    check(
        given.zonemode in (None, "none", "zbd"),
        f'zonemode must be "zbd", "none" or None, not {given.zonemode!r}',
    )
    for name in ("zone_append", "max_open_zones", "zoneskip"):
        integer(getattr(given, name), name)
    for name in ("zone_reset_threshold", "zone_reset_frequency"):
        number(getattr(given, name), name)
    if given.zonemode == "zbd":
        return True
    words = ("zone_append", "max_open_zones", "zone_reset_threshold", "zone_reset_frequency")
    for name in (*words, "read_beyond_wp", "zoneskip"):
        check(not getattr(given, name), f'{name} needs zonemode="zbd"')
    return False


def _zones(
    given: Parameters, operations: dict[int, int], sizes: list[Size], region: tuple[int, int], limits: Limits
) -> Zones | None:
    if not _in_zones(given):
        return None
    check(limits.zones is not None, "zonemode needs a zoned namespace, and this one has no zones")
    assert limits.zones is not None
    size = limits.zones.size
    others = (given.lba_step, given.lba_start, given.regions, given.io_sequence, given.placement)
    check(
        others == (None, 0, None, None, None),
        "zonemode excludes lba_step, lba_start, regions, io_sequence and placement",
    )
    check(
        region[0] % size == 0 and region[1] % size == 0,
        f"the region {region[0]} to {region[1]} must begin and end at a multiple of {size}, the zone size",
    )
    if operations.get(ZONE_APPEND):
        largest = max(one.lbas for one in sizes) * limits.lba_size
        check(
            not limits.zones.append or largest <= limits.zones.append,
            f"io_size is {largest} bytes; the drive appends {limits.zones.append} at most (ZASL)",
        )
    skip = values.field(given.zoneskip, 64, "zoneskip")
    check(skip % size == 0, f"zoneskip must be a multiple of {size} LBAs, the zone size, not {skip}")
    for name in ("zone_reset_threshold", "zone_reset_frequency"):
        share = number(getattr(given, name), name)
        check(0 <= share <= 1, f"{name} must be from 0 to 1, not {share:g}")
    return Zones(
        max_open=values.field(given.max_open_zones, 32, "max_open_zones"),
        limits=limits.zones,
        read_beyond_wp=bool(given.read_beyond_wp),
        skip=skip // size,
        reset_threshold=number(given.zone_reset_threshold, "zone_reset_threshold"),
        reset_frequency=number(given.zone_reset_frequency, "zone_reset_frequency"),
    )


def _zone_operations(given: Parameters, shares: dict[int, int]) -> dict[int, int]:
    """Let a part of the writes be appends, and add what the worker sends of its own accord."""
    for opcode in shares:
        check(
            opcode in IN_ZONES,
            "zonemode has read, write, flush (0), verify (0xc), append (0x7d) and reset of a zone (0x79), "
            f"not opcode {opcode:#x}",
        )
    appends = integer(given.zone_append, "zone_append")
    check(0 <= appends <= 100, f"zone_append must be a percentage of the writes from 0 to 100, not {appends}")
    moved = round(shares.get(WRITE, 0) * appends / 100)
    found = dict(shares)
    if moved:
        found[WRITE] -= moved
        found[ZONE_APPEND] = found.get(ZONE_APPEND, 0) + moved
    return {**found, OWN_RESET: 0, ZONE_REPORT: 0}


def _regions(given: Parameters, nlba: int, limits: Limits) -> list[tuple[int, int]]:
    if given.regions is None:
        return []
    if not isinstance(given.regions, (list, tuple)):
        kind = type(given.regions).__name__
        raise TypeError(f"regions must be a list of (first LBA, end), not {kind}")
    check(
        1 <= len(given.regions) <= limits.regions,
        f"regions has {len(given.regions)} entries; 1 to {limits.regions} are possible",
    )
    others = (given.region_start, given.region_end, given.lba_start)
    check(others == (0, _WHOLE, 0), "regions replaces region_start, region_end and lba_start")
    aligns = given.lba_align if isinstance(given.lba_align, (list, tuple)) else [given.lba_align or 1]
    found = []
    for entry in given.regions:
        if not isinstance(entry, (list, tuple)) or len(entry) != 2:
            raise TypeError(f"an entry of regions is (first LBA, end), not {entry!r}")
        first = values.field(entry[0], 64, "the first LBA of a region")
        past = min(values.field(entry[1], 64, "the end of a region"), nlba)
        check(first < past, f"the region {entry} is empty in a namespace of {nlba} LBAs")
        for align in aligns:
            whole = integer(align or 1, "lba_align") or 1
            check(
                first % whole == 0 and (past - first) % whole == 0,
                f"the region {entry} must begin and end at a multiple of lba_align {align}",
            )
        found.append((first, past))
    for (_, past), (first, _) in zip(sorted(found), sorted(found)[1:]):
        check(past <= first, f"regions overlap at LBA {first}")
    return found


def _positive(value: Any, name: str, most: float = 1e9) -> float:
    found = number(value, name)
    check(0 <= found <= most, f"{name} must be from 0 to {most:g}, not {value}")
    return found


def _skew(given: Parameters, random_percentage: int) -> tuple[int, float]:
    if given.zipf is None and given.pareto is None:
        return 0, 0.0
    check(given.zipf is None or given.pareto is None, "zipf and pareto exclude each other")
    name = "zipf" if given.zipf is not None else "pareto"
    check(given.distribution is None, f"{name} and distribution exclude each other")
    check(random_percentage > 0, f"{name} is for random IO: lba_random must not be False")
    if given.zipf is not None:
        theta = number(given.zipf, "zipf")
        check(
            0 < theta <= 5 and theta != 1, f"zipf must be a theta above 0, up to 5 and not 1, not {theta:g}"
        )
        return ZIPF, theta
    share = number(given.pareto, "pareto")
    check(0 < share < 1, f"pareto must be a share between 0 and 1, not {share:g}")
    return PARETO, share


def _in_turn(shares: Mapping[int, int]) -> list[int]:
    """Identifiers as often as their shares say, mixed as evenly as possible."""
    divisor = math.gcd(*shares.values())
    left = dict.fromkeys(shares, 0)
    total = sum(shares.values()) // divisor
    found = []
    for _ in range(total):
        for one in left:
            left[one] += shares[one] // divisor
        best = max(left, key=lambda one: left[one])
        left[best] -= total
        found.append(best)
    return found


def _placements(given: Parameters, limits: Limits) -> list[int]:
    """The placement identifiers of writes, in turn."""
    names = given.placement
    if names is None:
        return []
    if not isinstance(names, (list, tuple, range, dict)):
        names = [values.field(names, 16, "placement")]
    check(len(names) > 0, "placement names no identifier")
    found = [values.field(one, 16, "an identifier of placement") for one in names]
    if isinstance(names, dict):
        shares = {one: values.field(share, 16, "a share of placement") for one, share in names.items()}
        check(all(shares.values()), "a share of placement must be at least 1")
        check(
            sum(shares.values()) // math.gcd(*shares.values()) <= limits.placements,
            f"the shares of placement, without their common divisor, add up to more than {limits.placements}",
        )
        found = _in_turn(shares)
    check(
        len(found) <= limits.placements,
        f"placement has {len(found)} entries; 1 to {limits.placements} are possible",
    )
    return found


DIRECTIVES = {"streams": 1, "fdp": 2}
"""DTYPE of the values of placement_type."""


def _directive(given: Parameters) -> int:
    check(
        given.placement_type in DIRECTIVES,
        f'placement_type must be "fdp" or "streams", not {given.placement_type!r}',
    )
    check(
        given.placement_select in ("roundrobin", "random"),
        f'placement_select must be "roundrobin" or "random", not {given.placement_select!r}',
    )
    return DIRECTIVES[given.placement_type]


def _extra(
    given: Parameters,
    regions: list[tuple[int, int]],
    seconds: float,
    random_percentage: int,
    limits: Limits,
) -> Extra:
    skew, parameter = _skew(given, random_percentage)
    poisson = bool(given.poisson)
    check(not poisson or number(given.iops, "iops") > 0, "poisson needs iops, the mean rate")
    check(not poisson or given.io_sequence is None, "poisson and io_sequence exclude each other")
    think = _positive(given.think_time, "think_time")
    percentile = number(given.latency_percentile, "latency_percentile")
    check(0 < percentile <= 100, f"latency_percentile must be above 0 and up to 100, not {percentile:g}")
    window = _positive(given.latency_window, "latency_window", 3600)
    check(window >= 0.01, f"latency_window must be at least 0.01 s, not {window:g}")
    compress = integer(given.compress, "compress")
    check(0 <= compress <= 100, f"compress must be a percentage from 0 to 100, not {compress}")
    sgls = integer(given.sgl_percentage, "sgl_percentage")
    check(0 <= sgls <= 100, f"sgl_percentage must be a percentage from 0 to 100, not {sgls}")
    steady = integer(given.steady_state, "steady_state")
    check(0 <= steady <= 3600, f"steady_state must be a round of 0 to 3600 seconds, not {steady}")
    interval = integer(given.histogram_ms, "histogram_ms")
    check(10 <= interval <= 3600000, f"histogram_ms must be from 10 to 3600000, not {interval}")
    _check_output(given.output_latency_histograms, list, "output_latency_histograms")
    _check_output(given.output_opcode_latency, dict, "output_opcode_latency")
    for inner in (given.output_opcode_latency or {}).values():
        _check_output(inner, dict, "a value of output_opcode_latency")
        _check_percentiles(inner)
    _check_due(given)
    has_history = given.output_latency_histograms is not None
    ios = values.field(given.think_ios, 32, "think_ios")
    check(ios >= 1, "think_ios must be at least 1")
    return Extra(
        skew=skew,
        skew_parameter=parameter,
        regions=regions,
        poisson=poisson,
        think_ns=round(think * 1000),
        think_ios=ios,
        compress=compress,
        sgl_percentage=sgls,
        placements=_placements(given, limits),
        placement_random=given.placement_select == "random",
        directive=_directive(given),
        continue_on_error=bool(given.continue_on_error),
        max_latency_ns=round(_positive(given.max_latency, "max_latency") * 1000),
        steady_seconds=steady,
        target_ns=round(_positive(given.latency_target, "latency_target") * 1000),
        target_percentage=percentile,
        target_window_ns=round(window * 1e9),
        by_opcode=given.output_opcode_latency is not None,
        from_due=given.output_due_latency is not None,
        history_ns=interval * 1_000_000 if has_history else 0,
        history_words=_history_words(seconds, interval) if has_history else 0,
    )


def _check_due(given: Parameters) -> None:
    _check_output(given.output_due_latency, dict, "output_due_latency")
    if given.output_due_latency is None:
        return
    _check_percentiles(given.output_due_latency)
    check(
        bool(given.iops) or given.io_sequence is not None,
        "output_due_latency needs iops or io_sequence, which say when an IO is due",
    )


def _history_words(seconds: float, interval_ms: int) -> int:
    """Room for the histograms of a run, of which the kernel allocates what is used."""
    intervals = int(seconds * 1000 / interval_ms) + 2 if seconds else _HISTORY_MOST
    return min(intervals * _HISTORY_BUCKETS, _HISTORY_MOST)


def _operations(given: Parameters, limits: Limits) -> dict[int, int]:
    shares: Mapping[int, int]
    if given.op_percentage is None:
        percentage = integer(given.read_percentage, "read_percentage")
        check(0 <= percentage <= 100, f"read_percentage must be from 0 to 100, not {percentage}")
        shares = {opcode: share for opcode, share in ((READ, percentage), (WRITE, 100 - percentage)) if share}
    else:
        shares = given.op_percentage
        if not isinstance(shares, dict):
            raise TypeError(
                f"op_percentage must be a dict of opcodes and percentages, not {type(shares).__name__}"
            )
    check(1 <= len(shares) <= 16, f"op_percentage names {len(shares)} opcodes; 1 to 16 are possible")
    check(sum(shares.values()) == 100, f"op_percentage sums up to {sum(shares.values())}, not 100")
    in_zones = _in_zones(given)
    found = {
        integer(opcode, "an opcode") if in_zones else _opcode(opcode, limits): values.field(
            share, 7, "a percentage"
        )
        for opcode, share in shares.items()
    }
    return _zone_operations(given, found) if in_zones else found


def _opcode(value: int, limits: Limits) -> int:
    opcode = integer(value, "an opcode")
    check(opcode in limits.opcodes, f"an IO worker cannot send opcode {opcode:#x}")
    return opcode


def _random_percentage(random: bool | int) -> int:
    try:
        share = 100 if random is True else integer(random, "lba_random")
    except TypeError:
        share = -1
    check(0 <= share <= 100, f"lba_random must be a bool, or an int from 0 to 100, not {random!r}")
    return share


def _distribution(parts: Sequence[int] | None) -> list[int] | None:
    if parts is None:
        return None
    if not hasattr(parts, "__len__"):
        raise TypeError(f"distribution must be 100 numbers, not {type(parts).__name__}")
    check(len(parts) == 100, f"distribution has {len(parts)} parts, not 100")
    check(sum(parts) == 10000, f"distribution sums up to {sum(parts)}, not 10000")
    return [values.field(part, 16, "a part of distribution") for part in parts]


def _sizes(io_size: Any, lba_align: Any, start: int, end: int, most: int) -> list[Size]:
    count = len(io_size) if isinstance(io_size, (dict, list, tuple, range)) else 1
    check(1 <= count <= most, f"io_size names {count} sizes; 1 to {most} are possible")
    weights = [1] * count
    if isinstance(io_size, dict):
        sizes, weights = list(io_size.keys()), list(io_size.values())
    elif isinstance(io_size, (list, tuple, range)):
        sizes = list(io_size)
    else:
        sizes = [io_size]
    if isinstance(lba_align, (list, tuple)):
        check(len(lba_align) == count, f"lba_align has {len(lba_align)} entries, io_size {count}")
        aligns = list(lba_align)
    else:
        aligns = [1 if lba_align is None else lba_align] * count
    found = [_size(one, start, end, count == 1) for one in zip(sizes, aligns, weights)]
    check(0 < sum(weights) < 1 << 32, f"the ratios of io_size sum up to {sum(weights)}")
    return found


def _size(given: tuple[Any, Any, Any], start: int, end: int, is_only: bool) -> Size:
    region = end - start
    lbas = integer(given[0], "io_size")
    if is_only:
        lbas = min(lbas, region)
    check(1 <= lbas <= 65536, f"io_size must be from 1 to 65536 LBAs, not {lbas}")
    check(is_only or lbas < region, f"io_size {lbas} is not below the region of {region} LBAs")
    align = values.field(given[1], 32, "lba_align") or 1
    check(
        (start + align - 1) // align * align < end,
        f"no LBA from {start} to {end - 1} is a multiple of lba_align {align}",
    )
    return Size(lbas, align, values.field(given[2], 24, "the ratio of an io_size"))


def _cpu(cpu_id: int) -> int:
    """Check that this process may run on a CPU, since a worker could only ignore another one."""
    cpu = integer(cpu_id, "cpu_id")
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {cpu})
    except (OSError, ValueError, OverflowError):
        raise AssertionError(
            f"cpu_id {cpu_id}: there is no such CPU for this process, whose CPUs are {sorted(allowed)}"
        ) from None
    os.sched_setaffinity(0, allowed)
    return cpu


def _counted_seconds(given: Parameters) -> int:
    """The number of seconds to count separately, or 0 if the script did not request that."""
    _check_output(given.output_io_per_second, list, "output_io_per_second")
    if given.output_io_per_second is None and not given.steady_state:
        return 0
    # If only a count ends the worker, the length of the run is unknown.
    return int(given.time) if given.time else _DAY_S


def _log_entries(given: Parameters) -> int:
    _check_output(given.output_cmdlog_list, list, "output_cmdlog_list")
    _check_output(given.output_percentile_latency, dict, "output_percentile_latency")
    _check_percentiles(given.output_percentile_latency or ())
    if given.output_cmdlog_list is None:
        return 0
    return values.field(len(given.output_cmdlog_list), 24, "the length of output_cmdlog_list")


def _check_percentiles(percentages: Iterable[Any]) -> None:
    for percentage in percentages:
        if not isinstance(percentage, (int, float)):
            raise TypeError(f"a percentile is a number, not {percentage!r}")
        check(0 <= percentage <= 100, f"a percentile is from 0 to 100, not {percentage}")


def _check_output(value: object, kind: type, name: str) -> None:
    check(
        value is None or isinstance(value, kind),
        f"{name} must be a {kind.__name__}, not {type(value).__name__}",
    )


def _steps(sequence: Any, nlba: int, limits: Limits) -> Steps:
    sequence = _trace(sequence, nlba, limits)
    if not hasattr(sequence, "__iter__"):
        raise TypeError(
            "io_sequence must be a list of (time_us, opcode, slba, nlb), a command log, or the name of a "
            f"trace, not {type(sequence).__name__}"
        )
    entries = list(sequence)
    check(1 <= len(entries) < 1 << 31, "io_sequence is empty")
    packed = bytearray(len(entries) * _STEP.size)
    opcodes: dict[int, None] = {}
    latest = pause = 0
    for at, entry in enumerate(entries):
        if not isinstance(entry, (tuple, list)) or len(entry) != 4:
            raise TypeError(f"an io_sequence entry is (time_us, opcode, slba, nlb), not {entry!r}")
        opcode = _opcode(entry[1], limits)
        time_us = values.field(entry[0], 64, "the time of an io_sequence entry")
        slba = values.field(entry[2], 64, "the slba of an io_sequence entry")
        nlb = values.field(entry[3], 17, "the nlb of an io_sequence entry")
        check(
            nlb <= 65536 and (nlb > 0 or opcode == FLUSH),  # a flush has none
            f"an io_sequence entry has from 1 to 65536 LBAs, not {nlb}",
        )
        pause = max(pause, time_us - latest)
        latest = max(latest, time_us)
        opcodes[opcode] = None
        _STEP.pack_into(packed, at * _STEP.size, time_us, slba, nlb, opcode)
    return Steps(bytes(packed), len(entries), list(opcodes), pause)


def _trace(sequence: Any, nlba: int, limits: Limits) -> Any:
    """The steps of a command log, or of a file."""
    if not isinstance(sequence, (str, os.PathLike)):
        from pynvme.trace import CommandLog

        if not isinstance(sequence, CommandLog):
            return sequence
    from pynvme.trace import replay

    return replay.sequence(sequence, limits.lba_size, nlba=nlba, most=limits.largest)


# -- who watches workers -----------------------------------------------------------------------------------

sample_all = False
"""Whether all workers are sampled while they run, and not only those with ``progress``."""


def started(
    worker: Any, namespace: Any, controller: Any, given: Parameters, lba_size: int, steps: bytes | None
) -> bool:
    """A worker has started, with the packed steps of its io_sequence, if it has one.

    Returns whether something watches it until it is closed.
    """
    if not (given.progress or sample_all):
        return False
    from pynvme import live

    live.monitor.follow(worker, namespace, controller, given, lba_size, steps)
    return True


def ended(worker: Any, result: dict[str, Any]) -> None:
    """A worker that is watched has ended. Its counts can be read for the last time."""
    from pynvme import live

    live.monitor.ended(worker, result)


# -- the result -------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """The counts of a worker. If it could not start, there is only an error."""

    error: int
    status: int = 0
    """The first error status of the drive, SCT << 8 | SC."""
    ended_by: str | None = "error"
    counts: dict[int, int] = field(default_factory=dict)
    """How many of each opcode completed, and of OWN_RESET."""
    mseconds: int = 0
    latency_max_us: int = 0
    latency_average_us: float = 0.0
    cpu_usage: float = 0.0
    verified: int = 0
    unverified: int = 0
    mismatch: int = 0
    per_second: list[int] = field(default_factory=list)
    percentiles_ns: dict[float, int] = field(default_factory=dict)
    distribution: Any = None
    """Counts of latencies by us, an array of numpy, or None for zeros."""
    log: list[tuple[int, int, int]] = field(default_factory=list)
    """(slba, nlb, opcode), oldest first."""
    failed_ios: int = 0
    opcode_percentiles_ns: dict[int, dict[float, int]] = field(default_factory=dict)
    opcode_means_ns: dict[int, float] = field(default_factory=dict)
    due_ns: dict[float, int] = field(default_factory=dict)
    """Percentiles of the latency from the due time."""
    histograms: list[Any] = field(default_factory=list)
    """Of each interval an array of (latency in ns, number of IOs)."""
    is_steady: bool = False
    depth: int | None = None
    """The highest depth that holds the target, 0 if none does, or None if it was not found."""
    windows: list[tuple[int, float, float]] = field(default_factory=list)
    """Of each depth that was tried: the depth, its IOPS, and its latency in us."""


def unstarted(error: int) -> Outcome:
    """The outcome of a worker that could not start."""
    return Outcome(error, status=_INVALID_FIELD if error == _MDTS else 0)


def result(outcome: Outcome) -> dict[str, Any]:
    """The result of close(), without the outputs that :func:`fill` adds."""
    return {
        "io_count_read": outcome.counts.get(READ, 0),
        "io_count_nonread": sum(count for opcode, count in outcome.counts.items() if opcode != READ),
        "io_count_write": outcome.counts.get(WRITE, 0),
        "mseconds": outcome.mseconds,
        "latency_max_us": outcome.latency_max_us,
        "latency_average_us": outcome.latency_average_us,
        "cpu_usage": outcome.cpu_usage,
        "error": outcome.error,
        "status": outcome.status,
        "lba_verified": outcome.verified,
        "lba_unverified": outcome.unverified,
        "lba_mismatch": outcome.mismatch,
        "ended_by": outcome.ended_by,
    }


def fill(given: Parameters, outcome: Outcome, into: dict[str, Any]) -> None:
    """Fill the requested outputs, which are the script's dicts and lists, and entries of the result."""
    if isinstance(given.op_percentage, dict):
        own = {} if given.zonemode == "zbd" else outcome.counts
        given.op_percentage.update({op: outcome.counts.get(op, 0) for op in (*given.op_percentage, *own)})
    if given.output_io_per_second is not None:
        given.output_io_per_second[:] = outcome.per_second
        into["iops_consistency"] = consistency(outcome.per_second, 99.9) if outcome.per_second else 0.0
    if given.output_percentile_latency is not None:
        exact = {
            percentage: outcome.percentiles_ns.get(percentage, 0)
            for percentage in given.output_percentile_latency
        }
        given.output_percentile_latency.update({percentage: ns // 1000 for percentage, ns in exact.items()})
        into["latency_percentile_ns"] = exact
        into["latency_distribution"] = outcome.distribution
        if outcome.distribution is None:
            import numpy

            into["latency_distribution"] = numpy.zeros(_BUCKETS, dtype=numpy.uint64)
    _fill_extra(given, outcome, into)
    if given.output_cmdlog_list is not None:
        missing = len(given.output_cmdlog_list) - len(outcome.log)
        given.output_cmdlog_list[:] = [(0, 0, 0)] * missing + outcome.log


def _fill_zones(outcome: Outcome, into: dict[str, Any]) -> None:
    own_resets = outcome.counts.get(OWN_RESET, 0)
    into["io_count_append"] = outcome.counts.get(ZONE_APPEND, 0)
    into["zone_resets"] = outcome.counts.get(ZONE_RESET, 0) + own_resets
    into["io_count_nonread"] -= outcome.counts.get(ZONE_REPORT, 0) + own_resets


def _fill_extra(given: Parameters, outcome: Outcome, into: dict[str, Any]) -> None:
    if given.zonemode == "zbd":
        _fill_zones(outcome, into)
    if given.continue_on_error:
        into["io_count_failed"] = outcome.failed_ios
    if given.steady_state:
        into["steady_state"] = outcome.is_steady
    if given.latency_target:
        into["latency_target_depth"] = outcome.depth
        into["latency_target_windows"] = outcome.windows
    for opcode, inner in (given.output_opcode_latency or {}).items():
        found = outcome.opcode_percentiles_ns.get(opcode, {})
        inner.update({percentage: found.get(percentage, 0) // 1000 for percentage in inner})
    if given.output_opcode_latency is not None:
        means = {opcode: mean / 1000 for opcode, mean in outcome.opcode_means_ns.items()}
        into["latency_average_us_by_opcode"] = means
        into["latency_percentile_ns_by_opcode"] = outcome.opcode_percentiles_ns
    if given.output_due_latency is not None:
        exact = {percentage: outcome.due_ns.get(percentage, 0) for percentage in given.output_due_latency}
        given.output_due_latency.update({percentage: ns // 1000 for percentage, ns in exact.items()})
        into["latency_due_percentile_ns"] = exact
    if given.output_latency_histograms is not None:
        given.output_latency_histograms[:] = outcome.histograms


def consistency(counts: list[int] | None, slowest_percentage: float) -> float:
    """The count at slowest_percentage of the way down the sorted counts, fastest first, over their mean."""
    percentage = number(slowest_percentage, "slowest_percentage")
    check(0 <= percentage <= 100, f"slowest_percentage must be from 0 to 100, not {percentage:g}")
    if counts is None:
        raise AssertionError("iops_consistency needs output_io_per_second")
    check(len(counts) > 0, "iops_consistency needs at least one whole second")
    ordered = sorted(counts, reverse=True)
    # Rounded, because 29 * 100 / 100 may come out below 29.
    index = min(int(round(len(ordered) * percentage / 100, 9)), len(ordered) - 1)
    mean = sum(ordered) / len(ordered)
    return ordered[index] / mean if mean else 0.0
