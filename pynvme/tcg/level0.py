# SPDX-License-Identifier: BSD-3-Clause
"""Level 0 Discovery (Core 3.3.6, Opal 3.1.1): what a drive can do, without a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Union

__all__ = ["Feature", "Level0"]

_HEADER = 48

Number = Union[int, bool]
_Fields = Callable[[bytes], "dict[str, Number]"]


@dataclass(frozen=True)
class Feature:
    """A feature descriptor. ``fields`` has its values by name, and is empty for unknown features."""

    code: int
    version: int
    name: str
    data: bytes
    fields: dict[str, Number]

    def __getattr__(self, name: str) -> Number:
        fields = self.__dict__.get("fields", {})
        if name not in fields:
            raise AttributeError(f"the feature has no field {name}: it has {', '.join(fields) or 'none'}")
        found: Number = fields[name]
        return found


def _be(data: bytes, offset: int, size: int) -> int:
    return int.from_bytes(data[offset : offset + size], "big")


def _flags(names: str) -> _Fields:
    """Bits of byte 0, from bit 0 on; a blank name is a reserved bit."""
    listed = names.split(",")
    return lambda data: {name: bool(_be(data, 0, 1) >> bit & 1) for bit, name in enumerate(listed) if name}


def _geometry(data: bytes) -> dict[str, Number]:
    return {
        "align": bool(_be(data, 0, 1) & 1),
        "logical_block_size": _be(data, 8, 4),
        "alignment_granularity": _be(data, 12, 8),
        "lowest_aligned_lba": _be(data, 20, 8),
    }


def _datastore(data: bytes) -> dict[str, Number]:
    return {"max_tables": _be(data, 2, 2), "max_size": _be(data, 4, 4), "alignment": _be(data, 8, 4)}


def _single_user(data: bytes) -> dict[str, Number]:
    return {
        "locking_objects": _be(data, 0, 4),
        "any": bool(_be(data, 4, 1) & 1),
        "all": bool(_be(data, 4, 1) & 2),
        "policy": bool(_be(data, 4, 1) & 4),
    }


def _opal_1(data: bytes) -> dict[str, Number]:
    return {
        "base_comid": _be(data, 0, 2),
        "comids": _be(data, 2, 2),
        "range_crossing": bool(_be(data, 4, 1) & 1),
    }


def _opal_2(data: bytes) -> dict[str, Number]:
    return {
        **_opal_1(data),
        "admins": _be(data, 5, 2),
        "users": _be(data, 7, 2),
        "initial_pin": _be(data, 9, 1),
        "reverted_pin": _be(data, 10, 1),
    }


def _pyrite(data: bytes) -> dict[str, Number]:
    return {
        "base_comid": _be(data, 0, 2),
        "comids": _be(data, 2, 2),
        "initial_pin": _be(data, 9, 1),
        "reverted_pin": _be(data, 10, 1),
    }


def _block_sid(data: bytes) -> dict[str, Number]:
    return {
        **_flags("sid_value,sid_blocked,freeze_supported,frozen")(data),
        "hardware_reset": bool(_be(data, 1, 1) & 1),
    }


def _removal(data: bytes) -> dict[str, Number]:
    mechanisms = _be(data, 2, 1)
    return {
        "processing": bool(_be(data, 1, 1) & 1),
        "interrupted": bool(_be(data, 1, 1) & 2),
        "overwrite": bool(mechanisms & 1),
        "block_erase": bool(mechanisms & 2),
        "crypto_erase": bool(mechanisms & 4),
        "unmap": bool(mechanisms & 8),
        "vendor": bool(mechanisms & 0x20),
    }


_KNOWN: dict[int, tuple[str, _Fields]] = {
    0x0001: ("TPer", _flags("sync,async_,ack_nak,buffer_management,streaming,,comid_management")),
    0x0002: (
        "Locking",
        _flags("supported,enabled,locked,media_encryption,mbr_enabled,mbr_done,mbr_absent,hw_reset"),
    ),
    0x0003: ("Geometry", _geometry),
    0x0201: ("Single User Mode", _single_user),
    0x0202: ("DataStore", _datastore),
    0x0100: ("Enterprise", _opal_1),
    0x0200: ("Opal 1", _opal_1),
    0x0203: ("Opal 2", _opal_2),
    0x0301: ("Opalite", _pyrite),
    0x0302: ("Pyrite 1", _pyrite),
    0x0303: ("Pyrite 2", _pyrite),
    0x0304: ("Ruby", _opal_2),
    0x0402: ("Block SID", _block_sid),
    0x0404: ("Data Removal", _removal),
}

_SSCS = (0x0203, 0x0200, 0x0304, 0x0303, 0x0302, 0x0301, 0x0100)


@dataclass(frozen=True)
class Level0:
    """The features of a drive, by their codes."""

    revision: int
    features: dict[int, Feature]

    @classmethod
    def decode(cls, data: bytes) -> Level0:
        """Decode the data of Level 0 Discovery. Raises ValueError if they are cut short or malformed."""
        data = bytes(data)
        if len(data) < _HEADER:
            raise ValueError(f"Level 0 Discovery has at least {_HEADER} bytes, not {len(data)}")
        end = _be(data, 0, 4) + 4
        if not _HEADER <= end <= len(data):
            raise ValueError(f"Level 0 Discovery says that it has {end} bytes, and there are {len(data)}")
        features: dict[int, Feature] = {}
        at = _HEADER
        while at < end:
            length = _be(data, at + 3, 1)
            if at + 4 + length > end:
                raise ValueError(
                    f"the feature descriptor at byte {at} of Level 0 Discovery reaches past its end"
                )
            feature = _feature(data[at : at + 4 + length])
            features[feature.code] = feature
            at += 4 + length
        return cls(_be(data, 4, 4), features)

    def __contains__(self, code: object) -> bool:
        return code in self.features

    def __getitem__(self, code: int) -> Feature:
        return self.features[code]

    @property
    def locking(self) -> Feature:
        """The feature Locking (0002h). KeyError if the drive does not have it."""
        return self.features[0x0002]

    @property
    def ssc(self) -> Feature | None:
        """The feature of the drive's SSC, such as Opal 2, or None."""
        return next((self.features[code] for code in _SSCS if code in self.features), None)

    @property
    def comid(self) -> int:
        """The base ComID of the SSC. LookupError if the drive has none."""
        if self.ssc is None:
            raise LookupError("the drive has no SSC that pynvme knows, such as Opal or Pyrite")
        return int(self.ssc.base_comid)

    def __str__(self) -> str:
        lines = []
        for code, feature in sorted(self.features.items()):
            fields = ", ".join(f"{name}={value:d}" for name, value in feature.fields.items())
            lines.append(f"{code:04X}h {feature.name}: {fields or feature.data.hex()}")
        return "\n".join(lines)


def _feature(data: bytes) -> Feature:
    code = _be(data, 0, 2)
    name, fields = _KNOWN.get(code, (f"feature {code:04X}h", lambda data: {}))
    return Feature(code, data[2] >> 4, name, data[4:], fields(data[4:]))
