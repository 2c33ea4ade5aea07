"""A chip whose matrix is changed while it runs: the work that this takes."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from thermo import exact
from thermo.exact.transition import increment
from thermo.linalg.chip import conductances
from thermo.linalg.functions import matrix_function, root


class Protocol(NamedTuple):
    """Changes of a matrix, each followed by a wait: what happens to a state on the way.

    Attributes:
        change: of the matrix at once, `(steps, n, n)`.
        kept: by which the state is multiplied in the wait, `(steps, n, n)`.
        noise: root of the covariance gained meanwhile, `(steps, n, n)`.
        first: root of the covariance at equilibrium before all of it, `(n, n)`.
    """

    change: jax.Array
    kept: jax.Array
    noise: jax.Array
    first: jax.Array


def protocol(
    path: Float[Array, "points n n"],
    dt: Float[Array, ""],
    chip: tuple[Array, Array, Array],
    bits: int | None,
) -> Protocol:
    """What a chip does that is asked for the matrices of a path one after the other."""
    gain, capacitance, power = chip
    held = jax.vmap(lambda a: conductances(a, gain, bits))(path)
    drift = held / capacitance[None, :, None]
    diffusion = jnp.diag(2 * power / capacitance**2)
    change, gained = jax.vmap(lambda f: increment(f, diffusion, dt))(drift[1:])
    start = exact.stationary_covariance(drift[0], diffusion)
    eye = jnp.eye(len(diffusion), dtype=diffusion.dtype)
    noise = jax.vmap(lambda q: matrix_function(root, q))(gained)
    return Protocol(
        held[1:] - held[:-1],
        eye[None] + change,
        noise,
        matrix_function(root, start),
    )


def works(
    key: Key[Array, ""], steps: Protocol, runs: int, dtype: jnp.dtype
) -> Float[Array, " runs"]:
    r"""$\frac12\sum_k x_k^\mathsf T (A_{k+1} - A_k)\,x_k$ of each run."""

    def move(state, now):
        x, work, key = state
        change, kept, noise = now
        work = work + jnp.einsum("ri,ij,rj->r", x, change, x) / 2
        key, one = jr.split(key)
        xi = jr.normal(one, x.shape, dtype).astype(x.dtype)
        return (x @ kept.mT + xi @ noise.mT, work, key), None

    key, one = jr.split(key)
    xi = jr.normal(one, (runs, len(steps.first)), dtype).astype(steps.first.dtype)
    start = xi @ steps.first.mT, jnp.zeros(runs, xi.dtype), key
    return jax.lax.scan(move, start, steps[:3])[0][1]


def log_moment(steps: Protocol, power: float) -> Float[Array, ""]:
    r"""$\ln\langle e^{-p W}\rangle$, infinite where it does not exist (DERIVED).

    Backwards, what is still to come averages to $z\,e^{-x^\mathsf T q x / 2}$ for a
    state at x: a Riccati recursion of matrices.
    """

    def back(state, now):
        q, log = state
        change, kept, noise = now
        more, left = _averaged(q, noise)
        return (power * change + kept.mT @ left @ kept, log + more), None

    zero = jnp.zeros_like(steps.first), jnp.zeros((), steps.first.dtype)
    (q, log), _ = jax.lax.scan(back, zero, steps[:3], reverse=True)
    return log + _averaged(q, steps.first)[0]


def _averaged(q, noise):
    """Of exp(-x q x / 2) over x + noise: ln of the factor, and the q that is left."""
    spread, vectors = jnp.linalg.eigh(noise.mT @ ((q + q.mT) / 2) @ noise)
    alive = spread > -1
    safe = jnp.where(alive, 1 + spread, 1)
    turned = q @ noise @ vectors
    left = q - (turned / safe[None, :]) @ turned.mT
    return jnp.sum(jnp.where(alive, -jnp.log(safe) / 2, jnp.inf)), left
