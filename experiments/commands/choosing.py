"""`choose DEVICE`: which rule to train a device by, and with which numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import tyro
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

        Your own result of `rivals` is taken if there is one, else the table that
        comes with the checkout.
        """
        from experiments.memristor import recipes  # jax, and only now

        rows, origin = _found(results)
        if table is not None:
            recipes.write(table, rows, origin)
            say(console, "recipes", [table])
        chosen = [r for r in rows if (r.device, r.network) == (device, network)]
        if not chosen:
            known = sorted({f"{r.device} with {r.network}" for r in rows})
            raise ValueError(
                f"device = {device!r}, network = {network!r}: there are recipes for "
                f"{', '.join(known)}; run rivals --devices {device} makes more"
            )
        console.print(_table(chosen, origin))
        return 0

    return choose


def _found(results: Path) -> tuple[list[Any], str]:
    from experiments.memristor import recipes

    own = results / "rivals.nc"
    if not own.exists():
        return recipes.read()
    dataset = store.load(own)
    origin = f"`python -m experiments run rivals`, commit {dataset.attrs['commit']}"
    return recipes.recipes(dataset), origin


def _table(chosen: list[Any], origin: str) -> Table:
    from experiments.memristor.contest import NAMES

    shown = Table(
        *("rule", "optimizer, rate", "strength", "threshold", "accuracy, middle half"),
        *("writes per cell and step", "energy", "digital bits", "unbeaten"),
        caption=f"{origin}; `rule` names a function of eapu_jax; a step is "
        "strength x threshold",
    )
    for r in chosen:
        shown.add_row(
            NAMES[r.rule],
            f"{r.optimizer} {r.learning_rate:g}",
            f"{r.strength:g}",
            f"{r.threshold:.3g}",
            f"{100 * r.accuracy:.1f} % ({100 * r.low:.1f} to {100 * r.high:.1f})",
            f"{r.writes:.2g}",
            f"{r.joules:.2g} J",
            f"{r.bits:.0f}",
            "*" if r.unbeaten else "",
        )
    return shown
