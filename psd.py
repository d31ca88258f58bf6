# SPDX-License-Identifier: BSD-3-Clause
"""The names that scripts of the 2.x API import from ``psd``. They are those of pynvme.metamode."""

from pynvme.metamode import CQE, IOCQ, IOSQ, PRP, SQE, PRPList

__all__ = ["CQE", "IOCQ", "IOSQ", "PRP", "SQE", "PRPList"]
