r"""How the board is simulated: step by step, or exactly in its modes.

$$ \mathrm dg = -(F g - b)\,\mathrm dt + \sqrt{2 \kappa_0}\,\mathrm dW, \qquad
   g(t) \sim \mathcal N\big(e^{-Ft}(g_0 - F^{-1} b) + F^{-1} b,\
   \kappa_0 F^{-1} (1 - e^{-2Ft})\big) $$

with time in units of the board's own $\tau$ (an eigenvalue of 1 relaxes in 1).
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from prng.derive import folded
from thermo import checks
from thermo.natural_gradient.equation import Equation, Scalar

ROUNDING = 1e-5
"""Of a step, by which a run may be longer than a whole number of them."""
MOST = 2**31 - 1
"""Steps of a run."""


class Relaxed(NamedTuple):
    """Where a board has come to.

    Attributes:
        voltages: g, `(n,)`.
        stiffness: see `RelaxedState`.
    """

    voltages: Float[Array, " n"]
    stiffness: Float[Array, ""]


class Relaxation(Protocol):
    """How a board gets from its start to its state after a time."""

    def check(self, name: str, time: Any) -> None:
        """Refuse what cannot be simulated, naming it."""
        ...

    def run(
        self,
        key: Key[Array, ""],
        equation: Equation,
        start: Float[Array, " n"],
        time: Scalar,
        noise: Scalar,
    ) -> Relaxed:
        """Let the board relax for `time`, tau."""
        ...


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Euler:
    r"""Step by step, with products of the curvature alone: for any number of weights.

    $$ g \leftarrow g - h (F g - b) + \sqrt{2 \kappa_0 h}\,\xi $$

    where h is `step`, or a little less, so that a whole number of steps takes the time
    asked for. (The paper's printed Eq. 25 has a plus before the pull: a slip, by its
    own equation of motion, whose sign is taken.) Stable while
    $h < 2 / \lambda_{\max}(F)$, see `longest_step`; the noise settles at
    $\kappa_0 F^{-1} (1 - hF/2)^{-1}$ (DERIVED).

    Attributes:
        step: h, tau, greater than 0; 0.1 on MNIST and 0.02 on SQuAD (STATED).
    """

    step: Scalar = 0.1

    def check(self, name: str, time: Any) -> None:
        """Refuse a step that is not positive, and a time without an end."""
        checks.interval("step", self.step)
        checks.one_number(name, time)
        checks.non_negative(name, time)
        steps = _steps(time, self.step)
        if isinstance(steps, int) and steps > MOST:
            raise ValueError(
                f"{name} = {time}, step = {self.step}: these are {steps:.3g} steps, "
                f"the bound is {MOST:,}."
            )

    def run(
        self,
        key: Key[Array, ""],
        equation: Equation,
        start: Float[Array, " n"],
        time: Scalar,
        noise: Scalar,
    ) -> Relaxed:
        """Let the board relax for `time`, tau; not for derivatives in reverse."""
        dtype = start.dtype
        steps = _steps(time, self.step)
        time = jnp.asarray(time).astype(dtype)
        h = time / jnp.maximum(jnp.asarray(steps).astype(dtype), 1)
        kick = jnp.sqrt(2 * jnp.asarray(noise).astype(dtype) * h)
        key = unrolled(key)

        def turn(i, g):
            g = g - h * (equation.product(g) - equation.gradient)
            if _is_zero(noise):
                return g
            return g + kick * jr.normal(folded(key, i, i), g.shape, dtype)

        g = jax.lax.fori_loop(0, steps, turn, start)
        pull = equation.product(g) - equation.gradient
        bent = equation.product(pull) @ pull
        square = pull @ pull
        rate = bent / jnp.where(square == 0, 1, square)
        return Relaxed(g, h * rate / 2)


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Modes:
    """Exactly, mode by mode: for few weights, and any time, infinity included.

    The matrix is formed and diagonalised at every update: n products and O(n^3).
    """

    def check(self, name: str, time: Any) -> None:
        """Refuse a negative time, and NaN."""
        checks.one_number(name, time)
        value = checks.values(name, time)
        if value is not None and not value >= 0:
            raise ValueError(f"{name} = {value}: must not be negative.")

    def run(
        self,
        key: Key[Array, ""],
        equation: Equation,
        start: Float[Array, " n"],
        time: Scalar,
        noise: Scalar,
    ) -> Relaxed:
        """Let the board relax for `time`, tau."""
        dtype = start.dtype
        time, noise = (jnp.asarray(x).astype(dtype) for x in (time, noise))
        matrix = jax.vmap(equation.product)(jnp.eye(len(start), dtype=dtype))
        rates, basis = jnp.linalg.eigh((matrix + matrix.T) / 2)
        pull = basis.T @ (equation.gradient - equation.product(start))
        g = start + basis @ (_gained(rates, time) * pull)
        spread = jnp.sqrt(2 * noise * _gained(2 * rates, time))
        draws = jr.normal(unrolled(key), g.shape, dtype)
        kicked = basis @ (spread * (basis.T @ draws))  # whatever the signs of the modes
        return Relaxed(g + kicked, jnp.zeros((), dtype))


def _gained(rates: jax.Array, time: jax.Array) -> jax.Array:
    """(1 - exp(-rate time)) / rate: what a mode has covered of a pull of 1."""
    moves = rates > 0
    rate = jnp.where(moves, rates, 1)
    return jnp.where(moves, -jnp.expm1(-rate * time) / rate, time)


def _steps(time: Scalar, step: Scalar) -> Any:
    """How many, a whole number that may be traced."""
    whole, part = checks.values("time", time), checks.values("step", step)
    if whole is not None and part is not None:
        return max(math.ceil(whole / part - ROUNDING), int(whole > 0))
    time, step = (jnp.asarray(x).astype(float) for x in (time, step))
    steps = jnp.maximum(jnp.ceil(time / step - ROUNDING), (time > 0).astype(float))
    return steps.astype(jnp.int32)


def _is_zero(noise: Scalar) -> bool:
    """Known to be zero, so that nothing need be drawn."""
    value = checks.concrete(noise)
    return value is not None and float(value) == 0
