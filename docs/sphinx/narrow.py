"""Tables for narrow screens: every cell knows its heading, see `static/tables.css`."""

import html

from docutils import nodes
from sphinx.application import Sphinx

STACKED = 4
"""Columns from which on a row is a stack on a phone; fewer wrap."""


def mark(app: Sphinx, tree: nodes.document) -> None:
    """Give every cell below a heading that heading; name the tables to stack."""
    for table in tree.findall(nodes.table):
        head = next(iter(table.findall(nodes.thead)), None)
        if head is None:
            continue
        labels = [cell.astext() for cell in head.children[-1].children]
        if len(labels) >= STACKED:
            table["classes"].append("stacked")
        for body in table.findall(nodes.tbody):
            for row in body.findall(nodes.row):
                for cell, label in zip(row.children, labels, strict=False):
                    cell["label"] = label  # pyright: ignore[reportIndexIssue]


def visit(translator, node: nodes.entry) -> None:
    """A cell as ever, and its heading."""
    type(translator).visit_entry(translator, node)
    if label := node.get("label"):
        tag, _, rest = translator.body[-1].partition(">")
        translator.body[-1] = f'{tag} data-label="{html.escape(label)}">{rest}'


def depart(translator, node: nodes.entry) -> None:
    """Its end."""
    type(translator).depart_entry(translator, node)


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("doctree-read", mark)
    app.add_node(nodes.entry, override=True, html=(visit, depart))
    return {"parallel_read_safe": True}
