"""The figure of `spu_connectivity`: regular wirings, error against couplers."""

from typing import Any

import numpy as np
import xarray as xr

from experiments.figures import style
from experiments.figures.words import several

EXACT, POOR = 0.5, 10.0
"""%: errors below count as none; a median above is called poor."""


def _error(dataset: xr.Dataset) -> xr.DataArray:
    return 100 * dataset.error.median("draw").transpose("wiring", "kind")


def _draw_table(ax, dataset: xr.Dataset) -> None:
    error = _error(dataset)
    shown = error.clip(min=0.1)
    image = ax.imshow(shown, norm="log", cmap="cividis", aspect="auto", vmax=100)
    style.colorbar(ax, image, "error of the covariance (%)", format="{x:g}")
    for (i, j), value in np.ndenumerate(error.to_numpy()):
        text = "exact" if value < EXACT else f"{value:.0f} %"
        colour = "white" if value < 15 else "black"
        ax.text(j, i, text, ha="center", va="center", color=colour)
    wirings = [
        f"{name}\n{int(n)} couplers"
        for name, n in zip(dataset.wiring.to_numpy(), dataset.couplers, strict=True)
    ]
    ax.set_yticks(range(len(wirings)), wirings)
    kinds = [k.replace(" ", "\n").replace("-", "-\n") for k in dataset.kind.to_numpy()]
    ax.set_xticks(range(len(kinds)), kinds)
    ax.set_title("best network on a regular wiring, median")
    ax.grid(False)


_RANDOM: Any = {"linewidth": 0.8, "markerfacecolor": "none", "label": "_hidden"}


def _draw_degrees(ax, dataset: xr.Dataset) -> None:
    for i, kind in enumerate(dataset.kind.to_numpy()):
        one = dataset.sel(kind=kind)
        for way, look in (("chosen", {"label": kind}), ("random", _RANDOM)):
            error = 100 * one[f"{way}_error"]
            middle, bars = style.middle_half(error, "degree")
            line = style.LINES[0] if way == "chosen" else ":"
            drawn = style.look(i, linestyle=line, elinewidth=0.8, **look)
            ax.errorbar(one[f"{way}_couplers"], middle, bars, **drawn)
    ax.plot([], [], "P-", color="0.3", label="filled: those that matter most")
    ax.plot([], [], "P:", color="0.3", mfc="none", label="hollow: couplers at random")
    most = dataset.n_cells * (dataset.n_cells - 1) // 2
    ax.axvline(most, color="black", linewidth=0.8)
    look = {"rotation": 90, "ha": "center", "fontsize": 8}
    ax.text(most - 3, 0.03, "all-to-all", transform=ax.get_xaxis_transform(), **look)
    style.decades(ax)
    ax.set(xlabel=f"couplers of {dataset.n_cells} cells", ylim=(0.1, 150))
    ax.set_ylabel("relative Frobenius error (%)")
    style.key(ax, ncols=2)


def note(dataset: xr.Dataset) -> str:
    """What passive couplers hold, what they never do, and what choosing them gains."""
    error = _error(dataset)
    full = error.sel(wiring="all-to-all")
    kinds = [str(k) for k in dataset.kind.to_numpy()]
    held = [k for k in kinds if float(full.sel(kind=k)) < EXACT]
    never = [k for k in kinds if float(error.sel(kind=k).min()) > POOR]
    at = dict(degree=1) if dataset.sizes["degree"] > 1 else dict(degree=0)
    chosen, random = (
        dataset[f"{way}_error"].isel(at).median("draw") for way in ("chosen", "random")
    )
    gain = random / chosen
    best = kinds[int(gain.argmax("kind"))]
    couplers = int(dataset.chosen_couplers.isel(at))
    return (
        "with all couplers exact (median error below "
        f"{EXACT:g} %): {several(held)}; above {POOR:g} % on every regular wiring: "
        f"{several(never)}. Which couplers are there counts: {couplers} that matter "
        f"most err {float(gain.max()):,.0f} times less than {couplers} at random for "
        f"{best}, {float(gain.min()):.2g} times at least: the kind of Gaussian decides "
        "before the number of couplers does. Bars in the lower panel: middle half"
    )


plot = style.panels(
    (7.0, 8.4), [[_draw_table], [_draw_degrees]], note, height_ratios=(1.15, 1)
)
