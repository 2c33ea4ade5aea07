"""Models that multiply through arrays: any library, no edit, digital layers exact."""

from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from flax import linen as nn
from flax import nnx

from eapu_jax import (
    Adc,
    AdditiveError,
    Analog,
    Crossbar,
    Dac,
    DifferentialPair,
    Periphery,
    deploy,
    place,
    program,
    view,
    wrap,
)
from eapu_jax.analog import conv_general_dilated
from eapu_jax.flax import prepare, through_arrays

KEY = jr.key(3)
IDEAL = Crossbar(encoding=DifferentialPair())
NOISY = Crossbar(encoding=DifferentialPair(), device=AdditiveError(read_noise=4.0))


class Block(nn.Module):
    @nn.compact
    def __call__(self, x, _):
        return nn.tanh(nn.Dense(6)(x)), None


class Deep(nn.Module):
    @nn.compact
    def __call__(self, x):
        layers = nn.scan(
            nn.remat(Block), variable_axes={"params": 0}, split_rngs={"params": True},
            length=3,
        )  # fmt: skip
        return layers(name="layers")(x, None)[0]


class Net(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.Conv(4, (3, 3), strides=2, kernel_dilation=1)(x)
        x = nn.LayerNorm()(x)
        x = x.reshape(x.shape[0], -1, 4)
        x = nn.MultiHeadDotProductAttention(num_heads=2)(x, x)
        return nn.remat(nn.Dense)(3)(x.mean(1))


LINEN = {
    "dense": (nn.Dense(3), (2, 5), ()),
    "convolution": (nn.Conv(4, (3, 2), strides=(2, 1), kernel_dilation=2), (2, 9, 8, 3),
                    ()),
    "circular": (nn.Conv(4, (3,), padding="CIRCULAR"), (2, 7, 3), ()),
    "attention": (nn.MultiHeadDotProductAttention(num_heads=2), (2, 3, 4), ()),
    "scan of remat": (Deep(), (2, 6), ("params/layers",)),
    "all": (Net(), (2, 6, 6, 2), ()),
}  # fmt: skip
every_model = pytest.mark.parametrize(
    ("model", "shape", "stacked"),
    [  # fast: "all" has the attention of the same heads
        pytest.param(*of, id=name, marks=[pytest.mark.slow] * (name == "attention"))
        for name, of in LINEN.items()
    ],
)


@cache
def digital(model, shape):
    """Parameters, the digital apply, and an input: compiled once for all tests."""
    x = jr.normal(jr.key(1), shape)
    return jax.jit(model.init)(jr.key(0), x), jax.jit(model.apply), x


def on_chip(model, shape, crossbar, **options):
    """Parameters, the analog apply, and an input."""
    params, _, x = digital(model, shape)
    params, arrays = deploy(jr.key(2), crossbar, params)
    apply = through_arrays(model.apply)

    def analog(params, x, key=KEY):
        return apply(wrap(params, arrays, key, crossbar, **options), x)

    return params, jax.jit(analog), x


@every_model
def test_a_linen_model_on_ideal_arrays_is_the_model(model, shape, stacked):
    params, analog, x = on_chip(model, shape, IDEAL, stacked=stacked)

    def pulled(f):
        y, back = jax.vjp(lambda p: f(p, x), params)
        return y, back(2 * y)[0]

    both = jax.jit(lambda: (pulled(analog), pulled(model.apply)))
    (y, slopes), (expected, plain) = both()
    np.testing.assert_allclose(y, expected, atol=1e-5)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=2e-4), slopes, plain
    )


@every_model
def test_every_product_of_a_linen_model_passes_its_array(model, shape, stacked):
    params, analog, x = on_chip(model, shape, NOISY, stacked=stacked)
    y, (_, plain, _) = analog(params, x, KEY), digital(model, shape)
    assert np.max(np.abs(y - plain(params, x))) > 1e-3
    assert not np.allclose(y, analog(params, x, jr.key(4)))


def test_layers_of_a_scan_have_read_noise_of_their_own():
    params, _, x = on_chip(Deep(), (2, 6), NOISY)
    same = jax.tree.map(lambda p: jnp.broadcast_to(p[:1], p.shape), params)
    _, arrays = deploy(jr.key(2), NOISY, same)
    stack = wrap(same, arrays, KEY, NOISY, stacked=("params/layers",))
    kernel = stack["params"]["layers"]["Dense_0"]["kernel"]
    _, y = jax.lax.scan(lambda _, w: (None, x @ w), None, kernel)
    assert y.shape == (3, 2, 6)
    assert not np.allclose(y[0], y[1])


