# SPDX-License-Identifier: BSD-3-Clause
"""The Python side of pynvme: virtual SSDs, the pytest plugin, the command line.

The driver itself is the module ``nvme``; nothing here is needed to use it on a real drive.
"""

__version__ = "0.2.0.dev0"
