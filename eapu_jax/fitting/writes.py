"""The error of writes that had a target, and the noise of readings at rest."""

from collections.abc import Mapping

import jax
import numpy as np

from eapu_jax.devices import AdditiveError
from eapu_jax.fitting.coordinates import step
from eapu_jax.fitting.fitted import FamilyFit
from eapu_jax.fitting.misfit import chance, of_variance
from eapu_jax.fitting.traces import Reads, Writes

_BINS = 8  # places where the error is looked at by itself
_ROUNDS = 100


def fit_writes(
    writes: Writes, reads: Reads | None = None, *, outliers: float = 1e-3
) -> FamilyFit:
    r"""The write noise of `AdditiveError`, device by device.

    What landed less what was asked is $\mathcal N(0, \sigma_w^2 + \sigma_r^2)$, or with
    probability $\epsilon$ an outlier anywhere in the range of errors: the likelihood
    has its maximum where $\sigma^2$ is the mean square of the errors, each weighted by
    the probability that it is clean. The read noise is that of readings at rest;
    without any it counts as write noise. A bias, or an error that depends on the
    target, is what a right family would not leave (`shape_chance`, `noise_chance`).

    Example:
        >>> import numpy as np
        >>> target = np.linspace(10, 50, 4000)[None]
        >>> landed = target + 2 * np.random.default_rng(0).normal(size=target.shape)
        >>> fit = fit_writes(Writes(target=target, landed=landed))
        >>> round(float(fit.values["write_noise"][0]), 1), fit.adequate
        (2.0, True)
    """
    error = writes.landed - writes.target
    there = np.isfinite(error)
    n = there.sum(axis=1)
    error = np.where(there, error, 0.0)
    sigma, clean, told = _scale(error, there, outliers)
    sure = np.maximum((clean * there).sum(axis=1), 1e-12)
    known = read_noise(reads, len(n))
    read = np.zeros(len(n)) if known is None else np.exp(known[0])
    read_error = 0 * read if known is None else read * known[1]
    write = np.sqrt(np.maximum(sigma**2 - read**2, 0))
    own = np.maximum(write, 1e-3 * sigma + 1e-300)
    write_error = np.hypot(sigma**2 / own / np.sqrt(2 * sure), read / own * read_error)
    shape, noise, used = _misfit(error, there & (clean > 0.5), writes.target, sigma)
    sound = (n >= 2) & np.isfinite(sigma) & (sigma > 0)
    gone = lambda value: np.where(sound, value, np.nan)  # noqa: E731
    with jax.enable_x64(True):
        chances = [np.asarray(chance(c, np.maximum(used, 1.0))) for c in (shape, noise)]
        pooled = [
            float(chance(c[sound].sum(), float(max(used[sound].sum(), 1))))
            for c in (shape, noise)
        ]
    values, errors = {"write_noise": write}, {"write_noise": write_error}
    if known is not None:
        values["read_noise"], errors["read_noise"] = read, read_error
    return FamilyFit(
        family="AdditiveError",
        devices=np.arange(len(n)),
        free={name: step(0.01) for name in values},
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


def additive_error(means: Mapping[str, float], writes: Writes | None) -> AdditiveError:
    """The device of these constants; its window is the range that was asked for."""
    assert writes is not None
    low, high = float(np.nanmin(writes.target)), float(np.nanmax(writes.target))
    if not low < high:
        raise ValueError(
            f"Writes.target must ask for more than one conductance, got only {low:g}"
        )
    return AdditiveError(g_min=low, g_max=high, **means)


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
