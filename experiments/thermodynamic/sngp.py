"""A network whose distances survive: one bounded layer, random features, a last layer.

Its last layer is a Gaussian process of few features (SNGP, Liu et al. 2020; RECALLED).
Both matrices that are learned can live on an array.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from experiments.learning.networks import KAIMING
from thermo import inference

POWER = 8
"""Steps of the power iteration: the norm is then right to some per cent."""
FEATURES_KEY = 6
"""Of the fixed random features: the same in all networks."""


def bounded(w: Float[Array, "n m"], bound: float) -> Float[Array, "n m"]:
    """A matrix scaled down until it stretches no vector by more than `bound`.

    Example:
        >>> print(bounded(jnp.diag(jnp.array([4.0, 1.0])), 2.0).round(3))
        [[2.  0. ]
         [0.  0.5]]
    """
    v = jnp.ones(w.shape[1]) / w.shape[1] ** 0.5
    still = jax.lax.stop_gradient(w)
    for _ in range(POWER):
        v = still.T @ (still @ v)
        v = v / (jnp.linalg.norm(v) + 1e-12)
    return w / jnp.maximum(1.0, jnp.linalg.norm(w @ v) / bound)


class Sngp(nn.Module):
    """Logits of the random features of one bounded layer.

    Attributes:
        inputs: numbers of an image.
        hidden: width of the layer.
        features: D.
        classes: logits.
        length: of the features' kernel, in units of the hidden layer.
        bound: of the spectral norm.
    """

    inputs: int
    hidden: int
    features: int
    classes: int
    length: float
    bound: float

    def setup(self):
        """Two matrices, and features that are never learned."""
        head = nn.initializers.normal(1.0)
        self.inner = self.param("inner", KAIMING, (self.inputs, self.hidden))
        self.last = self.param("last", head, (self.features, self.classes))

    def phi(self, x: Float[Array, "n ..."]) -> Float[Array, "n features"]:
        """Random features of images."""
        x = x.reshape((x.shape[0], -1))
        h = nn.relu(x @ bounded(self.inner, self.bound))
        drawn = inference.random_features(
            jr.key(FEATURES_KEY), self.hidden, self.features, length=self.length
        )
        return drawn(h)

    def __call__(self, x):
        """Logits."""
        return self.phi(x) @ self.last
