# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme completion`` prints what a shell needs to complete pynvme's commands."""

from __future__ import annotations

import click

PROGRAM = "pynvme"
VARIABLE = "_PYNVME_COMPLETE"


@click.command(epilog='Example: eval "$(pynvme completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion of commands, options and drives for a shell.

    \b
    bash   eval "$(pynvme completion bash)"          in ~/.bashrc
    zsh    eval "$(pynvme completion zsh)"           in ~/.zshrc, after compinit
    fish   pynvme completion fish | source           in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    from pynvme.cli import main

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, PROGRAM, VARIABLE).source())
