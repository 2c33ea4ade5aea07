"""The site: `make docs` builds it, without network."""

import sys
from pathlib import Path

from prng.version import __version__ as version

sys.path.insert(0, str(Path(__file__).parent / "sphinx"))

project = "eapu-jax"
release = version
copyright = "the eapu-jax maintainers, Apache-2.0"
html_title = f"eapu-jax {version}"
html_theme = "furo"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["sphinx/static"]
html_css_files = ["tables.css"]
html_theme_options = {"navigation_with_keys": True}
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "mathml",
    "api_pages",
    "claims_table",
    "docstrings",
    "experiment_pages",
    "gallery",
    "narrow",
]
exclude_patterns = ["sphinx"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
html_math_renderer = "mathml"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"show-inheritance": False}
autodoc_preserve_defaults = True
napoleon_attr_annotations = False
napoleon_use_ivar = True
add_module_names = False
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True
