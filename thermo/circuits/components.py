"""Which matrices passive components can represent, and with what values."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thermo import checks
from thermo.precision import in_double
from thermo.reals import is_traced, real_array

ROUNDING = 1e-6
"""An entry smaller than this counts as rounding, relative to the root of the diagonal
entries in its row and column: never to the largest of all, of another unit perhaps."""

FAITHFUL = 1e-3
"""How far rounding the components may move the inverse of their matrix, relative to the
roots of its diagonal. About a condition number of 1e4 to 1e6 in float32."""


class Components(NamedTuple):
    """Two-terminal components whose Maxwell matrix is s times the wanted one.

    Attributes:
        to_ground: nF or mS, `(d,)`.
        between: nF or mS, `(d, d)`, symmetric, diagonal 0.
        scale: s.
    """

    to_ground: jax.Array
    between: jax.Array
    scale: jax.Array


def passive_components(
    matrix: jax.Array,
    component_range: tuple[float, float] = (0.0, 1.0),
    scale: float | None = None,
    *,
    name: str = "matrix",
) -> Components:
    """Passive components that represent a symmetric M-matrix.

    Set-up runs in doubles on concrete input.

    Args:
        matrix: symmetric, off-diagonal entries <= 0, row sums >= 0, `(d, d)`.
        component_range: smallest and largest value that can be made, nF or mS; a
            component may also be absent. Infinite only where `scale` is given.
        scale: component per unit of the matrix; None makes the largest component the
            largest that can be made, so that the range is filled.
        name: of the matrix in messages.

    Raises:
        ValueError: naming the entry that passive components cannot represent, or the
            option that makes no sense.
    """
    check_range(component_range, scale)
    check_representable(matrix, name=name)
    named = {name: matrix, "component_range": component_range[1], "scale": scale}
    made = in_double(_components, **named)
    check_within(made._asdict(), component_range, made.scale)
    return made


def check_range(component_range: Any, scale: Any) -> None:
    """Refuse a range that is none, and a scale that is not positive."""
    if not isinstance(component_range, tuple | list) or len(component_range) != 2:
        raise ValueError(f"component_range = {component_range!r}: must be (low, high).")
    for i, edge in enumerate(component_range):
        checks.one_number(f"component_range[{i}]", edge)
    if scale is not None:
        checks.interval("scale", scale)
    low, high = component_range
    checks.non_negative("component_range[0]", low)
    checks.positive("component_range[1]", high, infinite=scale is not None)
    a, b = checks.values("low", low), checks.values("high", high)
    if a is not None and b is not None and not a < b:
        raise ValueError(f"component_range = {component_range}: high must exceed low.")


def check_representable(matrix: Any, name: str = "matrix") -> None:
    """Refuse what is no symmetric, diagonally dominant, positive definite M-matrix.

    Raises:
        ValueError: naming the entry, and what would work.
    """
    checks.symmetric(name, matrix)
    a = checks.values(name, matrix)
    if a is None:
        return
    diagonal = a.diagonal()
    if diagonal.min() <= 0:
        i = int(np.argmin(diagonal))
        raise ValueError(
            f"{name}[{i}, {i}] = {diagonal[i]:.6g}: not positive definite, its "
            "diagonal must be greater than 0."
        )
    own = np.sqrt(diagonal)
    off = a - np.diag(diagonal)
    relative = np.triu(off / own[:, None] / own[None, :])
    if relative.max() > ROUNDING:
        i, j = (int(k) for k in np.unravel_index(np.argmax(relative), off.shape))
        raise ValueError(
            f"{name}[{i}, {j}] = {off[i, j]:.6g}: passive coupling needs every "
            "off-diagonal entry <= 0 (it makes non-negative correlations only). "
            "`double(matrix)` represents it on twice the cells, as does an op-amp board"
            " on the same cells."
        )
    rows = a.sum(1)
    if (rows / diagonal).min() < -ROUNDING:
        i = int(np.argmin(rows / diagonal))
        raise ValueError(
            f"{name}[{i}, {i}] = {a[i, i]:.6g}: passive components need diagonal "
            f"dominance, at least {a[i, i] - rows[i]:.6g} here (row {i} sums to "
            f"{rows[i]:.6g}, a capacitance to ground must be >= 0). Add to the "
            "diagonal, rescale the variables, or use an op-amp board."
        )
    checks.positive_definite(name, a)


def check_within(
    components: dict[str, Any], component_range: tuple[float, float], scale: Any
) -> None:
    """Refuse components outside the range, naming the first."""
    if is_traced(component_range, scale):
        return
    low, high = (float(edge) for edge in component_range)
    for name in ("between", "to_ground", "conductance"):
        a = checks.values(name, components[name]) if name in components else None
        if a is None:
            continue
        size = np.abs(a)
        bad = (size > 0) & (
            (size < low * (1 - ROUNDING)) | (size > high * (1 + ROUNDING))
        )
        if bad.any():
            at = [int(k) for k in np.argwhere(bad)[0]]
            raise ValueError(
                f"component {name}{at} = {a[tuple(at)]:.6g}: must be 0 or within "
                f"component_range = ({low:g}, {high:g}) at scale "
                f"{float(scale):.6g}. Change the scale, widen the range, or set "
                "small entries of the matrix to 0."
            )


def check_faithful(name: str, wanted: Any, made: Any, scale: Any) -> None:
    """Refuse components whose rounding would move the inverse of the matrix.

    Args:
        name: of the matrix in the message.
        wanted: the matrix, `(d, d)`.
        made: the matrix of the rounded components, nF or mS, `(d, d)`.
        scale: component per unit of the matrix.
    """
    a, b = checks.values(name, wanted), checks.values(name, made)
    if a is None or b is None or is_traced(scale):
        return
    own = np.sqrt(a.diagonal())
    a, b = (x / own[:, None] / own[None, :] for x in (a, b / float(scale)))
    right, found = np.linalg.inv(a), _inverse(b)
    size = np.sqrt(right.diagonal())
    off = float(np.max(np.abs(found - right) / size[:, None] / size[None, :]))
    if not off < FAITHFUL:
        dtype = real_array(name, made).dtype
        raise ValueError(
            f"{name} has a condition number of {np.linalg.cond(a):.2g} (its diagonal "
            f"scaled to 1): in {dtype} its components have an inverse that is off by "
            f"{off:.2g} of its diagonal, the bound is {FAITHFUL:g}. Use "
            "jax.enable_x64, or add to the diagonal."
        )


def _inverse(a):
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return np.full_like(a, np.inf)


def _components(matrix, high, scale):
    diagonal = jnp.diagonal(matrix)
    own = jnp.sqrt(diagonal)
    mine = jnp.eye(len(matrix), dtype=bool)
    size = own[:, None] * own[None, :]
    between = _without_rounding(jnp.where(mine, 0, -matrix), size)
    to_ground = _without_rounding(jnp.sum(matrix, axis=1), diagonal)
    most = jnp.maximum(jnp.max(between), jnp.max(to_ground))
    scale = high / most if scale is None else scale
    return Components(scale * to_ground, scale * between, jnp.asarray(scale))


def _without_rounding(x, size):
    return jnp.where(x > ROUNDING * size, x, 0)
