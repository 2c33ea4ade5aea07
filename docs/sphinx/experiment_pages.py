"""The page of an experiment, out of its own module: nothing is said twice."""

from pathlib import Path

from docstrings import restructured
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from experiments import catalogue

ROOT = Path(__file__).parents[2]


class Experiment(SphinxDirective):
    """`.. experiment::` in a page docs/experiments/NAME.md."""

    def run(self) -> list[nodes.Node]:
        """What is published, the command, its fields, the figure."""
        name = Path(self.env.docname).name
        module = catalogue.find(name)
        self.env.note_dependency(str(module.__file__))
        _, presets = catalogue.about(name)
        told = [
            restructured(module.__doc__ or ""),
            "",
            f"**Published:** {module.REPRODUCES}.",
            "",
            "::",
            "",
            f"    python -m experiments run {name}",
            "",
            "Presets: " + ", ".join(f"``{p}``" for p in presets) + ".",
            "",
        ]
        if (ROOT / "docs" / "figures" / f"{name}.png").exists():
            told += [
                f".. figure:: /figures/{name}.png",
                "",
                f"   Drawn by ``python -m experiments run {name}``.",
                "",
            ]
        told += [f".. claims:: {name}", ""]
        told += [
            f".. autoclass:: {module.__name__}.Config",
            "   :members:",
            "   :no-index:",
        ]
        return self.parse_text_to_nodes("\n".join(told))


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_directive("experiment", Experiment)
    return {"parallel_read_safe": True}
