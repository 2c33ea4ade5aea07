"""The page of an experiment, out of its own module: nothing is said twice."""

from pathlib import Path

from docstrings import restructured
from docutils import nodes
from flags import flags
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
                f"   :alt: {module.REPRODUCES}",
                "",
                f"   Drawn by ``python -m experiments run {name}``.",
                "",
            ]
        told += [f".. claims:: {name}", ""]
        told += _listed(module.Config)
        return self.parse_text_to_nodes("\n".join(told))


def _listed(config: type) -> list[str]:
    """Every flag, its default, what it is."""
    lines = [".. rubric:: Flags", ""]
    for flag in flags(config):
        default = f" (default: ``{flag.default}``)" if flag.default else ""
        lines += [f"``{flag.name}``{default}", f"   {restructured(flag.help)}", ""]
    return lines


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_directive("experiment", Experiment)
    return {"parallel_read_safe": True}
