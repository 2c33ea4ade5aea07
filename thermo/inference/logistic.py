r"""Bayesian logistic regression as a board whose drift is not linear.

$$ \mathrm d\theta = \bigl[-P_0(\theta - m_0)
   + \textstyle\sum_i (y_i - \sigma(x_i \cdot \theta))\,x_i\bigr]\mathrm dt
   + \sqrt2\,\mathrm dW $$

settles to the posterior of the weights (DERIVED: the drift is the slope of its
logarithm). `thermo.simulate` runs it; `laplace` is its Gaussian about the mode.
"""

from dataclasses import dataclass
from typing import ClassVar

import diffrax as dfx
import jax
import jax.numpy as jnp
import lineax as lx
import numpy as np
from jaxtyping import Array, Float

from thermo import checks
from thermo.inference.information import Information, check_regression
from thermo.precision import full_precision, in_double
from thermo.reals import alike

NEWTON = 32
"""Steps to the mode; of a concave function they are many."""

SHORTER = 0.5 ** np.arange(12.0)
"""Of a Newton step: the best of these is taken, so that none leads away."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class LogisticBoard:
    """The board of one data set, made by `logistic_board`; see the module.

    Attributes:
        inputs: x, `(n, d)`.
        labels: y, 0 or 1, `(n,)`.
        precision: P0 of the prior, `(d, d)`.
        mean: m0 of the prior, `(d,)`.
    """

    inputs: jax.Array
    labels: jax.Array
    precision: jax.Array
    mean: jax.Array

    reads_args: ClassVar[bool] = False

    @property
    def n_cells(self) -> int:
        """Number of weights, hence of noise sources."""
        return self.mean.shape[-1]

    def log_posterior(self, theta: Float[Array, " d"]) -> jax.Array:
        """Of the weights, up to a constant."""
        off, logits = theta - self.mean, self.inputs @ theta
        likelihood = self.labels * logits - jax.nn.softplus(logits)
        return jnp.sum(likelihood) - off @ self.precision @ off / 2

    @full_precision
    def drift(self, t, z, args=None):
        """Rate of change of the weights `z`, `(d,)`."""
        del t, args
        wrong = self.labels - jax.nn.sigmoid(self.inputs @ z)
        return wrong @ self.inputs - self.precision @ (z - self.mean)

    def diffusion(self, t, z, args=None) -> lx.AbstractLinearOperator:
        """White noise of equal strength in every cell."""
        del t, z, args
        return lx.DiagonalLinearOperator(jnp.full_like(self.mean, 2**0.5))

    def terms(self, noise: dfx.AbstractBrownianPath) -> dfx.MultiTerm:
        """Drift and diffusion, driven by `noise`."""
        drift = jax.tree_util.Partial(LogisticBoard.drift, self)
        diffusion = jax.tree_util.Partial(LogisticBoard.diffusion, self)
        return dfx.MultiTerm(dfx.ODETerm(drift), dfx.ControlTerm(diffusion, noise))

    def rest(self) -> jax.Array:
        """No voltage anywhere, `(d,)`."""
        return jnp.zeros_like(self.mean)

    def readout(self, z: jax.Array) -> jax.Array:
        """The weights are the voltages."""
        return z

    def jacobian(self) -> jax.Array:
        """Slope of the drift where every logit is 0, `(d, d)`: the steepest it gets."""
        return -self.precision - self.inputs.T @ self.inputs / 4

    def default_solver(self) -> dfx.AbstractSolver:
        """Heun: nothing rings."""
        return dfx.Heun()


def logistic_board(
    inputs: Float[Array, "n d"],
    labels: Float[Array, " n"],
    *,
    precision: Float[Array, "d d"],
    mean: Float[Array, " d"] | None = None,
) -> LogisticBoard:
    """The board whose equilibrium is the posterior of a logistic regression.

    Time is in the inverse unit of the precision; `thermo.simulate.substeps` finds the
    solver's steps.

    Args:
        inputs: x, `(n, d)`; a column of ones is a bias.
        labels: y, 0 or 1, `(n,)`.
        precision: of the prior, `(d, d)`.
        mean: of the prior, `(d,)`; None is 0.

    Raises:
        ValueError: if the precision is not symmetric positive definite, a label is
            neither 0 nor 1, or an argument is not of finite real numbers or of another
            shape.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from thermo.simulate import simulate
        >>> x, y = jnp.array([[1.0], [-1.0]]), jnp.array([1.0, 0.0])
        >>> board = logistic_board(x, y, precision=jnp.eye(1))
        >>> run = simulate(jax.random.key(0), board, jnp.linspace(0.0, 5.0, 11))
        >>> run.v.shape, bool(run.healthy)
        ((11, 1), True)
    """
    check_regression(inputs, labels, precision, mean, "labels")
    a = checks.values("labels", labels)
    if a is not None and not ((a == 0) | (a == 1)).all():
        i = int(((a != 0) & (a != 1)).argmax())
        raise ValueError(f"labels[{i}] = {a[i]:.6g}: must be 0 or 1.")
    mean = jnp.zeros(len(precision)) if mean is None else mean
    x, y, p, m = alike(inputs=inputs, labels=labels, precision=precision, mean=mean)
    x, y, p, m = (jnp.asarray(one) for one in (x, y, p, m))
    return LogisticBoard(inputs=x, labels=y, precision=p, mean=m)


@full_precision
def laplace(board: LogisticBoard) -> Information:
    r"""The Gaussian about the mode of the posterior (Laplace's approximation).

    Mode $\hat\theta$ by Newton's method; $P = P_0 + \sum_i p_i (1 - p_i)\,x_i
    x_i^\mathsf T$ there. The slope is the drift of the board: what it comes to rest at
    without noise is this mode.

    Args:
        board: by `logistic_board`.

    Returns:
        P, and h such that $P^{-1} h = \hat\theta$.

    Raises:
        ValueError: if it is no such board.

    Example:
        >>> import jax.numpy as jnp
        >>> x, y = jnp.array([[1.0], [-1.0]]), jnp.array([1.0, 0.0])
        >>> found = laplace(logistic_board(x, y, precision=jnp.eye(1)))
        >>> print((found.vector / found.precision[0]).round(4))
        [0.6748]
    """
    if not isinstance(board, LogisticBoard):
        raise ValueError(f"board = {board!r:.60}: must be a LogisticBoard.")

    def law(inputs, labels, precision, mean):
        at = LogisticBoard(inputs=inputs, labels=labels, precision=precision, mean=mean)

        def curvature(theta):
            p = jax.nn.sigmoid(inputs @ theta)
            return precision + (inputs * (p * (1 - p))[:, None]).T @ inputs

        def step(theta, _):
            way = jnp.linalg.solve(curvature(theta), at.drift(0.0, theta))
            shorter = SHORTER.astype(theta.dtype)
            tries = theta[None, :] + shorter[:, None] * way[None, :]
            best = jnp.argmax(jax.vmap(at.log_posterior)(tries))
            return tries[best], None

        mode, _ = jax.lax.scan(step, mean, length=NEWTON)
        found = curvature(mode)
        return Information(found, found @ mode)

    return in_double(
        law,
        inputs=board.inputs,
        labels=board.labels,
        precision=board.precision,
        mean=board.mean,
    )


__all__ = ["LogisticBoard", "laplace", "logistic_board"]
