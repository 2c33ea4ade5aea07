"""Mean and second moment."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int


class MomentEstimate(NamedTuple):
    """First and second moments of a run.

    Attributes:
        mean: average read-out, `(d,)`.
        second: average of v v^T, `(d, d)`. No mean is subtracted: that of an
            RLC cell's voltage is zero by physics, and knowing it is worth using.
        n_samples: samples averaged over.
    """

    mean: Float[Array, " d"]
    second: Float[Array, "d d"]
    n_samples: Int[Array, ""]

    @property
    def covariance(self) -> Float[Array, "d d"]:
        """Second moment about the mean of the sample, `(d, d)`."""
        outer = self.mean[..., :, None] * self.mean[..., None, :]
        return self.second - outer


class MomentState(NamedTuple):
    """Running sums."""

    total: Float[Array, " d"]
    products: Float[Array, "d d"]
    seen: Int[Array, ""]


@dataclass(frozen=True)
class Moments:
    """Mean and second moment: what a thermodynamic inverse is read from.

    Example:
        >>> import jax.numpy as jnp
        >>> from thermo.observers import measure
        >>> estimate = measure(Moments(), jnp.array([[1.0, 0.0], [1.0, 2.0]]))
        >>> estimate.second
        Array([[1., 1.],
               [1., 2.]], dtype=float32)
    """

    def init(self, size: int, chunk: int, dtype: Any) -> MomentState:
        """Empty sums."""
        del chunk
        return MomentState(
            total=jnp.zeros(size, dtype),
            products=jnp.zeros((size, size), dtype),
            seen=jnp.zeros((), jnp.int32),
        )

    def update(self, state: MomentState, v: Float[Array, "time d"]) -> MomentState:
        """Add a chunk: one small matrix product."""
        return MomentState(
            total=state.total + v.sum(0),
            products=state.products + v.T @ v,
            seen=state.seen + v.shape[0],
        )

    def finish(self, state: MomentState) -> MomentEstimate:
        """Divide by the number seen."""
        n = state.seen.astype(state.total.dtype)
        return MomentEstimate(state.total / n, state.products / n, state.seen)
