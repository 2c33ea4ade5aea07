"""Docstrings here are Markdown: what Sphinx's own reader does not know, rewritten."""

import re

from sphinx.application import Sphinx

BLOCK = re.compile(r"^( *)\$\$(.*?)\$\$(.*?)$", re.S | re.M)
INLINE = re.compile(r"(?<![\w$`\\])\$([^$]+?)\$(?![\w$])", re.S)
CODE = re.compile(r"(?<![`:\w])`([^`]+)`(?!`)", re.S)


def _block(found: re.Match[str]) -> str:
    indent, tex, after = found.groups()
    lines = "\n".join(f"{indent}   {line.strip()}" for line in tex.strip().splitlines())
    rest = f"\n{indent}{after.strip()}\n" if after.strip() else "\n"
    return f"\n{indent}.. math::\n\n{lines}\n{rest}"


def _joined(text: str) -> str:
    return " ".join(text.split())


def restructured(text: str) -> str:
    r"""A Markdown docstring as reStructuredText.

    Example:
        >>> restructured("the share $a$ of `cells`")
        'the share :math:`a` of ``cells``'
    """
    parts = re.split(r"(^ *>>> .*?(?:\n\s*\n|\Z))", text, flags=re.S | re.M)
    parts[::2] = [_prose(part) for part in parts[::2]]
    return "".join(parts)


def _prose(text: str) -> str:
    text = CODE.sub(lambda m: f"``{_joined(m[1])}``", text)
    text = BLOCK.sub(_block, text)
    return INLINE.sub(lambda m: f":math:`{_joined(m[1])}`", text)


def _rewrite(app, what, name, obj, options, lines: list[str]) -> None:
    lines[:] = restructured("\n".join(lines)).split("\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls; before napoleon, which reads the sections."""
    app.connect("autodoc-process-docstring", _rewrite, priority=400)
    return {"parallel_read_safe": True}
