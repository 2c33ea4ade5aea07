"""Constants that all devices share, fitted to all readings at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from eapu_jax.checks import number
from eapu_jax.fitting.coordinates import Coordinate, prior


@dataclass(frozen=True, kw_only=True)
class SharedFit:
    r"""One family, with one set of constants for all devices.

    Attributes:
        family: its name.
        free: how the constants were searched for, by name.
        values: the constants.
        errors: their standard errors.
        information: of Bayes, $-2 \ln L + p \ln n$; the smaller, the better.
        converged: whether the search ended at a maximum.
    """

    family: str
    free: Mapping[str, Coordinate]
    values: Mapping[str, float]
    errors: Mapping[str, float]
    information: float
    converged: bool

    def intervals(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Ends of the confidence intervals, by name.

        Args:
            level: share of intervals that hold the constant.
        """
        number("level", level, above=0, under=1)
        sigmas = NormalDist().inv_cdf((1 + level) / 2)
        ends = {
            n: c.interval(
                np.asarray(self.values[n]), np.asarray(self.errors[n]), sigmas
            )
            for n, c in self.free.items()
        }
        return {n: (float(low), float(high)) for n, (low, high) in ends.items()}


def shared_fit(
    family: str,
    free: Mapping[str, Coordinate],
    start: Mapping[str, float],
    cost: Callable[..., Any],
    data: Any,
    *,
    readings: int,
    middle: float = 0.0,
    half: float = 1.0,
) -> SharedFit:
    """Minimise a cost, less the logarithm of a likelihood, in double precision.

    Args:
        family: what is fitted.
        free: how each constant is searched for, in the order of the search.
        start: where to begin, in units of half the range about its middle.
        cost: of the constants (in the same units, by name) and the data; the same
            function for all measurements, which then share a program.
        data: arrays.
        readings: how many readings the cost is made of.
        middle: of the range, in the unit of the constants that are places.
        half: half its width.
    """
    with jax.enable_x64(True):
        first = jnp.stack(
            [jnp.asarray(c.back(jnp.asarray(start[n], float))) for n, c in free.items()]
        )
        kinds = tuple((n, c.kind) for n, c in free.items())
        search = _searched(cost, kinds)
        found, curvature, told, ended = search(first, data, prior(dict(free)))
        held = {
            n: jax.value_and_grad(lambda u, c=c: c.value(u, middle, half))(found[k])
            for k, (n, c) in enumerate(free.items())
        }
        # by name: a tree would sort them, and give each the error of another
        held = {n: (float(value), float(slope)) for n, (value, slope) in held.items()}
        curvature, told = np.asarray(curvature), float(told)
    covariance = np.linalg.pinv(curvature)
    sound = bool(ended) and bool(np.all(np.linalg.eigvalsh(curvature) > 0))
    deviations = np.sqrt(np.abs(np.diag(covariance)))
    price = len(free) * np.log(max(readings, 1))
    pairs = zip(held.items(), deviations, strict=True)
    return SharedFit(
        family=family,
        free=free,
        values={n: value for n, (value, _) in held.items()},
        errors={n: float(abs(slope) * s) for (n, (_, slope)), s in pairs},
        information=2 * told + float(price),
        converged=sound,
    )


@cache
def _searched(cost, kinds: tuple[tuple[str, str], ...]):
    """The search, compiled: the point, the curvature there, the cost, the end.

    One program for all measurements of a shape: what is known before is an argument.
    """
    import optimistix as optx  # a third of a second, for those who fit

    free = {name: Coordinate(kind, 0.0, 1.0) for name, kind in kinds}

    def one(start, data, known):
        def alone(u, data):
            values = {n: c.value(u[k]) for k, (n, c) in enumerate(free.items())}
            return cost(values, data)

        def whole(u, args):
            data, (centre, width) = args
            return alone(u, data) + jnp.sum(((u - centre) / width) ** 2) / 2

        found = optx.minimise(
            whole, optx.BFGS(rtol=1e-9, atol=1e-6), start, (data, known),
            max_steps=500, throw=False,
        )  # fmt: skip
        curvature = jax.hessian(whole)(found.value, (data, known))
        ended = found.result == optx.RESULTS.successful
        return found.value, curvature, alone(found.value, data), ended

    return jax.jit(one)
