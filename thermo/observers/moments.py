"""Mean, second moment and covariance."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo.counts import Count
from thermo.observers import comoments
from thermo.observers.comoments import Comoments, by_blocks


class MomentEstimate(NamedTuple):
    """First and second moments of a run.

    Attributes:
        mean: average read-out, `(d,)`.
        covariance: average product about the mean of the sample, `(d, d)`. It keeps
            its digits however far the mean is from zero.
        seen: samples averaged over.
    """

    mean: Float[Array, " d"]
    covariance: Float[Array, "d d"]
    seen: Count

    @property
    def second(self) -> Float[Array, "d d"]:
        """Average of v v^T, `(d, d)`.

        No mean is subtracted: that of an RLC cell's voltage is zero by physics, and
        knowing it is worth using.
        """
        return comoments.second(self.mean, self.mean, self.covariance)

    @property
    def n_samples(self) -> Any:
        """Samples averaged over: exact, and rounded while it is being traced."""
        return self.seen.value()


@dataclass(frozen=True)
class Moments:
    """Mean, second moment and covariance: what a thermodynamic inverse is read from.

    Right for 10^9 samples in float32, at any mean. States of separate runs `merge`.

    Example:
        >>> import jax.numpy as jnp
        >>> from thermo.observers import measure
        >>> estimate = measure(Moments(), jnp.array([[1.0, 0.0], [1.0, 2.0]]))
        >>> estimate.second
        Array([[1., 1.],
               [1., 2.]], dtype=float32)
    """

    def init(self, size: int, chunk: int, dtype: Any) -> Comoments:
        """Nothing seen yet."""
        del chunk
        return comoments.nothing((), size, dtype)

    def update(self, state: Comoments, v: Float[Array, "time d"]) -> Comoments:
        """Add a chunk: one small matrix product."""
        return by_blocks(_update, state, v)

    def merge(self, a: Comoments, b: Comoments) -> Comoments:
        """Both runs together."""
        return comoments.merge(a, b)

    def finish(self, state: Comoments) -> MomentEstimate:
        """Divide by the number seen."""
        mean = state.x.high + state.x.low
        return MomentEstimate(mean, comoments.covariance(state), state.seen)


def _update(state, v):
    centre, n = v.mean(0), jnp.asarray(v.shape[0])
    v = v - centre[None, :]
    rest = v.sum(0)
    return comoments.merge(state, comoments.centred(centre, n, rest, rest, v.T @ v))
