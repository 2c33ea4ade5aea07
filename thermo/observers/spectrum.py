"""Welch's spectrum."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Int

from thermo import checks
from thermo.compensated import Pair, add, pair
from thermo.counts import Count, check_count
from thermo.observers.comoments import by_blocks
from thermo.reals import is_traced


class SpectrumEstimate(NamedTuple):
    r"""Cross-spectral density of a run.

    Attributes:
        omega: angular frequency, radians per unit of `dt`, `(segment // 2 + 1,)`.
        density: two-sided $S(\omega) = \int C(t) e^{-i \omega t} dt$,
            `(frequency, d, d)`: its integral over d omega / 2 pi is the covariance.
        seen: overlapping segments averaged over.
    """

    omega: Float[Array, " frequency"]
    density: Complex[Array, "frequency d d"]
    seen: Count

    @property
    def n_segments(self) -> Any:
        """Segments averaged over: exact, and rounded while it is being traced."""
        return self.seen.value()


class SpectrumState(NamedTuple):
    """The latest segment, the periodograms so far, and samples until the next one."""

    recent: Float[Array, "segment d"]
    density: Pair
    seen: Count
    missing: Int[Array, ""]


@dataclass(frozen=True)
class Spectrum:
    r"""Welch's spectrum: Hann-windowed segments, each half overlapping the next.

    The mean is not subtracted: it is seen in the two lowest frequencies, and in these
    alone, however large it is.

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
        check_count("segment", self.segment, 4)
        if self.segment % 2:
            raise ValueError(
                f"segment must be an even number of samples, at least 4, "
                f"got {self.segment}"
            )
        checks.one_number("dt", self.dt)
        if is_traced(self.dt):
            raise ValueError("dt is traced: an observer's settings are plain numbers")
        dt = float(self.dt)
        if not 0 < dt < math.inf:
            raise ValueError(f"dt must be positive and finite, got {dt}")
        checks.interval("dt", dt)
        object.__setattr__(self, "dt", dt)  # hashable, whatever it was

    @property
    def least_samples(self) -> int:
        """Samples that fill one segment."""
        return self.segment

    def init(self, size: int, chunk: int, dtype: Any) -> SpectrumState:
        """Refuse chunks that would straddle the end of a segment."""
        if (self.segment // 2) % chunk:
            raise ValueError(
                f"segment // 2 = {self.segment // 2} must be a multiple of chunk = "
                f"{chunk}: take segment = {2 * chunk * max(1, self.segment // chunk)}"
            )
        frequencies = self.segment // 2 + 1
        empty = jnp.zeros((frequencies, size, size), dtype)
        return SpectrumState(
            recent=jnp.zeros((self.segment, size), dtype),
            density=pair(jax.lax.complex(empty, empty)),
            seen=Count.zero(),
            missing=jnp.full((), self.segment, jnp.int32),
        )

    def update(self, state: SpectrumState, v: Float[Array, "time d"]) -> SpectrumState:
        """Shift the chunk in; whenever half a segment is new, transform."""
        return by_blocks(self._update, state, v, self.segment // 2)

    def merge(self, a: SpectrumState, b: SpectrumState) -> SpectrumState:
        """Two runs together, without segments across; later samples continue `b`."""
        density = add(add(a.density, b.density.high), b.density.low)
        return b._replace(density=density, seen=a.seen.plus(b.seen))

    def finish(self, state: SpectrumState) -> SpectrumEstimate:
        """Average over the segments; NaN where there are none."""
        density, dtype = state.density.high + state.density.low, state.recent.dtype
        omega = 2 * jnp.pi * jnp.fft.rfftfreq(self.segment, self.dt)
        density = density / state.seen.real(dtype).astype(density.dtype)
        return SpectrumEstimate(omega.astype(dtype), density, state.seen)

    def _update(self, state, v):
        recent = jnp.concatenate([state.recent, v])[v.shape[0] :]
        missing = state.missing - v.shape[0]
        due = missing == 0
        density = jax.lax.cond(
            due,
            lambda: add(state.density, self._periodogram(recent)),
            lambda: state.density,
        )
        missing = jnp.where(due, self.segment // 2, missing)
        return SpectrumState(recent, density, state.seen.plus(due), missing)

    def _periodogram(self, v):
        phase = 2 * jnp.pi * jnp.arange(self.segment, dtype=v.dtype) / self.segment
        window = 0.5 - 0.5 * jnp.cos(phase)
        window = window * jnp.sqrt(self.dt / (window @ window))
        mean = v.mean(0)
        tone = jnp.fft.rfft(window[:, None] * (v - mean[None, :]), axis=0)
        leak = jnp.fft.rfft(window)[:2]  # all that a constant has under this window
        tone = tone.at[:2].add(leak[:, None] * mean.astype(leak.dtype)[None, :])
        return tone[:, :, None] * tone.conj()[:, None, :]
