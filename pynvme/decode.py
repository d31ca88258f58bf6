# SPDX-License-Identifier: BSD-3-Clause
"""Reads what a drive tells of itself, and decodes it by the structures of `pynvme.spec`.

These functions are behind `Controller.smart`, `log()`, `features` and `regs`, and `Buffer.decode()`. None
of them takes a completion that the script waits for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from pynvme import log_table, near, spec
from pynvme.structure import Bit, Feature, Structure, Word

if TYPE_CHECKING:
    from nvme import Buffer

BROADCAST = 0xFFFFFFFF
FIRST_PIECE = 4096
"""How much of a log page of unknown length is read first, in bytes."""
LARGEST_LOG = 256 << 20
"""Nothing is read beyond this, in bytes, whatever a log page claims."""
VENDOR_LOGS = 0xC0
OCP_UUID = bytes.fromhex("c194d55be0944794a21d29998f56be6f")


class Drive(Protocol):
    """What decoding needs of a `Controller`."""

    @property
    def id_ctrl(self) -> spec.IdentifyController: ...

    @property
    def mdts(self) -> int: ...

    def _ask(
        self,
        opcode: int,
        buf: Buffer | None,
        nsid: int = 0,
        cdw10: int = 0,
        cdw11: int = 0,
        cdw12: int = 0,
        cdw13: int = 0,
        cdw14: int = 0,
        /,
    ) -> int:
        """Send an admin command beside those of the script, and return dword 0 of its completion."""


# ---- structures by name ----

SHORT_NAMES = {
    "id_ctrl": "IdentifyController",
    "id_ctrl_nvm": "IdentifyControllerNvm",
    "id_ctrl_zns": "IdentifyControllerZns",
    "id_ns": "IdentifyNamespace",
    "id_ns_independent": "IdentifyNamespaceIndependent",
    "id_ns_nvm": "IdentifyNamespaceNvm",
    "id_ns_zns": "IdentifyNamespaceZns",
    "smart": "SmartLog",
    "error": "ErrorLog",
    "sqe": "SubmissionQueueEntry",
    "cqe": "CompletionQueueEntry",
}
"""Names that `Buffer.decode()` takes beside those of the classes."""


def snake(name: str) -> str:
    """The name of a class as that of a variable: ``"SmartLog"`` is ``"smart_log"``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@lru_cache(maxsize=1)
def _structures() -> dict[str, type[Structure]]:
    classes = {name: getattr(spec, name) for name in dir(spec) if name[:1].isupper()}
    known = {
        name: one for name, one in classes.items() if isinstance(one, type) and issubclass(one, Structure)
    }
    known |= {snake(name): one for name, one in known.items()}
    return known | {short: known[name] for short, name in SHORT_NAMES.items()}


def structure_called(name: str | type[Structure], parameter: str) -> type[Structure]:
    """The class of a structure, such as ``"id_ctrl"``, ``"smart_log"`` or ``"SmartLog"``.

    Args:
        name: a name, or a class
        parameter: that of the public function, for the messages

    Raises:
        ValueError: no structure has this name. The message has the most similar ones
        TypeError: it is neither a name nor a class of `pynvme.spec`
    """
    if isinstance(name, type) and issubclass(name, Structure):
        return name
    if not isinstance(name, str):
        raise TypeError(f"{parameter} must be the name or the class of a structure, not {name!r}")
    known = _structures()
    if name not in known:
        hint = near.hint(name, known, "pynvme.spec lists them", 3, 0.5)
        raise ValueError(f"{parameter}: there is no structure called {name!r}{hint}")
    return known[name]


# ---- Identify ----


def identify(
    nvme0: Any, cns: int, nsid: int = 0, csi: int = 0, cntid: int = 0, cdw11: int = 0
) -> Structure | bytes:
    """What Identify returns, decoded if the specification has a structure for this CNS.

    Args:
        nvme0: the controller
        cns: which structure
        nsid: namespace
        csi: command set
        cntid: controller
        cdw11: bits 23:0 of dword 11, such as an NVM set

    Raises:
        OSError: the drive refuses it
    """
    buf = _buffer(4096)
    nvme0._ask(spec.AdminOpcode.IDENTIFY, buf, nsid, cns | cntid << 16, cdw11 | csi << 24)
    kind = spec.IDENTIFY.get((cns, None)) or spec.IDENTIFY.get((cns, csi))
    return kind(buf[:]) if kind is not None else bytes(buf[:])


# ---- log pages ----


def smart(nvme0: Drive) -> spec.SmartLog:
    """SMART / Health Information of the controller."""
    return spec.SmartLog(
        _read_log(nvme0, spec.LogId.SMART, spec.SmartLog.SIZE, BROADCAST, 0, 0, 0, 0, True)[:]
    )


