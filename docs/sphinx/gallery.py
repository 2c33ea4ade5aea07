"""All figures on one page, each drawn by its experiment."""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from experiments import EXPERIMENTS, catalogue

FIGURES = Path(__file__).parents[1] / "figures"


class Gallery(SphinxDirective):
    """`.. gallery::`, with no argument."""

    def run(self) -> list[nodes.Node]:
        """A figure for every experiment that has one, under its link."""
        told = []
        for name in EXPERIMENTS:
            if (FIGURES / f"{name}.png").exists():
                told += [f":doc:`/experiments/{name}`", ""]
                told += [
                    f".. image:: /figures/{name}.png",
                    f"   :alt: {catalogue.about(name)[0]}",
                    "",
                ]
        return self.parse_text_to_nodes("\n".join(told))


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": True}
