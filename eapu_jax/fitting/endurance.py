"""How many pulses cells endure, from windows as cycles pass."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

from eapu_jax.devices import Wearing
from eapu_jax.fitting.coordinates import Coordinate, number
from eapu_jax.fitting.shared import SharedFit, shared_fit
from eapu_jax.fitting.traces import Endurance

PULSES_PER_CYCLE = 2.0
"""One upwards, one downwards. ASSUMED."""
WORN = 0.5
"""Share of its first window below which a cell is worn out. ASSUMED."""


def fit_endurance(measured: Endurance) -> SharedFit:
    r"""Median and spread of a lognormal endurance, from when windows closed.

    A cell is worn out once its window is below half of its first. That happened
    between two readings, or after the last: the likelihood is that of censored
    intervals,

    $$ L = \prod_i \left[\Phi\left(\tfrac{\ln n_i'' - \mu}{\sigma}\right)
       - \Phi\left(\tfrac{\ln n_i' - \mu}{\sigma}\right)\right] $$

    with $n'' = \infty$ for cells that never did. Where none did, nothing but the weak
    prior bounds the median from above, and its error says so.

    Example:
        >>> import numpy as np
        >>> life = 1e4 * np.exp(0.4 * np.random.default_rng(0).normal(size=200))
        >>> cycle = np.geomspace(1e2, 1e5, 40)
        >>> high = np.where(cycle < life[:, None] / 2, 9.0, 1.0)
        >>> fit = fit_endurance(Endurance(cycle=cycle, low=0 * high, high=high))
        >>> bool(abs(fit.values["endurance"] - 1e4) < 5 * fit.errors["endurance"])
        True
    """
    before, after = closed(measured)
    last = float(measured.cycle[-1]) * PULSES_PER_CYCLE
    failed = np.isfinite(after)
    middle = np.sqrt(np.maximum(before, 1) * np.where(failed, after, last))
    free = {
        "endurance": Coordinate("number", math.log(last), 6.0),
        "spread": number(0.5, 1.5),
    }
    start = {"endurance": float(np.exp(np.mean(np.log(middle)))), "spread": 0.5}
    data = (
        np.log(np.maximum(before, 1e-3)),
        np.log(np.where(failed, after, 1)),
        failed,
    )
    return shared_fit("Wearing", free, start, _cost, data, readings=len(before))


def closed(measured: Endurance) -> tuple[np.ndarray, np.ndarray]:
    """Pulses after which each window was last open, and first closed (or never: inf).

    Example:
        >>> cycle, high = [1, 10, 100], [[8, 7, 3], [8, 8, 8]]
        >>> before, after = closed(Endurance(cycle=cycle, low=[[0] * 3] * 2, high=high))
        >>> before.tolist(), after.tolist()
        ([20.0, 200.0], [200.0, inf])
    """
    window = measured.high - measured.low
    first = np.array([w[np.isfinite(w)][:1].sum() for w in window])[:, None]
    pulses = measured.cycle * PULSES_PER_CYCLE
    shut = np.isfinite(window) & ~(window >= WORN * first)
    after = np.min(np.where(shut, pulses, np.inf), axis=1)
    still = np.isfinite(window) & (pulses < after[:, None])
    return np.max(np.where(still, pulses, 0.0), axis=1), after


def _cost(values: dict[str, Any], data) -> Any:
    before, after, failed = data
    centre, spread = jnp.log(values["endurance"]), values["spread"]
    a, b = (before - centre) / spread, (after - centre) / spread
    # of the two tails the smaller one, or the difference is lost in rounding
    upper = a + b > 0
    tail = jnp.where(upper, norm.cdf(-a) - norm.cdf(-b), norm.cdf(b) - norm.cdf(a))
    between = jnp.log(jnp.maximum(jnp.where(failed, tail, 1), 1e-300))
    return -jnp.sum(jnp.where(failed, between, norm.logsf(a)))


def worn(device: Any, fit: SharedFit) -> Wearing:
    """The device that wears out as was found."""
    return Wearing(device=device, **fit.values)
