# SPDX-License-Identifier: BSD-3-Clause
"""The command log at hand in a debugger.

``pytest --pdb`` prints the last commands of each queue below a failure, and its prompt has one more command,
``cmdlog``. Anywhere else, such as in the console of PyCharm or VS Code::

    from pynvme import debugging
    debugging.cmdlog()          # the last commands of each queue of this process
    debugging.cmdlog(50)
"""

from __future__ import annotations

import sys
from typing import Any

import pytest

COUNT = 5


def cmdlog(count: int = COUNT, since: float = 0.0) -> None:
    """Print the last commands of each queue of this process, decoded, the newest first.

    Args:
        count: commands of each queue
        since: leave out queues that were not used since then, in seconds since 1970
    """
    print(text(count, since) or "no queue has sent a command")


def text(count: int = COUNT, since: float = 0.0) -> str:
    """The same as a text, which is empty if there are no commands."""
    if "nvme" not in sys.modules:
        return ""
    from pynvme.report import queues

    return queues.text(queues.snapshot(since, count), count)


class Debugger:
    """The part of the pytest plugin for ``--pdb``, ``breakpoint()`` and ``pytest.set_trace()``."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_exception_interact(self, node: Any, call: pytest.CallInfo[Any]) -> None:
        """Print the last commands before the prompt of --pdb."""
        if not node.config.getoption("usepdb", False) or call.excinfo is None:
            return
        found = text(since=call.start - 60)
        reporter = node.config.pluginmanager.getplugin("terminalreporter")
        if found and reporter is not None:
            reporter.section("last commands of each queue (the prompt's command cmdlog shows more)", "-")
            reporter.write_line(found)

    def pytest_enter_pdb(self, pdb: Any) -> None:
        """Add the command."""
        pdb.do_cmdlog = _command


def _command(words: str) -> None:
    """cmdlog [COUNT]: show the last commands of each queue of this process, 20 if COUNT is not given."""
    try:
        count = int(words or 20)
    except ValueError:
        print(f"*** cmdlog [COUNT]: {words!r} is no number")
        return
    cmdlog(count)
