"""The sign of every line, under which gradients are written and read again."""

import jax
import jax.numpy as jnp
import jax.random as jr

from eapu_jax.devices.base import Scalar
from eapu_jax.transforms.lines import Line
from eapu_jax.transforms.several import Several


def upright(w: jax.Array) -> dict[str, jax.Array]:
    """All choppers at +1."""
    return {"chop": jnp.ones((*w.shape[:-1], 1) if w.ndim else (), w.dtype)}


def flipped(one: Several, line: Line, probability: Scalar) -> Several:
    """Turn the chopper of a line, where due, with a probability."""
    key, one = one.key()
    chop = one.recall("chop", line)
    turns = jr.uniform(key, chop.shape, chop.dtype) < probability
    return one.remember("chop", jnp.where(turns, -chop, chop), line)
