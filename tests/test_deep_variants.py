"""Deep networks in less memory, in half the precision, and through arrays."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

import eapu_jax as ej
from eapu_jax.flax import through_arrays
from eapu_jax.placement import on_array, put
from experiments.learning import networks as nets
from tests.deep_networks import TINY, example, filled, shapes_of

KEPT = {  # the same as in TINY, but that blocks keep what they compute
    "basic": nets.basic_resnet((1, 1), (2, 4), 3),
    "vit": nets.vit(3, patch=2, width=4, blocks=1, heads=2, dropout=0.5),
    "srresnet": nets.srresnet(2, 1, 1, size=3),
}


@pytest.mark.parametrize("name", KEPT)
def test_blocks_computed_anew_have_parameters_of_the_same_names(name):
    kept, anew = (shapes_of(net, example(name)) for net in (KEPT[name], TINY[name][0]))
    assert jax.tree.structure(kept) == jax.tree.structure(anew)
    jaxpr = jax.make_jaxpr(TINY[name][0].apply)(zeros(anew), example(name))
    names = {equation.primitive.name for equation in equations(jaxpr.jaxpr)}
    assert "remat2" in names or "checkpoint" in names


@pytest.mark.parametrize("name", ["basic", "vit"])
def test_blocks_computed_anew_learn_the_same(name):
    """Statistics of the batch and draws of dropout included."""
    x = example(name)
    variables = filled(shapes_of(KEPT[name], x))

    def gradients(net):
        def loss(params):
            every, how = {**variables, "params": params}, {"mutable": ["batch_stats"]}
            y, new = net.apply(every, x, True, rngs={"dropout": jr.key(0)}, **how)
            return jnp.sum(y**2), new

        return jax.grad(loss, has_aux=True)(variables["params"])

    kept, anew = jax.jit(lambda: [gradients(n) for n in (KEPT[name], TINY[name][0])])()
    largest = max(np.abs(leaf).max() for leaf in jax.tree.leaves(kept))
    for one, other in zip(*map(jax.tree.leaves, (kept, anew)), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6 * largest)


HALVES = {
    "basic": nets.basic_resnet((1, 1), (2, 4), 3, dtype=jnp.bfloat16),
    "swin": nets.swin(
        3, patch=1, window=2, width=4, depths=(2, 1), heads=(1, 2), dtype=jnp.bfloat16
    ),
    "language": nets.language_model(
        5, blocks=1, width=4, heads=2, context=6, dtype=jnp.bfloat16
    ),
    "dncnn": nets.dncnn(3, 2, dtype=jnp.bfloat16),
}


@pytest.mark.parametrize("name", HALVES)
def test_half_the_precision_multiplies_in_it_and_keeps_float32_weights(name):
    net, x = HALVES[name], example(name)
    shapes = shapes_of(net, x)
    assert {s.dtype for s in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
    jaxpr = jax.make_jaxpr(net.apply)(zeros(shapes), x)
    assert jaxpr.out_avals[0].dtype == jnp.float32
    assert set(products(jaxpr.jaxpr)) == {jnp.dtype("bfloat16")}


def zeros(shapes):
    return jax.tree.map(lambda s: np.zeros(s.shape, s.dtype), shapes)


def products(jaxpr):
    """Types of all that is multiplied as matrices."""
    for equation in equations(jaxpr):
        if equation.primitive.name in ("dot_general", "conv_general_dilated"):
            yield from (v.aval.dtype for v in equation.invars)


def equations(jaxpr):
    """Also of the programs within."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in jaxprs_in_params(equation.params):
            yield from equations(inner)


@pytest.mark.parametrize("name", ["vit", "dncnn"])
def test_they_multiply_through_arrays_without_an_edit(name):
    """By the cells: the parameters beside them are zero."""
    net, x, crossbar = TINY[name][0], example(name), ej.Crossbar()
    variables = filled(shapes_of(net, x))

    @jax.jit
    def both():
        params, arrays = ej.deploy(jr.key(0), crossbar, variables["params"])
        blank = put(params, jax.tree.map(jnp.zeros_like, on_array(params)))
        analog = ej.wrap(blank, arrays, jr.key(1), crossbar)
        through = through_arrays(net.apply)({**variables, "params": analog}, x)
        return net.apply({**variables, "params": params}, x), through

    plain, through = both()
    np.testing.assert_allclose(through, plain, atol=1e-5 * np.abs(plain).max())
