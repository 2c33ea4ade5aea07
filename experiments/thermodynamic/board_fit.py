"""What a record says of one board, as one thing to print, draw and keep."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.data.voltages import Voltages
from experiments.thermodynamic.board_file import Paper
from experiments.thermodynamic.board_start import resistive_start
from thermo import exact
from thermo.circuits import RCBoard
from thermo.identify import (
    Calibration,
    Identified,
    calibrated,
    identify,
    identify_spectra,
)

MOST_FILTERED = 200_000
"""Samples times the cube of the nodes, for a Kalman filter: seconds."""


@dataclass(frozen=True, kw_only=True)
class BoardFit:
    """A record, the board that it came from, and what that board will do.

    Attributes:
        record: that was read.
        found: components.
        known: what was not sought.
        how: by which likelihood, for people.
        on_paper: whether nominal values were given, and not only a start.
        calibration: settings and errors to expect, against the nominal covariance;
            None without nominal values, or where the record does not tell.
        refusal: why there is no calibration; empty where there is one.
    """

    record: Voltages
    found: Identified
    known: tuple[str, ...]
    how: str
    on_paper: bool
    calibration: Calibration | None
    refusal: str

    @property
    def relaxation_times(self) -> np.ndarray:
        """Of the fitted board, µs, the longest first."""
        drift = np.asarray(self.found.board.linear().drift, float)
        return np.sort(1 / np.linalg.eigvals(drift).real)[::-1]

    @property
    def covariance(self) -> np.ndarray:
        """Of the voltages of the fitted board at rest, V^2."""
        form = self.found.board.linear()
        states = np.asarray(exact.stationary_covariance(form.drift, form.diffusion))
        readout = np.asarray(form.readout, float)
        return readout @ states.astype(float) @ readout.T

    def statistical(self, n_samples: int) -> float:
        """Relative error of a covariance from so many samples of this record."""
        form = self.found.board.linear()
        variance = exact.sampled_variance(
            form.drift,
            form.diffusion,
            dt=self.record.dt,
            n_samples=n_samples,
            readout=form.readout,
        )
        total = np.sqrt(np.asarray(variance, float).sum())
        return float(total / np.linalg.norm(self.covariance))


def fitted(
    record: Voltages,
    paper: Paper | None,
    capacitance: tuple[float, ...],
    readout_noise: float | None,
) -> BoardFit:
    """The most likely board behind a record.

    Args:
        record: of all nodes.
        paper: nominal values; None begins with resistors between nodes, by moments.
        capacitance: of the nodes to ground, nF, known; where there is no paper.
        readout_noise: of the instrument, V; None is none.

    Raises:
        ValueError: naming what does not fit the record.
    """
    nominal = paper or _start(record, capacitance)
    d = record.v.shape[1]
    if nominal.board.n_cells != d:
        raise ValueError(
            f"nominal board has {nominal.board.n_cells} nodes, the record {d} voltages"
        )
    resistive = isinstance(nominal.board, RCBoard)
    exactly = resistive or len(record.v) * d**3 <= MOST_FILTERED
    ask: Any = identify if exactly else identify_spectra
    found = ask(
        nominal.board,
        record.v,
        record.dt,
        known=nominal.known,
        readout_noise=readout_noise,
    )
    filtered = exactly and (readout_noise is not None or not resistive)
    how = "its transition law" if exactly else "the periodogram of its segments"
    how = "a Kalman filter" if filtered else how
    calibration, refusal = _calibration(nominal, found) if paper else (None, "")
    return BoardFit(
        record=record,
        found=found,
        known=nominal.known,
        how=how,
        on_paper=paper is not None,
        calibration=calibration,
        refusal=refusal,
    )


def _start(record: Voltages, capacitance: tuple[float, ...]) -> Paper:
    d = record.v.shape[1]
    if len(capacitance) not in (1, d):
        raise ValueError(
            f"capacitance = {capacitance}: expected 1 or {d} values, one for each node"
        )
    if not all(0 < c < np.inf for c in capacitance):
        raise ValueError(f"capacitance = {capacitance}: must be greater than 0, nF")
    each = np.broadcast_to(np.array(capacitance, float), (d,)).copy()
    return Paper(resistive_start(record.v, record.dt, each), ("ground_capacitance",))


def _calibration(nominal: Paper, found: Identified) -> tuple[Calibration | None, str]:
    try:
        return calibrated(nominal.board, found), ""
    except ValueError as e:
        return None, str(e)
