"""What is done to a matrix before a board can hold it, chosen by looking at it."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo import checks
from thermo.circuits import double

SCALINGS = {
    "none": "as it is",
    "unit diagonal": "rows and columns scaled to a diagonal of 1",
    "dominance": "rows and columns scaled until each diagonal entry dominates its row",
}
CIRCUITS = ("rlc", "capacitive", "resistive", "op-amp")


@jax.tree_util.register_static
@dataclass(frozen=True, kw_only=True)
class Preparation:
    r"""How a matrix A comes onto a board.

    `invert`, `sample` and `solve` choose one and report it; one that was chosen for a
    matrix serves for others of its kind, inside `jit` too, where no value can be looked
    at.

    Attributes:
        normal: the normal equations: the board holds $A^\mathsf T A$, for any
            invertible A, at the square of its condition number.
        scaling: "none"; "unit diagonal" (Jacobi): $W A W$ with $W_i = A_{ii}^{-1/2}$;
            or "dominance": further by $w = \langle A\rangle^{-1} 1$, with the
            comparison matrix $\langle A\rangle$ (diagonal less the sizes of the rest),
            after which each row is diagonally dominant (DERIVED: row i of
            $\langle A\rangle W$ sums to 1).
        doubled: Gremban's doubling, two cells for each variable, so that couplers of
            one sign make matrices of both (`thermo.double`).
        circuit: "rlc", "capacitive", "resistive" or "op-amp".

    Raises:
        ValueError: if a field is none of these.

    Example:
        >>> print(Preparation(scaling="dominance", doubled=True, circuit="rlc"))
        rows and columns scaled until each diagonal entry dominates its row; two cells
        for each variable; board: rlc
    """

    normal: bool = False
    scaling: str = "unit diagonal"
    doubled: bool = False
    circuit: str = "op-amp"

    def __post_init__(self) -> None:
        """What a person types is checked."""
        for name in ("normal", "doubled"):
            if not isinstance(value := getattr(self, name), bool):
                raise ValueError(f"{name} = {value!r:.40}: must be True or False.")
        for name, among in (("scaling", tuple(SCALINGS)), ("circuit", CIRCUITS)):
            if not isinstance(value := getattr(self, name), str) or value not in among:
                raise ValueError(f"{name} = {value!r:.40}: must be one of {among}.")

    def __str__(self) -> str:
        """In words."""
        steps = ["the normal equations"] if self.normal else []
        steps += [SCALINGS[self.scaling]]
        steps += ["two cells for each variable"] if self.doubled else []
        return "; ".join([*steps, f"board: {self.circuit}"])


def prepare_inversion(matrix: Float[Array, "n n"]) -> Preparation:
    r"""The way onto a board whose covariance is to be the inverse of a matrix.

    A symmetric positive definite matrix comes onto the SPU's passive cells, "rlc",
    wherever a diagonal scaling makes it diagonally dominant (it is an H-matrix: its
    comparison matrix has a positive inverse), with two cells for each variable if there
    are positive couplings; otherwise onto an op-amp array. Any other matrix goes by the
    normal equations. While a matrix is being traced it is taken to be symmetric
    positive definite, and the array holds it.

    Args:
        matrix: A, `(n, n)`, invertible.

    Raises:
        ValueError: if the matrix is not square, not of finite real numbers, or
            singular.

    Example:
        >>> import jax.numpy as jnp
        >>> print(prepare_inversion(jnp.array([[1.0, 0.5], [0.5, 9.0]])))
        rows and columns scaled to a diagonal of 1; two cells for each variable; board:
        rlc
    """
    a = _looked_at(matrix)
    if a is None:
        return Preparation()
    normal = not _definite(a)
    a = a.T @ a if normal else a
    own = 1 / np.sqrt(a.diagonal())
    a = own[:, None] * a * own[None, :]
    off = a - np.eye(len(a))
    rest = Preparation(normal=normal)
    if not _comparable(np.abs(off)):
        return rest
    dominant = np.abs(off).sum(1).max() <= 1
    return replace(
        rest,
        scaling="unit diagonal" if dominant else "dominance",
        doubled=bool(np.triu(off, 1).max(initial=0) > SMALL),
        circuit="rlc",
    )


def prepare_solution(matrix: Float[Array, "n n"]) -> Preparation:
    """The way onto an op-amp array whose mean is to solve an equation.

    A symmetric positive definite matrix is scaled; any other that is stable, all
    eigenvalues with positive real part, is held as it is; the rest goes by the normal
    equations. While a matrix is being traced it is taken to be symmetric positive
    definite.

    Args:
        matrix: A, `(n, n)`, invertible.

    Raises:
        ValueError: if the matrix is not square, not of finite real numbers, or
            singular.

    Example:
        >>> import jax.numpy as jnp
        >>> print(prepare_solution(jnp.array([[1.0, 3.0], [0.0, 2.0]])))
        as it is; board: op-amp
    """
    a = _looked_at(matrix)
    if a is None or _definite(a):
        return Preparation()
    low = np.linalg.eigvals(a).real.min()
    if low > len(a) * np.finfo(np.float32).eps * np.linalg.norm(a, 2):
        return Preparation(scaling="none")
    return Preparation(normal=True)


@partial(jax.jit, static_argnames="how")
def prepared(
    matrix: Float[Array, "n n"], how: Preparation
) -> tuple[Float[Array, "m m"], Float[Array, " n"]]:
    """The matrix that the board holds, and the W that its variables are scaled by."""
    a = matrix.mT @ matrix if how.normal else matrix
    w = jnp.ones(len(a), a.dtype)
    if how.scaling != "none":
        w = 1 / jnp.sqrt(jnp.diagonal(a))
    if how.scaling == "dominance":
        sizes = jnp.abs(w[:, None] * a * w[None, :])
        comparison = 2 * jnp.diag(jnp.diagonal(sizes)) - sizes
        more = jnp.linalg.solve(comparison, jnp.ones_like(w))
        w = w * more / jnp.max(more)
    a = w[:, None] * a * w[None, :]
    return (double((a + a.mT) / 2) if how.doubled else a), w


SMALL = 1e-6
"""Relative to a diagonal of 1: a positive coupling below this is rounding."""


def _looked_at(matrix: Any) -> np.ndarray | None:
    checks.square("matrix", matrix)
    checks.finite("matrix", matrix)
    a = checks.values("matrix", matrix)
    if a is None:
        return None
    size = np.abs(a).max(0)
    if not size.all() or np.linalg.matrix_rank(a / np.where(size, size, 1)) < len(a):
        raise ValueError(
            f"matrix is singular: its rank is {np.linalg.matrix_rank(a)}, which must be"
            f" {len(a)}. Adding a multiple of the identity works."
        )
    return a


def _definite(a):
    try:
        checks.positive_definite("matrix", a)
    except ValueError:
        return False
    return True


def _comparable(sizes):
    """Whether 1 - |off| is an M-matrix: whether its inverse times 1 is positive."""
    comparison = np.eye(len(sizes)) - sizes
    try:
        w = np.linalg.solve(comparison, np.ones(len(sizes)))
    except np.linalg.LinAlgError:
        return False
    return bool((w > 0).all() and w.max() < 1 / SMALL)


def check_preparation(name: str, how: Any) -> None:
    """Refuse what is no preparation."""
    if not isinstance(how, Preparation):
        raise ValueError(f"{name} = {how!r:.60}: must be a Preparation.")


__all__ = ["Preparation", "prepare_inversion", "prepare_solution"]
