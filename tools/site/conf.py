# SPDX-License-Identifier: BSD-3-Clause
"""What Sphinx needs to know to make the site (tools/site/__main__.py)."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "build/site/module"))  # nvme.py, made from the stub, before the built module

from pygments.lexers import TextLexer  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

import pynvme  # noqa: E402
from tools.site.interface import plain_text  # noqa: E402

project = "pynvme"
release = pynvme.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
html_title = f"pynvme {release}"
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_css_files = ["site.css"]
html_static_path = ["static"]
templates_path: list[str] = []
myst_heading_anchors = 4
pygments_style = "friendly"
pygments_dark_style = "monokai"
highlight_language = "text"  # what shows a terminal is no Python
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
maximum_signature_line_length = 90


def setup(app: Sphinx) -> None:
    """Mark docstrings, which are plain text for help(). Show fault rules without colours."""
    app.connect("autodoc-process-docstring", plain_text)
    app.add_lexer("faults", TextLexer)
