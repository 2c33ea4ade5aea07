"""Which matrices passive components can represent, and with what values."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thermo import checks

# Entries of the matrix smaller than this, relative to its largest, count as rounding.
ROUNDING = 1e-6


class Components(NamedTuple):
    """Two-terminal components whose Maxwell matrix is s times the wanted one.

    Attributes:
        to_ground: `(d,)`.
        between: `(d, d)`, symmetric, diagonal 0.
        scale: s.
    """

    to_ground: jax.Array
    between: jax.Array
    scale: jax.Array


def passive_components(
    matrix: jax.Array,
    component_range: tuple[float, float] = (0.0, 1.0),
    scale: float | None = None,
) -> Components:
    """Passive components that represent a symmetric M-matrix.

    Args:
        matrix: symmetric, off-diagonal entries <= 0, row sums >= 0, `(d, d)`.
        component_range: smallest and largest value that can be made; a component may
            also be absent.
        scale: component per unit of the matrix; None makes the largest component the
            largest that can be made, so that the range is filled.

    Raises:
        ValueError: naming the entry that passive components cannot represent.
    """
    low, high = component_range
    checks.non_negative("component_range[0]", low)
    if not low < high:
        raise ValueError(f"component_range = {component_range}: high must exceed low.")
    check_representable(matrix)
    matrix = jnp.asarray(matrix)
    largest = jnp.max(jnp.abs(matrix))
    off = jnp.where(jnp.eye(len(matrix), dtype=bool), 0, -matrix)
    between = _without_rounding(off, largest)
    to_ground = _without_rounding(jnp.sum(matrix, axis=1), largest)
    most = jnp.maximum(jnp.max(between), jnp.max(to_ground))
    scale_ = high / most if scale is None else jnp.asarray(scale, matrix.dtype)
    made = Components(scale_ * to_ground, scale_ * between, scale_)
    _check_range(made, low, high)
    return made


def check_representable(matrix: Any) -> None:
    """Refuse what is no symmetric, diagonally dominant, positive definite M-matrix."""
    checks.symmetric("matrix", matrix)
    a = checks.concrete(matrix)
    if a is None:
        return
    a = a.astype(float)
    allowed = ROUNDING * np.max(np.abs(a))
    off = a - np.diag(np.diag(a))
    if off.max() > allowed:
        i, j = (int(k) for k in np.unravel_index(np.argmax(off), off.shape))
        raise ValueError(
            f"matrix[{i}, {j}] = {off[i, j]:.6g}: passive coupling needs every "
            "off-diagonal entry <= 0 (it makes non-negative correlations only). "
            "`double(matrix)` represents it on twice the cells, as does an op-amp board"
            " on the same cells."
        )
    if (rows := a.sum(1)).min() < -allowed:
        i = int(np.argmin(rows))
        raise ValueError(
            f"matrix[{i}, {i}] = {a[i, i]:.6g}: passive components need diagonal "
            f"dominance, at least {a[i, i] - rows[i]:.6g} here (row {i} sums to "
            f"{rows[i]:.6g}, a capacitance to ground must be >= 0). Add to the "
            "diagonal, rescale the variables, or use an op-amp board."
        )
    checks.positive_definite("matrix", a)


def _without_rounding(x, largest):
    return jnp.where(x > ROUNDING * largest, x, 0)


def _check_range(made, low, high):
    """Refuse components outside the range, naming the first."""
    for name, value in (("between", made.between), ("to_ground", made.to_ground)):
        a = checks.concrete(value)
        if a is None:
            continue
        bad = (a > 0) & ((a < low * (1 - ROUNDING)) | (a > high * (1 + ROUNDING)))
        if bad.any():
            at = [int(k) for k in np.argwhere(bad)[0]]
            raise ValueError(
                f"component {name}{at} = {a[tuple(at)]:.6g}: must be 0 or within "
                f"component_range = ({low:g}, {high:g}) at scale "
                f"{float(made.scale):.6g}. Change the scale, widen the range, or set "
                "small entries of the matrix to 0."
            )
