# SPDX-License-Identifier: BSD-3-Clause
"""Writes docs/coverage.md: what of the NVMe specification the driver, the virtual SSD and the suite cover.

It asks virtual SSDs what they have, the book of the specification what there is, and the files of the suite
what they name. `python tools/protocol.py` prints the page, and tests/test_protocol.py compares it with the
file.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import nvme as d  # noqa: E402

from pynvme import spec  # noqa: E402
from pynvme.spec.identify import Cns  # noqa: E402
from spec import commands, features, identify, logs  # noqa: E402

HELPERS = ("features", "functions", "rules")
"""Modules of the suite that list what the tests go over that import them."""


def text_of(test: Path) -> str:
    """The text of a file of tests, with the lists that it goes over."""
    text = test.read_text()
    used = [name for name in HELPERS if f"from pynvme.suite.{name} import" in text]
    return "\n".join([text, *((test.parent / f"{name}.py").read_text() for name in used)])


SUITE = {path.stem[5:]: text_of(path) for path in sorted((ROOT / "pynvme" / "suite").glob("test_*.py"))}

SIZE = "size=64M,namespaces=2"
OPTIONS = (
    "ana=2",
    "boot_partitions",
    "boot_protection",
    "capacity_management=fixed",
    "capacity_management=variable",
    "controllers=2",
    "copy",
    "doorbell_buffer",
    "endurance_groups=2",
    "error_injection",
    "fdp",
    "host_metadata",
    "keep_alive",
    "key_value=1",
    "lba_status",
    "lockdown",
    "media_verification",
    "metadata",
    "mi",
    "migration",
    "namespace_management",
    "nvm_sets=2",
    "nvme_version=2.1",
    "ocp",
    "persistent_events",
    "power_measurement",
    "protection",
    "read_recovery_levels",
    "reservations",
    "retry_delay=100",
    "rotational=7200",
    "rpmb",
    "sgls=byte",
    "streams",
    "tcg",
    "virtual_functions=2",
    "write_protection",
    "zoned=1",
)
"""Options that give a virtual SSD more of the protocol, tried one at a time."""
NEEDED = {
    "migration": ("controllers=2",),
    "capacity_management=fixed": ("namespace_management", "nvm_sets=2"),
    "capacity_management=variable": ("namespace_management", "nvm_sets=2"),
    "nvme_version=2.1": ("namespace_management",),
}
"""Options that others need."""

METHODS = {
    ("admin", 0x00): "Qpair.delete",
    ("admin", 0x01): "Qpair",
    ("admin", 0x02): "Controller.getlogpage",
    ("admin", 0x04): "Qpair.delete",
    ("admin", 0x05): "Qpair",
    ("admin", 0x06): "Controller.identify",
    ("admin", 0x08): "Controller.abort",
    ("admin", 0x09): "Controller.setfeatures",
    ("admin", 0x0A): "Controller.getfeatures",
    ("admin", 0x0C): "Controller.aer",
    ("admin", 0x0D): "Controller.ns_create Controller.ns_delete",
    ("admin", 0x10): "Controller.fw_commit",
    ("admin", 0x11): "Controller.fw_download",
    ("admin", 0x15): "Controller.ns_attach Controller.ns_detach",
    ("admin", 0x19): "Controller.directive_send",
    ("admin", 0x1A): "Controller.directive_receive",
    ("admin", 0x1D): "Controller.mi_send",
    ("admin", 0x1E): "Controller.mi_receive",
    ("admin", 0x7C): "Controller.doorbell_buffer_config",
    ("admin", 0x80): "Controller.format",
    ("admin", 0x81): "Controller.security_send",
    ("admin", 0x82): "Controller.security_receive",
    ("admin", 0x84): "Controller.sanitize",
    ("admin", 0x86): "Controller.get_lba_status",
    ("io", 0x00): "Namespace.flush",
    ("io", 0x01): "Namespace.write",
    ("io", 0x02): "Namespace.read",
    ("io", 0x04): "Namespace.write_uncorrectable",
    ("io", 0x05): "Namespace.compare",
    ("io", 0x08): "Namespace.write_zeroes",
    ("io", 0x09): "Namespace.dsm",
    ("io", 0x0C): "Namespace.verify",
    ("io", 0x0D): "Namespace.reservation_register",
    ("io", 0x0E): "Namespace.reservation_report",
    ("io", 0x11): "Namespace.reservation_acquire",
    ("io", 0x15): "Namespace.reservation_release",
    ("io", 0x12): "Namespace.io_mgmt_receive",
    ("io", 0x18): "Namespace.cancel",
    ("io", 0x19): "Namespace.copy",
    ("io", 0x1D): "Namespace.io_mgmt_send",
    ("io", 0x79): "Namespace.zns_mgmt_send",
    ("io", 0x7A): "Namespace.zns_mgmt_receive",
    ("io", 0x7D): "Namespace.zone_append",
    ("kv", 0x01): "KeyValue.store",
    ("kv", 0x02): "KeyValue.retrieve",
    ("kv", 0x06): "KeyValue.list",
    ("kv", 0x10): "KeyValue.delete",
    ("kv", 0x14): "KeyValue.exist",
}
"""Methods that are not made from the book. Any other command is sent by send_cmd()."""

MODULES = {("admin", opcode): "pynvme.migration" for opcode in (0x3D, 0x41, 0x42, 0x45)}
"""Modules of the host for commands that only make sense together."""

REASONS = {
    "it does not track what controllers write to the host's memory (TRATTR: THMCS)": ("track receive",),
    "of fabrics, or of subsystems of another size": (
        *("fabric", "discovery", "exported", "underlying", "ports", "dispersed", "reachab"),
        *("management address", "domain", "ave", "mgmt address"),
    ),
    "its latency is that of this machine, without deterministic windows": ("predictable latency",),
    "a hint for the host's own use, which no drive acts upon": ("lba range",),
}
"""Why the virtual SSD lacks something, by a word of its name."""
NEWER = "of NVMe 2.1, of which the drive has a part"
OTHERWISE = "not there yet"
LATEST = (2, 0)
"""The NVMe version that the virtual SSD claims without the option."""

ZEROS = {
    "of fabrics": "ioccsz iorcsz icdoff fcatt msdbd ofcs dctype",
    "it does not track memory of the host": "cmmrtd nmmrtd minmrtg maxmrtg",
    "none is better than another": "rab",
    "it is no part that can be replaced (FRU)": "fguid",
    "its endpoint out of band is a socket, and no port of the subsystem": "mec",
    "vendor specific commands have formats of their own": "avscc icsvscc",
    "the namespaces have it all, unless `unallocated` or the host says otherwise": "unvmcap",
    "no limit": "hmminds maxdna maxcna",
    "one domain": "domainid",
    "no key per I/O": "kpioc kpios kpiodaag",
    "one LBA": "awupf",
    "not reported": "maxcmd oaqd",
    "as the fields of the controller say": "nawun nawupf nacwu nabsn nabo nabspf",
    "none": "noiob nulbaf vs",
    "LBA format 0; options `lba_size`, `extended_lba`": "flbas",
    "none until the host formats it so; option `pi`": "dps",
    "1 while the host protects it from writes": "nsattr",
}
"""Why fields of Identify are 0 without an option, by their names."""


class Found(NamedTuple):
    """What one virtual SSD has, by the names of the tables below."""

    admin: frozenset[int]
    io: frozenset[int]
    kv: frozenset[int]
    logs: frozenset[int]
    features: frozenset[int]
    cns: frozenset[int]
    fields: frozenset[tuple[str, str]]


def succeeds(send: Callable[..., Any]) -> bool:
    """Whether a command that is sent with the callback it gets completes with success."""
    ends: list[int] = []

    def done(cdw0: int, status: int) -> None:
        ends.append(status >> 1 & 0x7FF)

    send(done).waitdone()
    return ends == [0]


def fields_that_are_set(nvme0: d.Controller, ns: d.Namespace) -> frozenset[tuple[str, str]]:
    """The fields of Identify that are not 0."""
    found = set()
    for name, structure in (("id_ctrl", nvme0.id_ctrl), ("id_ns", ns.id_ns)):
        for field, kind in structure.FIELDS.items():
            size = getattr(getattr(kind, "item", None), "size", 0) * (getattr(kind, "count", 1) or 1)
            if any(bytes(structure)[kind.offset : kind.offset + size]):
                found.add((name, field))
    return frozenset(found)


def probe(option: str) -> Found:
    """What a virtual SSD with an option has."""
    words = [f"vssd:name=protocol-{option}", SIZE, *NEEDED.get(option, ()), *filter(None, [option])]
    nvme0 = d.Controller(d.Pcie(",".join(words)))
    ns, buf = d.Namespace(nvme0), d.Buffer()
    effects, supported = [nvme0.log(5)], nvme0.log(0)
    of_keys = []
    for kind, name, where in (
        (spec.CommandSet.ZNS, "zoned", effects),
        (spec.CommandSet.KV, "key_value", of_keys),
    ):
        if option.startswith(name):
            log = d.Buffer()
            nvme0.send_cmd(2, log, nsid=0xFFFFFFFF, cdw10=1023 << 16 | 5, cdw14=kind << 24).waitdone()
            where.append(log.decode("effects_log"))
    found = Found(
        frozenset(i for i in range(256) if effects[0].acs[i].csupp),
        frozenset(i for i in range(256) if any(one.iocs[i].csupp for one in effects)),
        frozenset(i for i in range(256) if any(one.iocs[i].csupp for one in of_keys)),
        frozenset(i for i in range(256) if supported.lids[i].lsupp),
        frozenset(
            fid
            for fid in range(256)
            if succeeds(lambda cb, fid=fid: nvme0.getfeatures(fid, sel=3, buf=buf, cb=cb))
        ),
        frozenset(
            cns
            for cns in range(0x40)
            if any(
                succeeds(
                    lambda cb, cns=cns, nsid=nsid, cntid=cntid: nvme0.identify(
                        buf, nsid=nsid, cns=cns, cntid=cntid, cb=cb
                    )
                )
                for nsid, cntid in ((0, 0), (1, 0), (0, 0xFFFF))
            )
        ),
        fields_that_are_set(nvme0, ns),
    )
    nvme0.pcie.close()
    return found


def offer(what: str, number: Any, found: Mapping[str, Found]) -> str:
    """Whether virtual SSDs have it: yes, by which option, or no."""
    if number in getattr(found[""], what):
        return "yes"
    having = [option for option in OPTIONS if number in getattr(found[option], what)]
    options = [f"`{option}`" for option in having if not set(NEEDED.get(option, ())) & set(having)]
    return "option " + ", ".join(options) if options else "no"


def is_newer(since: str) -> bool:
    return tuple(map(int, since.split(".")[:2])) > LATEST


def reason(name: str, since: str) -> str:
    """Why the virtual SSD lacks something of this name, which came with a version of the specification."""
    words = name.lower()
    otherwise = NEWER if is_newer(since) else OTHERWISE
    return next((why for why, parts in REASONS.items() if any(part in words for part in parts)), otherwise)


def sinces(enum: Any) -> dict[int, str]:
    """With which version the values of an enumeration of the book came."""
    return {value.number: value.since for value in enum.values}


def areas(*patterns: str) -> str:
    """The areas of the suite whose tests name something."""
    return ", ".join(area for area, text in SUITE.items() if any(re.search(p, text) for p in patterns)) or "-"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    heads = list(heads)
    return ["| " + " | ".join(cells) + " |" for cells in (heads, ["---"] * len(heads), *map(list, rows))]


def method_of(kind: str, command: Any) -> str:
    """How a script sends a command."""
    name = f"Controller.{command.method}" if command.method else METHODS.get((kind, command.opcode))
    if name is None:
        return f"`{MODULES.get((kind, command.opcode), 'send_cmd')}`"
    for one in name.split():
        owner, _, method = one.partition(".")
        assert not method or hasattr(getattr(d, owner), method), one
    return ", ".join(f"`{one}`" for one in name.split())


def with_reason(offered: str, name: str, since: str) -> str:
    return f"no: {reason(name, since)}" if offered == "no" else offered


def zero(field: str, since: str) -> str:
    """Why a field of Identify is 0."""
    why = next((why for why, names in ZEROS.items() if field in names.split()), "")
    return f"0: {why or (NEWER if is_newer(since) else OTHERWISE)}"


def command_rows(
    kind: str, listed: Iterable[Any], enum: type[IntEnum], found: Mapping[str, Found]
) -> list[list[str]]:
    rows = []
    for command in sorted(listed, key=lambda one: one.opcode):
        named = areas(rf"\b{enum.__name__}\.{enum(command.opcode).name}\b")
        offered = with_reason(offer(kind, command.opcode, found), command.name, command.since)
        rows.append([f"{command.opcode:02X}h", command.name, method_of(kind, command), offered, named])
    return rows


def log_rows(found: Mapping[str, Found]) -> list[list[str]]:
    rows, since = [], sinces(logs.LID)
    for lid in sorted({*map(int, spec.LogId), *spec.LOG_PAGES}):
        names = [one.name for one in spec.LogId if one == lid]
        structure = spec.LOG_PAGES.get(lid)
        name = (names[0] if names else f"{lid:02X}h").replace("_", " ").lower()
        text = structure.TEXT.partition(",")[0] if structure else name
        patterns = [rf"log_page\((0x0?{lid:X}|{lid})\b"] + [rf"LogId\.{one}\b" for one in names]
        decoded = (
            f"`spec.{structure.__name__}`"
            if structure
            else "a list of namespaces"
            if lid in (4, 0x1C)
            else "-"
        )
        rows.append(
            [
                f"{lid:02X}h",
                text,
                decoded,
                with_reason(offer("logs", lid, found), name + text, since.get(lid, "1.0")),
                areas(*patterns),
            ]
        )
    return rows


def feature_rows(found: Mapping[str, Found]) -> list[list[str]]:
    rows, since = [], sinces(features.FID)
    for fid in spec.FeatureId:
        known = spec.FEATURES.get(int(fid))
        parts = [one.__name__ for one in (known.word, known.data) if one is not None] if known else []
        decoded = ", ".join(f"`spec.{part}`" for part in parts) or "-"
        name = fid.name.replace("_", " ").lower()
        offered = with_reason(offer("features", int(fid), found), name, since[fid])
        rows.append([f"{int(fid):02X}h", name, decoded, offered, areas(rf"FeatureId\.{fid.name}\b")])
    return rows


def cns_rows(found: Mapping[str, Found]) -> list[list[str]]:
    rows, since = [], sinces(identify.CNS)
    for cns in Cns:
        name = cns.name.replace("_", " ").lower()
        structures = sorted({kind.__name__ for key, kind in spec.IDENTIFY.items() if key[0] == cns})
        decoded = ", ".join(f"`spec.{one}`" for one in structures) or "-"
        offered = with_reason(offer("cns", int(cns), found), name, since[cns])
        rows.append([f"{int(cns):02X}h", name, decoded, offered, areas(rf"Cns\.{cns.name}\b")])
    return rows


def field_rows(name: str, structure: Any, book: Any, found: Mapping[str, Found]) -> list[list[str]]:
    rows, since = [], {field.name: field.since for field in book.fields}
    for field, kind in structure.FIELDS.items():
        offered = offer("fields", (name, field), found)
        offered = {"yes": "set", "no": zero(field, since[field])}.get(offered, offered)
        rows.append([f"`{field}`", str(kind.offset), kind.text or "-", offered, areas(rf"[.\"]{field}\b")])
    return rows


HEAD = """# What of the protocol is covered

