"""What a run is remembered by: statistics accumulated chunk by chunk.

An observer is a frozen recipe with three verbs: `init` an empty state,
`update` it with the next chunk of samples `(time, d)`, `finish` it into a
result. None of them keeps the trajectory, so a run may be as long as one likes.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Int

__all__ = [
    "Correlations",
    "MomentEstimate",
    "Moments",
    "Observer",
    "Spectrum",
    "SpectrumEstimate",
    "effective_samples",
    "measure",
]


class Observer(Protocol):
    """The three verbs that every observer answers to.

    An observer is hashable: its fields are settings, never arrays.
    """

    def init(self, size: int, chunk: int, dtype: Any) -> Any:
        """Nothing seen yet, of `size` read-outs arriving `chunk` at a time."""
        ...

    def update(self, state: Any, v: Float[Array, "time d"]) -> Any:
        """Take in the samples that follow those already seen."""
        ...

    def finish(self, state: Any) -> Any:
        """The statistic of all samples seen."""
        ...


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


class SpectrumEstimate(NamedTuple):
    r"""Cross-spectral density of a run.

    Attributes:
        omega: angular frequency, radians per unit of `dt`, `(segment // 2 + 1,)`.
        density: two-sided $S(\omega) = \int C(t) e^{-i \omega t} dt$,
            `(frequency, d, d)`: its integral over d omega / 2 pi is the covariance.
        n_segments: overlapping segments averaged over.
    """

    omega: Float[Array, " frequency"]
    density: Complex[Array, "frequency d d"]
    n_segments: Int[Array, ""]


class SpectrumState(NamedTuple):
    """The latest segment and the periodograms so far."""

    recent: Float[Array, "segment d"]
    density: Complex[Array, "frequency d d"]
    n_segments: Int[Array, ""]
    seen: Int[Array, ""]


@dataclass(frozen=True)
class Spectrum:
    r"""Welch's spectrum: Hann-windowed segments, each half overlapping the next.

    Attributes:
        segment: samples per segment; half of it must be a whole number of the
            chunks that the run arrives in.
        dt: sampling interval; the circuits' unit is µs.

    Example:
        >>> import jax.random as jr
        >>> white = jr.normal(jr.key(0), (4096, 1))
        >>> estimate = measure(Spectrum(segment=64, dt=0.5), white)
        >>> bool(abs(estimate.density.real.mean() - 0.5) < 0.05)
        True
    """

    segment: int
    dt: float

    def __post_init__(self):
        """An even segment and a positive interval."""
        if self.segment < 4 or self.segment % 2:
            raise ValueError(
                f"segment must be an even number of samples, at least 4, "
                f"got {self.segment}"
            )
        if not self.dt > 0:
            raise ValueError(f"dt must be positive, got {self.dt}")

    def init(self, size: int, chunk: int, dtype: Any) -> SpectrumState:
        """Refuse chunks that would straddle the end of a segment."""
        if (self.segment // 2) % chunk:
            raise ValueError(
                f"segment // 2 = {self.segment // 2} must be a multiple of chunk = "
                f"{chunk}: take segment = {2 * chunk * max(1, self.segment // chunk)}"
            )
        frequencies = self.segment // 2 + 1
        zero, empty = (
            jnp.zeros((), jnp.int32),
            jnp.zeros((frequencies, size, size), dtype),
        )
        return SpectrumState(
            recent=jnp.zeros((self.segment, size), dtype),
            density=jax.lax.complex(empty, empty),
            n_segments=zero,
            seen=zero,
        )

    def update(self, state: SpectrumState, v: Float[Array, "time d"]) -> SpectrumState:
        """Shift the chunk in; whenever half a segment is new, transform."""
        hop = self.segment // 2
        if v.shape[0] > hop:  # a whole run at once
            halves = v[: v.shape[0] // hop * hop].reshape(-1, hop, v.shape[1])
            return jax.lax.scan(lambda s, x: (self.update(s, x), None), state, halves)[
                0
            ]
        recent = jnp.concatenate([state.recent, v])[v.shape[0] :]
        seen = state.seen + v.shape[0]
        due = (seen % hop == 0) & (seen >= self.segment)
        density = jax.lax.cond(
            due,
            lambda: state.density + self._periodogram(recent),
            lambda: state.density,
        )
        return SpectrumState(
            recent, density, state.n_segments + due.astype(jnp.int32), seen
        )

    def finish(self, state: SpectrumState) -> SpectrumEstimate:
        """Average over the segments."""
        n = state.n_segments.astype(state.density.dtype)
        omega = 2 * jnp.pi * jnp.fft.rfftfreq(self.segment, self.dt)
        omega = omega.astype(state.recent.dtype)
        return SpectrumEstimate(omega, state.density / n, state.n_segments)

    def _periodogram(self, v):
        phase = 2 * jnp.pi * jnp.arange(self.segment, dtype=v.dtype) / self.segment
        window = 0.5 - 0.5 * jnp.cos(phase)
        window = window * jnp.sqrt(self.dt / (window @ window))
        tone = jnp.fft.rfft(window[:, None] * v, axis=0)
        return tone[:, :, None] * tone.conj()[:, None, :]


def measure(observer: Observer, v: Float[Array, "time d"]) -> Any:
    """Apply an observer to samples that are already at hand.

    Args:
        observer: what to compute.
        v: samples, `(time, d)`.

    Returns:
        The observer's result.
    """
    state = observer.init(v.shape[1], 1, v.dtype)
    return observer.finish(observer.update(state, v))


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
