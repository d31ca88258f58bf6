# SPDX-License-Identifier: BSD-3-Clause
"""Errors and Ctrl-C of the command line."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import click


@contextlib.contextmanager
def as_one_line() -> Iterator[None]:
    """Show an error that a user can cause as one line, with the status 1. Ctrl-C ends with the status 130.

    A second Ctrl-C does not interrupt the clean-up. Other exceptions are faults of pynvme and keep their
    traceback.
    """
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        click.echo("\ninterrupted", err=True)
        sys.exit(130)
    except (click.exceptions.Exit, click.Abort):
        raise
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # click exits silently if the output is closed
        raise click.ClickException(_line(error)) from error
    except (ValueError, RuntimeError, SystemError, MemoryError) as error:
        raise click.ClickException(_line(error)) from error
    except Exception as error:
        if type(error).__module__ != "nvme":
            raise
        raise click.ClickException(_line(error)) from error


def _line(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.filename is None else None
    return " ".join((text or str(error)).split()) or type(error).__name__


@contextlib.contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the process at once, since an imported package can swallow a KeyboardInterrupt."""

    def end(number: int, frame: object) -> NoReturn:
        os.write(2, b"\ninterrupted\n")
        os._exit(130)

    before = signal.getsignal(signal.SIGINT)
    if callable(before):
        signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        if callable(before):
            signal.signal(signal.SIGINT, before)


def load(name: str) -> Any:
    """Import a module that needs the driver. If that fails, report the cause."""
    import importlib

    try:
        with _ended_by_ctrl_c():
            return importlib.import_module(name)
    except ImportError as error:
        from pynvme import loading

        raise click.ClickException(loading.why(error)) from error
