# SPDX-License-Identifier: BSD-3-Clause
"""How a test forks."""

from __future__ import annotations

import os
import warnings


def fork() -> int:
    """As ``os.fork()``, without the warning that Python 3.12 and later give where there are threads.

    There are always some: numpy's. The children of tests run little Python, take no lock that a
    thread may have had, and leave by ``os._exit()``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
