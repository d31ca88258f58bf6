# SPDX-License-Identifier: BSD-3-Clause
"""The names that scripts of the 2.x API import from ``psd``: those of pynvme.metamode, and an SGL."""

from pynvme.metamode import CQE, IOCQ, IOSQ, PRP, SQE, PRPList
from pynvme.sgl import Sgl as SGL

__all__ = ["CQE", "IOCQ", "IOSQ", "PRP", "SGL", "SQE", "PRPList"]
