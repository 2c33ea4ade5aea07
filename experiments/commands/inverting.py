"""`invert FILE`: a matrix of your own, inverted on simulated boards.

The Laplacian of a small social network, which a passive board can hold as it is:
`python -m experiments invert examples/karate_laplacian.mtx`.
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

    def invert(
        file: Annotated[
            tyro.conf.Positional[Path],
            tyro.conf.arg(help="a square real matrix in Matrix Market form"),
        ],
        circuit: Annotated[
            str,
            tyro.conf.arg(
                help="rlc, capacitive, resistive (all passive) or op-amp; auto is rlc "
                "where it can hold the matrix, else op-amp"
            ),
        ] = "auto",
        tolerance: Annotated[
            float, tyro.conf.arg(help="relative rms spread of components")
        ] = 0.02,
        bits: Annotated[int, tyro.conf.arg(help="of couplers and to ground")] = 8,
        time: Annotated[
            float,
            tyro.conf.arg(help="read for, us; RC of the largest component is 1 µs"),
        ] = 20_000.0,
        reads: Annotated[int, tyro.conf.arg(help="in this time")] = 50_000,
        boards: Annotated[int, tyro.conf.arg(help="that are simulated")] = 3,
        seed: Annotated[int, tyro.conf.arg(help="root of all random draws")] = 0,
        results: Results = Path("results"),
    ) -> int:
        """Invert a matrix on simulated boards, and say beforehand how far off it is.

        Says what a passive board can hold of the matrix, what was done to make a board
        hold the rest (normal equations, scaling, doubling), the error to expect from
        time, bits and tolerance, and the error found. Tolerance and bits of the real
        boards are not known: those here are ASSUMED. Matrices to try are in
        `examples`; each says in its first lines where it is from.
        """
        from experiments.data.matrices import read_matrix  # jax, and only now
        from experiments.thermodynamic import board_inverse, board_inverse_figure

        setup = board_inverse.Setup(
            circuit=circuit, tolerance=tolerance, bits=bits, time=time, reads=reads,
            boards=boards, seed=seed,
        )  # fmt: skip
        matrix = read_matrix(file)
        _held(console, matrix)
        found = board_inverse.inverted(matrix.values, setup)
        for line in lines(found, setup):
            console.print(line, soft_wrap=True)
        stem = store.require_writable(results) / f"inverse_{file.stem}"
        figure = board_inverse_figure.draw(found, setup, file.name)
        say(console, "figure", _saved(figure, stem))
        return 0

    return invert


def _held(console: Console, matrix: Any) -> None:
    from experiments.thermodynamic.matrix_traits import traits

    n = len(matrix.values)
    condition = np.linalg.cond(matrix.values / np.abs(matrix.values).max())
    console.print(
        f"{n} x {n}, {matrix.dialect}, condition number {condition:.3g}"
        + (f": {matrix.title}" if matrix.title else ""),
        soft_wrap=True,
    )
    shown = Table("a passive board holds what is", "this matrix")
    for trait, holds in traits(matrix.values).items():
        shown.add_row(trait, "yes" if holds else "no")
    console.print(shown)


def lines(found: Any, setup: Any) -> list[str]:
    """What is said of an inverse."""
    told = [f"{found.preparation}; {found.cells} cells"]
    chance = f"{found.statistical:.2%} rms by chance in {setup.time:,.6g} µs"
    if np.isfinite(found.floor):
        told.append(
            f"expected: {found.expected:.2%}: {chance}, {found.floor:.2%} by bits and "
            "tolerance, which no time cures, on a middling board"
        )
    else:
        told.append(f"expected: no answer; {chance} on an ideal board")
    if np.isfinite(found.coarse):
        told.append(f"{setup.bits} bits alone: {found.coarse:.2%}")
    else:
        told.append(f"{setup.bits} bits alone make the matrix indefinite: no rest")
    if found.unsettled:
        told.append(
            f"{found.unsettled:.0%} of such boards do not settle: their "
            "components make the matrix indefinite. Expected is said of the others"
        )
    each = ", ".join(
        f"{x:.2%}" if np.isfinite(x) else "does not settle" for x in found.errors
    )
    return [*told, f"found: {each}"]


def _saved(figure: Any, stem: Path) -> list[Path]:
    from experiments.figures import style

    return style.save(figure, stem)
