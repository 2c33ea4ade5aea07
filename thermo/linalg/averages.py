"""The law of a time average: what waiting for a mean gives on any linear board."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo.exact import Gaussian
from thermo.exact.transition import increment
from thermo.precision import full_precision


@full_precision
def average_law(
    drift: Float[Array, "n n"],
    diffusion: Float[Array, "n n"],
    bias: Float[Array, " n"],
    time: Float[Array, ""],
    wait: Float[Array, ""],
    start: Float[Array, " n"],
) -> Gaussian:
    r"""Law of $\frac1T\int_{t_b}^{t_b+T} x\,\mathrm dt$ from a known first state.

    The integral of x is a linear state of its own, so this is a transition law of the
    enlarged board (DERIVED; `thermo.exact.time_average_law` is the case of a start at
    equilibrium): exact for any T, any burn-in $t_b$ and any stable drift.

    Args:
        drift: F of dx = (b - F x) dt + noise.
        diffusion: D, covariance gained by noise per unit time.
        bias: b.
        time: T.
        wait: $t_b$.
        start: state at time 0.
    """
    n, zero = len(drift), jnp.zeros_like(drift)
    settled = jnp.linalg.solve(drift, bias)
    forgotten, gained = increment(drift, diffusion, wait)
    enlarged = jnp.block([[drift, zero], [-jnp.eye(n, dtype=drift.dtype), zero]])
    noisy = jnp.block([[diffusion, zero], [zero, zero]])
    change, added = increment(enlarged, noisy, time)
    kept = change[n:, :n] / time
    away = start - settled
    away = away + forgotten @ away
    spread = kept @ gained @ kept.mT + added[n:, n:] / time**2
    return Gaussian(settled + kept @ away, (spread + spread.mT) / 2)
