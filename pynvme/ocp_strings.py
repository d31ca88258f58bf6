# SPDX-License-Identifier: BSD-3-Clause
"""The strings of OCP's log page C9h: what a drive calls statistics, events and FIFOs of its telemetry data.

strings = ocp_strings.decode(nvme0.log(0xC9))
strings.statistics[0x8000]          # "power-on time, ms"
strings.events[0x80, 0x0001]        # by debug event class and event identifier
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pynvme.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pynvme import spec

S = TypeVar("S", bound=Structure)


class Strings(NamedTuple):
    """The strings of a drive."""

    statistics: dict[int, str]
    """By statistic identifier."""
    events: dict[tuple[int, int], str]
    """By debug event class and event identifier."""
    vendor_events: dict[tuple[int, int], str]
    """The same of the vendor's events."""
    fifos: dict[int, str]
    """By the number of the event FIFO, from 1 to 16; only those with a name."""


def decode(log: spec.OcpTelemetryStringsLog) -> Strings:
    """Decode log page C9h.

    Args:
        log: the log page, as ``nvme0.log(0xC9)`` returns it

    Returns:
        the strings

    Raises:
        ValueError: a table or a string is not within the log page
    """
    from pynvme import spec

    raw = bytes(log)
    text = _table(raw, "ASCII table", log.ascii_start, log.ascii_size)

    def string(entry: spec.OcpStatisticString | spec.OcpEventString) -> str:
        if entry.offset + entry.length > len(text):
            raise ValueError(
                f"log page C9h: the string of identifier {entry.id:#06x} is in bytes {entry.offset} to "
                f"{entry.offset + entry.length - 1} of an ASCII table of {len(text)} bytes"
            )
        return text[entry.offset : entry.offset + entry.length].decode("ascii", "replace")

    def entries(kind: type[S], name: str, start: int, size: int) -> Iterator[S]:
        table = _table(raw, name, start, size)
        return (kind(table, at) for at in range(0, len(table) - kind.SIZE + 1, kind.SIZE))

    statistics = entries(
        spec.OcpStatisticString,
        "Statistics Identifier String Table",
        log.statistics_start,
        log.statistics_size,
    )
    events = entries(spec.OcpEventString, "Event String Table", log.events_start, log.events_size)
    vendors = entries(
        spec.OcpEventString, "VU Event String Table", log.vendor_events_start, log.vendor_events_size
    )
    return Strings(
        {one.id: string(one) for one in statistics},
        {(one.event_class, one.id): string(one) for one in events},
        {(one.event_class, one.id): string(one) for one in vendors},
        {number: name for number, name in enumerate(log.fifos, 1) if name},
    )


def _table(raw: bytes, name: str, start: int, size: int) -> bytes:
    """The bytes of a table, whose start and size are in dwords."""
    if size and 4 * (start + size) > len(raw):
        raise ValueError(
            f"log page C9h: the {name} is in bytes {4 * start} to {4 * (start + size) - 1} of a log page of "
            f"{len(raw)} bytes"
        )
    return raw[4 * start : 4 * (start + size)]
