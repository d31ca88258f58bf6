# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pynvme`` is the command ``pynvme``."""

from __future__ import annotations

import os
import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # During the imports, Ctrl-C would print a traceback.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

from pynvme.cli import main

if __name__ == "__main__":
    main(prog_name="python -m pynvme")
