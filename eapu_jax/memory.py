"""Digital memory that a training keeps beside the arrays, per weight on them.

The column that decides between rules: what spares writes may cost a number per weight.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.tree_util import GetAttrKey
from jaxtyping import PyTree

from eapu_jax.array import ArrayState
from eapu_jax.bank import Bank
from eapu_jax.checks import traced
from eapu_jax.placement import Place, is_array, on_array, path_name
from eapu_jax.transforms.program import ProgramState


class DigitalMemory(NamedTuple):
    """Digital memory per weight on the array, a mean over all of these.

    Attributes:
        words: numbers.
        bits: that they take.
    """

    words: float
    bits: float


def digital_words(
    state: PyTree, params: PyTree, *, place: Place | None = None
) -> DigitalMemory:
    """What an optax state keeps for the weights on the array, beside the array.

    Counted are the leaves of the state that belong to weights on the array, by sizes
    and dtypes. A leaf belongs to the parameter whose path ends its own. Not counted:
    the arrays themselves (cells, writes, ledgers), random keys, counters of steps and
    other single numbers, what belongs to digital leaves, and the weights, which are
    read from the array. A state that packs its numbers tighter than its dtype says so
    by a property `kept`: leaves by path, and the bits of each number.

    For a state as it comes out of `init` or `update`; under `jit`, bits that the state
    itself holds come out traced.

    Args:
        state: of any optax transformation.
        params: as given to `init`.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: if no parameter lives on an array.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from eapu_jax import Crossbar, eapu_residual, mixed_precision, program
        >>> w = {"kernel": jnp.zeros((4, 3)), "bias": jnp.zeros(3)}
        >>> array = program(Crossbar(), key=jax.random.key(0))
        >>> tx = optax.chain(optax.adam(1e-3), mixed_precision(0.1), array)
        >>> digital_words(tx.init(w), w)
        DigitalMemory(words=3.0, bits=96.0)
        >>> few = eapu_residual(0.1, bits=3, key=jax.random.key(1))
        >>> digital_words(optax.chain(few, array).init(w), w)
        DigitalMemory(words=1.0, bits=3.0)
    """
    arrays = on_array(params, place)
    weights = sum(leaf.size for leaf in arrays.values())
    if not weights:
        raise ValueError("params must hold at least one weight on an array, got none")
    named = jax.tree_util.tree_leaves_with_path(params)
    every = {path_name(path) for path, _ in named}
    found = list(_numbers(state, every, set(arrays)))
    words = sum(_kept(size, bits) for size, bits in found)
    return DigitalMemory(words / weights, sum(n * bits for n, bits in found) / weights)


def _numbers(state, every: set[str], arrays: set[str]) -> Iterator[tuple[int, Any]]:
    """How many numbers of how many bits, leaf by leaf."""
    whole = lambda x: isinstance(x, _ARRAYS) or hasattr(x, "kept")  # noqa: E731
    for path, held in jax.tree_util.tree_leaves_with_path(state, is_leaf=whole):
        if hasattr(held, "kept"):
            leaves, bits = held.kept
            yield sum(leaf.size for leaf in leaves.values()), _mean(bits)
        elif _is_memory(path, held) and _owner(path, every) in arrays:
            yield held.size, 8 * held.dtype.itemsize


def _kept(size: int, bits: Any) -> Any:
    """How many numbers are kept: none where they have no bits."""
    if traced(bits):
        return jnp.where(bits > 0, jnp.float32(size), 0)
    return size if bits else 0


def _mean(bits: Any) -> Any:
    """A number, or a traced one where the bits are."""
    mean = jnp.mean(jnp.asarray(bits, jnp.float32))
    return mean if traced(mean) else float(mean)


_ARRAYS = (ProgramState, Bank, ArrayState)


def _is_memory(path: tuple[Any, ...], held: Any) -> bool:
    """Whether a leaf holds numbers of weights: no array, key, or single number."""
    if isinstance(held, _ARRAYS) or not is_array(held) or not held.ndim:
        return False
    key = jnp.issubdtype(held.dtype, jax.dtypes.prng_key)
    words_of_key = bool(path) and path[-1] == GetAttrKey("key")
    return not (key or words_of_key)


def _owner(path: tuple[Any, ...], every: set[str]) -> str | None:
    """The parameter that a leaf of a state belongs to: the longest that ends its path.

    Example:
        >>> from jax.tree_util import DictKey, GetAttrKey
        >>> _owner((GetAttrKey("mu"), DictKey("a"), DictKey("w")), {"w", "a/w"})
        'a/w'
    """
    ends = (path_name(path[start:]) for start in range(len(path) + 1))
    return next((end for end in ends if end in every), None)
