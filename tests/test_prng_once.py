"""Loops turn for all that are mapped over, and not for work that nobody wants."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from prng.once import any_of, where_wanted

pytestmark = pytest.mark.usefixtures("optimised")


def test_a_loop_turns_for_all_as_long_as_any_wants_it():
    def turns(n):
        def turn(carry):
            count, own = carry
            return count + 1, jnp.where(count < n, own + 1, own)

        def wanted(carry):
            return any_of(carry[0] < n)

        return jax.lax.while_loop(wanted, turn, (0, 0))

    count, own = jax.vmap(jax.vmap(turns))(jnp.array([[1, 7], [0, 3]]))
    assert np.array_equal(count, np.full((2, 2), 7))
    assert np.array_equal(own, [[1, 7], [0, 3]])


@pytest.mark.parametrize("wanted", [[False] * 3, [False, True, False], [True] * 3])
def test_work_that_nobody_wants_is_not_done(wanted):
    done = []

    def one(wanted, x):
        def act(x):
            jax.debug.callback(done.append, x)
            return x + 1

        return where_wanted(wanted, act, x)

    x = jnp.arange(3)
    found = jax.jit(jax.vmap(one))(jnp.array(wanted), x)
    jax.effects_barrier()
    assert np.array_equal(found, jnp.where(jnp.array(wanted), x + 1, x))
    assert bool(done) == any(wanted)
