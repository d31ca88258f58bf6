# SPDX-License-Identifier: BSD-3-Clause
"""What the parts of the pytest plugin share that are active only with an option."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest


def value(config: pytest.Config, option: str) -> Any:
    """The value of an option, or None if it is not given, or if no test will run."""
    return None if config.option.collectonly else config.getoption(option, None) or None


def is_xdist(config: pytest.Config) -> bool:
    """Whether this is a process of pytest-xdist, whose results the process that was started collects."""
    return hasattr(config, "workerinput")


@contextlib.contextmanager
def usable(option: str) -> Iterator[None]:
    """Try out here what a run needs at its end, so that a wrong value does not cost a run of hours."""
    try:
        yield
    except (ImportError, OSError, RuntimeError) as error:
        raise pytest.UsageError(f"{option}: {error}") from None
