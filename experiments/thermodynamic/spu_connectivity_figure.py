"""The figure of `spu_connectivity`."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from experiments import style


@style.styled
def plot(dataset: xr.Dataset) -> Figure:
    """A table of regular wirings; error against the number of couplers."""
    figure = Figure(figsize=(13, 4.8))
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
    _draw_table(figure, left, dataset)
    _draw_degrees(right, dataset)
    style.caption(figure, dataset)
    return figure


def _draw_table(figure, ax, dataset: xr.Dataset) -> None:
    error = 100 * dataset.error.median("draw").transpose("kind", "wiring")
    shown = error.clip(min=0.1)
    image = ax.imshow(shown, norm="log", cmap="cividis", aspect="auto", vmax=100)
    figure.colorbar(image, ax=ax, label="error of the covariance (%)", format="{x:g}")
    for (i, j), value in np.ndenumerate(error.to_numpy()):
        text = "exact" if value < 0.5 else f"{value:.0f} %"
        colour = "white" if value < 10 else "black"
        ax.text(j, i, text, ha="center", va="center", color=colour, fontsize=8)
    wirings = [
        f"{name},\n{int(n)} couplers".replace(", ", ",\n", 1)
        for name, n in zip(dataset.wiring.to_numpy(), dataset.couplers, strict=True)
    ]
    ax.set_xticks(range(len(wirings)), wirings, fontsize=7)
    kinds = [k.replace(" ", "\n", 1) for k in dataset.kind.to_numpy()]
    ax.set_yticks(range(len(kinds)), kinds, fontsize=8)
    ax.set_title("Best network on a regular wiring, median")
    ax.grid(False)


def _draw_degrees(ax, dataset: xr.Dataset) -> None:
    for i, kind in enumerate(dataset.kind.to_numpy()):
        one = dataset.sel(kind=kind)
        look = {"color": style.COLOURS[i], "marker": "o"}
        error = 100 * one.chosen_error
        style.band(ax, one.chosen_couplers, error, "draw", label=kind, **look)
        rough = 100 * one.random_error
        look |= {"linestyle": ":", "markerfacecolor": "none"}
        style.band(ax, one.random_couplers, rough, "draw", label="_", **look)
    ax.plot([], [], "o-", color="0.3", label="the couplers that matter most")
    ax.plot(
        [], [], "o:", color="0.3", markerfacecolor="none", label="couplers at random"
    )
    most = dataset.n_cells * (dataset.n_cells - 1) // 2
    ax.axvline(most, color="black", linewidth=0.8)
    ax.text(
        most - 4,
        0.02,
        "all-to-all",
        rotation=90,
        ha="center",
        transform=ax.get_xaxis_transform(),
        fontsize=7,
    )
    ax.set(yscale="log", xlabel=f"couplers of {dataset.n_cells} cells", ylim=(0.1, 200))
    ax.set_ylabel("relative Frobenius error (%)")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
