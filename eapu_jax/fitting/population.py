"""From many devices, each found with an error, to a nominal one and its spread."""

from typing import NamedTuple

import numpy as np


class Population(NamedTuple):
    """How one constant is distributed over devices.

    Attributes:
        mean: of the constant over devices, in its unit.
        mean_error: its standard error; infinite where no device tells it.
        sigma: relative spread, as in `Spread`; None where a ratio means nothing.
        sigma_error: its standard error.
    """

    mean: float
    mean_error: float
    sigma: float | None
    sigma_error: float | None


def population(values: np.ndarray, errors: np.ndarray) -> Population:
    r"""The distribution of a constant that was found in every device with an error.

    With $x = \ln|c|$ found with the error $s = e / |c|$, the variance between devices
    is the $\tau^2$ at which

    $$ \sum_i (x_i - \bar x)^2 / (\tau^2 + s_i^2) = n - 1 $$

    (Paule and Mandel's equation, $\bar x$ weighted by the same), 0 where even
    $\tau = 0$ is too much; so an error is not taken for a spread. The mean of the
    constant is that of a lognormal law. Where signs differ, only the mean is given.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> errors = np.full(4000, 0.3)
        >>> true = 5.0 * np.exp(0.1 * rng.normal(size=4000))
        >>> found = population(true + errors * rng.normal(size=4000), errors)
        >>> bool(abs(found.sigma - 0.1) < 5 * found.sigma_error)
        True
    """
    sound = np.isfinite(values) & np.isfinite(errors)
    c, e = np.asarray(values, float)[sound], np.asarray(errors, float)[sound]
    if not c.size:
        some = values[np.isfinite(values)]
        unknown = float("inf") if some.size else float("nan")
        mean = float(np.mean(some)) if some.size else float("nan")
        return Population(mean, unknown, None, None)
    if c.size == 1 or not (np.all(c > 0) or np.all(c < 0)):
        tau2, mean, error = _between(c, e) if c.size > 1 else (0.0, c[0], e[0])
        return Population(float(mean), float(error), None, None)
    tau2, mean, error = _between(np.log(np.abs(c)), e / np.abs(c))
    centre = np.sign(c[0]) * np.exp(mean + tau2 / 2)
    scatter = np.sqrt(2 / np.sum(1 / (tau2 + (e / c) ** 2) ** 2))
    sigma = np.sqrt(tau2)
    sigma_error = scatter / (2 * sigma) if sigma > 0 else np.sqrt(scatter)
    centre_error = abs(centre) * np.hypot(error, scatter / 2)
    return Population(
        float(centre), float(centre_error), float(sigma), float(sigma_error)
    )


def _between(x: np.ndarray, s: np.ndarray) -> tuple[float, float, float]:
    """Variance between devices, weighted mean and its standard error."""
    s2 = np.maximum(s**2, 1e-300)

    def excess(tau2: float) -> float:
        weight = 1 / (tau2 + s2)
        mean = np.sum(weight * x) / np.sum(weight)
        return float(np.sum(weight * (x - mean) ** 2)) - (x.size - 1)

    low, high = 0.0, float(np.var(x, ddof=1))
    if excess(0.0) <= 0 or high == 0:
        tau2 = 0.0
    else:
        for _ in range(100):  # the excess falls with the variance
            tau2 = (low + high) / 2
            low, high = (tau2, high) if excess(tau2) > 0 else (low, tau2)
        tau2 = (low + high) / 2
    weight = 1 / (tau2 + s2)
    return (
        tau2,
        float(np.sum(weight * x) / np.sum(weight)),
        float(np.sum(weight) ** -0.5),
    )
