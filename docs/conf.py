"""Sphinx configuration of the documentation site: `python3 dev.py docs` builds it."""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

_PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]

project = _PROJECT["name"]
release = version = _PROJECT["version"]
author = copyright = "the channels-token-auth authors"  # noqa: A001 - Sphinx's name

extensions = [
    "myst_parser",
    "sphinx_copybutton",
    "docs.site.documents",
    "docs.site.accessible",
    "docs.site.llms",
    "docs.site.navigation",
    "docs.site.search",
]
smartquotes = False  # a quoted value is there to be copied
exclude_patterns = ["_build", "site"]
source_suffix = {".md": "markdown"}
nitpicky = True

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"footer_icons": [], "top_of_page_buttons": []}

# Copy what a reader types: no prompts, and no output below them.
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True

# `dev.py docs --online`: addresses that exist only on a reader's machine.
linkcheck_ignore = [r"https?://(localhost|127\.0\.0\.1|[\w.-]*example\.com)"]
