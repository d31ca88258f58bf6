# SPDX-License-Identifier: BSD-3-Clause
"""The marks of a test, which are its requirement, its needs and its time."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., None])

MARKERS = (
    "requirement(identity, clause): the clause of the specification that this test judges",
    "needs(*needs): what this test needs of a drive; otherwise it is skipped",
    "takes(seconds): how long this test may repeat itself in a run of the default length",
)


class Need(NamedTuple):
    """Something that a drive may lack. ``text`` names it, with the bit that reports it."""

    text: str
    met: Callable[[Any], bool]
    """Called with the :class:`~pynvme.suite.drive.Drive`."""


def requirement(identity: str, clause: str) -> Callable[[Test], Test]:
    """State what a test judges.

    Args:
        identity: the test's own short name, such as ``DATA-3``; its first word is the area
        clause: specification, section and title, such as ``NVM 1.0, 3.2.4 Read``
    """
    return pytest.mark.requirement(identity, clause)


def needs(*wanted: Need) -> Callable[[Test], Test]:
    """Skip a test on drives that lack one of these."""
    return pytest.mark.needs(*wanted)


def takes(seconds: float) -> Callable[[Test], Test]:
    """Give a test that repeats itself (fixture ``budget``) its seconds in a run of the default length."""
    return pytest.mark.takes(seconds)
