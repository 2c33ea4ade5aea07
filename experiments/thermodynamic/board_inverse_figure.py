"""The figure of an inverse: exact and found, entry by entry, and where it errs."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments.figures import style
from experiments.thermodynamic.board_inverse import Inverse, Setup


def _seen(found: Inverse) -> str:
    """What errs most, and what would pay."""
    floor, chance = 100 * found.floor, 100 * found.statistical
    settled = found.errors[np.isfinite(found.errors)]
    middle = f"{100 * np.median(settled):.2g} %" if len(settled) else "none settles"
    cure = "a better board pays" if floor > chance else "a longer wait pays"
    return (
        f"Bits and tolerance leave {floor:.2g} % after endless time, chance adds "
        f"{chance:.2g} %: {cure} first. Expected together {100 * found.expected:.2g} % "
        f"(half of such boards err less), found (median): {middle}."
    )


@style.styled
def draw(found: Inverse, setup: Setup, title: str) -> Figure:
    """Exact inverse, that of the first board, and errors expected and found.

    Args:
        found: on the boards.
        setup: of the boards.
        title: for the caption.
    """
    figure = Figure(figsize=(7.0, 7.0))
    grid: Any = figure.subplot_mosaic([["exact", "found"], ["errors", "errors"]])
    left, middle, right = (grid[name] for name in ("exact", "found", "errors"))
    top = float(np.abs(found.exact).max())
    look = {"cmap": "RdBu_r", "vmin": -top, "vmax": top, "interpolation": "nearest"}
    left.imshow(found.exact, **look)
    settled = [x for x in found.found if np.isfinite(x).all()]
    image = middle.imshow((settled or found.found)[0], **look)
    style.colorbar(middle, image, "entry of the inverse (units of the file)")
    left.set(title="exact", xlabel="column", ylabel="row")
    middle.set(title="first board that settles", xlabel="column", ylabel="row")
    for axes in (left, middle):
        axes.grid(visible=False)
    _errors(right, found, setup)
    n = len(found.exact)
    caption = (
        f"{title}: {n} x {n} on {found.cells} cells: {found.preparation}; "
        f"{setup.reads:,} reads in {setup.time:,g} µs, "
        f"{setup.bits} bits, tolerance {setup.tolerance:.1%} (ASSUMED). "
        f"{_seen(found)} Scale: {setup.boards} simulated boards"
    )
    style.told(figure, caption)
    return figure


def _errors(axes, found: Inverse, setup: Setup) -> None:
    parts = {
        f"{setup.bits} bits": found.coarse,
        "bits and\ntolerance": found.floor,
        "chance": found.statistical,
        "expected": found.expected,
    }
    parts = {name: x for name, x in parts.items() if np.isfinite(x)}
    colours = [style.COLOURS[0] if n == "expected" else "0.8" for n in parts]
    bars = axes.bar(list(parts), [100 * x for x in parts.values()], color=colours)
    for bar, name in zip(bars, parts, strict=True):
        bar.set_hatch("///" if name == "expected" else "")
    settled = 100 * found.errors[np.isfinite(found.errors)]
    each = np.full(len(settled), len(parts))
    look = {**style.DOTS, "color": style.COLOURS[1]}
    axes.plot(each, settled, **look, label=f"{len(settled)} of {setup.boards} boards")
    axes.set_xticks([*range(len(parts) + 1)], [*parts, "found"])
    axes.set(yscale="log")
    axes.set(title="error of the inverse", ylabel="relative error, Frobenius (%)")
    style.key(axes, drop=40)
