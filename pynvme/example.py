# SPDX-License-Identifier: BSD-3-Clause
"""The command line of a script that tests a drive, such as those in examples/::

    def run(address: str = "vssd", seconds: float = 60) -> None:
        \"\"\"Do it.\"\"\"

    if __name__ == "__main__":
        example.main(run)

The script then takes the address of a drive, ``--seconds``, and an option for each other parameter of run().
Unless the drive is a private virtual SSD, it asks before it overwrites it.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Callable, get_type_hints

import click

from pynvme.address import is_private


def main(run: Callable[..., object], arguments: Sequence[str] | None = None) -> None:
    """Call run() with what the command line tells.

    Args:
        run: a function whose parameters all have defaults, of which the first is ``address``. Its docstring
            is the help
        arguments: by default those of the process
    """
    parameters = dict(inspect.signature(run).parameters)
    types = get_type_hints(run)
    address = parameters.pop("address")
    options: list[click.Parameter] = [click.Argument(["address"], default=address.default, required=False)]
    for name, parameter in parameters.items():
        flag = f"--{name.replace('_', '-')}"
        options.append(click.Option([flag], type=types[name], default=parameter.default, show_default=True))
    options.append(click.Option(["--yes"], is_flag=True, help="Overwrite the drive without asking."))

    def call(yes: bool, **given: Any) -> None:
        if not (yes or is_private(given["address"])):
            click.confirm(f"This overwrites the drive {given['address']}. Go on?", abort=True, err=True)
        run(**given)

    command = click.Command("example", callback=call, params=options, help=inspect.getdoc(run))
    command.main(arguments)
