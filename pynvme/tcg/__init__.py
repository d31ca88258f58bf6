# SPDX-License-Identifier: BSD-3-Clause
"""Self-encrypting drives: TCG Storage with the Opal SSC, by Security Send and Security Receive.

:class:`Opal` takes ownership of a drive, sets up locking ranges and users, locks, unlocks and erases::

    from pynvme.tcg import Opal

    opal = Opal(nvme0)
    opal.take_ownership("secret")
    opal.activate("secret")
    opal.set_range(1, start=0, length=1024, pin="secret")
    opal.lock(1, pin="secret")          # reads and writes of these LBAs fail with 02/86
    opal.unlock(1, pin="secret")
    opal.gen_key(1, pin="secret")       # their data are gone
    opal.revert("secret")               # as it left the factory

:func:`discover` decodes Level 0 Discovery. :class:`Tcg` opens sessions and calls any method. :mod:`tokens`
encodes and decodes the streams of tokens. The sections are those of the TCG Storage Architecture Core
Specification 2.01 and of Opal 2.01.
"""

from __future__ import annotations

from pynvme.tcg.level0 import Feature, Level0
from pynvme.tcg.opal import Opal, Range, sedutil_pin
from pynvme.tcg.session import Session, Tcg, TcgError, discover
from pynvme.tcg.tokens import Named, Token, decode, encode

__all__ = [
    "Feature",
    "Level0",
    "Named",
    "Opal",
    "Range",
    "Session",
    "Tcg",
    "TcgError",
    "Token",
    "decode",
    "discover",
    "encode",
    "sedutil_pin",
]