def test_linen_compares_only_the_first_leaf_with_the_shape_of_a_kernel():
    crossbar = Crossbar(encoding=DifferentialPair())
    w = jnp.ones((2, 3))
    _, arrays = deploy(jr.key(0), crossbar, {"kernel": w})
    analog = wrap({"kernel": w}, arrays, KEY, crossbar)["kernel"]
    assert jax.tree.leaves(analog)[0] is w


@every_model
def test_what_stays_digital_is_bit_identical(model, shape, stacked):
    del stacked
    asked = lambda path, shape: "digital: asked so"  # noqa: E731
    params, plain, x = digital(model, shape)
    wrapped = wrap(params, {}, KEY, NOISY, place=asked)
    assert jax.tree.structure(wrapped) == jax.tree.structure(params)
    there = jax.jit(through_arrays(model.apply))(wrapped, x)
    np.testing.assert_array_equal(there, plain(params, x))


def test_layers_are_chosen_by_path():
    model = nn.Sequential([nn.Dense(4), nn.Dense(3)])
    first = lambda path, shape: (  # noqa: E731
        place(path, shape) if "layers_0" in path else "digital: asked so"
    )
    x = jr.normal(jr.key(1), (2, 5))
    params = model.init(jr.key(0), x)
    _, arrays = deploy(jr.key(2), NOISY, params)
    wrapped = wrap(params, arrays, KEY, NOISY, place=first)["params"]
    assert isinstance(wrapped["layers_0"]["kernel"], Analog)
    assert wrapped["layers_1"]["kernel"] is params["params"]["layers_1"]["kernel"]


def test_hooks_leave_a_linen_layer_as_it_was():
    layer = nn.Dense(3)
    params = layer.init(jr.key(0), jnp.ones((1, 2)))
    bound = layer.bind(params)
    through_arrays(bound)(jnp.ones((1, 2)))
    assert bound.dot_general is None
    assert bound.promote_dtype is layer.promote_dtype


@pytest.mark.parametrize("crossbar", [IDEAL, NOISY])
def test_an_nnx_model_multiplies_through_arrays(crossbar):
    class Model(nnx.Module):
        def __init__(self, rngs):
            self.conv = nnx.Conv(2, 4, (3, 3), rngs=rngs)
            self.general = nnx.LinearGeneral((6, 4), (2, 3), axis=(-2, -1), rngs=rngs)
            self.linear = nnx.Linear(3, 5, rngs=rngs)
            self.norm = nnx.LayerNorm(5, rngs=rngs)

        def __call__(self, x):
            return self.norm(self.linear(self.general(self.conv(x))))

    model = prepare(Model(nnx.Rngs(0)))
    x = jr.normal(jr.key(1), (2, 6, 6, 2))
    graph, params = nnx.split(model, nnx.Param)
    params, arrays = deploy(jr.key(2), crossbar, params)
    assert sorted(arrays) == ["conv/kernel", "general/kernel", "linear/kernel"]

    def loss(params):
        analog = nnx.merge(graph, wrap(params, arrays, KEY, crossbar))
        return jnp.sum(jnp.sin(analog(x)))

    plain = lambda params: jnp.sum(jnp.sin(nnx.merge(graph, params)(x)))  # noqa: E731
    slope = jax.value_and_grad
    (y, slopes), (expected, plain_slopes) = jax.jit(
        lambda p: (slope(loss)(p), slope(plain)(p))
    )(params)
    assert np.allclose(y, expected, atol=1e-4) == (crossbar is IDEAL)
    if crossbar is IDEAL:
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, atol=2e-4),
            slopes,
            plain_slopes,
        )


class Bare(nn.Module):
    """A layer of one's own: a product that can be replaced, and no promotion."""

    dot_general: Any = jax.lax.dot_general

    @nn.compact
    def __call__(self, x):
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (4, 3))
        return self.dot_general(x, kernel, (((1,), (0,)), ((), ())))


def test_a_layer_without_promotion_multiplies_through_its_array():
    layer, x = Bare(), jr.normal(jr.key(1), (5, 4))
    params = layer.init(jr.key(0), x)
    halved = jax.tree.map(lambda w: w / 2, params)
    _, arrays = deploy(jr.key(2), IDEAL, halved)
    y = through_arrays(layer.apply)(wrap(params, arrays, KEY, IDEAL), x)
    np.testing.assert_allclose(y, layer.apply(halved, x), atol=1e-6)
    assert layer.dot_general is jax.lax.dot_general


