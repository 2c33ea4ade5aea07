"""Input checks that teach: field, value, bound, and what would work.

Only concrete values are looked at: under `jit`, `vmap` or `grad` a check passes, so
that nothing is ever raised for one board among ten thousand. What is known while
tracing, shape and dtype, is always looked at.
"""

from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from thermo.reals import real_array

ROUNDING = 1e-5
"""Of a matrix entry, relative to its own row and column: entries of different units are
judged apart."""


def concrete(x: Any) -> np.ndarray | None:
    """The value of `x` as NumPy sees it, or None while it is being traced."""
    return None if isinstance(x, Tracer) else np.asarray(x)


def values(name: str, x: Any) -> np.ndarray | None:
    """The real numbers of `x` in doubles, or None while they are being traced."""
    a = concrete(real_array(name, x))
    return None if a is None else a.astype(float)


def finite(name: str, x: Any) -> None:
    """Refuse NaN and infinity, also what is infinite in the computed precision."""
    _not_empty(name, x)
    a = values(name, x)
    if a is None:
        return
    dtype = jax.dtypes.canonicalize_dtype(float)
    bad = ~(np.abs(a) <= float(np.finfo(dtype).max))
    if np.any(bad):
        at = _first(bad)
        raise ValueError(
            f"{name}{_show(at)} = {a[at]:.6g}: every entry must be finite in {dtype}."
        )


def positive(name: str, x: Any, *, infinite: bool = False) -> None:
    """Refuse zero, negative and NaN entries, and infinity unless it is allowed."""
    if not infinite:
        finite(name, x)
    _not_empty(name, x)
    a = values(name, x)
    if a is None:
        return
    dtype = jax.dtypes.canonicalize_dtype(float)
    least = float(np.finfo(dtype).tiny)  # what is smaller is computed with as 0
    if not np.all(a >= least):
        at = _first(~(a >= least))
        raise ValueError(
            f"{name}{_show(at)} = {a[at]:.6g}: must be greater than 0, at least "
            f"{least:.3g} in {dtype}."
        )


def non_negative(name: str, x: Any) -> None:
    """Refuse negative and non-finite entries."""
    finite(name, x)
    a = values(name, x)
    if a is not None and not np.all(a >= 0):
        at = _first(a < 0)
        raise ValueError(f"{name}{_show(at)} = {a[at]:.6g}: must not be negative.")


def interval(name: str, x: Any) -> None:
    """Refuse everything but one positive finite number: a length of time."""
    one_number(name, x)
    positive(name, x)


def ordered(low_name: str, low: Any, high_name: str, high: Any) -> None:
    """Refuse a lower bound that does not lie below the upper one."""
    a, b = values(low_name, low), values(high_name, high)
    if a is not None and b is not None and not a < b:
        raise ValueError(f"{high_name} = {b}: must exceed {low_name} = {a}.")


def one_number(name: str, x: Any) -> None:
    """Refuse everything but a single real number; it may be NaN or infinite."""
    if (shape := real_array(name, x).shape) != ():
        raise ValueError(f"{name} has shape {shape}: it must be one number.")


def scalar_or_list(name: str, x: Any) -> None:
    """Refuse everything but one number, or a list of one or more."""
    shape = real_array(name, x).shape
    if len(shape) > 1 or 0 in shape:
        raise ValueError(f"{name} has shape {shape}: it must be () or (k,), k > 0.")


def many(name: str, x: Any) -> None:
    """Refuse everything but a list of one or more numbers, `(k,)`."""
    shape = real_array(name, x).shape
    if len(shape) != 1 or 0 in shape:
        raise ValueError(f"{name} has shape {shape}: it must be (k,), k > 0.")


def shaped(name: str, x: Any, *shapes: tuple[int, ...], beside: str = "") -> None:
    """Refuse another shape than one of these; shapes are known when tracing too."""
    shape = real_array(name, x).shape
    if shape not in shapes:
        allowed = " or ".join(str(s) for s in shapes)
        because = f", to fit {beside}" if beside else ""
        raise ValueError(f"{name} has shape {shape}: it must be {allowed}{because}.")


