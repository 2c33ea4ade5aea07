"""The random key of a transform, as plain words in its state."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Int, Key, UInt32

from eapu_jax.checks import typed_key
from prng import unrolled
from prng.derive import folded


def following(step: Int[Array, ""]) -> Int[Array, ""]:
    """The next step; a full counter stays full."""
    return jnp.minimum(step, 2**31 - 2) + 1


class Root:
    """One typed key, to be kept in a state as words and taken out again.

    States hold raw words because checkpoints, casts and debuggers know plain arrays
    only; and a copy of them, because a donated state must not delete the key that
    its user still holds.
    """

    def __init__(self, key: Key[Array, ""]):
        typed_key("key", key)
        self._words, self._impl = jr.key_data(key), jr.key_impl(key)

    def words(self) -> UInt32[Array, " words"]:
        """A copy of the words, for a state."""
        return jnp.array(self._words, copy=True)

    def at(self, words: UInt32[Array, " words"], step: jax.Array) -> Key[Array, ""]:
        """The key of update number `step` of the state that holds these words."""
        key = unrolled(jr.wrap_key_data(words, impl=self._impl))
        return folded(key, step, step)
