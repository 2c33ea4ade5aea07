"""A network as two pure functions of plain dictionaries."""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
from jaxtyping import Array, Float, Key

Params = Any  # nested dict of arrays; matrices go on the array, vectors stay digital


@dataclass(frozen=True)
class Network:
    """A Linen module seen as `init` and `apply`.

    Two networks built alike are equal and hash alike, so either may be the
    static argument of one compiled function.

    Attributes:
        module: the Linen module, whose fields are all hashable.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from experiments.learning import mlp
        >>> network = mlp((16, 10))
        >>> params = network.init(jax.random.key(0), jnp.zeros((1, 64)))
        >>> network.apply(params, jnp.zeros((5, 64))).shape
        (5, 10)
    """

    module: nn.Module

    def init(self, key: Key[Array, ""], x: Float[Array, "batch ..."]) -> Params:
        """Draw fresh parameters for inputs shaped like `x`."""
        return self.module.init(key, x)["params"]

    def apply(
        self, params: Params, x: Float[Array, "batch ..."]
    ) -> Float[Array, "batch classes"]:
        """The logits of a batch."""
        logits = self.module.apply({"params": params}, x)
        assert not isinstance(logits, tuple)  # no mutable collections were asked for
        return logits
