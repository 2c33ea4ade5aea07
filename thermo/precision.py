"""All digits in every matrix product, and twice as many in every set-up.

A GPU multiplies matrices of float32 with eleven-bit mantissas unless told
otherwise: fast, good enough for training, and a thousand times too coarse for
the laws of this package. What is computed once, a law or a set-up, is computed
in doubles wherever its input is there to be looked at.
"""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from thermo.reals import alike, is_traced, real_array, working_dtype

__all__ = ["full_precision", "in_double", "rounded"]

P = ParamSpec("P")
T = TypeVar("T")


def full_precision(law: Callable[P, T]) -> Callable[P, T]:
    """The same function, whose matrix products keep the digits of their dtype."""

    @functools.wraps(law)
    def exactly(*args: P.args, **kwargs: P.kwargs) -> T:
        with jax.default_matmul_precision("highest"):
            return law(*args, **kwargs)

    return exactly


def in_double(law: Callable[..., T], /, **named: Any) -> T:
    """Evaluate a law in double precision, whatever the mode.

    Where a value is being traced (by `grad`, `vmap` or `jit`) the law runs in the
    precision that it comes in. The result has that of the matrices among the values.

    Args:
        law: function of the values in their order, to arrays.
        named: matrices and numbers by their names; None stays None.

    Raises:
        ValueError: if a value is not of real numbers, or the result is not finite in
            the precision that it has to be given in, naming the values.
    """
    if is_traced(tuple(named.values())):
        return law(*alike(**named))
    wide = [x if x is None else real_array(name, x) for name, x in named.items()]
    dtype = working_dtype(*(x for x in named.values() if x is not None and np.ndim(x)))
    with jax.enable_x64(True):
        found = law(*(x if x is None else np.asarray(x, float) for x in wide))
    return jax.tree.map(lambda x: rounded(x, dtype, *named), found)


def rounded(x: Any, dtype: Any, *names: str) -> jax.Array:
    """A result of doubles in another precision; infinity and NaN are refused."""
    if jnp.issubdtype(x.dtype, np.complexfloating):
        dtype = np.result_type(dtype, np.complex64)
    if isinstance(x, Tracer):
        return x.astype(dtype)
    with np.errstate(over="ignore"):
        value = np.asarray(x).astype(dtype)
    if not np.isfinite(value).all():
        raise ValueError(
            f"{' and '.join(names)}: the result is not finite in {np.dtype(dtype)}. "
            "These values are too large, too small or too far apart: change the units, "
            "or use jax.enable_x64."
        )
    return jnp.asarray(value)
