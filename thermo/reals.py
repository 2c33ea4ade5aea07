"""Which numbers can be computed with, and in what precision: decided here alone.

Whole numbers, truth values and halves are promoted, so that an integer matrix has the
answer of the same matrix in floats. Everything else is refused by name. Shapes and
dtypes are known while tracing too, so traced arrays are treated alike.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

COMPUTED = (np.dtype(np.float32), np.dtype(np.float64))


def real_array(name: str, x: Any) -> Any:
    """`x` as an array of single or double precision.

    Args:
        name: of the argument, for the message.
        x: array, number, or nested list of numbers; traced or not.

    Returns:
        The same numbers. NumPy's doubles stay doubles in every mode, so that a set-up
        loses nothing.

    Raises:
        ValueError: if these are no real numbers, naming the argument.

    Example:
        >>> real_array("drift", [[2, -1], [-1, 2]]).dtype
        dtype('float64')
    """
    if not isinstance(x, jax.Array | np.ndarray):
        x = _array(name, x)
    if x.dtype in COMPUTED:
        return x
    if not any(jnp.issubdtype(x.dtype, k) for k in (np.floating, np.integer, np.bool_)):
        raise ValueError(_refusal(name, x))
    single = jnp.issubdtype(x.dtype, np.floating) and x.dtype.itemsize <= 4
    dtype = np.float32 if single else np.float64
    if isinstance(x, Tracer):
        return x.astype(jax.dtypes.canonicalize_dtype(dtype))
    return np.asarray(x).astype(dtype)


def working_dtype(*arrays: Any) -> Any:
    """Double where an array is or nothing is said, else single; in x32 mode single.

    Plain Python numbers follow the arrays beside them.
    """
    said = [real_array("array", x).dtype for x in arrays if hasattr(x, "dtype")]
    wide = not said or COMPUTED[1] in said
    return jax.dtypes.canonicalize_dtype(np.float64 if wide else np.float32)


def alike(**named: Any) -> tuple[Any, ...]:
    """All arguments as arrays of one precision, in their order; None stays None.

    Raises:
        ValueError: if one is not of real numbers, naming it.
    """
    arrays = [None if x is None else real_array(name, x) for name, x in named.items()]
    dtype = working_dtype(*named.values())
    return tuple(None if x is None else _cast(x, dtype) for x in arrays)


def numbers(**named: Any) -> tuple[Any, ...]:
    """As `alike`; where all are plain Python numbers, they stay what they are."""
    plain = not any(hasattr(x, "dtype") for x in named.values())
    return tuple(named.values()) if plain else alike(**named)


def is_traced(*trees: Any) -> bool:
    """Whether any array in the trees is being traced."""
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(trees))


def _array(name, x):
    try:
        return jnp.asarray(x) if is_traced(x) else np.asarray(x)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(_refusal(name, x)) from None


def _cast(x, dtype):
    if x.dtype == dtype:
        return x
    with np.errstate(over="ignore"):
        return x.astype(dtype) if isinstance(x, Tracer) else np.asarray(x, dtype)


def _refusal(name, x):
    dtype = getattr(x, "dtype", None)
    if dtype is not None and jnp.issubdtype(dtype, np.complexfloating):
        return (
            f"{name} is complex ({dtype}), it must be of real numbers: the imaginary "
            "part would be lost. A Hermitian A + iB is [[A, -B], [B, A]] in reals."
        )
    shown = f"{x!r:.80}" if dtype is None else f"an array of {dtype}"
    return f"{name} = {shown}: must be real numbers, as many in each row."
