"""A run that is kept: every sample of one board."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from thermo.chunks import check_run
from thermo.precision import full_precision
from thermo.propagate.run import check_start, check_stepper, run
from thermo.propagate.stepper import Stepper

MOST_KEPT = 2**31 - 1


@full_precision
def trajectory(
    key: Key[Array, ""],
    stepper: Stepper,
    n_samples: int,
    *,
    burn_in: int = 0,
    z0: Float[Array, " n"] | None = None,
) -> Float[Array, "time d"]:
    """Voltages of one board at every sampling instant.

    A longer run with the same key begins with the shorter one.

    Args:
        key: random key.
        stepper: a `Propagator` or `Modes`; `Driven` where the drive varies.
        n_samples: samples taken, one per interval.
        burn_in: how many of them, from the first, are thrown away.
        z0: circuit state before the first sample, `(n,)`; None draws it from the
            stationary law, which makes a burn-in needless.

    Returns:
        `(n_samples - burn_in, d)`.

    Raises:
        ValueError: if `burn_in` leaves nothing, `n_samples` is no positive whole
            number, or `z0` has another shape.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from thermo import LinearForm, propagator
        >>> one = jnp.eye(1)
        >>> form = LinearForm(drift=one, noise=jnp.sqrt(2) * one, readout=one)
        >>> trajectory(jax.random.key(0), propagator(form, 0.5), 1000).shape
        (1000, 1)
    """
    check_stepper(stepper)
    check_run(n_samples, burn_in, stepper.chunk)
    check_stepper(stepper, n_samples)
    if n_samples - burn_in > MOST_KEPT:
        raise ValueError(
            f"n_samples = {n_samples}: at most {MOST_KEPT} can be kept, their numbers "
            "are 32-bit. `observe` and `moments` see any number and keep none."
        )
    check_start(stepper, z0)
    return _trajectory(key, stepper, n_samples, burn_in, z0)


@partial(jax.jit, static_argnames=("n_samples", "burn_in"))
def _trajectory(key, stepper, n_samples, burn_in, z0):
    def write(page, v, at, key):
        del key
        return jax.lax.dynamic_update_slice(page, v, (at, jnp.zeros_like(at)))

    shape = n_samples - burn_in, stepper.n_readouts
    page = jnp.zeros(shape, stepper.readout.dtype)
    return run(key, stepper, write, page, n_samples, burn_in, z0, stepper.chunk)
