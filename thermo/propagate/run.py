"""A run: chunk after chunk of normals, a stepper, and someone who looks on."""

import jax.numpy as jnp
import jax.random as jr

from prng import unrolled
from thermo.chunks import in_chunks


def run(key, stepper, look, state, n_samples, burn_in, z0, chunk):
    """Pass the run through `look(state, v, at, key) -> state`, chunk by chunk."""
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
        x = stepper.enter(jnp.asarray(z0, dtype))
    x = in_chunks(burn, x, burn_in, chunk)
    return in_chunks(sample, (x, state), n_samples - burn_in, chunk)[1]
