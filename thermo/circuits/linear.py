"""A linear circuit, reduced to what the exact path needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from thermo.circuits.drive import as_drive, at
from thermo.precision import full_precision
from thermo.reals import alike


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class LinearForm:
    r"""The linear stochastic differential equation of a board.

    $$ \mathrm dz = (b + b_t - F z)\,\mathrm dt + B\,\mathrm dW, \qquad v = H z $$

    Attributes:
        drift: $F$, `(n, n)`, 1/µs for states of one kind.
        noise: $B$, `(n, m)`; $B B^\mathsf T$ is the covariance gained per µs.
        readout: $H$, `(d, n)`, from states to node voltages.
        bias: constant drive $b$, `(n,)`.
        drive: drive that varies, $b_t$: a function of t in us to `(n,)`; None is none.

    Example:
        >>> import jax.numpy as jnp
        >>> one = jnp.eye(1)
        >>> LinearForm(drift=one, noise=2 * one, readout=one).diffusion
        Array([[4.]], dtype=float32)
    """

    drift: jax.Array
    noise: jax.Array
    readout: jax.Array
    bias: jax.Array | float = 0.0
    drive: Callable[[jax.Array], Any] | None = None

    def __post_init__(self) -> None:
        """A function of time is kept as a tree, for `jit`."""
        object.__setattr__(self, "drive", as_drive(self.drive))

    @property
    @full_precision
    def diffusion(self) -> jax.Array:
        r"""Noise covariance per unit time, $D = B B^\mathsf T$, `(n, n)`."""
        (noise,) = alike(noise=self.noise)
        if noise.ndim < 2:
            raise ValueError(f"noise has shape {noise.shape}: it must be (n, m).")
        return jnp.asarray(noise) @ noise.mT

    @full_precision
    def velocity(self, z: jax.Array, t: jax.Array | float = 0.0) -> jax.Array:
        r"""Deterministic rate of change $b + b_t - F z$ of one state `(n,)`."""
        bias, drift, z = alike(bias=self.bias, drift=self.drift, z=z)
        steady = jnp.asarray(bias - drift @ z)
        return steady if self.drive is None else steady + at(self.drive, t, z.dtype)
