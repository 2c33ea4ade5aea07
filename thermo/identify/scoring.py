"""Maximum likelihood by Fisher scoring: the gradient, in units of what is known.

A step solves with the expected information, so that five to ten of them suffice from
20 % away, and what the record says nothing about is left where it is: a direction in
which the information stays below one, a standard error above a factor of e.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from thermo.identify.components import Component, altered
from thermo.precision import full_precision

STEPS = 60
HALVINGS = 12
LONGEST = 0.5
"""Of a step, in any log factor."""
CONVERGED = 1e-8
"""Gain in log likelihood that a step promises; an estimate is within 2e-4 of its
standard error then."""
LEAST = 1.0
"""Information of a direction that counts as known, of a log factor."""


class Told(NamedTuple):
    """What records say of the log factors of components.

    Attributes:
        log_likelihood: of the records.
        score: its gradient, `(n,)`.
        information: expected Fisher information, `(n, n)`.
    """

    log_likelihood: jax.Array
    score: jax.Array
    information: jax.Array


class Fit(NamedTuple):
    """The most likely components.

    Attributes:
        log_factors: of the components sought, `(n,)`, relative to the start.
        told: by the records, there.
        promised: gain in log likelihood that one more step promises.
        steps: taken.
    """

    log_factors: jax.Array
    told: Told
    promised: jax.Array
    steps: jax.Array


def log_likelihood(
    log_factors: jax.Array, boards: Any, seen: Any, sought: Sequence[Component]
) -> jax.Array:
    """Of all that was seen, at every setting.

    Args:
        log_factors: of the components sought, `(n,)`.
        boards: a board with a leading axis of settings on every leaf.
        seen: of each setting, stacked likewise.
        sought: components.
    """

    def one(board, seen):
        seen = altered(seen, sought, log_factors)
        return seen.log_likelihood(seen.law(altered(board, sought, log_factors)))

    return jax.vmap(one)(boards, seen).sum()


def told(
    log_factors: jax.Array, boards: Any, seen: Any, sought: Sequence[Component]
) -> Told:
    """Log likelihood, score and information in one pass, by autodiff.

    Few numbers make the law and many samples the likelihood: the law is differentiated
    forwards, the likelihood backwards. Arguments are those of `log_likelihood`.
    """

    def one(board, seen):
        def law(x):
            return altered(seen, sought, x).law(altered(board, sought, x))

        here, slopes = law(log_factors), jax.jacfwd(law)(log_factors)
        height, pulls = jax.value_and_grad(seen.log_likelihood)(here)
        parts = jax.tree.map(lambda p, s: jnp.tensordot(p, s, p.ndim), pulls, slopes)
        score = jnp.stack([part.real for part in jax.tree.leaves(parts)]).sum(0)
        return Told(height, score, seen.information(here, slopes))

    return jax.tree.map(lambda x: x.sum(0), jax.vmap(one)(boards, seen))


@full_precision
@partial(jax.jit, static_argnames="sought")
def maximise(boards: Any, seen: Any, *, sought: tuple[Component, ...]) -> Fit:
    """The most likely components; see `log_likelihood` for the arguments."""
    of = {"boards": boards, "seen": seen, "sought": sought}

    def going(fit):
        return (fit.steps < STEPS) & (fit.promised > CONVERGED)

    def step(fit):
        whole = step_of(fit.told.information, fit.told.score)
        whole = whole / jnp.maximum(1, jnp.max(jnp.abs(whole)) / LONGEST)
        size = _uphill(partial(log_likelihood, **of), fit, whole)
        x = fit.log_factors + size * whole
        new = told(x, **of)
        promised = new.score @ step_of(new.information, new.score) / 2
        return Fit(x, new, promised, fit.steps + 1)

    return jax.lax.while_loop(going, step, _nowhere(len(sought)))


def step_of(information: jax.Array, score: jax.Array) -> jax.Array:
    """Information solved for the score, in the directions that are known."""
    values, vectors = jnp.linalg.eigh(information)
    known = values > LEAST
    along = jnp.where(known, vectors.T @ score / jnp.where(known, values, 1), 0)
    return vectors @ along


def _nowhere(n):
    """Before the start: the first step is of length 0, and leads uphill."""
    zero, far = jnp.zeros(n), jnp.asarray(jnp.inf, jnp.result_type(float))
    return Fit(zero, Told(-far, zero, jnp.eye(n)), far, jnp.full((), -1, jnp.int32))


def _uphill(value, fit, whole):
    """The largest of 1, 1/2, 1/4, ... of a step that does not lead down."""

    def down(size):
        higher = value(fit.log_factors + size * whole) >= fit.told.log_likelihood
        return ~higher & (size > 2.0**-HALVINGS)

    one = jnp.ones((), whole.dtype)
    return jax.lax.while_loop(down, lambda size: size / 2, one)
