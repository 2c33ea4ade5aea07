"""The figure of `tops_per_watt`: by converters, by size, by part, and all published."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from experiments.figures import style
from experiments.memristor import silicon
from experiments.memristor.technologies import TECHNOLOGIES

PARTS = {
    "array": "cells\n(input pulses)",
    "inputs": "input\nconverters",
    "outputs": "output converters\n(NeuRRAM's: with control)",
}
_LOOKS = {name: style.look(n, ms=4) for n, name in enumerate(TECHNOLOGIES)}
_AXIS = "operations per joule (TOPS/W)"


def _by_bits(axes: Axes, dataset: xr.Dataset) -> None:
    side = _side(dataset)
    for name, one in TECHNOLOGIES.items():
        at = dataset.full.sel(technology=name, side=side)
        _band(axes, at.adc_bits, at, label=one.title, **_LOOKS[name])
    alone = dataset.alone.sel(technology="neurram", end="value")
    look: Any = {"color": _LOOKS["neurram"]["color"], "ls": ":"}
    axes.plot(alone.adc_bits, alone, **look, label="NeuRRAM's cells alone")
    known = dataset.measured.dropna("adc_bits")
    if known.size:
        style.published(axes, known.adc_bits, known, label="NeuRRAM, measured")
    style.decades(axes)
    axes.set(xlabel=f"bits of an output; inputs: {dataset.attrs['headroom']} less")
    axes.set(ylabel=_AXIS, title=f"full arrays of {side} x {side}")
    style.key(axes)


def _band(axes: Axes, x: xr.DataArray, found: xr.DataArray, **look: Any) -> None:
    low, value, high = (found.sel(end=end) for end in ("low", "value", "high"))
    axes.plot(x, value, **look)
    for end in (low, high):  # bands would cover one another: their edges do not
        axes.plot(x, end, color=look["color"], lw=0.5, alpha=0.8)
    axes.fill_between(x, low, high, color=look["color"], alpha=0.07, linewidth=0)


def _side(dataset: xr.Dataset) -> int:
    """NeuRRAM's, or the largest that there is."""
    sides = dataset.side.values.tolist()
    return silicon.SIDE if silicon.SIDE in sides else sides[-1]


def _by_size(axes: Axes, dataset: xr.Dataset) -> None:
    bits = _bits(dataset)[-1]
    for name in TECHNOLOGIES:
        at = dataset.sel(technology=name, adc_bits=bits)
        for found, line in ((at.full, "-"), (at.network, "--")):
            look: Any = _LOOKS[name] | {"linestyle": line}
            axes.plot(at.side, found.sel(end="value"), **look)
    axes.plot([], [], "k-", label="full arrays")
    axes.plot([], [], "k--", label=f"an MLP, {dataset.attrs['network']}")
    style.decades(axes, "xy")
    some = dataset.side.values[::-2][::-1]
    axes.set_xticks(some, [str(n) for n in some])
    axes.minorticks_off()
    axes.set(xlabel="rows (and columns) of an array, weights", ylabel=_AXIS)
    axes.set_title(f"{bits} bits out, looks as on the left")
    style.key(axes)


def _bits(dataset: xr.Dataset) -> list[int]:
    """The fewest and the most."""
    bits = dataset.adc_bits.values.tolist()
    return [bits[0], bits[-1]]


def _by_part(axes: Axes, dataset: xr.Dataset) -> None:
    at = dataset.parts.sel(technology="neurram", side=_side(dataset))
    places = np.arange(len(PARTS))
    for n, (shift, bits) in enumerate(zip((-0.15, 0.15), _bits(dataset), strict=True)):
        look = style.look(n, linestyle="none")
        low, value, high = (1e3 * at.sel(adc_bits=bits, end=e) for e in at.end.values)
        axes.errorbar(
            places + shift, value, np.stack([value - low, high - value]),
            capsize=3, label=f"ours, {bits} bits out", **look,
        )  # fmt: skip
        if dataset.measured.sel(adc_bits=bits).notnull():
            row = silicon.NEURRAM[bits]
            measured = 2 * np.array([row.pulses, row.neurons, row.lines])
            style.published(
                axes, np.array([0, 2, 3]) + shift + 0.1, measured, ms=6,
                label=f"NeuRRAM, {bits} bits", color=look["color"],
                marker=look["marker"],
            )  # fmt: skip
    style.decades(axes)
    axes.set_xticks(np.arange(4), [*PARTS.values(), "word lines\n(in no list)"])
    axes.set(ylabel="energy of a product\nwith its addition (fJ)", xlim=(-0.5, 3.5))
    axes.set_title("where it goes, components of 130 nm")
    style.key(axes, ncols=2, drop=42)


