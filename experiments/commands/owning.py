"""`device FILES`: from measurements of a device to a forecast of training on it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table

from experiments.commands.configured import Results
from experiments.commands.progress import Report, Step, display, say
from experiments.results import store

RULES = (
    *("ideal", "eapu", "noisy", "stochastic_rounding", "mixed_precision"),
    *("residual_learning", "multi_tile"),
)
"""What the forecast compares."""
HEADS = ("family", "constants", "behind the best", "a good fit", "devices fitted")


def command(console: Console) -> Callable[..., int]:
    """The command, which prints on a console."""

    def device(
        files: Annotated[
            tyro.conf.Positional[tuple[Path, ...]],
            tyro.conf.arg(help="measurements: CSV, or spreadsheets", metavar="FILE"),
        ],
        name: Annotated[
            str,
            tyro.conf.arg(help="of what is written; of the first file if none"),
        ] = "",
        results: Results = Path("results"),
        chips: Annotated[
            int, tyro.conf.arg(help="drawn for the forecast; 2 of them tune")
        ] = 12,
    ) -> int:
        """Fit a device to its measurements, and forecast training on it.

        Writes NAME.toml, which memristor experiments take (`--device NAME.toml`),
        and NAME.html with the fit, the forecast and the update rule that is advised.
        """
        from experiments.data.traces import read_traces  # heavy, and only now

        if not files:
            raise ValueError("FILE is missing: expected measurements of a device")
        if chips < 4:
            raise ValueError(f"chips = {chips}: must be at least 4")
        stem = name or files[0].stem
        if not stem.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"name = {stem!r}: must be letters, digits, - and _")
        traces, told = read_traces(files)
        folder = store.require_writable(results)
        for line in told:
            console.print(f"understood: {line}", soft_wrap=True)
        return _reported(console, traces, told, folder, stem, chips)

    return device


def _reported(
    console: Console, traces: Any, told: list[str], results: Path, stem: str, chips: int
) -> int:
    """Fit, forecast, and leave device and page behind."""
    import eapu_jax as ej
    from experiments.figures import style
    from experiments.own import figures

    with display(console) as live, live.follow("fit") as report:
        fitted = ej.fit_device(traces, progress=_told(report))
    console.print(_table(fitted))
    kept = results / f"{stem}.toml"
    ej.save_device(kept, fitted, told="eapu_jax.fit_device of " + " | ".join(told))
    say(console, "device", [kept])
    fit = figures.fit_figure(traces, fitted)
    style.save(fit, results / f"{stem}-fit")
    found = forecast(console, kept, results, chips)
    from experiments.memristor.contest.advice import advice
    from experiments.own import chapters

    told_rule = advice(found, "mlp", str(kept))
    page = results / f"{stem}.html"
    text = chapters.document(stem, told, fitted, fit, found, told_rule, traces.places)
    store.write_atomically(page, text.encode())
    console.print(f"recommended: {told_rule.why}", soft_wrap=True)
    say(console, "report", [page])
    return 0


def _told(report: Report) -> Callable[[str, int, int], None]:
    """What `fit_device` calls: a family is fitted."""
    from eapu_jax.fitting import MODELS

    start = time.perf_counter()
    report(Step("families of devices", 0, len(MODELS), 0.0, "families"))

    def progress(family: str, done: int, total: int) -> None:
        rate = done / (time.perf_counter() - start)
        report(Step(family, done, total, rate, "families"))

    return progress


def forecast(console: Console, device: Path, results: Path, chips: int) -> Any:
    """Every rule of `RULES` tuned and judged on chips drawn from a device."""
    from experiments.commands import running
    from experiments.memristor import rivals

    config = rivals.Config(
        devices=(str(device),), networks=("mlp",), rules=RULES, n_chips=chips,
        epochs=10, n_train=1280, adam_rates=(2e-3, 6e-3), sgd_rates=(0.05, 0.15),
        strengths=(0.3, 1.0),
    )  # fmt: skip
    with display(console) as live, live.follow("forecast") as report:
        return running.run("rivals", config, results, report)


def _table(fitted: Any) -> Table:
    from experiments.own.figures import families_in_words

    told = f"threshold of EaPU: {fitted.threshold:.3g} µS"
    shown = Table(*HEADS, caption=told)
    for row in families_in_words(fitted.compare()):
        shown.add_row(*row)
    return shown
