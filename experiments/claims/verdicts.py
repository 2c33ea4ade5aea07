"""What was published, what we find, and a verdict that is computed.

A claim about a value is *reproduced* when the published value lies in our band;
a claim about a tendency (larger, growing, below a bound) can at best be a
*trend reproduced*: the setting is smaller than the published one, so equal
numbers are not to be expected, but the order of things is. The functions here
are the only source of verdicts.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

__all__ = [
    "MEANINGS",
    "STAKE",
    "VERDICTS",
    "Claim",
    "above",
    "at_stake",
    "below",
    "both",
    "judged",
    "monotone",
    "not_attempted",
    "nothing_published",
    "spread",
    "within",
    "within_reach",
]

MEANINGS = {
    "reproduced": "the published value lies in our band",
    "trend reproduced": "a bound or an order that was published holds here, over the "
    "whole band, or constants that we chose to meet a value meet it",
    "not reproduced": "it does not, at this scale",
    "not attempted": "nothing here could show it",
}
"""What each verdict says, best first."""

VERDICTS = tuple(MEANINGS)
NUMBERS = ("published", "ours", "low", "high")
_REPRODUCED, _TREND, _NOT, _UNTRIED = VERDICTS
STAKE = 5.0
"""So many times what is forgiven must there be to lose. Ours."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One published statement beside our number.

    Attributes:
        claim: the statement, in words.
        source: paper and figure or table.
        published: the published value; None if only a tendency is stated.
        ours: our value; None if not attempted.
        low: lower end of our band (over chips, seeds).
        high: its upper end.
        unit: of the values; "" if they have none.
        scale: "reduced", "full" or what else was computed.
        verdict: by one of the rules of this module.
    """

    claim: str
    source: str
    published: float | None
    ours: float | None
    low: float | None
    high: float | None
    unit: str
    scale: str
    verdict: str

    def __post_init__(self):
        """Refuse verdicts that no rule returns, and bands upside down."""
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict = {self.verdict!r}: one of {VERDICTS}")
        for name in NUMBERS:
            if getattr(self, name) is not None:
                _require_number(name, getattr(self, name))
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low = {self.low} is above high = {self.high}")


def within(published: float, low: float, high: float, *, tolerance: float = 0.0) -> str:
    """Judge a value: is it in our band, widened by `tolerance` on both sides?

    Example:
        >>> within(0.93, 0.925, 0.941), within(0.99, 0.925, 0.941)
        ('reproduced', 'not reproduced')
    """
    _require_band(low, high)
    _require_number("published", published)
    _require_number("tolerance", tolerance)
    if not tolerance >= 0:
        raise ValueError(f"tolerance = {tolerance}: at least 0")
    if low - tolerance <= published <= high + tolerance:
        return _REPRODUCED
    return _NOT


def within_reach(
    published: float, low: float, high: float, *, tolerance: float = 0.0
) -> str:
    """Judge a value that constants ASSUMED here were chosen to meet: a trend at best.

    Example:
        >>> within_reach(0.93, 0.925, 0.941), within_reach(0.99, 0.925, 0.941)
        ('trend reproduced', 'not reproduced')
    """
    return both(_TREND, within(published, low, high, tolerance=tolerance))


def below(bound: float, low: float, high: float) -> str:
    """Judge "less than `bound`": our whole band must be.

    The bound may be the low end of another band.

    Example:
        >>> below(0.35, 0.21, 0.28), below(0.35, 0.3, 0.4)
        ('trend reproduced', 'not reproduced')
    """
    _require_band(low, high)
    _require_number("bound", bound)
    return _TREND if high < bound else _NOT


def above(bound: float, low: float, high: float) -> str:
    """Judge "more than `bound`": our whole band must be."""
    _require_band(low, high)
    _require_number("bound", bound)
    return _TREND if low > bound else _NOT


def at_stake(bound: float, low: float, high: float) -> str:
    """Judge whether "loses less than `bound`" says anything: there is enough to lose.

    What has learnt next to nothing loses next to nothing. So this goes with such a
    claim, as one of its `also`.

    Args:
        bound: what may be lost.
        low: by what the training that is compared with beats chance, low end.
        high: high end.

    Example:
        >>> at_stake(4.0, 70.0, 75.0), at_stake(4.0, -0.5, 3.0)
        ('trend reproduced', 'not reproduced')
    """
    return above(STAKE * bound, low, high)


def monotone(
    values: Sequence[float], *, rising: bool = True, slack: float = 0.0
) -> str:
    """Judge "grows (falls) along the sweep", steps back of `slack` forgiven.

    The ends must differ, in the right direction, by more than `slack`.

    Example:
        >>> monotone([1.0, 2.0, 1.9, 3.0], slack=0.2), monotone([1.0, 1.0])
        ('trend reproduced', 'not reproduced')
    """
    if isinstance(values, str) or not np.iterable(values):
        raise ValueError(f"values = {values!r}: a sequence of numbers")
    for value in values:
        _require_number("values", value)
    _require_number("slack", slack)
    if slack < 0:
        raise ValueError(f"slack = {slack}: at least 0")
    sign = 1.0 if rising else -1.0
    steps = [sign * (b - a) for a, b in itertools.pairwise(values)]
    if not steps:
        raise ValueError(f"values = {list(values)}: at least two are needed")
    holds = all(step >= -slack for step in steps) and sum(steps) > slack
    return _TREND if holds else _NOT


def both(*verdicts: str) -> str:
    """The weakest of several verdicts on one claim.

    Example:
        >>> both("reproduced", "trend reproduced")
        'trend reproduced'
    """
    if not verdicts or any(verdict not in VERDICTS for verdict in verdicts):
        raise ValueError(f"verdicts = {verdicts!r}: some of {VERDICTS}")
    return VERDICTS[max(VERDICTS.index(verdict) for verdict in verdicts)]


def spread(values: xr.DataArray, tail: float = 0.0) -> tuple[float, float, float]:
    """Low end, median and high end of a population; NaN, a diverged chip, is left out.

    Args:
        values: of the chips or boards.
        tail: fraction beyond either end.
    """
    low, middle, high = np.nanquantile(values, [tail, 0.5, 1 - tail])
    return float(low), float(middle), float(high)


def judged(
    dataset: xr.Dataset,
    claim: str,
    source: str,
    found: xr.DataArray | tuple[float, float, float],
    rule: Callable[[float, float], str],
    *,
    tail: float = 0.0,
    also: Sequence[str] = (),
    unit: str = "",
    published: float | None = None,
) -> Claim:
    """A published statement, and what a rule says of it.

    Args:
        dataset: what was derived; its scale is that of the claim.
        claim: the statement.
        source: where it was published.
        found: of the chips or boards; or low end, our value, high end.
        rule: `rule(low, high)`, such as `partial(above, 60.0)`.
        tail: fraction of the chips beyond either end.
        also: verdicts on other parts of the statement: the weakest counts.
        unit: of the values.
        published: the published value.
    """
    whole = isinstance(found, xr.DataArray)
    low, ours, high = spread(found, tail) if whole else found
    return Claim(
        claim=claim,
        source=source,
        published=published,
        ours=ours,
        low=low,
        high=high,
        unit=unit,
        scale=dataset.attrs.get("scale", "reduced"),
        verdict=both(rule(low, high), *also),
    )


def nothing_published(dataset: xr.Dataset) -> list[Claim]:
    """The `claims` of an experiment whose figure nobody has published."""
    del dataset
    return []


def not_attempted(
    claim: str, source: str, published: float | None = None, unit: str = ""
) -> Claim:
    """A published statement that we have not tested, so that the table says so."""
    return Claim(
        claim=claim,
        source=source,
        published=published,
        ours=None,
        low=None,
        high=None,
        unit=unit,
        scale="",
        verdict=_UNTRIED,
    )


def _require_number(name: str, value: Any) -> None:
    """Refuse what is no real number. NaN is one: it is in no band."""
    try:
        told_apart = isinstance(value, bool | str | bytes) or np.iscomplexobj(value)
        number = None if told_apart else float(value)
    except (TypeError, ValueError):
        number = None
    if number is None:
        raise ValueError(f"{name} = {value!r}: must be a real number")


def _require_band(low: float, high: float) -> None:
    _require_number("low", low)
    _require_number("high", high)
    if math.isnan(low) or math.isnan(high) or low > high:
        raise ValueError(f"low = {low}, high = {high}: a band needs low <= high")