def _all(axes: Axes, dataset: xr.Dataset) -> None:
    named: list[tuple[float, str]] = []  # right of what, and how a line is called
    for known, marker in (
        (silicon.CARDS, "s"), (silicon.SIMULATED, "^"), (silicon.MEASURED, "D"),
    ):  # fmt: skip
        at = [silicon.tops(name) for name in known]
        where = len(named) + np.arange(len(known))
        axes.plot(at, where, marker, color="black", mfc="none", label=_KINDS[marker])
        named += zip(at, known.values(), strict=True)
    for name, (low, high) in silicon.RETOLD.items():
        axes.plot([low, high], [len(named)] * 2, lw=5, alpha=0.4, color="grey")
        named.append((high, name))
    axes.plot([], [], lw=5, alpha=0.4, color="grey", label="retold, not traceable")
    for name, one in TECHNOLOGIES.items():
        at = dataset.full.sel(technology=name, side=_side(dataset))
        colour = _LOOKS[name]["color"]
        for bits, marker in zip(_bits(dataset), "o|", strict=True):
            low, value, high = at.sel(adc_bits=bits).values
            bar: Any = {"color": colour, "lw": 3, "alpha": 0.4}
            axes.plot([low, high], [len(named)] * 2, **bar)
            axes.plot(value, len(named), marker, color=colour)
        named.append((at.max(), f"ours: {one.title}"))
    for bits, marker in zip(_bits(dataset), "o|", strict=True):
        axes.plot([], [], marker, color="0.3", label=f"ours, {bits} bits")
    for height, (right, name) in enumerate(named):
        look: Any = {"textcoords": "offset points", "va": "center"}
        look["fontsize"] = style.SMALL
        axes.annotate(name, (float(right), height), (8, 0), **look)
    style.decades(axes, "x")
    axes.set(xlabel=_AXIS, xlim=(0.4, 4e4), yticks=[])
    axes.set_title("beside all published")
    style.key(axes, ncols=2)


_KINDS = {
    "s": "published: data sheet, peak",
    "^": "published: simulated",
    "D": "published: measured",
}


def says(dataset: xr.Dataset) -> str:
    """What components add up to, beside silicon and beside what is told of it."""
    side, (few, many) = _side(dataset), _bits(dataset)
    at = dataset.full.sel(technology="neurram", side=side)
    ours = [float(at.sel(adc_bits=b, end="value")) for b in (few, many)]
    best = float(dataset.full.sel(side=side).max())
    most = max(high for _, high in silicon.RETOLD.values())
    return (
        f"Full arrays of {side} x {side} at 130 nm give {ours[0]:.3g} operations per "
        f"pJ with {few} bits out and {ours[1]:.3g} with {many}: the converters cost "
        f"more than the cells{_beside(dataset)}. The best end of all technologies is "
        f"{best:,.0f}; the {most:,.0f} that is retold of RRAM "
        f"{'lies beyond it' if most > best else 'lies within it'}. Sums of components "
        "(sources: eapu_jax/cost/constants.toml), nothing tuned, word lines and "
        "control in no list; operations count whatever their bits. Bands: activity of "
        "the inputs (ASSUMED), converters of 32 or 65 nm, EaPU's cell; two cells per "
        "weight, one conversion per line and product"
    )


def _beside(dataset: xr.Dataset) -> str:
    """How far silicon is from the components of its node, at the ends of the bits."""
    if silicon.SIDE not in dataset.side or dataset.measured.isnull().all():
        return ""
    ours = dataset.full.sel(technology="neurram", side=silicon.SIDE, end="value")
    ratio = (dataset.measured / ours).dropna("adc_bits")
    ends = [f"{float(ratio[n]):.2f} at {int(ratio.adc_bits[n])} bits" for n in (0, -1)]
    return f". Measured silicon gives {' and '.join(ends)} of that"


plot = style.panels(
    (style.WIDTH, 14), [[_by_bits, _by_size], [_by_part] * 2, [_all] * 2], says,
    height_ratios=(1, 0.8, 1.5),
)  # fmt: skip
