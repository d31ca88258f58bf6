# SPDX-License-Identifier: BSD-3-Clause
"""The description of a wheel and an sdist, which is README.md without links to files of a checkout."""

from __future__ import annotations

import re

LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")


def of(readme: str) -> str:
    """The text, with links to files of the checkout replaced by their titles."""

    def plain(link: re.Match[str]) -> str:
        return link[0] if re.match(r"https?:", link["target"]) else link["text"]

    return LINK.sub(plain, readme)
