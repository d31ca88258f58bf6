# SPDX-License-Identifier: BSD-3-Clause
"""Checks arguments of the driver. It returns a value that fits, and raises an error with its name otherwise.

These are the slow paths. The driver itself handles an int that fits.
"""

from __future__ import annotations

import operator
from typing import Any


def check(good: bool, text: str) -> None:
    """Like assert, but also under python -O."""
    if not good:
        raise AssertionError(text)


def integer(value: Any, name: str) -> int:
    """An int, also from an integral float or an __index__. TypeError, with the name, for anything else."""
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
    """A value for a field of `bits` bits. AssertionError if it does not fit."""
    number = integer(value, name)
    if number < 0 or number >> 64:
        raise AssertionError(f"{name} must be from 0 to 2^{bits} - 1, not {number}")
    if number >> bits:
        raise AssertionError(f"{name} must be from 0 to {(1 << bits) - 1:#x}, not {number:#x}")
    return number


def number(value: Any, name: str) -> float:
    """A finite float, from any kind of number. AssertionError if it is infinite or NaN."""
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