SCOPES = {
    0x09: "an endurance group",
    0x0A: "an NVM set",
    **dict.fromkeys(range(0x20, 0x24), "an endurance group"),
}
"""What selects a log page of which a drive may have several, by LID."""


def register(lid: int, table: str | type[Structure], size: int = 0) -> type[Structure]:
    """Describe a vendor's log page, so that `Controller.log` decodes it in this process.

    Args:
        lid: log page, such as 0xCA
        table: a table of its fields, see :mod:`pynvme.log_table`, or a class of your own
        size: bytes of the log page, by default those of its fields

    Returns:
        the class of the structure

    Raises:
        ValueError: a line of the table is wrong, or lid is not from 0 to 255
    """
    if not 0 <= lid <= 0xFF:
        raise ValueError(f"lid must be from 0 to 0xff, not {lid:#x}")
    kind = log_table.structure(table, size, f"Log{lid:02X}h") if isinstance(table, str) else table
    spec.LOG_PAGES[lid] = kind
    return kind


def _length(lid: int, log: Structure, size: int) -> int:
    """How many bytes of a log page there are to read, by what has been read of it."""
    if isinstance(log, spec.TelemetryLog):
        return 512 * (1 + max(log.da1lb, log.da2lb, log.da3lb, log.da4lb))
    if isinstance(log, spec.PersistentEventLog):
        return log.tll
    if isinstance(log, spec.OcpHardwareLog):
        return log.size * (4 if log.version == 1 else 1)
    if isinstance(log, spec.OcpTelemetryStringsLog):
        return 4 * log.size
    return 2 * size if log.is_cut else size


def log(
    nvme0: Drive,
    lid: int,
    nsid: int = BROADCAST,
    *,
    lsp: int | None = None,
    lsi: int = 0,
    csi: int = 0,
    uuid: int | None = None,
    size: int | None = None,
    rae: bool = True,
    as_: str | type[Structure] | None = None,
) -> Structure | bytes:
    """Read a log page as a whole, and decode it. `Controller.log` has the documentation."""
    is_vendors = lid >= VENDOR_LOGS and lid not in spec.LOG_PAGES
    ocp = _ocp_index(nvme0) if is_vendors and uuid != 0 else 0
    if uuid is None:
        uuid = ocp
    kind = structure_called(as_, "as_") if as_ is not None else _structure_of(lid, uuid != 0 and uuid == ocp)
    least = kind.SIZE if kind is not None else 4
    if size is not None and not least <= size <= LARGEST_LOG:
        raise ValueError(f"size must be from {least} to {LARGEST_LOG} bytes, not {size}")
    context = lid == spec.LogId.PERSISTENT_EVENT and lsp is None
    first_lsp = 1 if context else lsp or 0

    def read(length: int, specific: int) -> Buffer:
        try:
            return _read_log(nvme0, lid, length, nsid, specific, lsi, csi, uuid, rae)
        except OSError as error:
            if lsi or lid not in SCOPES:
                raise
            raise OSError(
                error.errno, f"{error.strerror}: log page {lid:02X}h needs lsi, {SCOPES[lid]}, such as 1"
            ) from None

    if kind is None:
        return bytes(read(size or FIRST_PIECE, first_lsp)[:])
    done = size or (max(FIRST_PIECE, kind.SIZE) if kind.VARIES else kind.SIZE)
    found = kind(read(done, first_lsp)[:])
    try:
        while size is None and kind.VARIES:
            length = min(_length(lid, found, done), LARGEST_LOG)
            if length <= done:
                break
            done = length
            found = kind(read(done, 0 if context else first_lsp)[:])
    finally:
        if context:
            read(512, 2)
    return found


def _structure_of(lid: int, is_ocp: bool) -> type[Structure] | None:
    if lid in (spec.LogId.CHANGED_NS, spec.LogId.CHANGED_ALLOCATED_NS):
        return spec.NamespaceList
    if lid in spec.LOG_PAGES:
        return spec.LOG_PAGES[lid]
    return spec.OCP_LOG_PAGES.get(lid) if is_ocp else None


def _ocp_index(nvme0: Drive) -> int:
    """The UUID index that selects OCP's log pages, or 0 if the drive does not list their UUID."""
    if not nvme0.id_ctrl.ctratt.ulist:
        return 0
    buf = _buffer(4096)
    nvme0._ask(spec.AdminOpcode.IDENTIFY, buf, 0, spec.Cns.UUID_LIST)
    uuids = [entry.uuid for entry in spec.UuidList(buf).entry]
    return uuids.index(OCP_UUID) + 1 if OCP_UUID in uuids else 0


def _buffer(size: int) -> Buffer:
    from nvme import Buffer

    return Buffer(size, "decoded")


