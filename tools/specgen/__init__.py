# SPDX-License-Identifier: BSD-3-Clause
"""Generates the C headers, the table of commands, and `pynvme/spec` from `spec/`.

python -m tools.specgen           write the files that have changed
python -m tools.specgen --check   fail if a file is not up to date, and name it
"""
