"""`choose DEVICE`: which rule to train a device by, and with which numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from experiments.commands.configured import Results
from experiments.commands.progress import say
from experiments.results import store


def command(console: Console) -> Callable[..., int]:
    """The command, which prints on a console."""

    def choose(
        device: Annotated[
            tyro.conf.Positional[str], tyro.conf.arg(help="of eapu_jax.presets")
        ],
        network: Annotated[str, tyro.conf.arg(help="of rivals: mlp or cnn")] = "mlp",
        results: Results = Path("results"),
        table: Annotated[
            Path | None, tyro.conf.arg(help="write all recipes here, as CSV")
        ] = None,
    ) -> int:
        """Rank the update rules of a device, as `run rivals` tuned and judged them.

        The newest of your own results of `rivals` that has the device is taken, else
        the table that comes with the checkout.
        """
        from experiments.memristor.contest import recipes  # jax, and only now

        rows, origin = _found(results, device, network)
        if table is not None:
            recipes.write(table, rows, origin)
            say(console, "recipes", [table])
        chosen = _of(rows, device, network)
        if not chosen:
            known = sorted({f"{r.device} with {r.network}" for r in rows})
            raise ValueError(
                f"device = {device!r}, network = {network!r}: there are recipes for "
                f"{', '.join(known)}; `run rivals --devices NAME` makes more"
            )
        console.print(_table(chosen, origin))
        return 0

    return choose


def _found(results: Path, device: str, network: str) -> tuple[list[Any], str]:
    from experiments.memristor.contest import recipes

    own = sorted(results.glob("rivals*.nc"), key=lambda path: -path.stat().st_mtime)
    for path in own:
        dataset = store.load(path)
        rows = recipes.recipes(dataset)
        if _of(rows, device, network):
            commit = dataset.attrs["commit"]
            return rows, f"{path.name} of `python -m experiments run rivals`, {commit}"
    return recipes.read()


def _of(rows: list[Any], device: str, network: str) -> list[Any]:
    return [r for r in rows if (r.device, r.network) == (device, network)]


def _table(chosen: list[Any], origin: str) -> Table:
    from experiments.memristor.contest.entrants import NAMES

    shown = Table(
        box=box.SIMPLE,
        padding=(0, 1, 0, 0),
        caption=f"{origin}. Step: the rule's own number (a step, or a rate), in units "
        f"of its usual one; the threshold is {chosen[0].threshold:.3g} of a weight. "
        "Accuracy: median, middle half of the chips. Writes: per cell and step, in "
        "brackets of the most written cell. J: of the training. Bits: digital, per "
        "weight. *: no rule is both more accurate and more sparing of energy",
    )
    shown.add_column("rule", overflow="fold", min_width=15)
    heads = ("optimizer", "step", "accuracy (%)", "writes", "J", "bits")
    for head in heads:
        shown.add_column(head, no_wrap=True)
    for r in chosen:
        shown.add_row(
            NAMES[r.rule] + (" *" if r.unbeaten else ""),
            f"{r.optimizer} {r.learning_rate:g}",
            f"{r.strength:g}",
            f"{100 * r.accuracy:.1f} ({100 * r.low:.0f}-{100 * r.high:.0f})",
            f"{r.writes:.1g} ({r.worst:.1g})",
            f"{r.joules:.1e}",
            f"{r.bits:.0f}",
        )
    return shown
