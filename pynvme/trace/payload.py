# SPDX-License-Identifier: BSD-3-Clause
"""The data of a command as a structure of the specification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynvme import spec
from pynvme.structure import Structure

if TYPE_CHECKING:
    from pynvme.trace.command import Command


def kind_of(command: Command) -> type[Structure] | None:
    """The structure of the data that a command transfers, or None if the specification has none."""
    if command.qid:
        return None
    fields = command.fields
    if command.opcode == spec.AdminOpcode.IDENTIFY:
        return spec.IDENTIFY.get((fields["cns"], fields["csi"])) or spec.IDENTIFY.get((fields["cns"], None))
    if command.opcode == spec.AdminOpcode.GET_LOG_PAGE and not fields["lpo"]:
        return spec.LOG_PAGES.get(fields["lid"])
    if command.opcode in (spec.AdminOpcode.GET_FEATURES, spec.AdminOpcode.SET_FEATURES):
        known = spec.FEATURES.get(fields["fid"])
        return known.data if known is not None else None
    return None


def decode(command: Command) -> Structure | None:
    """The structure, or None if there is none, or less data than it has."""
    kind = kind_of(command)
    if kind is None or command.data is None or len(command.data) < kind.SIZE:
        return None
    return kind(command.data)
