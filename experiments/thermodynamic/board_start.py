"""Where the search for a board of resistors begins: by moments of its record."""

import numpy as np

from thermo.circuits import RCBoard

WEAKEST = 0.02
"""Of a coupler or a resistor to ground that moments do not see, of the node's own."""


def resistive_start(v: np.ndarray, dt: float, capacitance: np.ndarray) -> RCBoard:
    r"""Nodes with known capacitors, joined by resistors, near what a record says.

    $F = -\ln(M_1 M_0^{-1})/dt$ of the second moments at lags 1 and 0, $G = C F$, and
    $2 K = C (F M_0 + M_0 F^\mathsf T) C$; negative conductances are lifted.

    Args:
        v: V, `(samples, nodes)`.
        dt: us.
        capacitance: of each node to ground, nF, `(nodes,)`.
    """
    rest, later = v[:-1], v[1:]
    own = rest.T @ rest / len(rest)
    step = (later.T @ rest / len(rest)) @ np.linalg.inv(own)
    values, vectors = np.linalg.eig(step)
    # a mode that has decayed within a sample is only known to be fast
    rates = -np.log(np.clip(np.real(values), 0.01, 1 - 1e-6)) / dt
    drift = np.real(vectors * rates @ np.linalg.inv(vectors))
    conductance = capacitance[:, None] * drift
    conductance = (conductance + conductance.T) / 2
    least = WEAKEST * np.abs(np.diagonal(conductance))
    between = np.maximum(-conductance, np.sqrt(np.outer(least, least)))
    np.fill_diagonal(between, 0)
    ground = np.maximum(np.diagonal(conductance) - between.sum(-1), least)
    gained = np.diagonal(drift @ own + own @ drift.T)
    strength = capacitance**2 * gained / 2
    strength = np.maximum(strength, 1e-3 * strength.max())
    return RCBoard(
        ground_capacitance=capacitance,  # type: ignore[arg-type]
        resistance=1 / ground,  # type: ignore[arg-type]
        coupling_conductance=between,  # type: ignore[arg-type]
        noise=strength,  # type: ignore[arg-type]
    )
