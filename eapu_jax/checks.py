"""Refusals that name the field, the value and the bound.

Only concrete numbers are looked at: a traced value (inside `jit`, `vmap`,
`grad`) passes, because inside a compiled program nothing may raise. Numbers are
held against their bounds in the precision that jax will compute with: 1e300 is
infinite in single precision, and 1e-300 is zero.
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
    at_most: float | None = None,
    below: str | None = None,
    finite: bool = True,
) -> Any:
    """A dataclass field that carries its own bounds.

    Args:
        default: the default value.
        above: exclusive lower bound.
        at_least: inclusive lower bound.
        at_most: inclusive upper bound.
        below: name of another field that must be larger.
        finite: refuse infinities (NaN is always refused).
    """
    bounds = {"above": above, "at_least": at_least, "at_most": at_most}
    bounds |= {"below": below, "finite": finite}
    return dataclasses.field(default=default, metadata=bounds)


def check(thing: Any) -> None:
    """Hold every `quantity` of a dataclass against its bounds.

    Raises:
        ValueError: naming class, field, value and bound.
    """
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        name = f"{type(thing).__name__}.{field.name}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            check(value)
        elif "finite" in field.metadata:
            rules = dict(field.metadata)
            other = rules.pop("below")
            number(name, value, **rules)
            if other is not None:
                _ordered(name, value, other, getattr(thing, other))
    if hasattr(thing, "__check__"):
        thing.__check__()


def number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
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
    given, array = array.astype(float), _as_computed(array)
    _require(~np.isnan(array), name, given, "a number, not NaN")
    if finite:
        _require(np.isfinite(array), name, given, f"finite in {array.dtype}")
    if above is not None:
        _require(array > above, name, given, f"> {above:g}")
    if at_least is not None:
        _require(array >= at_least, name, given, f">= {at_least:g}")
    if at_most is not None:
        _require(array <= at_most, name, given, f"<= {at_most:g}")
    if under is not None:
        _require(array < under, name, given, f"< {under:g}")


def one_of(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Refuse a `value` that is not one of the choices."""
    if value not in choices:
        known = ", ".join(map(repr, choices))
        raise ValueError(f"{name} must be one of {known}, got {value!r}")


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
    """Refuse anything but one typed random key that draws alike alone and in a batch.

    Keys of `rbg` and `unsafe_rbg` do not: under `vmap` they draw from the first key
    of the batch, so a chip would depend on how many are simulated beside it.
    """
    dtype = getattr(key, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jax.dtypes.prng_key):
        raise ValueError(f"{name} must be a typed key, jax.random.key(0), got {key!r}")
    if key.shape != ():
        raise ValueError(
            f"{name} must be one key, got {key.shape} of them: vmap over the keys"
        )
    impl = str(jax.random.key_impl(key))
    if "rbg" in impl:
        raise ValueError(
            f"{name} must be a key whose draws do not depend on the batch, "
            f"jax.random.key(0, impl='threefry2x32'), got one of {impl}"
        )


def traced(*values: Any) -> bool:
    """Whether any of these is known only inside a compiled program."""
    return any(isinstance(value, Tracer) for value in values)


def _as_computed(array: np.ndarray) -> np.ndarray:
    """The numbers as jax will hold them: single precision unless x64 is on."""
    with np.errstate(over="ignore", under="ignore"):
        return array.astype(jax.dtypes.canonicalize_dtype(float))


def _ordered(name: str, value: Any, other: str, limit: Any) -> None:
    low, high = _concrete(value), _concrete(limit)
    if low is not None and high is not None:
        bound = f"below {other} = {_show(high)}"
        lower, upper = _as_computed(low), _as_computed(high)
        _require(np.less(lower, upper), name, low, bound)


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
