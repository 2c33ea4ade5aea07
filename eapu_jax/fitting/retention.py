"""How devices lose what they hold, from readings as time passes."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from eapu_jax.devices import ExponentialRetention, PowerRetention
from eapu_jax.fitting.coordinates import Coordinate, place
from eapu_jax.fitting.shared import SharedFit, shared_fit
from eapu_jax.fitting.traces import Retention


def fit_retention(measured: Retention) -> tuple[SharedFit, ...]:
    r"""Both laws of retention fitted to all devices at once; the better one first.

    Every device falls from a place of its own towards a level that all share, by one
    law of time, and is read with one noise:

    $$ g_i(t) = g_\infty + a_i\,d(t) + \mathcal N(0, \sigma^2), \qquad
       d(t) = e^{-t/\tau} \text{ or } (1 + t / t_0)^{-\nu} $$

    The $a_i$ and $\sigma$ are eliminated by least squares. Priors are weak: the level
    about the range that was read, the times within some decades of those measured.

    Example:
        >>> import numpy as np
        >>> time, start = np.array([0, 1, 3, 10, 30, 100.0]), np.array([[40.0], [60.0]])
        >>> g = 10 + (start - 10) * np.exp(-time / 20)
        >>> noise = 0.1 * np.random.default_rng(0).normal(size=g.shape)
        >>> best = fit_retention(Retention(time=time, g=g + noise))[0]
        >>> best.family, round(best.values["time_constant"])
        ('ExponentialRetention', 20)
    """
    low, high = np.nanmin(measured.g), np.nanmax(measured.g)
    middle, half = (low + high) / 2, max((high - low) / 2, 1e-12)
    x = (measured.g - middle) / half
    there = np.isfinite(x)
    data = (measured.time, np.where(there, x, 0.0), there)
    first = float(measured.time[measured.time > 0][0])
    last = float(measured.time[-1])
    centre = math.sqrt(first * last)
    end = float(np.nanmean(x[:, -1])) if there[:, -1].any() else 0.0
    fits = []
    for name, free, start in (
        (
            "ExponentialRetention",
            {"level": place(0.0, 2.0), "time_constant": _about(last, 5.0)},
            {"level": end, "time_constant": centre},
        ),
        (
            "PowerRetention",
            {"level": place(0.0, 2.0), "exponent": _about(0.1, 3.0),
             "onset": _about(first, 3.0)},
            {"level": end, "exponent": 0.3, "onset": centre},
        ),
    ):  # fmt: skip
        fits.append(
            shared_fit(
                name, free, start, _COSTS[name], data,
                readings=int(there.sum()), middle=float(middle), half=float(half),
            )
        )  # fmt: skip
    return tuple(sorted(fits, key=lambda fit: fit.information))


def _about(value: float, width: float) -> Coordinate:
    return Coordinate("number", math.log(value), width)


def _cost(decay):
    """Less the logarithm of the likelihood, places and noise eliminated."""

    def cost(values, data):
        time, x, there = data
        d = jnp.where(there, decay(time, values)[None], 0)
        above = jnp.where(there, x - values["level"], 0)
        share = jnp.sum(d * above, axis=1) / (jnp.sum(d * d, axis=1) + 1e-12)
        left = jnp.where(there, above - share[:, None] * d, 0)
        free = jnp.maximum(jnp.sum(there) - x.shape[0], 1).astype(x.dtype)
        return free / 2 * jnp.log(jnp.sum(left**2) / free + 1e-18)

    return cost


_COSTS = {
    "ExponentialRetention": _cost(lambda t, v: jnp.exp(-t / v["time_constant"])),
    "PowerRetention": _cost(
        lambda t, v: jnp.exp(-v["exponent"] * jnp.log1p(t / v["onset"]))
    ),
}
"""One function for each law, so that all measurements of a shape share a program."""


def retained(device: Any, fit: SharedFit) -> Any:
    """The device that leaks as was found; the level within its window."""
    values = dict(fit.values)
    values["level"] = min(
        max(values["level"], float(device.g_min)), float(device.g_max)
    )
    kinds = {
        "ExponentialRetention": ExponentialRetention,
        "PowerRetention": PowerRetention,
    }
    return kinds[fit.family](device=device, **values)
