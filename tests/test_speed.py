"""What the speed rests on, counted in the compiled program: no clock, no luck."""

import re

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
import pytest

import eapu_jax as ej
from eapu_jax.rows import Rows

pytestmark = pytest.mark.usefixtures("optimised")

CROSSBAR = ej.Crossbar(device=ej.AdditiveError())


def rounds(transform, layers=1):
    """Rounds of threefry that the compiled step holds."""
    w = {f"w{i}": jnp.zeros((96, 80)) for i in range(layers)}
    step = jax.jit(transform.update).lower(w, transform.init(w), w).compile()
    return len(re.findall(r"u32\[[\d,]*\]\S* shift-left\(", step.as_text()))


def chain():
    write = ej.program(CROSSBAR, key=jr.key(1))
    return optax.chain(ej.eapu(0.1, key=jr.key(0)), write)


@pytest.mark.slow
def test_what_is_drawn_does_not_grow_with_the_layers():
    assert rounds(chain(), layers=5) == rounds(chain(), layers=2)


def test_layers_of_one_shape_are_cut_out_by_one_program():
    """Where a layer lies is no constant of the program that cuts it out."""
    rows = Rows.of({f"{i:02}": jnp.zeros((16, 16)) for i in range(12)})
    x, step = jnp.zeros((rows.height, 256)), jnp.int32(0)
    cut = jax.jit(rows.unpack).lower(x, step).compile().as_text()
    fixed = jax.jit(rows.unpack).lower(x).compile().as_text()
    assert "slice={" in fixed
    assert "slice={" not in cut


@pytest.mark.slow
def test_the_links_of_a_chain_draw_what_each_draws_alone():
    gate = ej.eapu(0.1, key=jr.key(0))
    write = ej.program(CROSSBAR, key=jr.key(1))
    assert rounds(chain()) <= rounds(gate) + rounds(write)


def test_the_fence_lets_derivatives_pass():
    write = ej.program(CROSSBAR, key=jr.key(1))
    w = jnp.zeros((3, 2))
    written = lambda u: write.update(u, write.init(w), w)[0].sum()  # noqa: E731
    slopes = jax.grad(written)(jnp.ones((3, 2)))
    assert jnp.allclose(slopes, 1.0)
