"""The figure of `chip_yield`: accuracy, lifetime, yield against stuck cells."""

from functools import partial

import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style


def _bands(
    axes: Axes, dataset: xr.Dataset, name: str, scale: float, label: str
) -> None:
    """Median, middle half and middle nine tenths over the chips."""
    x = 100 * dataset.stuck_rate
    for i, spread in enumerate(dataset.spread.values):
        colour = style.COLOURS[i % len(style.COLOURS)]
        q = scale * dataset[f"{name}_quantile"].sel(spread=spread)
        axes.plot(x, q.sel({f"{name}_q": 0.5}), "o-", color=colour, label=f"{spread:g}")
        for low, high, alpha in ((0.05, 0.95, 0.1), (0.25, 0.75, 0.2)):
            floor, top = (q.sel({f"{name}_q": e}) for e in (low, high))
            axes.fill_between(x, floor, top, color=colour, alpha=alpha, linewidth=0)
            if len(x) == 1:
                axes.vlines(x, floor, top, color=colour, alpha=3 * alpha, linewidth=6)
    axes.set(xlabel="stuck cells (%)", ylabel=label)
    axes.legend(title="spread of the write noise", loc="lower left")


def _yields(axes: Axes, dataset: xr.Dataset) -> None:
    x = 100 * dataset.stuck_rate
    styles = ("-", "--", ":", "-.")
    for i, spread in enumerate(dataset.spread.values):
        for j, required in enumerate(dataset.required.values):
            share = 100 * dataset["yield"].sel(spread=spread, required=required)
            label = f"at {100 * required:g} %" if i == 0 else None
            look = {"color": style.COLOURS[i % len(style.COLOURS)], "label": label}
            axes.plot(x, share, styles[j % len(styles)], marker="o", **look)
    axes.set(xlabel="stuck cells (%)", ylabel="yield (%)", ylim=(-2, 102))
    axes.legend(title="required accuracy", loc="lower left")


_accuracy = partial(
    _bands, name="final", scale=100, label="accuracy after training (%)"
)
_lifetime = partial(_bands, name="lifetime", scale=1, label="steps per write of a cell")
plot = style.panels((10.5, 3.4), [[_accuracy, _lifetime, _yields]])
