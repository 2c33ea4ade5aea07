"""Refusals that name the field, the value and the bound.

Only concrete numbers are looked at: a traced value (inside `jit`, `vmap`,
`grad`) passes, because inside a compiled program nothing may raise. Dataclasses
do not check themselves on construction either: a gradient with respect to a
device is a device too, and may be negative. The factories check.
"""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


def quantity(
    default: Any = dataclasses.MISSING,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: str | None = None,
    finite: bool = True,
) -> Any:
    """A dataclass field that carries its own bounds.

    Args:
        default: the default value.
        above: exclusive lower bound.
        at_least: inclusive lower bound.
        below: name of another field that must be larger.
        finite: refuse infinities (NaN is always refused).
    """
    bounds = {"above": above, "at_least": at_least, "below": below, "finite": finite}
    return dataclasses.field(default=default, metadata=bounds)


def check(thing: Any) -> None:
    """Hold every `quantity` of a dataclass against its bounds.

    Raises:
        ValueError: naming class, field, value and bound.
    """
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        name = f"{type(thing).__name__}.{field.name}"
        if dataclasses.is_dataclass(value):
            check(value)
        elif "finite" in field.metadata:
            rules = dict(field.metadata)
            other = rules.pop("below")
            number(name, value, **rules)
            if other is not None:
                _ordered(name, value, other, getattr(thing, other))


def number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    under: float | None = None,
    finite: bool = True,
) -> None:
    """Refuse a concrete `value` (scalar or array) that is not within bounds."""
    array = _concrete(value)
    if array is None:
        return
    real = array.dtype.kind in "iuf" or array.dtype.name == "bfloat16"
    if not real:
        raise ValueError(f"{name} must be a real number, got {value!r}")
    array = array.astype(float)
    _require(~np.isnan(array), name, array, "a number, not NaN")
    if finite:
        _require(np.isfinite(array), name, array, "finite")
    if above is not None:
        _require(array > above, name, array, f"> {above:g}")
    if at_least is not None:
        _require(array >= at_least, name, array, f">= {at_least:g}")
    if under is not None:
        _require(array < under, name, array, f"< {under:g}")


def whole(name: str, value: Any, *, at_least: int) -> None:
    """Refuse a concrete `value` that is not one whole number within bounds."""
    array = _concrete(value)
    if array is None:
        return
    if array.dtype.kind not in "iu" or array.ndim:
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    _require(array >= at_least, name, array, f">= {at_least}")


def stuck_at(value: Any) -> None:
    """Refuse stuck levels that are not real and finite; NaN is a healthy cell."""
    array = _concrete(value)
    if array is None:
        return
    if array.dtype.kind == "f":
        array = array[~np.isnan(array)]
    number("Crossbar.stuck_at", array)


def thresholds(tree: Any) -> None:
    """Refuse a threshold, or a tree of them, that is not positive and finite."""
    leaves = jax.tree.leaves(tree)
    if not leaves:
        raise ValueError(f"threshold must be a number or a tree of them, got {tree!r}")
    for value in leaves:
        number("threshold", value, above=0)


def typed_key(name: str, key: Any) -> None:
    """Refuse anything but one typed random key."""
    dtype = getattr(key, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jax.dtypes.prng_key):
        raise ValueError(f"{name} must be a typed key, jax.random.key(0), got {key!r}")
    if key.shape != ():
        raise ValueError(
            f"{name} must be one key, got {key.shape} of them: vmap over the keys"
        )


def _ordered(name: str, value: Any, other: str, limit: Any) -> None:
    low, high = _concrete(value), _concrete(limit)
    if low is not None and high is not None:
        bound = f"below {other} = {_show(high)}"
        _require(np.less(low, high), name, low, bound)


def _require(ok: np.ndarray, name: str, value: np.ndarray, bound: str) -> None:
    if not np.all(ok):
        wrong = np.broadcast_to(value, np.shape(ok))[~ok]
        raise ValueError(f"{name} must be {bound}, got {_show(wrong)}")


def _show(value: Any) -> str:
    flat = np.ravel(value)
    more = "" if flat.size == 1 else f" (and {flat.size - 1} more)"
    return f"{flat[0]:g}{more}" if not math.isnan(flat[0]) else f"nan{more}"


def _concrete(value: Any) -> np.ndarray | None:
    if value is None or isinstance(value, Tracer):
        return None
    try:
        return np.asarray(value)
    except Exception:  # a label or a sentinel of some tree transformation
        return None
