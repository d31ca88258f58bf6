# SPDX-License-Identifier: BSD-3-Clause
"""The description of a wheel and an sdist, which is README.md without pictures and links of a checkout."""

from __future__ import annotations

import re

PICTURE = re.compile(r"^\[?!\[[^\]]*\]\([^)\s]+\)(?:\]\([^)\s]+\))?\n+", re.MULTILINE)
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")


def of(readme: str) -> str:
    """The text without pictures, and with the titles of links to files of the checkout in their place."""

    def plain(link: re.Match[str]) -> str:
        return link[0] if re.match(r"https?:", link["target"]) else link["text"]

    return LINK.sub(plain, PICTURE.sub("", readme))
