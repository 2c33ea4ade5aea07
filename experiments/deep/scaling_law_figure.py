"""The figure of `scaling_law`."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.deep.language_figure import LOOKS, NAMES
from experiments.figures import style

RULES = ("ideal", "eapu", "mixed_precision")
PUBLISHED = {"ideal": 0.238, "mixed_precision": 0.231}
"""Exponents of digital and of analog training. STATED: arXiv 2609.36584, OpenWebText, 7
to 124 million parameters, 20 tokens per parameter, one seed."""


def _loss(axes: Axes, dataset: xr.Dataset) -> None:
    n = dataset.parameters
    for rule in RULES:
        a = dataset.exponent.sel(rule=rule)
        label = f"{NAMES[rule]}: {float(a.mean()):.3f}"
        look: Any = {"label": label, "color": LOOKS[rule], "marker": "o"}
        style.band(axes, n, dataset.loss.sel(rule=rule), **look)
    start = float(dataset.loss.sel(rule="ideal").isel(parameters=0).median())
    for rule, slope in PUBLISHED.items():
        line = start * (n / n[0]) ** -slope
        kind = {"ideal": "digital", "mixed_precision": "analog"}[rule]
        look = {"label": f"published: {kind}, {slope:g}", "color": LOOKS[rule]}
        axes.plot(n, line, ls="--", lw=1, **look)
    style.decades(axes, "xy")
    axes.set(title=f"{dataset.attrs['blocks']} blocks, growing width")
    axes.set(xlabel="parameters", ylabel="loss, held out (nats per character)")
    axes.legend()


def _exponents(axes: Axes, dataset: xr.Dataset) -> None:
    for n, rule in enumerate(RULES):
        values = dataset.exponent.sel(rule=rule).values.ravel()
        error = 2 * values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0
        look: Any = {"yerr": error, "capsize": 3, "color": LOOKS[rule], "marker": "o"}
        axes.errorbar([n], [np.mean(values)], **look)
        if rule in PUBLISHED:
            drawn = style.published(axes, [n], [PUBLISHED[rule]], label="OpenWebText")
            if n:
                drawn.set_label("_hidden")
    axes.set_xticks(range(len(RULES)), [NAMES[rule] for rule in RULES])
    axes.set(
        title="exponents, two standard errors",
        ylabel="exponent a of loss ~ parameters^-a",
        ylim=(0, None),
    )
    axes.margins(x=0.2)
    axes.legend()


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    for rule in RULES[1:]:
        values = 1000 * dataset.update_ratio.sel(rule=rule)
        look: Any = {"label": NAMES[rule], "color": LOOKS[rule], "marker": "o"}
        style.band(axes, dataset.parameters, values, **look)
    style.decades(axes, "xy")
    axes.set(title="cells written per step", xlabel="parameters")
    axes.set(ylabel="update ratio (per mille)")
    axes.legend()


plot = style.panels(
    (10.2, 3.8),
    [[_loss, _exponents, _writes]],
    "one pass over rows in proportion to the width, learning rate in proportion to 1 / "
    "width; published: other text, tokens and sizes; its lines begin at ours",
)