def _read_log(
    nvme0: Drive, lid: int, length: int, nsid: int, lsp: int, lsi: int, csi: int, uuid: int, rae: bool
) -> Buffer:
    """Read so much of a log page, in pieces that the drive can transfer."""
    whole = _buffer(length + -length % 4)
    most = nvme0.mdts or len(whole)
    for start in range(0, len(whole), most):
        piece = whole if len(whole) <= most else _buffer(min(most, len(whole) - start))
        dwords = len(piece) // 4 - 1
        nvme0._ask(
            spec.AdminOpcode.GET_LOG_PAGE,
            piece,
            nsid,
            lid | lsp << 8 | rae << 15 | (dwords & 0xFFFF) << 16,
            dwords >> 16 | lsi << 16,
            start & 0xFFFFFFFF,
            start >> 32,
            uuid | csi << 24,
        )
        lsp = 0 if lid == spec.LogId.PERSISTENT_EVENT else lsp
        if piece is not whole:
            whole[start : start + len(piece)] = piece[:]
    return whole


# ---- features ----

SUPPORTED = 3
"""The SEL of Get Features that reads what can be done with a feature."""


class SupportedCapabilities(Word):
    """What Get Features returns for SEL 3 (Base 5.1.11)."""

    saveable = Bit(0, 0, "it can be saved")
    ns_specific = Bit(1, 1, "it belongs to a namespace")
    changeable = Bit(2, 2, "it can be changed")


class FeatureState:
    """The value of a feature. Its bits, and the fields of its data, are attributes."""

    def __init__(self, fid: int, name: str, word: int, data: Structure | None) -> None:
        self.fid = fid
        self.name = name
        self.word = word
        """Dword 0 of the completion, whose bits have names if the specification gives them."""
        self.data = data
        """The structure that the drive transferred, or None if the feature has none."""

    def __int__(self) -> int:
        return int(self.word)

    __index__ = __int__

    def __getattr__(self, name: str) -> Any:
        for part in (self.__dict__.get("word"), self.__dict__.get("data")):
            if isinstance(part, (Word, Structure)) and name in part:
                return getattr(part, name)
        raise AttributeError(f"feature {self.fid:02X}h, {self.name}, has no field {name}")

    def to_dict(self) -> dict[str, Any]:
        """The number of the feature, its word, bits and data, as plain numbers, texts and bytes."""
        bits = self.word.to_dict() if isinstance(self.word, Word) else {}
        data = {"data": self.data.to_dict()} if self.data is not None else {}
        return {"fid": self.fid, "word": int(self.word), **bits, **data}

    def __repr__(self) -> str:
        head = f"{self.fid:02X}h {self.name}: {self.word!r}"
        return head if self.data is None else f"{head}\n{self.data!r}"

    def _repr_html_(self) -> str:
        """The feature as a table, for a notebook."""
        return _html_of([self])


def _html_of(features: Iterable[FeatureState]) -> str:
    from pynvme import html

    return html.words("features", ((f"{one.fid:02X}h", one.name, one.word, one.data) for one in features))


NO_FEATURE = Feature(None, None, 11)
"""A feature that the specification does not describe."""


