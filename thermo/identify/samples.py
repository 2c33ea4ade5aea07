"""What any record says of a board: the likelihood of its Kalman filter.

Coils are not seen, nor are nodes without a probe, and an instrument adds noise: what a
sample does not tell, the ones before it do. The filter forgets where it started, so
that after its first samples only a matrix times a vector is left to do for each.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np

from thermo.circuits.board import AbstractBoard
from thermo.exact.lyapunov import stationary_covariance
from thermo.exact.relaxation import mixing_time
from thermo.exact.transition import carried, increment, transition
from thermo.identify.gaussian import fisher

FEWEST, MOST = 64, 4096
"""Frequencies over which the information of a long record is averaged."""


class StateLaw(NamedTuple):
    """A linear circuit between samples, and what is seen of it.

    Attributes:
        start: covariance S of the states at rest, `(n, n)`.
        change: P - 1, of the propagator P, `(n, n)`.
        gained: covariance Q of what noise adds, `(n, n)`.
        readout: H, from states to the voltages that are seen, `(k, n)`.
        error: covariance of what the instrument adds, V^2, `(k, k)`.
        spectrum: of the samples, at angles of the upper half circle, `(m, k, k)`.
    """

    start: jax.Array
    change: jax.Array
    gained: jax.Array
    readout: jax.Array
    error: jax.Array
    spectrum: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Samples:
    """Records of equally spaced samples.

    Attributes:
        v: voltages, V, `(records, samples, k)`.
        dt: between samples, µs.
        readout_noise: rms of what the instrument adds to each sample, V.
        nodes: those that are seen, one for each voltage.
        settle: samples after which the gain of the filter is held.
        points: frequencies over which information is averaged.
    """

    v: jax.Array
    dt: jax.Array
    readout_noise: jax.Array
    nodes: tuple[int, ...] = field(metadata={"static": True})
    settle: int = field(metadata={"static": True})
    points: int = field(metadata={"static": True}, default=512)

    def law(self, board: AbstractBoard) -> StateLaw:
        """What the likelihood depends on, of a board at rest."""
        form = board.linear()
        start = stationary_covariance(form.drift, form.diffusion)
        change, gained = increment(form.drift, form.diffusion, self.dt)
        readout = form.readout[np.array(self.nodes)]
        error = jnp.eye(len(readout), dtype=start.dtype) * self.readout_noise**2
        seen = _spectrum(change, gained, readout, self.points)
        seen = seen + error.astype(seen.dtype)[None]
        return StateLaw(start, change, gained, readout, error, seen)

    def log_likelihood(self, law: StateLaw) -> jax.Array:
        """By the innovations; NaN where the filter had not settled when it was held."""
        early, late = self.v[:, : self.settle], self.v[:, self.settle :]
        start = jnp.zeros((len(self.v), len(law.start)), self.v.dtype), law.start
        step = jax.checkpoint(partial(_update, law))
        (means, covariance), found = jax.lax.scan(
            step, start, jnp.moveaxis(early, 1, 0)
        )
        total = found.sum()
        if not late.shape[1]:
            return total
        more, moved = _held(law, means, covariance, late)
        near = moved < jnp.sqrt(jnp.finfo(moved.dtype).eps)
        return jnp.where(near, total + more, jnp.nan)

    def information(self, law: StateLaw, slopes: StateLaw) -> jax.Array:
        r"""Expected, of a long record, `(n, n)`.

        $\frac{N}{2\pi}\int \tfrac12 \mathrm{tr}\,f^{-1} \partial_a f\, f^{-1}
        \partial_b f\,\mathrm d\omega$ (Whittle), f the spectrum of the samples.
        """
        each = jax.vmap(fisher)(law.spectrum, slopes.spectrum)
        return self.v.shape[0] * self.v.shape[1] * each.mean(0)


def samples(
    board: AbstractBoard,
    v: np.ndarray,
    dt: float,
    nodes: tuple[int, ...],
    readout_noise: float,
) -> Samples:
    """Records `(records, samples, k)`, with what the filter of such a board takes."""
    v = np.asarray(v, float)
    form = board.linear()
    slow = float(mixing_time(form.drift)) / dt
    points = int(np.clip(8 * slow, FEWEST, MOST))
    return Samples(
        v=v,  # type: ignore[arg-type]
        dt=np.asarray(dt, float),  # type: ignore[arg-type]
        readout_noise=np.asarray(readout_noise, float),  # type: ignore[arg-type]
        nodes=nodes,
        settle=settling(board, dt, nodes, readout_noise, v.shape[1]),
        points=1 << (points - 1).bit_length(),
    )


def settling(
    board: AbstractBoard,
    dt: float,
    nodes: tuple[int, ...],
    readout_noise: float,
    most: int,
) -> int:
    """Twice as many samples as the filter of this board takes to settle, or all."""
    form = board.linear()
    law = transition(form.drift, form.diffusion, dt)
    start = stationary_covariance(form.drift, form.diffusion)
    p, q, c = (np.asarray(x, float) for x in (*law, start))
    h = np.asarray(form.readout, float)[np.array(nodes)]
    error = readout_noise**2 * np.eye(len(h))
    for k in range(most):
        gain = np.linalg.solve(h @ c @ h.T + error, h @ c).T
        after = c - gain @ h @ c
        after = p @ after @ p.T + q
        moved = np.linalg.norm(after - c) / np.linalg.norm(c)
        c = (after + after.T) / 2
        if moved < 1e-10:
            return min(2 * k + 32, most)
    return most


def _spectrum(change, gained, readout, points):
    """H (e^{iw} - P)^-1 Q (...)^-H H^T at the middles of the upper half circle."""
    half = points // 2
    angle = np.pi * (np.arange(half) + 0.5) / half
    # e^{iw} - 1, without what rounding leaves of it at small angles
    turn = 2j * np.sin(angle / 2) * np.exp(1j * angle / 2)
    eye = jnp.eye(len(change), dtype=change.dtype)[None]
    real, imaginary = (
        jnp.asarray(x, change.dtype)[:, None, None] for x in (turn.real, turn.imag)
    )
    resolvent = jnp.linalg.inv(
        jax.lax.complex(real * eye - change[None], imaginary * eye)
    )
    seen = readout.astype(resolvent.dtype)[None] @ resolvent
    return seen @ gained.astype(resolvent.dtype)[None] @ seen.mT.conj()


def _gain(law, covariance):
    """Covariance of what is seen, its triangular factor, and the gain."""
    reach = law.readout @ covariance
    seen = reach @ law.readout.T + law.error
    factor = jnp.linalg.cholesky((seen + seen.T) / 2)
    return factor, jsl.cho_solve((factor, True), reach).T


def _after(law, covariance, gain):
    """Covariance before the next sample, in a form that stays one."""
    eye = jnp.eye(len(covariance), dtype=covariance.dtype)
    rest = eye - gain @ law.readout
    rest = rest @ covariance @ rest.T + gain @ law.error @ gain.T
    after = carried(law.change, rest) + law.gained
    return (after + after.T) / 2


def _density(factor, surprise):
    """Of surprises `(..., k)` whose covariance has this triangular factor."""
    flat = surprise.reshape(-1, surprise.shape[-1])
    white = jsl.solve_triangular(factor, flat.T, lower=True)
    spread = jnp.log(2 * jnp.pi * jnp.diagonal(factor) ** 2).sum()
    return -(len(flat) * spread + jnp.sum(white**2)) / 2


def _forward(law, means, surprise, gain):
    means = means + surprise @ gain.T
    return means + means @ law.change.T


def _update(law, state, v):
    means, covariance = state
    factor, gain = _gain(law, covariance)
    surprise = v - means @ law.readout.T
    density = _density(factor, surprise)
    means = _forward(law, means, surprise, gain)
    return (means, _after(law, covariance, gain)), density


def _held(law, means, covariance, late):
    """With the gain held: log density, and by how much it would have moved yet."""
    factor, gain = _gain(law, covariance)
    after = _after(law, covariance, gain)
    moved = jnp.linalg.norm(after - covariance) / jnp.linalg.norm(covariance)

    def step(means, v):
        surprise = v - means @ law.readout.T
        return _forward(law, means, surprise, gain), surprise

    _, surprises = jax.lax.scan(step, means, jnp.moveaxis(late, 1, 0))
    return _density(factor, surprises), moved
