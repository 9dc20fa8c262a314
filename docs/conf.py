"""Sphinx configuration. Pages under _generated are written from the code at build time, so they stay true."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402

import aqqua  # noqa: E402

generate.write_all(HERE / "_generated")

project = "aqqua"
copyright = "the aqqua developers, Apache-2.0"
release = version = aqqua.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
copybutton_exclude = ".linenos, .gp"
html_theme = "furo"
html_title = "aqqua"
html_static_path = ["_static"]
html_css_files = ["aqqua.css"]
html_theme_options = {"source_edit_link": "", "top_of_page_buttons": []}
