# SPDX-License-Identifier: BSD-3-Clause
"""pynvme.spec's structures are views of memory: reads, writes, and invalid values."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from typing import Any

import nvme
import pytest

from pynvme import spec
from pynvme.structure import Elements, Field, Nested, Rest, Structure, Word

STRUCTURES = [
    kind
    for kind in (getattr(spec, name) for name in dir(spec))
    if isinstance(kind, type) and issubclass(kind, Structure)
]
WORDS = [
    kind
    for kind in (getattr(spec, name) for name in dir(spec))
    if isinstance(kind, type) and issubclass(kind, Word)
]


def namespace_bytes() -> bytearray:
    """Identify Namespace, typed by hand: 1 TiB in LBAs of 4096 bytes, of the third format."""
    data = bytearray(4096)
    data[0:8] = (1 << 28).to_bytes(8, "little")
    data[24] = 0x14  # DAE and OPTPERF
    data[25] = 2
    data[26] = 0x02
    data[48:64] = (1 << 40).to_bytes(16, "little")
    data[104:120] = bytes(range(16))
    data[128:140] = bytes([0, 0, 9, 2, 8, 0, 9, 3, 0, 0, 12, 0])
    return data


def test_fields_are_attributes() -> None:
    ns = spec.IdentifyNamespace(namespace_bytes())
    assert (ns.nsze, ns.nvmcap, ns.nlbaf) == (1 << 28, 1 << 40, 2)
    assert ns.nguid == bytes(range(16))
    assert [(f.ms, f.lbads, f.rp.rp) for f in ns.lbaf[:3]] == [(0, 9, 2), (8, 9, 3), (0, 12, 0)]
    assert len(ns.lbaf) == 64 and ns.lbaf[-1].lbads == 0


def test_bits_are_attributes_of_a_number() -> None:
    ns = spec.IdentifyNamespace(namespace_bytes())
    assert ns.nsfeat == 0x14 and ns.nsfeat & 4
    assert (ns.nsfeat.dae, ns.nsfeat.optperf, ns.nsfeat.thinp) == (1, 1, 0)
    assert repr(ns.nsfeat) == "0x14 (dae optperf)"
    assert spec.Csts(0x9).shst is spec.ShutdownStatus.COMPLETE
    assert spec.Cc(0x460001).replace(en=0, shn=2) == 0x468000
    assert dict(spec.Aqa(0x001F000F)) == {"asqs": 15, "acqs": 31}


def test_names_can_be_looked_for_and_gone_over() -> None:
    ns = spec.IdentifyNamespace(namespace_bytes())
    assert list(ns) == list(dict(ns)) and "nsze" in ns and "nsez" not in ns and 0 not in ns
    assert list(ns.flbas) == ["lbafil", "mdbs", "lbafih"] and "mdbs" in ns.flbas


def test_elements_can_be_written_by_a_slice() -> None:
    ns = spec.IdentifyNamespace(namespace_bytes())
    ns.lbaf[1:3] = [ns.lbaf[0], ns.lbaf[1]]
    assert [(f.ms, f.lbads) for f in ns.lbaf[:3]] == [(0, 9), (0, 9), (8, 9)]


def test_numbers_of_other_libraries_are_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    ns = spec.IdentifyNamespace(namespace_bytes())
    ns.nsze = numpy.uint64(1 << 40)
    ns.flbas.lbafil = numpy.uint8(3)
    assert (ns.nsze, ns.flbas.lbafil) == (1 << 40, 3)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda structure: pickle.loads(pickle.dumps(structure))]
)
def test_a_copy_has_memory_of_its_own(copied: Any) -> None:
    memory = namespace_bytes()
    ns = spec.IdentifyNamespace(memory)
    kept = copied(ns)
    assert kept == ns and type(kept) is type(ns)
    ns.nsze = 7
    kept.nlbaf = 1
    assert (kept.nsze, ns.nlbaf, memory[0]) == (1 << 28, 2, 7)
    assert copied(ns.flbas) == ns.flbas and type(copied(ns.flbas)) is type(ns.flbas)
    with pytest.raises(AttributeError, match="is a number, not memory"):
        copied(ns.flbas).mdbs = 1
    assert [one.lbads for one in copied(ns.lbaf)] == [one.lbads for one in ns.lbaf]


@pytest.mark.parametrize("kind", STRUCTURES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("fill", [0x00, 0xFF])
def test_every_structure_can_be_copied(kind: type[Structure], fill: int) -> None:
    view = kind(bytes([fill]) * (kind.SIZE + 100))
    assert pickle.loads(pickle.dumps(view)) == view == copy.copy(view)


def test_a_value_without_a_name_is_a_number() -> None:
    assert spec.Csts(0xC).shst == 3
    ctrl = spec.IdentifyController()
    ctrl.cntrltype = 1
    assert ctrl.cntrltype is spec.ControllerType.IO
    ctrl.cntrltype = 0x77
    assert ctrl.cntrltype == 0x77 and "cntrltype=119" in ctrl.brief()


def test_a_view_of_a_buffer_reads_and_writes_its_memory() -> None:
    buf = nvme.Buffer(4096)
    ns = spec.IdentifyNamespace(buf)
    buf[0:2] = b"\x34\x12"
    assert ns.nsze == 0x1234
    ns.nsze = 0xABCDEF
    ns.flbas.mdbs = 1
    ns.flbas.lbafil = 5
    ns.lbaf[5].lbads = 12
    assert buf.data(2, 0) == 0xABCDEF
    assert (buf[26], buf[150]) == (0x15, 12)


def test_texts_are_padded_as_the_specification_says() -> None:
    ctrl = spec.IdentifyController()
    ctrl.sn = "S123"
    ctrl.subnqn = "nqn.2014-08.org.example:1"
    raw = bytes(ctrl)
    assert raw[4:24] == b"S123".ljust(20)
    assert raw[768:1024] == b"nqn.2014-08.org.example:1".ljust(256, b"\0")
    assert (ctrl.sn, ctrl.subnqn) == ("S123", "nqn.2014-08.org.example:1")


def test_a_buffer_that_is_too_short_is_refused_by_its_numbers() -> None:
    with pytest.raises(ValueError, match=r"IdentifyNamespace has 4096 bytes, but the buffer has 512$"):
        spec.IdentifyNamespace(bytes(512))
    with pytest.raises(ValueError, match="LbaFormat has 4 bytes, but the buffer has 2 from 6 on"):
        spec.LbaFormat(bytes(8), 6)
    with pytest.raises(TypeError, match=r"SmartLog is a view of a Buffer, bytes or other memory, not of int"):
        spec.SmartLog(512)
    with pytest.raises(ValueError, match="LbaFormat: offset is not negative, as -1 is"):
        spec.LbaFormat(bytes(8), -1)
    with pytest.raises(TypeError, match="LbaFormat: offset takes an int, not str"):
        spec.LbaFormat(bytes(8), "1")  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match="LbaFormat is a view of contiguous memory, which this memoryview is not"
    ):
        spec.LbaFormat(memoryview(bytes(16))[::2])


def test_a_name_that_is_not_there_is_an_error_with_the_nearest_one() -> None:
    with pytest.raises(
        AttributeError, match=r"pynvme.spec has no IdentifyNamspace: did you mean IdentifyNamespace"
    ):
        spec.IdentifyNamspace  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (
            lambda ns: setattr(ns, "nlbaf", 256),
            ValueError,
            "nlbaf takes 0 to 0xff, not 0x100",
        ),
        (
            lambda ns: setattr(ns, "nsze", -1),
            ValueError,
            "nsze takes 0 to 0xffffffffffffffff",
        ),
        (lambda ns: setattr(ns, "nsze", "1"), TypeError, "IdentifyNamespace.nsze takes an int, not str"),
        (lambda ns: setattr(ns.flbas, "lbafil", 16), ValueError, "Flbas.lbafil takes 0 to 0xf, not 0x10"),
        (lambda ns: ns.lbaf[64], IndexError, "IdentifyNamespace.lbaf has 64 elements, and no index 64"),
        (lambda ns: setattr(ns, "nguid", b"1"), ValueError, "IdentifyNamespace.nguid takes 16 bytes, not 1"),
        (lambda ns: setattr(ns, "lbaf", []), ValueError, "IdentifyNamespace.lbaf has 64 elements, not 0"),
        (
            lambda ns: ns.flbas.replace(x=1),
            TypeError,
            "no bits called x: it has lbafil, mdbs, lbafih",
        ),
        (lambda ns: ns["nothing"], KeyError, "nothing"),
        (
            lambda ns: setattr(ns, "nszee", 1),
            AttributeError,
            "IdentifyNamespace has no attribute nszee: did you mean nsze",
        ),
        (
            lambda ns: setattr(ns.flbas, "lbafli", 1),
            AttributeError,
            "Flbas has no attribute lbafli: did you mean lbafil",
        ),
        (lambda ns: setattr(ns.lbaf, "lbads", 9), AttributeError, "Array has no attribute lbads"),
        (lambda ns: ns.nszee, AttributeError, "did you mean nsze"),
        (lambda ns: delattr(ns, "nsze"), AttributeError, "nsze cannot be deleted"),
        (lambda ns: setattr(ns, "nsze", 1.5), TypeError, "nsze takes an int, not float"),
        (lambda ns: setattr(ns, "nguid", 16), TypeError, "nguid takes bytes, not int"),
        (lambda ns: setattr(ns, "nguid", "x" * 16), TypeError, "nguid takes bytes, not str"),
        (lambda ns: setattr(ns, "lbaf", 3), TypeError, "lbaf takes 64 elements, not int"),
        (
            lambda ns: setattr(ns, "lbaf", [*ns.lbaf[1:], 3]),
            TypeError,
            r"lbaf\[63\] takes a LbaFormat of 4 bytes, not int",
        ),
        (
            lambda ns: ns.lbaf.__setitem__(0, 1 << 60),
            TypeError,
            r"lbaf\[0\] takes a LbaFormat of 4 bytes, not int",
        ),
        (
            lambda ns: ns.lbaf.__setitem__(slice(2), [spec.LbaFormat()]),
            ValueError,
            "slice of IdentifyNamespace.lbaf has 2",
        ),
        (lambda ns: ns.lbaf["0"], TypeError, "an index of IdentifyNamespace.lbaf is an int, not str"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(change: Any, error: type, text: str) -> None:
    ns = spec.IdentifyNamespace(namespace_bytes())
    with pytest.raises(error, match=text):
        change(ns)
    assert bytes(ns) == bytes(namespace_bytes())


def test_memory_that_is_read_only_is_not_written() -> None:
    ns = spec.IdentifyNamespace(bytes(4096))
    for change in (
        lambda: setattr(ns, "nsze", 1),
        lambda: setattr(ns.flbas, "mdbs", 1),
        lambda: setattr(ns.lbaf[1], "ms", 8),
        lambda: setattr(spec.TelemetryLog(bytes(1024)), "blocks", bytes(512)),
    ):
        with pytest.raises(TypeError, match="cannot be set: the memory is read-only, as bytes are"):
            change()


def test_a_number_of_its_own_has_no_memory_to_change() -> None:
    with pytest.raises(AttributeError, match=r"this Csts is a number, not memory: use replace\(rdy=1\)"):
        spec.Csts(0).rdy = 1


def test_a_list_has_as_many_elements_as_it_says_and_the_memory_holds() -> None:
    report = spec.ZoneReport(bytearray(64 + 3 * 64 + 10))
    report.nz = 2
    assert len(report.zones) == 2
    report.nz = 1 << 60
    assert len(report.zones) == 3
    report.zones[2].zslba = 0x5000
    assert report.zones[2].zslba == 0x5000
    sets = spec.NvmSetList()
    sets.nid = 200
    assert len(sets.entry) == 31


def test_a_count_that_is_0_based_has_one_more() -> None:
    log = spec.FdpConfigurationsLog(bytearray(16 + 2 * 68))
    for place in (16, 84):
        configuration = spec.FdpConfiguration(memoryview(log._view), place)
        configuration.dsze = 68
    log.nfdpc = 1
    assert len(log.configurations) == 2


def test_elements_that_differ_in_length_are_found_by_it() -> None:
    data = bytearray(16 + 32 + 2 * 4 + 32 + 4)
    ana = spec.AnaLog(data)
    ana.nagd = 2
    spec.AnaGroup(data, 16).nnv = 2
    spec.AnaGroup(data, 56).nnv = 1
    data[48:56] = (1).to_bytes(4, "little") + (7).to_bytes(4, "little")
    data[88:92] = (9).to_bytes(4, "little")
    assert [list(group.nsid) for group in ana.groups] == [[1, 7], [9]]
    assert len(ana) == len(data)


def test_descriptors_end_where_their_kind_is_0() -> None:
    data = bytearray(4096)
    data[0:4], data[4:12] = bytes([1, 8, 0, 0]), bytes(range(8))
    data[12:16], data[16:17] = bytes([4, 1, 0, 0]), b"\x02"
    found = spec.NamespaceIdList(data).descriptors
    assert [(one.nidt, bytes(one.nid)) for one in found] == [
        (spec.Nidt.EUI64, bytes(range(8))),
        (spec.Nidt.CSI, b"\x02"),
    ]


def test_events_are_found_by_the_lengths_of_their_headers() -> None:
    data = bytearray(512 + 24 + 12 + 24 + 2)
    log = spec.PersistentEventLog(data)
    log.tnev = 2
    for place, kind, length in ((512, 7, 12), (548, 13, 2)):
        event = spec.PersistentEvent(data, place)
        event.et, event.ehl, event.el = kind, 21, length
    data[572:574] = b"\x05\x01"
    assert [event.et for event in log.events] == [
        spec.PersistentEventType.FORMAT_START,
        spec.PersistentEventType.THERMAL,
    ]
    assert spec.ThermalExcursionEvent(log.events[1].data).ovt == 5


def test_lists_of_2_1_are_read_by_their_counts() -> None:
    """Bytes of log pages 17h, 18h and 1Bh, and of CNS 1Dh, 1Eh and 20h, typed by hand."""
    subsystems = bytes([1]).ljust(8, b"\0") + bytes([2]).ljust(248, b"\0") + b"nqn.a".ljust(256, b"\0") * 2
    assert list(spec.LOG_PAGES[0x17](subsystems).nqn) == ["nqn.a", "nqn.a"]
    addresses = bytes(512) + bytes([1, 0, 0, 0]) + b"https://10.0.0.1".ljust(508, b"\0") + bytes(3072)
    assert [(a.mat, a.madrs) for a in spec.LOG_PAGES[0x18](addresses).mad][1] == (1, "https://10.0.0.1")
    association = bytes([7, 0, 0, 0, 2, 0, 0, 0]).ljust(16, b"\0") + bytes([3]).ljust(16, b"\0")
    header = bytes(8) + bytes([1]).ljust(8, b"\0")
    (found,) = spec.LOG_PAGES[0x1B](header + association + bytes([5, 0, 0, 0, 6, 0, 0, 0])).associations
    assert (found.rasid, found.rac, list(found.rgid)) == (7, 3, [5, 6])
    header = bytes(8) + bytes([1]).ljust(8, b"\0")
    (ns,) = spec.IDENTIFY[0x1D, None](
        header + b"nqn.b".ljust(256, b"\0") + bytes([4, 0, 0, 0, 9, 0]).ljust(64)
    ).entry
    assert (ns.unsnqn, ns.nsid, ns.cntlid) == ("nqn.b", 4, 9)
    port = b"10.0.0.2".ljust(256) + bytes(256) + bytes([8, 0, 3, 1, 2]).ljust(64, b"\0")
    (one,) = spec.IDENTIFY[0x1E, None](header + port).entry
    assert (one.traddr, one.pid, one.trtype, one.adrfam, one.treq) == ("10.0.0.2", 8, 3, 1, 2)
    formats = spec.IDENTIFY[0x20, None](bytes([1, 0, 0x01, 0x00]))
    assert (formats.nv, formats.nuuid, bytes(formats.formats)) == (1, 0, b"\x01\x00")


@pytest.mark.parametrize("value", [0, 1, 0xFF])
def test_lengths_that_make_no_sense_end_a_list(value: int) -> None:
    data = bytearray([value]) * 600
    assert len(spec.PersistentEventLog(data).events) <= 4
    assert len(spec.AnaLog(data).groups) <= 18
    assert len(spec.FdpConfigurationsLog(data).configurations) <= 9


def test_a_field_has_its_name_in_words_as_well() -> None:
    smart = spec.SmartLog(bytearray(512))
    smart.composite_temperature = 313
    assert smart.ctemp == smart.composite_temperature == 313 and smart.to_dict()["ctemp"] == 313
    assert "composite_temperature" not in smart.FIELDS


def test_temperatures_are_known_in_celsius_too() -> None:
    smart = spec.SmartLog(bytearray([0, 0x39, 0x01]) + bytes(509))
    assert smart.ctemp.celsius == 40 and str(smart.ctemp) == repr(smart.ctemp) == "313 K (40 °C)"
    assert smart.tsen[0] == 0 and str(smart.tsen[0]) == "0 K"
    assert spec.TemperatureThreshold(0x10139).tmpth.celsius == 40
    assert "313 K (40 °C)  " in str(smart) and "Kelvin" not in str(smart)


def test_a_structure_knows_that_the_memory_ends_before_it() -> None:
    log = spec.PersistentEventLog(bytearray(512))
    assert not log.is_cut
    log.tnev = 1
    assert log.is_cut
    zones = spec.ZoneReport(bytearray(64 + 2 * 64))
    zones.nz = 2
    assert not zones.is_cut
    zones.nz = 3
    assert zones.is_cut and len(zones.zones) == 2


@pytest.mark.parametrize("kind", STRUCTURES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("fill", [0x00, 0xFF, 0xA5])
def test_every_structure_tells_all_of_its_fields(kind: type[Structure], fill: int) -> None:
    view = kind(bytes([fill]) * (kind.SIZE + 100))
    assert list(dict(view)) == list(kind.FIELDS) and kind.FIELDS
    text = str(view)
    assert all(f" {name} " in text for name in kind.FIELDS) and repr(view) == text
    assert view.brief().startswith(f"{kind.__name__}(") and "\n" not in view.brief()
    page = view._repr_html_()
    assert all(f">{name}</th>" in page for name in kind.FIELDS)
    json.dumps(view.to_dict(), default=bytes.hex)
    # Since 3.13, Python's compiler removes the indentation of a docstring.
    described = [line.split()[0] for line in (kind.__doc__ or "").splitlines() if line.strip()]
    assert [word for word in described if word in kind.FIELDS] == list(kind.FIELDS)


@pytest.mark.parametrize("kind", STRUCTURES, ids=lambda kind: kind.__name__)
def test_no_field_lies_over_another_or_beyond_the_structure(kind: type[Structure]) -> None:
    end = 0
    for name, field in kind.FIELDS.items():
        assert field.offset >= end, name
        if isinstance(field, Rest) or (isinstance(field, Elements) and field.count is None):
            assert field.offset == kind.SIZE, name
            continue
        count = field.count if isinstance(field, Elements) else 1
        end = field.offset + field.item.size * (count or 1)
        assert end <= kind.SIZE, name


@pytest.mark.parametrize("kind", STRUCTURES, ids=lambda kind: kind.__name__)
def test_every_number_can_be_written_and_read_back(kind: type[Structure]) -> None:
    view = kind(bytearray(kind.SIZE))
    for name, field in kind.FIELDS.items():
        if isinstance(field, Field) and not isinstance(field.item, Nested) and isinstance(view[name], int):
            most = (1 << 8 * field.item.size) - 1
            setattr(view, name, most)
            assert view[name] == most
            setattr(view, name, 0)
    assert not any(bytes(view)[: kind.SIZE])


@pytest.mark.parametrize("kind", WORDS, ids=lambda kind: kind.__name__)
def test_bits_of_a_word_do_not_overlap(kind: type[Word]) -> None:
    seen = 0
    for name, bit in kind.BITS.items():
        mask = bit.mask << bit.low
        assert not seen & mask, name
        seen |= mask
        assert getattr(kind(mask), name) == bit.mask


def test_importing_nvme_does_not_load_the_structures() -> None:
    code = (
        "import sys, nvme\n"
        "assert not [name for name in sys.modules if name.startswith(('pynvme.spec', 'pynvme.structure'))]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_help_tells_bytes_and_units() -> None:
    lines = [" ".join(line.split()) for line in (spec.IdentifyController.__doc__ or "").splitlines()]
    assert "wctemp 267:266 warning composite temperature, 0: none, Kelvin, since 1.2" in lines
    assert spec.IdentifyController.mdts.__doc__ == (
        "maximum data transfer size, 0: no limit, in 2^n pages of CAP.MPSMIN (byte 77)"
    )
