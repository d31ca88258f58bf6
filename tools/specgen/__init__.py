# SPDX-License-Identifier: BSD-3-Clause
"""Writes what is made from `spec/`: the C headers, the table of commands, and `pynvme/spec`.

python -m tools.specgen           write what has changed
python -m tools.specgen --check   name what is not what the specification's data give now, and fail
"""
