"""`board FILE`: from voltage traces of a board to its components.

The published two-node board, simulated with other resistors and noise than it has on
paper, is identified and held against the paper by `python -m experiments board
examples/synthetic_two_node_board.csv --nominal examples/two_node_board.toml`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from experiments.commands.configured import Results
from experiments.commands.progress import say
from experiments.results import store


def command(console: Console) -> Callable[..., int]:
    """The command, which prints on a console."""

    def board(
        file: Annotated[
            tyro.conf.Positional[Path],
            tyro.conf.arg(
                help="times, then a voltage for each node; units in a header"
            ),
        ],
        nominal: Annotated[
            Path | None, tyro.conf.arg(help="the board on paper, as TOML")
        ] = None,
        capacitance: Annotated[
            tuple[float, ...],
            tyro.conf.arg(help="of the nodes to ground, nF; without a nominal board"),
        ] = (1.0,),
        readout_noise: Annotated[
            float | None, tyro.conf.arg(help="of the instrument, about, V rms")
        ] = None,
        level: Annotated[float, tyro.conf.arg(help="of confidence")] = 0.95,
        results: Results = Path("results"),
    ) -> int:
        """Identify a board from its voltages, and say what inverse it will give.

        Without a nominal board nodes are taken to be joined by resistors, each with a
        known capacitor to ground; voltages alone fix no absolute impedance. A nominal
        board may be of resistors, capacitors and coils, and says what of it is known:
        `examples/two_node_board.toml` is one. Then errors to expect are said, too, as
        it is set and as it should be set.
        """
        from experiments.data.voltages import read_voltages  # jax, and only now
        from experiments.thermodynamic import board_file, board_fit, board_fit_figure
        from thermo.identify.quantiles import check_level

        check_level(level)
        paper = None if nominal is None else board_file.read_board(nominal)
        record = read_voltages(file)
        _understood(console, record)
        fit = board_fit.fitted(record, paper, capacitance, readout_noise)
        stem = store.require_writable(results) / f"board_{file.stem}"
        _found(console, fit, level)
        figure = board_fit_figure.draw(fit, file.name)
        origin = f"identified from {file.name}"
        text = board_file.board_text(fit.found, level, origin, fit.known)
        store.write_atomically(f"{stem}.toml", text.encode())
        say(console, "board", [Path(f"{stem}.toml")])
        say(console, "figure", _saved(figure, stem))
        return 0

    return board


def _understood(console: Console, record: Any) -> None:
    n, d = record.v.shape
    line = (
        f"{n:,} samples of {d} voltages ({', '.join(record.names)}), one every "
        f"{record.dt:.6g} us; {record.dialect}"
    )
    console.print(line, soft_wrap=True)
    for name, offset in zip(record.names, record.offsets, strict=True):
        if offset:
            console.print(f"{name}: an offset of {offset:.4g} V was taken off")


def _found(console: Console, fit: Any, level: float) -> None:
    found = fit.found
    shown = Table("component", "value", f"{level:.0%} interval", "unit", "from nominal")
    rows = zip(
        found.names,
        found.values,
        found.intervals(level),
        found.units,
        found.log_factors,
        strict=True,
    )
    for name, value, (low, high), unit, off in rows:
        if np.isnan(value):
            shown.add_row(name, "not identified", "", unit, "")
        else:
            against = f"{100 * np.expm1(off):+.1f} %" if fit.on_paper else ""
            shown.add_row(
                name, f"{value:.4g}", f"{low:.4g} to {high:.4g}", unit, against
            )
    console.print(shown)
    for line in _lines(fit, level):
        console.print(line, soft_wrap=True)


def _lines(fit: Any, level: float) -> list[str]:
    found = fit.found
    times = ", ".join(f"{t:.4g}" for t in fit.relaxation_times)
    lines = [f"fitted by {fit.how}; relaxation times {times} us"]
    if not found.converged:
        lines.append("the most likely values were not reached: do not use these")
    if found.unidentified:
        lines.append(
            "the record says nothing of what is not identified: name one known"
        )
    if not fit.on_paper:
        lines.append(
            "values are for capacitors as given by --capacitance (1 nF where none is): "
            "resistors fall and noise grows with them, times do not depend on them"
        )
    else:
        for kind, (value, low, high) in found.tolerances(level).items():
            lines.append(
                f"tolerance of {kind}: {value:.1%} rms ({low:.1%} to {high:.1%})"
            )
    n, dt = len(fit.record.v), fit.record.dt
    if fit.calibration is not None:
        made = fit.calibration
        lines.append(
            f"inverse: off by {made.floor_before:.2%} as it is set, and by "
            f"{made.floor:.2%} set anew ({made.residual:.2%} that no setting cures, "
            f"{made.uncertainty:.2%} from errors of components); "
            f"{made.statistical(dt, n):.2%} more by statistics of {n:,} samples"
        )
    else:
        lines += [fit.refusal] if fit.refusal else []
        lines.append(
            f"inverse: {fit.statistical(n):.2%} by statistics of {n:,} samples"
        )
    return lines


def _saved(figure: Any, stem: Path) -> list[Path]:
    from experiments.figures import style

    return style.save(figure, stem)
