"""The most likely constants, by gradient, and how sure they are."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float

from eapu_jax.fitting.likelihood import Judged, judged
from eapu_jax.fitting.models import Model

_STEPS = 200
_TOLERANCE = 1e-3  # of a standard error
_ASIDE = 0.02  # of a coordinate, over which an information is measured
_NEARBY = 0.03  # standard errors, over which the change of a slope is measured


class Train(NamedTuple):
    """What a device is held against, in units of half the range about its middle.

    Attributes:
        x: readings, NaN where missing.
        up: whether a pulse asked for more.
        centre: of the weak priors.
        width: of the weak priors.
        outliers: probability that a reading is one.
        pulses: how many there are before each reading.
    """

    x: Float[Array, "cycles n+1"]
    up: Bool[Array, "cycles n"]
    centre: Float[Array, " p"]
    width: Float[Array, " p"]
    outliers: float
    pulses: Float[Array, " n"]

    def judged(
        self, model: Model, point: Float[Array, " p"], window: Any = None
    ) -> Judged:
        """All cycles held against the device at a point of the search."""
        device = model.device(model.values(point))

        def one(x, up):
            how = {"outliers": self.outliers, "span": 2.0, "pulses": self.pulses}
            return judged(device, x, up, window=window, **how)

        return jax.vmap(one)(self.x, self.up)

    def cost(self, model: Model, weight, tilt, point) -> Float[Array, ""]:
        """Less the logarithm of likelihood and priors; cycles weighted, and tilted."""
        told = jnp.sum(self.judged(model, point).log_likelihood, axis=1)
        prior = jnp.sum(jnp.square((point - self.centre) / self.width)) / 2
        return prior - jnp.sum(weight * told) + jnp.sum(tilt * point)


class Searched(NamedTuple):
    """What a search found.

    Attributes:
        point: where cost is least.
        frame: the upper triangle that scaled the search.
        ended: whether the search came to an end.
    """

    point: Float[Array, " p"]
    frame: Float[Array, "p p"]
    ended: Bool[Array, ""]


def searched(
    model: Model,
    train: Train,
    weight: Float[Array, " cycles"],
    start: Float[Array, " p"],
    tilt: Float[Array, " p"],
) -> Searched:
    """Where cost, tilted by so much, is least.

    BFGS in units of the standard errors that are expected at the start, where the
    valley is nearly round.
    """
    frame = _frame(model, train, weight, start)

    def cost(step, args):
        train, weight, tilt, start, frame = args
        return train.cost(model, weight, tilt, start + solve_triangular(frame, step))

    import optimistix as optx  # a third of a second, for those who fit

    solver = optx.BFGS(rtol=1e-9, atol=_TOLERANCE)
    found = optx.minimise(
        cost,
        solver,
        jnp.zeros_like(start),
        (train, weight, tilt, start, frame),
        options={"autodiff_mode": "fwd"},  # few constants, long trains
        max_steps=_STEPS,
        throw=False,
    )
    point = start + solve_triangular(frame, found.value)
    ended = found.result == optx.RESULTS.successful
    return Searched(point, frame, ended)


def _frame(model: Model, train: Train, weight, point) -> Float[Array, "p p"]:
    """The upper triangle $R$ of $R^T R$, the information that is expected at a point.

    That of Gaussian readings: of their means and of their standard deviations.
    """

    def expected(point):
        seen = train.judged(model, point)
        return (seen.expected, jnp.log(seen.deviation)), seen

    (mean, spread), seen = jax.jacfwd(expected, has_aux=True)(point)
    told = jnp.where(seen.counted, weight[:, None], 0)[..., None]
    mean = mean / seen.deviation[..., None]
    information = jnp.einsum("cnp,cnq->pq", mean, told * mean)
    information += 2 * jnp.einsum("cnp,cnq->pq", spread, told * spread)
    information += jnp.diag(1 / jnp.square(train.width))
    return jnp.linalg.cholesky(information).T


def restricted(
    model: Model, train: Train, point: Float[Array, " p"]
) -> Float[Array, " p"]:
    r"""The tilt that makes the most likely noise that of what no step can follow.

    Constants of the mean follow some of what the readings strayed, so that the most
    likely noise is too small. With the information $I$ of the readings about these
    constants, as the noise $\theta$ lets them tell it, the likelihood of what no such
    constant can follow is

    $$ \ln L_R(\theta) = \ln L(\theta) - \tfrac12 \ln\det I(\theta) $$

    (restricted maximum likelihood, Patterson and Thompson 1971). A noise that is as
    slow as the step itself, of which the step takes most, grows most. Of few readings
    it still has its maximum at no noise now and then; so all standard deviations, not
    their logarithms, are held to be about as likely before: $+\ln\sigma$ (a prior that
    avoids the boundary, Chung et al. 2013), worth one reading.

    Returned is the slope of what is taken off the likelihood, along the constants of
    the noise; it is 0 along the others.
    """
    noisy = [name in NOISES for name in model.free]
    near = [k for k, one in enumerate(noisy) if one]
    of_mean = jnp.array([k for k, one in enumerate(noisy) if not one])
    prior = jnp.diag(1 / jnp.square(train.width[of_mean]))

    def told(place):
        def expected(constants):
            seen = train.judged(model, place.at[of_mean].set(constants))
            return seen.expected, seen

        mean, seen = jax.jacfwd(expected, has_aux=True)(place[of_mean])
        sure = jnp.where(seen.counted, seen.clean, 0) / jnp.square(seen.deviation)
        information = jnp.einsum("cnp,cn,cnq->pq", mean, sure, mean) + prior
        return jnp.linalg.slogdet(information)[1] / 2

    unit = jnp.eye(point.size, dtype=point.dtype)[jnp.array(near)]
    both = jnp.concatenate([point[None] + _ASIDE * unit, point[None] - _ASIDE * unit])
    ahead, behind = jnp.split(jax.lax.map(told, both), 2)
    power = jnp.array([NOISES[n] for n in model.free if n in NOISES])
    return ((ahead - behind) / (2 * _ASIDE) - power) @ unit


NOISES = {"write_noise": 1.0, "read_noise": 1.0, "domains": -0.5}
"""Constants that the mean of the readings does not depend on: the power of each with
which a standard deviation goes."""


def spread_of(
    model: Model, train: Train, found: Searched
) -> tuple[Float[Array, "p p"], Bool[Array, ""]]:
    """Covariance of the constants found, and whether they are at a maximum.

    The inverse of the curvature there (the information that was observed), by
    differences of slopes: as good as a second derivative in double precision, and a
    fraction of the program.
    """
    size, dtype = found.point.size, found.point.dtype
    weight = jnp.ones(train.x.shape[0], dtype)
    back = solve_triangular(found.frame, jnp.eye(size, dtype=dtype))

    def cost(step):
        flat = jnp.zeros_like(found.point)  # a tilt has no curvature
        return train.cost(model, weight, flat, found.point + back @ step)

    near = _NEARBY * jnp.concatenate([jnp.eye(size), -jnp.eye(size)]).astype(dtype)
    ahead, behind = jnp.split(jax.lax.map(jax.jacfwd(cost), near), 2)
    curvature = (ahead - behind) / (2 * _NEARBY)
    curvature = (curvature + curvature.T) / 2
    sound = jnp.all(jnp.linalg.eigvalsh(curvature) > 0)
    return back @ jnp.linalg.inv(curvature) @ back.T, sound
