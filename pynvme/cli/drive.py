# SPDX-License-Identifier: BSD-3-Clause
"""Opens the drive of a command."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pynvme.cli import errors

if TYPE_CHECKING:
    import nvme


@contextlib.contextmanager
def opened(address: str, initialise: bool = True) -> Iterator[nvme.Controller]:
    """Open a drive, and close it afterwards. The driver's warnings are lines on standard error.

    Without `initialise` the controller stays as it is, for commands that read registers only.
    """
    driver = errors.load("nvme")
    with warnings_as_lines():
        pcie = driver.Pcie(address)
        try:
            yield driver.Controller(pcie) if initialise else driver.Controller(pcie, True)
        finally:
            pcie.close()


@contextlib.contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Show each warning as one line on standard error, and do not count them at the end."""
    from pynvme import failures

    def show(message: Any, *_rest: Any, **_more: Any) -> None:
        click.echo(f"warning: {message}", err=True)

    counted = failures.totals.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        try:
            yield
        finally:
            # Each failure was shown, so that the end of the process need not count them.
            failures.totals.clear()
            failures.totals.update(counted)
