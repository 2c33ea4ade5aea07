"""One family of devices fitted to the pulse trains of one device, by gradient."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from eapu_jax.fitting.coordinates import prior
from eapu_jax.fitting.glance import from_sure_start, glance, range_read
from eapu_jax.fitting.misfit import Misfit, misfit
from eapu_jax.fitting.models import Model
from eapu_jax.fitting.search import Train, restricted, searched, spread_of

OUTLIERS = 1e-3
"""Probability that a reading is an outlier, before it is looked at. ASSUMED."""

AGAIN = 2
"""Searches after the first of all cycles, each tilted by `restricted` where the last
ended, as the tilt moves with the noise."""

MET = 8.0
"""By so much readings must be likelier (logarithm) with an end of the window than
without it, for it to count as met. ASSUMED."""
_FAR = 30.0  # where no end is, in half ranges


class TrainFit(NamedTuple):
    """What was found of one device; of many, with a leading axis.

    Attributes:
        values: the constants found, by name; µS.
        errors: their standard errors, by the delta method; µS. Infinite for an end of
            the window that was not met, where it is told by nothing else.
        point: the constants in the coordinates of the search, `(p,)`.
        covariance: of the point, `(p, p)`.
        held_out: log-likelihood of the cycles with an odd number, under constants that
            were found without them; NaN for the others.
        log_likelihood: of every cycle, under the constants found.
        readings: how many readings a cycle has.
        misfit: what is left that a right family would not leave.
        clean: share of the readings that are no outliers.
        converged: whether the search ended at a maximum.
        middle: of the range that was read, µS.
        half: half its width, µS.
    """

    values: dict[str, Any]
    errors: dict[str, Any]
    point: Float[Array, " p"]
    covariance: Float[Array, "p p"]
    held_out: Float[Array, " cycles"]
    log_likelihood: Float[Array, " cycles"]
    readings: Float[Array, " cycles"]
    misfit: Misfit
    clean: Float[Array, ""]
    converged: Bool[Array, ""]
    middle: Float[Array, ""]
    half: Float[Array, ""]


def fit_trains(
    model: Model,
    g: Float[Array, "cycles n+1"],
    up: Bool[Array, "cycles n"],
    *,
    known: tuple[Any, Any] | None = None,
    outliers: float = OUTLIERS,
    pulses: Float[Array, " n"] | None = None,
) -> TrainFit:
    r"""Find the constants under which the readings of one device are most likely.

    Maximises `judged`'s likelihood of all cycles and the weak priors of `Coordinate`
    by BFGS, the noise by what the other constants cannot follow (`restricted`); the
    covariance is the inverse of the curvature at the maximum. Pure:
    `jit`, `vmap` over devices, and `grad` (by the implicit function theorem) go
    through it. Wants double precision.

    Args:
        model: the family, one of `MODELS`.
        g: readings of one device, a row per cycle, NaN where missing, µS.
        up: whether a pulse asks for more.
        known: what is known of the read noise from elsewhere: its logarithm (µS), NaN
            if nothing is, and the standard deviation of that.
        outliers: probability that a reading is one.
        pulses: how many pulses there are before each reading; 1 when None.
    """
    middle, half = range_read(g)
    x = (g - middle) / half
    count = jnp.ones(up.shape[1:], x.dtype) if pulses is None else pulses
    first = glance(x, up, count)
    x = from_sure_start(x, up, first, count)
    train = Train(x, up, *_priors(model, known, half), outliers, count)
    odd = jnp.arange(g.shape[0]) % 2 == 1
    weights = jnp.stack([jnp.where(odd, 0.0, 1.0), jnp.ones(odd.shape)])

    def search(carry, weight):
        start, tilt = carry
        found = searched(model, train, weight.astype(x.dtype), start, tilt)
        tilt = restricted(model, train, found.point)
        return (found.point, tilt), (found, train.judged(model, found.point))

    start = model.begin(first)
    start = start, jnp.zeros_like(start)
    weights = jnp.concatenate([weights[-g.shape[0] :], *[weights[1:]] * AGAIN])
    _, every = jax.lax.scan(search, start, weights)
    found, seen = jax.tree.map(lambda leaf: leaf[-1], every)
    told = jnp.sum(every[1].log_likelihood, axis=2)
    covariance, sound = spread_of(model, train, found)
    readings = jnp.sum(seen.counted, axis=1).astype(x.dtype)
    point = found.point
    values, errors = _in_units(model, point, covariance, middle, half)
    if model.stopped:
        errors |= _of_ends(model, train, found.point, seen, errors)
    return TrainFit(
        values=values,
        errors=errors,
        point=point,
        covariance=covariance,
        held_out=jnp.where(odd, told[0] - readings * jnp.log(half), jnp.nan),
        log_likelihood=told[-1] - readings * jnp.log(half),
        readings=readings,
        misfit=misfit(seen, up),
        clean=jnp.sum(jnp.where(seen.counted, seen.clean, 0)) / jnp.sum(readings),
        converged=found.ended & sound & (jnp.sum(readings) > len(model.free)),
        middle=middle,
        half=half,
    )


def _priors(model: Model, known, half):
    """Centres and widths, those of the read noise from elsewhere where it is known."""
    centre, width = prior(dict(model.free))
    if known is None:
        return centre, width
    noise = jnp.array([name == "read_noise" for name in model.free])
    log_noise, error = known
    which = noise & jnp.isfinite(log_noise)
    centre = jnp.where(which, log_noise - jnp.log(half), centre)
    return centre, jnp.where(which, error, width)


def _of_ends(model: Model, train: Train, point, seen, errors):
    """Errors of the ends of the window: infinite where no pulse was stopped by one.

    That is where the readings are about as likely without it.
    """
    low, high = (model.values(point)[name] for name in ("g_min", "g_max"))
    ends = jnp.array([[-_FAR, 1.0], [1.0, _FAR]]) * jnp.array([[1, high], [low, 1]])

    def told(window):
        return jnp.sum(train.judged(model, point, tuple(window)).log_likelihood)

    without = jax.lax.map(told, ends.astype(train.x.dtype))
    met = jnp.sum(seen.log_likelihood) - without > MET
    pairs = zip(("g_min", "g_max"), met, strict=True)
    return {n: jnp.where(one, errors[n], jnp.inf) for n, one in pairs}


def _in_units(model: Model, point, covariance, middle, half):
    """The constants in µS, and their standard errors by the delta method."""
    values, slopes = jax.jvp(
        lambda u: model.values(u, middle, half), (point,), (jnp.ones_like(point),)
    )
    deviations = jnp.sqrt(jnp.diag(covariance))
    names = enumerate(model.free)
    return values, {name: jnp.abs(slopes[name]) * deviations[k] for k, name in names}
