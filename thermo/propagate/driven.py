"""The exact step of a board whose drive varies in time."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo.circuits.drive import at
from thermo.compensated import Pair, add, pair
from thermo.exact.response import INSTANTS, response

FINEST_STEP = 8
"""Roundings of the time axis in one interval, at least."""


class DrivenState(NamedTuple):
    """What a driven run carries.

    Attributes:
        inner: state of the undriven stepper.
        moved: how far the drive has moved the mean since the start, `(n,)`.
        step: intervals since the start.
    """

    inner: Any
    moved: Pair
    step: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Driven:
    r"""An exact step, and the mean that a drive moves beside it.

    A linear board fluctuates in the same way however it is driven: `stepper` is the
    board in its drive as it stands at t = 0, and $b(t) - b(0)$ moves a mean of its own,
    $m' = P m + \sum_j W_j\,(b(t + c_j\,dt) - b(0))$. Right for a drive that is a
    polynomial of degree 5 in each interval. Time is counted from the start of the run;
    a stationary start is one in the drive as it is at t = 0.

    Attributes:
        stepper: a `Propagator` or `Modes`.
        change: $P - 1$, `(n, n)`.
        weights: $W_j$, `(nodes, n, n)`, µs.
        into_voltage: H, `(d, n)`.
        drive: function of t in us to `(n,)`.
        dt: interval, µs.
    """

    stepper: Any
    change: jax.Array
    weights: jax.Array
    into_voltage: jax.Array
    drive: Any
    dt: jax.Array

    @property
    def chunk(self) -> int:
        """Samples drawn at once."""
        return self.stepper.chunk

    @property
    def size(self) -> int:
        """Standard normals consumed per sample."""
        return self.stepper.size

    @property
    def n_readouts(self) -> int:
        """Number of voltages."""
        return self.stepper.n_readouts

    @property
    def readout(self) -> jax.Array:
        """That of the undriven stepper."""
        return self.stepper.readout

    def begin(self, xi: Float[Array, " n"]) -> DrivenState:
        """A stationary draw in the drive as it is at t = 0."""
        return self._from(self.stepper.begin(xi))

    def enter(self, z0: Float[Array, " n"]) -> DrivenState:
        """A circuit state at t = 0."""
        return self._from(self.stepper.enter(z0))

    def run(
        self, state: DrivenState, xi: Float[Array, "time n"]
    ) -> tuple[DrivenState, Float[Array, "time d"]]:
        """Fluctuations by the undriven stepper, the mean by its own scan."""
        inner, v = self.stepper.run(state.inner, xi)
        steps = state.step + jnp.arange(len(xi), dtype=jnp.int32)
        part = jnp.asarray(INSTANTS, v.dtype)
        times = (steps.astype(v.dtype)[:, None] + part[None, :]) * self.dt
        shape = self.change.shape[:1]

        def fed(t):
            more = at(self.drive, t, v.dtype) - at(self.drive, 0.0, v.dtype)
            return jnp.broadcast_to(more, shape)

        kicks = jnp.einsum("jab,tjb->ta", self.weights, jax.vmap(jax.vmap(fed))(times))

        def one(moved, kick):
            moved = add(moved, self.change @ moved.high + kick)
            return moved, moved.high

        moved, means = jax.lax.scan(one, state.moved, kicks)
        last = DrivenState(inner, moved, state.step + len(xi))
        return last, v + means @ self.into_voltage.T

    def _from(self, inner: Any) -> DrivenState:
        still = pair(jnp.zeros(self.change.shape[:1], self.change.dtype))
        return DrivenState(inner, still, jnp.zeros((), jnp.int32))

    def check(self) -> None:
        """Refuse a board that does not come to rest."""
        self.stepper.check()

    def check_length(self, n_samples: int) -> None:
        """Refuse a run whose last interval the time axis rounds away.

        Raises:
            ValueError: naming the longest run.
        """
        dtype = np.dtype(self.readout.dtype)
        most = int(1 / (FINEST_STEP * np.finfo(dtype).eps))
        if n_samples > most:
            raise ValueError(
                f"n_samples = {n_samples}: a drive that is a function of time can be "
                f"followed for at most {most} intervals in {dtype}. Run in pieces with "
                "`z0`, or use jax.enable_x64."
            )

    def rounded(self, dtype: Any) -> "Driven":
        """In another precision."""
        bare = replace(self, stepper=None)
        bare = jax.tree.map(lambda x: _floats(x, dtype), bare)
        return replace(bare, stepper=self.stepper.rounded(dtype))


def driven(build: Any, form: Any, dt: jax.Array) -> Driven:
    """The driven step of a form, on the undriven one that `build(form, dt)` makes."""
    still = jnp.broadcast_to(at(form.drive, 0.0, dt.dtype), form.bias.shape)
    change, weights = response(form.drift, dt)
    return Driven(
        stepper=build(replace(form, bias=form.bias + still, drive=None), dt),
        change=change,
        weights=weights,
        into_voltage=form.readout,
        drive=form.drive,
        dt=dt,
    )


def _floats(x, dtype):
    return x.astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x
