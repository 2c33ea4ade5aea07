"""The figure of `spu_connectivity`: regular wirings, error against couplers."""

import numpy as np
import xarray as xr

from experiments.figures import style


def _draw_table(ax, dataset: xr.Dataset) -> None:
    error = 100 * dataset.error.median("draw").transpose("kind", "wiring")
    shown = error.clip(min=0.1)
    image = ax.imshow(shown, norm="log", cmap="cividis", aspect="auto", vmax=100)
    style.colorbar(ax, image, "error of the covariance (%)", format="{x:g}")
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


_BEST = {"marker": "o"}
_RANDOM = {"marker": "o", "linestyle": ":", "markerfacecolor": "none"}


def _draw_degrees(ax, dataset: xr.Dataset) -> None:
    for i, kind in enumerate(dataset.kind.to_numpy()):
        one = dataset.sel(kind=kind)
        colour = style.COLOURS[i]
        shown = {**_BEST, "color": colour, "label": kind}
        style.band(ax, one.chosen_couplers, 100 * one.chosen_error, **shown)
        shown = {**_RANDOM, "color": colour, "label": "_"}
        style.band(ax, one.random_couplers, 100 * one.random_error, **shown)
    ax.plot([], [], **_BEST, color="0.3", label="the couplers that matter most")
    ax.plot([], [], **_RANDOM, color="0.3", label="couplers at random")
    most = dataset.n_cells * (dataset.n_cells - 1) // 2
    ax.axvline(most, color="black", linewidth=0.8)
    look = {"rotation": 90, "ha": "center", "fontsize": 7}
    ax.text(most - 4, 0.02, "all-to-all", transform=ax.get_xaxis_transform(), **look)
    style.decades(ax)
    ax.set(xlabel=f"couplers of {dataset.n_cells} cells", ylim=(0.1, 200))
    ax.set_ylabel("relative Frobenius error (%)")
    ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))


plot = style.panels((13, 4.8), [[_draw_table, _draw_degrees]], width_ratios=(1.3, 1))
