# SPDX-License-Identifier: BSD-3-Clause
"""Names that are similar to one that does not exist, for the texts of errors."""

from __future__ import annotations

from collections.abc import Iterable

ALIKE = 0.6
"""How similar a name has to be, from 0 to 1, to be what the user has meant."""


def hint(name: str, known: Iterable[str], otherwise: str = "", most: int = 1, alike: float = ALIKE) -> str:
    """The end of an error's text: ``: did you mean``, and the most similar names.

    Args:
        name: what the user has written
        known: the names that there are
        otherwise: what to say if no name is similar; by default nothing
        most: how many names to tell
        alike: how similar they have to be, from 0 to 1
    """
    from difflib import get_close_matches  # here, since it takes long to load

    return suggestion(get_close_matches(name, list(known), most, alike), otherwise)


def suggestion(names: Iterable[str], otherwise: str = "") -> str:
    """The same for names that were chosen in another way."""
    text = " or ".join(names)
    if text:
        return f": did you mean {text}?"
    return f": {otherwise}" if otherwise else ""
