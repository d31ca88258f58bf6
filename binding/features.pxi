# SPDX-License-Identifier: BSD-3-Clause
# Generated from spec/features.py by `python -m tools.specgen`. Change it there.

_NAMESPACE_FEATURES = {0x03, 0x05, 0x1e, 0x7f, 0x82, 0x83, 0x84}