`python tools/protocol.py` makes this page, from the book of the specification (`spec/`), from what virtual
SSDs answer, and from the files of the suite.

- *Script*: the method that sends the command. `send_cmd` sends any command.
- *Virtual SSD*: whether it has it, always or with an option ([virtual-ssd.md](how-to/virtual-ssd.md)), and
  why not.
- *Decoded as*: the class that has its fields by name. Command logs decode the fields of all commands, also of
  those that the virtual SSD lacks.
- *Suite*: the areas whose tests name it. Besides, tests of the area `commands` go over all opcodes, log
  pages, features and CNS values, and those of the area `reports` compare all fields of Identify before and
  after each kind of reset, and look at reserved ones. Areas run on drives that have what they test.
"""


def page() -> str:
    """The text of docs/coverage.md."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {option: probe(option) for option in ("", *OPTIONS)}
    names = ("number", "name", "script", "virtual SSD", "suite")
    decoded = ("number", "name", "decoded as", "virtual SSD", "suite")
    fields = ("field", "byte", "meaning", "virtual SSD", "suite")
    parts = [
        HEAD,
        "## Admin commands\n",
        *table(names, command_rows("admin", commands.ADMIN, spec.AdminOpcode, found)),
        "\n## I/O commands\n",
        *table(names, command_rows("io", (*commands.NVM, *commands.ZNS), spec.IoOpcode, found)),
        "\n## I/O commands of the Key Value Command Set\n",
        *table(names, command_rows("kv", commands.KV, spec.KvOpcode, found)),
        "\n## Log pages\n",
        *table(decoded, log_rows(found)),
        "\n## Features\n",
        *table(decoded, feature_rows(found)),
        "\n## Identify\n",
        *table(decoded, cns_rows(found)),
        "\n## Fields of Identify Controller\n",
        *table(fields, field_rows("id_ctrl", spec.IdentifyController, identify.ID_CTRL, found)),
        "\n## Fields of Identify Namespace\n",
        *table(fields, field_rows("id_ns", spec.IdentifyNamespace, identify.ID_NS, found)),
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
