"""What a record of all states says of a board: the likelihood of its steps.

Seen without error, the voltages of an RC board are a Markov chain. Its log likelihood
depends on the record through four sums only, so that a record of a million samples
costs no more than one of a hundred.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thermo.circuits.board import AbstractBoard
from thermo.exact.lyapunov import stationary_covariance
from thermo.exact.transition import increment
from thermo.identify.gaussian import fisher, log_density


class StepLaw(NamedTuple):
    """Where a record starts, and how it goes on.

    Attributes:
        start: covariance S of the first sample, `(d, d)`.
        change: P - 1, of the propagator P, `(d, d)`.
        gained: covariance Q of what noise adds, `(d, d)`.
    """

    start: jax.Array
    change: jax.Array
    gained: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Steps:
    """Sums over records of equally spaced samples v of all states.

    Attributes:
        dt: between samples, µs.
        first: sum of v v^T over the first samples, `(d, d)`.
        before: the same over all but the last samples.
        changes: sum of w w^T over the steps w from one sample to the next.
        cross: sum of w v^T, v before the step.
        n_records: number of records.
        n_steps: of steps in all.
    """

    dt: jax.Array
    first: jax.Array
    before: jax.Array
    changes: jax.Array
    cross: jax.Array
    n_records: jax.Array
    n_steps: jax.Array

    def law(self, board: AbstractBoard) -> StepLaw:
        """The transition law of a board at rest."""
        form = board.linear()
        drift, diffusion = form.drift, form.diffusion
        start = stationary_covariance(drift, diffusion)
        return StepLaw(start, *increment(drift, diffusion, self.dt))

    def log_likelihood(self, law: StepLaw) -> jax.Array:
        r"""$\ln p(v_0) + \sum_k \ln p(v_{k+1} | v_k)$.

        Sums of steps, not of samples: on a short interval nothing cancels.
        """
        drawn = self.cross @ law.change.mT
        rest = self.changes - drawn - drawn.mT
        rest = rest + law.change @ self.before @ law.change.mT
        first = log_density(law.start, self.first, self.n_records)
        return first + log_density(law.gained, rest, self.n_steps)

    def information(self, law: StepLaw, slopes: StepLaw) -> jax.Array:
        """Expected, `(n, n)`, from the slopes of the law, `(d, d, n)`."""
        factor = jnp.linalg.cholesky(law.gained)
        pull = jnp.moveaxis(slopes.change, -1, 0)
        pull = jnp.linalg.solve(factor[None], pull @ jnp.linalg.cholesky(law.start))
        step = fisher(law.gained, slopes.gained) + jnp.einsum("aij,bij->ab", pull, pull)
        first = fisher(law.start, slopes.start)
        return self.n_records * first + self.n_steps * step


def steps(v: np.ndarray, dt: float) -> Steps:
    """The sums of records `(records, samples, d)`, in doubles."""
    v = np.asarray(v, float)
    w = np.diff(v, axis=1)

    def total(a, b):
        return np.einsum("rki,rkj->ij", a, b)

    return Steps(
        dt=np.asarray(dt, float),  # type: ignore[arg-type]
        first=total(v[:, :1], v[:, :1]),
        before=total(v[:, :-1], v[:, :-1]),
        changes=total(w, w),
        cross=total(w, v[:, :-1]),
        n_records=np.asarray(len(v), float),  # type: ignore[arg-type]
        n_steps=np.asarray(w.shape[0] * w.shape[1], float),  # type: ignore[arg-type]
    )
