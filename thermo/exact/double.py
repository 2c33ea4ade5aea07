"""A law in double precision wherever its input allows."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

T = TypeVar("T")


def in_double(law: Callable[..., T], *values: Any) -> T:
    """Evaluate `law(*values)` in double precision, whatever the mode.

    Where a value is being traced (by `grad`, `vmap` or `jit`) the law runs in the
    precision that it comes in. The result has that of the matrices among the values.

    Args:
        law: function of the values, to arrays.
        values: matrices and numbers; None stays None.
    """
    if any(isinstance(x, Tracer) for x in values):
        return law(*values)
    dtype = working_dtype(x for x in values if np.ndim(x))
    with jax.enable_x64(True):
        wide = [None if x is None else np.asarray(x, float) for x in values]
        return jax.tree.map(lambda x: x.astype(dtype), law(*wide))


def working_dtype(arrays: Iterable[Any]) -> Any:
    """Double where an array is, else single: whole and half numbers are promoted.

    Raises:
        ValueError: if one is complex, since its imaginary part would be lost.
    """
    dtypes = [x.dtype for x in arrays if hasattr(x, "dtype")]
    if any(jnp.issubdtype(dtype, jnp.complexfloating) for dtype in dtypes):
        raise ValueError("a circuit is made of real numbers, got complex ones")
    wide = any(dtype == np.float64 for dtype in dtypes)
    return jax.dtypes.canonicalize_dtype(np.float64 if wide else np.float32)
