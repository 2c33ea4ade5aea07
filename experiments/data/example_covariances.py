"""Example covariances of a board at two settings, synthetic and named so.

`main("examples")` writes them anew: the published two-node board, its resistors off by
5 % and the noise of its second node by 10 %, and the same with its coupling resistor
replaced by one of a third.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from experiments.results.store import write_atomically
from thermo import exact
from thermo.circuits import two_node_board

SAMPLES = 20_000
COUPLED = (1.0, 3.0)
"""Coupling conductance at the two settings, by the published one."""
OFF = {"resistance": (1.05, 0.95), "noise": (1.0, 1.1)}
"""What the board is, by what it is on paper."""


def covariances() -> list[np.ndarray]:
    """Means of v v^T over samples of either setting, V^2."""
    rng, found = np.random.default_rng(0), []
    for coupled in COUPLED:
        board = two_node_board()
        off = {name: np.asarray(getattr(board, name)) * k for name, k in OFF.items()}
        apart = np.asarray(board.coupling_conductance) * coupled
        form = replace(board, coupling_conductance=apart, **off).linear()
        law = np.asarray(exact.stationary_covariance(form.drift, form.diffusion), float)
        v = rng.multivariate_normal(np.zeros(2), law, SAMPLES)
        found.append(v.T @ v / SAMPLES)
    return found


def main(folder: str) -> None:
    """Write the two files."""
    for k, matrix in enumerate(covariances(), start=1):
        rows = [",".join(f"{1e6 * x:.6f}" for x in row) for row in matrix]
        told = (
            f"# synthetic: {SAMPLES} independent samples of the published two-node "
            f"board at setting {k}, off as told in\n"
            "# experiments/data/example_covariances.py\n"
        )
        text = told + "\n".join(["v1 (mV^2),v2 (mV^2)", *rows]) + "\n"
        path = Path(folder) / f"synthetic_two_node_covariance_{k}.csv"
        write_atomically(path, text.encode())
