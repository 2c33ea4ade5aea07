"""Equations as MathML, which every browser draws itself: no script, no network."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx


def _mathml(tex: str, display: str) -> str:
    return convert(tex.strip(), display=display)


def inline(translator, node: nodes.math) -> None:
    """An equation within a line."""
    translator.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(translator, node: nodes.math_block) -> None:
    """An equation on a line of its own."""
    found = _mathml(node.astext(), "block")
    translator.body.append(f'<div class="math">{found}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True}
