# SPDX-License-Identifier: BSD-3-Clause
"""The seed of tests that draw their input. `make test` sets it, otherwise it differs in each run."""

from __future__ import annotations

import os
import random

SEED = int(os.environ.get("PYNVME_RANDOM_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
