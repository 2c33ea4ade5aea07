"""What covariances at several settings say of one board, to print, draw and keep."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from experiments.data.covariances import Moments
from experiments.figures import style
from experiments.thermodynamic.board_file import Paper
from experiments.thermodynamic.board_fit_figure import furthest, worded
from thermo import exact
from thermo.identify import (
    Calibration,
    Identified,
    calibrated,
    identify_covariances,
)


@dataclass(frozen=True, kw_only=True)
class SettingsFit:
    """Covariances, one of each setting, and the board that they came from.

    Attributes:
        moments: that were read.
        n_samples: behind each.
        found: components.
        known: what was not sought.
        calibration: of the first setting; None where the covariances do not tell.
        refusal: why there is none; empty where there is one.
    """

    moments: tuple[Moments, ...]
    n_samples: tuple[int, ...]
    found: Identified
    known: tuple[str, ...]
    calibration: Calibration | None
    refusal: str


def fitted(
    moments: Sequence[Moments], papers: Sequence[Paper], n_samples: Sequence[int]
) -> SettingsFit:
    """The most likely board behind covariances.

    Args:
        moments: of all nodes, one of each setting.
        papers: nominal values at each setting, that know the same.
        n_samples: independent ones behind each, or one number for all.

    Raises:
        ValueError: naming what does not go together.
    """
    n = len(moments)
    if len(papers) != n:
        raise ValueError(
            f"nominal: {len(papers)} boards for {n} covariances, expected one for each "
            "setting"
        )
    if len(n_samples) not in (1, n):
        raise ValueError(
            f"samples: {len(n_samples)} numbers for {n} covariances, expected 1 or {n}"
        )
    for paper, one in zip(papers, moments, strict=True):
        if paper.known != papers[0].known:
            raise ValueError(
                f"known: {papers[0].known} and {paper.known}, expected the same in "
                "every nominal board"
            )
        if paper.board.n_cells != len(one.names):
            raise ValueError(
                f"nominal board has {paper.board.n_cells} nodes, the covariance "
                f"{len(one.names)}"
            )
    counts = [*n_samples] * (n if len(n_samples) == 1 else 1)
    found = identify_covariances(
        [paper.board for paper in papers],
        [one.matrix for one in moments],
        counts,
        known=papers[0].known,
    )
    made, refusal = None, ""
    try:
        made = calibrated(papers[0].board, found)
    except ValueError as e:
        refusal = str(e)
    return SettingsFit(
        moments=tuple(moments),
        n_samples=tuple(counts),
        found=found,
        known=papers[0].known,
        calibration=made,
        refusal=refusal,
    )


@style.styled
def draw(fit: SettingsFit, title: str) -> Figure:
    """Entries measured against fitted, and components with their intervals."""
    figure = Figure(figsize=(7.0, 7.4))
    left, right = figure.subplots(2, 1)
    pairs = zip(fit.moments, fit.found.boards, fit.n_samples, strict=True)
    ends = []
    for k, (one, board, n) in enumerate(pairs):
        form = board.linear()
        law = np.asarray(exact.stationary_covariance(form.drift, form.diffusion))
        readout = np.asarray(form.readout, float)
        law = readout @ law.astype(float) @ readout.T
        own = np.diagonal(law)
        error = np.sqrt((np.outer(own, own) + law**2) / n)
        upper = np.triu_indices(len(own))
        look = style.look(k, linestyle="none", mfc="none")
        x, y, e = (1e6 * m[upper] for m in (law, one.matrix, error))
        left.errorbar(x, y, 1.96 * e, label=f"setting {k + 1}, N = {n:,}", **look)
        ends += [x.min(), x.max()]
    line = [min(ends), max(ends)]
    left.plot(line, line, color="0.3", linewidth=0.8)
    left.set(xlabel="covariance, fitted (mV²)", ylabel="measured, 95 % (mV²)")
    style.key(left)
    found, y = fit.found, np.arange(len(fit.found.names))
    clear = ~np.isnan(found.values)
    off, error = 100 * found.log_factors[clear], 196 * found.standard_errors[clear]
    right.errorbar(off, y[clear], xerr=error, fmt="o", capsize=2)
    right.set_yticks(y, [*map(worded, found.names)], fontsize=style.SMALL)
    right.invert_yaxis()
    right.axvline(0, color="0.3", linewidth=0.8)
    right.set_xlabel("found, 95 % interval, off from nominal (log, %)")
    style.told(figure, f"{title}: {_seen(fit)}. Scale: all that the files hold")
    return figure


def _seen(fit: SettingsFit) -> str:
    """What a point off the line says, and which component is furthest off."""
    clear = np.flatnonzero(~np.isnan(fit.found.values))
    seen = "a point off the line by more than its bar says another circuit"
    if not len(clear):
        return seen
    names = [fit.found.names[n] for n in clear]
    return f"{seen}. Furthest off: {furthest(names, fit.found.log_factors[clear])}"
