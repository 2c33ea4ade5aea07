r"""Three ways to read a mean or a second moment off a board.

- `by_moments`: one run, of which sums are remembered. Memory does not grow.
- `by_trajectory`: the same run and the same answer, every read kept on the way.
- `by_law`: no run at all, the estimator is drawn from its law, where that is exact. The
  mean of a continuous record is Gaussian. A second moment has an exact law where each
  read is of a run of its own, from the start: Wishart's, by Bartlett's decomposition,
  plus that of the mean.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from thermo import exact
from thermo.circuits import LinearForm
from thermo.observers import Correlations, Moments, measure
from thermo.propagate import observe, propagator, trajectory


class First(NamedTuple):
    r"""The Gaussian law of a board's state when reading begins.

    Attributes:
        mean: `(n,)`.
        root: R with a covariance of $R R^\mathsf T$, `(n, n)`.
    """

    mean: jax.Array
    root: jax.Array


class Reading(NamedTuple):
    r"""How a board is read.

    Attributes:
        mean: `mean(key, form, first, dt, reads)`, the mean of x; None: see `solve`.
        second: the same of $x x^\mathsf T$.
        lagged: the same of $x(t + dt)\,x(t)^\mathsf T$.
        independent: whether each read is of a run of its own.
        spare: reads needed beyond the number of rows, for an answer of full rank.
    """

    mean: Callable[..., Array] | None
    second: Callable[..., Array]
    lagged: Callable[..., Array]
    independent: bool
    spare: int


def check_reading(read: Any) -> None:
    """Refuse what is no way to read."""
    if not isinstance(read, Reading):
        raise ValueError(
            f"read = {read!r:.60}: must be by_moments, by_trajectory or by_law."
        )


def begin(
    key: Key[Array, ""], first: First, dtype: Any
) -> tuple[Float[Array, " n"], Key[Array, ""]]:
    """A first state, and the key of what comes after."""
    key_start, key_run = jr.split(key)
    xi = jr.normal(key_start, first.mean.shape, dtype)
    return first.mean + first.root @ xi, key_run


def _remembered(observer, spare):
    def read(key, form, first, dt, reads):
        z0, key_run = begin(key, first, form.drift.dtype)
        stepper = propagator(form, dt)
        return observe(key_run, stepper, observer, reads + spare, z0=z0)

    return read


def _kept(observer, spare):
    def read(key, form, first, dt, reads):
        z0, key_run = begin(key, first, form.drift.dtype)
        kept = trajectory(key_run, propagator(form, dt), reads + spare, z0=z0)
        return measure(observer, kept)

    return read


def _mean(read):
    return lambda *run: read(*run).mean


def _second(read):
    return lambda *run: read(*run).second


def _lagged(read):
    return lambda *run: read(*run)[1]


def _law_of_second(
    key: Key[Array, ""], form: LinearForm, first: First, dt: Any, reads: int
) -> Array:
    del dt
    return _independent(key, first, reads, form.drift.dtype)


def _law_of_lagged(
    key: Key[Array, ""], form: LinearForm, first: First, dt: Any, reads: int
) -> Array:
    step = propagator(form, dt)
    n, moved = len(first.mean), jnp.asarray(step.step).astype(form.drift.dtype)
    zero = jnp.zeros_like(moved)
    pair = First(
        jnp.concatenate([moved @ first.mean, first.mean]),
        jnp.block([[moved @ first.root, step.noise], [first.root, zero]]),
    )
    return _independent(key, pair, reads, form.drift.dtype)[:n, n:]


def _independent(key, law, reads, dtype):
    """Scatter about the sample's mean, Wishart of N - 1, and the sample's mean."""
    n = len(law.mean)
    key_scatter, key_mean = jr.split(key)
    eye = jnp.eye(n, dtype=dtype)
    scatter = exact.sample_second_moment(key_scatter, eye, reads - 1)
    xi = jr.normal(key_mean, (n,), dtype)
    mean = law.mean + law.root @ xi / reads**0.5
    spread = law.root @ scatter @ law.root.mT
    return spread * ((reads - 1) / reads) + mean[:, None] * mean[None, :]


by_moments = Reading(
    mean=_mean(_remembered(Moments(), 0)),
    second=_second(_remembered(Moments(), 0)),
    lagged=_lagged(_remembered(Correlations(1), 1)),
    independent=False,
    spare=0,
)
by_trajectory = Reading(
    mean=_mean(_kept(Moments(), 0)),
    second=_second(_kept(Moments(), 0)),
    lagged=_lagged(_kept(Correlations(1), 1)),
    independent=False,
    spare=0,
)
by_law = Reading(
    mean=None,
    second=_law_of_second,
    lagged=_law_of_lagged,
    independent=True,
    spare=1,
)

__all__ = ["Reading", "by_law", "by_moments", "by_trajectory"]
