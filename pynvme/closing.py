# SPDX-License-Identifier: BSD-3-Clause
"""Objects that a ``with`` statement closes."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

_Self = TypeVar("_Self", bound="Closing")


class Closing:
    """Calls :meth:`close` at the end of a ``with`` statement, also after an error."""

    def close(self) -> None:
        """Close the object. A second call does nothing."""
        raise NotImplementedError

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
