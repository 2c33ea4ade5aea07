"""The exact step of a board in detailed balance: independent decays."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo import checks
from thermo.precision import full_precision
from thermo.propagate.prepare import in_double


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Modes:
    r"""One exact step of a board in detailed balance, mode by mode.

    Where $F S$ is symmetric (equal noise temperature everywhere, no memory in coils)
    the board is a set of independent decays $x' = a x + \sqrt{1 - a^2}\,\xi$ of unit
    variance, mixed into voltages by one matrix product per chunk. At hundreds of
    states this is several times faster than `Propagator`.

    Attributes:
        decay: $a = e^{-\lambda\,dt}$, `(n,)`.
        kick: $\sqrt{1 - a^2}$, `(n,)`.
        readout: from modes to voltages, `(d, n)`.
        offset: stationary mean of the voltages, `(d,)`.
        into: from states about their mean to modes, `(n, n)`.
        centre: stationary mean of the states, `(n,)`.
        imbalance: relative asymmetry of $F^{-1} D / 2$: rounding in detailed balance.
    """

    decay: jax.Array
    kick: jax.Array
    readout: jax.Array
    offset: jax.Array
    into: jax.Array
    centre: jax.Array
    imbalance: jax.Array

    chunk: ClassVar[int] = 512

    @property
    def size(self) -> int:
        """Number of modes."""
        return self.decay.shape[-1]

    @property
    def n_readouts(self) -> int:
        """Number of voltages."""
        return self.readout.shape[-2]

    def begin(self, xi: Float[Array, " n"]) -> Float[Array, " n"]:
        """Modes are independent and of unit variance."""
        return xi

    def enter(self, z0: Float[Array, " n"]) -> Float[Array, " n"]:
        """A circuit state in modes."""
        return self.into @ (z0 - self.centre)

    def run(
        self, x: Float[Array, " n"], xi: Float[Array, "time n"]
    ) -> tuple[Float[Array, " n"], Float[Array, "time d"]]:
        """An elementwise scan, then one product."""

        def one(x, kick):
            x = self.decay * x + self.kick * kick
            return x, x

        last, xs = jax.lax.scan(one, x, xi)
        return last, xs @ self.readout.T + self.offset[None, :]

    def check(self) -> None:
        """Refuse a board that is not in detailed balance, or not at rest."""
        off, slowest = np.max(self.imbalance), np.max(self.decay)
        if not (off < 1e-5 and slowest < 1):
            raise ValueError(
                "modes: in detailed balance F^-1 D / 2 is symmetric and positive "
                f"definite; here it is asymmetric by {off:.2g} (bound 1e-5) and modes "
                f"decay to {slowest:.6g} per step (bound 1). Use `propagator`, which "
                "takes any stable drift."
            )


@full_precision
def modes(board: Any, dt: jax.Array | float) -> Modes:
    r"""Prepare the fast exact step of a linear board in detailed balance.

    Args:
        board: a board, or its `LinearForm`, with $F D = D F^\mathsf T$ and $D$
            positive definite: RC and op-amp boards at one noise temperature; never a
            board with coils.
        dt: sampling interval, µs.

    Returns:
        Its modes, for `trajectory`, `moments` and `observe`.

    Raises:
        ValueError: if the board is not in detailed balance; use `propagator`.

    Example:
        >>> import jax.numpy as jnp
        >>> from thermo import LinearForm
        >>> one = jnp.eye(1)
        >>> form = LinearForm(drift=one, noise=jnp.sqrt(2) * one, readout=one)
        >>> modes(form, 0.5).decay
        Array([0.60653067], dtype=float32)
    """
    checks.positive("dt", dt)
    return in_double(_modal, board, dt)


def _modal(form, dt):
    covariance = jnp.linalg.solve(form.drift, form.diffusion) / 2
    root = jnp.linalg.cholesky((covariance + covariance.T) / 2)
    mixed = jax.scipy.linalg.solve_triangular(root, form.drift @ root, lower=True)
    rate, turn = jnp.linalg.eigh((mixed + mixed.T) / 2)
    centre = jnp.linalg.solve(form.drift, form.bias)
    return Modes(
        decay=jnp.exp(-rate * dt),
        kick=jnp.sqrt(-jnp.expm1(-2 * rate * dt)),
        readout=form.readout @ (root @ turn),
        offset=form.readout @ centre,
        into=jax.scipy.linalg.solve_triangular(root.T, turn, lower=False).T,
        centre=centre,
        imbalance=jnp.abs(covariance - covariance.T).max() / jnp.abs(covariance).max(),
    )
