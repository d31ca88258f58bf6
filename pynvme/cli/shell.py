# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme shell`` opens a drive, and gives a Python prompt."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import click

from pynvme.cli import errors, options

DEPTH = 64
"""Entries of the queue pair, unless the drive allows only fewer."""

BANNER = """\
The drive is {address}: {model}
  d, nvme    the module nvme            nvme0      the controller
  nvme0n1    namespace {nsid:<2}               qpair      a queue pair of {depth} entries
  buf        a buffer of 4096 bytes     spec       structures and numbers of the specification
  nvme0n1.read(qpair, buf, 0).waitdone() reads LBA 0; nvme0.smart shows the SMART log; help(nvme) explains"""


@click.command(epilog="Example: pynvme shell 01:00.0 -c 'print(nvme0.smart.composite_temperature)'")
@options.pciaddr
@click.option("-n", "--nsid", type=click.IntRange(1), default=1, show_default=True, help="The namespace.")
@click.option("-c", "--command", metavar="CODE", help="Run this code, and end.")
@click.option("--plain", is_flag=True, help="Python's own prompt, also if IPython is installed.")
@options.words("[ADDRESS]")
def shell(pciaddr: str | None, nsid: int, command: str | None, plain: bool, words: tuple[str, ...]) -> None:
    """Open a drive, and give a Python prompt.

    The names d, nvme, nvme0, nvme0n1, qpair, buf and spec are ready. The prompt is IPython if that is
    installed. At its end the drive is closed.
    """
    address, _ = options.drive_of(pciaddr, words)
    nvme = errors.load("nvme")
    pcie = nvme.Pcie(address)
    try:
        names = _names(nvme, pcie, nsid)
        if command is not None:
            sys.exit(_run(command, names))
        banner = BANNER.format(
            address=address, model=names["nvme0"].id_ctrl.mn, nsid=nsid, depth=names["depth"]
        )
        _prompt({name: value for name, value in names.items() if name != "depth"}, banner, plain)
    finally:
        pcie.close()


def _run(command: str, names: dict[str, Any]) -> int:
    """Run code of the user, whose exceptions have a traceback. Return the exit code."""
    try:
        exec(compile(command, "<command>", "exec"), names)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def _names(nvme: Any, pcie: Any, nsid: int) -> dict[str, Any]:
    nvme0 = nvme.Controller(pcie)
    depth = min(DEPTH, (nvme0.cap & 0xFFFF) + 1)
    return {
        "__name__": "__main__",
        "d": nvme,
        "nvme": nvme,
        "spec": importlib.import_module("pynvme.spec"),
        "pcie": pcie,
        "nvme0": nvme0,
        "nvme0n1": nvme.Namespace(nvme0, nsid),
        "qpair": nvme.Qpair(nvme0, depth),
        "buf": nvme.Buffer(4096),
        "depth": depth,
    }


def _prompt(names: dict[str, Any], banner: str, plain: bool) -> None:
    if not plain and importlib.util.find_spec("IPython") is not None:
        ipython = importlib.import_module("IPython")
        click.echo(banner)
        config = importlib.import_module("traitlets.config").Config()
        config.TerminalIPythonApp.display_banner = False
        ipython.start_ipython(argv=[], user_ns=names, config=config)
        return
    import code

    with _editing(names):
        code.interact(banner=banner, local=names, exitmsg="")


@contextlib.contextmanager
def _editing(names: dict[str, Any]) -> Iterator[None]:
    """Let the prompt of Python edit lines, recall them, and complete names."""
    try:
        import readline
        import rlcompleter
    except ImportError:
        yield
        return
    readline.set_completer(rlcompleter.Completer(names).complete)
    readline.parse_and_bind("tab: complete")
    try:
        yield
    finally:
        readline.set_completer(None)
