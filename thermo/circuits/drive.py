"""What is fed into a board from outside: a constant, or a function of time.

A function is kept as a `jax.tree_util.Partial`, so that a board stays a tree of arrays
and goes through `jit` and `vmap` as before.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from thermo import checks
from thermo.reals import real_array

Drive = jax.Array | float | Callable[[jax.Array], Any]
"""A number, `(d,)` numbers, or a function of the time t in µs that returns either."""


def as_drive(x: Any) -> Any:
    """A plain function in a form that `jit` accepts; all else as it is."""
    plain = callable(x) and jax.tree_util.all_leaves([x])
    return Partial(x) if plain else x


def at(drive: Any, t: Any, dtype: Any) -> jax.Array:
    """The value of a drive at one time, µs."""
    value = asked(drive, jnp.asarray(t, dtype)) if callable(drive) else drive
    return jnp.asarray(real_array("drive", value)).astype(dtype)


def asked(drive: Callable, t: jax.Array) -> Any:
    """A function of the user's own, whose arrays may be of another precision than t."""
    with jax.numpy_dtype_promotion("standard"):
        return drive(t)


def check_drive(name: str, drive: Any, d: int) -> None:
    """Refuse what is neither `(d,)` or one real number, nor a function that gives them.

    A function is asked for its shape, and for its value at t = 0.

    Raises:
        ValueError: naming the drive, and what is wrong with it.
    """
    if not callable(drive):
        checks.finite(name, drive)
        checks.shaped(name, drive, (d,), (), beside="noise")
        return
    try:
        time = jax.ShapeDtypeStruct((), jnp.result_type(float))
        given = jax.eval_shape(lambda t: asked(drive, t), time)
    except Exception as error:
        raise ValueError(
            f"{name} = {drive!r:.60}: must be a number, (d,) numbers, or a function of "
            f"one traced time t in us; it ends in {type(error).__name__}."
        ) from error
    if not hasattr(given, "shape"):
        raise ValueError(f"{name}(t) gives {given!r:.60}: it must be one array.")
    checks.shaped(f"{name}(t)", np.zeros(given.shape, given.dtype), (d,), ())
    with jax.ensure_compile_time_eval():
        checks.finite(f"{name}(0)", asked(drive, jnp.zeros(())))
