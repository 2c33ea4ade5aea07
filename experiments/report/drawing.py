"""Figures for a page: crisp at any size, and described in words."""

import base64
import io
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures.style import STYLE, said

__all__ = ["Drawing", "describe", "drawing"]

_HEAVY = 1_000_000
"""Bytes from which lines and letters weigh more than pixels would."""


class Drawing(NamedTuple):
    """A figure as a page holds it.

    Attributes:
        url: a data URL, so that nothing has to be fetched.
        alt: the figure in words.
        caption: what stands under it, which a telephone shows small.
        width: at its natural size, CSS pixels.
        height: the same.
    """

    url: str
    alt: str
    caption: str
    width: int
    height: int


def drawing(figure: Figure) -> Drawing:
    """Draw as SVG; as PNG if the SVG weighs more than a megabyte."""
    kind, content = "svg+xml", _bytes(figure, "svg", {"Date": None})
    if len(content) > _HEAVY:
        kind, content = "png", _bytes(figure, "png", {})
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    url = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return Drawing(url, describe(figure), said(figure), width, height)


def describe(figure: Figure) -> str:
    """What the axes and the legends say, for those who do not see the figure.

    Example:
        >>> figure = Figure()
        >>> axes = figure.add_subplot(title="accuracy", xlabel="noise", ylabel="%")
        >>> _ = axes.plot([1, 2], label="EaPU"), axes.legend()
        >>> describe(figure)
        'One panel. accuracy: % against noise; EaPU.'
    """
    panels = [text for axes in figure.axes if (text := _panel(axes))]
    keys = [t.get_text() for legend in figure.legends for t in legend.get_texts()]
    panels += [f"For all: {', '.join(keys)}"] if keys else []
    count = "One panel" if len(panels) == 1 else f"{len(panels)} panels"
    return " ".join([f"{count}.", *(f"{text}." for text in panels)])


def _panel(axes: Axes) -> str:
    x, y = axes.get_xlabel(), axes.get_ylabel()
    plane = f"{y} against {x}" if x and y else x or y
    legend = axes.get_legend()
    entries = [t.get_text() for t in legend.get_texts()] if legend else []
    named = ": ".join(filter(None, [axes.get_title(), plane]))
    return "; ".join(filter(None, [named, ", ".join(entries)])).replace("\n", " ")


def _bytes(figure: Figure, kind: str, metadata: dict) -> bytes:
    content = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(content, format=kind, metadata=metadata)
    return content.getvalue()
