"""Equations as MathML, which every browser draws itself: no script, no network."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

_OPEN = r"\\left(?![a-z])|\\begin\b|[({\[]"
_CLOSE = r"\\right(?![a-z])|\\end\b|[)}\]]"
_RELATION = r"=|\\(?:leftarrow|sim|propto|to|Rightarrow)(?![a-z])"
_TOKEN = re.compile(
    rf"(?P<open>{_OPEN})|(?P<close>{_CLOSE})|(?P<gap>\\q?quad(?![a-z]))"
    rf"|(?P<relation>{_RELATION})|(?P<sum>(?<=[\w}})]) [+-] )|\\[a-zA-Z]+|.",
    re.S,
)
_SHORT = 60  # characters of TeX that fit a phone for sure
_LONG = 90


def pieces(tex: str) -> list[list[str]]:
    r"""Where a line may break: equations apart, and a long one before its relations.

    Nothing within brackets is broken.

    Example:
        >>> pieces(r"a = f(b = 1), \qquad c = 2")
        [['a = f(b = 1),'], ['c = 2']]
    """
    return [_broken(one) for one in _cut(tex, "gap", keep=False)]


def _broken(tex: str) -> list[str]:
    if len(tex) < _SHORT:
        return [tex]
    found = []
    for one in _cut(tex, "relation", keep=True):
        found += _cut(one, "sum", keep=True) if len(one) > _LONG else [one]
    return found


def _cut(tex: str, where: str, keep: bool) -> list[str]:
    """A text cut at a kind of token that stands outside all brackets."""
    parts, depth, begun = [""], 0, False
    for token in _TOKEN.finditer(tex):
        depth += (token["open"] is not None) - (token["close"] is not None)
        if token[where] and not depth and begun:
            parts.append(token[0] if keep else "")
        else:
            parts[-1] += token[0]
        begun = begun or bool(token[0].strip())
    sound = depth == 0
    return [p.strip() for p in parts if p.strip()] if sound else [tex.strip()]


def _mathml(tex: str, display: str) -> str:
    return convert(tex.strip(), display=display)


def inline(translator, node: nodes.math) -> None:
    """An equation within a line."""
    translator.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(translator, node: nodes.math_block) -> None:
    """Equations on lines of their own."""
    found = (
        f"<span>{''.join(_mathml(piece, 'block') for piece in one)}</span>"
        for one in pieces(node.astext())
    )
    translator.body.append(f'<div class="math">{"".join(found)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True}
