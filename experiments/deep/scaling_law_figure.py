"""The figure of `scaling_law`: loss, its exponents and writes by size."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.deep.looks import NAMES, look
from experiments.figures import style
from experiments.figures.words import several

RULES = ("ideal", "eapu", "mixed_precision")
PUBLISHED = {"ideal": 0.238, "mixed_precision": 0.231}
"""Exponents of digital and of analog training. STATED: arXiv 2609.36584, OpenWebText, 7
to 124 million parameters, 20 tokens per parameter, one seed."""


def _loss(axes: Axes, dataset: xr.Dataset) -> None:
    n = dataset.parameters
    for rule in RULES:
        a = float(dataset.exponent.sel(rule=rule).mean())
        label = f"{NAMES[rule]}: exponent {a:.3f}"
        style.band(axes, n, dataset.loss.sel(rule=rule), **look(rule, label=label))
    start = float(dataset.loss.sel(rule="ideal").isel(parameters=0).median())
    for (rule, slope), line in zip(PUBLISHED.items(), ("--", ":"), strict=True):
        kind = {"ideal": "digital", "mixed_precision": "analog"}[rule]
        label = f"published: {kind}, {slope:g}"
        law = start * (n / n[0]) ** -slope
        axes.plot(n, law, color="0.45", ls=line, lw=1.8, label=label)
    style.decades(axes, "xy")
    axes.set(title=f"{dataset.attrs['blocks']} blocks, growing width")
    axes.set(xlabel="parameters", ylabel="loss, held out\n(nats per character)")
    style.key(axes)


def _exponents(axes: Axes, dataset: xr.Dataset) -> None:
    for n, rule in enumerate(RULES):
        values = dataset.exponent.sel(rule=rule).values.ravel()
        error = _two_errors(values)
        drawn: Any = look(rule, label="_hidden", yerr=error, capsize=3)
        axes.errorbar([n], [np.mean(values)], **drawn)
        if rule in PUBLISHED:
            drawn = style.published(axes, [n], [PUBLISHED[rule]], label="OpenWebText")
            if n:
                drawn.set_label("_hidden")
    names = [NAMES[rule].replace(" ", "\n") for rule in RULES]
    axes.set_xticks(range(len(RULES)), names)
    axes.set(title="exponents, two standard errors", ylim=(0, None))
    axes.set_ylabel("a, where loss goes as\nparameters to the power -a")
    axes.margins(x=0.2)
    style.key(axes, drop=32)


def _two_errors(values: np.ndarray) -> float:
    return 2 * values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0


def _writes(axes: Axes, dataset: xr.Dataset) -> None:
    for rule in RULES[1:]:
        values = 1000 * dataset.update_ratio.sel(rule=rule)
        style.band(axes, dataset.parameters, values, **look(rule))
    style.decades(axes, "xy")
    axes.set(title="cells written per step", xlabel="parameters")
    axes.set(ylabel="update ratio (per mille)")
    style.key(axes, ncols=2)


def note(dataset: xr.Dataset) -> str:
    """The exponents found, whether they differ, and how writes fall."""
    found = {rule: dataset.exponent.sel(rule=rule).values.ravel() for rule in RULES}
    told = [
        f"{NAMES[rule]} {a.mean():.3f} ± {_two_errors(a):.3f}"
        for rule, a in found.items()
    ]
    (first, ideal), *others = found.items()
    del first
    flatter = [
        NAMES[rule]
        for rule, a in others
        if ideal.mean() - a.mean() > np.hypot(_two_errors(ideal), _two_errors(a))
    ]
    n, ratio = dataset.parameters, dataset.update_ratio.median(("seed", "chip"))
    grown = float(n[-1] / n[0])
    fewer = [
        f"{float(ratio.sel(rule=r)[0] / ratio.sel(rule=r)[-1]):.2g} times ({NAMES[r]})"
        for r in RULES[1:]
    ]
    return (
        f"exponents: {several(told)}; flatter than the ideal one by more than their "
        f"errors: {several(flatter)}. From the smallest to the largest network, "
        f"{grown:.2g} times more parameters, cells are written more seldom by "
        f"{several(fewer)}. One pass over rows in proportion to the width, learning "
        "rate in proportion to 1 / width. Published: other text, tokens and sizes; its "
        "lines begin at ours and compare slopes alone"
    )


plot = style.panels(
    (7.0, 6.6), [[_loss, _exponents], [_writes, _writes]], note, height_ratios=(1, 0.8)
)
