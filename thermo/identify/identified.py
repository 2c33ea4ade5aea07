"""What was found of a board: component values, how well they are known, tolerances."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thermo.circuits.board import AbstractBoard
from thermo.identify.components import UNITS, Component
from thermo.identify.quantiles import check_level, chi_squared, sigmas
from thermo.identify.scoring import LEAST

VAGUE = 0.5
"""Standard error of a log factor from which a component counts as not identified: a
Gaussian interval of a factor of 2.7 on either side says nothing."""


class Interval(NamedTuple):
    """An estimate and the ends of its confidence interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Identified:
    """The most likely components of a board.

    Attributes:
        boards: as they are, one for each setting. Components that were not identified
            have values that fit, not their own.
        sought: components, in the order of all that follows.
        nominal: values that the search began with, `(n,)`.
        log_factors: logarithm of what is over what was nominal, `(n,)`.
        information: expected Fisher information about the log factors, `(n, n)`.
        log_likelihood: of the record.
        converged: whether the most likely values were found.
    """

    boards: tuple[AbstractBoard, ...]
    sought: tuple[Component, ...]
    nominal: np.ndarray
    log_factors: np.ndarray
    information: np.ndarray
    log_likelihood: float
    converged: bool

    @property
    def board(self) -> AbstractBoard:
        """The board as it is, at the first setting."""
        return self.boards[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the components sought."""
        return tuple(map(str, self.sought))

    @property
    def units(self) -> tuple[str, ...]:
        """Of the values."""
        return tuple(UNITS[c.field] for c in self.sought)

    @property
    def covariance(self) -> np.ndarray:
        """Of the log factors, `(n, n)`: the inverse of the information."""
        values, vectors = np.linalg.eigh(self.information)
        least = len(values) * np.finfo(float).eps * max(values[-1], 1e-300)
        return vectors / np.maximum(values, least) @ vectors.T

    @property
    def standard_errors(self) -> np.ndarray:
        """Of the log factors, `(n,)`; relative errors of the values where small."""
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def unidentified(self) -> tuple[str, ...]:
        """Names of components that the record says nothing of.

        From voltages alone no board has an absolute impedance: all capacitors and
        conductances s times as large, noise s^2 times as strong, look alike. One
        component has to be known.
        """
        vague = self.standard_errors > VAGUE
        return tuple(n for n, v in zip(self.names, vague, strict=True) if v)

    @property
    def values(self) -> np.ndarray:
        """Of the components, `(n,)`, NaN where not identified."""
        vague = self.standard_errors > VAGUE
        return np.where(vague, np.nan, self.nominal * np.exp(self.log_factors))

    def intervals(self, level: float = 0.95) -> np.ndarray:
        """Confidence interval of every value, `(n, 2)`, NaN where not identified.

        Symmetric in the logarithm: a component is positive.

        Raises:
            ValueError: if `level` does not lie between 0 and 1.
        """
        check_level(level)
        errors = self.standard_errors
        off = sigmas(level) * np.where(errors > VAGUE, np.nan, errors)
        return self.values[:, None] * np.exp(np.stack([-off, off], -1))

    def tolerances(self, level: float = 0.95) -> dict[str, Interval]:
        r"""Rms spread of each kind of component about its nominal value.

        With log factors $\delta \sim \mathcal N(0, \sigma^2 + V)$, V the covariance of
        their estimate, $Q(\sigma) = \delta^\mathsf T (\sigma^2 + V)^{-1} \delta$ is
        chi-squared: the interval holds all $\sigma$ whose Q is likely, the estimate has
        its Q at the mean. 0 where errors of estimation explain all.

        Returns:
            Kind, as of `Tolerances`, to its spread; kinds with nothing identified are
            left out.

        Raises:
            ValueError: if `level` does not lie between 0 and 1.
        """
        check_level(level)
        kinds = {n: self.boards[0].component_kinds.get(n, "") for n in UNITS}
        found = {}
        for kind in dict.fromkeys(filter(None, kinds.values())):
            chosen = [
                i
                for i, (c, e) in enumerate(
                    zip(self.sought, self.standard_errors, strict=True)
                )
                if kinds[c.field] == kind and e <= VAGUE
            ]
            if chosen:
                v = self.covariance[np.ix_(chosen, chosen)]
                found[kind] = _spread(self.log_factors[chosen], v, level)
        return found

    def directions(self) -> np.ndarray:
        """Log factors that may be added without a record that tells, `(n, m)`."""
        values, vectors = np.linalg.eigh(self.information)
        return vectors[:, values <= LEAST]


def _spread(off: np.ndarray, covariance: np.ndarray, level: float) -> Interval:
    values, vectors = np.linalg.eigh(covariance)
    along = (vectors.T @ off) ** 2

    def at(q: float) -> float:
        """The spread whose Q is q, by bisection of a falling function."""
        low, high = 0.0, float(np.sqrt(along.sum() / q))
        if not (along / np.maximum(values, 1e-300)).sum() > q:
            return 0.0
        for _ in range(100):
            middle = (low + high) / 2
            more = (along / (middle**2 + values)).sum() > q
            low, high = (middle, high) if more else (low, middle)
        return (low + high) / 2

    n, tail = len(off), (1 - level) / 2
    ends = (at(chi_squared(n, q)) for q in (1 - tail, tail))
    return Interval(at(float(n)), *ends)
