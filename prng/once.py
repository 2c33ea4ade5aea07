"""Work done once, or not at all, as XLA would have it neither way by itself."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PyTree


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


@jax.custom_batching.custom_vmap
def any_of(wanted: Bool[Array, ""]) -> Bool[Array, ""]:
    """Whether any of all that are mapped over wants it, the same answer for all.

    A loop whose condition differs from chip to chip chooses, in every turn, between
    all that it carries and what it had; one that turns for all together does not.
    Who uses it must do nothing in a turn that is not wanted.
    """
    return wanted


@any_of.def_vmap
def _any_of_all(size, batched, wanted):
    del size, batched
    return any_of(jnp.any(wanted)), False


def where_wanted(
    wanted: Bool[Array, ""], act: Callable[[PyTree], PyTree], start: PyTree
) -> PyTree:
    """`act(start)` where it is wanted, else `start`; no work while nobody wants it.

    A `lax.cond` whose condition differs from chip to chip always does both, and any
    `lax.cond` copies what it keeps; a loop of no or one turn does neither.

    Args:
        wanted: whether to act; under `vmap` a chip that does not want it keeps `start`.
        act: gives back what has the form of `start`.
        start: what there is before.
    """

    def turn(carry):
        go, before = carry
        after = act(before)
        chosen = jax.tree.map(lambda x, y: jnp.where(wanted, x, y), after, before)
        return go != go, chosen  # never again; varies as `go` does

    go = any_of(wanted)
    return jax.lax.while_loop(lambda carry: carry[0], turn, (go, start))[1]


def derived_as(
    like: Callable[..., PyTree], act: Callable[..., PyTree], *args: PyTree
) -> PyTree:
    """`act(*args)`, differentiated as `like(*args)`, which gives the same numbers.

    A loop over few elements knows no reverse mode; the same work done for all at once
    does. It is done only where a derivative is asked for.

    Args:
        like: what has derivatives.
        act: what is done. Neither reads any array but its arguments.
        args: arrays, and what else both need.
    """
    leaves, form = jax.tree.flatten(args)
    moving = [isinstance(leaf, jax.Array) for leaf in leaves]

    def of(f):
        def whole(arrays):
            given = iter(arrays)
            pairs = zip(leaves, moving, strict=True)
            filled = [next(given) if moves else leaf for leaf, moves in pairs]
            return f(*jax.tree.unflatten(form, filled))

        return whole

    acted = jax.custom_jvp(of(act))

    @acted.defjvp
    def _(primals, tangents):
        return acted(*primals), jax.jvp(of(like), primals, tangents)[1]

    pairs = zip(leaves, moving, strict=True)
    return acted([leaf for leaf, moves in pairs if moves])


@jax.jit
def not_folded(tree: PyTree, step: Int[Array, ""]) -> PyTree:
    """The same constants, but the compiler does not know them.

    Two pieces of work that differ by a constant are compiled twice; by a number that
    comes from elsewhere, once.

    Args:
        tree: numbers; every one comes back as it is, for all that are mapped over.
        step: any count that is never negative.
    """

    def turn(carry):
        go, tree = carry
        return go != go, jax.tree.map(_other, tree)

    return jax.lax.while_loop(lambda carry: carry[0], turn, (any_of(step < 0), tree))[1]


def _other(x):
    return ~x if x.dtype == jnp.bool_ else -x
