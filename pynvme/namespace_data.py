# SPDX-License-Identifier: BSD-3-Clause
"""The data of Namespace Management and Namespace Attachment, for commands in band and out of band."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from pynvme import spec
from pynvme.spec.enums import NamespaceManagement
from pynvme.values import check, field

SIZE = 4096
"""Bytes of each of the two."""
MOST_CONTROLLERS = 2047


def creation(
    nsze: int,
    ncap: int | None = None,
    flbas: int = 0,
    dps: int = 0,
    nmic: int = 0,
    anagrpid: int = 0,
    nvmsetid: int = 0,
    endgid: int = 0,
    csi: int = 0,
    *,
    rar: int = 0,
    ror: int = 0,
    rnumzrwa: int | None = None,
    lbstm: int = 0,
    phndls: Sequence[int] = (),
) -> tuple[dict[str, int], bytes]:
    """The fields and the data of the command that creates a namespace, with the parameters of
    Controller.ns_create(). Base 2.1, section 5.1.21.
    """
    data = spec.NamespaceManagementData(bytearray(SIZE))
    data.nsze = field(nsze, 64, "nsze")
    data.ncap = data.nsze if ncap is None else field(ncap, 64, "ncap")
    data.flbas = field(flbas, 8, "flbas")
    data.dps = field(dps, 8, "dps")
    data.nmic = field(nmic, 8, "nmic")
    data.anagrpid = field(anagrpid, 32, "anagrpid")
    data.nvmsetid = field(nvmsetid, 16, "nvmsetid")
    data.endgid = field(endgid, 16, "endgid")
    data.rar = field(rar, 32, "rar")
    data.ror = field(ror, 32, "ror")
    data.znsco = rnumzrwa is not None
    data.rnumzrwa = 0 if rnumzrwa is None else field(rnumzrwa, 32, "rnumzrwa")
    data.lbstm = field(lbstm, 64, "lbstm")
    if not isinstance(phndls, Iterable):
        raise TypeError(f"phndls must be a sequence of integers, not {phndls!r}")
    handles = [field(one, 16, "phndls") for one in phndls]
    check(
        len(handles) <= len(data.phndl),
        f"phndls has {len(handles)} reclaim unit handles, but a namespace has {len(data.phndl)} at most",
    )
    data.nphndls = len(handles)
    for index, handle in enumerate(handles):
        data.phndl[index] = handle
    return {"sel": NamespaceManagement.CREATE, "csi": csi}, bytes(data)


def controller_list(cntlid: int | Sequence[int]) -> bytes:
    """The list of one controller, or of several, in the order given. Base 2.1, section 4.5.3."""
    ids = list(cntlid) if isinstance(cntlid, (list, tuple, range)) else [cntlid]
    check(
        len(ids) <= MOST_CONTROLLERS,
        f"cntlid has {len(ids)} controllers, but a controller list has {MOST_CONTROLLERS} at most",
    )
    words = [len(ids), *(field(one, 16, "cntlid") for one in ids)]
    return struct.pack(f"<{len(words)}H", *words).ljust(SIZE, b"\0")
