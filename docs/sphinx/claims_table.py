"""What `make reproduce` found, row by row, out of the file that it wrote."""

from collections.abc import Iterable
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from experiments.claims import Claim, read_csv

FILE = Path(__file__).parents[1] / "measured" / "claims.csv"
HEAD = ("claim", "source", "published", "ours (band)", "verdict")


class Claims(SphinxDirective):
    """`.. claims::`, of all experiments or of the one that is named."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A table, or nothing where nothing was judged."""
        self.env.note_dependency(str(FILE))
        found = read_csv(FILE)
        names = self.arguments or list(found)
        rows = [claim for name in names for claim in found.get(name, [])]
        return self.parse_text_to_nodes("\n".join(table(rows))) if rows else []


def table(claims: Iterable[Claim]) -> list[str]:
    """Lines of a table in reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 40 18 12 16 14", ""]
    for cells in (HEAD, *map(_cells, claims)):
        first, *rest = (f"- {_plain(cell)}" for cell in cells)
        lines += [f"   * {first}", *(f"     {cell}" for cell in rest)]
    return [*lines, ""]


def _cells(claim: Claim) -> tuple[str, ...]:
    unit = f" {claim.unit}" if claim.unit else ""
    band = ""
    if claim.low is not None and claim.high is not None:
        band = f" ({claim.low:.4g} to {claim.high:.4g})"
    ours = "" if claim.ours is None else f"{claim.ours:.4g}{band}{unit}"
    published = "" if claim.published is None else f"{claim.published:.4g}{unit}"
    return claim.claim, claim.source, published, ours, claim.verdict


def _plain(text: str) -> str:
    """A text in which nothing is a sign."""
    return "".join(rf"\{c}" if c in "*|_`\\" else c for c in text)


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_directive("claims", Claims)
    return {"parallel_read_safe": True}
