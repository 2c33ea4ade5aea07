"""What a long record says of a board: Whittle's likelihood of its segments.

A record is cut into segments that fade in and out as a sine, each from the middle of
the one before, and their periodograms are averaged: all that is kept of it, whatever
its length. Each frequency counts as an independent complex normal whose covariance is
the expected periodogram of a segment, exactly: cutting biases nothing. Squares of the
sines add up to 1, so that every sample counts alike. Without fading, the jump between
the ends of a segment would be common to all high frequencies, where a board that is
sampled fast has little power of its own.
"""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from thermo.circuits.board import AbstractBoard
from thermo.exact.lyapunov import stationary_covariance
from thermo.exact.relaxation import mixing_time
from thermo.exact.transition import increment
from thermo.identify.gaussian import fisher, log_density

RELAXATIONS = 16
"""Relaxation times in a segment, at least."""
SEGMENTS = 8
"""In a record, at least."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Spectra:
    """Mean periodogram of segments of equally spaced samples.

    Attributes:
        periodogram: complex, V^2, `(length / 2 + 1, k, k)`.
        count: how many independent segments it is worth.
        dt: between samples, µs.
        readout_noise: rms of what the instrument adds to each sample, V.
        nodes: those that are seen, one for each voltage.
        length: of a segment, samples; even.
    """

    periodogram: jax.Array
    count: jax.Array
    dt: jax.Array
    readout_noise: jax.Array
    nodes: tuple[int, ...] = field(metadata={"static": True})
    length: int = field(metadata={"static": True})

    def law(self, board: AbstractBoard) -> jax.Array:
        """Expected periodogram of a board at rest, V^2."""
        form = board.linear()
        start = stationary_covariance(form.drift, form.diffusion)
        change, _ = increment(form.drift, form.diffusion, self.dt)
        readout = form.readout[np.array(self.nodes)]

        def later(x, _):
            return x + change @ x, readout @ x

        _, lagged = jax.lax.scan(later, start @ readout.T, length=self.length)
        shared = jnp.asarray(_overlap(self.length), start.dtype)
        ahead = jnp.fft.rfft(lagged * shared[:, None, None], axis=0)
        error = jnp.eye(len(readout), dtype=start.dtype) * self.readout_noise**2
        return ahead + ahead.mT.conj() + (error - lagged[0]).astype(ahead.dtype)[None]

    def log_likelihood(self, law: jax.Array) -> jax.Array:
        """Up to a constant, frequency by frequency."""
        # a complex normal is two real ones; at both ends there is one
        each = jax.vmap(lambda f, i: log_density(f, i, 1.0))(law, self.periodogram)
        return self.count * jnp.sum(self._weights() * each)

    def information(self, law: jax.Array, slopes: jax.Array) -> jax.Array:
        """Expected, `(n, n)`, from the slopes of the law."""
        each = jax.vmap(fisher)(law, slopes)
        return self.count * jnp.einsum("j,jab->ab", self._weights(), each)

    def _weights(self) -> jax.Array:
        ends = np.isin(np.arange(self.length // 2 + 1), (0, self.length // 2))
        return jnp.where(ends, 1.0, 2.0)


def spectra(
    board: AbstractBoard,
    v: np.ndarray,
    dt: float,
    nodes: tuple[int, ...],
    readout_noise: float,
) -> Spectra:
    """Of records `(records, samples, k)`, for boards that relax like this one.

    Raises:
        ValueError: if the records are too short for segments.
    """
    slow = float(mixing_time(board.linear().drift)) / dt
    length = 1 << max(4, int(np.ceil(np.log2(RELAXATIONS * slow))))
    n = v.shape[1] // length
    if n < SEGMENTS:
        raise ValueError(
            f"traces have {v.shape[1]} samples: they must have {SEGMENTS * length} or "
            f"more, {SEGMENTS} segments of {RELAXATIONS} relaxation times. `identify` "
            "takes shorter ones."
        )
    mean, count = periodogram(v, length)
    return Spectra(
        periodogram=mean,  # type: ignore[arg-type]
        count=np.asarray(count),  # type: ignore[arg-type]
        dt=np.asarray(dt, float),  # type: ignore[arg-type]
        readout_noise=np.asarray(readout_noise, float),  # type: ignore[arg-type]
        nodes=nodes,
        length=length,
    )


def periodogram(v: np.ndarray, length: int) -> tuple[np.ndarray, float]:
    """Mean of the periodograms of all segments, and how many they are worth.

    The outer halves of the first and the last count less; the worth is the square of
    the sum of what each sample counts, over the sum of its square.
    """
    v, half = np.asarray(v, float), length // 2
    n = v.shape[1] // half - 1
    total = np.zeros((half + 1, v.shape[2], v.shape[2]), complex)
    for k in range(n):
        piece = v[:, k * half : k * half + length] * _taper(length)[:, None]
        waves = np.fft.rfft(piece, axis=1)
        total += np.einsum("rja,rjb->jab", waves, waves.conj())
    return total / (half * n * len(v)), len(v) * n**2 / (2 * n - 0.5)


def _taper(length: int) -> np.ndarray:
    """How a segment fades in and out; the sum of its squares is half its length."""
    return np.sin(np.pi * (np.arange(length) + 0.5) / length)


def _overlap(length: int) -> np.ndarray:
    """Of a segment with itself, later by so many samples; 1 at none."""
    own = _taper(length)
    return np.correlate(own, own, "full")[length - 1 :] / (length / 2)
