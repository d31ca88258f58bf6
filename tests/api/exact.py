# SPDX-License-Identifier: BSD-3-Clause
"""Tests of exact times, on a machine that may take the CPU away."""

import functools

import pytest

from tests.fix_load import loaded


def in_time(test):
    """Try a test three times. If it fails each time and there was a load, skip it.

    It has the mark ``timing``: `make test` runs it when nothing else runs.
    """

    @functools.wraps(test)
    def tried(*words, **options):
        for _ in range(2):
            try:
                return test(*words, **options)
            except AssertionError:
                pass
        try:
            return test(*words, **options)
        except AssertionError:
            loaded(exact=True)
            raise

    return pytest.mark.timing(tried)
