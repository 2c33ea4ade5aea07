"""A fence that the compiler respects: what is before it is computed once."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree


@jax.custom_jvp
@jax.jit  # else every eager call compiles anew
def computed_once(tree: PyTree, step: Int[Array, ""]) -> PyTree:
    """The same numbers, but stored before anybody reads them.

    XLA on a CPU fuses elementwise work into each of its consumers and repeats it
    there: random draws that four things read were drawn four times, always to the
    same result; jax 0.12 took minutes to compile that. `lax.optimization_barrier` is
    gone before fusion begins. What a loop starts from is always stored, so here is a
    loop, which never turns: only we know that `step` is not negative.

    Args:
        tree: arrays; every value comes back as it is.
        step: any count that is never negative.
    """

    def turn(carry):
        step, tree = carry
        return step + 1, jax.tree.map(_other, tree)

    return jax.lax.while_loop(lambda carry: carry[0] < 0, turn, (step, tree))[1]


@computed_once.defjvp
def _straight_through(primals, tangents):
    """The derivative of the identity; a loop would have none in reverse."""
    return computed_once(*primals), tangents[0]


def _other(x):
    return ~x if x.dtype == jnp.bool_ else -x
