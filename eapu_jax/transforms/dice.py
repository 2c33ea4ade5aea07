"""A transform that throws dice, and remembers only how often it did."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Int, Key, PyTree

from eapu_jax.checks import typed_key
from eapu_jax.crossbar import array_mask
from prng import unrolled


class DiceState(NamedTuple):
    """All that a stochastic transform remembers.

    Attributes:
        step: updates so far.
        key: the root; update `n` draws from `fold_in(key, n)`.
    """

    step: Int[Array, ""]
    key: Key[Array, ""]


def stochastic(
    f: Callable[[jax.Array, jax.Array, PyTree], jax.Array],
    hyperparams: PyTree,
    *,
    key: Key[Array, ""],
) -> optax.GradientTransformationExtraArgs:
    """Give `f(key, update, hyperparam) -> update` dice of its own, per array leaf.

    Update `n` draws from `fold_in(key, n)`, so a run resumes exactly and the
    noise of a step does not depend on what happened before. Under `vmap`, build
    the transform inside the mapped function: a key closed over from outside is
    shared by every chip.

    Args:
        f: what happens to one leaf on the array.
        hyperparams: one value, or a tree that is a prefix of the updates.
        key: typed key.
    """
    typed_key("key", key)

    def init_fn(params):
        del params
        return DiceState(step=jnp.zeros((), jnp.int32), key=key)

    def update_fn(updates, state, params=None, **extra_args):
        del params, extra_args
        dice = jr.fold_in(unrolled(state.key), state.step)
        # the barrier: else XLA derives the keys anew in every loop that draws, and
        # compiles for minutes
        keys = jax.lax.optimization_barrier(optax.tree.split_key_like(dice, updates))
        per_leaf = jax.tree.broadcast(hyperparams, updates)
        updates = jax.tree.map(f, keys, updates, per_leaf)
        return updates, DiceState(step=state.step + 1, key=state.key)

    inner = optax.GradientTransformationExtraArgs(init_fn, update_fn)
    return optax.masked(inner, array_mask)
