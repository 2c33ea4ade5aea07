"""`plot NAME`: a stored result is drawn again."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from experiments import catalogue
from experiments.commands import running
from experiments.commands.configured import Results
from experiments.commands.progress import say
from experiments.results import store


def command(console: Console) -> Callable[..., int]:
    """The command, which prints on a console."""

    def plot(
        name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(help="experiment")],
        results: Results = Path("results"),
        file: Annotated[Path | None, tyro.conf.arg(help="another result")] = None,
    ) -> int:
        """Draw a stored result again, without computing."""
        module = catalogue.find(name)
        path = file or running.result_path(results, name, module.Config())
        dataset = store.load(path)
        of = dataset.attrs.get("experiment")
        if of != name:
            raise ValueError(f"{path} is a result of {of or 'none'}, not of {name}")
        say(console, "figure", running.draw(name, dataset, path.with_suffix("")))
        return 0

    return plot
