r"""Tunable capacitors and nothing else between the nodes: one board, two Gaussians.

With all dissipation at one temperature the voltages of a network of capacitors are
$\mathcal N(0, T^* C^{-1})$ and its charges $u = C v$ are $\mathcal N(0, T^* C)$
(DERIVED from US 2026/0031794 A1, abstract and claim 1, STATED: tunable capacitors
between nodes and to ground, voltages sampled, and a linear transformation of the
voltages, chosen from the same matrix, as the output).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.circuits.board import check_network, maxwell
from thermo.circuits.components import passive_components
from thermo.counts import check_count
from thermo.precision import full_precision, in_double
from thermo.reals import alike


class CapacitorSamples(NamedTuple):
    """Independent samples of one board.

    Attributes:
        v: node voltages, V, `(n_samples, d)`, of covariance $T^* C^{-1}$.
        u: charges C v of the same samples, nC, `(n_samples, d)`, of covariance $T^* C$.
    """

    v: Float[Array, "time d"]
    u: Float[Array, "time d"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class CapacitorBoard:
    r"""A network of capacitors at one temperature, read at times far apart.

    $$ v \sim \mathcal N(0, T^* C^{-1}), \qquad u = C v \sim \mathcal N(0, T^* C) $$

    with the Maxwell matrix C, an M-matrix: no positive entry off its diagonal, weakly
    diagonally dominant. On a board a voltage costs a wait and a charge one product of
    O(d^2) a sample; nothing is factorised. What relaxes, and how fast, is left out:
    the same board with its resistors is an `RCBoard`. (The simulation here does factor
    C, once, in O(d^3), as it has no physics to do it.)

    Attributes:
        ground_capacitance: from each node to ground, nF, `(d,)`.
        coupling: capacitor between two nodes, nF, `(d, d)`, symmetric, diagonal 0.
        temperature: T* = k_B T, nJ.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> board = CapacitorBoard(
        ...     ground_capacitance=jnp.ones(2),
        ...     coupling=jnp.array([[0.0, 0.5], [0.5, 0.0]]))
        >>> board.capacitance()
        Array([[ 1.5, -0.5],
               [-0.5,  1.5]], dtype=float32)
        >>> board.sample(jax.random.key(0), 1000).u.shape
        (1000, 2)
    """

    ground_capacitance: jax.Array
    coupling: jax.Array
    temperature: jax.Array | float = 1.0

    def check(self) -> None:
        """Refuse component values that no circuit can have.

        Raises:
            ValueError: naming the field, its value and its bound.
        """
        checks.many("ground_capacitance", self.ground_capacitance)
        checks.non_negative("ground_capacitance", self.ground_capacitance)
        d = len(alike(ground_capacitance=self.ground_capacitance)[0])
        checks.same_size("coupling", self.coupling, d, "ground_capacitance")
        check_network("coupling", self.ground_capacitance, self.coupling)
        checks.interval("temperature", self.temperature)

    @full_precision
    def capacitance(self) -> jax.Array:
        """Maxwell capacitance matrix, nF, `(d, d)`.

        Raises:
            ValueError: as `check`.
        """
        self.check()
        return in_double(
            maxwell, ground_capacitance=self.ground_capacitance, coupling=self.coupling
        )

    @full_precision
    def sample(self, key: Key[Array, ""], n_samples: int) -> CapacitorSamples:
        r"""Voltages and charges of independent instants.

        One draw makes both: $v = \sqrt{T^*} L^{-\mathsf T} \xi$ and $u = \sqrt{T^*} L
        \xi$ with $C = L L^\mathsf T$, so that u = C v without the cancellation of a
        product where capacitors to ground are small.

        Args:
            key: random key.
            n_samples: how many.

        Raises:
            ValueError: as `check`, or if `n_samples` is no positive whole number.
        """
        self.check()
        check_count("n_samples", n_samples)
        down, up = in_double(
            _factors,
            ground_capacitance=self.ground_capacitance,
            coupling=self.coupling,
            temperature=self.temperature,
        )
        xi = jr.normal(unrolled(key), (n_samples, len(down)), down.dtype)
        return CapacitorSamples(v=xi @ up.mT, u=xi @ down.mT)


class ProgrammedCapacitors(NamedTuple):
    r"""A board of capacitors with $C = s A$.

    Attributes:
        board: its components.
        scale: s, nF per unit of the matrix.
    """

    board: CapacitorBoard
    scale: jax.Array

    def like_inverse(self, v: jax.Array) -> jax.Array:
        """Voltages in the unit in which their covariance is the inverse of A."""
        return v * jnp.sqrt(self.scale / self.board.temperature)

    def like_matrix(self, u: jax.Array) -> jax.Array:
        """Charges in the unit in which their covariance is A itself."""
        return u / jnp.sqrt(self.scale * self.board.temperature)


def program_capacitors(
    matrix: jax.Array,
    *,
    temperature: jax.Array | float = 1.0,
    component_range: tuple[float, float] = (0.0, 1.0),
    scale: float | None = None,
) -> ProgrammedCapacitors:
    r"""The board that samples both $\mathcal N(0, A^{-1})$ and $\mathcal N(0, A)$.

    Args:
        matrix: A, symmetric positive definite, `(d, d)`: no positive entry off its
            diagonal, no negative row sum. For any other covariance there is
            `digital_factor`, and it removes the point.
        temperature: T*, nJ.
        component_range: smallest and largest capacitor, nF.
        scale: nF per unit of A; None fills the range.

    Raises:
        ValueError: naming the entry that no network of capacitors holds, or a component
            out of the range.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> a = jnp.array([[2.0, -1.0], [-1.0, 2.0]])
        >>> board, scale = program_capacitors(a)
        >>> board.capacitance() / scale
        Array([[ 2., -1.],
               [-1.,  2.]], dtype=float32)
    """
    checks.interval("temperature", temperature)
    made = passive_components(matrix, component_range, scale, name="matrix")
    (warmth,) = alike(temperature=temperature)
    board = CapacitorBoard(
        ground_capacitance=made.to_ground,
        coupling=made.between,
        temperature=jnp.asarray(warmth).astype(made.to_ground.dtype),
    )
    return ProgrammedCapacitors(board, made.scale)


@full_precision
def digital_factor(board: CapacitorBoard, covariance: jax.Array) -> jax.Array:
    r"""M that turns the board's voltages into samples of any other covariance.

    $M\,T^* C^{-1} M^\mathsf T = \Sigma$, by a Cholesky factor of $\Sigma$: O(d^3) on a
    digital computer, which could as well draw its own normals and be done. It removes
    the point of the board, and is here to say so: a board of capacitors is of use for
    the covariances C and C^-1 alone.

    Args:
        board: of d nodes.
        covariance: wanted, `(d, d)`, positive definite.

    Returns:
        M, `(d, d)`: `v @ M.T` are samples of N(0, covariance).

    Raises:
        ValueError: if the covariance is none or of another size, or the board is none.

    Example:
        >>> import jax.numpy as jnp
        >>> board = CapacitorBoard(ground_capacitance=jnp.ones(2),
        ...                        coupling=jnp.zeros((2, 2)))
        >>> digital_factor(board, jnp.array([[4.0, 2.0], [2.0, 2.0]]))
        Array([[2., 0.],
               [1., 1.]], dtype=float32)
    """
    if not isinstance(board, CapacitorBoard):
        raise ValueError(f"board = {board!r:.60}: must be a CapacitorBoard.")
    board.check()
    d = int(np.shape(board.ground_capacitance)[0])
    checks.same_size("covariance", covariance, d, "board")
    checks.positive_definite("covariance", covariance)

    def law(covariance: Any, ground: Any, coupling: Any, temperature: Any) -> Any:
        down, _ = _factors(ground, coupling, temperature)
        return jnp.linalg.cholesky(covariance) @ down.mT / temperature

    return in_double(
        law,
        covariance=covariance,
        ground_capacitance=board.ground_capacitance,
        coupling=board.coupling,
        temperature=board.temperature,
    )


def _factors(ground, coupling, temperature):
    """Of the covariances of charges and of voltages, from one factor of C."""
    down = jnp.linalg.cholesky(maxwell(ground, coupling))
    eye, root = jnp.eye(len(down), dtype=down.dtype), jnp.sqrt(temperature)
    up = jax.scipy.linalg.solve_triangular(down, eye, lower=True).mT
    return root * down, root * up
