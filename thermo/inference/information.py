r"""Gaussian posteriors as a board takes them: a precision, and what drives the mean.

$$ p(\theta) \propto \exp(-\tfrac12 \theta^\mathsf T P\,\theta + h^\mathsf T \theta)
   = \mathcal N(P^{-1} h,\ P^{-1}) $$

Data add to P and to h, so that a posterior is programmed without solving anything.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import checks
from thermo.exact import Gaussian
from thermo.precision import full_precision, in_double

Scalar = jax.Array | float


class Information(NamedTuple):
    """A Gaussian law in its information form.

    Attributes:
        precision: P, `(d, d)`, symmetric positive definite.
        vector: h = P m, `(d,)`.
    """

    precision: jax.Array
    vector: jax.Array


def condition(
    precision: Float[Array, "n n"],
    values: Float[Array, " n"],
    noise: Float[Array, " n"] | Scalar,
) -> Information:
    r"""A Gaussian process once values of it are known: Gaussian-process regression.

    $P = K^{-1} + \operatorname{diag}(1/s_i^2)$ and $h_i = y_i / s_i^2$, over all
    points, measured or asked for (standard algebra). Off the diagonal nothing changes.

    Args:
        precision: $K^{-1}$ of the prior, whose mean is 0, `(n, n)`.
        values: y, `(n,)`; where nothing was measured, anything finite.
        noise: variance $s_i^2$ of each measurement, `(n,)` or one for all; infinite
            where nothing was measured.

    Raises:
        ValueError: if the precision is not symmetric positive definite, an argument is
            not of real numbers or of another shape, or a variance is not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> y, noise = jnp.array([2.0, 0.0]), jnp.array([1.0, jnp.inf])
        >>> found = condition(jnp.eye(2), y, noise)
        >>> law(found).mean
        Array([1., 0.], dtype=float32)
    """
    checks.positive_definite("precision", precision)
    n = len(precision)
    checks.finite("values", values)
    checks.shaped("values", values, (n,), beside="precision")
    checks.positive("noise", noise, infinite=True)
    checks.shaped("noise", noise, (), (n,), beside="precision")

    def given(precision, values, noise):
        known = jnp.broadcast_to(1 / noise, values.shape)
        return Information(precision + jnp.diag(known), values * known)

    return in_double(given, precision=precision, values=values, noise=noise)


@full_precision
def linear_regression(
    inputs: Float[Array, "n d"],
    values: Float[Array, " n"],
    *,
    noise: Scalar,
    precision: Float[Array, "d d"],
    mean: Float[Array, " d"] | None = None,
) -> Information:
    r"""Posterior of the weights of $y = X\theta$ + noise.

    $P = P_0 + X^\mathsf T X / s^2$ and $h = P_0 m_0 + X^\mathsf T y / s^2$ (DERIVED).

    Args:
        inputs: X, `(n, d)`.
        values: y, `(n,)`.
        noise: variance $s^2$ of a measurement.
        precision: $P_0$ of the prior, `(d, d)`.
        mean: $m_0$ of the prior, `(d,)`; None is 0.

    Raises:
        ValueError: if the precision is not symmetric positive definite, an argument is
            not of finite real numbers or of another shape, or `noise` is not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> x, y = jnp.ones((3, 1)), jnp.array([1.0, 2.0, 3.0])
        >>> found = linear_regression(x, y, noise=1.0, precision=jnp.eye(1))
        >>> law(found).mean, law(found).covariance
        (Array([1.5], dtype=float32), Array([[0.25]], dtype=float32))
    """
    check_regression(inputs, values, precision, mean)
    checks.interval("noise", noise)

    def given(inputs, values, noise, precision, mean):
        vector = inputs.T @ values / noise
        pulled = 0 if mean is None else precision @ mean
        return Information(precision + inputs.T @ inputs / noise, vector + pulled)

    return in_double(
        given,
        inputs=inputs,
        values=values,
        noise=noise,
        precision=precision,
        mean=mean,
    )


@full_precision
def law(information: Information) -> Gaussian:
    r"""Mean $P^{-1} h$ and covariance $P^{-1}$: the answer of a digital computer.

    Args:
        information: of the law.

    Raises:
        ValueError: if the precision is not symmetric positive definite, or the vector
            is not of `d` finite real numbers.
    """
    check_information(information)

    def solved(precision, vector):
        covariance = jnp.linalg.inv(precision)
        covariance = (covariance + covariance.T) / 2
        return Gaussian(jnp.linalg.solve(precision, vector), covariance)

    precision, vector = information
    return in_double(solved, precision=precision, vector=vector)


def check_information(information):
    """Refuse what is no Gaussian law in information form."""
    if not isinstance(information, Information):
        raise ValueError(
            f"information = {information!r:.60}: must be Information(P, h)."
        )
    precision, vector = information
    checks.positive_definite("information.precision", precision)
    checks.finite("information.vector", vector)
    d = len(precision)
    checks.shaped("information.vector", vector, (d,), beside="its precision")


def check_regression(inputs, values, precision, mean, name="values"):
    """Refuse data and priors that do not fit each other."""
    checks.positive_definite("precision", precision)
    checks.finite("inputs", inputs)
    checks.finite(name, values)
    checks.many(name, values)
    shape = jnp.shape(values)[0], len(precision)
    checks.shaped("inputs", inputs, shape, beside=f"{name} and precision")
    if mean is not None:
        checks.finite("mean", mean)
        checks.shaped("mean", mean, shape[1:], beside="precision")


__all__ = ["Information", "condition", "law", "linear_regression"]
