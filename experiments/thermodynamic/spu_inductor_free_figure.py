"""The figure of `spu_inductor_free`: error, samples, bits, and the time it takes."""

import numpy as np
import xarray as xr

from experiments.figures import style
from experiments.figures.words import several

LABELS = {
    "resistive": "RC, resistors between cells",
    "capacitive": "RC, capacitors between cells",
    "op-amp": "op-amp array, any matrix",
    "rlc": "RLC, for comparison",
}
ERROR_PUBLISHED = 0.02
"""STATED in press coverage; circuit, samples and bits behind it are not known."""
_PER_MS = 12_000.0


def _look(circuit: str, **other) -> dict:
    """Resistive filled; hollow or open marks let what lies below them through."""
    i = list(LABELS).index(circuit)
    fill = style.COLOURS[i] if i in (0, 2) else "none"
    size = {"capacitive": 7}.get(circuit, 4)
    return style.look(i, mfc=fill, ms=size, label=LABELS[circuit], **other)


def _draw_samples(ax, dataset: xr.Dataset) -> None:
    n = dataset.n_samples
    for circuit in dataset.circuit.to_numpy():
        one = dataset.sel(circuit=circuit)
        middle, bars = style.middle_half(100 * one.error, "n_samples")
        ax.errorbar(n, middle, bars, **{**_look(circuit), "linestyle": "none"})
        theory = _look(circuit, linewidth=1) | {"marker": None, "label": "_hidden"}
        ax.plot(n, 100 * one.expected.median("board"), **theory)
    ax.plot([], [], color="0.3", label="lines: theory")
    style.published_line(ax, 100 * ERROR_PUBLISHED, "about 2 % (press)")
    title = f"{dataset.assumed_bits}-bit components, RC = {dataset.assumed_rc:g} µs"
    ax.set(xscale="log", xlabel="samples N (12 MHz)", title=title)
    style.decades(ax)
    ax.set_ylabel("relative Frobenius error (%)")
    style.key(ax)


def _draw_bits(ax, dataset: xr.Dataset) -> None:
    for circuit in (c for c in dataset.circuit.to_numpy() if c != "rlc"):
        floor = 100 * dataset.floor.sel(circuit=circuit)
        style.band(ax, dataset.bits, floor, **_look(circuit))
    style.published_line(ax, 100 * ERROR_PUBLISHED, "about 2 % (press)")
    style.decades(ax)
    ax.set(xlabel="bits of every component", ylabel="relative Frobenius error (%)")
    ax.set_ylim(top=150)
    ax.set_title("infinitely many samples")
    style.key(ax)


def _draw_plane(ax, dataset: xr.Dataset) -> None:
    one = dataset.sel(circuit="resistive")
    error = 100 * one.plane.transpose("bits", "plane_samples")
    x, y = one.plane_samples, one.bits
    mesh = ax.pcolormesh(x, y, error, norm="log", cmap="cividis", shading="nearest")
    style.colorbar(ax, mesh, "error (%)", format="{x:g}")
    ax.plot(one.needed, one.bits, "o-", color="white", label="2 % is reached")
    ax.set(xscale="log", xlabel="samples N (12 MHz)", ylabel="bits", yticks=y)
    ax.grid(False)
    ax.set_title(LABELS["resistive"])
    style.key(ax, facecolor="0.3", frameon=True, labelcolor="white")


def _needed(dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    coarse = dataset.needed.sel(bits=dataset.assumed_bits)
    words = f"{dataset.assumed_bits}-bit components"
    return {"ideal components": dataset.needed_fine, words: coarse}


def _draw_needed(ax, dataset: xr.Dataset) -> None:
    place = np.arange(dataset.sizes["circuit"])[::-1]
    looks = (0.2, style.COLOURS[0], ""), (-0.2, style.COLOURS[4], "///")
    kinds = _needed(dataset)
    pairs = zip(kinds.items(), looks, strict=True)
    for (kind, needed), (shift, colour, hatch) in pairs:
        ms = needed.fillna(0) / _PER_MS
        look = {"color": colour, "hatch": hatch, "label": kind}
        bars = ax.barh(place + shift, ms, 0.38, **look)
        texts = ["never" if np.isnan(n) else f"{n / 1e3:,.0f}" for n in needed.values]
        ax.bar_label(bars, texts, padding=2, fontsize=style.SMALL)
    short = {"resistive": "RC,\nresistors", "capacitive": "RC,\ncapacitors"}
    short |= {"op-amp": "op-\namps", "rlc": "RLC"}
    names = [short.get(c, c) for c in dataset.circuit.to_numpy()]
    ax.set(yticks=place, yticklabels=names)
    ax.set_xlabel("run at 12 MHz (ms);\nbeside bars: thousands of samples")
    ax.set_title("time until the error is 2 %")
    longest = max(float(np.nanmax(needed)) for needed in kinds.values())
    ax.set_xlim(right=1.2 * longest / _PER_MS)
    style.key(ax, drop=44)


def note(dataset: xr.Dataset) -> str:
    """What 2 % takes, and for whom it is out of reach."""
    (_, ideal), (words, coarse) = _needed(dataset).items()
    kinds = [str(c) for c in dataset.circuit.to_numpy()]
    reached = {c: float(coarse.sel(circuit=c)) / _PER_MS for c in kinds}
    never = [LABELS[c] for c, ms in reached.items() if np.isnan(ms)]
    soonest = "by no circuit"
    if finite := {c: ms for c, ms in reached.items() if not np.isnan(ms)}:
        fast = min(finite, key=finite.__getitem__)
        quick = float(ideal.sel(circuit=fast)) / _PER_MS
        soonest = (
            f"soonest by {LABELS[fast]}: after {finite[fast]:.0f} ms of {words}, "
            f"{quick:.0f} ms of ideal ones"
        )
    floor = 100 * dataset.floor.median("matrix")
    bits = {
        c: [int(b) for b in floor.bits if float(floor.sel(circuit=c, bits=b)) < 2]
        for c in kinds
    }
    told = [f"{min(b)} ({LABELS[c]})" for c, b in bits.items() if b and c != "rlc"]
    return (
        f"the published 2 % is reached {soonest}; never with {words} by "
        f"{several(never)}. Fewest bits whose floor lies below 2 %: {several(told)}. "
        "Beyond them samples are what is paid for, before them no sampling helps"
    )


_ROWS = [_draw_samples, _draw_bits], [_draw_plane, _draw_needed]
plot = style.panels((7.0, 8.4), _ROWS, note)
