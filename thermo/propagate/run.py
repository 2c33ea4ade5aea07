"""A run: chunk after chunk of normals, a stepper, and someone who looks on."""

import jax.numpy as jnp
import jax.random as jr

from prng import unrolled
from thermo import checks
from thermo.chunks import in_chunks, varying_as
from thermo.reals import real_array


def run(key, stepper, look, state, n_samples, burn_in, z0, chunk, *also):
    """Pass the run through `look(state, v, at, key) -> state`, chunk by chunk.

    Whatever else `look` reads is passed in `also`.
    """
    key_start, key_burn, key_noise, key_look = jr.split(unrolled(key), 4)
    dtype, shape = stepper.readout.dtype, (chunk, stepper.size)

    def advance(key, x, i, length=chunk):
        xi = jr.normal(jr.fold_in(key, i), shape, dtype)
        return stepper.run(x, xi[:length])

    def burn(x, i, length=chunk):
        return advance(key_burn, x, i, length)[0], None

    def sample(carry, i, length=chunk):
        x, state = carry
        x, v = advance(key_noise, x, i, length)
        return (x, look(state, v, i * chunk, jr.fold_in(key_look, i))), None

    if z0 is None:
        x = stepper.begin(jr.normal(key_start, shape[1:], dtype))
    else:
        x = stepper.enter(jnp.asarray(real_array("z0", z0)).astype(dtype))
    x, state = varying_as((x, state), key, stepper, z0, *also)
    x = in_chunks(burn, x, burn_in, chunk)
    return in_chunks(sample, (x, state), n_samples - burn_in, chunk)[1]


def check_stepper(stepper, n_samples=None):
    """Refuse what is no exact step, or none for so many samples."""
    if not hasattr(stepper, "enter") or not hasattr(stepper, "chunk"):
        raise ValueError(
            f"stepper = {stepper!r:.60}: must be a Propagator or Modes, as "
            "`propagator` and `modes` make them of a board."
        )
    if n_samples is not None and hasattr(stepper, "check_length"):
        stepper.check_length(n_samples)


def check_start(stepper, z0):
    """Refuse a first state that is none of the stepper's."""
    if z0 is None:
        return
    checks.finite("z0", z0)
    if (shape := real_array("z0", z0).shape) != (stepper.size,):
        raise ValueError(
            f"z0 has shape {shape}: it must be ({stepper.size},), one number "
            "for each state of the circuit"
        )
