"""What a sample covariance says of a board: the Wishart likelihood."""

from dataclasses import dataclass
from typing import Any

import jax

from thermo.circuits.board import AbstractBoard
from thermo.exact.lyapunov import stationary_covariance
from thermo.identify.gaussian import fisher, log_density


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Covariance:
    """A second moment of independent samples of the node voltages.

    Attributes:
        moment: mean of v v^T, V^2, `(d, d)`; no mean is subtracted.
        count: independent samples N.
    """

    moment: jax.Array
    count: jax.Array

    def law(self, board: AbstractBoard) -> jax.Array:
        """Covariance of the voltages of a board at rest, V^2."""
        return at_rest(board)

    def log_likelihood(self, law: jax.Array) -> jax.Array:
        """Of samples that have this second moment."""
        return log_density(law, self.count * self.moment, self.count)

    def information(self, law: jax.Array, slopes: Any) -> jax.Array:
        """Expected, `(n, n)`, from the slopes of the law."""
        return self.count * fisher(law, slopes)


def at_rest(board: AbstractBoard) -> jax.Array:
    """Covariance of the voltages of a board at rest, V^2, `(d, d)`."""
    form = board.linear()
    states = stationary_covariance(form.drift, form.diffusion)
    return form.readout @ states @ form.readout.T
