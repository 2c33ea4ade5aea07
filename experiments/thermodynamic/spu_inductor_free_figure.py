"""The figure of `spu_inductor_free`: error, samples, bits, and the time it takes."""

import numpy as np
import xarray as xr

from experiments.figures import style

LABELS = {
    "resistive": "RC, resistors between cells",
    "capacitive": "RC, capacitors between cells",
    "op-amp": "op-amp array, any matrix",
    "rlc": "RLC, for comparison",
}
ERROR_PUBLISHED = 0.02
"""STATED in press coverage; circuit, samples and bits behind it are not known."""


def _draw_samples(ax, dataset: xr.Dataset) -> None:
    n = dataset.n_samples
    for circuit in dataset.circuit.to_numpy():
        one, label = dataset.sel(circuit=circuit), LABELS[circuit]
        dots = style.band(ax, n, 100 * one.error, label=label, **style.DOTS)
        ax.plot(n, 100 * one.expected.median("board"), color=dots.get_color())
    ax.plot([], [], color="0.3", label="theory")
    style.published_line(ax, 100 * ERROR_PUBLISHED, "about 2 % (press)")
    title = f"{dataset.assumed_bits}-bit components, RC = {dataset.assumed_rc:g} µs"
    ax.set(xscale="log", xlabel="samples N (12 MHz)", title=title)
    style.decades(ax)
    ax.set_ylabel("relative Frobenius error (%)")
    ax.legend(loc="upper right")


def _draw_bits(ax, dataset: xr.Dataset) -> None:
    shown = [c for c in dataset.circuit.to_numpy() if c != "rlc"]
    for i, circuit in enumerate(shown):
        floor = 100 * dataset.floor.sel(circuit=circuit)
        look = {"marker": "os^"[i], "linestyle": ("-", "--", "-")[i]}
        style.band(ax, dataset.bits, floor, label=LABELS[circuit], **look)
    style.published_line(ax, 100 * ERROR_PUBLISHED, "about 2 % (press)")
    style.decades(ax)
    ax.set(xlabel="bits of every component", ylabel="error (%)")
    ax.set_ylim(top=150)
    ax.set_title("Infinitely many samples")
    ax.legend()


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
    ax.legend(loc="upper left", labelcolor="white")


def _draw_needed(ax, dataset: xr.Dataset) -> None:
    place = np.arange(dataset.sizes["circuit"])[::-1]
    fine = dataset.needed_fine
    coarse = dataset.needed.sel(bits=dataset.assumed_bits)
    per_ms = 12_000.0
    kinds = {"ideal": (fine, 0.2), f"{dataset.assumed_bits}-bit": (coarse, -0.2)}
    for kind, (needed, shift) in kinds.items():
        ms = needed.fillna(0) / per_ms
        bars = ax.barh(place + shift, ms, 0.38, label=f"{kind} components")
        texts = ["never" if np.isnan(n) else f"{n:,.0f} samples" for n in needed.values]
        ax.bar_label(bars, texts, padding=2, fontsize=7)
    short = {"resistive": "RC,\nresistors", "capacitive": "RC,\ncapacitors"}
    short |= {"op-amp": "op-amps", "rlc": "RLC"}
    names = [short.get(c, c) for c in dataset.circuit.to_numpy()]
    ax.set(yticks=place, yticklabels=names, ylim=(-1.2, len(names) - 0.5))
    ax.set(xlabel="run at 12 MHz (ms)", title="Time until the error is 2 %")
    ax.set_xlim(right=1.45 * float(np.nanmax([fine.max(), coarse.max()])) / per_ms)
    ax.legend(loc="lower right")


_ROWS = [_draw_samples, _draw_bits], [_draw_plane, _draw_needed]
plot = style.panels((9.5, 7.4), _ROWS)
