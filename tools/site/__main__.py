# SPDX-License-Identifier: BSD-3-Clause
"""`python -m tools.site` writes the pages to build/site/source, and has Sphinx make HTML of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tools.site import book, interface, options, pages

SITE = Path("build/site")
SOURCE = SITE / "source"


def main(words: list[str]) -> int:
    """Make the site; the words are passed to Sphinx. A warning is an error: return what Sphinx returned."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    made = {**interface.pages(), **book.pages(), **options.pages()}
    for name, text in {**pages.pages(sorted(made)), **made}.items():
        target = SOURCE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    for picture in pages.pictures():
        target = SOURCE / picture.relative_to("docs")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, target)
    interface.write_module(SITE / "module")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-j", "auto", "-c", "tools/site"]
    done = subprocess.run([*command, *words, str(SOURCE), str(SITE / "html")])
    if done.returncode == 0:
        print(f"the documentation is in {SITE / 'html' / 'index.html'}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
