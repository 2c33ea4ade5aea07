r"""Uncertainty of a last layer: random features, Laplace's posterior, mean field.

Formulas of SNGP (spectral-normalised neural Gaussian process, Liu et al. 2020;
RECALLED): features $\varphi(h) = \sqrt{2/D}\cos(W h + b)$ with fixed W and b, logits
$\varphi \cdot \beta_k$, and about the trained $\beta_k$ a Gaussian of precision
$P_k = \tau I + \sum_n p_{nk} (1 - p_{nk})\,\varphi_n \varphi_n^\mathsf T$.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.counts import check_count
from thermo.precision import full_precision, in_double
from thermo.reals import alike

Scalar = jax.Array | float


class Features(NamedTuple):
    """Random Fourier features of a Gaussian process.

    Attributes:
        weights: W, `(m, D)`, in the inverse unit of what comes in.
        phases: b, `(D,)`.
    """

    weights: jax.Array
    phases: jax.Array

    @full_precision
    def __call__(self, hidden: Float[Array, "*n m"]) -> Float[Array, "*n D"]:
        """Features of what comes in, `(..., m)`."""
        angles = hidden @ self.weights
        angles = angles + jnp.broadcast_to(self.phases, angles.shape)
        return (2 / self.phases.shape[-1]) ** 0.5 * jnp.cos(angles)


def random_features(
    key: Key[Array, ""], n_inputs: int, n_features: int, *, length: Scalar = 1.0
) -> Features:
    r"""Draw features whose products approach $e^{-|h - h'|^2 / (2 \ell^2)}$ as D grows.

    Args:
        key: random key.
        n_inputs: m of what comes in.
        n_features: D.
        length: $\ell$, in its unit.

    Raises:
        ValueError: if a number is not positive, or a count is not whole.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> random_features(jax.random.key(0), 2, 8)(jnp.zeros((5, 2))).shape
        (5, 8)
    """
    for name, count in (("n_inputs", n_inputs), ("n_features", n_features)):
        check_count(name, count)
    checks.interval("length", length)
    of_weights, of_phases = jr.split(unrolled(key))
    one: Any = alike(length=length)[0]
    weights = jr.normal(of_weights, (n_inputs, n_features), one.dtype) / one
    phases = jr.uniform(of_phases, (n_features,), one.dtype, 0, 2 * np.pi)
    return Features(weights, phases)


@full_precision
def last_layer_precision(
    features: Float[Array, "n D"],
    probabilities: Float[Array, "n k"],
    *,
    prior: Scalar = 1.0,
) -> Float[Array, "k D D"]:
    r"""$P_k = \tau I + \sum_n p_{nk}(1 - p_{nk})\,\varphi_n \varphi_n^\mathsf T$.

    Args:
        features: of the training data, `(n, D)`.
        probabilities: of its classes, by the trained layer, `(n, k)`.
        prior: precision $\tau$ of a weight beforehand.

    Raises:
        ValueError: if an argument is not of finite real numbers or of another shape, a
            probability is outside 0 to 1, or `prior` is not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> last_layer_precision(jnp.ones((4, 1)), jnp.full((4, 1), 0.5))
        Array([[[2.]]], dtype=float32)
    """
    _check_table("features", features)
    _check_table("probabilities", probabilities)
    n, k = jnp.shape(features)[0], jnp.shape(probabilities)[1]
    checks.shaped("probabilities", probabilities, (n, k), beside="features")
    a = checks.values("probabilities", probabilities)
    if a is not None and not ((a >= 0) & (a <= 1)).all():
        i, j = np.argwhere((a < 0) | (a > 1))[0]
        raise ValueError(f"probabilities[{i}, {j}] = {a[i, j]:.6g}: must be 0 to 1.")
    checks.interval("prior", prior)

    def law(phi, p, prior):
        eye = jnp.eye(phi.shape[1], dtype=phi.dtype)
        known = jnp.einsum("nk,ni,nj->kij", p * (1 - p), phi, phi)
        return (prior * eye)[None] + known

    return in_double(law, features=features, probabilities=probabilities, prior=prior)


@full_precision
def decorrelated(features: Float[Array, "n D"]) -> Float[Array, "D D"]:
    r"""An orthogonal basis Q in which features are uncorrelated on the data, `(D, D)`.

    Eigenvectors of $\sum_n \varphi_n \varphi_n^\mathsf T$. In it, $\varphi Q$, the
    precisions of all classes are nearly diagonal, which is what a passive board needs;
    one digital decomposition serves all of them.

    Args:
        features: of the training data, `(n, D)`.

    Raises:
        ValueError: if they are no table of finite real numbers.

    Example:
        >>> import jax.numpy as jnp
        >>> phi = jnp.array([[1.0, 1.0], [2.0, 2.0], [1.0, -1.0]])
        >>> turned = phi @ decorrelated(phi)
        >>> bool(abs(turned[:, 0] @ turned[:, 1]) < 1e-5)
        True
    """
    _check_table("features", features)
    return in_double(lambda phi: jnp.linalg.eigh(phi.T @ phi)[1], features=features)


@full_precision
def predictive_variance(
    features: Float[Array, "n D"], covariance: Float[Array, "k D D"]
) -> Float[Array, "n k"]:
    r"""Variance $\varphi^\mathsf T \Sigma_k \varphi$ of every logit.

    Args:
        features: `(n, D)`.
        covariance: of the weights of each class, `(k, D, D)`; as a board gives it, no
            exact covariance.

    Raises:
        ValueError: if an argument is not of finite real numbers or of another shape.

    Example:
        >>> import jax.numpy as jnp
        >>> predictive_variance(jnp.array([[2.0]]), jnp.array([[[3.0]]]))
        Array([[12.]], dtype=float32)
    """
    _check_table("features", features)
    checks.finite("covariance", covariance)
    (k, *_), d = (*jnp.shape(covariance), 0), jnp.shape(features)[1]
    checks.shaped("covariance", covariance, (k, d, d), beside="features")

    def law(phi, covariance):
        return jnp.einsum("ni,kij,nj->nk", phi, covariance, phi)

    return in_double(law, features=features, covariance=covariance)


def mean_field(
    logits: Float[Array, "*n"], variance: Float[Array, "*n"]
) -> Float[Array, "*n"]:
    r"""Logits that are as sure as their variance allows: $z / \sqrt{1 + \pi v / 8}$.

    The sigmoid of the result is about the mean of the sigmoid of a Gaussian logit
    (MacKay 1992; RECALLED).

    Args:
        logits: z.
        variance: v of each, in the same shape; what a board errs below 0 counts as 0.

    Raises:
        ValueError: if an argument is not of finite real numbers, or shapes differ.

    Example:
        >>> import jax.numpy as jnp
        >>> mean_field(jnp.array([2.0]), jnp.array([8 * 3 / jnp.pi]))
        Array([1.], dtype=float32)
    """
    checks.finite("logits", logits)
    checks.finite("variance", variance)
    checks.shaped("variance", variance, jnp.shape(logits), beside="logits")
    logits, variance = alike(logits=logits, variance=variance)
    return logits / jnp.sqrt(1 + np.pi / 8 * jnp.maximum(variance, 0))


def _check_table(name, x):
    checks.finite(name, x)
    if len(shape := jnp.shape(x)) != 2:
        raise ValueError(f"{name} has shape {shape}: it must be (n, columns).")


__all__ = [
    "Features",
    "decorrelated",
    "last_layer_precision",
    "mean_field",
    "predictive_variance",
    "random_features",
]
