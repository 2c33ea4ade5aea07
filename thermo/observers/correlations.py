"""Autocovariance, and how many independent samples a correlated run is worth."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from thermo.precision import full_precision


class CorrelationState(NamedTuple):
    """Lagged sums and the samples that later ones will be paired with."""

    recent: Float[Array, "lags d"]
    products: Float[Array, "lags+1 d d"]
    seen: Int[Array, ""]


@dataclass(frozen=True)
class Correlations:
    r"""Autocovariance $C_k = \langle v_{t+k} v_t^T \rangle$ at lags 0 to `lags`.

    Attributes:
        lags: largest lag, in samples.

    Example:
        >>> import jax.numpy as jnp
        >>> from thermo.observers import measure
        >>> measure(Correlations(1), jnp.array([[1.0], [-1.0], [1.0]])).ravel()
        Array([ 1., -1.], dtype=float32)
    """

    lags: int

    def __post_init__(self):
        """A lag cannot be negative."""
        if self.lags < 0:
            raise ValueError(f"lags must be at least 0, got {self.lags}")

    def init(self, size: int, chunk: int, dtype: Any) -> CorrelationState:
        """Zeros stand for the samples before the first: they add nothing."""
        del chunk
        return CorrelationState(
            recent=jnp.zeros((self.lags, size), dtype),
            products=jnp.zeros((self.lags + 1, size, size), dtype),
            seen=jnp.zeros((), jnp.int32),
        )

    def update(
        self, state: CorrelationState, v: Float[Array, "time d"]
    ) -> CorrelationState:
        """Pair the chunk with its own past."""
        line = jnp.concatenate([state.recent, v])
        first = jnp.arange(self.lags, -1, -1)  # where the past begins, by lag
        past = line[first[:, None] + jnp.arange(v.shape[0])[None, :]]
        return CorrelationState(
            recent=line[v.shape[0] :],
            products=state.products + jnp.einsum("ti,ktj->kij", v, past),
            seen=state.seen + v.shape[0],
        )

    def finish(self, state: CorrelationState) -> Float[Array, "lags+1 d d"]:
        """Divide each lag by its number of pairs."""
        pairs = (state.seen - jnp.arange(self.lags + 1)).astype(state.products.dtype)
        return state.products / pairs[:, None, None]


@full_precision
def effective_samples(
    autocovariance: Float[Array, "lags+1 d d"], n_samples: int
) -> Float[Array, ""]:
    r"""Independent samples that a correlated run is worth, from its autocovariance.

    The summed variance of the second moment of one independent sample, over that of
    $N$ correlated ones, for a zero-mean Gaussian process:

    $$ N_\text{eff} = N\,\frac{(\operatorname{tr} C_0)^2 + \operatorname{tr} C_0^2}
       {\sum_{|k| < N} (1 - |k| / N)\,
       [(\operatorname{tr} C_k)^2 + \operatorname{tr} C_k^2]} $$

    DERIVED (Isserlis). Give it what `Correlations` measured; from theory the same
    number is `exact.effective_samples`.

    Args:
        autocovariance: $C_k$ at lags 0, 1, ... until it has decayed,
            `(lags + 1, d, d)`. The noise of needless lags biases the answer down.
        n_samples: length $N$ of the run.

    Returns:
        $N_\text{eff}$.

    Example:
        >>> import jax.numpy as jnp
        >>> halves = (0.5 ** jnp.arange(30.0))[:, None, None]
        >>> round(float(effective_samples(halves, 10_000)), -2)  # (1-a^2) / (1+a^2)
        6000.0
    """
    trace = jnp.trace(autocovariance, axis1=1, axis2=2)
    squares = trace**2 + jnp.einsum("kij,kji->k", autocovariance, autocovariance)
    lag = jnp.arange(len(squares), dtype=squares.dtype)
    pairs = jnp.where(lag > 0, 2.0, 1.0) * jnp.maximum(0.0, 1 - lag / n_samples)
    return n_samples * squares[0] / (pairs.astype(squares.dtype) @ squares)
