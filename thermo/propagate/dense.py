"""The exact step of any stable linear board: one matrix, one Gaussian."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo import exact
from thermo.compensated import Pair, add, pair
from thermo.exact.transition import increment
from thermo.precision import full_precision
from thermo.propagate.increments import feels, one_step, shrinks
from thermo.propagate.prepare import prepare


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Propagator:
    r"""One exact step of any stable linear board, dense.

    Where a step is short against the relaxation, $P - 1$ is held in place of P, and the
    state is two numbers, the second below the rounding of the first: the law is right
    to 1e-4 for every `dt` down to 1e-12 of the relaxation, in float32 too.

    Attributes:
        base: 1 where `change` is $P - 1$ with $P = e^{-F\,dt}$, 0 where it is P itself.
        change: $P$ less `base`, `(n, n)`.
        remainder: what rounding took off the change, `(n, n)`, where the slowest
            mode would feel it (time constants far apart, a very high Q); else None.
        noise: lower-triangular $L$ with $L L^\mathsf T = Q(dt)$, `(n, n)`.
        start: lower-triangular factor of the stationary covariance, `(n, n)`.
        centre: stationary mean $m = F^{-1} b$, `(n,)`.
        readout: $H$, from states to voltages, `(d, n)`.
    """

    base: int = field(default=1, metadata={"static": True})
    change: jax.Array
    remainder: jax.Array | None = None
    noise: jax.Array
    start: jax.Array
    centre: jax.Array
    readout: jax.Array

    chunk: ClassVar[int] = 64

    @property
    def step(self) -> Any:
        """$P$, `(n, n)`, in NumPy doubles; while it is being traced, rounded."""
        return one_step(self.base, self.change, self.remainder, np.eye(self.size))

    @property
    def size(self) -> int:
        """Number of states."""
        return self.change.shape[-1]

    @property
    def n_readouts(self) -> int:
        """Number of voltages."""
        return self.readout.shape[-2]

    def begin(self, xi: Float[Array, " n"]) -> Pair:
        """A stationary draw, about the mean."""
        return pair(self.start @ xi)

    def enter(self, z0: Float[Array, " n"]) -> Pair:
        """Distance of a state from the mean."""
        return pair(z0 - self.centre)

    def run(
        self, state: Pair, xi: Float[Array, "time n"]
    ) -> tuple[Pair, Float[Array, "time d"]]:
        """Noise for all steps in one product, then step by step."""

        def short(state, kick):
            more = self.change @ state.high + kick
            if self.remainder is not None:
                more = more + self.remainder @ state.high
            state = add(state, more)
            return state, state.high

        def long(x, kick):
            x = self.change @ x + kick
            return x, x

        kicks, (x, low) = xi @ self.noise.T, state
        if self.base:
            last, xs = jax.lax.scan(short, state, kicks)
        else:
            x, xs = jax.lax.scan(long, x, kicks)
            last = Pair(x, low)
        return last, xs @ self.readout.T + (self.readout @ self.centre)[None, :]

    def check(self) -> None:
        """Refuse a board that does not come to rest."""
        if not np.isfinite(self.change).all():
            raise ValueError(
                "drift, dt: the step is not finite. The drift is too large, or the "
                "interval too long for it: change the units, or shorten the interval."
            )
        slowest = np.min(shrinks(self.change))
        if not slowest > 0:
            raise ValueError(
                f"drift is unstable: a disturbance grows {(1 - slowest) ** 0.5:.6g} "
                "times per step, the bound is 1. Add dissipation: a finite resistance "
                "in every cell."
            )

    def rounded(self, dtype: Any) -> "Propagator":
        """A short step of doubles, in the form that keeps its law in another dtype."""
        slowest = shrinks(self.change)
        if not feels(1.0, dtype, slowest):
            long = replace(self, base=0, change=self.change + np.eye(self.size))
            return jax.tree.map(lambda x: x.astype(dtype), long)
        ready = jax.tree.map(lambda x: x.astype(dtype), self)
        size = np.linalg.norm(self.start, axis=-1)
        size = np.where(size > 0, size, 1)
        change = self.change / size[..., :, None] * size[..., None, :]
        if not feels(np.linalg.norm(change, axis=(-2, -1)), dtype, slowest):
            return ready
        lost = self.change - np.asarray(ready.change, float)
        return replace(ready, remainder=lost.astype(dtype))


@full_precision
def propagator(board: Any, dt: jax.Array | float) -> Any:
    r"""Prepare the exact step of a linear board.

    Set-up runs in double precision, whatever the working precision, unless its input
    is being traced (by `grad`, `vmap` or `jit`): then it runs in the working one.

    Args:
        board: a board, or its `LinearForm`, which may carry leading axes:
            `propagator(jax.vmap(RLCBoard.linear)(boards), dt)` prepares a population.
        dt: sampling interval, µs.

    Returns:
        The propagator; where a drive is a function of time, `Driven` by it.

    Raises:
        ValueError: if `dt` is not positive or the board does not come to rest.

    Example:
        >>> import jax.numpy as jnp
        >>> from thermo import LinearForm
        >>> one = jnp.eye(1)
        >>> form = LinearForm(drift=one, noise=jnp.sqrt(2) * one, readout=one)
        >>> p = propagator(form, 0.5)
        >>> print(f"{p.step[0, 0]:.6f}")  # exp(-1/2)
        0.606531
    """
    return prepare(_dense, board, dt)


def _dense(form, dt):
    change, covariance = increment(form.drift, form.diffusion, dt)
    stationary = exact.stationary_covariance(form.drift, form.diffusion)
    return Propagator(
        change=change,
        noise=_factor(covariance),
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
