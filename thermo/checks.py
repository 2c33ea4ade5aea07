"""Input checks that teach: field, value, bound, and what would work.

Only concrete values are looked at: under `jit`, `vmap` or `grad` a check passes, so
that nothing is ever raised for one board among ten thousand.
"""

from typing import Any

import numpy as np
from jax.core import Tracer


def concrete(x: Any) -> np.ndarray | None:
    """The value of `x` as NumPy sees it, or None while it is being traced."""
    return None if isinstance(x, Tracer) else np.asarray(x)


def finite(name: str, x: Any) -> None:
    """Refuse NaN and infinity."""
    a = concrete(x)
    if a is not None and not np.all(np.isfinite(a)):
        at = _first(~np.isfinite(a))
        raise ValueError(f"{name}{_show(at)} = {a[at]}: every entry must be finite.")


def positive(name: str, x: Any, *, infinite: bool = False) -> None:
    """Refuse zero, negative and NaN entries, and infinity unless it is allowed."""
    if not infinite:
        finite(name, x)
    a = concrete(x)
    if a is not None and not np.all(a > 0):
        at = _first(~(a > 0))
        raise ValueError(f"{name}{_show(at)} = {a[at]:.6g}: must be greater than 0.")


def non_negative(name: str, x: Any) -> None:
    """Refuse negative and non-finite entries."""
    finite(name, x)
    a = concrete(x)
    if a is not None and not np.all(a >= 0):
        at = _first(a < 0)
        raise ValueError(f"{name}{_show(at)} = {a[at]:.6g}: must not be negative.")


def square(name: str, x: Any) -> None:
    """Refuse everything but an `(n, n)` matrix; shapes are known when tracing too."""
    shape = np.shape(x)
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        raise ValueError(f"{name} has shape {shape}: it must be square, (n, n).")


def symmetric(name: str, x: Any) -> None:
    """Refuse a matrix that differs from its transpose by more than rounding."""
    square(name, x)
    finite(name, x)
    a = concrete(x)
    if a is None:
        return
    off = np.abs(a - a.T)
    if np.any(off > 1e-5 * np.max(np.abs(a))):
        i, j = np.unravel_index(np.argmax(off), off.shape)
        raise ValueError(
            f"{name} is not symmetric: {name}[{i}, {j}] = {a[i, j]:.6g} but "
            f"{name}[{j}, {i}] = {a[j, i]:.6g}. Pass ({name} + {name}.T) / 2 if the "
            "difference is rounding."
        )


def positive_definite(name: str, x: Any) -> None:
    """Refuse a symmetric matrix with an eigenvalue that is not positive."""
    symmetric(name, x)
    a = concrete(x)
    if a is not None and (low := np.linalg.eigvalsh(a.astype(float)).min()) <= 0:
        raise ValueError(
            f"{name} is not positive definite: its smallest eigenvalue is {low:.6g}, "
            "which must be greater than 0. Adding a multiple of the identity works."
        )


def positive_semidefinite(name: str, x: Any) -> None:
    """Refuse a symmetric matrix with an eigenvalue below zero by more than rounding."""
    symmetric(name, x)
    a = concrete(x)
    if a is None:
        return
    values = np.linalg.eigvalsh(a.astype(float))
    if values[0] < -1e-5 * np.max(np.abs(values)):
        raise ValueError(
            f"{name} is no covariance: its smallest eigenvalue is {values[0]:.6g}, "
            "which must not be negative."
        )


def stable(name: str, x: Any) -> None:
    """Refuse a drift `F` of dx = -F x dt with an eigenvalue of real part <= 0."""
    square(name, x)
    finite(name, x)
    a = concrete(x)
    if a is not None and (low := np.linalg.eigvals(a.astype(float)).real.min()) <= 0:
        raise ValueError(
            f"{name} is unstable: an eigenvalue has real part {low:.6g}, which must be "
            "greater than 0 for dx = -F x dt to come to rest. Add dissipation "
            "(a finite resistance in every cell), or flip the sign of the drift."
        )


def same_size(name: str, x: Any, n: int) -> None:
    """Refuse a matrix that is not `(n, n)`."""
    square(name, x)
    if np.shape(x)[0] != n:
        raise ValueError(f"{name} has shape {np.shape(x)}: it must be ({n}, {n}).")


def _first(bad: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(bad)[0])


def _show(at: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, at))}]" if at else ""
