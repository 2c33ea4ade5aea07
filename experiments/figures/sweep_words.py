"""What the figure of a sweep shows, in words and in numbers of its dataset."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy.stats import rankdata

from experiments.figures.outcomes import Outcome, in_words

__all__ = ["missing", "says", "text_of"]


def text_of(value: object) -> str:
    """A number with four digits; anything else without underscores.

    Example:
        >>> text_of(0.123456), text_of("lr_up")
        ('0.1235', 'lr up')
    """
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return f"{value:.4g}" if number else str(value).replace("_", " ")


def missing(dataset: xr.Dataset) -> str:
    """How many values are missing, and in how many chips; nothing if none is."""
    if "reason" not in dataset or not (gone := dataset.reason != 0).any():
        return ""
    told = f"{int(gone.sum())} of {gone.size} values missing"
    if "chip" not in gone.dims:
        return told
    chips = int(gone.any([d for d in gone.dims if d != "chip"]).sum())
    return f"{told}, in {chips} of {gone.sizes['chip']} chips"


def says(outcome: Outcome, dims: Sequence[str]) -> str:
    """What is seen of the first outcome, and what to conclude.

    Args:
        outcome: over the swept dimensions.
        dims: their names.
    """
    name, middle = outcome.name.replace("\n", ", "), outcome.middle
    if not np.isfinite(middle).any():
        return f"No value of {name} is finite"
    long = [d for d in dims if middle.sizes[d] > 1]
    if not long:
        return _of_chips(name, outcome)
    told = [_extremes(name, outcome, long)]
    if long == ["point"]:
        told.append(_ranks(middle))
    elif len(long) == 1:
        told.append(_course(middle, long[0]))
    else:
        told.append(_shares(outcome, long))
    return ". ".join(filter(None, told))


def _unit(outcome: Outcome) -> str:
    return f" {outcome.unit}" if outcome.unit else ""


def _of_chips(name: str, outcome: Outcome) -> str:
    """A distribution: where its half lies, and its ends."""
    unit, middle = _unit(outcome), text_of(outcome.middle.item())
    if outcome.low is None or outcome.high is None:
        return f"{name} is {middle}{unit}"
    low, high = text_of(outcome.low.item()), text_of(outcome.high.item())
    told = f"{name}: median {middle}{unit}, middle half of the chips {low} to {high}"
    if outcome.values is None:
        return told
    ends = text_of(float(outcome.values.min())), text_of(float(outcome.values.max()))
    return f"{told}, all of them {ends[0]} to {ends[1]}"


def _extremes(name: str, outcome: Outcome, long: Sequence[str]) -> str:
    """Where the median is lowest and highest, beside the spread of the chips."""
    middle, unit = outcome.middle, _unit(outcome)
    low, high = middle.isel(middle.argmin(...)), middle.isel(middle.argmax(...))
    apart = float(high - low)
    if apart == 0:
        return f"The median of {name} is {text_of(low.item())}{unit} at every point"
    told = (
        f"The median of {name} is lowest, {text_of(low.item())}{unit}, at "
        f"{_place(low, long)}, and highest, {text_of(high.item())}{unit}, at "
        f"{_place(high, long)}"
    )
    if outcome.low is None or outcome.high is None:
        return told
    spread = float((outcome.high - outcome.low).median())
    if not spread > 0:
        return f"{told}; the middle half of the chips has no width"
    ratio = text_of(float(f"{apart / spread:.2g}"))
    return f"{told}: {ratio} times the middle half of the chips apart"


def _place(one: xr.DataArray, long: Sequence[str]) -> str:
    names = [str(c) for c in one.coords] if list(long) == ["point"] else long
    names = [n for n in names if n != "point" and n in one.coords]
    return ", ".join(_at(one[n], n) for n in names if n != "quantile")


def _at(value: xr.DataArray, name: str) -> str:
    unit = f" {value.attrs['units']}" if "units" in value.attrs else ""
    return f"{in_words(value, name)} {text_of(value.values[()])}{unit}"


def _course(middle: xr.DataArray, x: str) -> str:
    """Whether a curve goes one way; nothing where it is flat or has gaps."""
    if middle[x].dtype.kind not in "fiu" or middle.sizes[x] < 3:
        return ""
    steps = middle.sortby(x).squeeze().diff(x)
    up, down = int((steps > 0).sum()), int((steps < 0).sum())
    if not up + down or not bool(np.isfinite(steps).all()):
        return ""
    name, n = in_words(middle[x], x), steps.size
    if not down or not up:
        return (
            f"It {'falls' if down else 'rises'} with {name} in {up + down} of {n} steps"
        )
    return f"It rises with {name} in {up} of {n} steps and falls in {down}"


def _shares(outcome: Outcome, long: Sequence[str]) -> str:
    """By how much each axis alone moves the median, on average over the others."""
    middle, unit = outcome.middle, _unit(outcome)
    moved = {d: float((middle.max(d) - middle.min(d)).mean()) for d in long}
    most, *less = sorted(moved, key=lambda d: -moved[d])
    told = [f"{in_words(middle[most], most)} moves it by {text_of(moved[most])}{unit}"]
    told += [f"{in_words(middle[d], d)} by {text_of(moved[d])}{unit}" for d in less]
    return f"On average over the other points, {', '.join(told)}"


def _ranks(middle: xr.DataArray) -> str:
    """Rank correlation (Spearman) with each axis of drawn points."""
    told = []
    for name, at in middle.coords.items():
        sound = np.isfinite(middle.values)
        if at.dims != ("point",) or at.dtype.kind not in "fiu" or sound.sum() < 3:
            continue
        ranks = [rankdata(a.values) for a in (at[sound], middle[sound])]
        if all(np.ptp(r) > 0 for r in ranks):
            r = np.corrcoef(*ranks)[0, 1]
            told.append(f"{r:.2f} with {in_words(at, str(name))}")
    return f"Rank correlation {', '.join(told)}" if told else ""