def square(name: str, x: Any) -> None:
    """Refuse everything but an `(n, n)` matrix; shapes are known when tracing too."""
    shape = real_array(name, x).shape
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        raise ValueError(f"{name} has shape {shape}: it must be square, (n, n).")


def symmetric(name: str, x: Any) -> None:
    """Refuse a matrix that differs from its transpose by more than rounding.

    Rounding is 1e-5 of the entry, or of the root of the diagonal entries in its row and
    column.
    """
    square(name, x)
    finite(name, x)
    a = values(name, x)
    if a is None:
        return
    own = np.sqrt(np.abs(a.diagonal()))
    size = np.maximum(np.maximum(np.abs(a), np.abs(a.T)), np.outer(own, own))
    off = np.abs(a - a.T) / np.where(size > 0, size, 1)
    if np.any(off > ROUNDING):
        i, j = np.unravel_index(np.argmax(off), off.shape)
        raise ValueError(
            f"{name} is not symmetric: {name}[{i}, {j}] = {a[i, j]:.6g} but "
            f"{name}[{j}, {i}] = {a[j, i]:.6g}. Pass ({name} + {name}.T) / 2 if the "
            "difference is rounding."
        )


def positive_definite(name: str, x: Any) -> None:
    """Refuse a symmetric matrix with an eigenvalue that is not positive.

    Rows and columns are first scaled to a diagonal of 1, which changes no sign: what
    is small in its units is not rounded away.
    """
    symmetric(name, x)
    a = values(name, x)
    if a is None:
        return
    low = _smallest(a)
    if low <= len(a) * np.finfo(float).eps:
        raise ValueError(
            f"{name} is not positive definite: its smallest eigenvalue is {low:.6g} "
            "of its diagonal, which must be greater than 0. Adding a multiple of the "
            "identity works."
        )


def positive_semidefinite(name: str, x: Any) -> None:
    """Refuse a symmetric matrix with an eigenvalue below zero by more than rounding.

    Rows and columns are first scaled to a diagonal of 1, as for `positive_definite`.
    """
    symmetric(name, x)
    a = values(name, x)
    if a is not None and (low := _smallest(a)) < -ROUNDING:
        raise ValueError(
            f"{name} is no covariance: its smallest eigenvalue is {low:.6g} of its "
            "diagonal, which must not be negative."
        )


def stable(name: str, x: Any) -> None:
    """Refuse a drift `F` of dx = -F x dt with an eigenvalue of real part <= 0."""
    square(name, x)
    finite(name, x)
    a = values(name, x)
    if a is not None and (low := np.linalg.eigvals(a).real.min()) <= 0:
        raise ValueError(
            f"{name} is unstable: an eigenvalue has real part {low:.6g}, which must be "
            "greater than 0 for dx = -F x dt to come to rest. Add dissipation "
            "(a finite resistance in every cell), or flip the sign of the drift."
        )


def same_size(name: str, x: Any, n: int, beside: str = "") -> None:
    """Refuse a matrix that is not `(n, n)`."""
    square(name, x)
    shaped(name, x, (n, n), beside=beside)


def _not_empty(name: str, x: Any) -> None:
    if 0 in (shape := real_array(name, x).shape):
        raise ValueError(f"{name} has shape {shape}: it must not be empty.")


def _smallest(a: np.ndarray) -> float:
    """Smallest eigenvalue, rows and columns scaled by the roots of the diagonal.

    Beside a diagonal of 0 the entries of the row themselves are scaled to 1.
    """
    own = np.sqrt(np.abs(a.diagonal()))
    beside = (np.abs(a) / np.where(own > 0, own, 1)).max(-1)
    own = np.where(own > 0, own, np.where(beside > 0, beside, 1))
    return float(np.linalg.eigvalsh(a / own[:, None] / own[None, :]).min())


def _first(bad: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(bad)[0])


def _show(at: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, at))}]" if at else ""
