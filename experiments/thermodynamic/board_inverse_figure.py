"""The figure of an inverse: exact and found, entry by entry, and where it errs."""

import textwrap

import numpy as np
from matplotlib.figure import Figure

from experiments.figures import style
from experiments.thermodynamic.board_inverse import Inverse, Setup

NOTE = (
    "right: what bits and tolerance leave after endless time, what chance adds to "
    "it, both together (half of such boards err less), and the boards that were "
    "simulated. Where the floor towers over chance, a better board pays and a longer "
    "wait does not"
)


@style.styled
def draw(found: Inverse, setup: Setup, title: str) -> Figure:
    """Exact inverse, that of the first board, and errors expected and found.

    Args:
        found: on the boards.
        setup: of the boards.
        title: for the caption.
    """
    figure = Figure(figsize=(11.0, 3.9))
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.3))
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
        f"{setup.bits} bits, tolerance {setup.tolerance:.1%} (ASSUMED); {NOTE}"
    )
    text = textwrap.fill(caption, int(figure.get_figwidth() * 17))
    figure.supxlabel(text, fontsize=6.5, color="0.35", x=0.01, ha="left")
    return figure


def _errors(axes, found: Inverse, setup: Setup) -> None:
    parts = {
        f"{setup.bits} bits": found.coarse,
        "bits and\ntolerance": found.floor,
        "chance": found.statistical,
        "expected": found.expected,
    }
    parts = {name: x for name, x in parts.items() if np.isfinite(x)}
    colours = [style.COLOURS[0] if n == "expected" else "0.7" for n in parts]
    axes.bar(list(parts), [100 * x for x in parts.values()], color=colours)
    settled = 100 * found.errors[np.isfinite(found.errors)]
    each = np.full(len(settled), len(parts))
    look = {**style.DOTS, "color": style.COLOURS[1]}
    axes.plot(each, settled, **look, label=f"{len(settled)} of {setup.boards} boards")
    axes.set_xticks([*range(len(parts) + 1)], [*parts, "found"])
    axes.set(yscale="log")
    axes.set(title="error of the inverse", ylabel="relative error, Frobenius (%)")
    axes.legend()
