"""The error of writes that had a target, and the noise of readings at rest."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from eapu_jax.devices import AdditiveError, StateDependentError
from eapu_jax.devices.base import Device
from eapu_jax.fitting.coordinates import Coordinate, number, step
from eapu_jax.fitting.fitted import FamilyFit
from eapu_jax.fitting.misfit import chance, of_variance
from eapu_jax.fitting.traces import Reads, Writes

_BINS = 8  # places where the error is looked at by itself
_ROUNDS = 100


class Written(NamedTuple):
    """A family of devices whose writes aim at a target, one number of which is free.

    Attributes:
        kind: class of the device.
        scale: name of that number; it multiplies `sd`.
        coordinate: how it counts.
        sd: standard deviation of a write where it is 1, of targets and window; µS.
    """

    kind: Callable[..., Device]
    scale: str
    coordinate: Coordinate
    sd: Callable[[np.ndarray, tuple[float, float]], np.ndarray]

    def device(self, means: Mapping[str, float], writes: Writes) -> Any:
        """The device of these constants; its window is the range that was asked for."""
        low, high = _asked(writes)
        if not low < high:
            raise ValueError(
                "Writes.target must ask for more than one conductance, got only "
                f"{low:g}"
            )
        return self.kind(g_min=low, g_max=high, **means)


def _state_dependent(target: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    top = window[1] if window[1] > 0 else 1.0  # else it has no such error: chance 0
    with jax.enable_x64(True):
        device = StateDependentError(g_min=min(window[0], 0.0), g_max=top)
        return np.asarray(device.error_sd(1.0, jnp.asarray(np.clip(target, 0, top))))


WRITTEN: Mapping[str, Written] = {
    "AdditiveError": Written(
        AdditiveError, "write_noise", step(0.01), lambda g, _: np.ones_like(g)
    ),
    "StateDependentError": Written(
        StateDependentError, "noise_scale", number(1.0, 4.0), _state_dependent
    ),
}
"""The families of devices that writes with a target can tell; by name."""


def fit_writes(
    writes: Writes,
    reads: Reads | None = None,
    family: str = "AdditiveError",
    *,
    outliers: float = 1e-3,
) -> FamilyFit:
    r"""The write noise of a family of `WRITTEN`, device by device.

    What landed less what was asked is $\mathcal N(0, c^2 s(g^*)^2 + \sigma_r^2)$ with
    the family's $s$ (1 for `AdditiveError`, whose $c$ is its write noise; the
    published polynomial of one second for `StateDependentError`, over the range that
    was asked for), or with probability $\epsilon$ an outlier anywhere in the range of
    errors: the likelihood has its maximum where $c^2$ is the mean square of the errors
    over $s$, each weighted by the probability that it is clean. The read noise is that
    of readings at rest; without any it counts as write noise. A bias, or an error
    that depends on the target in another way, is what a right family would not leave
    (`shape_chance`, `noise_chance`).

    Raises:
        ValueError: if there is no such family.

    Example:
        >>> import numpy as np
        >>> target = np.linspace(10, 50, 4000)[None]
        >>> landed = target + 2 * np.random.default_rng(0).normal(size=target.shape)
        >>> fit = fit_writes(Writes(target=target, landed=landed))
        >>> round(float(fit.values["write_noise"][0]), 1), fit.adequate
        (2.0, True)
    """
    if family not in WRITTEN:
        raise ValueError(f"family must be one of {', '.join(WRITTEN)}, got {family!r}")
    about, window = WRITTEN[family], _asked(writes)
    unit = about.sd(np.nan_to_num(writes.target, nan=window[1]), window)
    error = (writes.landed - writes.target) / unit
    there = np.isfinite(error)
    n = there.sum(axis=1)
    error = np.where(there, error, 0.0)
    sigma, clean, told = _scale(error, there, outliers)
    sure = np.maximum((clean * there).sum(axis=1), 1e-12)
    known = read_noise(reads, len(n))
    noise = np.zeros(len(n)) if known is None else np.exp(known[0])
    inverse = np.sqrt(np.sum(there / unit**2, axis=1) / np.maximum(n, 1))
    read = noise * inverse  # in units of the family, like sigma
    read_error = 0 * read if known is None else read * known[1]
    write = np.sqrt(np.maximum(sigma**2 - read**2, 0))
    own = np.maximum(write, 1e-3 * sigma + 1e-300)
    write_error = np.hypot(sigma**2 / own / np.sqrt(2 * sure), read / own * read_error)
    told = told - np.sum(np.where(there, np.log(unit), 0), axis=1)
    shape, spread, used = _misfit(error, there & (clean > 0.5), writes.target, sigma)
    sound = (n >= 2) & np.isfinite(sigma) & (sigma > 0)
    gone = lambda value: np.where(sound, value, np.nan)  # noqa: E731
    squares = shape, spread
    with jax.enable_x64(True):
        chances = [
            np.asarray(chance(c, np.maximum(used, 1.0))) for c in (shape, spread)
        ]
        pooled = [
            float(chance(c[sound].sum(), float(max(used[sound].sum(), 1))))
            for c in squares
        ]
    values, errors = {about.scale: write}, {about.scale: write_error}
    free = {about.scale: about.coordinate}
    if known is not None:
        values["read_noise"], errors["read_noise"] = noise, noise * known[1]
        free["read_noise"] = step(0.01)
    return FamilyFit(
        family=family,
        devices=np.arange(len(n)),
        free=free,
        values={name: gone(v) for name, v in values.items()},
        errors={name: gone(e) for name, e in errors.items()},
        held_out=np.full((len(n), 1), np.nan),
        log_likelihood=gone(told)[:, None],
        readings=n[:, None].astype(float),
        shape_chance=pooled[0],
        noise_chance=pooled[1],
        shape_chances=gone(chances[0]),
        noise_chances=gone(chances[1]),
        memory=np.full(len(n), np.nan),
        clean=gone((clean * there).sum(axis=1) / np.maximum(n, 1)),
        converged=sound,
    )


def _scale(error, there, outliers: float):
    """Standard deviation of what is clean, how clean each is, and the likelihood."""
    size = np.abs(np.where(there, error, np.nan))
    bare = ~there.any(axis=1, keepdims=True)
    size = np.where(bare, 0, size)
    sigma = 1.4826 * np.nanmedian(size, axis=1)
    span = 2 * np.nanmax(size, axis=1) + 1e-300
    clean, either = np.ones_like(error), np.zeros_like(error)
    for _ in range(_ROUNDS):
        s = np.maximum(sigma, 1e-12 * span)[:, None]
        gaussian = -0.5 * (np.log(2 * np.pi * s**2) + (error / s) ** 2)
        honest = np.log1p(-outliers) + gaussian
        with np.errstate(divide="ignore"):
            stray = np.log(outliers) - np.log(span)[:, None]
        either = np.logaddexp(honest, stray)
        clean = np.exp(honest - either)
        weight = np.where(there, clean, 0)
        total = np.maximum(weight.sum(axis=1), 1e-300)
        sigma = np.sqrt((weight * error**2).sum(axis=1) / total)
    return sigma, clean, np.where(there, either, 0).sum(axis=1)


def _misfit(error, sure, target, sigma):
    """Chi-squares of mean and variance over equally many targets, and the lots."""
    shape, noise = np.zeros(len(error)), np.zeros(len(error))
    used = np.zeros(len(error))
    for k, (e, which, at) in enumerate(zip(error, sure, target, strict=True)):
        if not which.any() or not sigma[k] > 0:
            continue
        z, at = e[which] / sigma[k], at[which]
        edges = np.quantile(at, np.linspace(0, 1, _BINS + 1)[1:-1])
        lot = np.searchsorted(edges, at)
        for one in range(_BINS):
            inside = z[lot == one]
            if inside.size < 5:
                continue
            used[k] += 1
            shape[k] += inside.sum() ** 2 / inside.size
            noise[k] += of_variance(np.sum(inside**2), inside.size)
    return shape, noise, used


def _asked(writes: Writes) -> tuple[float, float]:
    """The range of conductances that was asked for, µS."""
    return float(np.nanmin(writes.target)), float(np.nanmax(writes.target))


def read_noise(
    reads: Reads | None, devices: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Logarithm of the read noise (µS) and its error, by device; else of all together.

    Args:
        reads: readings at rest.
        devices: how many there are; rows of `reads` are the same ones if as many.

    Example:
        >>> import numpy as np
        >>> log_noise, error = read_noise(Reads(g=[[1.0, 3.0, 1.0, 3.0, 2.0]]), 1)
        >>> np.exp(log_noise).tolist(), round(float(error[0]), 3)
        ([1.0], 0.354)
    """
    if reads is None:
        return None
    there = np.isfinite(reads.g)
    n = there.sum(axis=1)
    held = np.where(there, reads.g, 0.0)
    mean = held.sum(axis=1, keepdims=True) / np.maximum(n, 1)[:, None]
    squares = np.where(there, (held - mean) ** 2, 0).sum(axis=1)
    free = np.maximum(n - 1, 0)
    if len(n) != devices:
        free, squares = np.full(devices, free.sum()), np.full(devices, squares.sum())
    noise = np.sqrt(squares / np.maximum(free, 1))
    error = np.where(free > 0, 1 / np.sqrt(2 * np.maximum(free, 1)), 10.0)
    return np.log(np.maximum(noise, 1e-12)), error
