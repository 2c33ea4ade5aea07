"""What every figure owes its readers: on paper, in grey, on a telephone.

`broken` lists what is wrong with a figure, in words; `lawful` wants nothing wrong. It
looks at what is laid out, not at how: a figure made in any way may be handed over.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.text import Text

from experiments.figures import style

PHONE = 380
"""Pixels of a telephone."""

HIGH = 6
"""Pixels of a letter that is still read there."""

CODES = re.compile(r"`|__|\bnan\b|[a-z]_[a-z]")
"""Of no use to a reader: backticks, names of variables, numbers that are none."""


def lawful(figure: Any) -> None:
    """Refuse a figure that breaks a law."""
    figure.draw_without_rendering()
    wrong = broken(figure)
    assert not wrong, "\n".join(wrong)


def speaks(says: Any, dataset: Any) -> None:
    """A caption tells numbers of its dataset: another one is told otherwise."""
    words = says(dataset)
    assert re.search(r"\d", words), words
    assert not CODES.search(words.replace("eapu_jax", "")), words
    assert says(_changed(dataset)) != words, words


def _changed(dataset: Any) -> Any:
    """The same with every number smaller, each by another share."""
    numbers = [v for v, values in dataset.data_vars.items() if values.dtype.kind == "f"]
    shares = {v: np.linspace(0.5, 0.9, dataset[v].size) for v in numbers}
    return dataset.assign({
        v: dataset[v].copy(data=dataset[v].values * share.reshape(dataset[v].shape))
        for v, share in shares.items()
    })  # fmt: skip


def broken(figure: Any) -> list[str]:
    """What is wrong with a figure that is laid out."""
    laws = (too_small, unsaid, unnamed, alike, covered, crossed, without_unit)
    return [f"{law.__name__}: {what}" for law in laws for what in law(figure)]


def texts(figure: Any) -> list[Text]:
    """All that can be read: no ticks outside the limits, nothing on hidden axes."""
    gone = {id(t) for axes in figure.axes for t in _unseen(axes)}
    return [
        t for t in figure.findobj(Text)
        if t.get_visible() and t.get_text().strip() and id(t) not in gone
        and (t.axes is None or t.axes.get_visible())
    ]  # fmt: skip


def _unseen(axes: Any) -> list[Text]:
    both = (axes.xaxis, axes.yaxis)
    ticks = [t for a in both for t in [*a.majorTicks, *a.minorTicks]]
    shown = [t for a in both for t in a._update_ticks()] if axes.axison else []
    seen = {id(t) for t in shown}
    labels = [text for t in ticks if id(t) not in seen for text in (t.label1, t.label2)]
    return labels + ([] if axes.axison else [axes.xaxis.label, axes.yaxis.label])


def too_small(figure: Any) -> Iterator[str]:
    """Every letter is at least six pixels high where the figure is a phone wide."""
    width = figure.get_figwidth()
    small = min(texts(figure), key=lambda t: t.get_fontsize())
    high = small.get_fontsize() / 72 * PHONE / width
    if high < HIGH:
        yield f"{small.get_text()!r} is {high:.1f} px high on a telephone"


def unsaid(figure: Any) -> Iterator[str]:
    """The caption tells the scale; no text holds a code."""
    if "Scale: " not in style.said(figure):
        yield f"no scale in {figure.get_supxlabel()!r}"
    for text in texts(figure):
        if CODES.search(text.get_text().replace("eapu_jax", "")):
            yield f"a code in {text.get_text()!r}"


def _legends(figure: Any) -> list[Any]:
    own = [a.get_legend() for a in figure.axes if a.get_legend()]
    parts = [figure, *figure.findobj(lambda a: hasattr(a, "subfigs"))]
    return own + list({id(k): k for part in parts for k in part.legends}.values())


def _handles(figure: Any, legend: Any) -> list[Any]:
    """What stands for each name; of bars with a marker, the marker."""
    bars = {
        c.get_label(): c[0]
        for axes in figure.axes
        for c in axes.containers
        if isinstance(c, ErrorbarContainer) and c[0] is not None
    }
    named = zip(legend.legend_handles, legend.get_texts(), strict=True)
    return [bars.get(text.get_text(), handle) for handle, text in named]


def _colour(artist: Any) -> tuple[float, ...]:
    if isinstance(artist, Line2D):
        return to_rgb(artist.get_color())
    shown = np.atleast_2d(artist.get_facecolor())
    edge = np.atleast_2d(artist.get_edgecolor())
    return to_rgb(shown[0] if len(shown) else edge[0])


def unnamed(figure: Any) -> Iterator[str]:
    """A colour that is drawn stands in a key, or in a text of that colour."""
    known = {_colour(h) for k in _legends(figure) for h in _handles(figure, k)}
    known |= {to_rgb(t.get_color()) for t in texts(figure)}
    known |= {to_rgb(a.yaxis.label.get_color()) for a in figure.axes}
    for axes in figure.axes:
        drawn = {_colour(li) for li in axes.lines if np.size(li.get_xdata()) > 1}
        for colour in drawn - known:
            if max(colour) - min(colour) > 0.05 and len(drawn) > 1:
                yield f"{axes.get_title()!r}: no key for {np.round(colour, 2)}"


def alike(figure: Any) -> Iterator[str]:
    """Two entries of a key differ by more than a hue: line, marker, fill or grey."""
    for legend in _legends(figure):
        named = zip(_handles(figure, legend), legend.get_texts(), strict=True)
        for (one, a), (two, b) in itertools.combinations(named, 2):
            apart = abs(_grey(one) - _grey(two)) > 0.2
            if type(one) is type(two) and _look(one) == _look(two) and not apart:
                yield f"in grey {a.get_text()!r} and {b.get_text()!r} are alike"


def _grey(artist: Any) -> float:
    alpha = artist.get_alpha()
    if not isinstance(artist, Line2D):
        face = np.atleast_2d(artist.get_facecolor())
        alpha = to_rgba(face[0])[3] if len(face) else alpha
    grey = float(np.dot(_colour(artist), [0.299, 0.587, 0.114]))
    return 1 - (1 - grey) * (1 if alpha is None else alpha)


def _look(artist: Any) -> tuple:
    if not isinstance(artist, Line2D):
        return (getattr(artist, "get_hatch", lambda: None)(),)
    marker = str(artist.get_marker())
    line = artist._unscaled_dash_pattern if artist.get_linestyle() != "None" else None  # type: ignore[attr-defined]
    hollow = str(artist.get_markerfacecolor()) == "none" and marker != "None"
    wide = artist.get_linewidth() >= 3
    return line, marker, hollow, artist.get_fillstyle(), wide


def covered(figure: Any) -> Iterator[str]:
    """No key lies on a curve."""
    for axes in figure.axes:
        legend = axes.get_legend()
        if legend is None or not axes.get_visible():
            continue
        box = legend.get_window_extent()
        for line in axes.lines:
            if line.get_visible() and _inside(axes, line, box):
                yield f"{axes.get_title()!r}: the key covers {line.get_label()!r}"


def _inside(axes: Any, line: Line2D, box: Any) -> bool:
    at = np.asarray(line.get_transform().transform(line.get_xydata()), float)
    at = at[np.isfinite(at).all(1)]
    if line.get_linestyle() != "None" and len(at) > 1:
        share = np.linspace(0, 1, 30)[:, None, None]
        at = (at[:-1] * (1 - share) + at[1:] * share).reshape(-1, 2)
    seen = axes.bbox.padded(1)
    return any(box.contains(x, y) and seen.contains(x, y) for x, y in at)


def crossed(figure: Any) -> Iterator[str]:
    """No text lies on another or leaves the figure."""
    whole, boxes = figure.bbox.padded(2), []
    for text in texts(figure):
        if text.get_rotation() % 90 == 0:
            box = Text.get_window_extent(text)
            boxes.append((box, text.get_text()))
            if box.x0 < whole.x0 or box.x1 > whole.x1 or box.y0 < whole.y0:
                yield f"{text.get_text()[:60]!r} leaves the figure"
    for (one, a), (two, b) in itertools.combinations(boxes, 2):
        wide = min(one.x1, two.x1) - max(one.x0, two.x0)
        high = min(one.y1, two.y1) - max(one.y0, two.y0)
        if wide > 1 and high > 2:
            yield f"{a[:60]!r} lies on {b[:60]!r}"


def without_unit(figure: Any) -> Iterator[str]:
    """Where numbers stand along an axis, words say of what."""
    for axes in figure.axes:
        if not axes.get_visible() or not axes.axison or not axes.has_data():
            continue
        for name in "xy":
            axis = getattr(axes, f"{name}axis")
            shown = [t.get_text() for t in axis.get_ticklabels() if t.get_visible()]
            numbers = any(re.search(r"\d", t) for t in shown)
            words = any(re.search(r"[a-z]{3}", t) for t in shown if "$" not in t)
            mates = [getattr(a, f"{name}axis") for a in _in_line(figure, axes, name)]
            if numbers and not words and not any(m.label.get_text() for m in mates):
                yield f"{axes.get_title()!r}: nothing is said of {name}"


def _in_line(figure: Any, axes: Any, name: str) -> Iterator[Any]:
    """Axes of the same column (for x) or row (for y): one label says it for all."""
    at, side = axes.get_position(), f"{name}0"
    for other in figure.axes:
        where = other.get_position()
        if abs(getattr(where, side) - getattr(at, side)) < 0.02:
            yield other
