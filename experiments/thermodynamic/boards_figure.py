"""Errors of boards against samples, as two figures show them."""

import xarray as xr

from experiments.figures import style
from experiments.thermodynamic import machine

PUBLISHED_BOARDS = style.COLOURS[: machine.N_PUBLISHED_BOARDS]
"""Colours of the boards that stand for the published ones."""


def draw_errors(ax, dataset: xr.Dataset, title: str) -> None:
    """All real boards as a band, the published ones alone, the ideal one and theory.

    Args:
        ax: where to draw.
        dataset: `error` and `expected` over `n_samples` and `board`, 0 the ideal one.
        title: above it.
    """
    n, real = dataset.n_samples, dataset.error.sel(board=slice(1, None))
    low, high = (100 * real.quantile(q, "board") for q in (0.25, 0.75))
    label = f"{real.sizes['board']} boards, middle half"
    ax.fill_between(n, low, high, color="0.85", linewidth=0, label=label)
    for i in range(machine.N_PUBLISHED_BOARDS):
        one = 100 * real.isel(board=i)
        ax.plot(n, one, **style.look(i, label=f"board {i + 1}", linewidth=1))
    ideal = dataset.sel(board=0)
    look = {"color": "black", "marker": "x", "linestyle": "none"}
    ax.plot(n, 100 * ideal.error, **look, label="ideal board")
    ax.plot(n, 100 * ideal.expected, color="black", linewidth=0.8, label="theory")
    style.decades(ax)
    ax.set(xscale="log", xlabel="samples N", title=title)
    ax.set_ylabel("relative Frobenius error, rms (%)")
    style.key(ax, ncols=2)
