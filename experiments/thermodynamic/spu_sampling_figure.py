"""The figure of `spu_sampling`: marginals, covariances, errors, chi-square."""

from functools import partial

import numpy as np
import xarray as xr

from experiments.figures import style
from experiments.thermodynamic import machine
from experiments.thermodynamic.boards_figure import draw_errors

PAIRS = ((0, 1), (2, 5))
"""Marginals that are drawn."""


def _draw_marginal(ax, dataset: xr.Dataset, pair: tuple[int, int]) -> None:
    x, y = (dataset.samples.sel(cell=i) for i in pair)
    ax.plot(x, y, ".", color="0.8", markersize=2, label="samples, ideal board")
    _ellipse(ax, dataset.target, pair, color="black", lw=2, label="wanted")
    for i in range(machine.N_PUBLISHED_BOARDS):
        look = style.look(i, marker=None, label=f"board {i + 1}")
        look["linestyle"] = style.LINES[i + 1]
        _ellipse(ax, dataset.covariance.isel(board=i + 1), pair, **look)
    x, y = (f"voltage of cell {i + 1} (V)" for i in pair)
    ax.set(xlabel=x, ylabel=y, aspect="equal")
    most = 3.6 * float(np.sqrt(dataset.target.max()))
    ax.set(xlim=(-most, most), ylim=(-most, most))
    ax.set_title("one and two standard deviations")
    if pair == PAIRS[0]:
        style.key(ax, ncols=2)


def _ellipse(ax, covariance, pair, **look) -> None:
    angle = np.linspace(0, 2 * np.pi, 200)
    entries = covariance.isel(cell=list(pair), other=list(pair)).to_numpy()
    rim = np.linalg.cholesky(entries.astype(float)) @ [np.cos(angle), np.sin(angle)]
    ax.plot(*rim, **look)
    ax.plot(*(2 * rim), **{**look, "label": "_hidden"})


def _draw_entries(ax, dataset: xr.Dataset) -> None:
    upper = np.triu_indices(dataset.sizes["cell"])
    target = dataset.target.to_numpy()[upper]
    ideal, *real = (one.to_numpy()[upper] for one in dataset.covariance)
    for i, found in enumerate(real[: machine.N_PUBLISHED_BOARDS]):
        look = style.look(i, mfc="none", linestyle="none", label=f"board {i + 1}")
        ax.plot(target, found, **look)
    ax.plot(target, ideal, "x", color="black", label="ideal board")
    ends = [0.0, target.max() * 1.1]
    ax.plot(ends, ends, color="0.3", linewidth=0.8)
    ax.set(xlabel="covariance wanted (V²)", ylabel="covariance sampled (V²)")
    ax.set_title(f"{len(target)} entries, {int(dataset.n_published):,} samples")
    style.key(ax, ncols=2)


def _draw_chi_square(ax, dataset: xr.Dataset) -> None:
    runs = dataset.sizes["run"]
    bins = np.linspace(float(dataset.chi[0]), float(dataset.chi[-1]), 45)
    label = f"ideal board, {runs} runs"
    look = {"color": style.COLOURS[5], "edgecolor": "white", "linewidth": 0.3}
    ax.hist(dataset.chi_square, bins, density=True, label=label, **look)
    theory = f"$\\chi^2$, {int(dataset.degrees)} degrees of freedom"
    ax.plot(dataset.chi, dataset.density, color="black", label=theory, lw=1.4)
    ax.set(xlabel="error of the covariance,\nas $\\chi^2$ of correlated samples")
    ax.set(ylabel="runs (density)", yticks=[], title="law of correlated samples")
    style.key(ax, drop=44)


def note(dataset: xr.Dataset) -> str:
    """How far boards sample from what is wanted, and what samples are worth."""
    last = 100 * dataset.error.isel(n_samples=-1)
    real, ideal = last.sel(board=slice(1, None)), float(last.sel(board=0))
    middle, naive = (
        float(dataset[name].median()) for name in ("chi_square", "naive_chi_square")
    )
    return (
        f"after {int(dataset.n_samples[-1]):,} samples the ideal board is off by "
        f"{ideal:.1f} %, the median board by {float(real.median()):.1f} %: it samples "
        "another Gaussian, and goes on doing so. The ideal board errs as the law of "
        f"correlated samples says (median {middle:.0f} at {int(dataset.degrees)} "
        f"degrees of freedom); counted as independent its samples would seem "
        f"{naive / float(dataset.degrees):.0f} times too far off"
    )


_ERRORS = partial(draw_errors, title="covariance")
_ROWS = (
    [partial(_draw_marginal, pair=pair) for pair in PAIRS],
    [_draw_entries, _draw_chi_square],
    [_ERRORS, _ERRORS],
)
plot = style.panels((7.0, 10.4), _ROWS, note)
