"""What the speed rests on, counted in the compiled program: no clock, no luck."""

import re

import jax
import jax.numpy as jnp
import jax.random as jr
import optax

import eapu_jax as ej

ROUNDS = 20  # of threefry, per random number
CROSSBAR = ej.Crossbar(device=ej.AdditiveError())


def draws(transform, shape=(96, 80)):
    """Random numbers that the compiled step draws for every cell of one leaf."""
    w = jnp.zeros(shape)
    step = jax.jit(transform.update).lower(w, transform.init(w), w).compile()
    whole = ",".join(map(str, shape))
    return len(re.findall(rf"u32\[{whole}\]\S* shift-left\(", step.as_text())) / ROUNDS


def test_dice_are_thrown_once_though_three_read_the_result():
    gate = ej.eapu(0.1, key=jr.key(0))
    write = ej.program(CROSSBAR, key=jr.key(1))
    assert draws(optax.chain(gate, write)) == draws(gate) + draws(write) == 2


def test_the_fence_lets_derivatives_pass():
    write = ej.program(CROSSBAR, key=jr.key(1))
    w = jnp.zeros((3, 2))
    written = lambda u: write.update(u, write.init(w), w)[0].sum()  # noqa: E731
    slopes = jax.grad(written)(jnp.ones((3, 2)))
    assert jnp.allclose(slopes, 1.0)
