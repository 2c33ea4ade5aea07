"""Welch's spectrum."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Int


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
        >>> from thermo.observers import measure
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
