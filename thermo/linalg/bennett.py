r"""ln det A by changing a board there and back: Bennett's acceptance ratio."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from thermo.linalg.chip import Chip
from thermo.linalg.determinant import (
    answered,
    forgetting,
    mode_works,
    path_to_rest,
    rates_along,
)
from thermo.linalg.estimate import Estimate
from thermo.linalg.protocol import protocol, works
from thermo.precision import full_precision

__all__ = ["logdet_bennett"]

HALVINGS = 64
"""Of the works seen: more than the digits of a double."""


@full_precision
def logdet_bennett(
    key: Key[Array, ""],
    matrix: Float[Array, "n n"],
    time: jax.Array | float,
    *,
    runs: int = 512,
    steps: int = 64,
    chip: Chip | None = None,
) -> Estimate:
    r"""Logarithm of the determinant from work there and back, by Bennett's ratio.

    As many runs change A into $a I$ as change $a I$ into A. The free energy
    $\Delta F$ between them is where both are as likely to be taken for the other
    (BAR, STATED-2nd):

    $$ \sum \frac{1}{1 + e^{W - \Delta F}}
       = \sum \frac{1}{1 + e^{W_\text{back} + \Delta F}}, \qquad
       \ln\det A = n \ln a - 2 \Delta F, $$

    solved by bisection. The standard error is that of Bennett's own law,
    $\operatorname{Var} \Delta F = \frac1N \bigl(\langle f^2\rangle/\langle
    f\rangle^2 + \langle g^2\rangle/\langle g\rangle^2 - 2\bigr)$ with the terms f
    and g of the two sums, taken from the run itself. It is finite also where a sudden
    change leaves `logdet` without one.

    Never a shortcut to `jnp.linalg.slogdet`; what is accepted, and what extends it, is
    as for `logdet`. Runs inside `jit`, `vmap` and `grad`.

    Args:
        key: random key.
        matrix: A, `(n, n)`, symmetric positive definite.
        time: that one run's change takes, in the inverse unit of the matrix.
        runs: independent runs there, and as many back.
        steps: of the matrix in each run.
        chip: that runs, of `draw_chip`; None is the ideal one.

    Returns:
        The estimate, its standard error, and the time of all runs one after the other,
        each with a burn-in that leaves 1e-4 of the covariance of its start.

    Raises:
        ValueError: as `logdet`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> a = jnp.array([[2.0, -1.0], [-1.0, 2.0]])
        >>> found = logdet_bennett(jax.random.key(0), a, time=0.5)
        >>> bool(abs(found.value - jnp.log(3.0)) < 5 * found.standard_error)
        True
    """
    value, error, taken = answered(_bennett, key, matrix, time, runs, steps, chip)
    return Estimate(value, jax.lax.stop_gradient(error), jax.lax.stop_gradient(taken))


@partial(jax.jit, static_argnames=("runs", "steps", "dtype", "bits"))
def _bennett(key, matrix, time, *chip, runs, steps, dtype, bits):
    there, back = jr.split(key)
    path = path_to_rest(matrix, steps)
    if chip:
        ways = path, path[::-1]
        asked = (protocol(way, time / steps, chip, bits) for way in ways)
        forth, reverse = (
            works(k, p, runs, dtype) for k, p in zip((there, back), asked, strict=True)
        )
    else:
        rates = rates_along(matrix, steps)
        forth, reverse = (
            mode_works(k, r, jnp.exp(-r[1:] * time / steps), runs, dtype)
            for k, r in ((there, rates), (back, rates[::-1]))
        )
    free = free_energy(forth, reverse)
    f, g = jax.nn.sigmoid(free - forth), jax.nn.sigmoid(-free - reverse)
    spread = jnp.mean(f**2) / jnp.mean(f) ** 2 + jnp.mean(g**2) / jnp.mean(g) ** 2 - 2
    end = path[-1, 0, 0]
    wait = forgetting(jnp.linalg.eigvalsh(matrix)[0]) + forgetting(end)
    value = len(matrix) * jnp.log(end) - 2 * free
    return value, 2 * jnp.sqrt(spread / runs), runs * (wait + 2 * time)


def free_energy(forth: Float[Array, " n"], back: Float[Array, " n"]) -> Array:
    """Where Bennett's two sums are equal: they cross once, within the works seen."""

    def unequal(free):
        there = jax.nn.sigmoid(free - forth)
        return jnp.sum(there) - jnp.sum(jax.nn.sigmoid(-free - back))

    def bisect(_, between):
        low, high = between
        middle = (low + high) / 2
        under = unequal(middle) < 0
        return jnp.where(under, middle, low), jnp.where(under, high, middle)

    def search(_, guess):
        del guess
        seen = jnp.concatenate([forth, -back])
        ends = jnp.min(seen), jnp.max(seen)
        return sum(jax.lax.fori_loop(0, HALVINGS, bisect, ends)) / 2

    return jax.lax.custom_root(
        unequal, jnp.mean(forth), search, lambda slope, y: y / slope(jnp.ones_like(y))
    )
