"""The exact step of any stable linear board: one matrix, one Gaussian."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo import checks, exact
from thermo.precision import full_precision
from thermo.propagate.prepare import in_double


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Propagator:
    r"""One exact step of any stable linear board, dense.

    Attributes:
        step: $P = e^{-F\,dt}$, `(n, n)`.
        noise: lower-triangular $L$ with $L L^\mathsf T = Q(dt)$, `(n, n)`.
        start: lower-triangular factor of the stationary covariance, `(n, n)`.
        centre: stationary mean $m = F^{-1} b$, `(n,)`.
        readout: $H$, from states to voltages, `(d, n)`.
    """

    step: jax.Array
    noise: jax.Array
    start: jax.Array
    centre: jax.Array
    readout: jax.Array

    chunk: ClassVar[int] = 64

    @property
    def size(self) -> int:
        """Number of states."""
        return self.step.shape[-1]

    @property
    def n_readouts(self) -> int:
        """Number of voltages."""
        return self.readout.shape[-2]

    def begin(self, xi: Float[Array, " n"]) -> Float[Array, " n"]:
        """A stationary draw, about the mean."""
        return self.start @ xi

    def enter(self, z0: Float[Array, " n"]) -> Float[Array, " n"]:
        """Distance of a state from the mean."""
        return z0 - self.centre

    def run(
        self, x: Float[Array, " n"], xi: Float[Array, "time n"]
    ) -> tuple[Float[Array, " n"], Float[Array, "time d"]]:
        """Noise for all steps in one product, then step by step."""

        def one(x, kick):
            x = self.step @ x + kick
            return x, x

        last, xs = jax.lax.scan(one, x, xi @ self.noise.T)
        return last, xs @ self.readout.T + (self.readout @ self.centre)[None, :]

    def check(self) -> None:
        """Refuse a board that does not come to rest."""
        growth = np.abs(np.linalg.eigvals(np.asarray(self.step))).max()
        if not growth < 1:
            raise ValueError(
                f"drift is unstable: a disturbance grows {growth:.6g} times per step, "
                "the bound is 1. Add dissipation: a finite resistance in every cell."
            )


@full_precision
def propagator(board: Any, dt: jax.Array | float) -> Propagator:
    r"""Prepare the exact step of a linear board.

    Set-up runs in double precision, whatever the working precision, unless its input
    is being traced (by `grad`, `vmap` or `jit`): then it runs in the working one.

    Args:
        board: a board, or its `LinearForm`, which may carry leading axes:
            `propagator(jax.vmap(RLCBoard.linear)(boards), dt)` prepares a population.
        dt: sampling interval, µs.

    Returns:
        The propagator.

    Raises:
        ValueError: if `dt` is not positive or the board does not come to rest.

    Example:
        >>> import jax.numpy as jnp
        >>> from thermo import LinearForm
        >>> one = jnp.eye(1)
        >>> form = LinearForm(drift=one, noise=jnp.sqrt(2) * one, readout=one)
        >>> p = propagator(form, 0.5)
        >>> p.step  # exp(-1/2)
        Array([[0.60653067]], dtype=float32)
    """
    checks.positive("dt", dt)
    return in_double(_dense, board, dt)


def _dense(form, dt):
    law = exact.transition(form.drift, form.diffusion, dt)
    stationary = exact.stationary_covariance(form.drift, form.diffusion)
    return Propagator(
        step=law.propagator,
        noise=_factor(law.covariance),
        start=_factor(stationary),
        centre=jnp.linalg.solve(form.drift, form.bias),
        readout=form.readout,
    )


def _factor(covariance):
    """Cholesky of a covariance that may be singular, or have rows of other units.

    Rows are scaled to unit variance, and a few roundings added to the diagonal.
    """
    variance = jnp.diagonal(covariance)
    alive = variance > 0
    scale = jnp.where(alive, jnp.sqrt(jnp.where(alive, variance, 1)), 0)
    inverse = jnp.where(alive, 1 / jnp.where(alive, scale, 1), 0)
    correlation = covariance * inverse[:, None] * inverse[None, :]
    small = 4 * len(variance) * jnp.finfo(covariance.dtype).eps
    diagonal = jnp.where(alive, 1 + small, 1)
    filled = jnp.where(jnp.eye(len(variance), dtype=bool), diagonal, correlation)
    return scale[:, None] * jnp.linalg.cholesky(filled)
