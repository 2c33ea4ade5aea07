"""The figure of `spu_sampling`: marginals, covariances, errors, chi-square."""

from functools import partial

import numpy as np
import xarray as xr

from experiments.figures import style
from experiments.thermodynamic import machine
from experiments.thermodynamic.boards_figure import draw_errors

PAIRS = ((0, 1), (2, 5), (3, 7))
"""Marginals that are drawn."""


def _draw_marginal(ax, dataset: xr.Dataset, pair: tuple[int, int]) -> None:
    x, y = (dataset.samples.sel(cell=i) for i in pair)
    ax.plot(x, y, ".", color="0.75", markersize=2, label="samples, ideal board")
    for i in range(1, machine.N_PUBLISHED_BOARDS + 1):
        _ellipse(ax, dataset.covariance.sel(board=i), pair, f"board {i}", "-")
    _ellipse(ax, dataset.target, pair, "target", "--", color="black")
    ax.set(xlabel=f"v{pair[0] + 1} (V)", ylabel=f"v{pair[1] + 1} (V)", aspect="equal")
    most = 5 * float(np.sqrt(dataset.target.max()))
    ax.set(xlim=(-most, most), ylim=(-most, most))
    ax.set_title(f"cells {pair[0] + 1} and {pair[1] + 1}: 1 and 2 sigma")
    if pair == PAIRS[0]:
        ax.legend(loc="upper left", fontsize=6.5)


def _ellipse(ax, covariance, pair, label, line, **look) -> None:
    angle = np.linspace(0, 2 * np.pi, 200)
    entries = covariance.isel(cell=list(pair), other=list(pair)).to_numpy()
    rim = np.linalg.cholesky(entries.astype(float)) @ [np.cos(angle), np.sin(angle)]
    (drawn,) = ax.plot(*rim, line, label=label, **look)
    ax.plot(*(2 * rim), line, color=drawn.get_color())


def _draw_entries(ax, dataset: xr.Dataset) -> None:
    upper = np.triu_indices(dataset.sizes["cell"])
    target = dataset.target.to_numpy()[upper]
    ideal, *real = (one.to_numpy()[upper] for one in dataset.covariance)
    for i, found in enumerate(real[: machine.N_PUBLISHED_BOARDS], 1):
        ax.plot(target, found, "o", alpha=0.6, label=f"board {i}")
    ax.plot(target, ideal, "x", color="black", label="ideal board")
    ends = [0.0, target.max() * 1.1]
    ax.plot(ends, ends, color="0.3", linewidth=0.8)
    ax.set(xlabel="covariance wanted (V$^2$)", ylabel="covariance sampled (V$^2$)")
    ax.set_title(f"36 entries, {int(dataset.n_published):,} samples")
    ax.legend()


def _draw_chi_square(ax, dataset: xr.Dataset) -> None:
    runs = dataset.sizes["run"]
    bins = np.linspace(float(dataset.chi[0]), float(dataset.chi[-1]), 45)
    label = f"ideal board, {runs} runs"
    ax.hist(dataset.chi_square, bins, density=True, alpha=0.5, label=label)
    theory = f"$\\chi^2$ with {int(dataset.degrees)} degrees of freedom"
    ax.plot(dataset.chi, dataset.density, color="black", label=theory)
    naive = float(dataset.naive_chi_square.median())
    text = f"median if samples\ncounted as independent:\n{naive:,.0f}"
    ax.text(0.98, 0.55, text, transform=ax.transAxes, ha="right", fontsize=7.5)
    ax.set(xlabel="$\\chi^2$ of the covariance", ylabel="density", yticks=[])
    ax.set_ylim(top=1.5 * float(dataset.density.max()))
    ax.set_title("Error against the law of correlated samples")
    ax.legend(loc="upper right")


_ROWS = (
    [partial(_draw_marginal, pair=pair) for pair in PAIRS],
    [_draw_entries, partial(draw_errors, title="Covariance"), _draw_chi_square],
)
plot = style.panels((10, 6.6), _ROWS)
