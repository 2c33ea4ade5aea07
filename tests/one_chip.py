"""What the tests of `one_chip` share."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.sweep.point import Point

__all__ = ["assert_alone_as_among_others", "compiled"]


def compiled(one_chip: Callable, base: Any, **swept: Any) -> Callable:
    """`f(chips, keys)`: one program, in which every float of the point is traced."""
    fields = {**vars(base), **swept, "seed": 0}
    traced = {k: v for k, v in fields.items() if isinstance(v, float)}

    def one(values, chip, key):
        return one_chip(Point({**fields, **values}), chip, key)

    many = jax.jit(jax.vmap(one, (None, 0, 0)))
    return lambda chips, keys: many(traced, jnp.asarray(chips), keys)


def assert_alone_as_among_others(several: dict, alone: dict) -> None:
    """The last chip of several, bit for bit, and it is not the first."""
    for name, values in several.items():
        np.testing.assert_array_equal(alone[name][-1], values[-1], err_msg=name)
    assert any(np.any(v[0] != v[-1]) for v in several.values())
