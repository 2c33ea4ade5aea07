"""Autocovariance, and how many independent samples a correlated run is worth."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from thermo import checks
from thermo.counts import check_count
from thermo.observers import comoments
from thermo.observers.comoments import Comoments, by_blocks
from thermo.precision import full_precision
from thermo.reals import alike


class CorrelationState(NamedTuple):
    """Statistics of all pairs, and the samples that later ones will be paired with."""

    recent: Float[Array, "lags d"]
    known: Int[Array, ""]
    pairs: Comoments


@dataclass(frozen=True)
class Correlations:
    r"""Correlation $C_k = \langle v_{t+k} v_t^T \rangle$ at lags 0 to `lags`.

    No mean is subtracted, as in `MomentEstimate.second`; `Autocovariance` subtracts it.
    Sums are centred and compensated either way.

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
        check_count("lags", self.lags, 0)

    @property
    def least_samples(self) -> int:
        """Samples that give one pair at the largest lag."""
        return self.lags + 1

    def init(self, size: int, chunk: int, dtype: Any) -> CorrelationState:
        """No pairs."""
        del chunk
        return CorrelationState(
            recent=jnp.zeros((self.lags, size), dtype),
            known=jnp.zeros((), jnp.int32),
            pairs=comoments.nothing((self.lags + 1,), size, dtype),
        )

    def update(
        self, state: CorrelationState, v: Float[Array, "time d"]
    ) -> CorrelationState:
        """Pair the chunk with its own past."""
        return by_blocks(self._update, state, v)

    def merge(self, a: CorrelationState, b: CorrelationState) -> CorrelationState:
        """Two runs together, without pairs across; later samples continue `b`."""
        return b._replace(pairs=comoments.merge(a.pairs, b.pairs))

    def finish(self, state: CorrelationState) -> Float[Array, "lags+1 d d"]:
        """Divide each lag by its number of pairs; NaN where there are none."""
        about = comoments.covariance(state.pairs)
        later, earlier = (mean.high + mean.low for mean in state.pairs[1:3])
        return comoments.second(later, earlier, about)

    def _update(self, state, v):
        length, centre = v.shape[0], v.mean(0)
        line = jnp.concatenate([state.recent, v])
        there = jnp.arange(len(line), dtype=jnp.int32) >= self.lags - state.known
        about = jnp.where(there[:, None], line - centre[None, :], 0)
        first = jnp.arange(self.lags, -1, -1)  # where the past begins, by lag
        at = first[:, None] + jnp.arange(length)[None, :]
        past, paired = about[at], there[at]
        v = about[self.lags :]
        pairs = comoments.centred(
            centre,
            paired.sum(1),
            paired.astype(v.dtype) @ v,
            past.sum(1),
            jnp.einsum("ti,ktj->kij", v, past),
        )
        return CorrelationState(
            recent=line[length:],
            known=jnp.minimum(state.known + length, self.lags),
            pairs=comoments.merge(state.pairs, pairs),
        )


@dataclass(frozen=True)
class Autocovariance:
    r"""$\langle (v_{t+k} - m)(v_t - m')^T \rangle$ at lags 0 to `lags`.

    About the means of the later and the earlier members of the pairs: for a board that
    is driven, whose mean is not zero.

    Attributes:
        lags: largest lag, in samples.

    Example:
        >>> import jax.numpy as jnp
        >>> from thermo.observers import measure
        >>> v = 1000 + jnp.array([[1.0], [-1.0], [1.0], [-1.0]])
        >>> [round(float(c), 3) for c in measure(Autocovariance(2), v).ravel()]
        [1.0, -0.889, 1.0]
    """

    lags: int

    def __post_init__(self):
        """A lag cannot be negative."""
        check_count("lags", self.lags, 0)

    @property
    def least_samples(self) -> int:
        """Samples that give one pair at the largest lag."""
        return self.lags + 1

    def init(self, size: int, chunk: int, dtype: Any) -> CorrelationState:
        """No pairs."""
        return Correlations(self.lags).init(size, chunk, dtype)

    def update(
        self, state: CorrelationState, v: Float[Array, "time d"]
    ) -> CorrelationState:
        """Pair the chunk with its own past."""
        return Correlations(self.lags).update(state, v)

    def merge(self, a: CorrelationState, b: CorrelationState) -> CorrelationState:
        """Two runs together, without pairs across; later samples continue `b`."""
        return Correlations(self.lags).merge(a, b)

    def finish(self, state: CorrelationState) -> Float[Array, "lags+1 d d"]:
        """Divide each lag by its number of pairs; NaN where there are none."""
        return comoments.covariance(state.pairs)


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

    Raises:
        ValueError: if the autocovariance is not of finite real numbers or of another
            shape, has no variance, or `n_samples` is no positive whole number.

    Example:
        >>> import jax.numpy as jnp
        >>> halves = (0.5 ** jnp.arange(30.0))[:, None, None]
        >>> round(float(effective_samples(halves, 10_000)), -2)  # (1-a^2) / (1+a^2)
        6000.0
    """
    checks.interval("n_samples", n_samples)
    check_count("n_samples", n_samples)
    checks.finite("autocovariance", autocovariance)
    autocovariance = jnp.asarray(alike(autocovariance=autocovariance)[0])
    shape = autocovariance.shape
    if len(shape) != 3 or shape[1] != shape[2] or 0 in shape:
        raise ValueError(f"autocovariance has shape {shape}: must be (lags + 1, d, d)")
    checks.positive("trace of autocovariance[0]", jnp.trace(autocovariance[0]))
    # Of one unit, so that no square overflows.
    autocovariance = autocovariance / jnp.trace(autocovariance[0])
    trace = jnp.trace(autocovariance, axis1=1, axis2=2)
    squares = trace**2 + jnp.einsum("kij,kji->k", autocovariance, autocovariance)
    lag = jnp.arange(len(squares), dtype=squares.dtype)
    pairs = jnp.where(lag > 0, 2.0, 1.0) * jnp.maximum(0.0, 1 - lag / n_samples)
    return n_samples * squares[0] / (pairs.astype(squares.dtype) @ squares)
