"""One HTML page about a device: measurements, fit, forecast; nothing is fetched."""

from collections.abc import Sequence
from html import escape
from importlib import resources

from matplotlib.figure import Figure

from experiments.report.drawing import drawing

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{style}
</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{summary}</p>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def page(title: str, summary: str, parts: Sequence[str]) -> str:
    """A whole document of parts that are HTML already."""
    look = resources.files("experiments.report").joinpath("page.css")
    return _PAGE.format(
        title=escape(title),
        summary=escape(summary),
        style=look.read_text(encoding="utf-8"),
        body="\n".join(parts),
    )


def section(head: str, *parts: str) -> str:
    """A part of the page under a heading."""
    return f"<section>\n<h2>{escape(head)}</h2>\n" + "\n".join(parts) + "\n</section>"


def paragraph(text: str) -> str:
    """Words."""
    return f"<p>{escape(text)}</p>"


def listed(lines: Sequence[str]) -> str:
    """A list of words."""
    items = "\n".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>\n{items}\n</ul>"


def drawn(figure: Figure, caption: str) -> str:
    """A figure and what it says."""
    made = drawing(figure)
    return (
        f'<figure>\n<div class="frame" tabindex="0">\n<img src="{made.url}" '
        f'alt="{escape(made.alt)}" width="{made.width}" height="{made.height}">\n</div>'
        f"\n<figcaption>{escape(caption)}</figcaption>\n</figure>"
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells of words."""
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )
