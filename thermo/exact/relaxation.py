"""How long a linear circuit takes to forget where it started."""

import jax
import jax.numpy as jnp

from thermo import checks
from thermo.exact.estimators import check_readout
from thermo.exact.lyapunov import check_system, stationary_covariance
from thermo.exact.transition import carried, doubled, increment
from thermo.precision import full_precision, in_double

# The answer is built from binary multiples of FINEST / |F|, up to 2**DOUBLINGS of them.
FINEST = 2.0**-14
DOUBLINGS = 80


def mixing_time(drift: jax.Array) -> jax.Array:
    r"""Slowest relaxation time $1 / \min \operatorname{Re} \lambda(F)$, µs.

    Raises:
        ValueError: if the drift is unstable, or not of finite real numbers.

    Example:
        >>> import jax.numpy as jnp
        >>> float(mixing_time(jnp.diag(jnp.array([0.5, 2.0]))))
        2.0
    """
    checks.stable("drift", drift)
    return in_double(lambda f: 1 / jnp.min(jnp.linalg.eigvals(f).real), drift=drift)


@full_precision
def burn_in_time(
    drift: jax.Array,
    diffusion: jax.Array,
    error: float,
    readout: jax.Array | None = None,
) -> jax.Array:
    r"""Time after which a board started at rest has its covariance to within `error`.

    From z = 0 the covariance at t falls short of S by $e^{-Ft} S e^{-F^\mathsf T t}$,
    which only ever shrinks; returned is the t at which its Frobenius norm, seen
    through the read-out, is `error` times that of S. Exact (to 1e-4 of the fastest
    time) for non-normal and critically damped drifts too. About
    $R\,c_{\max} \ln(1/\text{error})$ for underdamped cells.

    Args:
        drift: F, `(n, n)`.
        diffusion: D, `(n, n)`.
        error: relative, between 0 and 1.
        readout: H, `(d, n)`; None looks at all states.

    Returns:
        Time, µs.

    Raises:
        ValueError: if the drift is unstable, an argument is not of finite real numbers
            or of another shape, or `error` is not between 0 and 1.

    Example:
        >>> import jax.numpy as jnp
        >>> one = jnp.ones((1, 1))
        >>> print(f"{burn_in_time(one, 2 * one, 0.01):.2f}")  # ln(100) / 2
        2.30
    """
    checks.interval("error", error)
    value = checks.values("error", error)
    if value is not None and not value < 1:
        raise ValueError(f"error = {error}: must be less than 1, it is relative.")
    check_system(drift, diffusion, stable=True)
    check_readout(readout, drift)
    return in_double(
        _burn_in, drift=drift, diffusion=diffusion, error=error, readout=readout
    )


@jax.jit
def _burn_in(drift, diffusion, error, readout):
    """Binary search downwards over stored powers P of a short propagator, as P - 1."""
    covariance = stationary_covariance(drift, diffusion)
    seen = covariance if readout is None else readout @ covariance @ readout.mT
    unit, bound = FINEST / jnp.linalg.norm(drift), error * jnp.linalg.norm(seen)
    short, _ = increment(drift, jnp.zeros_like(drift), unit)
    _, powers = jax.lax.scan(lambda p, _: (doubled(p), p), short, length=DOUBLINGS)

    def descend(state, step):
        reached, steps = state
        power, size = step
        further = reached + power + power @ reached
        short_by = carried(further, covariance)
        if readout is not None:
            short_by = readout @ short_by @ readout.mT
        advance = jnp.linalg.norm(short_by) > bound
        reached = jnp.where(advance, further, reached)
        return (reached, steps + jnp.where(advance, size, 0)), None

    sizes = jnp.asarray(2.0, unit.dtype) ** jnp.arange(DOUBLINGS, dtype=unit.dtype)
    start = jnp.zeros_like(drift), jnp.zeros_like(unit)
    (_, steps), _ = jax.lax.scan(descend, start, (powers, sizes), reverse=True)
    return (steps + 0.5) * unit
