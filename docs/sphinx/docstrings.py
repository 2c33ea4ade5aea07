"""Docstrings here are Markdown: what Sphinx's own reader does not know, rewritten."""

import re

from sphinx.application import Sphinx

BLOCK = re.compile(r"^( *)\$\$(.*?)\$\$(.*?)$", re.S | re.M)
SPAN = re.compile(
    r"(?<![`:\w])`(?P<code>[^`]+)`(?!`)|(?<![\w$`\\])\$(?P<tex>[^$]+?)\$(?![\w$])"
)
DISPLAYED = re.compile(r"(^ *\.\. math::\n\n(?: +.*\n)+)", re.M)


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
    parts = DISPLAYED.split(BLOCK.sub(_block, text))
    parts[::2] = [_spans(part) for part in parts[::2]]
    return "".join(parts)


def _spans(text: str) -> str:
    """Code and equations within lines; what is neither means itself."""
    told, end = "", 0
    for found in SPAN.finditer(text):
        told += _plain(text[end : found.start()]) + _marked(found)
        end = found.end()
    return told + _plain(text[end:])


def _marked(found: re.Match[str]) -> str:
    if found["code"]:
        return f"``{_joined(found['code'])}``"
    return f":math:`{_joined(found['tex'])}`"


def _plain(text: str) -> str:
    return re.sub(r"(?<!\*)([|*])(?!\*)", r"\\\1", text)


def _rewrite(app, what, name, obj, options, lines: list[str]) -> None:
    lines[:] = restructured("\n".join(lines)).split("\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls; before napoleon, which reads the sections."""
    app.connect("autodoc-process-docstring", _rewrite, priority=400)
    return {"parallel_read_safe": True}
