"""Sample covariances of a board: a column and a line for each node."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.data.formats import DataError
from experiments.data.tables import read_table
from experiments.data.voltages import MOST_NODES, VOLTS

SQUARES = {f"{unit}{two}": v**2 for unit, v in VOLTS.items() for two in ("^2", "²")}
UNEQUAL = 1e-3
"""Of what two mirrored entries may differ by, relative to the variances: rounding."""


@dataclass(frozen=True, kw_only=True)
class Moments:
    """The mean of v v^T over samples; no mean is subtracted.

    Attributes:
        matrix: V^2, `(nodes, nodes)`, symmetric.
        names: of the nodes.
        dialect: how the file was read, for people.
    """

    matrix: np.ndarray
    names: tuple[str, ...]
    dialect: str


def read_covariance(path: str | Path) -> Moments:
    """Read a square of numbers under a header of nodes, with units: "v1 (mV^2)".

    Raises:
        DataError: naming line and column and what was expected of it.
    """
    table = read_table(path)
    for name in table.names:
        if name not in table.numbers:
            raise DataError(f"{path}, column {name!r}: holds words, expected numbers")
        if table.unit(name) not in SQUARES:
            got = repr(table.unit(name)) if table.unit(name) else "none"
            raise DataError(
                f"{path}, line 1, column {name!r}: expected a covariance with its "
                f'unit, one of {", ".join(SQUARES)}, as in "{name} (mV^2)"; got {got}'
            )
    d = len(table.names)
    if len(table.lines) != d or d > MOST_NODES:
        raise DataError(
            f"{path}: has {len(table.lines)} lines of {d} columns, expected as many "
            f"lines as columns, at most {MOST_NODES}"
        )
    columns = [table.numbers[n] * SQUARES[table.unit(n)] for n in table.names]
    matrix = np.stack(columns, -1)
    for i, j in np.argwhere(~np.isfinite(matrix))[:1]:
        raise DataError(
            f"{path}, line {table.lines[i]}, column {table.names[j]!r}: is empty, "
            "expected a number"
        )
    size = np.sqrt(np.abs(np.outer(np.diagonal(matrix), np.diagonal(matrix))))
    for i, j in np.argwhere(np.abs(matrix - matrix.T) > UNEQUAL * size)[:1]:
        raise DataError(
            f"{path}, line {table.lines[i]}, column {table.names[j]!r}: "
            f"{matrix[i, j]:.6g} V^2, and {matrix[j, i]:.6g} V^2 the other way round, "
            "expected a symmetric matrix"
        )
    matrix = (matrix + matrix.T) / 2
    if (least := np.linalg.eigvalsh(matrix)[0]) <= 0:
        raise DataError(
            f"{path}: has an eigenvalue of {least:.3g} V^2, expected a covariance, "
            "whose eigenvalues are positive"
        )
    return Moments(matrix=matrix, names=table.names, dialect=table.dialect)
