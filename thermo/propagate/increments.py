"""Steps that are short against the rounding of the state, carried without loss.

A step of a millionth of the relaxation changes the state by less than its last digit,
and its propagator P is the identity in float32. There a stepper holds P - 1, and the
state is a compensated sum. Where steps are longer P itself
serves, at the cost of one product.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


def one_step(base: int, change: Any, remainder: Any, one: Any) -> Any:
    """P of its parts: in NumPy doubles, or rounded while it is being traced."""
    if isinstance(change, Tracer):
        return jnp.asarray(base * one, change.dtype) + change
    rest = 0.0 if remainder is None else np.asarray(remainder, float)
    return base * one + (np.asarray(change, float) + rest)


def shrinks(increment: Any) -> np.ndarray:
    """How much of the squared slowest mode one step takes, from P - 1 in doubles."""
    root = np.linalg.eigvals(increment)
    return -(2 * root.real + np.abs(root) ** 2).max(-1)


def feels(size: Any, dtype: Any, slowest: Any) -> bool:
    """Whether rounding numbers of this size would change the slowest decay."""
    return bool(np.any(np.finfo(dtype).eps * size > ROUNDING * slowest))


ROUNDING = 1e-5
"""Share of the slowest decay that rounding may change. Ten times below what is said of
the law of a run."""