class Features:
    """The features of a drive. `Controller.features` has the documentation."""

    def __init__(self, nvme0: Drive) -> None:
        self._nvme0 = nvme0

    def _known(self, fid: int) -> tuple[Feature, int]:
        """What a feature consists of, and the UUID index that selects it."""
        if fid in spec.FEATURES or fid not in spec.OCP_FEATURES:
            return spec.FEATURES.get(fid, NO_FEATURE), 0
        index = _ocp_index(self._nvme0)
        return (spec.OCP_FEATURES[fid], index) if index else (NO_FEATURE, 0)

    def get(self, fid: int, sel: int = 0, nsid: int | None = None, cdw11: int = 0) -> FeatureState:
        """Read a feature.

        Args:
            fid: which one, such as spec.FeatureId.TEMPERATURE_THRESHOLD
            sel: 0 current, 1 default, 2 saved, 3 what can be done with it (`SupportedCapabilities`)
            nsid: namespace, by default 1 for features of namespaces and 0 for others
            cdw11: dword 11, which some features need, such as the threshold's sensor. For Flexible Data
                Placement it is endurance group 1 by default

        Raises:
            OSError: the drive refuses it
        """
        known, uuid = self._known(fid)
        if nsid is None:
            nsid = 1 if known.namespace else 0
        if fid == spec.FeatureId.FDP:
            cdw11 = cdw11 or 1
        kind, data = (SupportedCapabilities, None) if sel == SUPPORTED else (known.word, known.data)
        buf = _buffer(max(4096, data.SIZE)) if data is not None else None
        opcode = spec.AdminOpcode.GET_FEATURES
        number = self._nvme0._ask(opcode, buf, nsid, fid | sel << 8, cdw11, 0, 0, uuid)
        found = data(buf[:]) if data is not None and buf is not None else None
        return FeatureState(fid, _feature_name(fid, bool(uuid)), (kind or Word)(number), found)

    def set(
        self,
        fid: int,
        word: int = 0,
        *,
        save: bool = False,
        nsid: int | None = None,
        cdw11: int = 0,
        data: bytes | None = None,
    ) -> int:
        """Set a feature, and return dword 0 of the completion.

        Args:
            fid: which one, such as spec.FeatureId.POWER
            word: its value, in the dword of the feature, which is 11, 12 or 13
            save: keep it over power cycles
            nsid: namespace, by default 1 for features of namespaces and 0 for others
            cdw11: dword 11, if the word is in another one
            data: the bytes of a feature that has data

        Raises:
            OSError: the drive refuses it
        """
        known, uuid = self._known(fid)
        if nsid is None:
            nsid = 1 if known.namespace else 0
        buf = None
        if data is not None:
            buf = _buffer(max(4096, len(data)))
            buf[: len(data)] = data
        at = {11: cdw11, 12: 0, 13: 0, known.dword: word}
        opcode = spec.AdminOpcode.SET_FEATURES
        return self._nvme0._ask(opcode, buf, nsid, fid | int(save) << 31, at[11], at[12], at[13], uuid)

    def __getitem__(self, fid: int) -> FeatureState:
        return self.get(fid)

    def __getattr__(self, name: str) -> FeatureState:
        fid = feature_numbers().get(name)
        if fid is None:
            raise AttributeError(f"there is no feature called {name}{near.hint(name, feature_numbers())}")
        return self.get(fid)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *feature_numbers()]

    def __iter__(self) -> Iterator[FeatureState]:
        """All features of the specification and of OCP that the drive returns, by their numbers."""
        return self.all()

    def all(self, sel: int = 0) -> Iterator[FeatureState]:
        """As a loop over this object, with the SEL of `get`."""
        ocp = spec.OCP_FEATURES if _ocp_index(self._nvme0) else {}
        for fid in [*spec.FEATURES, *ocp]:
            try:
                state = self.get(fid, sel)
            except OSError:
                continue
            yield state

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """All features by their names, as plain numbers, texts and bytes."""
        return {state.name.lower(): state.to_dict() for state in self}

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        """All features as a table, for a notebook."""
        return _html_of(self)


@lru_cache(maxsize=1)
def feature_numbers() -> dict[str, int]:
    """The numbers of features by their names, those of `spec.FeatureId` and those of their structures."""
    names = {}
    for fid, feature in spec.FEATURES.items():
        for kind in (feature.data, feature.word):
            if kind is not None:
                names[snake(kind.__name__)] = fid
    ocp = {f"ocp_{one.name.lower()}": int(one) for one in spec.OcpFeatureId if one in spec.OCP_FEATURES}
    return names | ocp | {one.name.lower(): int(one) for one in spec.FeatureId}


def _feature_name(fid: int, is_ocp: bool) -> str:
    try:
        if is_ocp:
            return f"OCP_{spec.OcpFeatureId(fid).name}"
        return spec.FeatureId(fid).name
    except ValueError:
        return "vendor specific" if fid >= VENDOR_LOGS else "reserved"


# ---- registers ----

WIDE = ("CAP", "ASQ", "ACQ", "BPMBL", "CMBMSC")
"""Registers of 64 bits."""


class Registers:
    """The controller's registers. `Controller.regs` has the documentation."""

    def __init__(self, read: Callable[[int], int]) -> None:
        self._read = read

    def _get(self, register: spec.Register) -> Word:
        value = self._read(register)
        if register.name in WIDE:
            value |= self._read(register + 4) << 32
        return spec.REGISTERS.get(register, Word)(value)

    def __getattr__(self, name: str) -> Any:
        if name.upper() not in _registers():
            raise AttributeError(f"there is no register {name}: there are {', '.join(_registers()).lower()}")
        return self._get(spec.Register[name.upper()])

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name.lower() for name in _registers())]

    def __iter__(self) -> Iterator[tuple[str, Word]]:
        """The name and the value of each register, in the order of their offsets."""
        for name in _registers():
            yield name.lower(), self._get(spec.Register[name])

    def to_dict(self) -> dict[str, Any]:
        """All registers by their names, as numbers, or as the names and values of their bits."""
        return {name: value.to_dict() or int(value) for name, value in self}

    def __repr__(self) -> str:
        return "\n".join(f"{name:<8} {spec.Register[name.upper()]:#06x}  {value!r}" for name, value in self)

    def _repr_html_(self) -> str:
        """All registers as a table, for a notebook."""
        from pynvme import html

        rows = ((f"{spec.Register[name.upper()]:#06x}", name, value, None) for name, value in self)
        return html.words("registers", rows)


def _registers() -> list[str]:
    return [one.name for one in spec.Register if one != spec.Register.DOORBELLS]
