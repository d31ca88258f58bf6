# SPDX-License-Identifier: BSD-3-Clause
"""The pages that people write: README, CHANGELOG and docs/, with links that hold within the site.

docs/index.md is the table of contents. The links below each of its headings become a part of the navigation,
in their order. Sphinx warns of a page to which it has no link.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

ELSEWHERE = {"README.md": "readme.md", "CHANGELOG.md": "changelog.md"}
"""Pages outside of docs/, and their names in the site."""
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)")
FENCE = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def in_site() -> dict[str, str]:
    """Each page, by its path in the repository, with its name in the site."""
    written = sorted(str(path) for path in Path("docs").rglob("*.md"))
    return {**ELSEWHERE, **{path: path.removeprefix("docs/") for path in written}}


def pictures() -> list[Path]:
    """Pictures of the pages."""
    return sorted(path for path in Path("docs").rglob("*") if path.suffix in {".svg", ".png"})


def pages(made: list[str]) -> dict[str, str]:
    """All pages with their text, and with links to the pages that are made as a part of the navigation."""
    names = in_site()
    texts = {name: relinked(Path(path).read_text(), path, names) for path, name in names.items()}
    texts["index.md"] += "\n".join(contents(texts["index.md"], made))
    return texts


def relinked(text: str, path: str, names: dict[str, str]) -> str:
    """The text of a page, with each link to another page by its name in the site. Code stays as it is."""

    def by_name(link: re.Match[str]) -> str:
        if not link["target"] or "://" in link["target"]:
            return link[0]
        target = os.path.normpath(PurePosixPath(path).parent / link["target"])
        if target in names:
            here = PurePosixPath(names[path]).parent
            shown = title(target) if link["text"].endswith(".md") else link["text"]
            return f"[{shown}]({os.path.relpath(names[target], here)}{link['anchor'] or ''})"
        if Path(target).suffix in {".svg", ".png"}:
            return link[0].replace(link["target"], in_pictures(path, target, names))
        return f"`{target}`"

    parts = FENCE.split(text)
    return "".join(part if number % 2 else LINK.sub(by_name, part) for number, part in enumerate(parts))


def title(path: str) -> str:
    """The heading of a page, which a reader of the site sees instead of the name of a file."""
    return Path(path).read_text().partition("\n")[0].removeprefix("# ")


def in_pictures(path: str, target: str, names: dict[str, str]) -> str:
    """A picture of docs/, from a page."""
    return os.path.relpath(target.removeprefix("docs/"), PurePosixPath(names[path]).parent)


def contents(index: str, made: list[str]) -> list[str]:
    """The navigation: a part for each heading of the index, with the pages that it links to."""
    lines: list[str] = []
    listed: set[str] = set()
    for section in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        linked = [link["target"] for link in LINK.finditer(body) if link["target"].endswith(".md")]
        linked += [name for name in made if name.count("/") == 1] if heading == "Reference" else []
        new = [name for name in dict.fromkeys(linked) if name not in listed]
        listed.update(new)
        lines += ["", "```{toctree}", ":hidden:", f":caption: {heading}", "", *new, "```"]
    return lines
