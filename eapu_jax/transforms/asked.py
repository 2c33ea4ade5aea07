"""What every rule does around its one idea: look at the updates, answer, sign."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, Key, PyTree, UInt32

from eapu_jax.array import working_dtype
from eapu_jax.checks import thresholds
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place, on_array, put
from eapu_jax.rows import Arrays
from eapu_jax.transforms.keys import Root, following
from eapu_jax.transforms.links import refuse_decided, sign
from eapu_jax.transforms.per_array import thresholds_at
from eapu_jax.transforms.requests import Decided, least_of
from eapu_jax.transforms.sharding import gathered, spread_like
from prng.derive import folded

Numbers = dict[str, PyTree[Scalar]]
"""The positive numbers of a rule by name, each for all arrays or a prefix tree."""


class DrawnState(NamedTuple):
    """All that a rule without a memory of weights carries.

    Attributes:
        step: updates so far.
        key: words of the root key; update `n` draws from `fold_in(key, n)`.
    """

    step: Int[Array, ""]
    key: UInt32[Array, " words"]


class Asked:
    """The updates of the leaves on the array, and the way back to the tree.

    Attributes:
        updates: by path, in the working precision, whole on every device.
        numbers: those of the rule by name, each by path.
    """

    def __init__(
        self, rule: str, updates: PyTree, numbers: Numbers, place: Place | None
    ):
        self._rule, self._tree, self._asked = rule, updates, on_array(updates, place)
        refuse_decided(rule, self._asked)
        whole = gathered(self._asked)
        self.updates = {p: u.astype(working_dtype(u)) for p, u in whole.items()}
        self.numbers = {
            name: thresholds_at(value, updates, place, name)
            for name, value in numbers.items()
        }

    def remembered(self, memory: Arrays) -> Arrays:
        """What the state keeps of every weight on the array.

        Raises:
            ValueError: if it was made for other leaves.
        """
        if memory.keys() != self.updates.keys():
            raise ValueError(
                f"{self._rule} remembers every weight on the array: `init` must be "
                f"given the params, {sorted(self.updates)}, got {sorted(memory)}"
            )
        return memory

    def keys(self, key: Key[Array, ""], step: Int[Array, ""]) -> Arrays:
        """A key for every array, of that of this update."""
        return {p: folded(key, n, step) for n, p in enumerate(self.updates)}

    def each(self, rule: Callable, *held: Arrays) -> Arrays:
        """`rule(*held, update, *numbers)` of every array, by path."""
        numbers = self.numbers.values()
        return {
            p: rule(*(h[p] for h in held), u, *(n[p] for n in numbers))
            for p, u in self.updates.items()
        }

    def rounded(self, sent: Arrays) -> Arrays:
        """What is sent, in the precision of the updates that were handed in."""
        return {p: x.astype(self._asked[p].dtype) for p, x in sent.items()}

    def answer(self, sent: Arrays, pulse: str | None = None) -> PyTree:
        """The tree with what is sent.

        Args:
            sent: by path.
            pulse: the number that is the smallest pulse, so that `program` can refuse
                one that its device never answers.
        """
        sent = spread_like(self._asked, self.rounded(sent))
        for path, leaf in sent.items():
            least = least_of(self.numbers[pulse][path]) if pulse else None
            sign(leaf, self._rule, Decided(least, number=pulse) if pulse else None)
        return put(self._tree, sent)


def memoryless(
    name: str,
    rule: Callable[..., jax.Array],
    numbers: Numbers,
    place: Place | None,
    pulse: str | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Apply `rule(update, *numbers)` to every leaf on the array."""
    check(numbers)

    def update_fn(updates, params=None):
        del params
        asked = Asked(name, updates, numbers, place)
        return asked.answer(asked.each(rule), pulse)

    return optax.with_extra_args_support(optax.stateless(update_fn))


def drawing(
    name: str,
    rule: Callable[..., jax.Array],
    numbers: Numbers,
    place: Place | None,
    pulse: str,
    key: Key[Array, ""],
) -> optax.GradientTransformationExtraArgs:
    """Apply `rule(key, update, *numbers)` to every leaf on the array."""
    check(numbers)
    root = Root(key)

    def init_fn(params):
        del params
        return DrawnState(jnp.zeros((), jnp.int32), root.words())

    def update_fn(updates, state, params=None, **extra_args):
        del params, extra_args
        asked = Asked(name, updates, numbers, place)
        keys = asked.keys(root.at(state.key, state.step), state.step)
        state = DrawnState(following(state.step), state.key)
        return asked.answer(asked.each(rule, keys), pulse), state

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)


def check(numbers: Numbers) -> None:
    """Refuse numbers of a rule that are not positive and finite."""
    for name, value in numbers.items():
        thresholds(value, name)