def test_equinox_layers_multiply_through_arrays():
    layer = eqx.nn.MLP(4, 3, 8, 2, key=jr.key(0))
    params, static = eqx.partition(layer, eqx.is_array)
    params, arrays = deploy(jr.key(2), IDEAL, params)
    x = jr.normal(jr.key(1), (5, 4))

    def loss(params, crossbar):
        analog = wrap(eqx.combine(params, static), arrays, KEY, crossbar)
        return jnp.sum(jax.vmap(analog)(x) ** 2)

    plain = lambda p: jnp.sum(jax.vmap(eqx.combine(p, static))(x) ** 2)  # noqa: E731
    slope = jax.value_and_grad
    (y, slopes), (expected, plain_slopes), noisy = jax.jit(
        lambda p: (slope(loss)(p, IDEAL), slope(plain)(p), loss(p, NOISY))
    )(params)
    np.testing.assert_allclose(y, expected, rtol=1e-5)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), slopes, plain_slopes
    )
    assert not np.allclose(noisy, expected, rtol=1e-3)


def test_a_chip_learns_through_its_own_products():
    crossbar = Crossbar(
        device=AdditiveError(write_noise=0.5, read_noise=1.0),
        periphery=Periphery(dac=Dac(), adc=Adc(rail=800.0)),
    )
    model, x = nn.Dense(2), jr.normal(jr.key(1), (32, 4))
    y = x @ jr.normal(jr.key(5), (4, 2))
    params = model.init(jr.key(0), x)
    tx = optax.chain(optax.sgd(0.1), program(crossbar, key=jr.key(6)))
    apply = through_arrays(model.apply)

    @jax.jit
    def step(params, state, key):
        def loss(params):
            wrapped = wrap(params, view(state), key, crossbar)
            return jnp.mean((apply(wrapped, x) - y) ** 2)

        value, slopes = jax.value_and_grad(loss)(params)
        updates, state = tx.update(slopes, state, params)
        return optax.apply_updates(params, updates), state, value

    state, losses = tx.init(params), []
    for key in jr.split(KEY, 100):
        params, state, value = step(params, state, key)
        losses.append(float(value))
    assert np.mean(losses[-10:]) < 0.02 * losses[0]


def test_weights_without_an_array_and_unknown_branches_are_refused():
    params = {"a": {"kernel": jnp.ones((2, 2))}}
    _, arrays = deploy(jr.key(0), IDEAL, params)
    with pytest.raises(ValueError, match="arrays must have one for 'a/kernel'"):
        wrap(params, {}, KEY, IDEAL)
    with pytest.raises(ValueError, match="stacked must name branches"):
        wrap(params, arrays, KEY, IDEAL, stacked=("b",))


@pytest.mark.parametrize(
    ("layer", "said"),
    [(nn.Conv(4, (3,), feature_group_count=2), "feature_group_count"),
     (nn.Conv(4, (3,), input_dilation=2, padding=[(1, 1)]), "lhs_dilation"),
     (nn.DenseGeneral(4, batch_dims=(0,)), "batch axes")],
)  # fmt: skip
def test_products_an_array_cannot_make_are_refused_by_name(layer, said):
    x = jnp.ones((2, 6, 4))
    params, arrays = deploy(jr.key(2), IDEAL, layer.init(jr.key(0), x))
    with pytest.raises(ValueError, match=said):
        through_arrays(layer.apply)(wrap(params, arrays, KEY, IDEAL), x)


def test_anything_but_a_product_is_refused():
    w = jnp.ones((2, 2))
    _, arrays = deploy(jr.key(0), IDEAL, w)
    analog = wrap(w, arrays, KEY, IDEAL)
    for attempt in (jnp.sum, lambda a: a + 1, lambda a: a[0]):
        with pytest.raises(TypeError):
            attempt(analog)


def test_a_convolution_that_shares_its_batch_out_is_refused():
    x, w = jnp.ones((2, 6, 4)), jnp.ones((3, 4, 2))
    _, arrays = deploy(jr.key(0), IDEAL, w)
    analog = wrap(w, arrays, KEY, IDEAL)
    axes = ("NWC", "WIO", "NWC")
    with pytest.raises(ValueError, match="batch_group_count of an Analog kernel"):
        conv_general_dilated(
            x, analog, (1,), "SAME", dimension_numbers=axes, batch_group_count=2
        )
