"""`board FILE`: from voltages of a board, or covariances, to its components.

The published two-node board, simulated with other resistors and noise than it has on
paper, is identified and held against the paper by `python -m experiments board
examples/synthetic_two_node_board.csv --nominal examples/two_node_board.toml`; by
covariances at two settings by `python -m experiments board
examples/synthetic_two_node_covariance_1.csv
examples/synthetic_two_node_covariance_2.csv --samples 20000 --nominal
examples/two_node_setting_1.toml examples/two_node_setting_2.toml`.
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
        files: Annotated[
            tyro.conf.Positional[tuple[Path, ...]],
            tyro.conf.arg(
                help="times, then a voltage for each node; units in a header. With "
                "--samples: covariances, one of each setting",
                metavar="FILE",
            ),
        ],
        nominal: Annotated[
            tuple[Path, ...],
            tyro.conf.arg(help="the board on paper, as TOML; at each setting"),
        ] = (),
        samples: Annotated[
            tuple[int, ...],
            tyro.conf.arg(help="independent ones behind each covariance"),
        ] = (),
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

        if not files:
            raise ValueError("FILE is missing: expected voltages or covariances")
        check_level(level)
        for file in files:
            board_file.refuse_board(file)
        papers = [board_file.read_board(path) for path in nominal]
        if samples:
            return _settings(console, files, papers, samples, level, results)
        for name, given in (("FILE", files), ("nominal", nominal)):
            if len(given) > 1:
                raise ValueError(
                    f"{name}: {len(given)} files, expected one; several are for "
                    "covariances, whose --samples are told"
                )
        file, paper = files[0], papers[0] if papers else None
        record = read_voltages(file)
        _understood(console, record)
        fit = board_fit.fitted(record, paper, capacitance, readout_noise)
        stem = store.require_writable(results) / f"board_{file.stem}"
        _found(console, fit.found, fit.on_paper, level)
        for line in _lines(fit, level):
            console.print(line, soft_wrap=True)
        figure = board_fit_figure.draw(fit, file.name)
        _kept(console, fit, figure, level, file.name, stem)
        return 0

    return board


def _settings(
    console: Console, files: Any, papers: Any, samples: Any, level: float, results: Path
) -> int:
    """Identify one board by its covariances at one or more settings."""
    from experiments.data.covariances import read_covariance
    from experiments.thermodynamic import board_settings

    moments = [read_covariance(file) for file in files]
    fit = board_settings.fitted(moments, papers, samples)
    for file, one, n in zip(files, moments, fit.n_samples, strict=True):
        line = f"{file.name}: covariance of {', '.join(one.names)}, {n:,} samples; "
        console.print(line + one.dialect, soft_wrap=True)
    stem = store.require_writable(results) / f"board_{files[0].stem}"
    _found(console, fit.found, True, level)
    for line in _doubts(fit.found):
        console.print(line, soft_wrap=True)
    made = fit.calibration
    if made is None:
        console.print(fit.refusal, soft_wrap=True)
    else:
        console.print(_anew(made), soft_wrap=True)
    names = ", ".join(file.name for file in files)
    figure = board_settings.draw(fit, names)
    _kept(console, fit, figure, level, names, stem)
    return 0


def _kept(
    console: Console, fit: Any, figure: Any, level: float, names: str, stem: Path
) -> None:
    """Leave the board and its figure behind."""
    from experiments.thermodynamic import board_file

    text = board_file.board_text(fit.found, level, f"from {names}", fit.known)
    store.write_atomically(f"{stem}.toml", text.encode())
    say(console, "board", [Path(f"{stem}.toml")])
    say(console, "figure", _saved(figure, stem))


def _understood(console: Console, record: Any) -> None:
    n, d = record.v.shape
    line = (
        f"{n:,} samples of {d} voltages ({', '.join(record.names)}), one every "
        f"{record.dt:.6g} µs; {record.dialect}"
    )
    console.print(line, soft_wrap=True)
    for name, offset in zip(record.names, record.offsets, strict=True):
        if offset:
            console.print(f"{name}: an offset of {offset:.4g} V was taken off")


def _found(console: Console, found: Any, on_paper: bool, level: float) -> None:
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
            against = f"{100 * np.expm1(off):+.1f} %" if on_paper else ""
            shown.add_row(
                name, f"{value:.4g}", f"{low:.4g} to {high:.4g}", unit, against
            )
    console.print(shown)


def _doubts(found: Any) -> list[str]:
    """What is wrong with what was found, if anything."""
    lines = []
    if not found.converged:
        lines.append("the most likely values were not reached: do not use these")
    if found.unidentified:
        lines.append(
            "the record says nothing of what is not identified: name one known"
        )
    return lines


def _anew(made: Any) -> str:
    """Errors of the inverse before and after the board is set anew."""
    return (
        f"inverse: off by {made.floor_before:.2%} as it is set, and by "
        f"{made.floor:.2%} set anew ({made.residual:.2%} that no setting cures, "
        f"{made.uncertainty:.2%} from errors of components)"
    )


def _lines(fit: Any, level: float) -> list[str]:
    found = fit.found
    times = ", ".join(f"{t:.4g}" for t in fit.relaxation_times)
    long = len(fit.record.v) * fit.record.dt / max(fit.relaxation_times)
    lines = [
        f"fitted by {fit.how}; relaxation times {times} µs; the record is {long:,.0f} "
        "of the longest"
    ]
    lines += _doubts(found)
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
            f"{_anew(made)}; {made.statistical(dt, n):.2%} more by statistics of "
            f"{n:,} samples"
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
