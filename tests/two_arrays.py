"""A rule of two arrays, as a stranger would write it: one file, public parts only.

After Tiki-Taka (Gokmen and Haensch, Front. Neurosci. 2020): gradients are written onto
a fast array; every so many steps one of its columns is read, and what was read is
written onto the same column of the slow array, which holds the weights. What makes
the fast array forget is its device: a leak, here.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import optax

from eapu_jax import ArrayState, Crossbar, array
from eapu_jax.placement import Place, on_array, put


class TwoArraysState(NamedTuple):
    """Two arrays of every leaf, by path."""

    step: jax.Array
    key: jax.Array
    fast: dict[str, ArrayState]
    slow: dict[str, ArrayState]


def two_arrays(
    fast: Crossbar,
    slow: Crossbar,
    *,
    key: jax.Array,
    rate: float,
    every: int = 1,
    step_time: float = 0.0,
    place: Place | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Write updates onto a fast array, and what it reads onto a slow one.

    Args:
        fast: what each fast array is made of.
        slow: what each slow array is made of; the weights are its read-out.
        key: typed key.
        rate: part of what was read that is transferred.
        every: steps from one transfer to the next.
        step_time: time that passes per update, s.
        place: which leaves live on arrays; `eapu_jax.place` when None.
    """

    def init_fn(params):
        leaves = on_array(params, place)
        slows = {p: array.deploy_one(key, slow, w) for p, w in leaves.items()}
        fasts = {p: array.deploy_one(key, fast, 0 * w) for p, w in leaves.items()}
        words = jnp.array(jr.key_data(key), copy=True)
        return TwoArraysState(jnp.zeros((), jnp.int32), words, fasts, slows)

    def update_fn(updates, state, params=None, **extra_args):
        del params, extra_args
        key_step = jr.fold_in(jr.wrap_key_data(state.key), state.step)
        asked, fasts, slows, moved = on_array(updates, place), {}, {}, {}
        for number, (path, dw) in enumerate(asked.items()):
            keys = jr.split(jr.fold_in(key_step, number), 4)
            one = array.advance(keys[0], fast, state.fast[path], step_time)
            one, _ = array.write(keys[1], fast, one, dw)
            one, two = transferred(keys[2:], one, state.slow[path], state.step)
            was, now = (array.weights(slow, s) for s in (state.slow[path], two))
            fasts[path], slows[path], moved[path] = one, two, now - was
        state = TwoArraysState(state.step + 1, state.key, fasts, slows)
        return put(updates, moved), state

    def transferred(keys, one: ArrayState, two: ArrayState, step) -> Any:
        """The arrays after a transfer, where this step has one."""
        seen, read = array.read(keys[0], fast, one)
        column = (step // every) % seen.shape[-1]
        due = (jnp.arange(seen.shape[-1]) == column) & ((step + 1) % every == 0)
        written, _ = array.write(keys[1], slow, two, jnp.where(due, rate * seen, 0))
        counted = (step + 1) % every == 0
        one = jax.tree.map(lambda a, b: jnp.where(counted, a, b), read, one)
        return one, written

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)
