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
            rules.pop("below")
            if value is not None or field.default is not None:
                number(name, value, **rules)
    for field in dataclasses.fields(thing):
        other = field.metadata.get("below")
        if other is not None:
            name = f"{type(thing).__name__}.{field.name}"
            _ordered(name, getattr(thing, field.name), other, getattr(thing, other))
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
    if traced(value):
        return
    array = _array(value)
    if array is None or not _real(array) or not array.size:
        raise ValueError(f"{name} must be a real number, got {_brief(value)}")
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


def numbers(name: str, value: Any, *, dtype: Any = jnp.number) -> None:
    """Refuse a `value` that is no array of this kind of numbers, traced or not."""
    held: Any = getattr(value, "dtype", type(value))
    strange = isinstance(held, type) or jnp.issubdtype(held, jnp.complexfloating)
    if strange or not jnp.issubdtype(held, dtype):
        got = held.__name__ if isinstance(held, type) else held
        raise ValueError(f"{name} must be an array of {_KINDS[dtype]}, got {got}")


_KINDS = {
    jnp.floating: "floating-point numbers",
    jnp.integer: "whole numbers",
    jnp.number: "real numbers",
}


def one_of(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Refuse a `value` that is not one of the choices."""
    if not any(isinstance(value, type(one)) and value == one for one in choices):
        known = ", ".join(map(repr, choices))
        raise ValueError(f"{name} must be one of {known}, got {_brief(value)}")


def whole(name: str, value: Any, *, at_least: int, at_most: int | None = None) -> None:
    """Refuse a concrete `value` that is not one whole number within bounds."""
    if traced(value):
        return
    array = _array(value)
    if array is None or array.dtype.kind not in "iu" or array.ndim:
        raise ValueError(f"{name} must be a whole number, got {_brief(value)}")
    _require(array >= at_least, name, array, f">= {at_least}")
    if at_most is not None:
        _require(array <= at_most, name, array, f"<= {at_most}")


def able(name: str, thing: Any, methods: tuple[str, ...], example: str) -> None:
    """Refuse a `thing` that lacks one of the methods, and a class for an instance."""
    if isinstance(thing, type) or not all(hasattr(thing, can) for can in methods):
        raise ValueError(f"{name} must be {example}, got {_brief(thing)}")


def mask(name: str, value: Any) -> None:
    """Refuse a `value` that is neither None nor an array of true and false."""
    if value is None:
        return
    kind = getattr(value, "dtype", None)
    if kind != jnp.bool_:
        raise ValueError(
            f"{name} must be an array of true and false, got {_brief(value)}"
        )


def thresholds(tree: Any, name: str = "threshold") -> None:
    """Refuse a threshold, or a tree of them, that is not positive and finite."""
    leaves = jax.tree.leaves(tree)
    if not leaves:
        raise ValueError(f"{name} must be a number or a tree of them, got {tree!r}")
    for value in leaves:
        number(name, value, above=0)


def typed_key(name: str, key: Any) -> None:
    """Refuse anything but one typed random key that draws alike alone and in a batch.

    Keys of `rbg` and `unsafe_rbg` do not: under `vmap` they draw from the first key
    of the batch, so a chip would depend on how many are simulated beside it.
    """
    dtype = getattr(key, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jax.dtypes.prng_key):
        raise ValueError(
            f"{name} must be a typed key, jax.random.key(0), got {_brief(key)}"
        )
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
    return any(isinstance(value, Tracer) for value in jax.tree.leaves(values))


def _as_computed(array: np.ndarray) -> np.ndarray:
    """The numbers as jax will hold them: single precision unless x64 is on."""
    with np.errstate(over="ignore", under="ignore"):
        return array.astype(jax.dtypes.canonicalize_dtype(float))


def _ordered(name: str, value: Any, other: str, limit: Any) -> None:
    if not traced(value, limit):
        low, high = np.asarray(value), np.asarray(limit)
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


def _real(array: np.ndarray) -> bool:
    return array.dtype.kind in "iuf" or array.dtype.name == "bfloat16"


def _array(value: Any) -> np.ndarray | None:
    """The numbers; None where they cannot be laid out as an array."""
    try:
        return np.asarray(value)
    except Exception:  # ragged, or an object that refuses
        return None


def _brief(value: Any) -> str:
    """A value in at most a line: a number of 400 digits is one, too."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."
