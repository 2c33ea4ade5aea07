"""A fence that the compiler respects: what is before it is computed once."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree


def computed_once(tree: PyTree, step: Int[Array, ""]) -> PyTree:
    """The same numbers, but stored before anybody reads them.

    XLA on a CPU fuses cheap work into each of its consumers. To it the dice of
    `eapu` are cheap, and `program` has three uses for an update: so the dice were
    thrown three times, to the same result. A division is the one elementwise
    operation that it stores rather than repeats; `lax.optimization_barrier` is
    gone before fusion begins. The divisor is a one that only we can see through.

    Args:
        tree: floating-point arrays; every value comes back as it is.
        step: any count that is never negative.
    """
    one = jnp.where(step < 0, 2, 1)
    return jax.tree.map(lambda x: x / one.astype(x.dtype), tree)
