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
_COLOURS = dict(zip(TECHNOLOGIES, style.COLOURS, strict=False))
_AXIS = "operations per joule (TOPS/W)"


def _by_bits(axes: Axes, dataset: xr.Dataset) -> None:
    side = _side(dataset)
    for name, one in TECHNOLOGIES.items():
        at = dataset.full.sel(technology=name, side=side)
        _band(axes, at.adc_bits, at, color=_COLOURS[name], label=one.title)
    alone = dataset.alone.sel(technology="neurram", end="value")
    look: Any = {"color": _COLOURS["neurram"], "ls": ":"}
    axes.plot(alone.adc_bits, alone, **look, label="NeuRRAM's cells alone")
    known = dataset.measured.dropna("adc_bits")
    if known.size:
        style.published(axes, known.adc_bits, known, label="NeuRRAM, measured")
    style.decades(axes)
    axes.set(xlabel=f"bits of an output; inputs: {dataset.attrs['headroom']} less")
    axes.set(ylabel=_AXIS, title=f"full arrays of {side} x {side}{_beside(dataset)}")
    axes.set_ylim(0.5, 5000)
    axes.legend(loc="upper right", fontsize=7, ncols=2)


def _beside(dataset: xr.Dataset) -> str:
    """How far silicon is from the components of its node, at the ends of the bits."""
    if silicon.SIDE not in dataset.side or dataset.measured.isnull().all():
        return ""
    ours = dataset.full.sel(technology="neurram", side=silicon.SIDE, end="value")
    ratio = (dataset.measured / ours).dropna("adc_bits")
    ends = [f"{float(ratio[n]):.2f} at {int(ratio.adc_bits[n])} bits" for n in (0, -1)]
    return f"\nmeasured / ours at 130 nm: {', '.join(ends)}"


def _band(axes: Axes, x: xr.DataArray, found: xr.DataArray, **look: Any) -> None:
    low, value, high = (found.sel(end=end) for end in ("low", "value", "high"))
    axes.plot(x, value, marker="o", **look)
    axes.fill_between(x, low, high, color=look["color"], alpha=0.15, linewidth=0)


def _side(dataset: xr.Dataset) -> int:
    """NeuRRAM's, or the largest that there is."""
    sides = dataset.side.values.tolist()
    return silicon.SIDE if silicon.SIDE in sides else sides[-1]


def _by_size(axes: Axes, dataset: xr.Dataset) -> None:
    bits = _bits(dataset)[-1]
    for name in TECHNOLOGIES:
        at = dataset.sel(technology=name, adc_bits=bits)
        for found, line in ((at.full, "-"), (at.network, "--")):
            axes.plot(at.side, found.sel(end="value"), line, color=_COLOURS[name])
    axes.plot([], [], "k-", label="full arrays")
    axes.plot([], [], "k--", label=f"an MLP, {dataset.attrs['network']}")
    style.decades(axes, "xy")
    axes.set_xticks(dataset.side.values, [str(n) for n in dataset.side.values])
    axes.minorticks_off()
    axes.set(xlabel="rows and columns of an array (weights)", ylabel=_AXIS)
    axes.set_title(f"{bits} bits out, colours as on the left")
    axes.legend(loc="lower right", fontsize=7)


def _bits(dataset: xr.Dataset) -> list[int]:
    """The fewest and the most."""
    bits = dataset.adc_bits.values.tolist()
    return [bits[0], bits[-1]]


def _by_part(axes: Axes, dataset: xr.Dataset) -> None:
    at = dataset.parts.sel(technology="neurram", side=_side(dataset))
    places = np.arange(len(PARTS))
    for shift, bits, colour in zip(
        (-0.12, 0.12), _bits(dataset), style.COLOURS, strict=False
    ):
        low, value, high = (1e3 * at.sel(adc_bits=bits, end=e) for e in at.end.values)
        axes.errorbar(
            places + shift, value, np.stack([value - low, high - value]), fmt="o",
            capsize=3, color=colour, label=f"ours, {bits} bits out",
        )  # fmt: skip
        if dataset.measured.sel(adc_bits=bits).notnull():
            row = silicon.NEURRAM[bits]
            measured = 2 * np.array([row.pulses, row.neurons, row.lines])
            style.published(
                axes, np.array([0, 2, 3]) + shift + 0.08, measured,
                label=f"NeuRRAM, {bits} bits", color=colour,
            )  # fmt: skip
    style.decades(axes)
    axes.set_xticks(np.arange(4), [*PARTS.values(), "word lines\n(in no list)"])
    axes.set(ylabel="energy of a product with its addition (fJ)", xlim=(-0.5, 3.5))
    axes.set_title("where it goes, components of 130 nm")
    axes.legend(loc="lower right", fontsize=7)


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
        for bits, marker in zip(_bits(dataset), "o|", strict=True):
            low, value, high = at.sel(adc_bits=bits).values
            axes.plot([low, high], [len(named)] * 2, lw=3, alpha=0.4, c=_COLOURS[name])
            axes.plot(value, len(named), marker, c=_COLOURS[name])
        named.append((at.max(), f"ours: {one.title}"))
    for height, (right, name) in enumerate(named):
        look: Any = {"textcoords": "offset points", "va": "center", "fontsize": 7}
        axes.annotate(name, (float(right), height), (8, 0), **look)
    style.decades(axes, "x")
    few, many = _bits(dataset)
    axes.set(xlabel=_AXIS, xlim=(0.4, 4e4), yticks=[])
    axes.set_title(f"beside all published (ours: o {few} bits, | {many} bits)")
    axes.legend(loc="lower right", fontsize=7)


_KINDS = {
    "s": "data sheet, peak",
    "^": "published, simulated",
    "D": "published, measured",
}

plot = style.panels(
    (12, 9),
    [[_by_bits, _by_size], [_by_part, _all]],
    note="operations whatever their bits; sums of components, constants with sources: "
    "eapu_jax/cost/constants.toml; bands: activity of the inputs (ASSUMED), their "
    "converters (32 nm or 65 nm at every node), and at EaPU's node its cell; two cells "
    "per weight, one conversion per line and product. Nothing is tuned: silicon does "
    "not take what its components say part by part, word lines and control are in no "
    "list of them; the 500 to 1000 retold of RRAM lie beyond all silicon here",
)
