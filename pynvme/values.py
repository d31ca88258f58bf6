# SPDX-License-Identifier: BSD-3-Clause
"""Arguments as the driver accepts them: what fits is returned, anything else raises and is named.

These are the slow ways, for whatever is not an int that fits: the driver itself looks at those first.
"""

from __future__ import annotations

import operator
from typing import Any


def check(good: bool, text: str) -> None:
    """Like assert, but also under python -O."""
    if not good:
        raise AssertionError(text)


def integer(value: Any, name: str) -> int:
    """An int, also from an integral float or an __index__; anything else is a TypeError that names it."""
    if type(value) is int:
        return value
    if isinstance(value, float):
        if not value.is_integer():
            raise TypeError(f"{name} must be an integer, not {value!r}")
        return int(value)
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}") from None


def field(value: Any, bits: int, name: str) -> int:
    """A value for a field of so many bits: asserted, since the drive would be given another one."""
    number = integer(value, name)
    if number < 0 or number >> 64:
        raise AssertionError(f"{name} must be from 0 to 2^{bits} - 1, not {number}")
    if number >> bits:
        raise AssertionError(f"{name} must be from 0 to {(1 << bits) - 1:#x}, not {number:#x}")
    return number


def number(value: Any, name: str) -> float:
    """A float that is neither infinite nor no number, from whatever is a number; asserted."""
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name} must be a number, not {value!r}")
    try:
        found = float(value)
    except TypeError:
        raise TypeError(f"{name} must be a number, not {type(value).__name__}") from None
    except OverflowError:
        raise AssertionError(f"{name} must be a number that is not that large: {value}") from None
    check(found - found == 0, f"{name} must be finite, not {value}")
    return found
