"""A board that has waited: its equation, and the law of its state after the burn-in."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo.circuits import LinearForm
from thermo.exact import Gaussian
from thermo.exact.transition import carried, increment
from thermo.linalg.chip import Chip, checked_chip, equation
from thermo.linalg.estimate import FORGOTTEN, check_start
from thermo.linalg.functions import matrix_function, root
from thermo.linalg.readings import First
from thermo.precision import in_double


def board(
    matrix: Float[Array, "n n"],
    rhs: Float[Array, "n n"],
    burn_in: Any,
    start: Float[Array, " n"] | Gaussian | None,
    chip: Chip | None,
    bias: Any = 0.0,
) -> tuple[LinearForm, First, Array]:
    r"""What runs on a chip asked for $\mathrm dx = (b - A x)\,\mathrm dt + N(0, R)$.

    The burn-in that is waited by default is that of A, which is all that is known.

    Args:
        matrix: A, checked.
        rhs: R, checked.
        burn_in: waited from the start; None is what leaves 1e-4 of the distance.
        start: a state or the law of one; None is 0.
        chip: None is the ideal one.
        bias: b, `(n,)` or 0.

    Returns:
        The equation, the law of the state when reading begins, the time waited.
    """
    n = len(matrix)
    chip = checked_chip(chip, n)
    check_start(burn_in, start, n)
    spread = start.covariance if isinstance(start, Gaussian) else None
    begun = start.mean if isinstance(start, Gaussian) else start
    drift, noise, moved, mean, factor, wait = in_double(
        partial(_board, bits=chip.bits),
        matrix=matrix, rhs=rhs, burn_in=burn_in, start=begun, spread=spread,
        gain=chip.conductance, capacitance=chip.capacitance, power=chip.noise,
        bias=bias,
    )  # fmt: skip
    eye = jnp.eye(n, dtype=drift.dtype)
    return (
        LinearForm(drift=drift, noise=noise, readout=eye, bias=moved),
        First(mean, factor),
        jax.lax.stop_gradient(wait),
    )


@partial(jax.jit, static_argnames="bits")
def _board(
    matrix, rhs, burn_in, start, spread, gain, capacitance, power, bias, *, bits
):
    if burn_in is None:
        slowest = jnp.min(jnp.linalg.eigvals(jax.lax.stop_gradient(matrix)).real)
        burn_in = -jnp.log(jnp.asarray(FORGOTTEN, matrix.dtype)) / slowest
    chip = gain, capacitance, power
    drift, noise = equation(matrix, matrix_function(root, rhs), chip, bits)
    change, gained = increment(drift, noise @ noise.mT, burn_in)
    if spread is not None:
        gained = gained + carried(change, spread)
    moved = jnp.broadcast_to(bias, capacitance.shape) / capacitance
    settled = jnp.linalg.solve(drift, moved)
    away = -settled if start is None else start - settled
    mean = settled + away + change @ away
    return drift, noise, moved, mean, matrix_function(root, gained), burn_in
